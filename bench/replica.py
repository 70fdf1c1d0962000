"""One process of a desk that several serve, with guests of its own, as the benchmarks start it.

Reads one line for each crowd, `first last` (the guests' numbers), and answers each with a line of JSON once
all that was said anywhere in the desk has been answered.
"""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path
from typing import Any

from bench import conversations, process
from bot import config, main
from bot.main import House
from core.database import engine
from core.database.engine import Database
from core.database.postgresql import ServerLine
from core.kernel.clock import WallClock


class Trips:
    """How many times a server was asked."""

    def __init__(self) -> None:
        self.count = 0
        usual: Any = ServerLine._ask

        async def ask(line: ServerLine, answer: Awaitable[Any]) -> Any:
            self.count += 1
            return await usual(line, answer)

        ServerLine._ask = ask  # type: ignore[method-assign, assignment]


@contextlib.asynccontextmanager
async def opened(file: Path) -> AsyncIterator[House]:
    """The desk at work, one of several."""
    settings = config.load(file, {})
    engine.prepare(settings.database.place)
    database = Database(settings.database.place)
    house = main.build(settings, database, WallClock())
    await house.desk.open()
    await house.replica.beat()
    main.settle_memory()
    parts = (database.hear(), house.replica.run(), house.router.run(), house.delivery.run())
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        yield house
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await house.router.drain()
        await house.delivery.drain()
        await house.replica.leave()
        await database.close()


async def serve(file: Path) -> None:
    trips = Trips()
    async with opened(file) as house:
        print("ready", flush=True)
        while line := await asyncio.to_thread(sys.stdin.readline):
            first, last = map(int, line.split())
            cpu, asked = time.process_time(), trips.count
            await conversations.crowd(house, [f"guest{number}" for number in range(first, last)])
            spent = {
                "cpu": time.process_time() - cpu,
                "trips": trips.count - asked,
                "memory": process.peak(),
            }
            print(json.dumps(spent), flush=True)


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
