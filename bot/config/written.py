"""A configuration as it was written: its lists and tables, each with the name of its place."""

from collections.abc import Iterator
from typing import Any

Raw = dict[str, Any]
Lines = Iterator[str]


def items(table: Raw, key: str, at: str = "") -> Iterator[tuple[str, Any]]:
    """What stands in a list, whatever that is: `people[0]` and the first of them."""
    found = table.get(key)
    if isinstance(found, list):
        yield from ((f"{at}{key}[{place}]", item) for place, item in enumerate(found))


def tables(table: Raw, key: str, at: str = "") -> Iterator[tuple[str, Raw]]:
    """The tables that stand in a list."""
    return ((where, item) for where, item in items(table, key, at) if isinstance(item, dict))
