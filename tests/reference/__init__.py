"""Small models of what the desk does, written apart from its code: slow, plain, and right."""
