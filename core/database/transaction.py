"""One transaction as actions see it: statements, the instant it began, the rules, and what it announces."""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any, Protocol, TypeVar

from sqlalchemy.engine import Row
from sqlalchemy.sql.base import Executable

from core.database import touched

T = TypeVar("T")
Work = Callable[["Transaction"], Awaitable[T]]
Write = Callable[["Transaction", list[T]], Awaitable[None]]
React = Callable[["Transaction", Any, Any], Awaitable[None]]
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


async def no_reaction(tx: "Transaction", event: Any, state: Any) -> None:
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
        self._recalled: dict[Executable, dict[tuple[Any, ...], Sequence[Row[Any]]]] = {}
        self._kept: dict[tuple[str, Write[Any]], list[Any]] = {}
        self._depth = self._said = 0
        self.wrote = False

    def rule(self, kind: type[T]) -> T:
        """The desk's settings of this kind."""
        found: T = self._rules[kind]
        return found

    async def react(self, event: Any, state: Any) -> None:
        """Let what follows from the event happen, in this same transaction; `state` is what it has made."""
        await self._react(self, event, state)

    def ring(self, bell: str) -> None:
        """Wake those who listen to `bell`, once this transaction is committed."""
        self.bells.add(bell)

    async def whole(self, work: Work[T]) -> T:
        """Do all the work of this transaction, without a savepoint for it: where it raises and `wrote`
        says so, whatever shares its commit must be undone with it."""
        self._depth += 1
        self._said += 1
        value = await work(self)
        await self._write_kept()
        return value

    async def execute(self, statement: Executable, values: Any = None) -> int:
        """Run a statement, with values or a list of them; returns how many rows it touched."""
        return (await self._run(statement, values)).rowcount

    async def all(self, statement: Executable, values: Values = None) -> Sequence[Row[Any]]:
        """Every row of the answer."""
        return (await self._run(statement, values)).all()

    async def first(self, statement: Executable, values: Values = None) -> Row[Any] | None:
        """The first row of the answer, if there is one."""
        return (await self._run(statement, values)).first()

    async def scalar(self, statement: Executable, values: Values = None) -> Any:
        """The first column of the first row; None without a row."""
        return (await self._run(statement, values)).scalar()

    async def recall(self, statement: Executable, values: Mapping[str, Any]) -> Sequence[Row[Any]]:
        """Every row of the answer to a constant that is asked in several places of one transaction: it is
        read once, and anew after one of its tables was written, for nobody else writes meanwhile. The rows
        are not to be changed."""
        answers, key = self._recalled.setdefault(statement, {}), tuple(values.values())
        if key not in answers:
            answers[key] = await self.all(statement, values)
        return answers[key]

    def later(self, table: str, write: Write[T], item: T) -> None:
        """Have `write` called once with all such items, in their order, before anything else is said of the
        table, at the latest when the transaction ends."""
        self._forget(table)
        self._kept.setdefault((table, write), []).append(item)

    async def _run(self, statement: Executable, values: Any) -> Answer:
        if self._kept:
            await self._write_kept(touched.tables(statement))
        if not statement.is_select:
            await self._begin_to_write()
            self._forget(touched.written(statement))
        return await self._line.execute(statement, values)

    async def _write_kept(self, tables: frozenset[str] | None = None) -> None:
        """What was kept for these tables, or for any, is written."""
        for table, write in [each for each in self._kept if tables is None or each[0] in tables]:
            await write(self, self._kept.pop((table, write)))

    def _forget(self, table: str | None) -> None:
        """What was read of the table, or of any, is read anew."""
        for statement in [*self._recalled]:
            if table is None or table in (touched.tables(statement) or (table,)):
                del self._recalled[statement]

    async def _begin_to_write(self) -> None:
        """Savepoints are said once there is something to undo: most that only look need none."""
        self.wrote = True
        while self._said < self._depth:
            await self._line.begin_nested()
            self._said += 1

    @asynccontextmanager
    async def savepoint(self) -> AsyncIterator[None]:
        """What is done inside is undone, alone, if the block raises. The outermost holds the transaction's
        whole work."""
        bells, kept = set(self.bells), {key: [*items] for key, items in self._kept.items()}
        self._depth += 1
        try:
            yield
            if self._depth == 1:
                await self._write_kept()
        except BaseException:
            self.bells, self._kept = bells, kept
            self._recalled.clear()
            await self._leave(self._line.undo)
            raise
        await self._leave(self._line.release)

    async def _leave(self, how: Callable[[], Awaitable[None]]) -> None:
        self._depth -= 1
        if self._said > self._depth:
            self._said -= 1
            await how()
