"""Brings the schema up to date; Alembic is loaded only when there is something to do."""

import sqlite3
from collections.abc import Collection
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import sqlalchemy

from core.database import parts
from core.database.parts import Part, Step
from core.database.schema import schema_floor
from core.kernel.errors import SetupError

HEAD = "0011"
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


def chain() -> list[Step]:
    """Every migration in its order, and which part of an upgrade it is."""
    from alembic.script import ScriptDirectory

    scripts = list(ScriptDirectory(str(SCRIPTS)).walk_revisions())
    return [Step(each.revision, Part(getattr(each.module, "part", Part.POST))) for each in reversed(scripts)]


def run(
    connection: sqlalchemy.Connection, place: object, found: str | None, others: Collection[str] = ()
) -> None:
    """Apply on this connection what is missing and may be, while processes serve the desk whose newest
    revisions are `others`. Raises SetupError when the schema is of a version that this one cannot work with,
    or would have to become one that others cannot."""
    from alembic import command
    from alembic.config import Config

    steps = chain()
    if found is not None and found > HEAD:
        if fits(connection, found):
            return
        raise SetupError(
            f"The database {place} was made by a newer Deskbridge (schema {found}). Use that version."
        )
    target = parts.target(steps, found, others)
    if not parts.fits(steps, target or found or "", None):
        raise SetupError(
            f"An older Deskbridge still serves {place}, and cannot work with what this one needs."
            " Stop it first."
        )
    if target is None:
        return
    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, target)
    _raise_floor(connection, parts.floor(steps, target))


def fits(connection: sqlalchemy.Connection, found: str) -> bool:
    """Whether this version can work with the schema as it is."""
    return parts.fits(chain(), found, _floor(connection))


def _floor(connection: sqlalchemy.Connection) -> str | None:
    """The oldest version that can work with the schema as it is; None where nobody says so."""
    if not sqlalchemy.inspect(connection).has_table(schema_floor.name):
        return None
    found: str | None = connection.execute(sqlalchemy.select(schema_floor.c.oldest)).scalar()
    return found


def _raise_floor(connection: sqlalchemy.Connection, oldest: str) -> None:
    connection.execute(schema_floor.delete())
    connection.execute(schema_floor.insert().values(name="schema", oldest=oldest))
