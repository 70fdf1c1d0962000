"""Statements put together once: what the desk asks all day goes straight to the driver.

The library takes several times as long over a small statement as SQLite itself. What it knows of a statement
(its words, its parameters, its types) stays the same from one time to the next; whatever is out of the
ordinary, and whatever is asked only once, is left to the library.
"""

import re
import sqlite3
from collections import namedtuple
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Dialect
from sqlalchemy.exc import DBAPIError
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import BindParameter, TextClause

Convert = Callable[[Any], Any] | None
_EXPANDED = re.compile(r"__\[POSTCOMPILE_(\w+)\]")


class Unsuitable(Exception):
    """A statement of which the library must take care each time."""


class Answer:
    """What came of a statement."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: Sequence[Any], rowcount: int) -> None:
        self._rows = rows
        self.rowcount = rowcount

    def all(self) -> Sequence[Any]:
        return self._rows

    def first(self) -> Any:
        return self._rows[0] if self._rows else None

    def scalar(self) -> Any:
        return self._rows[0][0] if self._rows else None


class Prepared:
    """One statement with one set of parameters. Raises Unsuitable when it is not of the usual kind."""

    def __init__(self, statement: Executable, keys: Iterable[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=sorted(keys))  # type: ignore[attr-defined]
        if not isinstance(compiled, SQLCompiler) or isinstance(statement, TextClause):
            raise Unsuitable
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise Unsuitable
        self._dialect = dialect
        self._names = frozenset(keys)
        self._binds = [bind for name in compiled.positiontup or () for bind in self._bind(compiled, name)]
        self._words = _EXPANDED.sub(lambda found: self._marks(compiled, found[1]), compiled.string)
        self._columns(compiled)

    def _bind(self, compiled: SQLCompiler, name: str) -> Iterable[tuple[str | None, Any, Convert]]:
        bind = compiled.binds[name]
        convert = bind.type.dialect_impl(self._dialect).bind_processor(self._dialect)
        if bind.key in self._names:
            if bind in compiled.post_compile_params:
                raise Unsuitable
            yield bind.key, None, convert
            return
        for value in _fixed(bind) if bind in compiled.post_compile_params else [_only(bind)]:
            yield None, convert(value) if convert else value, None

    def _marks(self, compiled: SQLCompiler, name: str) -> str:
        return ", ".join("?" for _ in _fixed(compiled.binds[name]))

    def _columns(self, compiled: SQLCompiler) -> None:
        columns = compiled._result_columns
        converts = [
            each.type.dialect_impl(self._dialect).result_processor(self._dialect, None) for each in columns
        ]
        self._converts = [(place, convert) for place, convert in enumerate(converts) if convert]
        try:
            names = [str(each.keyname) for each in columns]
            row: Any = namedtuple("Row", names)  # type: ignore[misc]
        except ValueError:  # names that are no names, or twice the same
            raise Unsuitable from None
        self._row = row._make

    def _values(self, given: Mapping[str, Any]) -> list[Any]:
        return [
            fixed if key is None else convert(given[key]) if convert else given[key]
            for key, fixed, convert in self._binds
        ]

    def run_all(self, raw: sqlite3.Connection, rows: Sequence[Mapping[str, Any]]) -> Answer:
        """The same for several sets of parameters, of a statement that tells no rows."""
        values = [self._values(given) for given in rows]
        cursor = raw.cursor()
        try:
            cursor.executemany(self._words, values)
            return Answer((), cursor.rowcount)
        except sqlite3.Error as error:
            raise self._named(error, values) from error
        finally:
            cursor.close()

    def run(self, raw: sqlite3.Connection, given: Mapping[str, Any]) -> Answer:
        values = self._values(given)
        cursor = raw.cursor()
        try:
            cursor.execute(self._words, values)
            found = cursor.fetchall()
            return Answer([self._read(row) for row in found] if found else found, cursor.rowcount)
        except sqlite3.Error as error:
            raise self._named(error, values) from error
        finally:
            cursor.close()

    def _read(self, row: Sequence[Any]) -> Any:
        if not self._converts:
            return self._row(row)
        read = list(row)
        for place, convert in self._converts:
            read[place] = convert(read[place])
        return self._row(read)

    def _named(self, error: sqlite3.Error, values: Any) -> BaseException:
        return DBAPIError.instance(self._words, values, error, sqlite3.Error, dialect=self._dialect)


def _only(bind: BindParameter[Any]) -> Any:
    if bind.required or bind.callable is not None:
        raise Unsuitable
    return bind.value


def _fixed(bind: BindParameter[Any]) -> Sequence[Any]:
    """The values of an IN that are part of the statement."""
    values = _only(bind)
    if not bind.expanding or not values or any(isinstance(value, tuple) for value in values):
        raise Unsuitable
    return list(values)


class Shelf:
    """Prepared statements by the statement itself, kept as long as that is; only what comes again is."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[Executable, dict[Any, Prepared | None]] = WeakKeyDictionary()

    def find(self, statement: Executable, given: Mapping[str, Any]) -> Prepared | None:
        """None: the library takes care of it."""
        shapes = self._known.get(statement)
        if shapes is None:
            self._known[statement] = {}
            return None
        shape = tuple(given)
        if shape not in shapes:
            try:
                shapes[shape] = Prepared(statement, shape, self._dialect)
            except Unsuitable:
                shapes[shape] = None
        return shapes[shape]
