"""`deskbridge backup` and `deskbridge restore`: the database and the files people sent, as one."""

from collections.abc import Callable
from pathlib import Path

from bot.config import Settings
from core.database import backup, engine
from core.database.engine import Place
from core.files.blobs import Blobs
from core.kernel.errors import SetupError

Say = Callable[[str], None]


def files_of(target: Path) -> Path:
    """The folder beside a backup that holds its files."""
    return target.with_name(target.name + ".files")


def keep(settings: Settings, target: Path, say: Say, *, files: bool = True) -> None:
    """Copy a desk, which may be serving. The copy of the database gets its name last: if it is there, all of
    the backup is. Raises SetupError in one plain line."""
    path = only_file(settings.database.place, f"pg_dump --format=custom --file={target}", "backed up")
    engine.expect(path)
    with backup.copied(path, target):
        count = _copy(settings.files_dir, files_of(target)) if files else 0
    say(f"The backup is {target}" + (f"; files in {files_of(target)}: {count}" if files else ""))


def bring_back(settings: Settings, source: Path, say: Say) -> None:
    """Put a backup where the configuration says that the desk is. Raises SetupError in one plain line."""
    path = only_file(settings.database.place, "pg_restore --clean --if-exists --dbname={}", "restored")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise SetupError(f"{path.parent} cannot be made ({error.strerror}).") from None
    with backup.restored(source, path):
        count = _copy(files_of(source), settings.files_dir)
    say(f"The desk is in {path} again; files: {count}. Start it with `deskbridge run`.")


def only_file(place: Place, command: str, what: str) -> Path:
    """Raises SetupError that names the tool for a database that has tools of its own."""
    if isinstance(place, Path):
        return place
    full = command.format(place) if "{}" in command else f"{command} {place}"
    raise SetupError(
        f"A PostgreSQL database is {what} by PostgreSQL's own tools: {full} (the password: PGPASSWORD)."
        " It holds the files people sent, too."
    )


def _copy(source: Path, target: Path) -> int:
    try:
        return Blobs(source, limit=0).copy_to(target)
    except OSError as error:
        raise SetupError(f"The files cannot be copied into {target} ({error.strerror}).") from None
