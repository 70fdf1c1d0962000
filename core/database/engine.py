"""The database as the desk holds it: `write`, `read`, bells, and a plain word when it cannot be opened."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Protocol, TypeVar

from sqlalchemy.exc import DBAPIError

from core.database import file, server, sqlite
from core.database.bells import Bells
from core.database.server import Server
from core.database.transaction import Line, React, Rules, Transaction, Work, no_reaction
from core.database.writer import Writer
from core.kernel.clock import Clock, WallClock
from core.kernel.errors import SetupError

T = TypeVar("T")
Place = Path | Server
"""Where a database is: a file of SQLite, or a database of a PostgreSQL server."""
_SQLITE_URL = re.compile(r"sqlite(?:\+aiosqlite)?:///(.+)")


class Held(Protocol):
    """What `prepare` holds until the database is closed."""

    def release(self) -> None: ...


class Database:
    """One open database. `write` runs one transaction and returns when it is on disk; `read` only looks."""

    def __init__(self, place: Place, clock: Clock | None = None, *, guest: bool = False) -> None:
        """A `guest` works beside the process that serves a file, and leaves checkpoints to it."""
        self.place = place
        self.bells = Bells()
        self.rules: Rules = {}
        self.react: React = no_reaction
        self._clock = clock or WallClock()
        kind = _Server if isinstance(place, Server) else _File
        self._kind: _File | _Server = kind(place, self._open, self.bells, guest=guest)  # type: ignore[arg-type]

    @property
    def shared(self) -> bool:
        """Whether other processes may serve this database too."""
        return isinstance(self.place, Server)

    @property
    def path(self) -> Path:
        """The file. Raises TypeError where there is none."""
        if isinstance(self.place, Server):
            raise TypeError(f"{self.place} is not a file")
        return self.place

    def _open(self, line: Line) -> Transaction:
        return Transaction(line, self._clock.now(), self.rules, self.react)

    async def write(self, work: Work[T], *, urgent: bool = False) -> T:
        """Run `work` in one transaction. Raises what it raises (nothing is changed then), or
        TemporaryError when the database cannot take it now. `urgent` goes before others that wait: for
        what is short, and awaited by somebody who does not wait for long.

        Write transactions are serial, whichever process they run in: what one reads is true until it
        commits. It may run more than once before it commits, so it touches nothing but its transaction."""
        return await self._kind.writer.run(work, urgent=urgent)

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a stable snapshot; it cannot write. Raises what it raises, SetupError when the
        file turns out to be damaged, or TemporaryError when a server does not answer."""
        return await self._kind.read(work)

    async def survey(self, work: Work[T]) -> T:
        """The same as `read` for whoever looks at a lot, apart from those who look quickly. One survey at
        a time."""
        return await self._kind.survey(work)

    async def hear(self) -> None:
        """Ring here what other processes ring, until cancelled."""
        await self._kind.hear()

    @property
    def trouble(self) -> str:
        """Why nothing can be written at present; empty while all is well."""
        return self._kind.writer.trouble

    async def close(self) -> None:
        """Finish what is under way and let go of the database."""
        await self._kind.close()


class _File:
    """SQLite."""

    def __init__(
        self, path: Path, open_: Callable[[Line], Transaction], bells: Bells, *, guest: bool
    ) -> None:
        self._path = path
        self._open = open_
        self._engine = sqlite.writer_engine(path, guest=guest)
        self.writer = Writer(lambda: sqlite.FileStore(self._engine, open_), bells.ring)
        self._readers = sqlite.Readers(sqlite.reader_engine(path))
        self._surveyor = sqlite.Surveyor(sqlite.surveyor_engine(path), open_)

    async def read(self, work: Work[T]) -> T:
        async def look() -> T:
            async with self._readers.line() as line:
                return await work(self._open(line))

        return await self._unharmed(look)

    async def survey(self, work: Work[T]) -> T:
        """All of it runs on a thread of its own, in one hop."""
        return await self._unharmed(lambda: self._surveyor.run(work))

    async def _unharmed(self, look: Callable[[], Awaitable[T]]) -> T:
        try:
            return await look()
        except DBAPIError as error:
            if file.tells_of_damage(error.orig):
                raise file.damaged(self._path, error.orig) from error
            raise

    async def hear(self) -> None:
        """One process alone serves a file."""
        await asyncio.Event().wait()

    async def close(self) -> None:
        await self.writer.close()
        self._engine.dispose()
        await self._readers.close()
        await self._surveyor.close()


class _Server:
    """PostgreSQL; its driver is loaded only where a server is named."""

    def __init__(
        self, place: Server, open_: Callable[[Any], Transaction], bells: Bells, *, guest: bool
    ) -> None:
        from core.database import postgresql

        self._place = place
        self._open = open_
        self._bells = bells
        self.writer = Writer(lambda: postgresql.ServerStore(place, open_), bells.ring)
        self._readers = postgresql.ServerReaders(place)
        self._surveyor = postgresql.ServerReaders(place, size=1)

    async def read(self, work: Work[T]) -> T:
        return await self._readers.run(work, self._open)

    async def survey(self, work: Work[T]) -> T:
        return await self._surveyor.run(work, self._open)

    async def hear(self) -> None:
        from core.database import postgresql

        await postgresql.hear(self._place, self._bells.ring, self._bells.ring_all)

    async def close(self) -> None:
        await self.writer.close()
        await self._readers.close()
        await self._surveyor.close()


def place_of(url: str) -> Place:
    """What a sqlite+aiosqlite:///path or postgresql+asyncpg://… URL names. Raises SetupError for another one,
    without repeating it: it may hold a password."""
    if found := _SQLITE_URL.fullmatch(url):
        return Path(found[1])
    if (named := Server.of(url)) is not None:
        return named
    raise SetupError("database.url: neither sqlite+aiosqlite:///path/to/file.db nor postgresql+asyncpg://…")


def prepare(place: Place, *, anew: bool = False) -> Held:
    """Take the database for this process, check it and bring its schema up to date.

    Raises SetupError, one plain line saying what is wrong and what to do."""
    return server.prepare(place) if isinstance(place, Server) else file.prepare(place, anew=anew)


def expect(place: Place, *, whole: bool = False) -> None:
    """Raises SetupError when no desk of this version stands there to work on. `whole`: look all of a file
    through."""
    if isinstance(place, Server):
        server.expect(place)
    else:
        file.expect(place, whole=whole)


def check(path: Path, *, whole: bool = True) -> None:
    """Raises SetupError when the file is not a sound SQLite database: see `core.database.file`."""
    file.check(path, whole=whole)
