"""Pacing: no room gets messages faster than its messenger allows, and no room waits for another."""

import time
from collections.abc import Callable, Mapping
from datetime import timedelta


class Pace:
    """When each room, or a whole messenger, may be written to again; what is free takes no memory."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._next: dict[str, float] = {}

    def take(self, gaps: Mapping[str, timedelta]) -> bool:
        """Whether all of these may be written to now; saying yes uses up each one's turn for its gap."""
        now = self._monotonic()
        if any(self._next.get(name, now) > now for name in gaps):
            return False
        for name, gap in gaps.items():
            if gap:
                self._next[name] = now + gap.total_seconds()
        return True

    def hold(self, name: str, span: timedelta) -> None:
        """Nothing may be written there for `span`."""
        self._next[name] = max(self._next.get(name, 0.0), self._monotonic() + span.total_seconds())

    def soonest(self, at_most: float) -> float:
        """Seconds until the next room is free, `at_most` so many; forgets those that are free."""
        now = self._monotonic()
        self._next = {room: at for room, at in self._next.items() if at > now}
        return min([at_most, *(at - now for at in self._next.values())])
