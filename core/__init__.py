"""What the desk knows and decides: no messenger, no web, no words for people."""
