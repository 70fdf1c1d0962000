"""What people arrange among themselves about being on call, and the stretches of a rota that a day means."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.kernel.ids import PersonId
from core.oncall.model import Rota, Shift

LONG = timedelta(hours=25)
"""A shift longer than this is cut where a day ends; a shorter one belongs to the day that it begins on."""
AROUND = timedelta(days=2)

Span = tuple[datetime, datetime]
"""From when to when."""


class State(StrEnum):
    """What has become of an arrangement: a swap is asked for first, a cover is made at once."""

    ASKED = "asked"
    MADE = "made"
    DECLINED = "declined"
    UNDONE = "undone"
    VOID = "void"
    """Accepted too late: somebody else was on call by then than when it was asked."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """One person is on call from when to when, instead of another, or of nobody."""

    person: PersonId
    instead: PersonId | None
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Arrangement:
    """`by` asked `other` for a swap, or said that `other`, perhaps themself, covers."""

    id: int
    rota: str
    kind: str
    """`swap` or `cover`."""
    by: PersonId
    other: PersonId
    stretches: tuple[Stretch, ...]
    state: State
    made_at: datetime

    @property
    def over_at(self) -> datetime:
        """When nothing of it is to come any more."""
        return max(each.until for each in self.stretches)

    @property
    def concerned(self) -> tuple[PersonId, ...]:
        """Everybody who has to do with it, each once."""
        told = [self.by, self.other]
        for each in self.stretches:
            told += [each.person, *([each.instead] if each.instead is not None else [])]
        return tuple(dict.fromkeys(told))


def shifts_of(rota: Rota, since: datetime, until: datetime) -> list[Shift]:
    """The shifts that are meant by days that last from `since` to `until`. What is longer than
    a day is cut to them; of shorter ones those count, as a whole, that begin on these days."""
    meant = []
    for shift in rota.shifts(since - AROUND, until + AROUND):
        if shift.until - shift.since > LONG:
            begin, end = max(shift.since, since), min(shift.until, until)
            if begin < end:
                meant.append(Shift(shift.person, begin, end, shift.wanted))
        elif since <= shift.since < until:
            meant.append(shift)
    return meant


def still_to_come(spans: Sequence[Span], now: datetime) -> list[Span]:
    """What of these lies ahead, touching ones as one."""
    joined: list[Span] = []
    for since, until in sorted((max(since, now), until) for since, until in spans if until > now):
        if joined and since <= joined[-1][1]:
            joined[-1] = joined[-1][0], max(until, joined[-1][1])
        else:
            joined.append((since, until))
    return joined


def all_by(rota: Rota, person: str | None, span: Span) -> bool:
    """Whether this person alone is on call throughout that time."""
    return all(shift.person == person for shift in rota.shifts(*span))
