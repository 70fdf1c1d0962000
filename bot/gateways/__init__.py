"""The hands: what the desk does outside itself and outside any messenger."""
