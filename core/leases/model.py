"""A lease, a replica, and the watch that tells whether one still lives."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

EVERY = timedelta(seconds=2)
"""So often a replica says that it lives, and renews what it holds."""
SILENT = timedelta(seconds=8)
"""A replica that has said nothing for so long is dead, and what it held is free."""
GAP = timedelta(seconds=3)
"""Of the time between two looks at the others no more than this counts as their silence."""
HOLD = timedelta(seconds=10)
"""For so long an office is its holder's, unless it is renewed."""
ALONE = ""
"""What a process is called on a database that no other process serves: nothing is written down for it."""


@dataclass(frozen=True, slots=True)
class Lease:
    """Something that is one holder's until then. `fence` grows whenever the holder changes, so that whoever
    was late can be told apart at the write."""

    name: str
    holder: str
    fence: int
    until: datetime


@dataclass(frozen=True, slots=True)
class Replica:
    """One process on the database; `beats` counts how often it has said that it lives."""

    id: str
    version: str
    schema: str
    beats: int
    beat_at: datetime


class Watch:
    """Tells which replicas are silent, by the watcher's own clock alone: how the machines' clocks differ, and
    how they leap, kills nobody. Nor does time in which the watcher itself could not look, because it was
    frozen or the database was away: nobody could be heard then."""

    def __init__(self) -> None:
        self._quiet: dict[str, tuple[int, float]] = {}
        self._looked_at: float | None = None

    def silent(self, found: Collection[Replica], now: float) -> frozenset[str]:
        """Those of the replicas, as they were just found, that have said nothing for SILENT. `now` is seconds
        of a clock that only goes forward."""
        passed = 0.0 if self._looked_at is None else min(now - self._looked_at, GAP.total_seconds())
        self._looked_at = now
        self._quiet = {each.id: (each.beats, self._since(each, passed)) for each in found}
        return frozenset(name for name, (_, quiet) in self._quiet.items() if quiet >= SILENT.total_seconds())

    def _since(self, replica: Replica, passed: float) -> float:
        beats, quiet = self._quiet.get(replica.id, (-1, 0.0))
        return quiet + passed if beats == replica.beats else 0.0
