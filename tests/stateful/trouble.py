"""What goes wrong on purpose: a messenger that fails when told to, and a process that dies at a commit."""

from collections import deque
from datetime import timedelta
from enum import StrEnum
from typing import Any

from bot.adapters.port import Adapter, Posted, Reader
from bot.message import Message
from bot.pace import Pace
from core.database.engine import Database
from core.kernel.errors import PermanentError, TemporaryError
from core.kernel.ids import Address


class Outcome(StrEnum):
    """What becomes of one sending."""

    OK = "ok"
    REFUSED = "refused"
    """Nothing was done; it may be tried again."""
    LATER = "later"
    """Nothing was done; the platform says when to come back."""
    UNANSWERED = "unanswered"
    """It was done, but no answer came."""
    LOST = "lost"
    """It was not done, and no answer came."""
    FORBIDDEN = "forbidden"
    """It can never be done."""


class Faulty:
    """A messenger whose next sendings end as `coming` says; all further ones are fine."""

    def __init__(self, inner: Adapter, coming: deque[Outcome]) -> None:
        self.coming = coming
        self._inner = inner

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def post(
        self, to: Address, message: Message, reader: Reader, nonce: str, *, again: bool = False
    ) -> Posted:
        outcome = self._before()
        return self._after(outcome, await self._inner.post(to, message, reader, nonce))

    async def edit(self, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        outcome = self._before()
        return self._after(outcome, await self._inner.edit(to, posted, message, reader))

    async def delete(self, to: Address, posted: Posted) -> None:
        outcome = self._before()
        await self._inner.delete(to, posted)
        self._after(outcome, posted)

    def _before(self) -> Outcome:
        outcome = self.coming.popleft() if self.coming else Outcome.OK
        match outcome:
            case Outcome.REFUSED:
                raise TemporaryError("busy")
            case Outcome.LATER:
                raise TemporaryError("slow down", delay=timedelta(seconds=7))
            case Outcome.LOST:
                raise TemporaryError("no answer", unknown=True)
            case Outcome.FORBIDDEN:
                raise PermanentError("never", code="forbidden")
        return outcome

    def _after(self, outcome: Outcome, posted: Posted) -> Posted:
        if outcome is Outcome.UNANSWERED:
            raise TemporaryError("no answer", unknown=True)
        return posted


class Free(Pace):
    """No pace at all: it looks at the machine's own clock, which stands still here."""

    def take(self, *_: Any, **__: Any) -> bool:
        return True


class Killed(BaseException):
    """The process is gone."""


class Doom:
    """Ends the process at one of the commits to come: just before it, or just after."""

    def __init__(self) -> None:
        self._left: int | None = None
        self._after = False
        self._dead = False

    def arm(self, commits: int, *, after: bool) -> None:
        self._left, self._after = commits, after

    def lift(self) -> None:
        """A new process begins."""
        self._left, self._dead = None, False

    def haunt(self, database: Database) -> None:
        write, read = database.write, database.read

        async def blind(work: Any) -> Any:
            if self._dead:
                raise Killed
            return await read(work)

        async def fatal(work: Any) -> Any:
            if self._dead:
                raise Killed
            if self._left is None or self._left > 1:
                self._left = None if self._left is None else self._left - 1
                return await write(work)
            self._dead = True
            if self._after:
                await write(work)
            raise Killed

        database.write = fatal  # type: ignore[method-assign]
        database.read = blind  # type: ignore[method-assign]
