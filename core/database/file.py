"""A database in a file: held by one process, checked, brought up to date."""

import contextlib
import fcntl
import os
import sqlite3
from pathlib import Path

from core.database import migrate
from core.kernel.errors import SetupError

_DAMAGED = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_MARK = b"initialised\n"
_WHOLE = "PRAGMA quick_check(1)"
_BEGINNING = "SELECT 'ok' FROM (SELECT count(*) FROM sqlite_master)"


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
        if not tells_of_damage(error):
            raise SetupError(
                f"The database {path} cannot be opened ({error}). Check that it can be read and written."
            ) from None
        verdict = str(error)
    if verdict != "ok":
        raise damaged(path, verdict)


def tells_of_damage(error: BaseException | None) -> bool:
    """Whether the file itself is broken."""
    return getattr(error, "sqlite_errorcode", 0) & 0xFF in _DAMAGED


def damaged(path: Path, why: object) -> SetupError:
    """The plain word for it."""
    last = str(why).splitlines()[-1]  # above it stands only which database it is
    return SetupError(
        f"The database {path} is damaged ({last}). Restore it from a backup; nothing was changed."
    )
