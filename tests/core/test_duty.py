"""Whoever is told to be on call is on call, whatever people arrange and whenever the desk looks."""

import asyncio
import contextlib
import tempfile
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from core.database.transaction import Transaction
from core.kernel.errors import UserError
from core.kernel.ids import PersonId, TicketId
from core.oncall import actions, duty, queries, store
from core.oncall.arranged import State
from core.oncall.model import Rota
from core.outbox.model import ON_DUTY
from core.outbox.store import outbox
from core.people import store as people
from core.people.model import Actor, Person
from core.timers import store as timers
from tests.town import Town
from tests.town import town as opened

HOUR = timedelta(hours=1)
NAMES = ("Anna", "Boris", "Maria")
DESK = (
    "".join(
        f'[[people]]\nname = "{name}"\nidentities = ["web:{name.casefold()}"]\nroles = ["lead"]\n'
        for name in NAMES
    )
    + """
[[queues]]
name = "support"
[[rotas]]
name = "Network"
time_zone = "Europe/Berlin"
[[rotas.layers]]
people = ["Anna", "Boris"]
starts = "2026-03-02 09:00"
turn = "1d"
[[rotas.layers]]
people = ["Maria"]
starts = "2026-03-02"
hours = ["mon-fri 12:00-14:00"]
[desk]
time_zone = "Europe/Berlin"
"""
)

who = st.sampled_from(range(3))
spans = st.tuples(st.integers(0, 60), st.integers(1, 40))
steps = st.one_of(
    st.tuples(st.just("cover"), who, who, spans),
    st.tuples(st.just("swap"), who, who, spans),
    st.tuples(st.just("away"), who, who, spans),
    st.tuples(st.just("back"), who, who, spans),
    st.tuples(st.just("undo"), who, who, spans),
    st.tuples(st.just("later"), who, who, spans),
    st.tuples(st.just("restart"), who, who, spans),
)
Step = tuple[str, int, int, tuple[int, int]]


async def the_rota(tx: Transaction) -> Rota:
    found = await queries.rota(tx, "Network")
    assert found is not None
    return found


async def act(tx: Transaction, step: Step, staff: list[Person]) -> None:
    """One of them does what the step says, as far as that may be done."""
    what, one, other, (begin, length) = step
    actor, since = Actor(staff[one], "web"), tx.now + begin * HOUR
    span = since, since + length * HOUR
    rota = await the_rota(tx)
    match what:
        case "cover":
            await actions.cover(tx, actor, rota, staff[other], [span])
        case "away":
            await actions.leave(tx, actor, *span)
        case "back":
            await actions.come_back(tx, actor)
        case "undo":
            for each in (await store.not_over(tx, tx.now))[:1]:
                await actions.undo(tx, actor, each.id)
        case "swap":
            mine = [(each.since, each.until) for each in rota.shifts(*span) if each.person == staff[one].name]
            asked = await actions.ask_swap(tx, actor, rota, staff[other], mine, [])
            await actions.answer_swap(tx, Actor(staff[other], "web"), asked.id, accepted=begin % 3 > 0)


async def told(tx: Transaction) -> PersonId | None:
    """Whom the team was told of last, and they themselves with it; Anna was on call at the beginning."""
    rows = await tx.all(select(outbox).order_by(outbox.c.id))
    lines = [row.facts["comes"] for row in rows if row.kind == "hand_over"]
    assert [each for each in lines if each] == [row.person_id for row in rows if row.kind == ON_DUTY]
    return lines[-1] if lines else (await people.staff(tx))[0].id


async def look(tx: Transaction) -> None:
    rota = await the_rota(tx)
    shifts = rota.shifts(tx.now, tx.now + timedelta(days=9))
    assert shifts[0].since == tx.now
    assert shifts[-1].until == tx.now + timedelta(days=9)
    assert all(one.until == next_.since for one, next_ in pairwise(shifts))
    [*on_call] = await queries.on_call(tx, "support")
    last = await told(tx)
    assert [person.id for person in on_call] == ([last] if last else [])
    for kind in (duty.SHIFT, duty.UNCOVERED):
        [timer] = await timers.of_ticket(tx, TicketId(0), kind)
        assert timer.due_at > tx.now
    [shift] = await timers.of_ticket(tx, TicketId(0), duty.SHIFT)
    assert shift.due_at == rota.until(tx.now)


async def play(story: list[Step], folder: Path) -> None:
    async with opened(folder, DESK) as town:
        staff = await town.database.read(people.staff)
        for step in story:
            await _one(town, step, staff)
            await town.settle()
            await town.database.read(look)


async def _one(town: Town, step: Step, staff: list[Person]) -> None:
    match step[0]:
        case "later":
            town.clock.advance(step[3][1] * HOUR)
        case "restart":
            town.clock.advance(step[3][1] * HOUR)
            await town.restart()
        case _:
            with contextlib.suppress(UserError):
                await town.database.write(partial(act, step=step, staff=staff))


@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=1, max_size=12))
def test_whoever_was_told_last_is_on_call_and_shifts_have_no_gaps_between_them(story: list[Step]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(play(story, Path(folder)))


# ---- one by one


async def everybody_away(tx: Transaction, since: datetime, until: datetime) -> None:
    for person in await people.staff(tx):
        await actions.leave(tx, Actor(person, "web"), since, until)


async def count(town: Town, kind: str) -> int:
    rows: Callable[[Transaction], Awaitable[Any]] = lambda tx: tx.all(  # noqa: E731
        select(outbox).where(outbox.c.kind == kind)
    )
    return len(await town.database.read(rows))


async def test_hours_that_come_to_have_nobody_at_short_notice_alarm_once(tmp_path: Path) -> None:
    async with opened(tmp_path, DESK) as town:
        now = town.clock.now()
        await town.database.write(partial(everybody_away, since=now + HOUR / 2, until=now + 5 * HOUR))
        await town.settle()
        assert await count(town, "uncovered") == 3
        for _ in range(10):
            town.clock.advance(HOUR)
            await town.restart()
            await town.settle()
        assert await count(town, "uncovered") == 3


async def test_nobody_at_all_for_a_long_time_alarms_once_and_not_again_each_day(tmp_path: Path) -> None:
    async with opened(tmp_path, DESK) as town:
        now = town.clock.now()
        await town.database.write(partial(everybody_away, since=now, until=now + timedelta(days=60)))
        for _ in range(20):
            await town.settle()
            town.clock.advance(24 * HOUR)
        assert await count(town, "uncovered") == 3


async def test_what_is_arranged_for_a_rota_that_is_gone_is_left_alone(tmp_path: Path) -> None:
    async with opened(tmp_path, DESK) as town:
        anna, boris, _ = await town.database.read(people.staff)
        rota = await town.database.read(the_rota)
        span = town.clock.now() + HOUR, town.clock.now() + 2 * HOUR
        made = await town.house.desk.run(actions.cover, Actor(boris, "web"), rota, boris, [span])
        await town.restart(DESK.replace('"Network"', '"Other"'))
        undone = await town.house.desk.run(actions.undo, Actor(anna, "web"), made.id)
        assert undone.state is State.UNDONE
