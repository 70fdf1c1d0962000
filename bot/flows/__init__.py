"""The conversations: what to ask, what to say, and which action follows."""
