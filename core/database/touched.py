"""Which tables a statement reads or writes."""

from weakref import WeakKeyDictionary

from sqlalchemy import Table
from sqlalchemy.sql import visitors
from sqlalchemy.sql.base import Executable
from sqlalchemy.sql.elements import TextClause

_known: WeakKeyDictionary[Executable, frozenset[str] | None] = WeakKeyDictionary()


def tables(statement: Executable) -> frozenset[str] | None:
    """All that it names; None for words that cannot be looked into."""
    if statement not in _known:
        _known[statement] = _named(statement)
    return _known[statement]


def _named(statement: Executable) -> frozenset[str] | None:
    if isinstance(statement, TextClause):
        return None
    found = [each.name for each in visitors.iterate(statement) if isinstance(each, Table)]  # type: ignore[arg-type]
    return frozenset(found)


def written(statement: Executable) -> str | None:
    """The one that it changes; None for words that cannot be looked into."""
    table = getattr(statement, "table", None)
    return None if table is None else str(table.name)
