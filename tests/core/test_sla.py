"""Promises about time against cases worked out by hand: minutes on a clock that runs around the clock."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.people import store as people
from core.people.model import DESK, Actor
from core.sla import queries, store
from core.sla.model import Clock, Promise, Target
from core.tickets import actions as tickets
from core.tickets import store as ticket_store
from core.tickets.catalogue import Level, Priority
from tests.town import Town
from tests.town import town as opened

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SLA = """
[sla.critical]
first_response = "10m"
next_response = "20m"
resolution = "100m"
[sla.high]
first_response = "30m"
next_response = "60m"
resolution = "300m"
[sla.normal]
first_response = "60m"
next_response = "120m"
resolution = "600m"
[sla.low]
first_response = "120m"
next_response = "240m"
resolution = "1200m"
"""


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def clock(**more: Any) -> Clock:
    return Clock(TicketId(1), Target.FIRST, START, Promise(minutes(30)), **more)


def test_a_clock_is_due_its_length_after_its_start() -> None:
    assert clock().due_at == START + minutes(30)
    assert clock().running


def test_a_pause_is_left_out() -> None:
    paused = clock().paused(START + minutes(10))
    assert not paused.running
    resumed = paused.resumed(START + minutes(25))
    assert (resumed.running, resumed.due_at) == (True, START + minutes(45))


def test_pauses_add_up() -> None:
    each = clock().paused(START + minutes(5)).resumed(START + minutes(10))
    again = each.paused(START + minutes(20)).resumed(START + minutes(21))
    assert again.due_at == START + minutes(36)


def test_pausing_twice_pauses_once_and_resuming_what_runs_changes_nothing() -> None:
    once = clock().paused(START + minutes(5))
    assert once.paused(START + minutes(9)) == once
    assert clock().resumed(START + minutes(9)) == clock()


def test_a_clock_that_is_met_stays_met_at_that_instant() -> None:
    met = clock().met(START + minutes(12))
    assert (met.met_at, met.running) == (START + minutes(12), False)
    assert met.met(START + minutes(20)).met_at == START + minutes(12)


def test_a_paused_clock_that_is_met_counts_its_pause() -> None:
    met = clock().paused(START + minutes(10)).met(START + minutes(15))
    pause = (START + minutes(10), START + minutes(15))
    assert (met.pauses, met.paused_at, met.met_at) == ((pause,), None, START + minutes(15))


def test_a_wall_clock_that_jumps_back_shortens_nothing() -> None:
    assert clock().paused(START + minutes(10)).resumed(START + minutes(5)).due_at == START + minutes(30)


# ---- the clocks of a ticket

Step = tuple[float, str] | tuple[float, str, object]


class Ward:
    """A ticket of high priority, opened at START, and what happens to it by the minute."""

    def __init__(self, town: Town, ivan: Actor, anna: Actor) -> None:
        self._town = town
        self._anna = anna
        deeds: Mapping[str, Callable[..., Callable[[Transaction], Awaitable[object]]]] = {
            "say": lambda: lambda tx: tickets.say(tx, ivan, TicketId(1), "words"),
            "thank": lambda: lambda tx: tickets.say(tx, ivan, TicketId(1), "thanks", thanks=True),
            "take": lambda: lambda tx: tickets.take(tx, anna, TicketId(1)),
            "reply": lambda: lambda tx: tickets.reply(tx, anna, TicketId(1), "words"),
            "note": lambda: lambda tx: tickets.note(tx, anna, TicketId(1), "words"),
            "undo": lambda: self._undo,
            "wait": lambda: lambda tx: tickets.wait(tx, anna, TicketId(1)),
            "ask": lambda: lambda tx: tickets.wait(tx, anna, TicketId(1), "which?"),
            "hold": lambda: lambda tx: tickets.hold(tx, anna, TicketId(1), None),
            "resume": lambda: lambda tx: tickets.resume(tx, anna, TicketId(1)),
            "resolve": lambda: lambda tx: tickets.resolve(tx, anna, TicketId(1)),
            "confirm": lambda: lambda tx: tickets.confirm(tx, ivan, TicketId(1)),
            "close": lambda: lambda tx: tickets.close(tx, DESK, TicketId(1)),
            "reopen": lambda: lambda tx: tickets.reopen(tx, ivan, TicketId(1)),
            "release": lambda: lambda tx: tickets.release(tx, anna, TicketId(1)),
            "level": lambda: lambda tx: tickets.set_level(tx, anna, TicketId(1), Level.L2),
            "priority": lambda to: lambda tx: tickets.prioritise(tx, anna, TicketId(1), to),
        }
        self._deeds = deeds

    async def _undo(self, tx: Transaction) -> None:
        """The newest reply that stands is taken back."""
        said = await ticket_store.messages_of(tx, TicketId(1))
        newest = [each.id for each in said if each.kind == "reply" and each.withdrawn_at is None][-1]
        await tickets.withdraw(tx, self._anna, TicketId(1), newest)

    async def live(self, *steps: Step) -> None:
        """Each step at its minute after the start."""
        for minute, name, *more in steps:
            self._town.clock.advance(START + minutes(minute) - self._town.clock.now())
            await self._town.database.write(self._deeds[name](*more))

    async def clocks(self) -> dict[Target, Clock]:
        return await self._town.database.read(lambda tx: store.of_ticket(tx, TicketId(1)))

    async def due(self) -> dict[str, float | None]:
        """Of each clock: the minute at which it is due; None once it is met or while it is paused."""
        found = await self.clocks()
        return {
            target: (each.due_at - START) / minutes(1) if each.running else None
            for target, each in found.items()
        }

    async def next_due(self) -> float | None:
        async def look(tx: Transaction) -> Clock | None:
            return await queries.next_due(tx, await ticket_store.get(tx, TicketId(1)))

        found = await self._town.database.read(look)
        return None if found is None else (found.due_at - START) / minutes(1)


@pytest.fixture
async def ward(tmp_path: Path) -> AsyncIterator[Ward]:
    async with opened(tmp_path, SLA) as town:

        async def set_up(tx: Transaction) -> Ward:
            ivan, anna = [
                Actor(await people.by_identity(tx, town[name].identity), "web") for name in ("ivan", "anna")
            ]
            await tickets.open_ticket(
                tx, ivan, type_name="network", text="VPN", priority=Priority.HIGH, home="web:u-ivan"
            )
            return Ward(town, ivan, anna)

        yield await town.database.write(set_up)


CASES: Mapping[str, tuple[tuple[Step, ...], Mapping[str, float | None]]] = {
    "a fresh ticket": ((), {"first": 30, "resolution": 300}),
    "taking is no answer": (((5, "take"),), {"first": 30, "resolution": 300}),
    "a note is no answer": (((5, "take"), (6, "note")), {"first": 30, "resolution": 300}),
    "a reply meets the first": (((20, "reply"),), {"first": None, "resolution": 300}),
    "words after a reply start the next": (
        ((20, "reply"), (50, "say")),
        {"first": None, "next": 110, "resolution": 300},
    ),
    "further words do not put it off": (
        ((20, "reply"), (50, "say"), (70, "say")),
        {"first": None, "next": 110, "resolution": 300},
    ),
    "a second reply meets the next": (
        ((20, "reply"), (50, "say"), (60, "reply")),
        {"first": None, "next": None, "resolution": 300},
    ),
    "each further question has a clock of its own": (
        ((20, "reply"), (50, "say"), (60, "reply"), (100, "say")),
        {"first": None, "next": 160, "resolution": 300},
    ),
    "thanks start nothing": (((20, "reply"), (50, "thank")), {"first": None, "resolution": 300}),
    "words before the first reply change nothing": (((10, "say"),), {"first": 30, "resolution": 300}),
    "waiting pauses": (((10, "wait"),), {"first": None, "resolution": None}),
    "waiting is left out": (((10, "wait"), (40, "say")), {"first": 60, "resolution": 330}),
    "a question is the first reply": (
        ((10, "ask"), (40, "say")),
        {"first": None, "next": 100, "resolution": 330},
    ),
    "a hold pauses": (((10, "take"), (20, "hold")), {"first": None, "resolution": None}),
    "a hold is left out": (((10, "take"), (20, "hold"), (80, "resume")), {"first": 90, "resolution": 360}),
    "words during a hold start nothing that runs": (
        ((10, "reply"), (20, "hold"), (30, "say")),
        {"first": None, "next": None, "resolution": None},
    ),
    "words during a hold count from its end": (
        ((10, "reply"), (20, "hold"), (30, "say"), (50, "resume")),
        {"first": None, "next": 110, "resolution": 330},
    ),
    "two pauses add up": (
        ((10, "reply"), (20, "wait"), (30, "say"), (40, "wait"), (70, "resume")),
        {"first": None, "next": 120, "resolution": 340},
    ),
    "critical counts from the start": (
        ((5, "priority", Priority.CRITICAL),),
        {"first": 10, "resolution": 100},
    ),
    "raised too late it is overdue at once": (
        ((20, "priority", Priority.CRITICAL),),
        {"first": 10, "resolution": 100},
    ),
    "low gives more time": (((5, "priority", Priority.LOW),), {"first": 120, "resolution": 1200}),
    "a new priority keeps the pauses": (
        ((10, "wait"), (40, "say"), (50, "priority", Priority.NORMAL)),
        {"first": 90, "resolution": 630},
    ),
    "a new priority leaves what is met": (
        ((20, "reply"), (30, "priority", Priority.CRITICAL)),
        {"first": None, "resolution": 100},
    ),
    "to and fro is as before": (
        ((5, "priority", Priority.LOW), (6, "priority", Priority.HIGH)),
        {"first": 30, "resolution": 300},
    ),
    "a level changes nothing": (((5, "take"), (6, "level")), {"first": 30, "resolution": 300}),
    "a release changes nothing": (((5, "take"), (6, "release")), {"first": 30, "resolution": 300}),
    "resolving meets everything": (((50, "resolve"),), {"first": None, "resolution": None}),
    "reopening leaves out the time it lay resolved": (
        ((20, "reply"), (50, "resolve"), (150, "reopen")),
        {"first": None, "next": 210, "resolution": 400},
    ),
    "reopening by words as well": (
        ((20, "reply"), (50, "resolve"), (150, "say")),
        {"first": None, "next": 210, "resolution": 400},
    ),
    "reopening what was closed as well": (
        ((20, "reply"), (50, "resolve"), (60, "confirm"), (150, "reopen")),
        {"first": None, "next": 210, "resolution": 400},
    ),
    "reopened without a reply ever, the requester is promised one": (
        ((10, "resolve"), (20, "reopen")),
        {"first": None, "next": 80, "resolution": 310},
    ),
    "a first reply taken back met nothing": (
        ((20, "reply"), (20.1, "undo")),
        {"first": 30, "resolution": 300},
    ),
    "a further reply taken back met nothing": (
        ((20, "reply"), (50, "say"), (60, "reply"), (60.1, "undo")),
        {"first": None, "next": 110, "resolution": 300},
    ),
    "of two replies one still meets the first": (
        ((20, "reply"), (20.05, "reply"), (20.1, "undo")),
        {"first": None, "resolution": 300},
    ),
    "words after a reply taken back wait since the first": (
        ((20, "reply"), (20.05, "say"), (20.1, "undo")),
        {"first": 30, "resolution": 300},
    ),
    "words between a question and its undo wait since those before": (
        ((20, "reply"), (50, "say"), (60, "reply"), (60.05, "say"), (60.1, "undo")),
        {"first": None, "next": 110, "resolution": 300},
    ),
    "a question taken back pauses nothing": (
        ((10, "take"), (20, "ask"), (20.1, "undo")),
        {"first": 30, "resolution": 300},
    ),
    "a question taken back during a hold leaves it on hold": (
        ((10, "take"), (15, "hold"), (20, "ask"), (20.1, "undo"), (25, "resume")),
        {"first": 40, "resolution": 310},
    ),
    "a reply while waiting, taken back, waits on": (
        ((10, "wait"), (20, "reply"), (20.1, "undo"), (40, "say")),
        {"first": 60, "resolution": 330},
    ),
    "a first reply after solving and reopening, taken back, is promised as the next": (
        ((10, "resolve"), (20, "reopen"), (25, "reply"), (25.1, "undo")),
        {"first": None, "next": 80, "resolution": 310},
    ),
    "solved at once, a reply taken back starts nothing": (
        ((20, "reply"), (20.05, "resolve"), (20.1, "undo")),
        {"first": None, "resolution": None},
    ),
    "closing by itself starts nothing": (
        ((20, "reply"), (50, "resolve"), (60, "close")),
        {"first": None, "resolution": None},
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_the_clocks_of_a_ticket_are_due_when_they_should_be(ward: Ward, case: str) -> None:
    steps, due = CASES[case]
    await ward.live(*steps)
    assert await ward.due() == due


async def test_of_two_replies_the_one_that_stands_is_the_first(ward: Ward) -> None:
    await ward.live((20, "reply"), (20.05, "reply"), (20.1, "undo"), (20.11, "undo"), (25, "reply"))
    assert (await ward.clocks())[Target.FIRST].met_at == START + minutes(25)


async def test_a_first_reply_that_never_came_before_solving_counts_as_given_then(ward: Ward) -> None:
    await ward.live((50, "resolve"))
    assert (await ward.clocks())[Target.FIRST].met_at == START + minutes(50)


@pytest.mark.parametrize(
    ("steps", "due"),
    [
        ((), 30),
        (((20, "reply"),), 300),
        (((20, "reply"), (50, "say")), 110),
        (((20, "reply"), (280, "say")), 300),
        (((10, "wait"),), None),
        (((10, "resolve"),), None),
    ],
)
async def test_the_promise_that_falls_due_first_is_the_one_shown(
    ward: Ward, steps: tuple[Step, ...], due: float | None
) -> None:
    await ward.live(*steps)
    assert await ward.next_due() == due
