"""Transactions that wait for the only writer: those that somebody waits for go before the others."""

import asyncio
import contextvars
import queue
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from core.database.transaction import Work

TOGETHER = 64
"""The most transactions that share one commit."""
PATIENCE = 0.1
"""Seconds that others wait at most while urgent ones keep coming."""


@dataclass(slots=True)
class Job:
    """One transaction that waits for the writer."""

    work: Work[Any]
    context: contextvars.Context
    done: asyncio.Future[Any]
    urgent: bool = False
    value: Any = None
    bells: frozenset[str] = frozenset()
    failure: BaseException | None = None


class Waiting:
    """Filled by the event loop, emptied by the writer's thread. Urgent and other transactions each keep
    their order; however many urgent ones there are, one of the others has its turn each PATIENCE."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._door: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        self._urgent: deque[Job] = deque()
        self._others: deque[Job] = deque()
        self._hurried = False
        self._over = False
        self._wait_since = 0.0

    def put(self, job: Job) -> None:
        self._door.put(job)

    def close(self) -> None:
        """Nothing comes any more; what waits is still done."""
        self._door.put(None)

    def together(self) -> list[Job]:
        """The next ones to share a commit, as soon as there are any; none when all is over."""
        while not (self._urgent or self._others or self._over):
            self._sort(self._door.get())
        self._let_in()
        late = bool(self._others) and self._monotonic() - self._wait_since >= PATIENCE
        self._hurried = bool(self._urgent) and not late
        if not self._hurried:
            self._wait_since = self._monotonic()
        first = self._urgent if self._hurried else self._others
        return [first.popleft() for _ in range(min(len(first), TOGETHER))]

    def pressed(self) -> bool:
        """Whether those under way should be committed now, because urgent ones have come."""
        self._let_in()
        return bool(self._urgent) and not self._hurried

    def give_back(self, jobs: Sequence[Job]) -> None:
        """These had no turn yet: they are the first of the others again."""
        self._others.extendleft(reversed(jobs))

    def _let_in(self) -> None:
        while not self._door.empty():
            self._sort(self._door.get())

    def _sort(self, job: Job | None) -> None:
        if job is None:
            self._over = True
        elif job.urgent:
            self._urgent.append(job)
        else:
            if not self._others:
                self._wait_since = self._monotonic()
            self._others.append(job)
