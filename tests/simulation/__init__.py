"""The whole desk in one process on virtual time."""
