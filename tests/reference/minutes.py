"""Working time as told by somebody who looks at a clock on the wall once a minute and writes down 1 or 0.

Nothing here is shared with the desk: no spans, no sums, no arithmetic on local times."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

MINUTE = timedelta(minutes=1)
Weekly = Sequence[Sequence[tuple[int, int]]]
"""For each weekday, Monday first, from which minute of the day to which there is work."""


def written_down(
    zone: str, weekly: Weekly | None, holidays: Collection[date], since: datetime, days: int
) -> bytes:
    """1 for each minute of working time, 0 for any other. Where the wall shows an hour twice, the second time
    is as if the clock stood still at the end of the first."""
    if weekly is None:
        return bytes([1]) * (days * 1440)
    notes = bytearray()
    place, day, latest = ZoneInfo(zone), date.min, -1
    for number in range(days * 1440):
        wall = (since + number * MINUTE).astimezone(place)
        shown = wall.hour * 60 + wall.minute
        day, latest = wall.date(), shown if wall.date() != day else max(latest, shown)
        if day in holidays:
            notes.append(0)
        else:
            notes.append(any(begin <= latest < end for begin, end in weekly[day.weekday()]))
    return bytes(notes)


@dataclass(frozen=True)
class Notes:
    """What was written down from an instant on."""

    since: datetime
    working: bytes

    def minute(self, instant: datetime) -> int:
        return (instant - self.since) // MINUTE

    def due(self, begun: int, minutes: int, standing: Sequence[tuple[int, int]]) -> datetime:
        """When so many working minutes have passed since the minute `begun`, none of them in one of the
        stretches `standing`."""
        notes = bytearray(self.working)
        for since, until in standing:
            notes[since:until] = bytes(until - since)
        minute = begun - 1
        for _ in range(minutes):
            minute = notes.index(1, minute + 1)
        return self.since + (minute + 1) * MINUTE


def midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
