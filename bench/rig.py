"""A desk on a fresh file in a folder of its own: built as the product builds it, without a web server."""

import asyncio
import contextlib
import gc
import os
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

from bot import config, main
from bot.main import House
from core.database import engine
from core.database.engine import Database
from core.kernel.clock import Clock, WallClock

DATABASE = "DESKBRIDGE_BENCH_DATABASE"
"""Names an empty PostgreSQL database to be measured instead of a file."""
DESK = """
[[people]]
name = "Anna Smirnova"
identities = ["web:anna"]
roles = ["agent"]

[[people]]
name = "Maria Lebedeva"
identities = ["web:maria"]
roles = ["lead"]

[[request_types]]
name = "network"
title = "Network"
keywords = ["vpn"]
questions = [
  { name = "where", text = "Where are you?", options = ["The office", "Home"] },
  { name = "others", text = "Who is affected?", options = ["Only me", "Everybody"] },
]

[[escalations]]
name = "usual"
steps = [
  { after = "1h", of = "unclaimed", whom = "agents" },
  { after = "4h", of = "unclaimed", whom = "lead" },
]
"""


@contextlib.contextmanager
def folder() -> Iterator[Path]:
    """A place for the files of one measurement."""
    with tempfile.TemporaryDirectory(prefix="deskbridge-bench-") as name:
        yield Path(name)


def written(place: Path, extra: str = "") -> Path:
    """The configuration of the desk that is measured, as a file."""
    file = place / "config.toml"
    url = os.environ.get(DATABASE) or f"sqlite+aiosqlite:///{place}/desk.db"
    database = f'[database]\nurl = "{url}"\n'
    file.write_text(database + extra + DESK, encoding="utf-8")
    return file


@contextlib.asynccontextmanager
async def desk(place: Path, clock: Clock | None = None) -> AsyncIterator[House]:
    """A desk that is open but does nothing by itself."""
    settings = config.load(written(place), {})
    lock = engine.prepare(settings.database.place)
    clock, often = clock or WallClock(), gc.get_threshold()
    database = Database(settings.database.place, clock)
    try:
        house = main.build(settings, database, clock)
        await house.desk.open()
        main.settle_memory()
        yield house
    finally:
        gc.unfreeze()
        gc.set_threshold(*often)
        await database.close()
        lock.release()


@contextlib.asynccontextmanager
async def at_work(house: House) -> AsyncIterator[None]:
    """The desk handles and delivers while the block runs."""
    tasks = [asyncio.create_task(part) for part in (house.router.run(), house.delivery.run())]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await house.router.drain()
        await house.delivery.drain()
