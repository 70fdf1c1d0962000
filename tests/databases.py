"""Which database the tests' desks stand on: SQLite, or PostgreSQL by DESKBRIDGE_TEST_DATABASE=postgresql."""

import os
from pathlib import Path

from core.database.engine import Place
from tests import postgres

ON_SERVER = os.environ.get("DESKBRIDGE_TEST_DATABASE", "sqlite") == "postgresql"


def place(path: Path) -> Place:
    """The file itself, or the database that stands for it: made and up to date at the first time."""
    return postgres.place(path) if ON_SERVER else path


def url(path: Path) -> str:
    """The same as a configuration names it."""
    found = place(path)
    if isinstance(found, Path):
        return f"sqlite+aiosqlite:///{found}"
    return found.dsn.replace("postgresql://", "postgresql+asyncpg://", 1)
