"""`deskbridge backup` and `deskbridge restore`: the database and the files people sent, as one."""

from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from bot.config import Settings
from core.database import backup, engine
from core.files.blobs import Blobs
from core.kernel.errors import SetupError

Say = Callable[[str], None]


def files_of(target: Path) -> Path:
    """The folder beside a backup that holds its files."""
    return target.with_name(target.name + ".files")


def keep(settings: Settings, target: Path, say: Say, *, files: bool = True) -> None:
    """Copy a desk, which may be serving. The copy of the database gets its name last: if it is there, all of
    the backup is. Raises SetupError in one plain line."""
    only_sqlite(settings.database.url, f"pg_dump --format=custom --file={target}", "backed up")
    engine.expect(settings.database.path)
    with backup.copied(settings.database.path, target):
        count = _copy(settings.files_dir, files_of(target)) if files else 0
    say(f"The backup is {target}" + (f"; files in {files_of(target)}: {count}" if files else ""))


def bring_back(settings: Settings, source: Path, say: Say) -> None:
    """Put a backup where the configuration says that the desk is. Raises SetupError in one plain line."""
    only_sqlite(settings.database.url, "pg_restore --clean --if-exists --dbname={}", "restored")
    path = settings.database.path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{path.parent} cannot be made ({error.strerror}).") from None
    with backup.restored(source, path):
        count = _copy(files_of(source), settings.files_dir)
    say(f"The desk is in {path} again; files: {count}. Start it with `deskbridge run`.")


def only_sqlite(url: str, command: str, what: str) -> None:
    """Raises SetupError that names the tool for a database that has tools of its own."""
    if url.startswith("sqlite"):
        return
    address = without_password(url)
    full = command.format(address) if "{}" in command else f"{command} {address}"
    raise SetupError(
        f"A PostgreSQL database is {what} by PostgreSQL's own tools: {full} (the password: PGPASSWORD)."
        " It holds the files people sent, too."
    )


def without_password(url: str) -> str:
    """The address of a PostgreSQL server as its own tools take it."""
    parts = urlsplit(url)
    user, at, host = parts.netloc.rpartition("@")
    return urlunsplit(("postgresql", user.partition(":")[0] + at + host, *parts[2:]))


def _copy(source: Path, target: Path) -> int:
    try:
        return Blobs(source, limit=0).copy_to(target)
    except OSError as error:
        raise SetupError(f"The files cannot be copied into {target} ({error.strerror}).") from None
