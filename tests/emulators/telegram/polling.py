"""getUpdates: long poll, one listener at a time."""

import asyncio
import time
from typing import Any

from tests.emulators.telegram.arguments import Arguments
from tests.emulators.telegram.refusals import Refused, conflict
from tests.emulators.telegram.times import Times
from tests.emulators.telegram.updates import Update, Updates
from tests.emulators.telegram.webhook import Webhook

OTHER = "terminated by other getUpdates request; make sure that only one bot instance is running"
WEBHOOK = "can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook first"


class Polling:
    """`calm` switches on the server's guard against hurried pollers, which makes a short poll that repeats
    its offset within 3 s wait those 3 s."""

    def __init__(self, updates: Updates, times: Times, webhook: Webhook, calm: bool = False) -> None:
        self._updates = updates
        self._times = times
        self._webhook = webhook
        self._listener: asyncio.Future[None] | None = None
        self._next_conflict = 0.0
        self._calm = calm
        self._before = (-1, float("-inf"))
        updates.on_push = self.news

    @property
    def listening(self) -> bool:
        """Whether somebody is on the line now."""
        return self._listener is not None

    def news(self, update: Update) -> None:
        self._wake(None)
        self._webhook.news(update)

    def _wake(self, why: Refused | None) -> None:
        listener, self._listener = self._listener, None
        if listener is None or listener.done():
            return
        if why is None:
            listener.set_result(None)
        else:
            listener.set_exception(why)

    def interrupt(self, why: str) -> None:
        """Bot API: setWebhook. A long poll under way ends with 409."""
        self._wake(conflict(why))

    async def get(self, arguments: Arguments) -> list[dict[str, Any]]:
        """Bot API: getUpdates. Waits up to `timeout` (50 at most) for the first update; `limit` is 1-100."""
        if self._webhook.url:
            raise conflict(WEBHOOK)
        offset = arguments.number("offset")
        limit = min(100, max(1, arguments.number("limit", 100)))
        timeout = self._patience(offset, min(50, max(0, arguments.number("timeout"))))
        if "allowed_updates" in arguments:
            self._updates.allow(arguments.list("allowed_updates"))
        batch = self._updates.take(offset, limit)
        if not batch and timeout:
            await self._listen(timeout)
            batch = self._updates.take(offset, limit)
        return [update.json() for update in batch]

    def _patience(self, offset: int, timeout: int) -> float:
        if not self._calm:
            return timeout
        before, at = self._before
        self._before = (offset, self._times.now())
        return 3 if before == offset and timeout < 3 and self._times.now() < at + 3 else timeout

    async def _listen(self, patience: float) -> None:
        """The Bot API server: a new listener throws the older one out with 409, at most one in 3 s; a further
        one learns it 3 s later."""
        self._wake(conflict(OTHER))
        listener: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._listener = listener
        try:
            await asyncio.wait_for(listener, self._times.real(patience))
        except TimeoutError:
            pass
        except Refused:
            now = time.monotonic()
            if now < self._next_conflict:
                await self._times.sleep(3)
            else:
                self._next_conflict = now + self._times.real(3)
            raise
        finally:
            if self._listener is listener:
                self._listener = None
