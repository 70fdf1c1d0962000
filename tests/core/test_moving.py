"""A desk moves from a file to a server with everything in it, and goes on there."""

import asyncio
import json
import os
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from bot import export
from core.database import engine, move
from core.database.engine import Database, Place
from core.database.server import Server
from core.database.transaction import Rules, Transaction
from core.files.blobs import Blobs
from core.kernel.clock import HandClock
from core.kernel.errors import SetupError
from core.tickets.store import counters
from tests import postgres
from tests.town import Town

pytestmark = pytest.mark.sqlite


async def told(place: Place, rules: Rules) -> str:
    """Everything there is to tell of the desk."""
    database = Database(place, HandClock())
    database.rules = rules

    async def everything(tx: Transaction) -> list[Any]:
        return await export.everything(tx)

    try:
        return json.dumps(await database.read(everything), default=str)
    finally:
        await database.close()


@pytest.fixture
async def used(town: Town, tmp_path: Path) -> Path:
    """The file of a desk in which people have written."""
    ivan, anna = town["ivan"], town["anna"]
    await ivan.say("VPN drops every ten minutes")
    for label in ("The office", "Only me", "Skip", "Nobody can work", "Send"):
        await ivan.press(label)
    await ivan.say("Вот ещё: «ошибка 😀»")
    await anna.say("/take 1")
    await anna.say("/reply 1 On my way")
    await town.settle()
    copy = tmp_path / "moved.db"
    with closing(sqlite3.connect(town.path)) as source:
        source.execute("VACUUM INTO ?", (str(copy),))
    return copy


@pytest.fixture
def target(tmp_path: Path) -> Iterator[Server]:
    """An empty database of a server."""
    server, name = postgres.shared(), f"moved_{os.getpid()}_{zlib.crc32(str(tmp_path).encode())}"
    found = engine.place_of(server.create(name))
    assert isinstance(found, Server)
    yield found
    server.drop(name)


def sql(target: Server, words: str) -> str:
    return postgres.shared().sql(words, target.dsn.rpartition("/")[2])


async def moved(source: Path, target: Server) -> list[move.Moved]:
    tables: list[move.Moved] = []
    await asyncio.to_thread(move.move, source, target, tables.append)
    return tables


async def test_everything_is_there_afterwards_and_the_desk_can_tell_it(
    town: Town, used: Path, target: Server
) -> None:
    tables = {table.name: table.rows for table in await moved(used, target)}
    with closing(sqlite3.connect(used)) as source:
        rows = {name: source.execute(f"SELECT count(*) FROM {name}").fetchone()[0] for name in tables}
    assert tables == rows
    assert tables["tickets"] == 1
    assert tables["messages"] >= 2
    assert await told(target, town.database.rules) == await told(used, town.database.rules)


async def test_ids_go_on_where_they_were(used: Path, target: Server) -> None:
    with closing(sqlite3.connect(used)) as source:
        [(last,)] = source.execute("SELECT seq FROM sqlite_sequence WHERE name = 'outbox'").fetchall()
    await moved(used, target)
    assert int(sql(target, "SELECT nextval('outbox_id_seq')")) == last + 1


async def test_what_was_interrupted_goes_on_and_no_desk_starts_before_it_is_whole(
    town: Town, used: Path, target: Server
) -> None:
    engine.prepare(target)
    sql(target, "ALTER TABLE tickets ADD CONSTRAINT refuse CHECK (id < 0)")
    with pytest.raises(SetupError, match=r"interrupted .*Run it again"):
        await moved(used, target)
    before = sql(target, "SELECT count(*) FROM persons")
    with pytest.raises(SetupError, match="being moved into"):
        engine.prepare(target)
    sql(target, "ALTER TABLE tickets DROP CONSTRAINT refuse")
    await moved(used, target)
    assert sql(target, "SELECT count(*) FROM persons") == before
    assert await told(target, town.database.rules) == await told(used, town.database.rules)
    engine.prepare(target)


async def test_a_move_that_broke_off_as_it_began_goes_on(
    town: Town, used: Path, target: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = asyncpg.Connection.execute

    async def breaks(self: Any, words: str, *values: Any, **more: Any) -> Any:
        if words.startswith("INSERT INTO deskbridge_moving"):
            raise ConnectionResetError
        return await usual(self, words, *values, **more)

    monkeypatch.setattr(asyncpg.Connection, "execute", breaks)
    with pytest.raises(SetupError, match=r"interrupted .*Run it again"):
        await moved(used, target)
    monkeypatch.undo()
    await moved(used, target)
    assert await told(target, town.database.rules) == await told(used, town.database.rules)


async def test_a_row_that_changed_on_the_way_is_found(used: Path, target: Server) -> None:
    engine.prepare(target)
    sql(
        target,
        "CREATE FUNCTION alter_it() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN NEW.title := NEW.title || '.'; RETURN NEW; END $$;"
        " CREATE TRIGGER alter_it BEFORE INSERT ON tickets FOR EACH ROW EXECUTE FUNCTION alter_it()",
    )
    with pytest.raises(
        SetupError, match="tickets has 1 rows in the file and 1 on the server, or they differ"
    ):
        await moved(used, target)


async def test_nothing_is_moved_into_a_desk_that_is_in_use(used: Path, target: Server) -> None:
    engine.prepare(target)
    sql(target, "INSERT INTO counters (name, value) VALUES ('ticket', 7)")
    with pytest.raises(SetupError, match="in use: counters is not empty"):
        await moved(used, target)


async def test_nothing_is_moved_from_a_file_that_is_served(town: Town, target: Server) -> None:
    with pytest.raises(SetupError, match="already serves"):
        await moved(town.path, target)


async def test_nothing_is_moved_from_nowhere(tmp_path: Path, target: Server) -> None:
    with pytest.raises(SetupError, match="There is no file"):
        await moved(tmp_path / "nothing.db", target)


async def test_what_the_server_would_refuse_is_made_storable_on_the_way(used: Path, target: Server) -> None:
    with closing(sqlite3.connect(used)) as source:
        source.execute("INSERT INTO counters (name, value) VALUES ('a' || char(0) || 'b', 7)")
        source.commit()
    await moved(used, target)
    database = Database(target, HandClock())
    found = await database.read(lambda tx: tx.scalar(counters.select().where(counters.c.value == 7)))
    await database.close()
    assert found == "a\u2400b"


async def test_the_bytes_of_files_go_along_and_are_given_out_there(
    town: Town, tmp_path: Path, target: Server
) -> None:
    body = bytes(range(256)) * 3000
    await town["ivan"].say("see there", files=[("log.bin", body)])
    files = town.house.blobs.root
    (name,) = [path.name for path in files.glob("??/*")]
    copy = tmp_path / "moved.db"
    with closing(sqlite3.connect(town.path)) as source:
        source.execute("VACUUM INTO ?", (str(copy),))
    await asyncio.to_thread(move.move, copy, target, lambda _: None, files)
    database = Database(target, HandClock())
    try:
        path = await Blobs(tmp_path / "elsewhere", 10**6, database).here(name)
        assert path.read_bytes() == body
    finally:
        await database.close()


async def test_a_file_that_is_not_what_it_was_is_not_moved(
    town: Town, tmp_path: Path, target: Server
) -> None:
    await town["ivan"].say("see there", files=[("log.bin", b"09:14 tunnel down")])
    (path,) = town.house.blobs.root.glob("??/*")
    path.write_bytes(b"rotten")
    copy = tmp_path / "moved.db"
    with closing(sqlite3.connect(town.path)) as source:
        source.execute("VACUUM INTO ?", (str(copy),))
    with pytest.raises(SetupError, match="not what it was"):
        await asyncio.to_thread(move.move, copy, target, lambda _: None, town.house.blobs.root)
