"""Promises about time: targets by priority, and clocks that run, pause and are met."""
