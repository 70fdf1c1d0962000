"""The processes of one desk, which are killed all the time, and the one address at which people find them."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tests.faults.kills import CRASH_AT, Kill
from tests.faults.proxy import Proxy
from tests.faults.zygote import Zygote, zygote
from tests.ports import free_port
from tests.process.desk import Desk

LIFE, YOUNG = 1.2, 0.15
"""Seconds that a process serves at most that dies at a moment; the share of those that die as they start."""
LONGEST_LIFE = 2.5
"""Seconds of service after which a process is killed that has not come to its last commit yet."""
COMMITS = 50
"""The last commit of a process that dies at one is among the first so many."""
PLAIN = 0.05
"""The share of lives that begin as any process does; the others are forked where everything is imported."""
OLD = 16.0, 30.0
"""Seconds that a process lives which is to bury others: that takes eight seconds of silence (ADR 12)."""
HEIRS = 12
"""A process that is alone on a server and has so many predecessors lives long enough to bury them."""


@dataclass(frozen=True)
class Death(Kill):
    """When one process dies; `after` counts from its start where it is `young`, else from when it serves."""

    young: bool = False
    plain: bool = False
    """Whether this life begins by a start of its own, with all its imports."""


def schedule(count: int, seed: int) -> list[Death]:
    """Half of them around a commit, each of the first COMMITS in turn, right before and right after it; the
    others at random moments: mostly while it works, some while it starts."""
    dice, starts = random.Random(seed), random.Random(f"starts {seed}")
    commits = [f"{number}{side}" for number in range(1, COMMITS + 1) for side in ("", "+")]
    dice.shuffle(commits)
    deaths = []
    for number in range(count):
        young, plain = dice.random() < YOUNG, starts.random() < PLAIN
        soon = dice.uniform(0.05, 0.9) * (1.0 if plain else 0.3)
        moment = Death(after=soon if young else dice.uniform(0.1, LIFE), young=young, plain=plain)
        at_commit = Death(commits[number // 2 % len(commits)], plain=plain)
        deaths.append(at_commit if number % 2 else moment)
    return deaths


class Cheap(Desk):
    """A desk whose process is forked where everything is imported already, unless it is to begin plainly."""

    zygote: Zygote
    plain = True

    async def launch(self, *arguments: str, python: tuple[str, ...] = (), **environment: str) -> None:
        if self.plain or python:
            await super().launch(*arguments, python=python, **environment)
            return
        self._printed = len(self.printed)
        words = ["run", *arguments, "--config", str(self.config)]
        with self._errors.open("ab") as errors:
            life = await self.zygote.fork(words, self._everything(environment), self.folder, errors)
        self._running = life
        self._reading = asyncio.create_task(self._read(life))


@dataclass
class Fleet:
    """So many processes on one database; people reach whichever lives."""

    desks: list[Cheap]
    base: str
    killed: Callable[[], None]
    """Told of each death."""
    shared: bool = False
    """Whether the database is one that several may serve: those that live bury the dead then."""
    troubled: Callable[[], bool] = lambda: False
    """Whether the database may be out of reach: a start fails then, and is tried again."""
    enough: Callable[[], bool] = lambda: False
    """Whether no more of them are to die, whatever is left of the plan."""
    old: tuple[float, float] = OLD
    """Seconds that such a one lives."""
    _elder: int = 0
    """Which one lives long enough to bury the others."""

    async def start(self) -> None:
        await self.desks[0].start()
        await asyncio.gather(*(desk.start() for desk in self.desks[1:]))

    async def suffer(self, plan: list[Death]) -> None:
        """Kill them in turn by the plan; each lives again at once, and in the end all of them do."""
        left = list(reversed(plan))
        async with asyncio.TaskGroup() as group:
            for number in range(len(self.desks)):
                group.create_task(self._one(number, left))

    async def _one(self, number: int, left: list[Death]) -> None:
        desk, lives = self.desks[number], 0
        await self._die(desk)
        while left and not self.enough():
            death = left.pop()
            lives += 1
            while not await self._live(desk, death, old=self._old(number, lives)):
                assert self.troubled(), f"it did not start: {desk.errors[-2000:]}"
            await self._die(desk)
        desk.plain = True
        while not await self._starts(desk):
            assert self.troubled(), f"it did not start: {desk.errors[-2000:]}"

    def _old(self, number: int, lives: int) -> bool:
        if not self.shared:
            return False
        if len(self.desks) == 1:
            return lives % HEIRS == 0
        return number == self._elder

    async def _starts(self, desk: Cheap) -> bool:
        await desk.launch()
        return await desk.serves()

    async def _live(self, desk: Cheap, death: Death, *, old: bool) -> bool:
        """A life until its end comes; False where it could not begin."""
        commit = {CRASH_AT: death.commit} if death.commit and not old else {}
        desk.plain = death.plain
        await desk.launch(**commit)
        loop = asyncio.get_running_loop()
        young = death.young and not old
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(death.after if young else None) as patience:
                if not young:
                    if not await desk.serves() and await desk.wait() != -signal.SIGKILL:
                        return False
                    longest = random.Random(str(death)).uniform(*self.old) if old else LONGEST_LIFE
                    patience.reschedule(loop.time() + (longest if old else death.after or longest))
                await desk.gone()
        if young and not desk.alive and await desk.wait() != -signal.SIGKILL:
            return False
        if old:
            self._elder = (self._elder + 1) % len(self.desks)
        return True

    async def _die(self, desk: Desk) -> None:
        desk.send(signal.SIGKILL)
        code = await desk.wait()
        assert code == -signal.SIGKILL, f"it ended by itself with {code}: {desk.errors[-2000:]}"
        self.killed()

    async def stop(self) -> list[int]:
        return [await desk.stop() for desk in self.desks]


@contextlib.asynccontextmanager
async def fleet(
    folder: Path, config: str, count: int, database: str, killed: Callable[[], None]
) -> AsyncIterator[Fleet]:
    """Desks that have not been started. `config` has places for {database}, {files}, {port} and {own}."""
    async with AsyncExitStack() as stack:
        ports = [free_port() for _ in range(count)]
        front = await stack.enter_async_context(Proxy(*ports)) if count > 1 else None
        base = front.url if front else f"http://127.0.0.1:{ports[0]}"
        url = database or f"sqlite+aiosqlite:///{folder / 'desk.db'}"
        source = await stack.enter_async_context(zygote(os.environ))
        desks = []
        for number, port in enumerate(ports):
            mine = config.replace("{database}", url).replace("{own}", base).replace("{port}", str(port))
            mine = mine.replace("{files}", str(folder / f"files-{number}"))
            desks.append(Cheap(folder / f"desk-{number}", "", port=port))
            desks[-1].zygote = source
            desks[-1].config.write_text(mine, encoding="utf-8")
            desks[-1].patience = 900.0
            stack.push_async_callback(desks[-1].close)
        yield Fleet(desks, base, killed, shared=bool(database) and not database.startswith("sqlite"))
