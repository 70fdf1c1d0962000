"""PostgreSQL: in each process one connection that writes, with group commit, and some that read.

Write transactions are serial in the whole desk, as on SQLite: each takes the desk's lock before it looks at
anything, so that what it reads is true until it commits, whichever process runs it. Transactions of a process
that wait together share one commit and the lock.
"""

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable, Coroutine, Generator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar, cast

import asyncpg
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, OperationalError
from sqlalchemy.exc import TimeoutError as NoneFree
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool
from sqlalchemy.sql.base import Executable

from core.database.crash import Crash
from core.database.numbered import Numbers
from core.database.prepared import Answer
from core.database.server import Server
from core.database.transaction import Answer as Told
from core.database.transaction import Transaction, Work
from core.database.waiting import Job
from core.database.writer import ALONE, Spoiled, Unknown
from core.kernel.errors import TemporaryError

T = TypeVar("T")
Open = Callable[["ServerLine"], Transaction]

_CHANNEL = "left('deskbridge ' || current_schema(), 63)"
"""What carries the names of bells from one process of this desk to the others."""
_LOCK = 0x6465736B
"""The class of the desk's advisory locks; within it, the schema tells desks of one database apart."""
ALONE_AT_IT = f"SELECT pg_advisory_xact_lock({_LOCK}, hashtext(current_schema()))"
"""Has whoever writes wait for the other processes of this desk, until it commits."""
_BEGIN = f"BEGIN; {ALONE_AT_IT}"
_LOOK = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"
UNTOLD = -1
"""How many rows a statement touched that was said with several sets of values: the driver does not tell."""
SUBTRANSACTIONS = 32
"""Jobs of one commit: of more than 64 subtransactions PostgreSQL keeps the rest on disk."""
_TOLD_WITHIN = 20.0
"""Seconds a lost connection is tried again to learn what became of a commit."""
_ANSWERED_WITHIN = 35.0
"""Seconds in which each statement is answered: a little longer than the server takes over one."""
_POOLED = 4
"""Connections that look."""
_TRIED_FOR = 1.0
"""Seconds after which a lost connection is not taken for one of before any more."""
_AGAIN = 0.2
"""Seconds between two tries to reach the server."""
_PULSE = 5.0
"""Seconds between two signs of life on the connection that hears bells."""
_SETTINGS = {
    "application_name": "deskbridge",
    "timezone": "UTC",
    # A process that stands still in the middle of a transaction is thrown out, for it holds the desk's lock.
    "idle_in_transaction_session_timeout": "5000",
    "lock_timeout": "10000",
    "statement_timeout": "30000",
    "tcp_keepalives_idle": "10",
    "tcp_keepalives_interval": "3",
    "tcp_keepalives_count": "3",
    "tcp_user_timeout": "15000",
    "client_min_messages": "error",
}


_BROKEN = (
    asyncpg.PostgresError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    OSError,
    TimeoutError,
    EOFError,
)
_READ_ONLY = "25006"
_KINDS: Mapping[str, type[DBAPIError]] = {"22": DataError, "23": IntegrityError}
"""Errors of what was to be kept, by the class of their state: they come again however often it is tried."""
_TIMELINE = "SELECT substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8)"


class Lost(Exception):
    """The connection is gone, and with it the transaction that was under way on it."""


def cleaned(error: BaseException) -> DBAPIError:
    """The database's error without what people wrote, which PostgreSQL likes to repeat."""
    kind = _KINDS.get(_state(error)[:2], OperationalError)
    return kind("", None, told(error), hide_parameters=True)


def _state(error: BaseException) -> str:
    return getattr(error, "sqlstate", None) or ""


def told(error: BaseException) -> Exception:
    """What the driver says, without what people wrote."""
    if isinstance(error, asyncpg.DataError):
        return Exception("a value does not fit where it is to stand")
    if isinstance(error, asyncpg.PostgresError):
        return Exception(str(error.args[0]) if error.args else type(error).__name__)
    return Exception(f"{type(error).__name__}: {error}" if str(error) else type(error).__name__)


def _is_lost(error: BaseException) -> bool:
    """Whether the connection, and not the statement, is what failed."""
    if isinstance(error, asyncpg.InvalidCachedStatementError):
        return True  # the schema was changed under it: a new connection knows the new one
    if isinstance(error, asyncpg.PostgresError):
        return _state(error)[:2] in ("08", "57") or _state(error) == "25P03"
    return isinstance(error, _BROKEN)


@dataclass(slots=True)
class Seat:
    """A connection as the library and as the driver know it."""

    connection: AsyncConnection
    raw: Any
    gone: bool = False

    async def throw_away(self) -> None:
        self.gone = True
        self.raw.terminate()
        with contextlib.suppress(*_BROKEN, DBAPIError):
            await self.connection.invalidate()
            await self.connection.close()


async def taken(engine: AsyncEngine) -> Seat:
    """A connection of the engine that is open as far as anybody knows: a server that went away has ended all
    that wait in the pool. Raises Lost when there is none to be had, TemporaryError where others have them all
    for too long."""
    try:
        while True:
            connection = await engine.connect()
            seat = Seat(connection, (await connection.get_raw_connection()).driver_connection)
            if not seat.raw.is_closed():
                return seat
            await seat.throw_away()
    except NoneFree:
        raise TemporaryError("the database does not answer: all connections are in use") from None
    except (*_BROKEN, DBAPIError) as error:
        raise Lost(str(told(error))) from None


class ServerLine:
    """A connection awaited on its own event loop."""

    def __init__(self, seat: Seat, numbers: Numbers, *, writes: bool = False) -> None:
        self._seat = seat
        self._raw = seat.raw
        self._numbers = numbers
        self._writes = writes
        self._depth = 0
        self._owed = 0
        """The outermost savepoint that is to be released as soon as anything is said of savepoints; 0: none.
        A commit releases it by itself."""
        self.busy = False
        """Whether a statement is under way."""

    async def execute(self, statement: Executable, rows: Any = None) -> Told:
        given: Any = {} if rows is None else rows
        several = not isinstance(given, Mapping)
        known = self._numbers.find(statement, given[0] if several else given)
        if known is None:
            return cast(Told, await self._ask(self._seat.connection.execute(statement, rows)))
        if several:
            await self._ask(self._raw.executemany(known.words, [known.values(each) for each in given]))
            return Answer((), UNTOLD)
        values = known.values(given)
        if known.tells:
            found = known.rows(await self._ask(self._raw.fetch(known.words, *values)))
            return Answer(found, len(found))
        return Answer((), _touched(await self._ask(self._raw.execute(known.words, *values))))

    async def say(self, words: str) -> None:
        """A statement of the transaction itself."""
        await self._ask(self._raw.execute(words))

    async def _ask(self, answer: Awaitable[T]) -> T:
        self.busy = True
        try:
            return await answer
        except DBAPIError as error:
            raise self._named(cause(error)) from None
        except _BROKEN as error:
            raise self._named(error) from None
        finally:
            self.busy = False

    def _named(self, error: BaseException) -> Exception:
        """The error as the desk knows it."""
        gone = self._raw.is_closed() or _is_lost(error) or (self._writes and _state(error) == _READ_ONLY)
        return Lost(str(told(error))) if gone else cleaned(error)

    async def begin_nested(self) -> None:
        self._depth += 1
        release = f"RELEASE s{self._owed}; " if self._owed else ""
        self._owed = 0
        await self.say(f"{release}SAVEPOINT s{self._depth}")

    async def release(self) -> None:
        """Not said now: a savepoint costs nothing while it stands, and each word to the server costs time."""
        self._owed = self._depth
        self._depth -= 1

    async def undo(self) -> None:
        """What is released inside of it goes with it."""
        self._owed = 0
        await self.say(f"ROLLBACK TO s{self._depth}; RELEASE s{self._depth}")
        self._depth -= 1

    async def undo_all(self) -> None:
        """Undo what a transaction left open that was broken off in the middle of a savepoint."""
        while self._depth:
            await self.undo()

    async def number(self) -> str | None:
        """What the transaction is called; None while it has changed nothing."""
        answer: str | None = await self._ask(
            self._raw.fetchval("SELECT pg_current_xact_id_if_assigned()::text")
        )
        return answer

    async def timeline(self) -> str | None:
        """What tells a server from another one that has taken its place."""
        answer: str | None = await self._ask(self._raw.fetchval(_TIMELINE))
        return answer

    async def fate(self, number: str) -> str | None:
        """`committed`, `aborted` or `in progress`; None for a transaction nobody remembers."""
        answer: str | None = await self._ask(
            self._raw.fetchval("SELECT pg_xact_status($1::text::xid8)", number)
        )
        return answer


def cause(error: DBAPIError) -> BaseException:
    """What the driver said, under what the library has made of it."""
    return (error.orig.__cause__ if error.orig is not None else None) or error.orig or error


def _touched(status: str) -> int:
    count = status.rpartition(" ")[2]
    return int(count) if count.isdigit() else 0


class _Alone:
    """Awaits a transaction's coroutine. Raises RuntimeError when that awaits anything but its line."""

    def __init__(self, work: Coroutine[Any, Any, Any], line: ServerLine) -> None:
        self._work = work
        self._line = line

    def __await__(self) -> Generator[Any, Any, Any]:
        step = partial(self._work.send, None)
        while True:
            try:
                awaited = step()
            except StopIteration as stop:
                return stop.value
            if not self._line.busy:
                with contextlib.suppress(RuntimeError):  # it would undo its savepoints, and cannot any more
                    self._work.close()
                raise RuntimeError(ALONE)
            try:
                value = yield awaited
            except BaseException as error:  # noqa: BLE001 - it is the coroutine's own
                step = partial(self._work.throw, error)
            else:
                step = partial(self._work.send, value)


def engine(server: Server, *, pooled: int = 0, patient: bool = False) -> AsyncEngine:
    """Connections to this server, in autocommit: whoever uses one begins and ends its transactions."""

    async def connect() -> Any:
        return await connected(server, patient=patient)

    pool: dict[str, Any] = {"pool_size": pooled, "max_overflow": 0} if pooled else {"poolclass": NullPool}
    return create_async_engine(
        "postgresql+asyncpg://",
        async_creator=connect,
        isolation_level="AUTOCOMMIT",
        hide_parameters=True,
        **pool,
    )


async def connected(server: Server, *, patient: bool = False) -> Any:
    """A connection of the driver; a `patient` one waits for each answer however long that takes. Raises what
    the driver raises."""
    return await asyncpg.connect(
        server.dsn,
        server_settings=_SETTINGS,
        timeout=10,
        command_timeout=None if patient else _ANSWERED_WITHIN,
        statement_cache_size=1000,
        max_cached_statement_lifetime=0,
    )


class ServerStore:
    """The only connection of this process that writes, on the writer's thread."""

    def __init__(self, server: Server, open_: Open) -> None:
        self._open = open_
        self._engine = engine(server)
        self._numbers = Numbers(self._engine.dialect)
        self._crash = Crash()
        self._loop = asyncio.new_event_loop()
        self._seat: Seat | None = None
        self._timeline: str | None = None

    def commit(self, jobs: Sequence[Job], pressed: Callable[[], bool], *, ailing: bool) -> Sequence[Job]:
        try:
            return self._loop.run_until_complete(self._commit(jobs, pressed))
        except Lost:
            self.roll_back()
        try:  # a server that was restarted, or another one that has taken its place
            return self._loop.run_until_complete(self._commit(jobs, pressed))
        except Lost as error:
            raise OperationalError("", None, error, hide_parameters=True) from None

    async def _commit(self, jobs: Sequence[Job], pressed: Callable[[], bool]) -> Sequence[Job]:
        """None has a savepoint of its own, for hardly any fails that has written something; where one does,
        those it shares the commit with are done once more, each in its own."""
        line = await self._sit_down()
        try:
            return await self._together(line, jobs, pressed, apart=False)
        except Spoiled:
            await line.say("ROLLBACK")
            fresh = await self._sit_down()
            return () if len(jobs) == 1 else await self._together(fresh, jobs, pressed, apart=True)

    async def _together(
        self, line: ServerLine, jobs: Sequence[Job], pressed: Callable[[], bool], *, apart: bool
    ) -> Sequence[Job]:
        await line.say(_BEGIN)
        done = 0
        while done == 0 or (done < min(len(jobs), SUBTRANSACTIONS) and not pressed()):
            job = jobs[done]
            attempt = self._attempt(line, job, apart)
            await self._loop.create_task(attempt, context=job.context.copy())
            done += 1
        await self._end(line, frozenset().union(*(job.bells for job in jobs[:done])))
        return jobs[done:]

    async def _attempt(self, line: ServerLine, job: Job, apart: bool) -> None:
        tx, refused = self._open(line), False
        job.failure, job.bells = None, frozenset()

        async def guarded() -> Any:
            async with tx.savepoint():
                return await job.work(tx)

        try:
            job.value = await _Alone(guarded() if apart else tx.whole(job.work), line)
            job.bells = frozenset(tx.bells)
            return
        except Lost:
            raise
        except DBAPIError as error:
            if not isinstance(error, DataError | IntegrityError):
                raise
            job.failure, refused = error, True
        except Exception as error:  # noqa: BLE001 - handed to whoever asked for this transaction
            job.failure = error
        if not apart and (tx.wrote or refused):
            raise Spoiled
        await line.undo_all()

    async def _end(self, line: ServerLine, bells: frozenset[str]) -> None:
        number = await line.number()
        notify = f"SELECT pg_notify({_CHANNEL}, '{' '.join(sorted(bells))}'); " if bells else ""
        self._crash.before_commit()
        try:
            await line.say(f"{notify}COMMIT")
        except Lost:
            if number is None or not await self._was_committed(number):
                raise
        self._crash.after_commit()

    async def _was_committed(self, number: str) -> bool:
        """What became of a commit whose answer was lost. Raises Unknown where nobody can tell: the server
        does not come back, or another one has taken its place, which counts transactions anew."""
        before, until = self._timeline, self._loop.time() + _TOLD_WITHIN
        while self._loop.time() < until:
            await self._leave()
            with contextlib.suppress(Lost, DBAPIError):
                line = await self._sit_down()
                if self._timeline != before:
                    break
                fate = await line.fate(number)
                if fate != "in progress":
                    return fate == "committed"
            await asyncio.sleep(_AGAIN)
        raise Unknown("nobody can tell whether the last transaction was committed")

    async def _sit_down(self) -> ServerLine:
        if self._seat is not None:
            return ServerLine(self._seat, self._numbers, writes=True)
        self._seat = await taken(self._engine)
        line = ServerLine(self._seat, self._numbers, writes=True)
        self._timeline = await line.timeline()
        return line

    def roll_back(self) -> None:
        """The session is thrown away with what is open in it: the next commit has a new one."""
        self._loop.run_until_complete(self._leave())

    async def _leave(self) -> None:
        seat, self._seat = self._seat, None
        if seat is not None:
            await seat.throw_away()

    def close(self) -> None:
        self.roll_back()
        self._loop.run_until_complete(self._engine.dispose())
        self._loop.close()


class ServerReaders:
    """A few connections that only look, each transaction a stable snapshot, on the event loop."""

    def __init__(self, server: Server, *, size: int = _POOLED) -> None:
        self._engine = engine(server, pooled=size)
        self._numbers = Numbers(self._engine.dialect)

    async def run(self, work: Work[T], open_: Open) -> T:
        """Raises what the work raises, or TemporaryError when the server does not answer."""
        began, lost = time.monotonic(), ""
        for tried in range(_POOLED + 1):  # each that waited may be a connection of before
            try:
                return await self._look(work, open_)
            except Lost as error:
                lost = str(error)
            if tried and time.monotonic() - began > _TRIED_FOR:
                break
        raise TemporaryError(f"the database does not answer: {lost}")

    async def _look(self, work: Work[T], open_: Open) -> T:
        seat = await taken(self._engine)
        line = ServerLine(seat, self._numbers)
        try:
            await line.say(_LOOK)
            return await work(open_(line))
        except (Lost, asyncio.CancelledError):  # who is called off leaves an answer under way
            await seat.throw_away()
            raise
        finally:
            if not seat.gone:
                await self._leave(seat, line)

    async def _leave(self, seat: Seat, line: ServerLine) -> None:
        try:
            await line.say("ROLLBACK")
        except Lost:
            await seat.throw_away()
        except asyncio.CancelledError:
            await seat.throw_away()
            raise
        else:
            await seat.connection.close()

    async def close(self) -> None:
        await self._engine.dispose()


async def hear(server: Server, ring: Callable[[frozenset[str]], None], ring_all: Callable[[], None]) -> None:
    """Ring the bells of other processes here, for ever. All are rung after each connection: what was said
    meanwhile nobody knows."""

    def heard(_connection: object, _pid: int, _channel: str, names: str) -> None:
        ring(frozenset(names.split()))

    while True:
        with contextlib.suppress(*_BROKEN):
            raw = await connected(server)
            try:
                await raw.add_listener(await raw.fetchval(f"SELECT {_CHANNEL}"), heard)
                ring_all()
                while not raw.is_closed():
                    await asyncio.sleep(_PULSE)
                    await raw.execute("SELECT 1")
            finally:
                raw.terminate()
        await asyncio.sleep(_AGAIN)
