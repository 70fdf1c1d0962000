"""Which database the tests' desks stand on: SQLite, PostgreSQL, or each test on both.

DESKBRIDGE_TEST_DATABASE chooses: `sqlite`, `postgresql` or `both`. Without it they share the tests where
PostgreSQL is installed (`tests/twice.py`), and elsewhere it is SQLite.
"""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from bot.config.model import Database as Configured
from core.database import engine
from core.database.engine import Held, Place
from core.database.server import Shared
from tests import kept

CHOSEN = os.environ.get("DESKBRIDGE_TEST_DATABASE", "")
KINDS = ("sqlite", "postgresql")
ON_SERVER = False
"""Whether the test that runs now has its desks on PostgreSQL."""


def place(path: Path) -> Place:
    """The file itself, or the database that stands for it: up to date, and empty at the first time."""
    return kept.place(path) if ON_SERVER else path


def prepared(path: Path) -> Held:
    """What a desk holds that stands there. A database that stands for a file is made ready as it is made."""
    if ON_SERVER:
        kept.place(path)
        return Shared()
    return engine.prepare(path)


def url(path: Path) -> str:
    """The same as a configuration names it."""
    found = place(path)
    if isinstance(found, Path):
        return f"sqlite+aiosqlite:///{found}"
    named = found.dsn.replace("postgresql://", "postgresql+asyncpg://", 1)
    _folders[named] = path.parent
    return named


def folder(configured: Configured) -> Path:
    """Where what belongs to a database lies: of one that `url` has named, beside the file it stands for."""
    found: Path = _folders.get(configured.url) or _FOLDER.fget(configured)
    return found


_FOLDER = Configured.__dict__["folder"]
_folders: dict[str, Path] = {}


def rows(path: Path) -> list[str]:
    """Every row of every table, as text."""
    if ON_SERVER:
        return kept.rows(path)
    with closing(sqlite3.connect(path)) as file:
        tables = [name for (name,) in file.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        return [repr(row) for name in tables for row in file.execute(f"SELECT * FROM {name}")]


def content(path: Path) -> str:
    """All that is kept: the bytes of the file and of what lies beside it, or the rows of the database."""
    if ON_SERVER:
        return "\n".join(kept.rows(path))
    return "".join(each.read_bytes().decode("latin-1") for each in path.parent.glob(f"{path.name}*"))
