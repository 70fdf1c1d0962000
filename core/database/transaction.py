"""One transaction as actions see it: statements, the instant it began, the rules, and what it announces."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy.engine import Row
from sqlalchemy.sql.base import Executable

T = TypeVar("T")
Work = Callable[["Transaction"], Awaitable[T]]
React = Callable[["Transaction", Any], Awaitable[None]]
Rules = Mapping[type[Any], Any]
Values = Mapping[str, Any] | None
"""What stands for the bound parameters of a statement. Statements that run often are constants with
parameters: to build one anew each time costs five times as much as to run it."""


class Answer(Protocol):
    """What came of a statement: the rows it tells, or how many it touched."""

    @property
    def rowcount(self) -> int: ...

    def all(self) -> Sequence[Row[Any]]: ...

    def first(self) -> Row[Any] | None: ...

    def scalar(self) -> Any: ...


class Line(Protocol):
    """A connection that executes, whichever driver stands behind it."""

    async def execute(self, statement: Executable, rows: Any = None) -> Answer: ...

    async def begin_nested(self) -> None: ...

    async def release(self) -> None: ...

    async def undo(self) -> None: ...


async def no_reaction(tx: "Transaction", event: Any) -> None:
    """Nothing follows from any event."""


class Transaction:
    """Everything an action may touch. It never commits: whoever opened it does."""

    def __init__(
        self, line: Line, now: datetime, rules: Rules | None = None, react: React = no_reaction
    ) -> None:
        self.now = now
        self.bells: set[str] = set()
        self._line = line
        self._rules = rules or {}
        self._react = react

    def rule(self, kind: type[T]) -> T:
        """The desk's settings of this kind."""
        found: T = self._rules[kind]
        return found

    async def react(self, event: Any) -> None:
        """Let what follows from the event happen, in this same transaction."""
        await self._react(self, event)

    def ring(self, bell: str) -> None:
        """Wake those who listen to `bell`, once this transaction is committed."""
        self.bells.add(bell)

    async def execute(self, statement: Executable, values: Any = None) -> int:
        """Run a statement, with values or a list of them; returns how many rows it touched."""
        return (await self._line.execute(statement, values)).rowcount

    async def all(self, statement: Executable, values: Values = None) -> Sequence[Row[Any]]:
        """Every row of the answer."""
        return (await self._line.execute(statement, values)).all()

    async def first(self, statement: Executable, values: Values = None) -> Row[Any] | None:
        """The first row of the answer, if there is one."""
        return (await self._line.execute(statement, values)).first()

    async def scalar(self, statement: Executable, values: Values = None) -> Any:
        """The first column of the first row; None without a row."""
        return (await self._line.execute(statement, values)).scalar()

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What is done inside is undone, alone, if the block raises."""
        bells = set(self.bells)
        await self._line.begin_nested()
        try:
            yield
        except BaseException:
            await self._line.undo()
            self.bells = bells
            raise
        await self._line.release()
