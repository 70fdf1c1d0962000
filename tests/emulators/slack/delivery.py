"""What Slack has to tell the app: each thing is brought until it is taken or given up."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from tests.emulators.telegram.times import Times

Kind = Literal["events_api", "interactive", "slash_commands"]
RETRIES = (1.0, 60.0, 300.0)
"""Events API: three more tries, nearly at once, after a minute, after five more."""


@dataclass(frozen=True)
class Outcome:
    """What came of one try. `reason` in Slack's words (`http_timeout`, `timeout`, …), empty when taken;
    `answer` is what the app said, `final` that it wants no retry."""

    reason: str = ""
    status: int = 0
    answer: Any = None
    socket: int = 0
    final: bool = False


@dataclass(frozen=True)
class Try:
    """`at` is Slack's time, `took` real seconds."""

    at: float
    took: float
    attempt: int
    outcome: Outcome


@dataclass(eq=False)
class Delivery:
    """An event, an interaction or a command on its way to the app."""

    kind: Kind
    payload: dict[str, Any]
    tries: list[Try] = field(default_factory=list)
    state: Literal["waiting", "taken", "lost"] = "waiting"
    answer: Any = None
    finished: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def event(self) -> dict[str, Any]:
        """The event itself, for the Events API."""
        found: dict[str, Any] = self.payload.get("event", {})
        return found

    @property
    def reason(self) -> str:
        """Why the last try failed, or empty."""
        return self.tries[-1].outcome.reason if self.tries else ""

    def __repr__(self) -> str:
        what = self.event.get("type") or self.payload.get("type") or self.payload.get("command")
        return f"<{self.kind} {what} {self.state} after {len(self.tries)}>"


class Deliveries:
    """`told` is everything there ever was to tell, in order. `route` makes one try."""

    def __init__(self, times: Times, stir: Callable[[], None]) -> None:
        self._times = times
        self._stir = stir
        self._tasks: set[asyncio.Task[None]] = set()
        self._waiting: set[Delivery] = set()
        self.told: list[Delivery] = []
        self.route: Callable[[Delivery, int, str], Awaitable[Outcome]] | None = None

    @property
    def waiting(self) -> list[Delivery]:
        return [one for one in self.told if one in self._waiting] if self._waiting else []

    def send(self, kind: Kind, payload: dict[str, Any]) -> Delivery:
        """On its way; events are tried again when nobody takes them, the rest is not."""
        delivery = Delivery(kind, payload)
        self.told.append(delivery)
        self._waiting.add(delivery)
        self._run(self._carry(delivery, RETRIES if kind == "events_api" else ()))
        return delivery

    async def again(self, delivery: Delivery, reason: str = "timeout") -> Outcome:
        """The same once more, as if Slack had missed the answer."""
        return await self._try(delivery, len(delivery.tries), reason)

    def _run(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _carry(self, delivery: Delivery, retries: tuple[float, ...]) -> None:
        reason = ""
        for attempt, wait in enumerate((0.0, *retries)):
            if attempt:
                await self._times.sleep(wait)
            outcome = await self._try(delivery, attempt, reason)
            reason = outcome.reason
            if not reason or outcome.final:
                break
        if reason:
            delivery.state = "lost"
        self._waiting.discard(delivery)
        delivery.finished.set()
        self._stir()

    async def _try(self, delivery: Delivery, attempt: int, reason: str) -> Outcome:
        assert self.route is not None
        at, began = self._times.now(), asyncio.get_running_loop().time()
        outcome = await self.route(delivery, attempt, reason)
        delivery.tries.append(Try(at, asyncio.get_running_loop().time() - began, attempt, outcome))
        if not outcome.reason:
            delivery.state, delivery.answer = "taken", outcome.answer
        self._stir()
        return outcome

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
