"""How many statements every transaction takes, and which: on a server each one is a round trip."""

import contextlib
import re
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy.sql.base import Executable

from core.database.engine import Database
from core.database.transaction import Answer, Line, Transaction, Work

T = TypeVar("T")
_KIND = re.compile(r"(?:WITH .*?\) )?\s*(SELECT|INSERT|UPDATE|DELETE)\b", re.DOTALL)
_TABLE = re.compile(r"\b(?:FROM|INTO|UPDATE)\s+(\w+)")


@dataclass(frozen=True, slots=True)
class Spent:
    """One transaction: whose work it was, and its statements in order, each as its kind and its table."""

    work: str
    statements: list[str] = field(default_factory=list)


class Counted:
    """A line that notes what is said to it."""

    def __init__(self, line: Line, spent: Spent) -> None:
        self._line = line
        self._noted = spent.statements

    async def execute(self, statement: Executable, rows: Any = None) -> Answer:
        self._noted.append(brief(str(statement)))
        return await self._line.execute(statement, rows)

    async def begin_nested(self) -> None:
        self._noted.append("SAVEPOINT")
        await self._line.begin_nested()

    async def release(self) -> None:
        self._noted.append("RELEASE")
        await self._line.release()

    async def undo(self) -> None:
        self._noted.append("ROLLBACK TO")
        await self._line.undo()


def brief(words: str) -> str:
    """A statement as its kind and the first table it names."""
    kind, table = _KIND.search(words), _TABLE.search(words)
    return f"{kind[1] if kind else '?'} {table[1] if table else '?'}"


@contextlib.contextmanager
def counted(database: Database) -> Iterator[list[Spent]]:
    """Every transaction that is written while the block runs, in the order in which they began."""
    write: Callable[..., Awaitable[Any]] = database.write
    noted: list[Spent] = []

    async def counting(work: Work[T], *, urgent: bool = False) -> T:
        async def inside(tx: Transaction) -> T:
            spent = Spent(_name(work))
            noted.append(spent)
            tx._line = Counted(tx._line, spent)
            return await work(tx)

        done: T = await write(inside, urgent=urgent)
        return done

    database.write = counting  # type: ignore[method-assign]
    try:
        yield noted
    finally:
        del database.write


def _name(work: Any) -> str:
    """Whose it is: a function by its name, also where some of its arguments are given already."""
    named = getattr(work, "func", work)
    return str(getattr(named, "__qualname__", named)).replace(".<locals>", "")
