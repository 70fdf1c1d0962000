"""Brings the schema up to date; Alembic is loaded only when there is something to do."""

import sqlite3
from contextlib import closing
from pathlib import Path

import sqlalchemy

from core.kernel.errors import SetupError

HEAD = "0001"
"""The newest revision; a test holds it against the migration scripts."""

SCRIPTS = Path(__file__).parent / "migrations"


def revision(path: Path) -> str | None:
    """The schema's revision, None for an empty or missing file."""
    if not path.exists():
        return None
    with closing(sqlite3.connect(path)) as connection:
        try:
            row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return None
    return None if row is None else str(row[0])


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
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if found is not None and found not in known:
        raise SetupError(
            f"The database {path} was made by a newer Deskbridge (schema {found}). Use that version."
        )
    engine = sqlalchemy.create_engine(f"sqlite:///{path}", isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.exec_driver_sql("BEGIN IMMEDIATE")  # old or new, never between
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
            connection.exec_driver_sql("COMMIT")
    finally:
        engine.dispose()
