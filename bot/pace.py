"""Pacing: no room gets messages faster than its messenger allows, and no room waits for another.

A gap of three seconds means twenty in any minute, one of a thirtieth thirty in any second; within that they
go at an even pace, a few at once after a quiet time. Who is waiting for an answer need not keep the even
pace, only the limit.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from datetime import timedelta

BURST = 4
MARGIN = 0.025
"""Seconds by which two messages may come closer to each other on their way."""
_NEVER = float("inf")


class Meter:
    """What was sent to one room, or through one messenger, lately."""

    __slots__ = ("_even_at", "_gap", "_sent", "_span")

    def __init__(self, gap: float) -> None:
        times = max(1, round((1.0 if gap <= 1 else 60.0) / gap))
        self._gap, self._span = gap, times * gap
        self._sent: deque[float] = deque(maxlen=times)
        self._even_at = 0.0

    def ready_at(self, urgent: bool) -> float:
        """When the next one may go."""
        full = len(self._sent) == self._sent.maxlen
        at = self._sent[0] + self._span + MARGIN if full else 0.0
        return at if urgent else max(at, self._even_at - min(BURST, len(self._sent)) * self._gap)

    def use(self, now: float) -> None:
        """One goes now. Where there is no room for it any more, it takes the place of one to come."""
        full = len(self._sent) == self._sent.maxlen
        self._sent.append(max(now, self._sent[0] + self._span) if full else now)
        self._even_at = max(self._even_at, now) + self._gap

    def arrived(self, now: float) -> None:
        """The newest one has arrived by now; where only one fits in, its time counts from here."""
        if self._sent.maxlen == 1 and self._sent:
            self._sent[0] = max(now, self._sent[0])

    def idle(self, now: float) -> bool:
        return not self._sent or max(self._even_at, self._sent[-1] + self._span + MARGIN) <= now


class Pace:
    """When each room, or a whole messenger, may be written to again; what is free takes no memory."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._meters: dict[str, Meter] = {}
        self._held: dict[str, float] = {}
        self._awaited = _NEVER

    def allows(self, gaps: Mapping[str, timedelta], *, urgent: bool = False) -> bool:
        """Whether all of these may be written to now."""
        at = max((self._ready_at(name, urgent) for name in gaps), default=0.0)
        if at <= self._monotonic():
            return True
        self._awaited = min(self._awaited, at)
        return False

    def take(self, gaps: Mapping[str, timedelta], *, urgent: bool = False) -> bool:
        """The same; saying yes uses up each one's turn for its gap."""
        if not self.allows(gaps, urgent=urgent):
            return False
        self.count(gaps)
        return True

    def count(self, gaps: Mapping[str, timedelta], times: int = 1) -> None:
        """So many have gone, whether they were allowed to or not: what was too much is waited for later."""
        now = self._monotonic()
        for name, gap in gaps.items():
            for _ in range(times if gap else 0):
                self._meters.setdefault(name, Meter(gap.total_seconds())).use(now)

    def _ready_at(self, name: str, urgent: bool) -> float:
        meter = self._meters.get(name)
        return max(self._held.get(name, 0.0), meter.ready_at(urgent) if meter else 0.0)

    def arrived(self, name: str) -> None:
        """What was sent there has arrived: on its way it may have been slow, and the next one fast."""
        if name in self._meters:
            self._meters[name].arrived(self._monotonic())

    def hold(self, name: str, span: timedelta) -> None:
        """Nothing may be written there for `span`."""
        self._held[name] = max(self._held.get(name, 0.0), self._monotonic() + span.total_seconds())

    def held(self, name: str) -> bool:
        return self._held.get(name, 0.0) > self._monotonic()

    def soonest(self, at_most: float) -> float:
        """Seconds until the first of those that were refused since the last call is free, `at_most` so
        many; forgets what is free."""
        now, awaited = self._monotonic(), self._awaited
        self._meters = {name: meter for name, meter in self._meters.items() if not meter.idle(now)}
        self._held = {name: at for name, at in self._held.items() if at > now}
        self._awaited = _NEVER
        return max(0.0, min(at_most, awaited - now))
