"""Escalation: each due ping once, to the right person, and none after somebody has acted."""

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import config, main
from bot.adapters.port import Adapter
from bot.scheduler import Scheduler
from core.database.engine import Database
from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.escalation import store
from core.escalation.model import Chain, Due, Of, Ping, Policies, Policy, Sent, Step, base, plan
from core.kernel.errors import PermanentError, TemporaryError, UserError
from core.kernel.ids import Identity, PersonId, TicketId
from core.people import store as people
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets import store as ticket_store
from core.tickets.catalogue import Level, Priority
from core.tickets.model import Status, Ticket
from core.timers import actions as timers
from core.timers import store as timer_store
from core.timers.model import LEASE
from tests import databases
from tests import town as towns
from tests.town import Town

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
INSTANT = timedelta(microseconds=1)

PEOPLE = """
[desk]
time_zone = "UTC"
[[people]]
name = "Ivan"
identities = ["web:ivan"]
[[people]]
name = "Anna"
identities = ["web:anna"]
roles = ["agent"]
[[people]]
name = "Boris"
identities = ["web:boris"]
roles = ["agent"]
[[people]]
name = "Maria"
identities = ["web:maria"]
roles = ["lead"]
[[queues]]
name = "support"
title = "Support"
[[request_types]]
name = "other"
title = "Other"
"""
URGENT = """
[[escalations]]
name = "urgent"
priorities = ["critical", "high"]
steps = [
  { after = "1m", of = "unclaimed", whom = "agents", repeat = "1m", times = 3 },
  { after = "5m", of = "unclaimed", whom = "lead" },
  { after = "10m", of = "unanswered", whom = "owner", repeat = "10m", times = 2 },
]
[[escalations]]
name = "usual"
priorities = ["normal"]
steps = [{ after = "20m", of = "unclaimed", whom = "Maria" }]
"""
CALM = """
[sla.critical]
first_response = "30d"
next_response = "30d"
resolution = "30d"
"""


@contextlib.asynccontextmanager
async def desk(tmp_path: Path, escalations: str = URGENT) -> AsyncIterator[Town]:
    async with towns.town(tmp_path, PEOPLE + escalations + CALM) as opened:
        yield opened


def ask_nobody(town: Town) -> None:
    """The first step of the first policy asks somebody who has left, whom the configuration cannot name."""
    policies = town.database.rules[Policies]
    assert isinstance(policies, Policies)
    first, *others = policies.all
    step, *steps = first.steps
    left = replace(first, steps=(replace(step, whom="Somebody who left"), *steps))
    town.database.rules = {**town.database.rules, Policies: replace(policies, all=(left, *others))}


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with desk(tmp_path) as opened:
        yield opened


async def actor(town: Town, account: str) -> Actor:
    person = await town.database.read(lambda tx: people.by_identity(tx, Identity("web", account)))
    return Actor(person, "web")


async def act(town: Town, account: str, action: Any, number: TicketId, *args: Any, **kwargs: Any) -> Any:
    return await town.house.desk.run(action, await actor(town, account), number, *args, **kwargs)


async def report(town: Town, priority: Priority = Priority.CRITICAL) -> TicketId:
    ivan = await actor(town, "ivan")
    facts = {"type_name": "other", "text": "It is broken", "priority": priority, "home": "web:u-ivan"}
    return (await town.house.desk.run(tickets.open_ticket, ivan, **facts)).id  # type: ignore[arg-type]


async def pings(town: Town, number: TicketId) -> list[Ping]:
    return await town.database.read(lambda tx: store.of_ticket(tx, number))


async def asked(town: Town, number: TicketId) -> list[str]:
    """Who was pinged, in order."""

    async def look(tx: Transaction) -> list[str]:
        found = await store.of_ticket(tx, number)
        return [(await people.get(tx, ping.person)).name if ping.person else str(ping.room) for ping in found]

    return await town.database.read(look)


async def steps_set(town: Town, number: TicketId) -> list[str]:
    found = await town.database.read(lambda tx: timer_store.of_ticket(tx, number, escalation.STEP))
    return [timer.key for timer in found]


# ---- the plan, as a pure function

START = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
spans = st.integers(0, 10_000).map(lambda seconds: seconds * SECOND)
step_of = st.builds(
    lambda after, of, repeat, times: Step(after, of, "agents", repeat if times > 1 else None, times),
    spans,
    st.sampled_from(Of),
    st.integers(1, 1000).map(lambda seconds: seconds * SECOND),
    st.integers(1, 4),
)
policies = st.lists(step_of, min_size=1, max_size=4).map(
    lambda steps: Policy("p", tuple(Priority), (), tuple(steps))
)
instants = spans.map(lambda span: START + span)
chains = st.builds(Chain, st.just(TicketId(1)), st.none() | instants)


@st.composite
def tickets_(draw: st.DrawFn) -> Ticket:
    status = draw(st.sampled_from(Status))
    owner = draw(st.none() | st.just(PersonId(2)))
    return Ticket(
        id=TicketId(1),
        title="x",
        type="other",
        queue="support",
        status=status,
        priority=Priority.CRITICAL,
        level=Level.L1,
        requester=PersonId(1),
        owner=owner,
        home="web:u-ivan",
        origin=None,
        answers=(),
        created_at=START,
        changed_at=START,
        unanswered_since=draw(st.none() | instants),
        unclaimed_since=None if owner else draw(instants),
    )


def walk(policy: Policy, ticket: Ticket, chain: Chain, pinged: Mapping[Any, Sent] | None = None) -> list[Due]:
    """Every ping to the end of the chain, each in time, the earliest first."""
    sent, walked = dict(pinged or {}), []
    while coming := sorted(plan(policy, ticket, chain, sent), key=lambda due: (due[3], due[0])):
        walked.append(coming[0])
        sent[(coming[0][0], coming[0][2])] = Sent(coming[0][1] + 1, coming[0][3])
    return walked


@given(policies, tickets_(), chains)
def test_no_step_comes_twice_and_every_one_that_applies_comes(
    policy: Policy, ticket: Ticket, chain: Chain
) -> None:
    walked = walk(policy, ticket, chain)
    assert len({due[:3] for due in walked}) == len(walked)
    applying = [step for step in policy.steps if base(ticket, chain, step.of) is not None]
    assert len(walked) == sum(step.times for step in applying)


@given(policies, tickets_(), chains)
def test_the_times_of_one_step_follow_each_other_and_never_come_before_its_base(
    policy: Policy, ticket: Ticket, chain: Chain
) -> None:
    for place, step in enumerate(policy.steps):
        mine = [due for due in walk(policy, ticket, chain) if due[0] == place]
        assert [due[1] for due in mine] == list(range(len(mine)))
        for _, time, start, due_at in mine:
            assert due_at == start + step.after + (step.repeat or timedelta()) * time
            assert chain.started_at is None or start >= chain.started_at


@given(policies, tickets_(), chains, st.data())
def test_what_was_pinged_is_behind_and_the_rest_is_unchanged(
    policy: Policy, ticket: Ticket, chain: Chain, data: st.DataObject
) -> None:
    walked = walk(policy, ticket, chain)
    taken = data.draw(st.integers(0, len(walked)))
    done = {(due[0], due[2]): Sent(due[1] + 1, due[3]) for due in walked[:taken]}
    assert walk(policy, ticket, chain, done) == walked[taken:]


@given(policies, tickets_(), chains, instants)
def test_while_it_is_quiet_nothing_comes(
    policy: Policy, ticket: Ticket, chain: Chain, until: datetime
) -> None:
    assert plan(policy, ticket, replace(chain, quiet_until=until), {}) == []


@given(policies, tickets_(), chains)
def test_nothing_comes_while_it_is_not_the_desks_turn(policy: Policy, ticket: Ticket, chain: Chain) -> None:
    if ticket.status not in (Status.NEW, Status.OPEN):
        assert plan(policy, ticket, chain, {}) == []
    if ticket.owner is not None:
        assert all(policy.steps[due[0]].of is not Of.UNCLAIMED for due in plan(policy, ticket, chain, {}))
    if ticket.unanswered_since is None:
        assert all(policy.steps[due[0]].of is not Of.UNANSWERED for due in plan(policy, ticket, chain, {}))


@given(policies, tickets_(), chains, st.integers(1, 10_000))
def test_a_chain_that_starts_later_comes_no_earlier(
    policy: Policy, ticket: Ticket, chain: Chain, seconds: int
) -> None:
    later = replace(chain, started_at=(chain.started_at or START) + seconds * SECOND)
    before = {due[:2]: due[3] for due in walk(policy, ticket, chain)}
    after = {due[:2]: due[3] for due in walk(policy, ticket, later)}
    assert before.keys() == after.keys()
    assert all(after[key] >= before[key] for key in before)


# ---- the chain on a running desk


async def test_each_step_asks_whom_it_names_at_its_time(town: Town) -> None:
    number = await report(town)
    await town.later(MINUTE - INSTANT, step=SECOND)
    assert await asked(town, number) == []
    await town.later(INSTANT)
    assert await asked(town, number) == ["Anna"]
    await town.later(2 * MINUTE, step=SECOND)
    assert await asked(town, number) == ["Anna", "Boris", "Anna"], "each ping goes to the next agent"
    await town.later(7 * MINUTE, step=SECOND)
    assert await asked(town, number) == ["Anna", "Boris", "Anna", "Maria", "Boris"]
    await town.later(10 * HOUR, step=MINUTE)
    assert await asked(town, number) == ["Anna", "Boris", "Anna", "Maria", "Boris", "Anna"], "and no more"


async def test_a_ping_is_shown_once_to_whom_it_asks_and_stands_in_the_timeline(town: Town) -> None:
    number = await report(town)
    await town.later(MINUTE)
    assert len([shown for shown in await town["anna"].sees() if shown.tone == "ping"]) == 1
    assert not [shown for shown in await town["boris"].sees() if shown.tone == "ping"]
    timeline = await town.database.read(lambda tx: ticket_store.timeline(tx, number))
    assert [event.facts["names"] for event in timeline if event.kind == "pinged"] == [["Anna"]]


async def test_a_claimed_ticket_asks_its_owner(town: Town) -> None:
    number = await report(town)
    await act(town, "boris", tickets.take, number)
    await town.later(HOUR, step=SECOND * 30)
    assert await asked(town, number) == ["Boris", "Boris"]


async def test_the_space_is_asked_once_in_each_of_its_rooms(tmp_path: Path) -> None:
    policy = '[[escalations]]\nname = "x"\nsteps = [{ after = "1m", of = "unresolved", whom = "space" }]\n'
    async with desk(tmp_path, policy) as town:
        number = await report(town)
        await town.later(HOUR, step=MINUTE)
        assert await asked(town, number) == ["web:support"]
        assert len([shown for shown in await town["anna"].thread(number) if shown.tone == "ping"]) == 1


@pytest.mark.timeout(20)
async def test_a_step_that_finds_nobody_is_over_and_the_next_one_comes_at_once(tmp_path: Path) -> None:
    policy = """
[[escalations]]
name = "x"
steps = [
  { after = "1m", of = "unclaimed", whom = "agents" },
  { after = "9m", of = "unclaimed", whom = "lead" },
]
"""
    async with desk(tmp_path, policy) as town:
        ask_nobody(town)
        number = await report(town)
        await town.later(MINUTE)
        timeline = await town.database.read(lambda tx: ticket_store.timeline(tx, number))
        assert [event.facts["names"] for event in timeline if event.kind == "pinged"] == [[], ["Maria"]]
        await town.later(HOUR, step=MINUTE)
        assert [ping.person for ping in await pings(town, number) if ping.person] == [
            (await actor(town, "maria")).person_id
        ]


# ---- what stops it

ENDS: Mapping[str, Any] = {
    "taken": (tickets.take,),
    "answered": (tickets.reply, "We are on it"),
    "resolved": (tickets.resolve,),
    "passed": (tickets.pass_to, PersonId(3)),
    "on hold": (tickets.hold, None),
    "promised": (escalation.promise,),
    "snoozed": (escalation.snooze,),
    "lowered": (tickets.prioritise, Priority.LOW),
}


@pytest.mark.parametrize("end", ENDS)
async def test_what_ends_it_right_before_it_is_due_leaves_nobody_asked(town: Town, end: str) -> None:
    number = await report(town)
    await town.later(MINUTE - INSTANT)
    action, *args = ENDS[end]
    await act(town, "anna", action, number, *args)
    await town.later(INSTANT)
    await town.later(3 * MINUTE, step=SECOND)
    assert await asked(town, number) == []


@pytest.mark.parametrize("end", ENDS)
async def test_a_timer_that_was_claimed_before_it_ended_does_nothing_after(town: Town, end: str) -> None:
    number = await report(town)
    town.clock.advance(MINUTE)
    (timer,) = [each for each in await town.house.desk.claim_timers() if each.kind == escalation.STEP]
    action, *args = ENDS[end]
    await act(town, "anna", action, number, *args)
    assert not await town.house.desk.fire(timer)
    await town.later(2 * LEASE, step=SECOND)
    assert await asked(town, number) == []


LEFT = {
    "promised": ["Take it", "Snooze 30 min", "Pass to…"],
    "snoozed": ["Take it", "On it: 15 min", "Pass to…"],
}


@pytest.mark.parametrize("end", ENDS)
async def test_an_open_ping_shows_who_ended_it_and_what_is_left_to_do(town: Town, end: str) -> None:
    number = await report(town)
    await town.later(MINUTE)
    action, *args = ENDS[end]
    await act(town, "boris", action, number, *args)
    await town.settle()
    (ping,) = await pings(town, number)
    assert ping.answered_by == (await actor(town, "boris")).person_id
    assert ping.answered_via == "web"
    (shown,) = [shown for shown in await town["anna"].sees() if shown.tone == "ping"]
    assert list(shown.buttons) == LEFT.get(end, [])
    assert "Boris" in shown


async def test_an_end_that_is_rolled_back_ends_nothing(town: Town) -> None:
    number, anna = await report(town), await actor(town, "anna")

    async def fails(tx: Transaction) -> None:
        await tickets.take(tx, anna, number)
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await town.database.write(fails)
    await town.later(MINUTE)
    assert await asked(town, number) == ["Anna"]


async def test_a_released_ticket_begins_anew_from_its_release(town: Town) -> None:
    number = await report(town)
    await act(town, "anna", tickets.take, number)
    await town.later(30 * SECOND)
    await act(town, "anna", tickets.release, number)
    await town.later(MINUTE - INSTANT)
    assert await asked(town, number) == []
    await town.later(INSTANT)
    assert await asked(town, number) == ["Anna"]


async def test_a_ticket_that_waits_for_its_requester_asks_nobody_until_they_answer(town: Town) -> None:
    number = await report(town)
    await act(town, "anna", tickets.take, number)
    await act(town, "anna", tickets.wait, number, "Which version?")
    await town.later(5 * HOUR, step=HOUR)
    assert await asked(town, number) == []
    await act(town, "ivan", tickets.say, number, "5.1")
    await town.later(10 * MINUTE)
    assert await asked(town, number) == ["Anna"]


# ---- quiet


async def test_a_broken_promise_starts_the_chain_anew_its_first_step_at_once(town: Town) -> None:
    number = await report(town)
    await town.later(MINUTE)
    await act(town, "anna", escalation.promise, number)
    await town.later(15 * MINUTE - INSTANT, step=MINUTE)
    assert await asked(town, number) == ["Anna"]
    await town.later(INSTANT)
    assert len(await asked(town, number)) == 2
    await town.later(2 * MINUTE, step=SECOND)
    assert len(await asked(town, number)) == 4, "with all its repeats"


async def test_an_owners_broken_promise_asks_them_at_once_too(town: Town) -> None:
    number = await report(town)
    await act(town, "anna", tickets.take, number)
    await town.later(11 * MINUTE)
    await act(town, "anna", escalation.promise, number)
    await town.later(15 * MINUTE)
    assert await asked(town, number) == ["Anna", "Anna"]


async def test_a_promise_that_was_kept_asks_nobody(town: Town) -> None:
    number = await report(town)
    await act(town, "anna", tickets.take, number)
    await act(town, "anna", escalation.promise, number)
    await act(town, "anna", tickets.reply, number, "Try again")
    await town.later(HOUR, step=MINUTE)
    assert await asked(town, number) == []


async def test_the_newest_word_on_how_long_it_is_quiet_counts(town: Town) -> None:
    number = await report(town)
    await act(town, "anna", escalation.snooze, number, HOUR)
    await act(town, "anna", escalation.snooze, number, 2 * MINUTE)
    await town.later(2 * MINUTE)
    assert len(await asked(town, number)) == 1
    await act(town, "anna", escalation.snooze, number, MINUTE)
    await act(town, "anna", escalation.snooze, number, HOUR)
    await town.later(HOUR - SECOND, step=MINUTE)
    assert len(await asked(town, number)) == 1


async def test_a_snooze_ends_at_the_latest_when_a_promise_to_the_requester_falls_due(tmp_path: Path) -> None:
    clocks = '[sla.critical]\nfirst_response = "10m"\nnext_response = "1h"\nresolution = "1d"\n'
    async with towns.town(tmp_path, PEOPLE + URGENT + clocks) as town:
        number = await report(town)
        until = await act(town, "anna", escalation.snooze, number, HOUR)
        assert until == town.clock.now() + 10 * MINUTE


@pytest.mark.parametrize("ends", [tickets.resolve, tickets.take])
async def test_quiet_that_is_over_when_nothing_is_due_any_more_asks_nobody(town: Town, ends: Any) -> None:
    number = await report(town)
    await act(town, "anna", escalation.snooze, number, 5 * MINUTE)
    await act(town, "anna", ends, number)
    await act(town, "anna", tickets.reply, number, "Done")
    await town.later(HOUR, step=MINUTE)
    assert await asked(town, number) == []


# ---- priority


async def test_a_raised_ticket_begins_the_chain_of_its_new_priority_now(town: Town) -> None:
    number = await report(town, Priority.NORMAL)
    await town.later(10 * MINUTE)
    await act(town, "anna", tickets.prioritise, number, Priority.CRITICAL)
    assert await asked(town, number) == []
    await town.later(MINUTE)
    assert await asked(town, number) == ["Anna"]


async def test_a_lowered_ticket_forgets_the_chain_it_had(town: Town) -> None:
    number = await report(town)
    await town.later(MINUTE)
    await act(town, "anna", tickets.prioritise, number, Priority.NORMAL)
    assert await steps_set(town, number) == ["0.0"]
    await town.later(20 * MINUTE - INSTANT, step=MINUTE)
    assert await asked(town, number) == ["Anna"]
    await town.later(INSTANT)
    assert await asked(town, number) == ["Anna", "Maria"]


async def test_to_and_fro_doubles_nothing(town: Town) -> None:
    number = await report(town)
    for priority in (Priority.HIGH, Priority.CRITICAL, Priority.LOW, Priority.NORMAL, Priority.CRITICAL):
        await act(town, "anna", tickets.prioritise, number, priority)
    assert sorted(await steps_set(town, number)) == ["0.0", "1.0", "2.0"]
    await town.later(MINUTE)
    assert await asked(town, number) == ["Anna"]


async def test_a_ticket_no_policy_covers_has_no_timers(town: Town) -> None:
    number = await report(town, Priority.LOW)
    assert await steps_set(town, number) == []
    with pytest.raises(UserError):
        await act(town, "anna", escalation.snooze, number)


# ---- ticks: late, doubled, interrupted


async def test_a_late_tick_after_an_outage_asks_for_each_due_step_once(town: Town) -> None:
    number = await report(town)
    town.clock.advance(3 * HOUR)
    await town.settle()
    once = Counter((ping.step, ping.time) for ping in await pings(town, number))
    assert once == {(0, 0): 1, (1, 0): 1, (2, 0): 1}
    await town.later(HOUR, step=MINUTE)
    at = {(ping.step, ping.time): ping.sent_at - START - 3 * HOUR for ping in await pings(town, number)}
    assert at == {
        (0, 0): 0 * MINUTE, (1, 0): 0 * MINUTE, (2, 0): 0 * MINUTE,
        (0, 1): MINUTE, (0, 2): 2 * MINUTE, (2, 1): 10 * MINUTE,
    }  # fmt: skip


async def test_a_restart_across_the_instant_neither_loses_nor_doubles_it(town: Town) -> None:
    number = await report(town)
    town.clock.advance(MINUTE - INSTANT)
    await town.restart()
    await town.later(2 * INSTANT)
    await town.restart()
    await town.settle()
    assert await asked(town, number) == ["Anna"]


async def test_two_schedulers_of_one_desk_ask_once(town: Town) -> None:
    numbers = [await report(town) for _ in range(20)]
    schedulers = [_scheduler(town.house, town) for _ in range(3)]
    town.clock.advance(5 * MINUTE)
    await asyncio.gather(*(each.tick() for each in schedulers * 2))
    for number in numbers:
        assert Counter((ping.step, ping.time) for ping in await pings(town, number)).total() == 2


def _scheduler(house: main.House, town: Town) -> Scheduler:
    async def nothing() -> None:
        return None

    return Scheduler(house.desk, town.clock, house.metrics, nothing)


@contextlib.asynccontextmanager
async def second_desk(town: Town) -> AsyncIterator[main.House]:
    """Another desk on the same file, as if two processes had started."""
    database = Database(databases.place(town.path), town.clock)
    try:
        yield main.build(town.settings, database, town.clock)
    finally:
        await database.close()


async def test_two_desks_on_one_database_ask_once_and_tell_once(town: Town) -> None:
    numbers = [await report(town) for _ in range(10)]
    async with second_desk(town) as other:
        for _ in range(5):
            town.clock.advance(MINUTE)
            await asyncio.gather(town.house.scheduler.tick(), other.scheduler.tick())
            await asyncio.gather(town.house.delivery.catch_up(), other.delivery.catch_up())
    await town.settle()
    for number in numbers:
        assert await asked(town, number) == ["Anna", "Boris", "Anna", "Maria"]
    told = [shown for shown in await town["maria"].sees() if shown.tone == "ping"]
    assert len(told) == 1
    assert all(f"#{number} " in told[0] for number in numbers)


async def test_a_timer_whose_claimer_died_is_done_after_its_lease(town: Town) -> None:
    number = await report(town)
    town.clock.advance(MINUTE)
    assert await town.house.desk.claim_timers()
    await town.later(LEASE - INSTANT)
    assert await asked(town, number) == []
    await town.later(INSTANT)
    assert await asked(town, number) == ["Anna"]


async def test_a_timer_whose_process_died_is_done_by_the_next_one_at_once(town: Town) -> None:
    number = await report(town)
    town.clock.advance(MINUTE)
    assert await town.house.desk.claim_timers()
    await town.restart()
    await town.settle()
    assert await asked(town, number) == ["Anna"]


async def test_a_claimer_that_comes_back_late_does_nothing(town: Town) -> None:
    number = await report(town)
    town.clock.advance(MINUTE)
    (late,) = await town.house.desk.claim_timers()
    await town.later(LEASE)
    assert await asked(town, number) == ["Anna"]
    assert not await town.house.desk.fire(late)
    assert await asked(town, number) == ["Anna"]


async def test_one_timer_that_fails_keeps_no_other_from_its_time(town: Town) -> None:
    for odd in range(150):
        due_at, key = town.clock.now(), str(odd)
        await town.database.write(
            lambda tx, d=due_at, k=key: timers.set_timer(tx, TicketId(1), "no such", d, key=k)
        )  # type: ignore[misc]
    number = await report(town)
    await town.later(MINUTE)
    assert await asked(town, number) == ["Anna"]
    await town.later(2 * MINUTE, step=SECOND * 10)
    assert await asked(town, number) == ["Anna", "Boris", "Anna"]


async def test_a_clock_set_back_asks_nobody_again_and_holds_nothing_up(town: Town) -> None:
    number = await report(town)
    await town.later(MINUTE)
    town.clock.advance(-2 * HOUR)
    await town.later(10 * MINUTE, step=MINUTE)
    assert await asked(town, number) == ["Anna"]
    await town.later(3 * HOUR, step=MINUTE)
    assert len(await asked(town, number)) == 6


# ---- what cannot be delivered


class Gone:
    """The web chat, for everybody but those who have left."""

    def __init__(self, inner: Adapter, *rooms: str) -> None:
        self._inner, self._rooms = inner, rooms

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def post(self, to: Any, message: Any, reader: Any, nonce: str, *, again: bool = False) -> Any:
        if to.room in self._rooms:
            raise PermanentError("they have blocked the desk", code="blocked")
        return await self._inner.post(to, message, reader, nonce)


class Away(Gone):
    """The messenger can't be reached for some rooms, for now."""

    async def post(self, to: Any, message: Any, reader: Any, nonce: str, *, again: bool = False) -> Any:
        if to.room in self._rooms:
            raise TemporaryError("it is away")
        return await self._inner.post(to, message, reader, nonce)


async def test_nobody_is_called_in_the_room_any_more_after_somebody_has_taken_the_ticket(town: Town) -> None:
    adapters: Any = town.house.adapters
    number = await report(town)
    reachable = Gone(adapters["web"], "u-anna")
    adapters["web"] = Away(reachable, "support")
    await town.later(MINUTE)
    assert (await pings(town, number))[0].answer == "undelivered"
    await town["boris"].say(f"/take {number}")
    adapters["web"] = reachable
    await town.later(2 * MINUTE)
    assert [each for each in await town["boris"].sees() if each.tone == "ping" and each.thread] == []
    assert (await pings(town, number))[0].answer == "claimed"


async def test_a_ping_that_reaches_nobody_goes_to_the_next_person_at_once(town: Town) -> None:
    adapters: Any = town.house.adapters
    adapters["web"] = Gone(adapters["web"], "u-anna")
    number = await report(town)
    await town.later(MINUTE)
    assert await asked(town, number) == ["Anna", "Boris"]
    first, second = await pings(town, number)
    assert first.answer == "undelivered"
    assert second.answer is None
    shown = [each for each in await town["boris"].sees() if each.tone == "ping"]
    asked_in_private = [each for each in shown if each.thread is None]
    called_in_the_room = [each for each in shown if each.thread is not None]
    assert len(asked_in_private) == len(called_in_the_room) == 1
    await town.later(4 * MINUTE, step=SECOND * 10)
    assert Counter((ping.step, ping.time) for ping in await pings(town, number)).most_common(1)[0][1] == 1


@pytest.mark.timeout(30)
async def test_when_nobody_at_all_can_be_reached_the_chain_still_ends(town: Town) -> None:
    adapters: Any = town.house.adapters
    adapters["web"] = Gone(adapters["web"], "u-anna", "u-boris", "u-maria")
    number = await report(town)
    await town.later(HOUR, step=MINUTE)
    assert Counter((ping.step, ping.time) for ping in await pings(town, number)) == {
        (0, 0): 1, (0, 1): 1, (0, 2): 1, (1, 0): 1, (2, 0): 1, (2, 1): 1,
    }  # fmt: skip


async def test_a_ping_that_may_have_arrived_shows_what_became_of_it_meanwhile(town: Town) -> None:
    adapters: Any = town.house.adapters
    web = adapters["web"]
    adapters["web"] = Silent(web, "u-anna")
    number = await report(town)
    await town.later(MINUTE)
    adapters["web"] = web
    assert [shown.buttons for shown in await town["anna"].sees() if shown.tone == "ping"] != [{}]
    await act(town, "boris", tickets.take, number)
    await town.later(MINUTE, step=SECOND)
    (shown,) = [shown for shown in await town["anna"].sees() if shown.tone == "ping"]
    assert shown.buttons == {}
    assert "Boris" in shown


class Silent(Gone):
    """It shows what it is asked to, but in these rooms no answer comes back."""

    async def post(self, to: Any, message: Any, reader: Any, nonce: str, *, again: bool = False) -> Any:
        shown = await self._inner.post(to, message, reader, nonce)
        if to.room in self._rooms:
            raise TemporaryError("no answer", unknown=True)
        return shown


async def test_a_question_that_may_have_arrived_loses_its_buttons_when_it_is_settled(town: Town) -> None:
    adapters: Any = town.house.adapters
    web, number = adapters["web"], await report(town)
    adapters["web"] = Silent(web, "u-ivan")
    await act(town, "anna", tickets.resolve, number)
    await town.settle()
    adapters["web"] = web
    await act(town, "ivan", tickets.reopen, number)
    await town.later(MINUTE, step=SECOND)
    assert not [shown for shown in await town["ivan"].sees() if "Yes, it is fixed" in shown.buttons]


async def test_a_reply_that_may_have_arrived_can_be_taken_back(town: Town) -> None:
    adapters: Any = town.house.adapters
    web, number = adapters["web"], await report(town)
    await town.settle()
    adapters["web"] = Silent(web, "u-ivan")
    message = await act(town, "anna", tickets.reply, number, "Not for you")
    await town.settle()
    adapters["web"] = web
    assert [shown for shown in await town["ivan"].sees() if "Not for you" in shown]
    await act(town, "anna", tickets.withdraw, number, message)
    await town.later(MINUTE, step=SECOND)
    assert not [shown for shown in await town["ivan"].sees() if shown.tone == "reply" and not shown.deleted]


# ---- a changed policy


async def test_a_policy_that_was_changed_while_the_desk_was_down_counts_from_then_on(town: Town) -> None:
    number = await report(town)
    await town.later(MINUTE)
    file = town.path.with_name("config.toml")
    shorter = (
        '[[escalations]]\nname = "urgent"\nsteps = [{ after = "1m", of = "unclaimed", whom = "agents" }]\n'
    )
    file.write_text(PEOPLE + shorter + CALM, encoding="utf-8")
    town.settings = config.load(file, {"DESKBRIDGE_DATABASE__URL": databases.url(town.path)})
    await town.restart()
    await town.later(HOUR, step=MINUTE)
    assert await asked(town, number) == ["Anna"]
    assert await steps_set(town, number) == []


# ---- any history


@dataclass
class Reference:
    """Escalation in few words: what must have been asked, told only the ticket as it is after each event."""

    steps: Mapping[str, tuple[tuple[int, str, int, int], ...]]
    """By policy: seconds, of what, repeat, times."""
    started: datetime | None = None
    quiet: datetime | None = None
    sent: dict[Any, tuple[int, datetime]] = field(default_factory=dict)
    pings: list[tuple[str, int, int, datetime, datetime]] = field(default_factory=list)

    def tick(self, now: datetime, ticket: Ticket) -> None:
        policy = {"critical": "urgent", "high": "urgent", "normal": "usual"}.get(ticket.priority, "")
        table = self.steps.get(policy, ())
        if self.quiet is not None and self.quiet <= now:
            applying = [after for after, of, _, _ in table if self.since(ticket, of, None)]
            self.started, self.quiet = now - min(applying, default=0) * SECOND, None
        for place, (after, of, repeat, times) in enumerate(table):
            since = self.since(ticket, of, self.started)
            time, last = self.sent.get((policy, place, since), (0, now - HOUR * 24))
            if self.quiet is None and since and time < times:
                due = max(since + (after + repeat * time) * SECOND, last + repeat * SECOND)
                if due <= now:
                    self.sent[policy, place, since] = (time + 1, now)
                    self.pings.append((policy, place, time, since, due))

    def since(self, ticket: Ticket, of: str, started: datetime | None) -> datetime | None:
        kinds = {"unclaimed": ticket.unclaimed_since, "unanswered": ticket.unanswered_since}
        start = kinds.get(of, ticket.created_at)
        if start is None or ticket.status not in ("new", "open"):
            return None
        return max(start, started or start)


STEPS = {
    "urgent": ((60, "unclaimed", 60, 3), (300, "unclaimed", 0, 1), (600, "unanswered", 600, 2)),
    "usual": ((1200, "unclaimed", 0, 1),),
}
DEEDS: Mapping[str, Any] = {
    "take": (tickets.take,),
    "release": (tickets.release,),
    "reply": (tickets.reply, "words"),
    "wait": (tickets.wait,),
    "hold": (tickets.hold, None),
    "resume": (tickets.resume,),
    "resolve": (tickets.resolve,),
    "reopen": (tickets.reopen,),
    "promise": (escalation.promise,),
    "snooze": (escalation.snooze, 4 * MINUTE),
    **{priority: (tickets.prioritise, priority) for priority in Priority},
}
history = st.lists(
    st.sampled_from([*DEEDS, "say"]) | st.sampled_from((0.001, 1, 29, 60, 61, 240, 301, 900, 5000)),
    min_size=1,
    max_size=25,
)


@settings(max_examples=50, deadline=None, suppress_health_check=list(HealthCheck))
@given(history=history)
async def test_any_history_asks_exactly_what_a_simple_model_asks(town: Town, history: list[Any]) -> None:
    number, reference = await report(town), Reference(STEPS)
    for event in history:
        town.clock.advance(INSTANT)
        if isinstance(event, str):
            await _deed(town, number, event, reference)
        else:
            town.clock.advance(timedelta(seconds=event))
            await town.house.scheduler.tick()
            reference.tick(town.clock.now(), await town.ticket(number))
    found = [
        (ping.policy, ping.step, ping.time, ping.base_at, ping.due_at) for ping in await pings(town, number)
    ]
    assert sorted(found) == sorted(reference.pings)
    with contextlib.suppress(UserError):  # the next history is not to be disturbed by this ticket
        await act(town, "anna", tickets.prioritise, number, Priority.LOW)


async def _deed(town: Town, number: TicketId, name: str, reference: Reference) -> None:
    try:
        if name == "say":
            await act(town, "ivan", tickets.say, number, "words")
        else:
            action, *args = DEEDS[name]
            await act(town, "anna", action, number, *args)
    except UserError:
        return
    if name in (*Priority, "reopen"):
        reference.started, reference.quiet = town.clock.now(), None
    if name in ("promise", "snooze"):
        reference.quiet = town.clock.now() + (15 if name == "promise" else 4) * MINUTE
