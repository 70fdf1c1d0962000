"""An audit of many unclosed tickets: how long it takes, and how long anybody else waits for the writer."""

import asyncio
import contextlib
import time
from functools import partial
from pathlib import Path

from sqlalchemy import text

from bench import backlog, rig
from bench.report import Report, Row, quantile
from bot.audit import MENDED_TOGETHER
from bot.main import House
from core.audit import actions, queries
from core.database.transaction import Transaction
from core.kernel.clock import HandClock
from core.kernel.ids import TicketId

EVERY = 0.005
"""Seconds between two who want to write."""


async def _nothing(tx: Transaction) -> None:
    """A transaction that asks for nothing but its turn."""


async def _waits(house: House, waited: list[float]) -> None:
    """Milliseconds that others wait for the writer, again and again."""
    while True:
        began = time.perf_counter()
        await house.database.write(_nothing)
        waited.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(EVERY)


async def _beside(house: House, work: asyncio.Future[object]) -> list[float]:
    waited: list[float] = []
    others = asyncio.create_task(_waits(house, waited))
    await work
    others.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await others
    return waited


async def _looked_through(house: House, size: int) -> float:
    """Seconds in which all stretches are looked at without a rest in between."""
    began, seen, place = time.perf_counter(), 0, queries.FIRST
    while place is not None:
        stretch = await house.database.survey(partial(actions.look, after=place, limit=500))
        seen, place = seen + stretch.seen, stretch.then
        assert not stretch.found, stretch.found[:3]
    assert seen == size
    return time.perf_counter() - began


async def _mended(house: House, count: int) -> None:
    """Mend so many tickets as an audit does."""
    numbers = [TicketId(backlog.FIRST + each) for each in range(count)]
    for first in range(0, count, MENDED_TOGETHER):
        some = numbers[first : first + MENDED_TOGETHER]
        mended = await house.database.write(partial(actions.mend, numbers=some))
        assert len(mended) == len(some)
        assert not any(each.left for each in mended)


async def measure(place: Path, *, quick: bool) -> Report:
    size, broken = (60, 20) if quick else (100_000, 1_000)
    async with rig.desk(place, HandClock()) as house:
        await backlog.pile(house, size)
        alone = await _beside(house, asyncio.ensure_future(asyncio.sleep(0.2 if quick else 3)))
        looked = await _looked_through(house, size)
        cpu, began = time.process_time(), time.perf_counter()
        waited = await _beside(house, asyncio.ensure_future(house.audit.run()))
        cpu, took = time.process_time() - cpu, time.perf_counter() - began
        damage = text("DELETE FROM timers WHERE ticket_id < :last AND kind = 'due'")
        last = {"last": backlog.FIRST + broken}
        await house.database.write(lambda tx: tx.execute(damage, last))
        mending = await _beside(house, asyncio.ensure_future(_mended(house, broken)))
    least = max(alone)
    return Report(
        f"An audit of {size} unclosed tickets",
        (
            Row("all stretches, without a rest in between", looked, "s"),
            Row("an audit, half of the time left to others", took, "s", looked),
            Row("processor time of it", cpu / size * 1e6, "µs/ticket"),
            Row("a write beside it, p99", quantile(waited, 0.99), "ms", quantile(alone, 0.99)),
            Row("a write beside it, the longest", max(waited), "ms", least),
            Row(f"a write while {broken} are mended, the longest", max(mending), "ms", least),
            Row("a write beside nothing, p99", quantile(alone, 0.99), "ms"),
            Row("a write beside nothing, the longest", least, "ms"),
        ),
    )
