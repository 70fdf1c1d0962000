"""What the rig of a database must offer, so that every promise of a database is one test for all of them."""

import asyncio
import importlib
import pkgutil
import sqlite3
import threading
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, Protocol, TypeVar

import sqlalchemy
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext

import bot.adapters
import core
from core.database import engine, migrate, postgresql, server
from core.database.engine import Database
from core.database.schema import metadata
from core.database.server import Server
from core.database.transaction import Transaction, Work
from core.kernel.clock import HandClock
from tests import kept

T = TypeVar("T")

for _house in (core, bot.adapters):  # the metadata is whole once every store is imported
    for _room in pkgutil.walk_packages(_house.__path__, f"{_house.__name__}."):
        if _room.name.endswith(".store"):
            importlib.import_module(_room.name)


class Stand(Protocol):
    """An open database of the newest schema."""

    database: Database

    async def together(self, *works: Work[Any]) -> list[Any]:
        """Run them at once, in one commit where the database does that; answers or errors, in order."""
        ...

    def upgrade(self) -> None:
        """Bring the schema up to date, as every start does."""
        ...

    def revision(self) -> str | None: ...

    def pretend(self, revision: str) -> None:
        """Let the schema say that it is of this revision."""
        ...

    def differences(self) -> Sequence[Any]:
        """What the tables in the database lack or have too much beside the tables in the code."""
        ...

    def full(self) -> Work[None]:
        """Work that leaves no room for anything bulky."""
        ...


class ServerStand:
    """A database of a PostgreSQL server."""

    def __init__(self, place: Server) -> None:
        self._place = place
        self.database = Database(place, HandClock())

    async def together(self, *works: Work[Any]) -> list[Any]:
        return await _in_line(self.database, works)

    def upgrade(self) -> None:
        engine.prepare(self._place)

    def revision(self) -> str | None:
        return server.revision(self._place)

    def pretend(self, revision: str) -> None:
        self._ask(
            lambda connection: connection.exec_driver_sql(
                "UPDATE alembic_version SET version_num = $1", (revision,)
            )
        )

    def differences(self) -> Sequence[Any]:
        def compare(connection: sqlalchemy.Connection) -> list[Any]:
            context = MigrationContext.configure(connection, opts={"compare_type": True})
            return list(compare_metadata(context, metadata))

        return self._ask(compare)

    def full(self) -> Work[None]:
        """No disk is filled: the server says of anything bulky what it says then."""

        async def work(tx: Transaction) -> None:
            await tx.execute(sqlalchemy.text(_REFUSAL))
            await tx.execute(sqlalchemy.text(_REFUSE))

        return work

    def _ask(self, work: Callable[[sqlalchemy.Connection], T]) -> T:
        async def asked() -> T:
            made = postgresql.engine(self._place)
            try:
                async with made.connect() as connection:
                    return await connection.run_sync(work)
            finally:
                await made.dispose()

        return server.settle(asked)


_REFUSAL = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full'; END $$
"""
_REFUSE = """
CREATE TRIGGER refuse BEFORE INSERT ON counters FOR EACH ROW
WHEN (length(NEW.name) > 1000) EXECUTE FUNCTION refuse()
"""


async def _in_line(database: Database, works: Sequence[Work[Any]]) -> list[Any]:
    """Let them wait together while another transaction is under way."""
    begun, go_on = threading.Event(), threading.Event()

    async def hold(tx: Transaction) -> None:
        begun.set()
        go_on.wait(10)

    first = asyncio.create_task(database.write(hold))
    await asyncio.to_thread(begun.wait, 10)
    others = [asyncio.create_task(database.write(work)) for work in works]
    await asyncio.sleep(0)  # each of them has got in line
    go_on.set()
    await first
    return await asyncio.gather(*others, return_exceptions=True)


class SqliteStand:
    """A file. Transactions that wait while another one holds the writer share one commit."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.database = Database(path, HandClock())

    async def together(self, *works: Work[Any]) -> list[Any]:
        return await _in_line(self.database, works)

    def upgrade(self) -> None:
        migrate.upgrade(self._path)

    def revision(self) -> str | None:
        return migrate.revision(self._path)

    def pretend(self, revision: str) -> None:
        with closing(sqlite3.connect(self._path)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))
            connection.commit()

    def differences(self) -> Sequence[Any]:
        made = sqlalchemy.create_engine(f"sqlite:///{self._path}")
        try:
            with made.connect() as connection:
                context = MigrationContext.configure(connection, opts={"compare_type": True})
                return list(compare_metadata(context, metadata))
        finally:
            made.dispose()

    def full(self) -> Work[None]:
        async def work(tx: Transaction) -> None:
            await tx.scalar(sqlalchemy.text("PRAGMA max_page_count = 1"))

        return work


@asynccontextmanager
async def sqlite(folder: Path) -> AsyncIterator[SqliteStand]:
    path = folder / "desk.db"
    lock = engine.prepare(path)
    stand = SqliteStand(path)
    try:
        yield stand
    finally:
        await stand.database.close()
        lock.release()


@asynccontextmanager
async def on_server(folder: Path) -> AsyncIterator[ServerStand]:
    place = kept.place(folder / "desk.db")
    engine.prepare(place)
    stand = ServerStand(place)
    try:
        yield stand
    finally:
        await stand.database.close()
        kept.throw_away(folder / "desk.db")
