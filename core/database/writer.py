"""The one who writes: a thread that commits together what waits together, whichever database stands behind.

A transaction's coroutine awaits nothing but its statements, so the thread runs all of it without returning to
the event loop, and transactions that wait at the same moment share one commit, each undone by itself when it
fails.
"""

import asyncio
import contextlib
import contextvars
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from sqlalchemy.exc import DBAPIError

from core.database.transaction import Work
from core.database.waiting import Job, Waiting
from core.kernel.errors import TemporaryError

T = TypeVar("T")
_log = logging.getLogger(__name__)
ALONE = "inside a transaction only the database may be awaited"


class Spoiled(Exception):
    """A transaction failed after it had written, and others share its commit."""


class Unknown(Exception):
    """Nobody can tell whether a transaction was committed: whoever did it once more might do it twice."""


class Store(Protocol):
    """What a database offers its writer. Used on the writer's thread alone."""

    def commit(self, jobs: Sequence[Job], pressed: Callable[[], bool], *, ailing: bool) -> Sequence[Job]:
        """Run the jobs in one transaction and commit it; returns those left for later because others
        `pressed`. What a job raises is its `failure`. `ailing`: the last commit failed, so that this one
        proves that something can be written.

        Raises DBAPIError where the database itself fails; then nothing is committed. Raises Unknown where
        nobody can tell."""
        ...

    def roll_back(self) -> None:
        """Be ready for the next commit after one that failed."""
        ...

    def close(self) -> None: ...


class Writer:
    """The only thread that writes. Safe to use from one event loop."""

    def __init__(self, store: Callable[[], Store], ring: Callable[[frozenset[str]], None]) -> None:
        self._make = store
        self._store: Store | None = None
        self._ring = ring
        self.trouble = ""
        """Why the last transaction could not be committed; empty as soon as something is written again."""
        self._waiting = Waiting()
        self._thread = threading.Thread(target=self._serve, name="database-writer", daemon=True)
        self._thread.start()

    async def run(self, work: Work[T], *, urgent: bool = False) -> T:
        """The work's answer, once it is on disk. Raises what the work raised, with nothing changed,
        or TemporaryError when the database could not take it."""
        loop = asyncio.get_running_loop()
        job = Job(work, contextvars.copy_context(), loop.create_future(), urgent)
        self._waiting.put(job)
        value: T = await asyncio.shield(job.done)
        return value

    async def close(self) -> None:
        """Finish what waits."""
        self._waiting.close()
        await asyncio.to_thread(self._thread.join)

    def _serve(self) -> None:
        while jobs := self._waiting.together():
            left: Sequence[Job] = ()
            try:
                self._store = self._store or self._make()
                left = self._commit_together(self._store, jobs)
            except Exception as error:  # noqa: BLE001 - a writer that dies would leave everybody waiting
                for each in jobs:
                    each.failure = self._failed(error)
            self._waiting.give_back(left)
            self._tell(jobs[: len(jobs) - len(left)])
        if self._store is not None:
            self._store.close()

    def _commit_together(self, store: Store, jobs: list[Job]) -> Sequence[Job]:
        """Those that are left for later."""
        try:
            left = store.commit(jobs, self._waiting.pressed, ailing=bool(self.trouble))
        except Unknown as error:
            store.roll_back()
            for job in jobs:
                job.failure = self._failed(error)
            return ()
        except DBAPIError as error:
            store.roll_back()
            if len(jobs) == 1:
                jobs[0].failure = self._failed(error)
                return ()
            for job in jobs:
                self._commit_together(store, [job])
            return ()
        except Exception:
            store.roll_back()  # what it has left open must not be committed with the next ones
            raise
        if self.trouble:
            _log.warning("the database can be written again")
            self.trouble = ""
        return left

    def _failed(self, error: Exception) -> Exception:
        """What to tell whoever waits for a transaction that could not be; the trouble is told once."""
        trouble = f"the database could not take it: {getattr(error, 'orig', error)}"
        if not self.trouble:
            _log.error("%s", trouble)
        self.trouble = trouble
        return TemporaryError(trouble)

    def _tell(self, jobs: list[Job]) -> None:
        loop = jobs[0].done.get_loop()
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(self._settle, jobs)

    def _settle(self, jobs: list[Job]) -> None:
        self._ring(frozenset().union(*(job.bells for job in jobs)))
        for job in jobs:
            if job.done.done():
                continue
            if job.failure is None:
                job.done.set_result(job.value)
            else:
                job.done.set_exception(job.failure)
