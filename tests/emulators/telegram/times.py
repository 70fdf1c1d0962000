"""Telegram's own time: the machine's, run faster or slower, or a clock the test turns by hand."""

import asyncio
import time
from datetime import datetime
from typing import Protocol

PATIENCE = 60.0
"""Seconds of this machine in which even a busy one gets done what is waited for."""


class Clock(Protocol):
    """Tells the present instant, aware."""

    def now(self) -> datetime: ...


class Times:
    """What instant it is (`now`), and waiting (`sleep`).

    `scale` is how many real seconds one of Telegram's seconds takes: 0.01 makes the 150 s of a callback query
    pass in 1.5 s. With a `clock` passed in, instants (dates, expiry, rates) are that clock's and only the
    waiting (long poll, webhook retries, hanging faults) is still real and scaled.
    """

    def __init__(self, clock: Clock | None = None, scale: float = 1.0) -> None:
        self.clock = clock
        self.scale = scale
        self._began = time.time()
        self._began_monotonic = time.monotonic()

    def now(self) -> float:
        if self.clock is not None:
            return self.clock.now().timestamp()
        return self._began + (time.monotonic() - self._began_monotonic) / self.scale

    def unix(self) -> int:
        return int(self.now())

    def real(self, seconds: float) -> float:
        """So many of Telegram's seconds, in seconds of this machine."""
        return seconds * self.scale

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(self.real(seconds))
