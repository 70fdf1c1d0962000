"""The desk at Telegram without a web server: as the product builds it, with or without its pace."""

import asyncio
import signal
import sys
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

from bot import config, main
from bot.pace import Pace
from core.database import engine
from core.database.engine import Database
from core.kernel.clock import WallClock


class Unpaced(Pace):
    """The floor keeps no pace, so beside it neither does the desk."""

    def take(self, gaps: Mapping[str, timedelta], lane: str, *, urgent: bool = False) -> bool:
        return True


async def ended(*tasks: asyncio.Task[None]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def serve(file: Path, pace: Pace) -> None:
    settings = config.load(file, {})
    lock = engine.prepare(settings.database.place)
    clock = WallClock()
    database = Database(settings.database.place, clock)
    house = main.build(settings, database, clock, pace=pace)
    await house.desk.open()
    main.settle_memory()
    working = [asyncio.create_task(part) for part in (house.router.run(), house.delivery.run())]
    hearing = asyncio.create_task(house.adapters["telegram"].run(house.router))
    stop = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, stop.set)
    await stop.wait()
    await ended(*working)
    await house.router.drain()
    await house.delivery.drain()
    await ended(hearing)
    await database.close()
    lock.release()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), Pace() if sys.argv[2] == "paced" else Unpaced()))
