"""Several processes of one desk in a test: each a house of its own over one database, with one hand-turned
clock; any of them can die, stand still and wake up."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from bot import main
from bot.main import House
from bot.pace import Pace
from bot.replica import Replica
from core.database.engine import Database
from core.kernel.clock import HandClock
from tests import databases, town
from tests.town import Town

BEAT = timedelta(seconds=2)
TAKEOVER = timedelta(seconds=15)
"""Within which somebody else has taken over from whoever is dead."""


class SharedDatabase(Database):
    """A database that others may serve too, be it a file that only this process has open."""

    shared = True  # type: ignore[assignment]


@dataclass
class Crew:
    """The houses of one desk. Whoever is not in `working` is dead, or stands still."""

    town: Town
    houses: list[House] = field(default_factory=list)
    working: list[House] = field(default_factory=list)

    def _seconds(self) -> float:
        return self.town.clock.now().timestamp()

    async def join(self) -> House:
        """One more process, on a machine of its own."""
        database = self.town.database
        files = self.town.path.parent / f"files-{len(self.houses)}"
        desk = self.town.settings.desk.model_copy(update={"files": files})
        settings = self.town.settings.model_copy(update={"desk": desk})
        pace, replica = Pace(self._seconds), Replica(database, "test", self._seconds)
        house = main.build(settings, database, self.town.clock, pace=pace, replica=replica)
        await house.replica.beat()
        await house.desk.open()
        self.houses.append(house)
        self.working.append(house)
        for each in self.working:
            await each.replica.beat()
        return house

    def stop(self, house: House) -> None:
        """It does nothing any more, and says nothing."""
        self.working.remove(house)

    async def wake(self, house: House) -> None:
        self.working.append(house)
        await house.replica.beat()

    async def settle(self) -> None:
        """Let those who work do everything that is due now."""
        for _ in range(50):
            fired = 0
            for house in self.working:
                await house.router.catch_up()
                await house.delivery.catch_up()
                fired += await house.scheduler.tick()
            if not fired and not await self._waits():
                return
        raise AssertionError("the desk does not come to rest")

    async def _waits(self) -> bool:
        shares = [house.replica.owns for house in self.working]
        heads = await self.town.waiting_lanes()
        return any(owns(each) for each in heads for owns in shares)

    async def later(self, span: timedelta, *, step: timedelta = BEAT) -> None:
        """Let time go by; who works says so all the while."""
        left = span
        while left > timedelta(0):
            leap = min(step, left)
            self.town.clock.advance(leap)
            left -= leap
            for house in self.working:
                await house.replica.beat()
            await self.settle()


@contextlib.asynccontextmanager
async def crew(folder: Path, number: int = 2, toml: str = town.DEMO) -> AsyncIterator[Crew]:
    """So many processes of the demo's desk; what its people say comes to the first one."""
    settings = town._settings(folder, toml)
    path, clock = folder / "desk.db", HandClock()
    place = databases.place(path)
    if not databases.ON_SERVER:
        path.write_bytes(town._migrated())
    held = databases.prepared(path)
    database = SharedDatabase(place, clock)
    house = main.build(settings, database, clock, replica=Replica(database, "test", lambda: 0.0))
    opened = Crew(Town(path, settings, clock, database, house))
    opened.town.settle = opened.settle  # type: ignore[method-assign]
    try:
        for _ in range(number):
            await opened.join()
        opened.town.house = opened.houses[0]
        yield opened
    finally:
        await database.close()
        held.release()


__all__: Sequence[str] = ("BEAT", "TAKEOVER", "Crew", "SharedDatabase", "crew")
