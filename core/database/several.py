"""Statements about the rows that hold one of several values, put together once for a few sizes."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, bindparam
from sqlalchemy.sql.base import Executable

SIZES = (1, 4, 16, 64)


class Several:
    """One statement for each size: `make` puts it together from the condition on the column."""

    def __init__(self, column: Column[Any], make: Callable[[ColumnElement[bool]], Executable]) -> None:
        self._name = f"one_{column.key}"
        self._made = {size: make(self._holds(column, size)) for size in SIZES}

    def _holds(self, column: Column[Any], size: int) -> ColumnElement[bool]:
        return column.in_([bindparam(f"{self._name}{place}", type_=column.type) for place in range(size)])

    def asks(self, values: Sequence[Any]) -> Iterator[tuple[Executable, dict[str, Any]]]:
        """The statements that ask for all these values, with their parameters: what is left over in the
        last of them asks for its last value again."""
        for begin in range(0, len(values), SIZES[-1]):
            part = values[begin : begin + SIZES[-1]]
            size = next(size for size in SIZES if size >= len(part))
            filled = [*part, *[part[-1]] * (size - len(part))]
            yield self._made[size], {f"{self._name}{place}": each for place, each in enumerate(filled)}
