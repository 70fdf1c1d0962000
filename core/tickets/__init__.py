"""The life of a ticket: what it is, the legal moves, its messages and its timeline."""
