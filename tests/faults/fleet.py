"""The processes of one desk, which are killed all the time, and the one address at which people find them."""

import asyncio
import contextlib
import random
import signal
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from tests.faults.kills import CRASH_AT, Kill
from tests.faults.proxy import Proxy
from tests.ports import free_port
from tests.process.desk import Desk

LIFE, YOUNG = 2.0, 0.15
"""Seconds that a process serves at most that dies at a moment; the share of those that die as they start."""
LONGEST_LIFE = 4.0
"""Seconds of service after which a process is killed that has not come to its last commit yet."""
COMMITS = 100
"""The last commit of a process that dies at one is among the first so many."""


@dataclass(frozen=True)
class Death(Kill):
    """When one process dies; `after` counts from its start where it is `young`, else from when it serves."""

    young: bool = False


def schedule(count: int, seed: int) -> list[Death]:
    """Half of them around a commit, each of the first COMMITS in turn, right before and right after it; the
    others at random moments: mostly while it works, some while it starts."""
    dice = random.Random(seed)
    commits = [f"{number}{side}" for number in range(1, COMMITS + 1) for side in ("", "+")]
    dice.shuffle(commits)
    deaths = []
    for number in range(count):
        young = dice.random() < YOUNG
        moment = Death(after=dice.uniform(0.05, 0.9) if young else dice.uniform(0.1, LIFE), young=young)
        deaths.append(Death(commits[number // 2 % len(commits)]) if number % 2 else moment)
    return deaths


@dataclass
class Fleet:
    """So many processes on one database; people reach whichever lives."""

    desks: list[Desk]
    base: str
    killed: Callable[[], None]
    """Told of each death."""
    log: list[str] = field(default_factory=list)

    async def start(self) -> None:
        await self.desks[0].start()
        await asyncio.gather(*(desk.start() for desk in self.desks[1:]))

    async def suffer(self, plan: list[Death]) -> None:
        """Kill them in turn by the plan; each lives again at once, and in the end all of them do."""
        left = list(reversed(plan))
        await asyncio.gather(*(self._one(desk, left) for desk in self.desks))

    async def _one(self, desk: Desk, left: list[Death]) -> None:
        await self._die(desk)
        while left:
            death = left.pop()
            await desk.launch(**({CRASH_AT: death.commit} if death.commit else {}))
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(death.after if death.young else None) as patience:
                    if not death.young:
                        await desk.serves()
                        patience.reschedule(asyncio.get_running_loop().time() + (death.after or LONGEST_LIFE))
                    await desk.gone()
            await self._die(desk)
        await desk.start()

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
        desks = []
        for number, port in enumerate(ports):
            mine = config.replace("{database}", url).replace("{own}", base)
            mine = mine.replace("{files}", str(folder / "files")).replace("{port}", str(port))
            desks.append(Desk(folder / f"desk-{number}", "", port=port))
            desks[-1].config.write_text(mine, encoding="utf-8")
            desks[-1].patience = 900.0
            stack.push_async_callback(desks[-1].close)
        yield Fleet(desks, base, killed)
