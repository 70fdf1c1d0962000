"""Timers: rows that say what must happen when; set, moved and cancelled with what they belong to."""

import asyncio
from datetime import timedelta

from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.timers import actions as timers
from core.timers import store
from core.timers.model import LEASE, Timer
from tests.town import Town

SECOND = timedelta(seconds=1)
ONE, TWO = TicketId(1), TicketId(2)


async def set_timer(
    town: Town, ticket: TicketId, kind: str, after: timedelta, key: str = "", **facts: object
) -> None:
    due_at = town.clock.now() + after
    await town.database.write(lambda tx: timers.set_timer(tx, ticket, kind, due_at, key=key, facts=facts))


async def of(town: Town, ticket: TicketId, kind: str) -> list[Timer]:
    return await town.database.read(lambda tx: store.of_ticket(tx, ticket, kind))


async def claim(town: Town, limit: int = 100) -> list[Timer]:
    return await town.database.write(lambda tx: timers.claim(tx, limit))


async def take(town: Town, timer: Timer) -> bool:
    return await town.database.write(lambda tx: store.take(tx, timer))


# ---- set, moved, cancelled


async def test_a_timer_set_twice_is_one_timer_with_the_newest_instant_and_facts(town: Town) -> None:
    await set_timer(town, ONE, "x", SECOND, message=1)
    await set_timer(town, ONE, "x", 2 * SECOND, message=2)
    (timer,) = await of(town, ONE, "x")
    assert timer.due_at == town.clock.now() + 2 * SECOND
    assert timer.facts == {"message": 2}


async def test_timers_of_other_tickets_kinds_and_keys_stay(town: Town) -> None:
    for ticket, kind, key in ((ONE, "x", "a"), (ONE, "x", "b"), (ONE, "y", "a"), (TWO, "x", "a")):
        await set_timer(town, ticket, kind, SECOND, key)
    await set_timer(town, ONE, "x", 5 * SECOND, "a")
    assert {timer.key: timer.due_at - town.clock.now() for timer in await of(town, ONE, "x")} == {
        "a": 5 * SECOND,
        "b": SECOND,
    }
    await town.database.write(lambda tx: timers.cancel(tx, ONE, "x"))
    assert await of(town, ONE, "x") == []
    assert len(await of(town, ONE, "y")) == len(await of(town, TWO, "x")) == 1


async def test_several_kinds_are_cancelled_at_once(town: Town) -> None:
    for kind in ("x", "y", "z"):
        await set_timer(town, ONE, kind, SECOND)
    await town.database.write(lambda tx: timers.cancel(tx, ONE, "x", "z"))
    assert [len(await of(town, ONE, kind)) for kind in ("x", "y", "z")] == [0, 1, 0]


async def test_setting_and_cancelling_belong_to_the_transaction(town: Town) -> None:
    await set_timer(town, ONE, "kept", SECOND)

    async def fails(tx: Transaction) -> None:
        await timers.cancel(tx, ONE, "kept")
        await timers.set_timer(tx, ONE, "new", tx.now)
        raise ZeroDivisionError

    try:
        await town.database.write(fails)
    except ZeroDivisionError:
        pass
    assert len(await of(town, ONE, "kept")) == 1
    assert await of(town, ONE, "new") == []


# ---- claimed


async def test_only_what_is_due_is_claimed_the_most_overdue_first(town: Town) -> None:
    for ticket, after in ((1, 3), (2, 1), (3, 2), (4, 9)):
        await set_timer(town, TicketId(ticket), "x", after * SECOND)
    assert await claim(town) == []
    town.clock.advance(3 * SECOND)
    assert [timer.ticket for timer in await claim(town, 2)] == [2, 3]
    assert [timer.ticket for timer in await claim(town, 2)] == [1]


async def test_a_claimed_timer_is_nobody_elses_until_the_lease_is_over(town: Town) -> None:
    await set_timer(town, ONE, "x", SECOND)
    town.clock.advance(SECOND)
    (held,) = await claim(town)
    assert await claim(town) == []
    town.clock.advance(LEASE - timedelta(microseconds=1))
    assert await claim(town) == []
    town.clock.advance(timedelta(microseconds=1))
    (again,) = await claim(town)
    assert again.fence > held.fence
    assert not await take(town, held), "the first claimer is too late"
    assert await take(town, again)
    assert not await take(town, again)


async def test_several_claiming_at_once_share_what_is_due(town: Town) -> None:
    for ticket in range(1, 60):
        await set_timer(town, TicketId(ticket), "x", SECOND)
    town.clock.advance(SECOND)
    shares = await asyncio.gather(*(claim(town, 10) for _ in range(8)))
    claimed = [timer.ticket for share in shares for timer in share]
    assert sorted(claimed) == list(range(1, 60))


async def test_a_timer_that_was_cancelled_after_it_was_claimed_cannot_be_taken(town: Town) -> None:
    await set_timer(town, ONE, "x", SECOND)
    town.clock.advance(SECOND)
    (held,) = await claim(town)
    await town.database.write(lambda tx: timers.cancel(tx, ONE, "x"))
    assert not await take(town, held)


async def test_a_timer_that_was_moved_after_it_was_claimed_cannot_be_taken_and_is_free(town: Town) -> None:
    await set_timer(town, ONE, "x", SECOND)
    town.clock.advance(SECOND)
    (held,) = await claim(town)
    await set_timer(town, ONE, "x", SECOND)
    assert not await take(town, held)
    town.clock.advance(SECOND)
    (fresh,) = await claim(town)
    assert fresh.id != held.id
    assert not await take(town, held)
    assert await take(town, fresh)


async def test_a_clock_that_is_set_back_frees_what_dead_hands_hold(town: Town) -> None:
    await set_timer(town, ONE, "x", SECOND)
    town.clock.advance(timedelta(hours=3))
    (held,) = await claim(town)
    town.clock.advance(-timedelta(hours=2))
    (again,) = await claim(town)
    assert again.fence > held.fence
    assert not await take(town, held)
