"""What must be told to whom, at least once, in order; and where what was told stands now."""
