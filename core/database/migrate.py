"""Brings the schema up to date; Alembic is loaded only when there is something to do."""

import sqlite3
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import sqlalchemy

from core.kernel.errors import SetupError

HEAD = "0008"
"""The newest revision; a test holds it against the migration scripts."""

SCRIPTS = Path(__file__).parent / "migrations"


def look(path: Path) -> sqlite3.Connection:
    """A connection that changes nothing, not even what a crash left beside the file, unless the file
    is in the middle of a change that must be undone before it can be read."""
    undo = path.with_name(path.name + "-journal").exists()
    name = quote(str(path.absolute()))
    return sqlite3.connect(f"file:{name}?mode={'rw' if undo else 'ro'}", uri=True)


def revision(path: Path) -> str | None:
    """The schema's revision, None for an empty or missing file. Raises SetupError for the database of
    another program."""
    if not path.exists():
        return None
    with closing(look(path)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        if "alembic_version" in tables:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
            return None if row is None else str(row[0])
    if tables:
        raise SetupError(f"{path} is not a Deskbridge database; it is left alone. Change database.url.")
    return None


def upgrade(path: Path) -> None:
    """Apply what is missing. Raises SetupError when the schema is newer than this version knows,
    or when the file cannot be written."""
    try:
        found = revision(path)
        if found != HEAD:
            _upgrade(path, found)
    except sqlite3.OperationalError as error:
        raise SetupError(
            f"The database {path} cannot be opened ({error}). Check that it can be read and written."
        ) from None
    except sqlalchemy.exc.OperationalError as error:
        raise SetupError(
            f"The database {path} cannot be prepared ({error.orig}). Free some space or mend its rights."
        ) from None


def _upgrade(path: Path, found: str | None) -> None:
    engine = sqlalchemy.create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # old or new, never between
            run(connection, path, found)
            connection.exec_driver_sql("COMMIT")
            connection.exec_driver_sql("PRAGMA journal_mode=WAL")  # not even the first read blocks a write
    finally:
        engine.dispose()


def run(connection: sqlalchemy.Connection, place: object, found: str | None) -> None:
    """Apply what is missing on this connection. Raises SetupError when the schema is newer than this version
    knows."""
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise SetupError(
            f"The database {place} was made by a newer Deskbridge (schema {found}). Use that version."
        )
    config.attributes["connection"] = connection
    command.upgrade(config, "head")
