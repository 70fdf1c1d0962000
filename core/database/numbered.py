"""PostgreSQL's statements, put together once: what the desk asks all day goes straight to the driver.

The same as `core.database.prepared` for a driver that numbers its parameters and is awaited.
"""

from collections import namedtuple
from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from weakref import WeakKeyDictionary

from sqlalchemy.engine import Dialect
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import TextClause

from core.database.prepared import Unsuitable


class Numbered:
    """One statement with one set of parameters. Raises Unsuitable when it is not of the usual kind."""

    def __init__(self, statement: Executable, keys: Iterable[str], dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=sorted(keys))  # type: ignore[attr-defined]
        if not isinstance(compiled, SQLCompiler) or isinstance(statement, TextClause):
            raise Unsuitable
        if compiled.insert_prefetch or compiled.update_prefetch:
            raise Unsuitable
        names = frozenset(keys)
        if any(bind.expanding and bind.key in names for bind in compiled.binds.values()):
            raise Unsuitable
        whole = compiled.construct_expanded_state(dict.fromkeys(names))
        self.words = whole.statement
        self._binds: list[tuple[str | None, Any, Any]] = []
        for name in whole.positiontup or ():
            convert: Any = whole.processors.get(name) or compiled._bind_processors.get(name)
            bind = compiled.binds.get(name)
            if bind is not None and bind.key in names:
                self._binds.append((bind.key, None, convert))
            elif bind is not None and (bind.required or bind.callable is not None):
                raise Unsuitable
            else:
                value = whole.parameters[name]
                self._binds.append((None, convert(value) if convert else value, None))
        self.tells = bool(compiled._result_columns)
        """Whether rows come of it."""
        self._columns(compiled, dialect)

    def _columns(self, compiled: SQLCompiler, dialect: Dialect) -> None:
        columns = compiled._result_columns
        converts = [each.type.dialect_impl(dialect).result_processor(dialect, None) for each in columns]
        self._converts = [(place, convert) for place, convert in enumerate(converts) if convert]
        try:
            names = [str(each.keyname) for each in columns]
            row: Any = namedtuple("Row", names)  # type: ignore[misc]
        except ValueError:  # names that are no names, or twice the same
            raise Unsuitable from None
        self._row = row._make

    def values(self, given: Mapping[str, Any]) -> list[Any]:
        """The parameters in their order."""
        return [
            fixed if key is None else convert(given[key]) if convert else given[key]
            for key, fixed, convert in self._binds
        ]

    def rows(self, found: Iterable[Sequence[Any]]) -> Sequence[Any]:
        """What the driver told, as the library tells it."""
        if not self._converts:
            return [self._row(row) for row in found]
        return [self._read(row) for row in found]

    def _read(self, row: Iterable[Any]) -> Any:
        read = list(row)
        for place, convert in self._converts:
            read[place] = convert(read[place])
        return self._row(read)


class Numbers:
    """Numbered statements by the statement itself, kept as long as that is; only what comes again is."""

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._known: WeakKeyDictionary[Executable, dict[Any, Numbered | None]] = WeakKeyDictionary()

    def find(self, statement: Executable, given: Mapping[str, Any]) -> Numbered | None:
        """None: the library takes care of it."""
        shapes = self._known.get(statement)
        if shapes is None:
            self._known[statement] = {}
            return None
        shape = tuple(given)
        if shape not in shapes:
            try:
                shapes[shape] = Numbered(statement, shape, self._dialect)
            except Unsuitable:
                shapes[shape] = None
        return shapes[shape]
