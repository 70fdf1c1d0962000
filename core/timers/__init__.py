"""What must happen when: rows claimed by lease. The scheduler only asks what is due."""
