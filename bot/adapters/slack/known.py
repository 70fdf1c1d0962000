"""What Slack was asked for and has answered: kept for a while, asked for anew after that."""

import time
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from typing import Generic, TypeVar

from bot.adapters.port import Unlearned
from bot.adapters.slack import faults
from core.kernel.errors import PermanentError, TemporaryError

T = TypeVar("T")
MOST = 20_000
"""Answers kept of one kind."""


class Lacking(Unlearned):
    """One thing is not known yet; `learn` asks Slack for it. It raises TemporaryError."""

    def __init__(self, what: str, learn: Callable[[], Awaitable[None]]) -> None:
        super().__init__(what)
        self.learn = learn


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    at: float
    value: T


class Asked(Generic[T]):
    """Answers to one question, by what was asked about. What Slack refuses to tell is `otherwise`.

    Where Slack asks to wait, nobody asks before that is over."""

    def __init__(
        self,
        ask: Callable[[str], Awaitable[T]],
        otherwise: Callable[[str], T],
        fresh: float = 86_400.0,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`fresh`: seconds for which an answer is good."""
        self._ask = ask
        self._otherwise = otherwise
        self._fresh = fresh
        self._monotonic = monotonic
        self._answers: OrderedDict[str, _Answer[T]] = OrderedDict()
        self._not_before = 0.0

    def get(self, about: str) -> T:
        """The answer. Raises Lacking when there is none that is still good."""
        found = self.find(about)
        if found is None or self._monotonic() - found.at >= self._fresh:
            raise Lacking("not asked for yet", partial(self.learn, about))
        return found.value

    def find(self, about: str) -> _Answer[T] | None:
        """What was answered last, however long ago."""
        return self._answers.get(about)

    def put(self, about: str, value: T) -> None:
        """Remember what Slack told of its own accord."""
        self._answers[about] = _Answer(self._monotonic(), value)
        self._answers.move_to_end(about)
        while len(self._answers) > MOST:
            self._answers.popitem(last=False)

    def lend(self, about: str, value: T, seconds: float) -> None:
        """Let this stand for the answer for so long, a second at least."""
        self.put(about, value)
        self._answers[about] = _Answer(self._monotonic() - self._fresh + max(seconds, 1.0), value)

    async def learn(self, about: str) -> None:
        """Ask. Raises TemporaryError when there is no answer for now."""
        if (wait := self._not_before - self._monotonic()) > 0:
            raise TemporaryError("Slack asks to wait", delay=timedelta(seconds=wait))
        try:
            with faults.translated():
                value = await self._ask(about)
        except TemporaryError as error:
            if error.delay is not None:
                self._not_before = self._monotonic() + error.delay.total_seconds()
            raise
        except PermanentError:
            value = self._otherwise(about)
        self.put(about, value)
