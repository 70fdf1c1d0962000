"""What people are called: found by any spelling of it, also of those whom an older version met."""

import dataclasses
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.config import Config

from core.database import engine, migrate
from core.database.engine import Database
from core.kernel import text as texts
from core.kernel.clock import HandClock
from core.kernel.ids import Identity
from core.people import actions, store

OLGA = Identity("telegram", "5")


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    lock = engine.prepare(tmp_path / "desk.db")
    database = Database(tmp_path / "desk.db", HandClock())
    yield database
    await database.close()
    lock.release()


async def called(database: Database, name: str) -> list[str]:
    found = await database.read(lambda tx: store.called(tx, [texts.search_text(name)]))
    return [person.name for person in found]


async def test_somebody_is_found_by_any_spelling_of_the_name(database: Database) -> None:
    await database.write(lambda tx: actions.meet(tx, OLGA, name="Ольга Ковалёва", language="ru"))
    for name in ("Ольга Ковалёва", "ольга ковалева", "ОЛЬГА_КОВАЛЁВА"):
        assert await called(database, name) == ["Ольга Ковалёва"]
    assert await called(database, "Ольга") == []


async def test_whoever_has_a_new_name_is_found_by_that_alone(database: Database) -> None:
    olga = await database.write(lambda tx: actions.meet(tx, OLGA, name="Olga Ivanova", language="en"))
    await database.write(lambda tx: store.save(tx, dataclasses.replace(olga, name="Olga Petrova")))
    assert await called(database, "olga petrova") == ["Olga Petrova"]
    assert await called(database, "olga ivanova") == []


async def test_whoever_has_no_account_left_is_called_nothing(database: Database) -> None:
    await database.write(lambda tx: actions.meet(tx, OLGA, name="Olga Ivanova", language="en"))
    await database.write(lambda tx: store.detach(tx, OLGA))
    assert await called(database, "Olga Ivanova") == []


def left_at(path: Path, revision: str) -> None:
    """A database as an older version has left it."""
    config, made = Config(), sqlalchemy.create_engine(f"sqlite:///{path}")
    config.set_main_option("script_location", str(migrate.SCRIPTS))
    with made.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
    made.dispose()


async def test_names_that_an_older_version_kept_are_found_after_the_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "desk.db"
    left_at(path, "0004")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(
            "INSERT INTO persons (name, language, roles, queues, rank, created_at)"
            " VALUES ('Пётр Орлов', 'ru', '[\"requester\"]', '[]', 0, 0)"
        )
        connection.execute(
            "INSERT INTO identities (identity, person_id, seen_at) VALUES ('telegram:7', 1, 0)"
        )
        connection.commit()
    lock = engine.prepare(path)
    database = Database(path, HandClock())
    assert await called(database, "петр орлов") == ["Пётр Орлов"]
    await database.close()
    lock.release()
