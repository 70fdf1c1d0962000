"""Whether every unclosed ticket has the timers and clocks it must have, and every due ping went out."""
