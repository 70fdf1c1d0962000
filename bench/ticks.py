"""The cost of a tick of the scheduler while more and more tickets are open: it must stay flat."""

import sqlite3
import statistics
import time
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from bench import backlog, rig
from bench.report import Report, Row
from bot.main import House
from core.kernel.clock import HandClock

DUE, ROUNDS, IDLE = 100, 3, 200
STEP = timedelta(hours=1)
"""After so long the first step of the desk's policy is due; the second only after the last round."""
QUERY = (
    "SELECT * FROM timers WHERE due_at <= ?"
    " AND (lease_until IS NULL OR lease_until <= ? OR lease_until > ?) ORDER BY due_at, id LIMIT 100"
)
"""What the scheduler asks."""


async def _timed(house: House, due: int) -> float:
    """Milliseconds of one tick, in which so many timers must fire."""
    began = time.perf_counter()
    fired = await house.scheduler.tick()
    took = time.perf_counter() - began
    assert fired == due, f"{fired} timers fired instead of {due}"
    return took * 1000


def _asked(path: Path, now: datetime, due: int) -> float:
    """Milliseconds of the indexed query alone, through plain sqlite3 on the same file at the same instant."""
    instant = (now - backlog.EPOCH) // backlog.MICROSECOND
    took = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for _ in range(IDLE):
            began = time.perf_counter()
            found = connection.execute(QUERY, (instant, instant, instant + 30_000_000)).fetchall()
            took.append((time.perf_counter() - began) * 1000)
            assert len(found) == due
    return statistics.median(took)


async def _of_size(place: Path, size: int, due: int) -> list[Row]:
    clock = HandClock()
    async with rig.desk(place, clock) as house:
        await backlog.pile(house, size)
        path = house.database.path
        busy, query = [], []
        for number in range(ROUNDS):
            first = backlog.FIRST + size + number * due
            await backlog.pile(house, due, at=clock.now(), gap=timedelta(0), begin=first)
            clock.advance(STEP)
            query.append(_asked(path, clock.now(), due))
            busy.append(await _timed(house, due))
        idle_query = _asked(path, clock.now(), 0)
        idle = [await _timed(house, 0) for _ in range(IDLE)]
    return [
        Row(f"{size} open tickets, {due} due", statistics.median(busy), "ms", statistics.median(query)),
        Row("floor: the indexed query alone", statistics.median(query), "ms"),
        Row(f"{size} open tickets, none due", statistics.median(idle), "ms", idle_query),
        Row("floor: the indexed query alone", idle_query, "ms"),
    ]


async def measure(place: Path, *, quick: bool) -> Report:
    sizes, due = ((50, 100), 5) if quick else ((1_000, 100_000, 1_000_000), DUE)
    rows = []
    for size in (10, *sizes):  # the first warms everything up and is not told
        with rig.folder() as fresh:
            rows.append(await _of_size(fresh, size, due))
    title = "A tick of the scheduler (floor: the indexed query alone, on the same file in the same run)"
    return Report(title, [row for each in rows[1:] for row in each])
