"""Ticket histories nobody thought of: the desk's promises are those of a clerk with a clock on the wall."""

import os
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import MessageId, PersonId, TicketId
from core.sla.actions import Clocks, after, counted
from core.sla.calendars import Calendar
from core.sla.model import Clock, Promise, Promises, Rule, Target
from core.tickets.catalogue import Priority
from core.tickets.model import Status, Ticket, check, evolve, opened, restoring
from tests.reference.minutes import MINUTE, Notes, Weekly, midnight, written_down
from tests.reference.promises import Clerk, Line, Told, kept

HISTORIES = max(2_000, min(int(os.environ.get("DESKBRIDGE_TEST_STEPS", "0")), 10_000))
SIDES = 2
DAYS = 70
QUEUES = ("support", "network")

LUNCH = ((540, 780), (840, 1080))
OFFICE: Weekly = (LUNCH,) * 4 + (((540, 1020),), (), ())
NIGHTS: Weekly = (((0, 360), (1320, 1440)),) * 6 + (((0, 200), (600, 700)),)


@dataclass(frozen=True)
class Place:
    """Where, and the day in the middle of what is looked at: clocks are changed on it, or on none."""

    zone: str
    day: date

    @property
    def since(self) -> datetime:
        return midnight(self.day) - timedelta(days=14)

    @property
    def holidays(self) -> frozenset[date]:
        """The days around, a Monday off, and one in the middle of a week."""
        return frozenset({self.day + timedelta(days=1), self.day - timedelta(days=4)})


PLACES = (
    Place("Europe/Berlin", date(2026, 3, 29)),
    Place("Europe/Berlin", date(2026, 10, 25)),
    Place("America/New_York", date(2026, 3, 8)),
    Place("America/New_York", date(2026, 11, 1)),
    Place("Australia/Lord_Howe", date(2026, 4, 5)),  # by half an hour
    Place("Australia/Lord_Howe", date(2026, 10, 4)),
    Place("Asia/Kathmandu", date(2026, 6, 7)),
    Place("America/Sao_Paulo", date(2018, 11, 4)),  # at midnight
    Place("America/Sao_Paulo", date(2019, 2, 17)),
    Place("Europe/Moscow", date(2014, 10, 26)),
    Place("Africa/Casablanca", date(2026, 2, 15)),
    Place("Africa/Casablanca", date(2026, 3, 22)),
)


@cache
def notes(place: Place, name: str) -> Notes:
    weekly: Mapping[str, Weekly | None] = {"office": OFFICE, "nights": NIGHTS, "always": None}
    holidays = place.holidays if name != "always" else ()
    return Notes(place.since, written_down(place.zone, weekly[name], holidays, place.since, DAYS))


@cache
def calendar(place: Place, name: str) -> Calendar:
    weeks: Mapping[str, Any] = {"office": OFFICE, "nights": NIGHTS, "always": None}
    return Calendar(name, ZoneInfo(place.zone), weeks[name], place.holidays)


Table = Mapping[tuple[str, str, str], tuple[int, str]]


def a_table(dice: random.Random) -> Table:
    """What is promised: by priority, queue and target."""
    return {
        (priority, queue, target): (dice.randint(1, 60 * dice.choice((1, 4, 20))), dice.choice(_CALENDARS))
        for priority in Priority
        for queue in QUEUES
        for target in Target
    }


_CALENDARS = ("office", "office", "nights", "always")


def promises_of(place: Place, table: Table) -> Promises:
    def promise(minutes: int, name: str) -> Promise:
        return Promise(minutes * MINUTE, calendar(place, name))

    return Promises(
        tuple(
            Rule(
                {target: promise(*table[priority, queue, target]) for target in Target}, (priority,), (queue,)
            )
            for priority in Priority
            for queue in QUEUES
        )
    )


# ---- histories

KINDS = (
    "claimed", "released", "passed", "said", "said", "thanked", "replied", "replied", "asked", "noted",
    "waited", "held", "resumed", "resolved", "confirmed", "reopened", "reopened", "closed", "prioritised",
    "requeued", "levelled", "withdrawn", "withdrawn", "merged", "unmerged", "unmerged",
)  # fmt: skip
GAPS = (0, 1, 7, 45, 180, 600, 1500, 2900)


def _opening(place: Place, dice: random.Random) -> Event:
    facts = {
        "title": "x",
        "type": "other",
        "queue": dice.choice(QUEUES),
        "priority": str(dice.choice(list(Priority))),
        "requester": 1,
        "home": "web:u-ivan",
        "answers": [],
    }
    begun = place.since + dice.randint(2 * 1440, 15 * 1440) * MINUTE
    return Event(TicketId(1), "opened", begun, PersonId(1), "web", facts)


def _facts(kind: str, number: int, timeline: Sequence[Event], dice: random.Random) -> dict[str, Any] | None:
    """What the event says besides; None where there is nothing that could be withdrawn."""
    match kind:
        case "claimed" | "passed":
            return {"owner": dice.choice((2, 3))}
        case "replied" | "waited" | "said" | "noted":
            return {"message": number}
        case "held" | "resolved":
            return {"text": ""}
        case "prioritised":
            return {"priority": str(dice.choice(list(Priority)))}
        case "requeued":
            return {"queue": dice.choice(QUEUES)}
        case "levelled":
            return {"level": "L2"}
        case "merged":
            return {"into": 7}
        case "withdrawn":
            gone = {each.facts["message"] for each in timeline if each.kind == "withdrawn"}
            left = [each.facts["message"] for each in timeline if each.kind == "replied"]
            standing = [message for message in left if message not in gone]
            return restoring(timeline, MessageId(dice.choice(standing))) if standing else None
    return {}


def _parts(kind: str, ticket: Ticket) -> list[str]:
    """The events of one deed: whoever answers a ticket that is nobody's, or waits, has taken it."""
    parts = ["replied", "waited"] if kind == "asked" else [kind]
    return ["claimed", *parts] if ticket.owner is None and parts[0] in ("replied", "waited") else parts


def a_history(place: Place, dice: random.Random) -> Iterator[tuple[Event, Ticket]]:
    """Legal events with the ticket after each, one after the other, some in the same minute."""
    first = _opening(place, dice)
    ticket, now, timeline = opened(first), first.at, [first]
    yield first, ticket
    for number in range(dice.randint(2, 14)):
        kind = dice.choice(KINDS)
        for part in _parts(kind, ticket):
            try:
                check(ticket, part)
            except UserError:
                break
            closed = ticket.status is Status.CLOSED
            facts = (
                None if closed and part in ("withdrawn", "requeued") else _facts(part, number, timeline, dice)
            )
            if facts is None:
                break
            now += (dice.choice(GAPS) if part in (kind, "replied") else 0) * MINUTE
            event = Event(ticket.id, part, now, PersonId(2), "web", facts)
            ticket = evolve(ticket, event)
            timeline.append(event)
            yield event, ticket


def told(place: Place, event: Event) -> Told:
    minute = (event.at - place.since) // MINUTE
    facts = event.facts
    return Told(minute, event.kind, facts.get("message"), facts.get("priority"), facts.get("queue"))


# ---- side by side


def _united(stretches: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    """Stretches that touch are one."""
    united: list[tuple[int, int]] = []
    for since, until in stretches:
        if united and united[-1][1] == since:
            united[-1] = (united[-1][0], until)
        else:
            united.append((since, until))
    return united


def _of_the_clerk(place: Place, line: Line) -> dict[str, Any]:
    page = notes(place, line.calendar)
    return {
        "begun": line.begun,
        "over": line.over,
        "stands since": line.stands_since,
        "stood": _united(line.standing),
        "due": page.due(line.begun, line.minutes, line.standing),
    }


def _of_the_desk(place: Place, clock: Clock) -> dict[str, Any]:
    def minute(instant: datetime | None) -> int | None:
        return None if instant is None else (instant - place.since) // MINUTE

    ended = [(minute(since), minute(until)) for since, until in clock.pauses if until is not None]
    return {
        "begun": minute(clock.started_at),
        "over": minute(clock.met_at),
        "stands since": minute(clock.paused_at),
        "stood": _united(ended),  # type: ignore[arg-type]
        "due": clock.due_at,
    }


def _compare(place: Place, clerk: Clerk, clocks: Clocks, what: str) -> None:
    theirs = {target: _of_the_clerk(place, line) for target, line in clerk.lines.items()}
    ours = {str(target): _of_the_desk(place, clock) for target, clock in clocks.items()}
    assert ours == theirs, what


def _play(seed: int) -> None:
    dice = random.Random(seed)
    place = dice.choice(PLACES)
    table = a_table(dice)
    promises = promises_of(place, table)
    heard: list[Told] = []
    timeline: list[Event] = []
    clocks = Clocks()
    for event, ticket in a_history(place, dice):
        timeline.append(event)
        heard.append(told(place, event))
        if event.kind == "withdrawn":
            clocks = counted(promises, event.at, ticket, timeline)
        else:
            clocks = after(promises, event.at, ticket, clocks)
        if dice.random() < 0.2:
            _compare(place, kept(lambda *of: table[of], heard), clocks, f"seed {seed}: {heard}")
    _compare(place, kept(lambda *of: table[of], heard), clocks, f"seed {seed}: {heard}")


@pytest.mark.parametrize("side", range(SIDES))
@pytest.mark.timeout(600)
def test_the_promises_of_any_history_are_those_of_the_clerk(side: int) -> None:
    for seed in range(side, HISTORIES, SIDES):
        _play(seed)
