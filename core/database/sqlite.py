"""SQLite: one writer on a thread of its own with group commit, and readers apart through aiosqlite.

A transaction's coroutine awaits nothing but its statements, and here a statement is answered at once; so
the writer's thread runs the whole transaction without returning to the event loop (one hop instead of
eight a statement), and transactions that wait together share one commit, each in a savepoint of its own.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar, cast

import sqlalchemy
from sqlalchemy import event
from sqlalchemy.engine import Connection, CursorResult, Engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine
from sqlalchemy.pool import StaticPool
from sqlalchemy.sql.base import Executable

from core.database.crash import Crash
from core.database.prepared import Shelf
from core.database.transaction import Answer, Transaction, Work
from core.database.waiting import Job
from core.database.writer import ALONE, Spoiled

T = TypeVar("T")
Open = Callable[["ThreadLine"], Transaction]

PRAGMAS = ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=5000", "foreign_keys=ON")
STATEMENTS = 1000
"""How many the driver keeps compiled: all that are asked again and again."""
_PROBE = "PRAGMA user_version = 0"
"""Writes a page whatever it holds: a commit of nothing succeeds on a full disk, and proves nothing."""


class ThreadLine:
    """A connection used on its own thread: every statement is answered before `await` returns."""

    def __init__(self, connection: Connection, shelf: Shelf) -> None:
        self._connection = connection
        self._shelf = shelf
        self._depth = 0
        self._raw = cast(sqlite3.Connection, connection.connection.driver_connection)

    async def execute(self, statement: Executable, rows: Any = None) -> Answer:
        given: Any = {} if rows is None else rows
        several = not isinstance(given, Mapping)
        prepared = self._shelf.find(statement, given[0] if several else given)
        if prepared is None:
            return self._connection.execute(statement, rows)
        return prepared.run_all(self._raw, given) if several else prepared.run(self._raw, given)

    async def begin_nested(self) -> None:
        self._depth += 1
        self._savepoint(f"SAVEPOINT s{self._depth}")

    async def release(self) -> None:
        self._savepoint(f"RELEASE s{self._depth}")
        self._depth -= 1

    async def undo(self) -> None:
        self._savepoint(f"ROLLBACK TO s{self._depth}")
        await self.release()

    def _savepoint(self, words: str) -> None:
        try:
            self._raw.execute(words)  # past the library, which takes ten times as long over these words
        except sqlite3.Error as error:
            raise DBAPIError(words, None, error) from error


def drive(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that awaits nothing but its transaction, without an event loop."""
    try:
        coroutine.send(None)
    except StopIteration as stop:
        value: T = stop.value
        return value
    coroutine.close()
    raise RuntimeError(ALONE)


class FileStore:
    """The only connection that writes, on the writer's thread."""

    def __init__(self, engine: Engine, open_: Open) -> None:
        self._connection = engine.connect()
        self._open = open_
        self._shelf = Shelf(engine.dialect)
        self._crash = Crash()

    def commit(self, jobs: Sequence[Job], pressed: Callable[[], bool], *, ailing: bool) -> Sequence[Job]:
        """None has a savepoint of its own, for hardly any fails that has written something; where one does,
        those it shares the commit with are done once more, each in its own."""
        try:
            return self._commit(jobs, pressed, ailing=ailing, apart=False)
        except Spoiled:
            self.roll_back()
            return () if len(jobs) == 1 else self._commit(jobs, pressed, ailing=ailing, apart=True)

    def _commit(
        self, jobs: Sequence[Job], pressed: Callable[[], bool], *, ailing: bool, apart: bool
    ) -> Sequence[Job]:
        line = ThreadLine(self._connection, self._shelf)
        self._connection.exec_driver_sql("BEGIN IMMEDIATE")
        done = 0
        while done == 0 or (done < len(jobs) and not pressed()):
            job = jobs[done]
            job.failure = None
            job.context.copy().run(self._attempt, line, job, apart)
            done += 1
        if ailing:
            self._connection.exec_driver_sql(_PROBE)
        self._crash.before_commit()
        self._connection.exec_driver_sql("COMMIT")
        self._crash.after_commit()
        return jobs[done:]

    def _attempt(self, line: ThreadLine, job: Job, apart: bool) -> None:
        tx = self._open(line)

        async def guarded() -> Any:
            async with tx.savepoint():
                return await job.work(tx)

        try:
            job.value = drive(guarded() if apart else tx.whole(job.work))
        except DBAPIError as error:
            if not isinstance(error, sqlalchemy.exc.IntegrityError):
                raise
            job.failure = error
        except Exception as error:  # noqa: BLE001 - handed to whoever asked for this transaction
            job.failure = error
        if job.failure is not None and tx.wrote and not apart:
            raise Spoiled
        job.bells = frozenset(tx.bells) if job.failure is None else frozenset()

    def roll_back(self) -> None:
        with contextlib.suppress(DBAPIError):  # a full disk or an I/O error has already rolled it back
            self._connection.exec_driver_sql("ROLLBACK")

    def close(self) -> None:
        self._connection.close()


class Readers:
    """A few connections that can only read, each transaction a stable snapshot."""

    def __init__(self, engine: AsyncEngine) -> None:
        self._engine = engine

    @contextlib.asynccontextmanager
    async def line(self) -> AsyncIterator["AsyncLine"]:
        async with self._engine.connect() as connection:
            yield AsyncLine(connection)

    async def close(self) -> None:
        await self._engine.dispose()


class Surveyor:
    """One connection that can only read; on it a whole transaction runs in a thread, in one hop."""

    def __init__(self, engine: Engine, open_: Open) -> None:
        self._engine = engine
        self._open = open_
        self._shelf = Shelf(engine.dialect)
        self._one = asyncio.Lock()

    async def run(self, work: Work[T]) -> T:
        async with self._one:
            looking = asyncio.ensure_future(asyncio.to_thread(self._run, work))
            try:
                return await asyncio.shield(looking)
            except asyncio.CancelledError:
                await asyncio.wait([looking])  # the thread goes on, and the connection is its own until then
                raise

    def _run(self, work: Work[T]) -> T:
        async def whole() -> T:
            return await work(self._open(ThreadLine(connection, self._shelf)))

        with self._engine.connect() as connection:
            connection.exec_driver_sql("BEGIN")
            try:
                return drive(whole())
            finally:
                connection.exec_driver_sql("ROLLBACK")

    async def close(self) -> None:
        async with self._one:
            self._engine.dispose()


class AsyncLine:
    """A connection awaited on the event loop."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._nested: list[Any] = []

    async def execute(self, statement: Executable, rows: Any = None) -> CursorResult[Any]:
        result: CursorResult[Any] = await self._connection.execute(statement, rows)
        return result

    async def begin_nested(self) -> None:
        self._nested.append(await self._connection.begin_nested())

    async def release(self) -> None:
        await self._nested.pop().commit()

    async def undo(self) -> None:
        await self._nested.pop().rollback()


def writer_engine(path: Path, *, guest: bool = False) -> Engine:
    engine = _one_connection(path)
    _prepare(engine, (*PRAGMAS, "wal_autocheckpoint=0") if guest else PRAGMAS)
    return engine


def surveyor_engine(path: Path) -> Engine:
    engine = _one_connection(path)
    _prepare(engine, ("busy_timeout=5000", "query_only=ON"))
    return engine


def _one_connection(path: Path) -> Engine:
    return sqlalchemy.create_engine(
        f"sqlite:///{path}",
        poolclass=StaticPool,
        connect_args={"check_same_thread": False, "cached_statements": STATEMENTS},
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,  # an error must not repeat what people wrote
    )


def reader_engine(path: Path, *, size: int = 4) -> AsyncEngine:
    engine = create_async_engine(
        f"sqlite+aiosqlite:///{path}", pool_size=size, max_overflow=0, hide_parameters=True
    )
    _prepare(engine.sync_engine, ("busy_timeout=5000", "query_only=ON"), begin="BEGIN")
    return engine


def _prepare(engine: Engine, pragmas: tuple[str, ...], begin: str | None = None) -> None:
    @event.listens_for(engine, "connect")
    def connected(raw: Any, _record: Any) -> None:
        if begin:
            raw.isolation_level = None
        cursor = raw.cursor()
        for pragma in pragmas:
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    if begin:

        @event.listens_for(engine, "begin")
        def begun(connection: Connection) -> None:
            connection.exec_driver_sql(begin)
