"""Ports for processes that are told theirs beforehand."""

import itertools
import os
import socket

LOWEST, SPAN, OWN = 10_000, 20_000, 200
"""Below what a system hands out by itself, so that no connection of another test takes one meanwhile."""
_NUMBERS = itertools.count()


def free_port() -> int:
    """A port that nobody listens on; each one is given once, and processes side by side get others."""
    start = os.getpid() % (SPAN // OWN) * OWN
    for number in _NUMBERS:
        port = LOWEST + (start + number % OWN) % SPAN
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise AssertionError
