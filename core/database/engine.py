"""The database as the desk holds it: `write`, `read`, bells, and a plain word when it cannot be opened."""

import contextlib
import fcntl
import os
import re
import sqlite3
from pathlib import Path
from typing import TypeVar

from sqlalchemy.engine import Engine
from sqlalchemy.exc import DBAPIError

from core.database import migrate, sqlite
from core.database.bells import Bells
from core.database.transaction import Line, React, Rules, Transaction, Work, no_reaction
from core.kernel.clock import Clock, WallClock
from core.kernel.errors import SetupError

T = TypeVar("T")
_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_MARK = b"initialised\n"
_WHOLE = "PRAGMA quick_check(1)"
_BEGINNING = "SELECT 'ok' FROM (SELECT count(*) FROM sqlite_master)"
_SQLITE_URL = re.compile(r"sqlite(?:\+aiosqlite)?:///(.+)")


class Database:
    """One open database. `write` runs one transaction and returns when it is on disk; `read` only looks."""

    def __init__(self, path: Path, clock: Clock | None = None, *, guest: bool = False) -> None:
        """A `guest` works beside the process that serves the file, and leaves checkpoints to it."""
        self.path = path
        self.shared = False
        """Whether other processes may serve it besides."""
        self.bells = Bells()
        self.rules: Rules = {}
        self.react: React = no_reaction
        self._clock = clock or WallClock()
        self._engine: Engine = sqlite.writer_engine(path, guest=guest)
        self._writer = sqlite.Writer(self._engine, self._open, self.bells.ring)
        self._readers = sqlite.Readers(sqlite.reader_engine(path))
        self._surveyor = sqlite.Surveyor(sqlite.surveyor_engine(path), self._open)

    def _open(self, line: Line) -> Transaction:
        return Transaction(line, self._clock.now(), self.rules, self.react)

    async def write(self, work: Work[T], *, urgent: bool = False) -> T:
        """Run `work` in one transaction. Raises what it raises (nothing is changed then), or
        TemporaryError when the database cannot take it now. `urgent` goes before others that wait: for
        what is short, and awaited by somebody who does not wait for long."""
        return await self._writer.run(work, urgent=urgent)

    async def read(self, work: Work[T]) -> T:
        """Run `work` on a stable snapshot; it cannot write. Raises what it raises, or SetupError when the
        file turns out to be damaged."""
        try:
            async with self._readers.line() as line:
                return await work(self._open(line))
        except DBAPIError as error:
            if _tells_of_damage(error.orig):
                raise _damaged(self.path, error.orig) from error
            raise

    async def survey(self, work: Work[T]) -> T:
        """The same as `read` for whoever looks at a lot: all of it runs on a thread of its own, in one hop.
        One survey at a time."""
        try:
            return await self._surveyor.run(work)
        except DBAPIError as error:
            if _tells_of_damage(error.orig):
                raise _damaged(self.path, error.orig) from error
            raise

    @property
    def trouble(self) -> str:
        """Why nothing can be written at present; empty while all is well."""
        return self._writer.trouble

    async def close(self) -> None:
        """Finish what is under way and let go of the file."""
        await self._writer.close()
        self._engine.dispose()
        await self._readers.close()
        await self._surveyor.close()


def sqlite_path(url: str) -> Path:
    """The file a `sqlite+aiosqlite:///path` URL names. Raises SetupError for another kind of URL."""
    if not (found := _SQLITE_URL.fullmatch(url)):
        raise SetupError(f"database.url: {url!r} is not sqlite+aiosqlite:///path/to/file.db")
    return Path(found[1])


class Lock:
    """Says that this process alone serves the file; released when the process ends, however it ends.

    It also remembers that a database stands here and, after a clean stop, how that has left it."""

    def __init__(self, path: Path) -> None:
        self._database = path
        self._path = path.with_name(path.name + ".lock")
        self._handle: int | None = None
        self._serves = False

    def take(self) -> None:
        """Raises SetupError when another process serves the same file."""
        self._handle = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise SetupError(
                f"Another Deskbridge already serves {self._database}."
                " Stop it first, or give this one its own database.url."
            ) from None

    @property
    def initialised(self) -> bool:
        """Whether a database has stood here before."""
        return self._path.exists() and self._path.stat().st_size > 0

    @property
    def in_order(self) -> bool:
        """Whether the file lies as a process that stopped cleanly has left it."""
        return self._path.read_bytes() == _MARK + self._how_it_lies()

    def mark(self) -> None:
        """Remember that a database stands here, so that its loss is noticed, and that it is in use."""
        assert self._handle is not None
        os.pwrite(self._handle, _MARK, 0)
        os.ftruncate(self._handle, len(_MARK))
        os.fsync(self._handle)
        self._serves = True

    def release(self) -> None:
        """Let go of the file; one that was served is closed by now and left in order."""
        if self._handle is None:
            return
        if self._serves:
            with contextlib.suppress(OSError):  # a full disk: the next start looks the file through
                os.pwrite(self._handle, self._how_it_lies(), len(_MARK))
        os.close(self._handle)
        self._handle = None

    def _how_it_lies(self) -> bytes:
        found = self._database.stat() if self._database.exists() else None
        return f"{found.st_size} {found.st_mtime_ns}\n".encode() if found else b""


def prepare(path: Path, *, anew: bool = False) -> Lock:
    """Take the file for this process, check it and bring its schema up to date.

    To look all of it through takes about a second a gigabyte, so that is done unless the file lies exactly
    as the last clean stop has left it: after a crash or a power cut, or when somebody put another there.

    Raises SetupError, one plain line saying what is wrong and what to do: a lost or damaged file, a
    directory that cannot be written, a second process, a schema of a newer version.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = Lock(path)
        begun = lock.initialised
        lock.take()
    except OSError as error:
        raise SetupError(
            f"{path.parent} cannot be written ({error.strerror}). Mend it or change database.url."
        ) from None
    try:
        check(path, whole=not lock.in_order)
        if begun and not anew and migrate.revision(path) is None:
            raise SetupError(
                f"The database {path} is missing or empty, though a desk was set up here."
                " Restore it from a backup, or start with --init to begin an empty one."
            )
        migrate.upgrade(path)
        lock.mark()
    except BaseException:
        lock.release()
        raise
    return lock


def expect(path: Path, *, whole: bool = False) -> None:
    """Raises SetupError when no desk of this version stands there for a guest to work on."""
    check(path, whole=whole)
    found = migrate.revision(path)
    if found is None:
        raise SetupError(
            f"There is no desk in {path} yet. Start it once with `deskbridge run`, or check database.url."
        )
    if found != migrate.HEAD:
        raise SetupError(
            f"The database {path} is of another version (schema {found}). Bring it up to date with"
            " `deskbridge migrate`, or use the version that made it."
        )


def check(path: Path, *, whole: bool = True) -> None:
    """Raises SetupError when the file is not a sound SQLite database; without `whole` only its beginning is
    looked at. A missing file is sound."""
    if not path.exists() or path.stat().st_size == 0:
        return
    if path.is_dir():
        raise SetupError(f"{path} is a folder. Give database.url the path of a file.")
    try:
        with contextlib.closing(migrate.look(path)) as connection:
            verdict = connection.execute(_WHOLE if whole else _BEGINNING).fetchone()[0]
    except sqlite3.Error as error:
        if not _tells_of_damage(error):
            raise SetupError(
                f"The database {path} cannot be opened ({error}). Check that it can be read and written."
            ) from None
        verdict = str(error)
    if verdict != "ok":
        raise _damaged(path, verdict)


def _tells_of_damage(error: BaseException | None) -> bool:
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def _damaged(path: Path, why: object) -> SetupError:
    last = str(why).splitlines()[-1]  # above it stands only which database it is
    return SetupError(
        f"The database {path} is damaged ({last}). Restore it from a backup; nothing was changed."
    )
