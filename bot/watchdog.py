"""What systemd is told, by the protocol of sd_notify: the desk serves, it still turns, it stops."""

import asyncio
import contextlib
import os
import socket
from collections.abc import Callable, Mapping

OFTEN = 0.1
"""While the desk is not well, it is looked at again after this share of the interval."""


class Watchdog:
    """Says one datagram at a time where NOTIFY_SOCKET names somebody who listens, and nothing elsewhere.

    Whoever listens is never waited for: a datagram that cannot be taken at once is lost.
    """

    def __init__(self, listener: str = "", interval: float = 0.0) -> None:
        """`listener` is the path of a socket, or @ and an abstract name. `interval` in seconds: the process
        is to be killed after so long without a sign of life; 0 is never."""
        self._listener = listener
        self.interval = interval

    @classmethod
    def of(cls, environ: Mapping[str, str]) -> "Watchdog":
        """As the environment of this process asks for it."""
        microseconds = environ.get("WATCHDOG_USEC", "")
        mine = environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        asked = mine and microseconds.isascii() and microseconds.isdigit()
        return cls(environ.get("NOTIFY_SOCKET", ""), int(microseconds) / 1e6 if asked else 0.0)

    @property
    def watched(self) -> bool:
        """Whether signs of life are waited for."""
        return bool(self._listener) and self.interval > 0

    def ready(self) -> None:
        """The desk serves."""
        self._say("READY=1")

    def stopping(self) -> None:
        """The desk was told to stop and finishes what is under way."""
        self._say("STOPPING=1")

    async def run(self, well: Callable[[], bool]) -> None:
        """A sign of life twice in each interval as long as the desk is `well`. This runs on the event loop on
        purpose: a loop that stands still gives none."""
        while True:
            alive = well()
            if alive:
                self._say("WATCHDOG=1")
            await asyncio.sleep(self.interval * (0.5 if alive else OFTEN))

    def _say(self, words: str) -> None:
        if not self._listener:
            return
        address = "\0" + self._listener[1:] if self._listener.startswith("@") else self._listener
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as line:
            line.setblocking(False)
            line.sendto(words.encode(), address)
