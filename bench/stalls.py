"""Acknowledgements while the database takes nothing for two seconds, because somebody else holds it."""

import asyncio
import sqlite3
import time
from contextlib import closing
from pathlib import Path

from bench import acknowledgements, process, rig
from bench.report import Report, Row, quantile

STALL = 2.0
"""Seconds."""
LENGTH = 150.0
"""Seconds, with one stall in them. What comes in its first half waits for more than a second, for nothing is
acknowledged before it is kept: that is one in 150, below the hundredth that p99 leaves out."""


def _hold(file: Path, seconds: float) -> None:
    """Nobody else can write so long."""
    with closing(sqlite3.connect(file, isolation_level=None, timeout=10)) as connection:
        connection.execute("BEGIN IMMEDIATE")
        time.sleep(seconds)
        connection.execute("ROLLBACK")


async def measure(place: Path, *, quick: bool) -> Report:
    length, stall = (2.0, 0.02) if quick else (LENGTH, STALL)
    admitted, port = await acknowledgements.admit(place), process.free_port()
    file = rig.written(place, f"[web]\nport = {port}\n")
    with process.running(["-m", "bot", "run", "--config", str(file)], port, "/readyz") as server:
        await acknowledgements.load(server, admitted, "warm", acknowledgements.PER_SECOND // 2)
        posts = int(length * acknowledgements.PER_SECOND)
        under_way = asyncio.create_task(acknowledgements.load(server, admitted, "load", posts))
        await asyncio.sleep(length / 2)
        await asyncio.to_thread(_hold, place / "desk.db", stall)
        waits = await under_way
    return Report(
        f"Acknowledgements, {acknowledgements.PER_SECOND} a second for {length:.0f} s, with a stall of"
        f" {stall:g} s in it (floor: the stall)",
        [
            Row(f"acknowledged, {name}", quantile(waits, share), "ms", stall * 1000)
            for name, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("the longest", 1.0))
        ],
    )
