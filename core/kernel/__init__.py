"""The alphabet everyone may use: ids, addresses, the clock, errors and events."""
