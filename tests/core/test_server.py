"""What PostgreSQL may do to a desk: sessions that end, a server that is gone, others who stand in the way."""

import asyncio
import contextlib
import os
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import sqlalchemy
from sqlalchemy.exc import IntegrityError

from core.database import engine, migrate, postgresql, server
from core.database.engine import Database
from core.database.postgresql import ServerLine
from core.database.server import Server
from core.database.transaction import Transaction, Work
from core.kernel.clock import HandClock
from core.kernel.errors import SetupError, TemporaryError
from core.outbox import store as outbox
from core.tickets.store import counters
from tests import kept, postgres
from tests.postgres import Postgres


@pytest.fixture
def place(tmp_path: Path) -> Server:
    return kept.place(tmp_path / "desk.db")


@pytest.fixture
async def database(place: Server) -> AsyncIterator[Database]:
    opened = Database(place, HandClock())
    yield opened
    await opened.close()


def add(name: str) -> Work[None]:
    async def work(tx: Transaction) -> None:
        await tx.execute(counters.insert().values(name=name, value=1))

    return work


async def names(database: Database) -> list[str]:
    async def look(tx: Transaction) -> list[str]:
        return [row.name for row in await tx.all(counters.select().order_by(counters.c.name))]

    return await database.read(look)


def end_sessions(place: Server) -> None:
    """The server ends every session, as an administrator or a restart would."""
    postgres.shared().sql(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        place.dsn.rpartition("/")[2],
    )


async def open_all_readers(database: Database) -> None:
    """As many look at once as there are connections for it."""
    together = asyncio.Barrier(4)

    async def look(tx: Transaction) -> None:
        await tx.all(counters.select())
        await together.wait()

    await asyncio.gather(*(database.read(look) for _ in range(4)))


async def test_a_session_that_ended_is_begun_anew_and_nobody_notices(
    database: Database, place: Server
) -> None:
    await database.write(add("a"))
    assert await names(database) == ["a"]
    await asyncio.to_thread(end_sessions, place)
    await database.write(add("b"))
    assert await names(database) == ["a", "b"]


async def test_who_looks_after_all_sessions_ended_is_told_nothing_of_it(
    database: Database, place: Server
) -> None:
    await open_all_readers(database)
    await asyncio.to_thread(end_sessions, place)
    assert await names(database) == []


async def test_who_looks_while_sessions_end_is_told_nothing_of_it_though_each_ends_as_it_is_used(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    await open_all_readers(database)
    assert isinstance(database._kind, engine._Server)
    pool: Any = database._kind._readers._engine.pool
    of_before = pool.checkedin()
    assert of_before > 2
    usual, ended = ServerLine.say, []

    async def said(line: ServerLine, words: str) -> None:
        if len(ended) < of_before:
            ended.append(words)
            raise postgresql.Lost("terminated")
        await usual(line, words)

    monkeypatch.setattr(ServerLine, "say", said)
    assert await names(database) == []


async def test_a_session_that_ends_in_a_transaction_takes_none_of_it_along(
    database: Database, place: Server
) -> None:
    times = []

    async def work(tx: Transaction) -> None:
        await add("a")(tx)
        if not times:
            times.append(1)
            end_sessions(place)
        await add("b")(tx)

    await database.write(work)
    assert await names(database) == ["a", "b"]


async def test_a_server_that_is_gone_is_temporary_and_told_and_so_is_its_return() -> None:
    with postgres.another(durable=True) as server:
        place = engine.place_of(server.create("desk"))
        engine.prepare(place)
        database = Database(place, HandClock())
        await database.write(add("a"))
        server.stop("immediate")
        with pytest.raises(TemporaryError):
            await database.write(add("b"))
        with pytest.raises(TemporaryError):
            await names(database)
        assert database.trouble
        server.start()
        await database.write(add("c"))
        assert not database.trouble
        assert await names(database) == ["a", "c"]
        await database.close()


class Deaf:
    """Stands before the server and cuts the line before the answer to a commit comes through."""

    def __init__(self, port: int) -> None:
        self._port = port
        self.cut = False
        self.port = 0

    async def start(self) -> asyncio.Server:
        server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        self.port = server.sockets[0].getsockname()[1]
        return server

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, towards = await asyncio.open_connection("127.0.0.1", self._port)
        committing = asyncio.Event()

        async def forth() -> None:
            while said := await reader.read(65536):
                if self.cut and b"COMMIT" in said:
                    committing.set()
                towards.write(said)
            towards.close()

        async def back() -> None:
            while said := await there.read(65536):
                if committing.is_set():
                    self.cut = False
                    break
                writer.write(said)
            writer.close()

        await asyncio.gather(forth(), back(), return_exceptions=True)
        towards.close()


@pytest.fixture
async def deaf(place: Server) -> AsyncIterator[tuple[Deaf, Database]]:
    """A desk that talks to its server over such a line."""
    relay = Deaf(postgres.shared().port)
    serving = await relay.start()
    dsn = place.dsn.replace(f":{postgres.shared().port}/", f":{relay.port}/")
    database = Database(Server(dsn), HandClock())
    yield relay, database
    await database.close()
    serving.close()


async def test_what_was_committed_while_the_line_broke_is_neither_lost_nor_done_twice(
    deaf: tuple[Deaf, Database],
) -> None:
    relay, database = deaf
    times = 0

    async def work(tx: Transaction) -> str:
        nonlocal times
        times += 1
        await add(f"n{times}")(tx)
        return f"n{times}"

    await database.write(add("a"))
    relay.cut = True
    assert await database.write(work) == "n1"
    assert await names(database) == ["a", "n1"]
    assert not relay.cut


async def test_what_may_be_committed_already_is_not_done_again(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    times = {"a": 0, "b": 0}
    started, waiting = threading.Event(), threading.Event()
    usual = ServerLine.say

    async def said(line: ServerLine, words: str) -> None:
        await usual(line, words)
        if words.endswith("COMMIT") and times["b"]:
            raise postgresql.Lost("the answer")

    def grow(name: str) -> Work[None]:
        async def work(tx: Transaction) -> None:
            times[name] += 1
            await add(f"{name}{times[name]}")(tx)

        return work

    async def nobody_knows(*_: object) -> bool:
        raise postgresql.Unknown("nobody can tell")

    async def wait(tx: Transaction) -> None:
        await tx.all(counters.select())
        started.set()
        waiting.wait(10)

    monkeypatch.setattr(ServerLine, "say", said)
    monkeypatch.setattr(postgresql.ServerStore, "_was_committed", nobody_knows)
    first = asyncio.create_task(database.write(wait))
    await asyncio.to_thread(started.wait, 10)
    both = [asyncio.create_task(database.write(grow(name))) for name in times]
    await asyncio.sleep(0)
    waiting.set()
    await first
    outcomes = await asyncio.gather(*both, return_exceptions=True)
    assert [type(each) for each in outcomes] == [TemporaryError, TemporaryError]
    monkeypatch.undo()
    assert await names(database) == ["a1", "b1"]


async def test_whoever_stands_still_in_a_transaction_is_thrown_out_and_the_others_go_on(
    database: Database, place: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    await database.write(add("a"))
    hasty = {**postgresql._SETTINGS, "idle_in_transaction_session_timeout": "200"}
    monkeypatch.setattr(postgresql, "_SETTINGS", hasty)
    frozen = await postgresql.connected(place)
    await frozen.execute(postgresql._BEGIN)
    await frozen.execute("INSERT INTO counters (name, value) VALUES ('frozen', 1)")
    await asyncio.wait_for(database.write(add("b")), 20)
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)):
        await frozen.execute("COMMIT")
    frozen.terminate()
    assert await names(database) == ["a", "b"]


async def test_two_processes_lose_no_update_of_each_other(database: Database, place: Server) -> None:
    await database.write(add("n"))
    other = Database(place, HandClock())

    async def grow(tx: Transaction) -> None:
        before = await tx.scalar(sqlalchemy.select(counters.c.value))
        await tx.execute(counters.update().values(value=before + 1))

    async def grow_often(which: Database) -> None:
        for _ in range(25):
            await which.write(grow)

    await asyncio.gather(*(grow_often(which) for which in (database, other) for _ in range(4)))
    assert await database.read(lambda tx: tx.scalar(sqlalchemy.select(counters.c.value))) == 201
    await other.close()


async def test_an_upgrade_waits_for_who_looks_at_much_and_holds_up_nobody_who_writes(
    database: Database, place: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tries: list[bool] = []
    usual = server._upgraded

    def change(connection: sqlalchemy.Connection, *_: object) -> None:
        connection.exec_driver_sql("ALTER TABLE counters ADD COLUMN colour TEXT")

    def counted(*arguments: Any, last: bool) -> bool:
        tries.append(usual(*arguments, last=last))
        return tries[-1]

    monkeypatch.setattr(migrate, "HEAD", "9999")
    monkeypatch.setattr(migrate, "run", change)
    monkeypatch.setattr(server, "_WAIT", 100)
    monkeypatch.setattr(server, "_upgraded", counted)
    looking = await postgresql.connected(place)
    await looking.execute("BEGIN; SELECT * FROM counters")
    upgrading = asyncio.create_task(asyncio.to_thread(engine.prepare, place))
    said = 0
    while len(tries) < 2:
        await asyncio.wait_for(database.write(add(f"n{said:06}")), 5)
        said += 1
    assert not any(tries)
    await looking.execute("COMMIT")
    await upgrading
    assert tries[-1]
    assert len(await names(database)) == said
    looking.terminate()
    kept.throw_away(tmp_path / "desk.db")


async def test_savepoints_that_are_over_stand_in_nobodys_way(database: Database) -> None:
    async def nested(tx: Transaction, name: str) -> None:
        for part in ("a", "b"):
            async with tx.savepoint():
                await add(f"{name}{part}")(tx)
                async with tx.savepoint():
                    await add(f"{name}{part}{part}")(tx)
                with contextlib.suppress(KeyError):
                    async with tx.savepoint():
                        await add(f"{name} never")(tx)
                        raise KeyError

    async def fails(tx: Transaction) -> None:
        await nested(tx, "lost")
        raise ValueError

    works = [fails if number % 4 == 2 else partial(nested, name=f"{number}") for number in range(12)]
    done = await asyncio.gather(*(database.write(work) for work in works), return_exceptions=True)
    assert [isinstance(each, ValueError) for each in done] == [number % 4 == 2 for number in range(12)]
    kept = [f"{number}{part}" for number in range(12) if number % 4 != 2 for part in ("a", "aa", "b", "bb")]
    assert await names(database) == sorted(kept)


async def test_who_stops_looking_at_the_last_moment_leaves_no_connection_behind(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual = ServerLine.say

    async def said(line: ServerLine, words: str) -> None:
        task = asyncio.current_task()
        if words == "ROLLBACK" and task is not None:
            task.cancel()
        await usual(line, words)

    monkeypatch.setattr(ServerLine, "say", said)
    looking = asyncio.create_task(names(database))
    assert isinstance((await asyncio.gather(looking, return_exceptions=True))[0], asyncio.CancelledError)
    monkeypatch.undo()
    assert isinstance(database._kind, engine._Server)
    pool: Any = database._kind._readers._engine.pool
    assert pool.checkedout() == 0
    assert await names(database) == []


async def test_who_finds_all_connections_in_use_is_told_that_it_may_pass(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert isinstance(database._kind, engine._Server)
    pool: Any = database._kind._readers._engine.pool
    monkeypatch.setattr(pool, "_timeout", 0.05)
    enough, looking = asyncio.Event(), asyncio.Barrier(5)

    async def look(tx: Transaction) -> None:
        await tx.all(counters.select())
        await looking.wait()
        await enough.wait()

    slow = [asyncio.create_task(database.read(look)) for _ in range(4)]
    await looking.wait()
    with pytest.raises(TemporaryError):
        await names(database)
    enough.set()
    await asyncio.gather(*slow)
    assert await names(database) == []


async def test_an_upgrade_may_take_longer_than_what_the_desk_asks_all_day(
    place: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[bool] = []

    def change(connection: sqlalchemy.Connection, *_: object) -> None:
        connection.exec_driver_sql("SELECT pg_sleep(1.5)")
        done.append(True)

    monkeypatch.setattr(postgresql, "_ANSWERED_WITHIN", 1.0)
    monkeypatch.setattr(migrate, "HEAD", "9999")
    monkeypatch.setattr(migrate, "run", change)
    await asyncio.to_thread(engine.prepare, place)
    assert done
    kept.throw_away(tmp_path / "desk.db")


async def test_a_bell_of_one_process_rings_in_the_other(database: Database, place: Server) -> None:
    other = Database(place, HandClock())
    heard = other.bells.listen("post")
    hearing = asyncio.create_task(other.hear())
    await asyncio.wait_for(heard.wait(), 10)  # at the beginning all are rung
    heard.clear()

    async def work(tx: Transaction) -> None:
        tx.ring("post")
        await add("n")(tx)

    await database.write(work)
    await asyncio.wait_for(heard.wait(), 10)
    heard.clear()
    await asyncio.to_thread(end_sessions, place)  # what was rung meanwhile nobody knows
    await asyncio.wait_for(heard.wait(), 20)
    hearing.cancel()
    await other.close()


async def test_an_error_does_not_repeat_what_people_wrote(database: Database) -> None:
    await database.write(add("my secret"))
    with pytest.raises(IntegrityError) as found:
        await database.write(add("my secret"))
    assert "duplicate key" in str(found.value)
    assert "my secret" not in f"{found.value} {found.value.orig} {found.value.__cause__}"


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (lambda server: server.url("nothing"), "There is no such database.*--encoding UTF8"),
        (lambda server: server.url("postgres").replace("desk@", "nobody@"), "refuses this user.*PGPASSWORD"),
        (lambda server: server.url("postgres") + "?wrong=1", r"cannot be prepared.*database\.url"),
        (lambda server: "postgresql+asyncpg://desk:pa55@127.0.0.1:9/desk", "cannot be reached"),
    ],
)
def test_a_server_that_will_not_do_is_told_in_one_line_without_the_password(
    url: Callable[[Postgres], str], told: str
) -> None:
    with pytest.raises(SetupError, match=told) as found:
        engine.prepare(engine.place_of(url(postgres.shared())))
    assert "\n" not in str(found.value)
    assert "pa55" not in str(found.value)


async def test_the_owner_of_a_database_needs_no_other_right() -> None:
    server = postgres.shared()
    server.sql("CREATE ROLE plain LOGIN")
    server.sql("CREATE DATABASE plain OWNER plain")
    try:
        place = engine.place_of(server.url("plain").replace(postgres.USER, "plain", 1))
        engine.prepare(place)
        database = Database(place, HandClock())
        await database.write(add("a"))
        assert await names(database) == ["a"]
        await database.close()
    finally:
        server.drop("plain")
        server.sql("DROP ROLE plain")


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    server = postgres.shared()
    place = engine.place_of(server.create(name := f"foreign_{os.getpid()}"))
    server.sql("CREATE TABLE theirs (id int)", name)
    try:
        with pytest.raises(SetupError, match="not a Deskbridge database"):
            engine.prepare(place)
    finally:
        server.drop(name)


@pytest.fixture
async def linguistic(tmp_path: Path) -> AsyncIterator[Database]:
    """A database that sorts as a dictionary does, which takes no notice of what is no letter."""
    shared, name = postgres.shared(), f"linguistic_{os.getpid()}"
    shared.sql(
        f"CREATE DATABASE {name} TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en-US-u-ka-shifted'"
    )
    named = Server.of(shared.url(name))
    assert named is not None
    engine.prepare(named)
    opened = Database(named, HandClock())
    yield opened
    await opened.close()
    shared.drop(name)


async def test_names_are_held_apart_by_their_bytes_however_the_server_sorts(linguistic: Database) -> None:
    slots = ["ping:5", "ping:5:1", "ping:51:2", "ping:5:é", "ping:6"]

    async def work(tx: Transaction) -> list[str | None]:
        for slot in slots:
            where = {"address": "web:a", "room": "web:a", "remote": slot, "parts": [], "slot": slot}
            await tx.execute(outbox.posts.insert().values(at=tx.now, **where))
        return [post.slot for post in await outbox.posts_beginning(tx, "ping:5:")]

    assert await linguistic.write(work) == ["ping:5:1", "ping:5:é"]
