"""One replica: the whole desk but for the web, as a process that can be killed, stopped and ended."""

import asyncio
import contextlib
import importlib.util
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from bot import main
from bot.adapters.port import Raw
from bot.pace import Pace
from core.kernel.errors import TemporaryError
from tests.simulation.database import Front
from tests.simulation.loop import Process
from tests.simulation.platforms import Adapter

if TYPE_CHECKING:
    from tests.simulation.world import World

alive: Any = importlib.import_module("bot.replica") if importlib.util.find_spec("bot.replica") else None
"""How processes know of each other, in versions of the desk that have several."""
TICK, AUDIT, SWEEP = 1.0, 180.0, 6 * 3600.0
SKEWS = tuple(timedelta(seconds=off) for off in (0, 0, 0.4, -0.4, 3, -3, 8))


class Replica:
    """Begun as soon as it is made."""

    def __init__(self, world: "World", name: str) -> None:
        self.world = world
        self.name = name
        self.process = Process(name, world.loop)
        self.skew = world.chance.choice(SKEWS) if world.replicas > 1 else SKEWS[0]
        """So far its machine's clock is off."""
        self.front = Front(world.server, self.process, self.now, shared=world.replicas > 1)
        self.open = False
        self.leaving = False
        self._working: list[asyncio.Task[Any]] = []
        self.house = self.process.context.run(self._build)
        self.process.start(self._run())

    def now(self) -> datetime:
        return self.world.now() + self.skew

    def _build(self) -> Any:
        world = self.world
        build: Any = main.build
        more: dict[str, Any] = {}
        if alive:
            more["replica"] = alive.Replica(self.front, monotonic=world.loop.time)
            more["replica"]._upgraded = True  # this database is nobody's file
        house: Any = build(world.settings, self.front, self, pace=Pace(world.loop.time), **more)
        adapters: dict[str, Any] = house.adapters
        for platform in world.platforms.values():
            adapters[platform.name] = Adapter(platform, self.process)
        return house

    @property
    def hears(self) -> bool:
        return self.open and not self.leaving and self.process.alive and not self.process.stopped

    async def _run(self) -> None:
        while not self.open:
            try:
                if alive:
                    await self.house.replica.beat()
                await self.house.desk.open()
                self.open = True
            except TemporaryError:
                await asyncio.sleep(1.0)
        self._working = [
            asyncio.create_task(part)
            for part in (
                self.house.router.run(),
                self.house.delivery.run(),
                self._again(self.house.scheduler.tick, TICK),
                self._again(self._audit, AUDIT),
                self._again(self.house.sweep.run, SWEEP),
                *([self.house.replica.run()] if alive else []),
            )
        ]
        for task in self._working:
            task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[Any]) -> None:
        if not self.leaving and not task.cancelled():
            self.world.fail(f"a part of {self.name} ended: {task.exception()!r}")

    async def _audit(self) -> None:
        await (self.house.audit.run_in_turn() if alive else self.house.audit.run())

    async def _again(self, act: Any, every: float) -> None:
        while True:
            if every > TICK:
                await asyncio.sleep(every)
            with contextlib.suppress(TemporaryError):
                await act()
            if every <= TICK:
                await asyncio.sleep(every)

    def hear(self, platform: str, events: list[Raw], done: Any) -> None:
        """The platform's request; `done` is told True once it is answered well."""
        self.process.start(self._hear(platform, events, done))

    async def _hear(self, platform: str, events: list[Raw], done: Any) -> None:
        try:
            await self.house.router.accept(platform, "desk", events)
        except TemporaryError:
            self.world.loop.outside(0.01, done, False)
        else:
            self.world.loop.outside(0.01, done, True)

    def leave(self) -> None:
        """SIGTERM: what is under way is finished, for five seconds at most."""
        self.leaving = True
        self.process.start(self._leave())

    async def _leave(self) -> None:
        for task in self._working:
            task.cancel()
        await asyncio.gather(*self._working, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(main.DRAIN):
                await self.house.router.drain()
                await self.house.delivery.drain()
        if alive:
            await self.house.replica.leave()
        self.process.kill()
        self.world.note("left", self.name)
