"""What piled up at one messenger while the desk was away, and how those at another are served meanwhile."""

import asyncio
import contextlib
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

from bench import acknowledgements, process, rig
from bench.process import Running
from bench.report import Report, Row, quantile
from tests.emulators.telegram import Telegram

PEOPLE = 500
FIRST = 2_000_000
WITHIN = 300.0
LEFT = "SELECT count(*) FROM inbox WHERE platform = 'telegram' AND state = 'done'"
"""How much was handled."""
SECTION = """
[telegram]
token = "{telegram.token}"
api_url = "{telegram.url}"

[web]
port = {port}
"""


@contextlib.asynccontextmanager
async def _running(telegram: Telegram, place: Path) -> AsyncIterator[Running]:
    """The desk at both messengers in a process of its own; the emulator goes on while it starts."""
    port = process.free_port()
    file = rig.written(place, SECTION.format(telegram=telegram, port=port))
    desk = process.running(["-m", "bot", "run", "--config", str(file)], port, "/livez")
    server = await asyncio.to_thread(desk.__enter__)
    try:
        yield server
    finally:
        await asyncio.to_thread(desk.__exit__, None, None, None)


async def _drained(file: Path, count: int) -> float:
    """When so many updates were handled, on the performance counter."""
    over = time.perf_counter() + WITHIN
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        while connection.execute(LEFT).fetchone()[0] < count:
            if time.perf_counter() > over:
                raise RuntimeError(f"the backlog is not handled within {WITHIN:.0f} s")
            await asyncio.sleep(0.1)
    return time.perf_counter()


async def measure(place: Path, *, quick: bool) -> Report:
    count = 100 if quick else 10_000
    admitted = await acknowledgements.admit(place)
    async with Telegram() as telegram:
        people = [telegram.user(FIRST + each, language_code="en", started=True) for each in range(PEOPLE)]
        for number in range(count):
            await people[number % PEOPLE].send(f"Piled up: message {number}")
        began = time.perf_counter()
        async with _running(telegram, place) as server:
            posts = 25 if quick else 20 * acknowledgements.PER_SECOND
            beside = asyncio.create_task(acknowledgements.load(server, admitted, "beside", posts))
            took = await _drained(place / "desk.db", count) - began
            waits, memory = await beside, server.memory
    return Report(
        f"{count} updates piled up at Telegram, {acknowledgements.PER_SECOND} posts a second on the page"
        " (beside: the limits)",
        (
            Row("from the start until all are handled", took, "s", 60),
            Row("updates handled meanwhile", count / took, "1/s"),
            Row("posts acknowledged meanwhile, p50", quantile(waits, 0.5), "ms"),
            Row("posts acknowledged meanwhile, p99", quantile(waits, 0.99), "ms", 3000),
            Row("posts acknowledged meanwhile, the longest", max(waits), "ms", 3000),
            Row("resident memory afterwards", memory, "MB", 250),
        ),
    )
