"""Bells: a commit rings them, and whoever waits for work wakes up."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable


class Bells:
    """Named bells of one event loop. A ring is never missed: it stays until it is heard."""

    def __init__(self) -> None:
        self._listeners: dict[str, set[asyncio.Event]] = defaultdict(set)

    def ring(self, names: Iterable[str]) -> None:
        for name in names:
            for listener in self._listeners[name]:
                listener.set()

    def ring_all(self) -> None:
        """Ring whatever somebody listens to: nobody knows what was missed."""
        self.ring(list(self._listeners))

    def listen(self, *names: str) -> asyncio.Event:
        """An event that is set by each ring of `names`; its owner clears it."""
        heard = asyncio.Event()
        for name in names:
            self._listeners[name].add(heard)
        return heard

    def ignore(self, heard: asyncio.Event) -> None:
        """Stop setting this event."""
        for listeners in self._listeners.values():
            listeners.discard(heard)


async def wait(heard: asyncio.Event, *, at_most: float) -> bool:
    """Wait for a ring, `at_most` so many seconds; hearing it takes it. True if it rang."""
    try:
        async with asyncio.timeout(at_most):
            await heard.wait()
    except TimeoutError:
        return False
    heard.clear()
    return True
