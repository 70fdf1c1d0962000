"""How late pings are: tickets age on a running desk while people go on writing, and many at once."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

from bench import acknowledgements, backlog, process, rig
from bench.acknowledgements import PER_SECOND
from bench.report import Report, Row, quantile
from core.kernel.clock import WallClock

STEP = timedelta(hours=1)
"""After so long the first step of the desk's policy is due."""
AHEAD = timedelta(seconds=8)
"""Until then the desk has started."""
TICK = 1000.0
"""Milliseconds from one tick to the next: whatever falls due waits for half of that on the average."""
SHOWN = (
    "SELECT min(settled_at) FROM outbox WHERE state = 'sent' AND settled_at >= sent_at"
    " AND slot = 'ping:' || coalesce(together, pings.id)"
)
LATE = (
    f"SELECT (sent_at - due_at) / 1000.0, (({SHOWN}) - due_at) / 1000.0 FROM pings"
    " WHERE ticket_id >= ? AND ticket_id < ?"
)
PATIENCE = 120
"""Seconds after the load in which the last ping must have been shown."""


def _late(path: Path, begin: int, count: int) -> list[tuple[float, float | None]]:
    """Milliseconds from due to decided and to shown, of each ping."""
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute(LATE, (begin, begin + count)).fetchall()


async def _pinged(path: Path, begin: int, count: int) -> list[tuple[float, float]]:
    """The same, once every ticket was pinged and every ping shown."""
    for _ in range(PATIENCE * 2):
        found = [(decided, shown) for decided, shown in _late(path, begin, count) if shown is not None]
        if len(found) == count:
            return found
        await asyncio.sleep(0.5)
    raise AssertionError(f"{len(found)} of {count} pings were shown")


async def measure(place: Path, *, quick: bool) -> Report:
    steady, spread, burst = (5, 1, 5) if quick else (300, 10, 500)
    admitted, port = await acknowledgements.admit(place), process.free_port()
    begin = backlog.FIRST
    async with rig.desk(place) as house:
        first = WallClock().now() + AHEAD
        second = first + timedelta(seconds=spread + (1 if quick else 10))
        gap = timedelta(seconds=spread) / steady
        await backlog.pile(house, steady, at=first - STEP, gap=gap)
        await backlog.pile(house, burst, at=second - STEP, gap=timedelta(0), begin=begin + steady)
        path = house.database.path
    file = rig.written(place, f"[web]\nport = {port}\n")
    with process.running(["-m", "bot", "run", "--config", str(file)], port, "/readyz") as server:
        _in_time(first)
        seconds = (second - WallClock().now()).total_seconds() + (1 if quick else 20)
        acknowledged = await acknowledgements.load(server, admitted, "load", int(seconds * PER_SECOND))
        apart = await _pinged(path, begin, steady)
        together = await _pinged(path, begin + steady, burst)
    rows = []
    for what, late in (
        (f"{steady} due within {spread} s", apart),
        (f"{burst} due in the same instant", together),
    ):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            rows.append(Row(f"{what}: decided, {name}", quantile([d for d, _ in late], share), "ms", TICK))
            rows.append(Row(f"{what}: shown, {name}", quantile([s for _, s in late], share), "ms", TICK))
    rows.append(Row("acknowledged meanwhile, p99", quantile(acknowledged, 0.99), "ms"))
    title = f"Lateness of pings, {PER_SECOND} messages a second coming in (floor: from one tick to the next)"
    return Report(title, rows)


def _in_time(first: datetime) -> None:
    assert WallClock().now() < first, "the desk took too long to start"
