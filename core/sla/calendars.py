"""Working time: when promises count, exact over holidays and the days on which clocks are changed.

Instants are in UTC. A wall time that comes twice, as clocks go back, means the first of the two; one that is
left out, as clocks go forward, means the instant of the jump. So what touches on the wall touches in time."""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from threading import Lock

DAY = timedelta(days=1)
FURTHEST = 366 * 5
"""So many days are looked through for working time. What comes after that is told as if it came then: to
whoever counts on it, it is as good as never."""

Span = tuple[datetime, datetime]
Period = tuple[int, int]
"""Two minutes of a day by the wall clock; the second is at most 1440, which is midnight."""
Pause = tuple[datetime, datetime | None]
"""From when to when a promise stood still; None: it still does."""


@dataclass(frozen=True, slots=True)
class DaysOff:
    """The days on which nobody works: those of a country, those of a feed and one's own, but for those one
    works after all."""

    public: Container[date]
    closed: frozenset[date] = frozenset()
    opened: frozenset[date] = frozenset()
    told: frozenset[date] = frozenset()
    """By somebody else's calendar."""

    def __contains__(self, day: object) -> bool:
        usual = day in self.public or day in self.told
        return day in self.closed or (usual and day not in self.opened)


@dataclass(frozen=True, slots=True)
class Calendar:
    """Periods of each weekday, Monday first, in one time zone; none on `holidays`. Without `week` it is
    always working time."""

    name: str
    zone: tzinfo = UTC
    week: tuple[tuple[Period, ...], ...] | None = None
    holidays: Container[date] = field(default=frozenset(), hash=False)
    _known: dict[date, tuple[Span, ...]] = field(init=False, repr=False, compare=False, default_factory=dict)
    """Days that were looked at before."""

    def spans(self, day: date) -> tuple[Span, ...]:
        """The working time of a local day, in order."""
        known = self._known.get(day)
        if known is None:
            with _LOOKING:
                known = self._known[day] = self._spans(day)
        return known

    def _spans(self, day: date) -> tuple[Span, ...]:
        if self.week is None:
            return ((instant_of(self.zone, day, 0), instant_of(self.zone, day, 1440)),)
        if day in self.holidays:
            return ()
        found = [
            (instant_of(self.zone, day, begin), instant_of(self.zone, day, end))
            for begin, end in self.week[day.weekday()]
        ]
        return tuple((begin, end) for begin, end in found if begin < end)

    def after(self, start: datetime, length: timedelta) -> datetime:
        """When so much working time has passed since `start`; FURTHEST from it where it is no sooner."""
        if self.week is None or length <= timedelta(0):
            return start + length
        left = length
        for begin, end in self._from(start):
            if end - begin >= left:
                return min(begin + left, start + FURTHEST * DAY)
            left -= end - begin
        return start + FURTHEST * DAY

    def ago(self, end: datetime, length: timedelta) -> datetime:
        """Since when so much working time has passed by `end`: the latest such instant; FURTHEST back where
        it is no later."""
        if self.week is None or length <= timedelta(0):
            return end - length
        left, day = length, end.astimezone(self.zone).date() + DAY
        for number in range(FURTHEST):
            for begin, over in reversed(self.spans(day - number * DAY)):
                until = min(over, end)
                if until - begin >= left:
                    return max(until - left, end - FURTHEST * DAY)
                left -= max(until - begin, timedelta(0))
        return end - FURTHEST * DAY

    def between(self, start: datetime, end: datetime) -> timedelta:
        """The working time between two instants; none where they are the wrong way round."""
        if self.week is None:
            return max(end - start, timedelta(0))
        total = timedelta(0)
        for begin, over in self._from(start):
            if begin >= end:
                break
            total += min(over, end) - begin
        return total

    def open_at(self, instant: datetime) -> datetime:
        """The instant itself in working time, else when that begins; FURTHEST from it at the latest."""
        return next((begin for begin, _ in self._from(instant)), instant + FURTHEST * DAY)

    def is_open(self, instant: datetime) -> bool:
        return any(begin <= instant < end for begin, end in self.spans(instant.astimezone(self.zone).date()))

    def _from(self, start: datetime) -> Iterator[tuple[datetime, datetime]]:
        """The working time that is left from an instant on."""
        first = start.astimezone(self.zone).date()
        for number in range(FURTHEST):
            for begin, end in self.spans(first + number * DAY):
                if end > start:
                    yield max(begin, start), end

    def due(self, started: datetime, length: timedelta, pauses: Iterable[Pause] = ()) -> datetime:
        """When a promise of so much working time is due; while it stands still, as if it went on now."""
        at, left = started, length
        for paused, resumed in pauses:
            spent = self.between(at, paused)
            if spent >= left:
                break
            at, left = resumed or paused, left - spent
        return self.after(at, left)

    def spent(self, started: datetime, until: datetime, pauses: Sequence[Pause] = ()) -> timedelta:
        """The working time that a promise has taken by an instant."""
        stood = [
            self.between(max(paused, started), min(resumed or until, until)) for paused, resumed in pauses
        ]
        return self.between(started, until) - sum(stood, timedelta(0))


_LOOKING = Lock()
"""Several threads count: a library of holidays that is just working out a year would tell another thread
that it has none."""


def instant_of(zone: tzinfo, day: date, minute: int) -> datetime:
    """The instant at which the wall clock shows that minute of the day."""
    wall = datetime.combine(day + DAY * (minute // 1440), time(minute % 1440 // 60, minute % 60), zone)
    instant = wall.astimezone(UTC)
    if instant.astimezone(zone).replace(tzinfo=None) == wall.replace(tzinfo=None):
        return instant
    return _jump(zone, wall.replace(fold=1).astimezone(UTC), instant)


def _jump(zone: tzinfo, before: datetime, after: datetime) -> datetime:
    """The second between the two at which clocks go forward."""
    offset = before.astimezone(zone).utcoffset()
    low, high = 0, int((after - before).total_seconds())
    while high - low > 1:
        middle = (low + high) // 2
        if (before + timedelta(seconds=middle)).astimezone(zone).utcoffset() == offset:
            low = middle
        else:
            high = middle
    return before + timedelta(seconds=high)
