"""SIGKILL without warning: around a chosen commit of the process, or at a moment after its start."""

import asyncio
import contextlib
import os
import random
import signal
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from tests.process.desk import Desk

CRASH_AT = "DESKBRIDGE_TEST_CRASH_AT"


@dataclass(frozen=True)
class Kill:
    """When one process dies: around its n-th commit ("7" right before, "7+" right after) or after a time."""

    commit: str = ""
    after: float = 0.0


def at_commits(count: int, first: int = 1) -> list[Kill]:
    """One kill for each commit from the first on, in turn right before and right after it."""
    return [Kill(f"{first + n // 2}{'+' if n % 2 else ''}") for n in range(count)]


def at_moments(count: int, within: float, seed: int) -> list[Kill]:
    """Kills at random moments of the first seconds of a process."""
    dice = random.Random(seed)
    return [Kill(after=dice.uniform(0.01, within)) for _ in range(count)]


def drawn(plan: Sequence[Kill], usual: int, seed: int) -> list[Kill]:
    """So many of the plan as there is time for, in no order: of those at the first commits, at which a
    process begins, never many one after the other."""
    return random.Random(seed).sample(plan, min(len(plan), how_many(usual)))


def how_many(usual: int) -> int:
    """DESKBRIDGE_TEST_STEPS asks for more than the usual run has time for."""
    return max(usual, int(os.environ.get("DESKBRIDGE_TEST_STEPS", "0")) // 10)


async def suffer(desk: Desk, kills: Iterable[Kill]) -> None:
    """Keep the desk running while it is killed again and again; in the end it runs undisturbed."""
    for kill in kills:
        await desk.launch(**({CRASH_AT: kill.commit} if kill.commit else {}))
        if not kill.commit:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(desk.wait(), kill.after)
            desk.send(signal.SIGKILL)
        code = await desk.wait()
        assert code == -signal.SIGKILL, f"{kill}: it ended by itself with {code}: {desk.errors}"
    await desk.start()
