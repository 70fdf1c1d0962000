"""People: who somebody is, through which accounts they speak, and what they may do."""
