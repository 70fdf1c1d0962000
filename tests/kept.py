"""Databases of the shared PostgreSQL server, and sessions in them, that go from one test to the next.

To empty a database takes a fifth of making one. A session that has seen a desk before has its statements
prepared and its catalogues read, which is most of what a short test would wait for.
"""

import asyncio
import contextlib
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from typing import TypeVar

import asyncpg
import pytest
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.asyncio import AsyncEngine

from core.database import engine, postgresql, sqlite
from core.database.crash import Crash
from core.database.numbered import Numbers
from core.database.postgresql import Lost, Open, ServerLine
from core.database.prepared import Shelf
from core.database.server import Server
from core.database.transaction import Transaction, Work
from tests import postgres

T = TypeVar("T")
_TEMPLATE = "empty_desk"
_THOROUGH = 40
"""So many times a database is emptied by deleting rows, which is quick, before its files are thrown away."""
_CLEANING = """
CREATE FUNCTION make_empty(spared int[], thorough boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE names text; used boolean; each record;
BEGIN
  PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()
    AND NOT (pid = ANY (spared) AND state = 'idle');
  PERFORM set_config('session_replication_role', 'replica', true);
  FOR each IN SELECT tablename FROM pg_tables
      WHERE schemaname = 'public' AND tablename <> 'alembic_version' LOOP
    IF thorough THEN names := concat_ws(', ', names, quote_ident(each.tablename));
    ELSE EXECUTE 'DELETE FROM ' || quote_ident(each.tablename);
    END IF;
  END LOOP;
  IF thorough THEN EXECUTE 'TRUNCATE ' || names || ' CASCADE'; END IF;
  PERFORM setval(format('%I.%I', schemaname, sequencename), 1, false) FROM pg_sequences
    WHERE last_value IS NOT NULL;
END $$
"""
_EMPTY = "SELECT make_empty($1, $2)"

_places: dict[Path, str] = {}
"""The databases in use, by the file each stands for."""
_free: list[str] = []
_cleaned: defaultdict[str, int] = defaultdict(int)
_made: list[str] = []


def place(path: Path) -> Server:
    """The database that stands for a file of the tests: up to date, and empty at the first time."""
    if path not in _places:
        _places[path] = _free.pop() if _free else _another()
    return _server(_places[path])


def clean() -> None:
    """What a test has used is empty for the next one. What cannot be emptied is nobody's any more."""
    for path, name in list(_places.items()):
        try:
            _apart(lambda: _empty(name))  # noqa: B023 - it is over before the next one
        except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
            throw_away(path)
        else:
            _free.append(_places.pop(path))


def rows(path: Path) -> list[str]:
    """Every row of every table, as text."""
    name, server = _places[path], postgres.shared()
    tables = server.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", name).split()
    return server.sql("; ".join(f"SELECT t::text FROM {each} t" for each in tables), name).splitlines()


def throw_away(path: Path) -> None:
    """This one was changed so that nobody else can use it."""
    if (name := _places.pop(path, None)) is not None:
        _forget(name)
        postgres.shared().drop(name)


def end() -> None:
    """Let go of everything that was kept."""
    for name in _made:
        _forget(name)
    _made.clear()
    _free.clear()


def _server(name: str) -> Server:
    named = Server.of(postgres.shared().url(name))
    assert named is not None
    return named


def _another() -> str:
    """A copy of a desk that nobody has used yet."""
    server = postgres.shared()
    with postgres.alone():
        if server.sql(f"SELECT 1 FROM pg_database WHERE datname = '{_TEMPLATE}'") != "1":
            server.create(_TEMPLATE)
            engine.prepare(_server(_TEMPLATE))
            server.sql(_CLEANING, _TEMPLATE)
            server.sql(f"ALTER DATABASE {_TEMPLATE} ALLOW_CONNECTIONS false")
        name = f"desk_{server.sql('SELECT count(*) FROM pg_database')}"
        while server.sql(f"SELECT 1 FROM pg_database WHERE datname = '{name}'") == "1":
            name += "x"
        server.create(name, _TEMPLATE)
    _made.append(name)
    return name


def _empty(name: str) -> None:
    """Raises what the server says when no session will do it."""
    server = _server(name)
    _cleaned[name] += 1
    thorough = _cleaned[name] % _THOROUGH == 0
    writers = _writers[server.dsn]
    while writers:
        store = writers.pop()
        if not writers and store.lives and _does(store, thorough=thorough):
            return
        store.leave()
    store = KeptStore(server, _nothing)
    try:
        store.sit()
        store.empty(_looking[server.dsn], thorough=thorough)
    except BaseException:
        store.leave()
        raise
    store.close()


def _does(store: "KeptStore", *, thorough: bool) -> bool:
    """Whether this session could; somebody may have ended it without its knowledge."""
    try:
        store.empty(_looking[store.dsn], thorough=thorough)
    except (asyncpg.PostgresError, asyncpg.InterfaceError, OSError):
        return False
    store.close()
    return store.lives


def _apart(work: Callable[[], T]) -> T:
    """Do it on a thread of its own: where a test's loop runs, no other one may."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(work).result()


def _nothing(line: ServerLine) -> Transaction:
    raise AssertionError


def _forget(name: str) -> None:
    dsn = _server(name).dsn
    for store in _writers.pop(dsn, ()):
        _apart(store.leave)
    for size in (1, 4):
        readers = _readers.pop((dsn, size), None)
        if readers is not None:
            _far(readers[0].dispose()).result(10)


class KeptStore(postgresql.ServerStore):
    """Takes up the session of the one that was before it on the same database."""

    def __init__(self, server: Server, open_: Open) -> None:
        self.dsn = server.dsn
        if _writers[server.dsn]:
            self.__dict__.update(vars(_writers[server.dsn].pop()))
            self._open, self._crash = open_, Crash()
        else:
            super().__init__(server, open_)

    def sit(self) -> None:
        self._loop.run_until_complete(self._sit_down())

    def close(self) -> None:
        if self.lives:
            _writers[self.dsn].append(self)
        else:
            self.leave()

    @property
    def lives(self) -> bool:
        """Whether its session can be used again."""
        raw = self._seat.raw if self._seat is not None else None
        return raw is not None and not raw.is_closed() and not raw.is_in_transaction()

    def leave(self) -> None:
        """End it in earnest."""
        super().close()

    def empty(self, spared: set[int], *, thorough: bool) -> None:
        assert self._seat is not None
        self._loop.run_until_complete(self._seat.raw.execute(_EMPTY, spared, thorough))


class KeptReaders(postgresql.ServerReaders):
    """Looks over sessions that stay on a loop of their own, for a test's loop ends with the test."""

    def __init__(self, server: Server, *, size: int = 4) -> None:
        key = server.dsn, size
        if key not in _readers:
            super().__init__(server, size=size)
            _readers[key] = self._engine, self._numbers
        self._engine, self._numbers = _readers[key]
        self._seen = _looking[server.dsn]

    async def _look(self, work: Work[T], open_: Callable[[ServerLine], Transaction]) -> T:
        seat = await _hop(postgresql.taken(self._engine))
        self._seen.add(seat.raw.get_server_pid())
        line = FarLine(seat, self._numbers)
        try:
            await line.say(postgresql._LOOK)
            return await work(open_(line))
        except (Lost, asyncio.CancelledError):
            await _hop(seat.throw_away())
            raise
        finally:
            if not seat.gone:
                await _hop(self._leave(seat, ServerLine(seat, self._numbers)))

    async def close(self) -> None:
        """They are kept."""


class FarLine(ServerLine):
    """A session on the loop of the kept ones."""

    async def _ask(self, answer: Awaitable[T]) -> T:
        return await super()._ask(_hop(answer))


def _hop(work: Awaitable[T]) -> "asyncio.Future[T]":
    """Awaits on the loop of the kept sessions."""
    return asyncio.wrap_future(_far(work))


def _far(work: Awaitable[T]) -> "Future[T]":
    async def whole() -> T:
        return await work

    return asyncio.run_coroutine_threadsafe(whole(), _loop())


@cache
def _loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="kept-sessions", daemon=True).start()
    return loop


_writers: defaultdict[str, list[KeptStore]] = defaultdict(list)
"""Sessions that write and that nobody uses now, by database."""
_readers: dict[tuple[str, int], tuple[AsyncEngine, Numbers]] = {}
_looking: defaultdict[str, set[int]] = defaultdict(set)
"""The server's numbers of the sessions that look."""


_shelves: dict[type[Dialect], Shelf] = {}


def _shelf(dialect: Dialect) -> Shelf:
    """Statements are put together once for all desks of this process."""
    return _shelves.setdefault(type(dialect), Shelf(dialect))


@contextlib.contextmanager
def statements() -> Iterator[None]:
    """Within it, desks on SQLite take up what is kept."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(sqlite, "Shelf", _shelf)
        yield


@contextlib.contextmanager
def sessions() -> Iterator[None]:
    """Within it, desks take up what is kept."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(postgresql, "ServerStore", KeptStore)
        patched.setattr(postgresql, "ServerReaders", KeptReaders)
        yield
