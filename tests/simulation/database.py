"""The real core over real SQLite, in memory and without a thread, as several processes would share it.

One transaction at a time, as on both databases; a group commit is of one process. Each process has a
`Front`, which is what it takes for its database; the `Server` belongs to none and outlives them all.
"""

import contextvars
import sqlite3
import tempfile
from asyncio import Future
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from random import Random
from typing import Any, TypeVar

import sqlalchemy
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.pool import NullPool

from core.database import engine
from core.database.prepared import Shelf
from core.database.sqlite import ThreadLine, drive
from core.database.transaction import React, Rules, Transaction, Work, no_reaction
from core.kernel.errors import TemporaryError
from tests.simulation.loop import Loop, Process

T = TypeVar("T")
TOGETHER = 64


@dataclass(slots=True)
class Waiting:
    """One transaction that waits for its turn."""

    work: Work[Any]
    context: contextvars.Context
    done: Future[Any]
    urgent: bool
    value: Any = None
    bells: tuple[str, ...] = ()
    failure: Exception | None = None


@cache
def _empty() -> bytes:
    """A database of the newest schema with nothing in it, as one that can be kept in memory."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "desk.db"
        engine.prepare(path).release()
        raw = sqlite3.connect(path)
        raw.execute("PRAGMA journal_mode=DELETE")
        raw.close()
        return path.read_bytes()


@cache
def _engine() -> tuple[sqlalchemy.Engine, Shelf]:
    """One for all episodes of this interpreter: what is known of statements stays known."""
    made = sqlalchemy.create_engine(
        "sqlite://",
        poolclass=NullPool,
        connect_args={"check_same_thread": False, "cached_statements": 1024},
        isolation_level="AUTOCOMMIT",
    )
    return made, Shelf(made.dialect)


class Ringing:
    """Bells in the order in which they were hung up."""

    def __init__(self) -> None:
        self._listeners: dict[str, list[Any]] = {}

    def ring(self, names: Iterable[str]) -> None:
        for name in names:
            for listener in self._listeners.get(name, ()):
                listener.set()

    def listen(self, *names: str) -> Any:
        from asyncio import Event

        heard = Event()
        for name in names:
            self._listeners.setdefault(name, []).append(heard)
        return heard

    def ignore(self, heard: Any) -> None:
        for listeners in self._listeners.values():
            if heard in listeners:
                listeners.remove(heard)


class Server:
    """The database itself. `note` is told what happens there."""

    def __init__(self, loop: Loop, chance: Random, note: Callable[..., None]) -> None:
        self.loop, self.chance, self.note = loop, chance, note
        engine, self.shelf = _engine()
        self.connection = engine.connect()
        self.raw: sqlite3.Connection = self.connection.connection.driver_connection  # type: ignore[assignment]
        self.raw.deserialize(_empty())
        self.raw.execute("PRAGMA foreign_keys=ON")
        self.fronts: list[Front] = []
        self.commits = 0
        self.refusals = 0
        """So many of the next transactions fail."""
        self.unsure = 0
        """So many of the next commits get no answer, though they are done."""
        self.stalled_until = 0.0
        self.deaf = 0.0
        """How likely it is that a bell is not heard by the other processes."""
        self._awaited = False

    def close(self) -> None:
        self.connection.close()

    def line(self) -> ThreadLine:
        return ThreadLine(self.connection, self.shelf)

    def awaited(self) -> None:
        """Somebody waits for a turn."""
        if not self._awaited:
            self._awaited = True
            pause = max(self.stalled_until - self.loop.time(), 0.0)
            self.loop.outside(pause + self.chance.uniform(0.0002, 0.004), self._serve)

    def _serve(self) -> None:
        self._awaited = False
        if self.stalled_until > self.loop.time():
            self.awaited()
            return
        ready = [front for front in self.fronts if front.jobs and front.writes]
        if ready:
            self._commit(self.chance.choice(ready) if len(ready) > 1 else ready[0])
        if len(ready) > 1 or (ready and ready[0].jobs):
            self.awaited()

    def _commit(self, front: "Front") -> None:
        jobs = front.next_ones()
        if self.refusals:
            self.refusals -= 1
            self.note("refused", front.process.name)
            front.trouble = "the database could not take it"
            for job in jobs:
                job.failure = TemporaryError(front.trouble)
            self._answer(front, jobs)
            return
        doomed = front.doomed
        self.raw.execute("BEGIN IMMEDIATE")
        for job in jobs:
            job.context.run(self._attempt, front, job)
        if doomed == 1:
            self.raw.execute("ROLLBACK")
            self._died(front, "died_before_commit")
            return
        self.raw.execute("COMMIT")
        self.commits += 1
        self.note("commit", front.process.name, len(jobs), self.raw.total_changes)
        if doomed == -1:
            self._died(front, "died_after_commit")
            return
        if doomed:
            front.doomed -= 1 if doomed > 0 else -1
        front.trouble = ""
        if self.unsure:
            self.unsure -= 1
            self.note("unsure", front.process.name)
            for job in jobs:
                job.failure = job.failure or TemporaryError("no answer to the commit")
        self._answer(front, jobs)

    def _died(self, front: "Front", how: str) -> None:
        front.process.kill()
        self.note(how, front.process.name)

    def _attempt(self, front: "Front", job: Waiting) -> None:
        tx = front.transaction()

        async def guarded() -> None:
            async with tx.savepoint():
                job.value = await job.work(tx)

        try:
            drive(guarded())
        except DBAPIError as error:
            if not isinstance(error, IntegrityError):
                raise
            job.failure = error
        except Exception as error:  # noqa: BLE001 - handed to whoever asked for this transaction
            job.failure = error
        job.bells = tuple(sorted(tx.bells)) if job.failure is None else ()

    def _answer(self, front: "Front", jobs: list[Waiting]) -> None:
        names = tuple(sorted({bell for job in jobs for bell in job.bells}))
        if names:
            front.process.soon(front.bells.ring, names)
            for other in self.fronts:
                if other is not front and other.process.alive and self.chance.random() >= self.deaf:
                    self._ring_soon(other, names)
        for job in jobs:
            if job.done.done():
                continue
            if job.failure is None:
                job.done.set_result(job.value)
            else:
                job.done.set_exception(job.failure)

    def _ring_soon(self, front: "Front", names: tuple[str, ...]) -> None:
        """What is rung while a ring is under way goes with it."""
        if not front.rung:
            self.loop.outside(self.chance.expovariate(40), self._ring, front)
        front.rung.update(names)

    def _ring(self, front: "Front") -> None:
        names, front.rung = tuple(sorted(front.rung)), set()
        if front.process.alive:
            front.process.soon(front.bells.ring, names)

    def look(self, work: Work[T], now: datetime, rules: Rules) -> T:
        """What stands there, for whoever checks it."""

        async def whole() -> T:
            return await work(Transaction(self.line(), now, rules))

        return drive(whole())


class Front:
    """What one process takes for its database (see `core.database.engine.Database`)."""

    def __init__(
        self, server: Server, process: Process, now: Callable[[], datetime], *, shared: bool
    ) -> None:
        self.path = Path("simulated.db")
        self.shared = shared
        self.bells = Ringing()
        self.rules: Rules = {}
        self.react: React = no_reaction
        self.trouble = ""
        self.process = process
        self.jobs: list[Waiting] = []
        self.rung: set[str] = set()
        """Bells of other processes that are on their way here."""
        self.doomed = 0
        """It dies at the n-th commit from now: before it, or after it where n is below zero."""
        self._server = server
        self._now = now
        server.fronts.append(self)

    @property
    def writes(self) -> bool:
        return self.process.alive and not self.process.stopped

    def transaction(self) -> Transaction:
        return Transaction(self._server.line(), self._now(), self.rules, self.react)

    def next_ones(self) -> list[Waiting]:
        urgent = [job for job in self.jobs if job.urgent]
        taken = (urgent or self.jobs)[: self._server.chance.choice((1, 3, TOGETHER))]
        self.jobs = [job for job in self.jobs if job not in taken]
        return taken

    async def write(self, work: Work[T], *, urgent: bool = False) -> T:
        done: Future[T] = self._server.loop.create_future()
        self.jobs.append(Waiting(work, contextvars.copy_context(), done, urgent))
        self._server.awaited()
        return await done

    async def read(self, work: Work[T]) -> T:
        async def whole() -> T:
            return await work(self.transaction())

        return drive(whole())

    survey = read

    async def close(self) -> None:
        """There is nothing to let go of."""
