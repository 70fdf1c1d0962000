"""Rotas as data: who is on call at an instant follows from them alone; and who works at which level.

Instants are in UTC; turns and hours are those of the wall in a layer's zone, also over changed clocks."""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import pairwise

from core.sla.calendars import DAY, Calendar, instant_of
from core.tickets.catalogue import Level

SIGHT = (8, 64, 400)
"""So many days ahead one looks for the end of a shift, first nearby."""


@dataclass(frozen=True, slots=True)
class Layer:
    """People who take turns of so many days, the first of them from `starts` on, by the wall in the zone of
    the calendar, and within its hours alone."""

    people: tuple[str, ...]
    starts: datetime
    days: int
    hours: Calendar

    def turn_at(self, number: int) -> datetime:
        """When that turn begins, counted from 0."""
        wall = self.starts + number * self.days * DAY
        return instant_of(self.hours.zone, wall.date(), wall.hour * 60 + wall.minute)

    def turn(self, instant: datetime) -> int:
        """Which turn it is; below 0 before the first."""
        wall = instant.astimezone(self.hours.zone).replace(tzinfo=None)
        number = (wall - self.starts) // (self.days * DAY)
        while self.turn_at(number) > instant:
            number -= 1
        while self.turn_at(number + 1) <= instant:
            number += 1
        return number

    def whose(self, instant: datetime, away: Collection[str]) -> str | None:
        """Whose turn it is then; who is away is passed over. None before the first turn, outside of the
        hours, and while all of them are away."""
        number = self.turn(instant)
        if number < 0 or not self.hours.is_open(instant):
            return None
        place = number % len(self.people)
        ready = [name for name in (*self.people[place:], *self.people[:place]) if name not in away]
        return ready[0] if ready else None

    def wants(self, instant: datetime) -> bool:
        """Whether somebody ought to be on call then."""
        return self.hours.is_open(instant)

    def edges(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """The instants in between at which somebody else may come on call."""
        for number in range(max(self.turn(since), 0), self.turn(until) + 1):
            yield self.turn_at(number)
        if self.hours.week is None:
            return
        day = since.astimezone(self.hours.zone).date() - DAY
        while day <= until.astimezone(self.hours.zone).date():
            for begin, end in self.hours.spans(day):
                yield begin
                yield end
            day += DAY


@dataclass(frozen=True, slots=True)
class Cover:
    """Somebody is on call instead of whoever would be; of two at once the later one in the list counts."""

    person: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Absence:
    person: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Roster:
    """Turns told one by one, as somebody else's calendar holds them; of two at once the one that began
    later counts. Somebody ought to be on call all the time."""

    turns: tuple[Cover, ...]

    def whose(self, instant: datetime, away: Collection[str]) -> str | None:
        """Whose turn it is then, but for those who are away."""
        going = [each for each in self.turns if each.since <= instant < each.until]
        ready = [each for each in going if each.person not in away]
        return max(ready, key=lambda turn: turn.since).person if ready else None

    def wants(self, instant: datetime) -> bool:
        """Whether somebody ought to be on call then."""
        return True

    def edges(self, since: datetime, until: datetime) -> Iterator[datetime]:
        """The instants at which somebody else may come on call."""
        for turn in self.turns:
            yield turn.since
            yield turn.until


@dataclass(frozen=True, slots=True)
class Shift:
    """Who is on call from when to when; nobody, where it is not covered. `wanted`: somebody ought to be."""

    person: str | None
    since: datetime
    until: datetime
    wanted: bool = True

    @property
    def gap(self) -> bool:
        """Nobody is on call although somebody ought to be."""
        return self.person is None and self.wanted


@dataclass(frozen=True, slots=True)
class Rota:
    """Layers, the last that has somebody counts; above them what people have arranged among themselves.

    It is for these queues and this level; none named: for all of them."""

    name: str
    layers: tuple[Layer | Roster, ...]
    covers: tuple[Cover, ...] = ()
    absences: tuple[Absence, ...] = ()
    queues: tuple[str, ...] = ()
    level: Level | None = None

    def serves(self, queue: str, level: Level | None) -> bool:
        """Whether it is for tickets of this queue; and of this level, if one is named."""
        return (not self.queues or queue in self.queues) and (level is None or self.level in (None, level))

    def on_call(self, instant: datetime) -> str | None:
        """Who is on call then; None: nobody."""
        away = {each.person for each in self.absences if each.since <= instant < each.until}
        for cover in reversed(self.covers):
            if cover.since <= instant < cover.until and cover.person not in away:
                return cover.person
        told = (layer.whose(instant, away) for layer in reversed(self.layers))
        return next((name for name in told if name is not None), None)

    def until(self, instant: datetime) -> datetime | None:
        """Until when it stays as it is then; None where no end is in sight."""
        for days in SIGHT:
            first = self.shifts(instant, instant + days * DAY)[0]
            if first.until < instant + days * DAY:
                return first.until
        return None

    def shifts(self, since: datetime, until: datetime) -> list[Shift]:
        """All of that time, shift by shift, in order and without gaps."""
        edges = {since, until}
        for layer in self.layers:
            edges |= {edge for edge in layer.edges(since, until) if since < edge < until}
        arranged = [(each.since, each.until) for each in self.covers]
        arranged += [(each.since, each.until) for each in self.absences]
        edges |= {edge for span in arranged for edge in span if since < edge < until}
        return _joined(self._shift(begin, end) for begin, end in pairwise(sorted(edges)))

    def _shift(self, begin: datetime, end: datetime) -> Shift:
        person = self.on_call(begin)
        return Shift(person, begin, end, person is not None or self.wants(begin))

    def wants(self, instant: datetime) -> bool:
        """Whether somebody ought to be on call then: the hours of no layer may leave a time out."""
        return any(layer.wants(instant) for layer in self.layers)

    def uncovered(self, since: datetime, until: datetime) -> list[Shift]:
        """When nobody is on call."""
        return [shift for shift in self.shifts(since, until) if shift.person is None]

    def gaps(self, since: datetime, until: datetime) -> list[Shift]:
        """When nobody is on call although somebody ought to be."""
        return [shift for shift in self.shifts(since, until) if shift.gap]


def _joined(shifts: Iterable[Shift]) -> list[Shift]:
    joined: list[Shift] = []
    for shift in shifts:
        before = joined[-1] if joined else None
        if before is not None and (before.person, before.wanted) == (shift.person, shift.wanted):
            joined[-1] = replace(before, until=shift.until)
        else:
            joined.append(shift)
    return joined


@dataclass(frozen=True, slots=True)
class Team:
    """Who works at a level of support, in these queues (none named: in all)."""

    level: Level
    people: tuple[str, ...]
    queues: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class OnCall:
    """Everything the configuration tells of who is asked when: rotas, and who is at which level."""

    rotas: tuple[Rota, ...] = ()
    teams: tuple[Team, ...] = ()

    def of(self, queue: str, level: Level | None = None) -> list[Rota]:
        """The rotas for tickets of this queue and level, in the order of the configuration."""
        return [rota for rota in self.rotas if rota.serves(queue, level)]

    def at_level(self, queue: str, level: Level) -> list[str]:
        """The names of those who work at this level of the queue, in the order of the configuration."""
        found = (each for each in self.teams if each.level is level)
        return [name for team in found if not team.queues or queue in team.queues for name in team.people]
