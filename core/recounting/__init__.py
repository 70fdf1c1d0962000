"""New rules for tickets under way: what the configuration promises now counts for them too."""
