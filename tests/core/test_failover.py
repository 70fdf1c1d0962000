"""The server dies under load and its follower takes its place: what was told to be kept is kept."""

import asyncio

from sqlalchemy.exc import IntegrityError

from core.database import engine
from core.database.engine import Database
from core.database.transaction import Transaction
from core.kernel.clock import HandClock
from core.kernel.errors import TemporaryError
from core.tickets.store import counters
from tests import postgres


async def write_on(database: Database, who: int, kept: list[str], enough: asyncio.Event) -> None:
    """Row after row, each tried until it is kept."""
    number = 0
    while not enough.is_set():
        number += 1
        name = f"{who}-{number}"

        async def work(tx: Transaction, name: str = name) -> None:
            await tx.execute(counters.insert().values(name=name, value=1))

        while name not in kept:
            try:
                await database.write(work)
            except TemporaryError:
                continue
            except IntegrityError:  # it was kept at a time when nobody could tell
                pass
            kept.append(name)


async def test_the_follower_goes_on_with_everything_that_was_kept() -> None:
    with postgres.another(durable=True) as first, first.standby() as second:
        first.create("desk")
        place = engine.place_of(
            f"postgresql+asyncpg://{postgres.USER}@127.0.0.1:{first.port},127.0.0.1:{second.port}/desk"
            "?target_session_attrs=read-write"
        )
        engine.prepare(place)
        database = Database(place, HandClock())
        kept: list[str] = []
        enough = asyncio.Event()
        writers = [asyncio.create_task(write_on(database, who, kept, enough)) for who in range(8)]
        while len(kept) < 200:
            await asyncio.sleep(0.01)
        await asyncio.to_thread(first.stop, "immediate")
        before = len(kept)
        await asyncio.to_thread(second.promote)
        async with asyncio.timeout(30):
            while len(kept) < before + 200:
                await asyncio.sleep(0.01)
        enough.set()
        await asyncio.gather(*writers)

        async def names(tx: Transaction) -> list[str]:
            return [row.name for row in await tx.all(counters.select())]

        assert set(kept) <= set(await database.read(names))
        assert len(kept) == len(set(kept))
        await database.close()
