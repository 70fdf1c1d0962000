"""What the database promises to every action, whichever database it is."""

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError

from core.database.schema import Serial
from core.database.transaction import Transaction, Work
from core.kernel.errors import TemporaryError, UserError
from core.kernel.ids import TicketId
from core.tickets.store import counters
from core.timers import actions as timers
from core.timers import store as timer_store
from tests.contract.databases import Stand
from tests.contract.rig import BULKY
from tests.contract.texts import TEXTS


def add(name: str, value: int = 1) -> Work[None]:
    async def work(tx: Transaction) -> None:
        await tx.execute(counters.insert().values(name=name, value=value))

    return work


def then(*works: Work[Any], fails: Exception | None = None) -> Work[None]:
    """One transaction of several works, which may fail after them."""

    async def work(tx: Transaction) -> None:
        for each in works:
            await each(tx)
        if fails is not None:
            raise fails

    return work


async def value(tx: Transaction, name: str) -> int | None:
    found: int | None = await tx.scalar(sqlalchemy.select(counters.c.value).where(counters.c.name == name))
    return found


async def names(stand: Stand) -> list[str]:
    async def look(tx: Transaction) -> list[str]:
        return [row.name for row in await tx.all(counters.select().order_by(counters.c.name))]

    return await stand.database.read(look)


async def test_no_update_is_lost(stand: Stand) -> None:
    await stand.database.write(add("n", 0))

    async def grow(tx: Transaction) -> None:
        before = await value(tx, "n")
        assert before is not None
        await tx.execute(counters.update().where(counters.c.name == "n").values(value=before + 1))

    async def grow_often() -> None:
        for _ in range(40):
            await stand.database.write(grow)

    await asyncio.gather(*(grow_often() for _ in range(8)))
    assert await stand.database.read(lambda tx: value(tx, "n")) == 320


async def test_what_is_written_is_read_once_write_returns(stand: Stand) -> None:
    async def answer(tx: Transaction) -> str:
        await add("n")(tx)
        return "done"

    assert await stand.database.write(answer) == "done"
    assert await names(stand) == ["n"]


async def test_a_failed_transaction_raises_its_own_error_and_changes_nothing(stand: Stand) -> None:
    with pytest.raises(UserError, match=r"text\.empty"):
        await stand.database.write(then(add("n"), add("m"), fails=UserError("text.empty")))
    assert await names(stand) == []


async def test_a_failed_transaction_does_not_harm_those_committed_together_with_it(stand: Stand) -> None:
    answers = await stand.together(
        add("a"),
        then(add("b"), fails=UserError("text.empty")),
        add("c"),
        then(add("d"), fails=KeyError("x")),
        add("e"),
    )
    assert [type(answer) for answer in answers] == [type(None), UserError, type(None), KeyError, type(None)]
    assert await names(stand) == ["a", "c", "e"]


async def test_a_broken_constraint_of_one_leaves_the_others(stand: Stand) -> None:
    answers = await stand.together(add("a"), then(add("b"), add("a")), add("c"), add("c"))
    assert [type(answer) for answer in answers] == [type(None), IntegrityError, type(None), IntegrityError]
    assert await names(stand) == ["a", "c"]


async def test_what_does_not_fit_on_the_disk_is_temporary_and_takes_nobody_with_it(stand: Stand) -> None:
    def bulky(name: str) -> Work[None]:
        return add(name + BULKY)

    await stand.database.write(stand.full())
    answers = await stand.together(add("a"), bulky("b"), add("c"))
    assert [type(answer) for answer in answers] == [type(None), TemporaryError, type(None)]
    assert await names(stand) == ["a", "c"]


async def test_a_savepoint_undoes_its_own_alone(stand: Stand) -> None:
    async def inside(tx: Transaction) -> None:
        async with tx.savepoint():
            await add("inside")(tx)
            async with tx.savepoint():
                await add("deeper")(tx)
            raise UserError("text.empty")

    async def work(tx: Transaction) -> None:
        await add("before")(tx)
        with pytest.raises(UserError):
            await inside(tx)
        async with tx.savepoint():
            await add("kept")(tx)
        await add("after")(tx)

    await stand.database.write(work)
    assert await names(stand) == ["after", "before", "kept"]


async def test_a_savepoint_heals_a_broken_constraint(stand: Stand) -> None:
    async def work(tx: Transaction) -> None:
        await add("n")(tx)
        with pytest.raises(IntegrityError):
            async with tx.savepoint():
                await add("n")(tx)
        await add("m")(tx)

    await stand.database.write(work)
    assert await names(stand) == ["m", "n"]


async def test_a_bell_rings_once_what_it_tells_of_is_committed(stand: Stand) -> None:
    heard, other = stand.database.bells.listen("post", "door"), stand.database.bells.listen("other")
    within = []

    async def work(tx: Transaction) -> None:
        tx.ring("post")
        await add("n")(tx)
        within.append(heard.is_set())

    waiting = asyncio.create_task(heard.wait())
    await stand.database.write(work)
    await asyncio.wait_for(waiting, 5)
    assert within == [False]
    assert await names(stand) == ["n"]
    assert not other.is_set()


async def test_no_bell_rings_for_what_was_rolled_back(stand: Stand) -> None:
    heard = stand.database.bells.listen("post")

    async def ring(tx: Transaction) -> None:
        tx.ring("post")

    async def inside(tx: Transaction) -> None:
        async with tx.savepoint():
            tx.ring("post")
            raise UserError("text.empty")

    async def undone(tx: Transaction) -> None:
        with pytest.raises(UserError):
            await inside(tx)

    answers = await stand.together(then(ring, fails=UserError("text.empty")), undone, add("n"))
    assert isinstance(answers[0], UserError)
    assert not heard.is_set()


async def test_a_read_is_a_stable_snapshot(stand: Stand) -> None:
    await stand.database.write(add("n", 1))

    async def look(tx: Transaction) -> tuple[int | None, int | None]:
        before = await value(tx, "n")
        await stand.database.write(change)
        return before, await value(tx, "n")

    async def change(tx: Transaction) -> None:
        await tx.execute(counters.update().values(value=2))

    assert await stand.database.read(look) == (1, 1)
    assert await stand.database.read(lambda tx: value(tx, "n")) == 2


async def test_reads_and_writes_do_not_wait_for_each_other(stand: Stand) -> None:
    async def look(tx: Transaction) -> int | None:
        await value(tx, "n0")
        async with asyncio.timeout(5):
            await asyncio.gather(*(stand.database.write(add(f"n{place}")) for place in range(20)))
            assert len(await names(stand)) == 20
        return await value(tx, "n0")

    assert await stand.database.read(look) is None


async def test_a_read_cannot_write(stand: Stand) -> None:
    with pytest.raises(DBAPIError):
        await stand.database.read(add("n"))
    assert await names(stand) == []


async def test_work_that_awaits_anything_but_the_database_is_refused_and_undone(stand: Stand) -> None:
    async def work(tx: Transaction) -> None:
        await add("n")(tx)
        await asyncio.sleep(0)

    with pytest.raises(RuntimeError, match="only the database"):
        await stand.database.write(work)
    await stand.database.write(add("m"))
    assert await names(stand) == ["m"]


async def test_whoever_stops_waiting_does_not_stop_the_transaction(stand: Stand) -> None:
    task = asyncio.create_task(stand.database.write(add("n")))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await stand.database.write(add("m"))
    assert await names(stand) == ["m", "n"]


async def test_closing_finishes_what_is_in_line(stand: Stand) -> None:
    tasks = [asyncio.create_task(stand.database.write(add(f"n{place}"))) for place in range(100)]
    await asyncio.sleep(0)
    await stand.database.close()
    assert await asyncio.gather(*tasks) == [None] * 100


async def test_an_instant_comes_back_to_the_microsecond_in_utc(stand: Stand) -> None:
    moscow = datetime(2026, 3, 2, 12, 0, 0, 123_457, tzinfo=timezone(timedelta(hours=3)))
    instants = [
        moscow,
        datetime(1969, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC),
        datetime.max.replace(tzinfo=UTC),
    ]

    async def keep(tx: Transaction) -> None:
        for place, at in enumerate(instants):
            await timers.set_timer(tx, TicketId(place), "close", at)

    await stand.database.write(keep)

    async def look(tx: Transaction) -> list[datetime]:
        found = [await timer_store.of_ticket(tx, TicketId(place), "close") for place in range(len(instants))]
        return [timer.due_at for [timer] in found]

    kept = await stand.database.read(look)
    assert kept == instants
    assert {at.tzinfo for at in kept} == {UTC}


async def test_every_text_comes_back_as_it_was(stand: Stand) -> None:
    texts = [*TEXTS.values(), "", "\ufffd\u2400", "\U0010ffff"]
    await stand.database.write(then(*(add(text) for text in texts)))
    assert sorted(await names(stand)) == sorted(texts)


ASKED = sqlalchemy.select(counters.c.name).order_by(counters.c.name)


async def test_what_is_recalled_is_true_after_each_write_and_each_undoing(stand: Stand) -> None:
    async def recalled(tx: Transaction) -> list[str]:
        return [row.name for row in await tx.recall(ASKED, {})]

    async def work(tx: Transaction) -> list[list[str]]:
        found = [await recalled(tx)]
        await tx.execute(counters.insert(), {"name": "a", "value": 1})
        found.append(await recalled(tx))
        with contextlib.suppress(UserError):
            async with tx.savepoint():
                await tx.execute(counters.insert(), {"name": "b", "value": 1})
                found.append(await recalled(tx))
                raise UserError("text.empty")
        return [*found, await recalled(tx)]

    assert await stand.database.write(work) == [[], ["a"], ["a", "b"], ["a"]]


async def keep(tx: Transaction, new: list[str]) -> None:
    await tx.execute(counters.insert(), [{"name": name, "value": len(new)} for name in new])


async def test_what_is_kept_for_later_is_written_together_and_seen_by_whoever_asks(stand: Stand) -> None:
    async def work(tx: Transaction) -> list[str]:
        tx.later(counters.name, keep, "a")
        tx.later(counters.name, keep, "b")
        seen = [row.name for row in await tx.all(ASKED)]
        tx.later(counters.name, keep, "c")
        return seen

    assert await stand.database.write(work) == ["a", "b"]
    assert await names(stand) == ["a", "b", "c"]


async def test_what_is_kept_for_later_is_undone_with_its_savepoint_and_only_that(stand: Stand) -> None:
    async def work(tx: Transaction) -> None:
        tx.later(counters.name, keep, "before")
        with contextlib.suppress(UserError):
            async with tx.savepoint():
                tx.later(counters.name, keep, "inside")
                await tx.all(ASKED)
                raise UserError("text.empty")

    await stand.database.write(work)
    assert await names(stand) == ["before"]


async def test_what_no_database_may_hold_is_made_visible_on_each_of_them(stand: Stand) -> None:
    for spoilt, kept in (("a\0b", "a\u2400b"), ("c\ud83d", "c\ufffd"), ("\ud83d\ude00", "😀")):
        await stand.database.write(add(spoilt, 7))
        assert await stand.database.read(lambda tx, name=spoilt: value(tx, name)) == 7
        assert kept in await names(stand)


@pytest.mark.parametrize("asked_before", [0, 2])
async def test_a_number_that_no_column_holds_fails_whoever_asks_and_nobody_else(
    stand: Stand, asked_before: int
) -> None:
    """It may not count as trouble of the database: then it would be tried again for ever."""
    asked = counters.select().where(counters.c.value == sqlalchemy.bindparam("wanted", type_=Serial))

    async def work(tx: Transaction, wanted: int) -> int:
        return len(await tx.all(asked, {"wanted": wanted}))

    for _ in range(asked_before):
        assert await stand.database.write(lambda tx: work(tx, 1)) == 0
    for way in (stand.database.write, stand.database.read):
        with pytest.raises((OverflowError, DataError)) as told:
            await way(lambda tx: work(tx, 2**70))
        assert str(2**70) not in str(told.value)
        assert await way(lambda tx: work(tx, 1)) == 0
