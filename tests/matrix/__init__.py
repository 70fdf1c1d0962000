"""Every messenger against every other: the same twenty steps, whoever sits where."""
