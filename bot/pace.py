"""Pacing: no room gets messages faster than its messenger allows, and no room waits for another."""

import time
from collections.abc import Callable
from datetime import timedelta


class Pace:
    """When each room may be written to again; rooms that are free take no memory."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._next: dict[str, float] = {}

    def take(self, room: str, gap: timedelta) -> bool:
        """Whether the room may be written to now; saying yes uses its turn up for `gap`."""
        if not gap:
            return True
        now = self._monotonic()
        if self._next.get(room, now) > now:
            return False
        self._next[room] = now + gap.total_seconds()
        return True

    def soonest(self, at_most: float) -> float:
        """Seconds until the next room is free, `at_most` so many; forgets those that are free."""
        now = self._monotonic()
        self._next = {room: at for room, at in self._next.items() if at > now}
        return min([at_most, *(at - now for at in self._next.values())])
