"""How people reach the desk: messengers, conversations, the web and the command line."""
