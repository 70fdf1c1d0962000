"""Pacing: no room gets messages faster than its messenger allows, and no room waits for another.

A gap of three seconds means twenty in any minute, one of a thirtieth thirty in any second, counted from when
each had arrived: on their way some are slow and some are fast. Within that they go at an even pace, a few at
once after a quiet time. Who is waiting for an answer need not keep the even pace, only the limit.
"""

import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

BURST = 4
MARGIN = 0.001
"""Seconds of a clock's smallest step."""
ON_ITS_WAY = 30.0
"""Seconds after which a message of which nothing more was heard counts as arrived."""
_NEVER = float("inf")


@dataclass(slots=True)
class Sent:
    """One message, and when it had arrived at the latest."""

    at: float
    on_its_way: bool = True

    @property
    def arrived_at(self) -> float:
        return self.at + ON_ITS_WAY if self.on_its_way else self.at


class Meter:
    """What was sent to one room, or through one messenger, lately."""

    __slots__ = ("_even_at", "_sent", "_span", "gap")

    def __init__(self, gap: float, before: "Meter | None" = None) -> None:
        """`before` is what was measured until now, with another gap."""
        times = max(1, round((1.0 if gap <= 1 else 60.0) / gap))
        self.gap, self._span = gap, times * gap + MARGIN
        self._sent: deque[Sent] = deque(before._sent if before else (), maxlen=times)
        self._even_at: float = before._even_at if before else 0.0

    def ready_at(self, urgent: bool) -> float:
        """When the next one may go."""
        full = len(self._sent) == self._sent.maxlen
        at = self._sent[0].arrived_at + self._span if full else 0.0
        return at if urgent else max(at, self._even_at - min(BURST, len(self._sent)) * self.gap)

    def use(self, now: float) -> Sent:
        """One goes now. Where there is no room for it any more, it takes the place of one to come."""
        full = len(self._sent) == self._sent.maxlen
        sent = Sent(max(now, self._sent[0].at + self._span) if full else now)
        self._sent.append(sent)
        self._even_at = max(self._even_at, now) + self.gap
        return sent

    def idle(self, now: float) -> bool:
        last = max((sent.arrived_at for sent in self._sent), default=-_NEVER)
        return max(self._even_at, last + self._span) <= now


class Pace:
    """When each room, or a whole messenger, may be written to again; what is free takes no memory."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._meters: dict[str, Meter] = {}
        self._on_their_way: dict[str, list[Sent]] = {}
        self._held: dict[str, float] = {}
        self._awaited = _NEVER

    def allows(self, gaps: Mapping[str, timedelta], *, urgent: bool = False) -> bool:
        """Whether all of these may be written to now."""
        at = max((self._ready_at(name, urgent) for name in gaps), default=0.0)
        if at <= self._monotonic():
            return True
        self._awaited = min(self._awaited, at)
        return False

    def take(self, gaps: Mapping[str, timedelta], lane: str, *, urgent: bool = False) -> bool:
        """The same; saying yes uses up each one's turn for its gap, until `arrived` is said of the lane."""
        if not self.allows(gaps, urgent=urgent):
            return False
        self._on_their_way[lane] = self._use(gaps)
        return True

    def arrived(self, lane: str, gaps: Mapping[str, timedelta] | None = None, *, more: int = 0) -> None:
        """What was sent for this lane has arrived, or never will; it took so many `more` turns of these."""
        now = self._monotonic()
        for sent in self._on_their_way.pop(lane, ()):
            sent.at, sent.on_its_way = now, False
        for _ in range(more):
            for sent in self._use(gaps or {}):
                sent.on_its_way = False

    def _use(self, gaps: Mapping[str, timedelta]) -> list[Sent]:
        now = self._monotonic()
        return [self._meter(name, gap).use(now) for name, gap in gaps.items() if gap]

    def _meter(self, name: str, gap: timedelta) -> Meter:
        before = self._meters.get(name)
        if before is None or before.gap != gap.total_seconds():
            self._meters[name] = Meter(gap.total_seconds(), before)
        return self._meters[name]

    def _ready_at(self, name: str, urgent: bool) -> float:
        meter = self._meters.get(name)
        return max(self._held.get(name, 0.0), meter.ready_at(urgent) if meter else 0.0)

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
        self._on_their_way = {
            lane: sent
            for lane, sent in self._on_their_way.items()
            if any(each.arrived_at > now for each in sent)
        }
        self._awaited = _NEVER
        return max(0.0, min(at_most, awaited - now))
