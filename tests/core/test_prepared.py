"""Prepared statements answer what the library answers, and leave to it what they cannot."""

import gc
import sqlite3
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import sqlalchemy
from sqlalchemy import Column, Integer, MetaData, Table, Text, bindparam, func, select, text
from sqlalchemy.engine import Connection
from sqlalchemy.exc import IntegrityError

from core.database.prepared import Shelf
from core.database.schema import Instant, Json, Length, insert_new

NOW = datetime(2026, 11, 22, 18, 0, 0, 123456, UTC)
things = Table(
    "things",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", Text, unique=True),
    Column("at", Instant),
    Column("span", Length),
    Column("body", Json),
    Column("tries", Integer, default=0),
)
VALUES = {"name": "a 'b' ? 🖨️", "at": NOW, "span": timedelta(hours=1), "body": {"x": [1, None]}, "tries": 3}


@pytest.fixture
def connection() -> Iterator[Connection]:
    engine = sqlalchemy.create_engine("sqlite://", isolation_level="AUTOCOMMIT")
    with engine.connect() as opened:
        things.create(opened)
        yield opened
    engine.dispose()


class Both:
    """The library and the shelf, asked the same."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.shelf = Shelf(connection.dialect)

    def prepared(self, statement: Any, given: dict[str, Any]) -> Any:
        assert self.shelf.find(statement, given) is None, "what is asked once is the library's"
        return self.shelf.find(statement, given)

    def run(self, statement: Any, given: dict[str, Any]) -> Any:
        prepared = self.prepared(statement, given)
        assert prepared is not None
        raw = self.connection.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        return prepared.run(raw, given)


@pytest.fixture
def both(connection: Connection) -> Both:
    return Both(connection)


c = things.c
ASKED: list[tuple[Any, dict[str, Any]]] = [
    (select(things).where(c.name == bindparam("named")), {"named": VALUES["name"]}),
    (select(things).where(c.name == bindparam("named")), {"named": "nobody"}),
    (select(c.at, c.span).where(c.at <= bindparam("now", type_=Instant)), {"now": NOW}),
    (select(func.count()).select_from(things), {}),
    (select(func.min(c.at)), {}),
    (select(things).where(c.tries.in_([1, 2, 3]), c.name != bindparam("named")), {"named": "x"}),
    (select(c.name.label("called")).order_by(c.id).limit(bindparam("limit")), {"limit": 5}),
]


@pytest.mark.parametrize("number", range(len(ASKED)))
def test_the_answer_is_the_librarys(both: Both, number: int) -> None:
    both.connection.execute(things.insert().values(VALUES))
    statement, given = ASKED[number]
    expected, answer = both.connection.execute(statement, given), both.run(statement, given)
    rows = expected.all()
    assert [tuple(row) for row in answer.all()] == [tuple(row) for row in rows]
    assert [row._fields for row in answer.all()] == [row._fields for row in rows]
    first = answer.first()
    assert (None if first is None else tuple(first)) == (tuple(rows[0]) if rows else None)
    assert answer.scalar() == (rows[0][0] if rows else None)


def test_what_is_written_is_read_back_as_it_was(both: Both) -> None:
    assert both.run(things.insert(), VALUES).rowcount == 1
    row = both.connection.execute(select(things)).one()
    assert {name: getattr(row, name) for name in VALUES} == VALUES


def test_rows_are_counted_and_told_back(both: Both) -> None:
    both.connection.execute(things.insert().values(VALUES))
    change = things.update().where(c.id == bindparam("thing"))
    assert both.run(change, {"thing": 1, "tries": 7}).rowcount == 1
    assert both.shelf.find(change, {"thing": 2, "tries": 7}) is not None
    assert both.run(things.update().where(c.id == bindparam("thing")), {"thing": 2, "tries": 7}).rowcount == 0
    told = both.run(things.update().values(tries=c.tries + 1).returning(things), {})
    assert (told.rowcount, told.first().tries, told.first().at) == (1, 8, NOW)
    assert both.run(things.insert().returning(c.id), {**VALUES, "name": "b"}).scalar() == 2
    assert both.run(things.delete().where(c.tries > bindparam("more")), {"more": 5}).rowcount == 1


def test_an_insert_that_meets_its_like_is_refused_or_leaves_it_alone(both: Both) -> None:
    both.connection.execute(things.insert().values(VALUES))
    assert both.run(insert_new(things), VALUES).rowcount == 0
    with pytest.raises(IntegrityError):
        both.run(things.insert(), VALUES)


@pytest.mark.parametrize(
    ("statement", "given"),
    [
        (things.insert(), {"name": "without tries, which have a default"}),
        (select(things).where(c.id.in_(bindparam("ids", expanding=True))), {"ids": [1, 2]}),
        (select(things).where(c.id.in_([])), {}),
        (select(c.id, c.id.label("id"), text("1 + 1")), {}),
        (text("SELECT name, tries FROM things WHERE tries = :tries"), {"tries": 3}),
    ],
)
def test_what_is_out_of_the_ordinary_is_left_to_the_library(both: Both, statement: Any, given: Any) -> None:
    assert both.prepared(statement, given) is None


def test_other_parameters_are_another_statement(both: Both) -> None:
    both.connection.execute(things.insert().values(VALUES))
    change = things.update().where(c.id == bindparam("thing"))
    both.run(change, {"thing": 1, "tries": 7})
    raw: Any = both.connection.connection.driver_connection
    other: Any = both.shelf.find(change, {"thing": 1, "name": "new"})
    assert other.run(raw, {"thing": 1, "name": "new"}).rowcount == 1
    row = both.connection.execute(select(things)).one()
    assert (row.tries, row.name) == (7, "new")


def test_a_statement_that_nobody_holds_is_forgotten(both: Both) -> None:
    for number in range(50):
        statement = select(things).where(c.id == number)
        both.shelf.find(statement, {})
        both.shelf.find(statement, {})
    del statement
    gc.collect()
    assert len(both.shelf._known) == 0
