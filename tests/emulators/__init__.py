"""Messengers' servers on loopback, with the manners of the real ones; nothing here imports the product."""
