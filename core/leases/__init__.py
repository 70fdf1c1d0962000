"""Who does what one process at a time does, and which processes there are: leases with a fencing number."""
