"""The shared metadata and the column types that mean the same on every database."""

import json
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import sqlalchemy
from sqlalchemy import BigInteger, Column, ColumnElement, Integer, MetaData, Table
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.engine import Dialect
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.visitors import InternalTraversal
from sqlalchemy.types import TypeDecorator

from core.kernel import text as texts

Processor = Callable[[Any], Any]
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)

Serial = BigInteger().with_variant(Integer, "sqlite")
"""A whole number that a primary key may count up by itself."""
_write = json.JSONEncoder(separators=(",", ":")).encode
_read = json.JSONDecoder().raw_decode


# The processors stand for `process_bind_param` and `process_result_value`, which the library calls by way of
# two functions of its own: a turn converts some hundred values.


class Instant(TypeDecorator[datetime]):
    """An aware instant, kept as whole microseconds since 1970 in UTC."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return lambda value: None if value is None else (value - _EPOCH) // _MICROSECOND

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return lambda value: None if value is None else _EPOCH + timedelta(0, 0, value)


class Length(TypeDecorator[timedelta]):
    """A span of time, kept as whole microseconds."""

    impl = BigInteger
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return lambda value: None if value is None else value // _MICROSECOND

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return lambda value: None if value is None else timedelta(0, 0, value)


class Text(TypeDecorator[str]):
    """Text as every database takes it: NUL and lone surrogates, which some refuse, are made visible."""

    impl = sqlalchemy.Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return lambda value: None if value is None else texts.storable(value)


class Json(TypeDecorator[Any]):
    """A JSON value kept as ASCII text, so that no character of a messenger can break it."""

    impl = sqlalchemy.Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return lambda value: None if value is None else _write(value)

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return lambda value: None if value is None else _read(value)[0]


class Names(TypeDecorator[Sequence[str]]):
    """A few words, of which the same ones stand in many rows, kept as a list of JSON and read as a tuple."""

    impl = sqlalchemy.Text
    cache_ok = True

    def bind_processor(self, dialect: Dialect) -> Processor:
        return lambda value: None if value is None else _write([*value])

    def result_processor(self, dialect: Dialect, coltype: object) -> Processor:
        return lambda value: None if value is None else _names(value)


@lru_cache(1000)
def _names(written: str) -> tuple[str, ...]:
    return tuple(_read(written)[0])


class Bytewise(ColumnElement[bool]):
    """Whether a text stands before or behind another, or is it, by its bytes: a server may sort by the rules
    of a language, which leave out what keeps the parts of a name apart."""

    inherit_cache = True
    type = sqlalchemy.Boolean()
    _traverse_internals = [  # noqa: RUF012 - as the library writes it
        ("text", InternalTraversal.dp_clauseelement),
        ("other", InternalTraversal.dp_clauseelement),
        ("how", InternalTraversal.dp_string),
    ]

    def __init__(self, text: ColumnElement[str], how: str, other: str) -> None:
        self.text, self.how = text, how
        self.other = sqlalchemy.literal(other, Text())


@compiles(Bytewise)
def _by_bytes(told: Bytewise, compiler: SQLCompiler, **how: Any) -> str:
    return f"{compiler.process(told.text, **how)} {told.how} {compiler.process(told.other, **how)}"


@compiles(Bytewise, "postgresql")
def _by_bytes_on_a_server(told: Bytewise, compiler: SQLCompiler, **how: Any) -> str:
    return f"{compiler.process(told.text, **how)} ~{told.how}~ {compiler.process(told.other, **how)}"


def begins(text: ColumnElement[str], words: str) -> ColumnElement[bool]:
    """Whether the text begins with these words; an index made `BY_BYTES` finds it."""
    return Bytewise(text, ">=", words) & Bytewise(text, "<", words + "\uffff")


BY_BYTES = "text_pattern_ops"
"""PostgreSQL's class of an index that finds by bytes, and what is equal."""

schema_floor = Table(
    "schema_floor",
    metadata,
    Column("name", Text, primary_key=True),
    Column("oldest", Text, nullable=False),
)
"""The oldest version that can work with the schema as it is: see `core.database.parts`."""


def serial_key() -> Column[int]:
    """A primary key `id` that counts up by itself."""
    return Column("id", Serial, primary_key=True, autoincrement=True)


def insert_new(table: Table) -> Any:
    """An insert that leaves a row alone whose unique key is there already; SQLite has the same words."""
    return insert(table).on_conflict_do_nothing()
