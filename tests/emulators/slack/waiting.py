"""Waiting until something has come about."""

import asyncio
import contextlib
import time
from collections.abc import Callable


class Waiting:
    """Those who wait look again whenever something stirs."""

    def __init__(self) -> None:
        self._changed = asyncio.Event()

    def stir(self) -> None:
        """Something changed."""
        self._changed.set()

    async def until(self, condition: Callable[[], object], seconds: float = 5.0, what: str = "") -> None:
        """Waits (real seconds) until the condition holds; looks at each change."""
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"waited {seconds} s in vain{': ' + what if what else ''}")
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left, 0.05))
