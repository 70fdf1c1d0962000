"""The cost of a tick of the scheduler while more and more tickets are open: it must stay flat."""

import sqlite3
import statistics
import time
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from bench import backlog, floor, rig
from bench.report import Report, Row
from bot.main import House
from core.database.transaction import Transaction
from core.kernel.clock import HandClock
from core.kernel.ids import Identity
from core.people import actions as people
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets.catalogue import Priority

DUE, ROUNDS, IDLE = 10, 3, 200
STEP = timedelta(hours=1)
"""After so long the first step of the desk's policy is due; the second only after the last round."""


async def _open(house: House) -> None:
    """Tickets whose first ping is due after one STEP."""

    async def work(tx: Transaction) -> None:
        person = await people.meet(tx, Identity("web", "ivan"), name="Ivan", language="en")
        actor = Actor(person, "web")
        for _ in range(DUE):
            await tickets.open_ticket(
                tx, actor, type_name="network", text="VPN", priority=Priority.NORMAL, home="web:u-ivan"
            )

    await house.database.write(work)


async def _timed(house: House, due: int) -> float:
    """Milliseconds of one tick, in which so many timers must fire."""
    began = time.perf_counter()
    fired = await house.scheduler.tick()
    took = time.perf_counter() - began
    assert fired == due, f"{fired} timers fired instead of {due}"
    return took * 1000


async def _of_size(place: Path, size: int) -> list[Row]:
    clock = HandClock()
    async with rig.desk(place, clock) as house:
        await backlog.pile(house, size)
        busy = []
        for _ in range(ROUNDS):
            await _open(house)
            clock.advance(STEP)
            busy.append(await _timed(house, DUE))
        idle = [await _timed(house, 0) for _ in range(IDLE)]
    bare = _bare(place / "bare.db", size)
    return [
        Row(f"{size} open tickets, {DUE} due", statistics.median(busy), "ms", bare),
        Row(f"{size} open tickets, none due", statistics.median(idle), "ms"),
    ]


def _bare(path: Path, size: int) -> float:
    """Milliseconds in which plain sqlite3 finds and removes DUE of so many timers."""
    took = []
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for pragma in floor.PRAGMAS:
            connection.execute(pragma)
        connection.execute("CREATE TABLE bare (id INTEGER PRIMARY KEY, due_at INTEGER)")
        connection.execute("CREATE INDEX ix ON bare (due_at)")
        connection.execute("BEGIN")
        connection.executemany("INSERT INTO bare (due_at) VALUES (?)", ((each,) for each in range(size * 2)))
        connection.execute("COMMIT")
        for _ in range(IDLE):
            began = time.perf_counter()
            connection.execute("BEGIN IMMEDIATE")
            query = "SELECT id FROM bare WHERE due_at <= ? ORDER BY due_at LIMIT ?"
            found = connection.execute(query, (size * 3, DUE)).fetchall()
            connection.executemany("DELETE FROM bare WHERE id = ?", found)
            connection.execute("COMMIT")
            took.append((time.perf_counter() - began) * 1000)
    return statistics.median(took)


async def measure(place: Path, *, quick: bool) -> Report:
    sizes = (50, 100) if quick else (1_000, 10_000, 100_000)
    rows = []
    for size in (10, *sizes):  # the first warms everything up and is not told
        with rig.folder() as fresh:
            rows.append(await _of_size(fresh, size))
    title = "A tick of the scheduler (floor: plain sqlite3 finds and removes as many due rows)"
    return Report(title, [row for each in rows[1:] for row in each])
