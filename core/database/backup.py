"""A copy of an SQLite database while it is in use, and the way back: whole under its name, or not there."""

import contextlib
import os
import secrets
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from core.database import file, migrate
from core.kernel.errors import SetupError

BESIDE = ("-wal", "-shm", "-journal")
"""What SQLite keeps beside a database that is in use, or was when its process died."""


@contextlib.contextmanager
def copied(source: Path, target: Path) -> Iterator[None]:
    """A sound copy of all that was committed before now; it bears its name when the block ends well.

    Others may write meanwhile, and none of them waits. Nothing is ever overwritten.
    Raises SetupError, one plain line: the target is taken, cannot be written, or the source is damaged.
    """
    _free(target)
    partial = target.with_name(f".{target.name}.{secrets.token_hex(4)}.part")
    try:
        _vacuum(source, partial)
        file.check(partial)
        yield
        _name(partial, target)
    except OSError as error:
        raise SetupError(f"{target} cannot be written ({error.strerror}).") from None
    finally:
        with contextlib.suppress(OSError):
            partial.unlink(missing_ok=True)


@contextlib.contextmanager
def restored(source: Path, target: Path) -> Iterator[None]:
    """The way back: the copy becomes the database of a desk that has none, when the block ends well.

    Raises SetupError, one plain line: there is no such copy, it is not a desk's, it is damaged or of a newer
    version, a database stands where it is to go, or a desk is about to serve one there.
    """
    _of_a_desk(source)
    _free(target)
    left = [name for end in BESIDE if (name := target.with_name(target.name + end)).exists()]
    if left:
        raise SetupError(
            f"{left[0]} is left of a database that is gone; what it holds would spoil another one."
            " Move it away first."
        )
    lock = file.Lock(target)
    try:
        lock.take()
    except OSError as error:
        raise SetupError(f"{target.parent} cannot be written ({error.strerror}).") from None
    try:
        with copied(source, target):
            yield
    finally:
        lock.release()


def _of_a_desk(source: Path) -> None:
    if not source.exists():
        raise SetupError(f"There is no {source}. Name the file that `deskbridge backup` has made.")
    file.check(source)
    found = migrate.revision(source)
    if found is None:
        raise SetupError(f"{source} holds no desk. Name the file that `deskbridge backup` has made.")
    if found > migrate.HEAD:
        raise SetupError(f"{source} was made by a newer Deskbridge (schema {found}). Use that version.")


def _free(target: Path) -> None:
    """Raises SetupError unless a file of this name can be made."""
    if target.is_dir():
        raise SetupError(f"{target} is a folder. Name a file that does not exist yet, like {target}/desk.db.")
    if os.path.lexists(target):
        raise SetupError(f"{target} exists already and is left alone. Name a file that does not exist yet.")
    if not target.parent.is_dir():
        raise SetupError(f"There is no folder {target.parent}. Make it first, or name another one.")
    if not os.access(target.parent, os.W_OK):
        raise SetupError(f"{target.parent} cannot be written. Mend its rights, or name another folder.")


def _vacuum(source: Path, partial: Path) -> None:
    try:
        with closing(migrate.look(source)) as connection:
            connection.execute("VACUUM INTO ?", (str(partial),))
    except sqlite3.Error as error:
        if file.tells_of_damage(error):
            raise SetupError(f"The database {source} is damaged ({error}). Nothing was copied.") from None
        raise SetupError(
            f"{source} could not be copied into {partial.parent} ({error}). Is there room for all of it?"
        ) from None


def _name(partial: Path, target: Path) -> None:
    """Onto the disk first, then the name: a link, because that never takes the place of another file."""
    _settle(partial)
    try:
        os.link(partial, target)
    except FileExistsError:
        _free(target)
        raise
    except OSError:  # a file system without links
        _free(target)
        partial.rename(target)
    _settle(target.parent)


def _settle(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
