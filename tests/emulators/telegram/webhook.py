"""The webhook: updates brought to the bot, each chat's in order, again and again until taken or too old."""

import asyncio
import json
import random
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import aiohttp

from tests.emulators.telegram.arguments import Arguments
from tests.emulators.telegram.refusals import Refused, bad
from tests.emulators.telegram.times import Times
from tests.emulators.telegram.updates import Update, Updates

LOOPBACK = re.compile(r"http://(127\.0\.0\.1|localhost|\[::1\])(:\d+)?(/|$)")
PATIENCE_WITH_GONE = 23 * 3600


@dataclass(frozen=True)
class Brought:
    """One try to bring an update."""

    update: int
    lane: str
    at: float
    status: int
    """0: nobody answered."""


class Webhook:
    def __init__(self, updates: Updates, times: Times, seed: int = 0) -> None:
        self._updates = updates
        self._times = times
        self._random = random.Random(seed)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._places = asyncio.Semaphore(40)
        self._gone_since: float | None = None
        self.answer: Callable[[str, Arguments], Awaitable[Any]] | None = None
        self.url = ""
        self.secret = ""
        self.max_connections = 40
        self.last_error: tuple[int, str] | None = None
        self.tries: list[Brought] = []

    def set(self, arguments: Arguments) -> None:
        """Bot API: setWebhook. HTTPS only (loopback is let through here); secret of 1-256 of
        `A-Za-z0-9_-`."""
        url, secret = arguments.text("url"), arguments.text("secret_token")
        if url and not (url.startswith("https://") or LOOPBACK.match(url)):
            raise bad("bad webhook: An HTTPS URL must be provided for webhook")
        if len(secret) > 256:
            raise bad("secret token is too long")
        if not re.fullmatch(r"[A-Za-z0-9_-]*", secret):
            raise bad("secret token contains unallowed characters")
        self.stop()
        self.url, self.secret, self.last_error = url, secret, None
        self.max_connections = min(100, max(1, arguments.number("max_connections", 40)))
        self._places = asyncio.Semaphore(self.max_connections)
        for lane in self._updates.lanes if url else []:
            self._attend(lane)

    def info(self) -> dict[str, Any]:
        """Bot API: WebhookInfo."""
        told: dict[str, Any] = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates.pending),
        }
        if self.url:
            told |= {"max_connections": self.max_connections, "ip_address": "127.0.0.1"}
        if self.last_error:
            told |= {"last_error_date": self.last_error[0], "last_error_message": self.last_error[1]}
        if self._updates.allowed is not None:
            told["allowed_updates"] = sorted(self._updates.allowed)
        return told

    def news(self, update: Update) -> None:
        if self.url:
            self._attend(update.lane)

    def stop(self) -> None:
        for task in self._tasks.values():
            task.cancel()
        self._tasks.clear()
        self.url = ""

    async def close(self) -> None:
        tasks = list(self._tasks.values())
        self.stop()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()

    def _attend(self, lane: str) -> None:
        if lane not in self._tasks:
            self._tasks[lane] = asyncio.create_task(self._lane(lane))

    async def _lane(self, lane: str) -> None:
        """The Bot API server: updates of one chat are brought one after the other; the presses of one person
        are a queue of their own, so a press may overtake a message. A refused update stops only its own
        queue."""
        delay, failures, current = 1.0, 0, None
        while self.url and (update := self._updates.front(lane)) is not None:
            if update is not current:
                delay, failures, current = 1.0, 0, update
            wait = await self._bring(update)
            if wait is None:
                self._updates.drop(update)
                continue
            if wait == 0 and failures > 0:
                delay = min(self._random.randint(60, 120), delay * 2)
                wait = delay
            failures += 1
            if self._times.now() + wait > update.expires_at:
                self._updates.expired.append(update)
                self._updates.drop(update)
                continue
            await self._times.sleep(wait)
        self._tasks.pop(lane, None)

    async def _bring(self, update: Update) -> float | None:
        """WebhookActor: None when taken; otherwise the wait the bot asked for (Retry-After, an hour at most),
        or 0: at once the first time, then 2, 4, 8… s up to one or two minutes."""
        try:
            async with self._places, self._post(update) as response:
                body = await response.read()
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            self._failed(update, 0, f"Connection failed: {type(error).__name__}")
            return 0
        if 200 <= response.status <= 299:
            self.tries.append(Brought(update.id, update.lane, self._times.now(), response.status))
            self._gone_since = None
            await self._reply(response.content_type, body)
            return None
        self._failed(
            update, response.status, f"Wrong response from the webhook: {response.status} {response.reason}"
        )
        self._gone(response.status)
        asked = response.headers.get("Retry-After", "")
        return min(3600, int(asked)) if asked.isdigit() else 0

    def _post(self, update: Update) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        headers = {"X-Telegram-Bot-Api-Secret-Token": self.secret} if self.secret else {}
        patience = aiohttp.ClientTimeout(total=self._times.real(60) + 1)
        return self._session.post(self.url, json=update.json(), headers=headers, timeout=patience)

    def _failed(self, update: Update, status: int, why: str) -> None:
        self.tries.append(Brought(update.id, update.lane, self._times.now(), status))
        self.last_error = (self._times.unix(), why)

    def _gone(self, status: int) -> None:
        """WebhookActor: a bot that answers 410 and nothing else for 23 hours loses its webhook."""
        if status != 410:
            self._gone_since = None
        elif self._gone_since is None:
            self._gone_since = self._times.now()
        elif self._times.now() - self._gone_since > PATIENCE_WITH_GONE:
            self.url = ""

    async def _reply(self, kind: str, body: bytes) -> None:
        """Bot API: a webhook may be answered with one method call, whose outcome the bot never learns."""
        if kind != "application/json" or not body or self.answer is None:
            return
        try:
            values = json.loads(body)
            await self.answer(str(values.get("method", "")), Arguments(values))
        except (ValueError, AttributeError, Refused):
            return
