"""When all of a database is looked through: whenever it is not as a desk that stopped cleanly has left it."""

import os
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config
from sqlalchemy import text

from core.database import engine, migrate
from core.database.engine import Database
from core.database.transaction import Transaction
from core.kernel.errors import SetupError, TemporaryError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A database that was left in order, and damaged since without a trace in its size and time."""
    path = tmp_path / "desk.db"
    engine.prepare(path).release()
    with closing(sqlite3.connect(path)) as database:
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tickets'").fetchone()
    before = path.stat()
    with path.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xa5" * 4096)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    return path


def test_what_was_left_in_order_is_not_looked_through_again(path: Path) -> None:
    engine.prepare(path).release()


def touched(path: Path) -> None:
    os.utime(path)


def longer(path: Path) -> None:
    left = path.stat()
    with path.open("ab") as file:
        file.write(bytes(4096))
    os.utime(path, ns=(left.st_atime_ns, left.st_mtime_ns))


def died(path: Path) -> None:
    """A process serves it and ends without a word."""
    serve = "import os, sys, pathlib; from core.database import engine;"
    serve += "engine.prepare(pathlib.Path(sys.argv[1])); os._exit(9)"
    assert subprocess.run([sys.executable, "-c", serve, path], check=False).returncode == 9


def unheard_of(path: Path) -> None:
    path.with_name(path.name + ".lock").unlink()


@pytest.mark.parametrize("happened", [touched, longer, died, unheard_of])
def test_what_is_not_as_it_was_left_is_looked_through(path: Path, happened: Callable[[Path], None]) -> None:
    happened(path)
    for _ in range(2):  # a start that was refused leaves no word that all is well
        with pytest.raises(SetupError, match="damaged"):
            engine.prepare(path)


def test_people_stay_signed_in_when_the_first_schema_is_brought_up_to_date(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    made = sqlalchemy.create_engine(f"sqlite:///{path}")
    with made.begin() as connection:
        config = Config()
        config.set_main_option("script_location", str(migrate.SCRIPTS))
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.exec_driver_sql("INSERT INTO web_sessions VALUES ('h', 'web:anna', 'anna', 'csrf', 0, 1)")
    made.dispose()
    engine.prepare(path).release()
    with closing(sqlite3.connect(path)) as database:
        kept = database.execute("SELECT * FROM web_sessions").fetchall()
    assert kept == [("h", "web:anna", "anna", 0, 1)]


def test_a_guest_looks_at_the_beginning_alone_unless_it_asks_for_all(path: Path) -> None:
    engine.check(path, whole=False)
    with pytest.raises(SetupError, match="damaged"):
        engine.check(path)
    path.write_bytes(b"\0" * 8192)
    with pytest.raises(SetupError, match="damaged"):
        engine.check(path, whole=False)


async def test_what_cannot_be_read_while_nothing_can_be_written_may_pass(path: Path) -> None:
    """A disk that gives nothing back looks like a damaged file."""
    database = Database(path)

    async def look(tx: Transaction) -> None:
        await tx.execute(text("SELECT count(*) FROM (SELECT * FROM sqlite_master, inbox)"))

    path.write_bytes(path.read_bytes()[:1] + b"\1" * (path.stat().st_size - 1))
    path.with_name("desk.db-wal").unlink(missing_ok=True)
    try:
        for reading in (database.read, database.survey):
            with pytest.raises(SetupError, match="damaged"):
                await reading(look)
        database._kind.writer.trouble = "disk I/O error"
        for reading in (database.read, database.survey):
            with pytest.raises(TemporaryError, match="cannot be read now"):
                await reading(look)
    finally:
        database._kind.writer.trouble = ""
        await database.close()
