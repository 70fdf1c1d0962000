"""Late, early and jumping clocks, restarts, races: no ping is lost, none comes twice, none after the end."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.escalation import store
from core.kernel.ids import TicketId
from core.tickets import actions as tickets
from core.tickets import store as ticket_store
from core.timers.model import LEASE
from tests import town as towns
from tests.core.test_escalation import CALM, INSTANT, PEOPLE, URGENT, act, asked, report
from tests.town import Town

SECOND, MINUTE, HOUR, DAY = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1), timedelta(days=1)
ONCE = '[[escalations]]\nname = "once"\nsteps = [{ after = "1m", of = "unclaimed", whom = "agents" }]\n'
CHAIN = ["Anna", "Boris", "Anna", "Maria", "Boris", "Anna"]


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with towns.town(tmp_path, PEOPLE + URGENT + CALM) as opened:
        yield opened


@pytest.fixture
async def once(tmp_path: Path) -> AsyncIterator[Town]:
    async with towns.town(tmp_path, PEOPLE + ONCE + CALM) as opened:
        yield opened


async def shown(town: Town) -> int:
    """How many pings stand on the screens of the team."""
    return sum(
        [
            len([each for each in await town[who].sees() if each.tone == "ping"])
            for who in ("anna", "boris", "maria")
        ]
    )


async def kinds(town: Town, number: TicketId) -> list[str]:
    events = await town.database.read(lambda tx: ticket_store.timeline(tx, number))
    return [event.kind for event in events]


# ---- jumping clocks


@pytest.mark.parametrize("leap", [-HOUR, -DAY, -SECOND, DAY, 20 * MINUTE, MINUTE])
@pytest.mark.parametrize("when", [30 * SECOND, MINUTE - INSTANT, MINUTE, 4 * MINUTE, 11 * MINUTE])
async def test_a_clock_that_jumps_loses_and_doubles_no_ping(
    town: Town, when: timedelta, leap: timedelta
) -> None:
    number = await report(town)
    await town.later(when)
    town.clock.advance(leap)
    await town.settle()
    await town.settle()
    await town.later(2 * DAY, step=HOUR)
    assert Counter(await asked(town, number)) == Counter(CHAIN)
    assert await shown(town) == len(CHAIN)


@pytest.mark.parametrize("leap", [HOUR, DAY])
async def test_a_clock_that_leaps_and_is_put_right_again_doubles_nothing(town: Town, leap: timedelta) -> None:
    number = await report(town)
    await town.later(leap)
    before = await asked(town, number)
    town.clock.advance(-leap)
    await town.settle()
    await town.later(leap * 2, step=MINUTE * 30)
    everybody = await asked(town, number)
    assert everybody[: len(before)] == before
    assert Counter(everybody) == Counter(CHAIN)


async def test_a_timer_in_hand_as_the_clock_is_set_back_is_held_for_a_lease_at_most(once: Town) -> None:
    number = await report(once)
    once.clock.advance(MINUTE)
    assert await once.house.desk.claim_timers()
    once.clock.advance(-HOUR)
    await once.later(HOUR + LEASE)
    assert await asked(once, number) == ["Anna"]


async def test_a_snooze_over_a_clock_that_is_set_back_ends_at_its_instant(town: Town) -> None:
    number = await report(town)
    until = await act(town, "anna", escalation.snooze, number, 30 * MINUTE)
    town.clock.advance(-HOUR)
    await town.later(until - town.clock.now() - INSTANT, step=MINUTE)
    assert await asked(town, number) == []
    await town.later(INSTANT)
    assert len(await asked(town, number)) == 1


@pytest.mark.parametrize("leap", [-HOUR, DAY])
async def test_after_a_jump_the_auditor_leaves_the_desk_in_order(town: Town, leap: timedelta) -> None:
    number = await report(town)
    await town.later(MINUTE)
    town.clock.advance(leap)
    assert (await town.house.audit.run()).left == []
    assert town.house.audit.vouches
    await town.later(2 * DAY, step=HOUR)
    assert Counter(await asked(town, number)) == Counter(CHAIN)


# ---- restarts across due times


async def test_a_desk_that_was_down_as_a_ping_was_due_makes_up_for_it_once_and_says_how_late(
    once: Town,
) -> None:
    number = await report(once)
    await once.database.close()
    once.clock.advance(3 * HOUR + MINUTE)
    await once.restart()
    await once.settle()
    assert await asked(once, number) == ["Anna"]
    [ping] = [each for each in await once["anna"].sees() if each.tone == "ping"]
    assert "This ping comes 3 h late." in ping
    await once.restart()
    await once.later(DAY, step=HOUR)
    assert await asked(once, number) == ["Anna"]
    assert await shown(once) == 1


async def test_a_ping_within_the_minute_says_nothing_of_being_late(once: Town) -> None:
    await report(once)
    await once.later(2 * MINUTE)
    [ping] = [each for each in await once["anna"].sees() if each.tone == "ping"]
    assert "late" not in ping


@pytest.mark.parametrize("down", [0, 1, 2, 3])
async def test_a_process_that_ends_between_claim_ping_and_delivery_pings_once(once: Town, down: int) -> None:
    number = await report(once)
    once.clock.advance(MINUTE)
    timers = await once.house.desk.claim_timers() if down >= 1 else []
    for timer in timers if down >= 2 else []:
        await once.house.desk.fire(timer)
    if down >= 3:
        await once.house.delivery.catch_up()
    await once.restart()
    await once.later(DAY, step=HOUR)
    assert await asked(once, number) == ["Anna"]
    assert await shown(once) == 1


# ---- taking against pinging


@pytest.mark.parametrize("first", ["take", "fire"])
async def test_no_ping_comes_after_the_take_however_close_they_are(once: Town, first: str) -> None:
    desk = once.house.desk
    outcomes: Counter[tuple[str, ...]] = Counter()
    for _ in range(100):
        number = await report(once)
        once.clock.advance(MINUTE)
        [timer] = [each for each in await desk.claim_timers() if each.kind == escalation.STEP]
        taking, firing = act(once, "anna", tickets.take, number), desk.fire(timer)
        await asyncio.gather(*((taking, firing) if first == "take" else (firing, taking)))
        told = tuple(kind for kind in await kinds(once, number) if kind in ("claimed", "pinged"))
        outcomes[told] += 1
        pings = await once.database.read(lambda tx, number=number: store.of_ticket(tx, number))
        assert len(pings) == told.count("pinged")
        assert all(ping.answer == "claimed" for ping in pings)
    assert set(outcomes) <= {("claimed",), ("pinged", "claimed")}
    await once.later(DAY, step=HOUR)
    sent = sum(outcomes[each] for each in outcomes if "pinged" in each)
    assert len(await _all_pings(once)) == sent


async def _all_pings(town: Town) -> list[str]:
    async def look(tx: Transaction) -> list[str]:
        return [str(row.id) for row in await tx.all(store.pings.select())]

    return await town.database.read(look)


# ---- a policy that is edited meanwhile

EDITED = {
    "later": ('{ after = "5m", of = "unclaimed", whom = "agents" }', ["Anna"], 5 * MINUTE),
    "earlier": ('{ after = "30s", of = "unclaimed", whom = "agents" }', ["Anna"], 30 * SECOND),
    "somebody else": ('{ after = "1m", of = "unclaimed", whom = "lead" }', ["Maria"], MINUTE),
    "of something else": ('{ after = "2m", of = "unanswered", whom = "lead" }', ["Maria"], 2 * MINUTE),
    "a step before": (
        '{ after = "20s", of = "unclaimed", whom = "lead" },'
        ' { after = "1m", of = "unclaimed", whom = "agents" }',
        ["Maria", "Anna"],
        MINUTE,
    ),
    "none": ("", [], DAY),
}


@pytest.mark.parametrize("edit", EDITED)
async def test_a_policy_edited_while_pings_are_pending_is_the_one_that_counts(once: Town, edit: str) -> None:
    number = await report(once)
    await once.later(10 * SECOND)
    steps, names, by = EDITED[edit]
    policy = f'[[escalations]]\nname = "once"\nsteps = [{steps}]\n' if steps else "escalations = []\n"
    await once.restart((policy if not steps else "") + PEOPLE + (policy if steps else "") + CALM)
    await once.house.audit.run()
    await once.settle()
    await once.later(by - 10 * SECOND - INSTANT, step=SECOND) if by < HOUR else None
    assert await asked(once, number) == names[:-1]
    await once.later(INSTANT)
    assert await asked(once, number) == names
    await once.later(DAY, step=HOUR)
    assert await asked(once, number) == names


# ---- all at once


async def test_five_hundred_tickets_due_in_one_second_are_each_pinged_once(once: Town) -> None:
    numbers = [await report(once) for _ in range(500)]
    once.clock.advance(MINUTE)
    await asyncio.gather(once.house.scheduler.tick(), once.house.scheduler.tick())
    await once.settle()

    async def look(tx: Transaction) -> Counter[int]:
        return Counter(row.ticket_id for row in await tx.all(store.pings.select()))

    assert await once.database.read(look) == Counter(numbers)
    [seen] = [each for each in await once["anna"].sees() if each.tone == "ping"]
    assert "⏰ 500 tickets wait for you" in seen
    await once.later(HOUR)
    assert await once.database.read(look) == Counter(numbers)
