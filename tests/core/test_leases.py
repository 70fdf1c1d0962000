"""Leases: one holder at a time, a new fence with each, checked at the write; and who of the others lives."""

from datetime import timedelta

import pytest

from core import replicas
from core.database.transaction import Transaction
from core.kernel.errors import NotOurs
from core.leases import actions as leases
from core.leases import store
from core.leases.model import EVERY, GAP, HOLD, SILENT, Lease, Replica, Watch
from tests.town import Town

SECOND = timedelta(seconds=1)


def replica(town: Town, name: str) -> Replica:
    return Replica(name, "1", "0009", 1, town.clock.now())


async def come(town: Town, *names: str) -> None:
    for name in names:
        await town.database.write(lambda tx, name=name: leases.beat(tx, replica(town, name)))


async def take(town: Town, holder: str, name: str = "x") -> Lease | None:
    return await town.database.write(lambda tx: leases.take(tx, name, holder, HOLD))


async def check(town: Town, lease: Lease) -> bool:
    try:
        await town.database.write(lambda tx: leases.check(tx, lease))
    except NotOurs:
        return False
    return True


# ---- leases


async def test_one_has_it_until_it_is_over_and_the_next_has_another_fence(town: Town) -> None:
    await come(town, "a", "b")
    held = await take(town, "a")
    assert held is not None
    assert await take(town, "b") is None
    town.clock.advance(HOLD - timedelta(microseconds=1))
    assert await take(town, "b") is None
    town.clock.advance(timedelta(microseconds=1))
    taken = await take(town, "b")
    assert taken is not None
    assert taken.fence > held.fence
    assert not await check(town, held)
    assert await check(town, taken)


async def test_whoever_has_it_renews_it_and_keeps_the_fence(town: Town) -> None:
    await come(town, "a", "b")
    held = await take(town, "a")
    assert held is not None
    for _ in range(5):
        town.clock.advance(HOLD - SECOND)
        again = await take(town, "a")
        assert again is not None
        assert again.fence == held.fence
    assert await take(town, "b") is None
    assert await check(town, held)


async def test_a_lease_that_went_to_another_can_neither_be_renewed_nor_let_go(town: Town) -> None:
    await come(town, "a", "b")
    held = await take(town, "a")
    town.clock.advance(HOLD)
    taken = await take(town, "b")
    assert held is not None
    assert taken is not None
    with pytest.raises(NotOurs):
        await town.database.write(lambda tx: leases.renew(tx, held, HOLD))
    await town.database.write(lambda tx: leases.let_go(tx, held))
    assert await check(town, taken)


async def test_what_is_let_go_is_free_at_once_and_has_another_fence(town: Town) -> None:
    await come(town, "a", "b")
    held = await take(town, "a")
    assert held is not None
    await town.database.write(lambda tx: leases.let_go(tx, held))
    assert not await check(town, held)
    taken = await take(town, "b")
    assert taken is not None
    assert taken.fence > held.fence


async def test_nothing_of_a_transaction_holds_whose_lease_is_another_s(town: Town) -> None:
    await come(town, "a", "b")
    held = await take(town, "a")
    town.clock.advance(HOLD)
    await take(town, "b")

    async def work(tx: Transaction) -> None:
        await leases.take(tx, "written with it", "a", HOLD)
        assert held is not None
        await leases.check(tx, held)

    with pytest.raises(NotOurs):
        await town.database.write(work)
    assert await town.database.write(lambda tx: store.of(tx, "written with it")) is None


async def test_a_clock_that_is_set_back_makes_no_lease_last_longer(town: Town) -> None:
    await come(town, "a", "b")
    town.clock.advance(timedelta(hours=3))
    await take(town, "a")
    town.clock.advance(-timedelta(hours=2))
    assert await take(town, "b") is not None


async def test_a_lease_of_somebody_who_lives_no_more_is_free(town: Town) -> None:
    await come(town, "b")
    assert await take(town, "never came") is not None
    assert await take(town, "b") is not None


# ---- who lives


async def test_who_leaves_has_nothing_any_more(town: Town) -> None:
    await come(town, "a", "b")
    held = await take(town, "a")
    assert held is not None
    await town.database.write(lambda tx: replicas.leave(tx, "a"))
    assert not await check(town, held)
    assert [each.id for each in await town.database.read(store.all_replicas)] == ["b"]


async def test_who_has_said_something_meanwhile_is_not_buried(town: Town) -> None:
    await come(town, "a", "b")
    silent = await town.database.read(store.all_replicas)
    await come(town, "a")
    me = replica(town, "b")
    found = await town.database.write(lambda tx: replicas.beat(tx, me, silent, {}))
    assert [each.id for each in found.living] == ["a", "b"]


def found(**beats: int) -> list[Replica]:
    return [Replica(name, "", "", count, None) for name, count in beats.items()]  # type: ignore[arg-type]


def test_who_says_nothing_for_long_enough_is_silent_and_nobody_else() -> None:
    watch, now, step = Watch(), 100.0, EVERY.total_seconds()
    for beat in range(4):
        assert watch.silent(found(dead=7, well=beat), now + beat * step) == frozenset()
    assert watch.silent(found(dead=7, well=4), now + SILENT.total_seconds()) == {"dead"}
    assert watch.silent(found(dead=8, well=4), now + SILENT.total_seconds() + step) == frozenset()


def test_time_in_which_the_watcher_could_not_look_counts_as_no_more_than_a_moment() -> None:
    watch = Watch()
    assert watch.silent(found(other=7), 0.0) == frozenset()
    assert watch.silent(found(other=7), 3600.0) == frozenset()
    left = SILENT - GAP
    assert watch.silent(found(other=7), 3600.0 + left.total_seconds() / 2) == frozenset()
    assert watch.silent(found(other=7), 3600.0 + left.total_seconds()) == {"other"}
