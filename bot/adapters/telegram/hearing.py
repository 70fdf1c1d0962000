"""Hearing: updates are committed to the inbox first; only then Telegram is told that we have them."""

import asyncio
import hashlib
import hmac
import json
import logging
import time
import warnings
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

from aiohttp import web
from telegram import Bot, error
from telegram.warnings import PTBUserWarning

from bot.adapters.port import Door, Health, Raw
from bot.adapters.telegram import inbound, menus
from bot.adapters.telegram.account import Account
from bot.adapters.telegram.inbound import Me
from core.kernel.errors import TemporaryError

_log = logging.getLogger(__name__)
warnings.filterwarnings("ignore", message=".*getUpdates.*", category=PTBUserWarning)

LONG_POLL = 20
"""Seconds Telegram holds a request when there is nothing to tell."""
DEAF_AFTER = 28.0
"""Seconds without a sign of life after which we say that we are deaf."""
LONGEST_PAUSE = 10.0
BODY_LIMIT = 1_000_000
PATH = "/telegram/webhook"
Moved = Callable[[str, str], Awaitable[None]]


def raw(update: Mapping[str, Any]) -> Raw:
    """The event for the inbox.

    After a quiet week Telegram counts from a random number (Bot API: Update), so the number alone could
    meet one of long ago; the content is part of the key."""
    content = json.dumps(update, sort_keys=True).encode()
    digest = hashlib.sha256(content).hexdigest()[:16]
    key = f"{update['update_id']}:{digest}"
    return Raw(key, inbound.lane(update), update, inbound.message_of(update))


class Hearing:
    """Polls, or takes what the webhook brings; always tells truly whether it hears."""

    def __init__(self, account: Account, bot: Bot, moved: Moved) -> None:
        self._account = account
        self._bot = bot
        self._moved = moved
        self.me = Me(account.me)
        self._door: Door | None = None
        self._heard_at = time.monotonic()
        self._trouble = "not connected yet"

    def health(self) -> Health:
        silent = time.monotonic() - self._heard_at
        if self._account.mode == "polling" and silent > DEAF_AFTER:
            return Health(False, f"telegram deaf for {silent:.0f} s: {self._trouble or 'no answer'}")
        return Health(not self._trouble, f"telegram: {self._trouble}" if self._trouble else "")

    async def run(self, door: Door) -> None:
        self._door = door
        if self._account.mode == "webhook":
            await self._patiently(self._set_webhook)
            await asyncio.Event().wait()
        await self._patiently(self._connect)
        offset: int | None = None
        pause = 0.0
        while True:
            try:
                offset = await self._poll(door, offset)
                pause = 0.0
            except (error.TelegramError, TemporaryError) as fault:
                pause = self._stumbled(fault, pause)
                await asyncio.sleep(pause)

    def _stumbled(self, fault: Exception, pause: float) -> float:
        """Remember why, and how long to wait: never a hot loop, never giving up."""
        self._trouble = _named(fault)
        longer = min(max(pause * 2, 0.5), LONGEST_PAUSE)
        if isinstance(fault, error.RetryAfter):
            wait = fault.retry_after
            longer = max(longer, wait if isinstance(wait, int) else wait.total_seconds())
        _log.warning("telegram does not answer as it should: %s", self._trouble)
        return longer

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        pause = 0.0
        while True:
            try:
                await step()
                return
            except error.TelegramError as fault:
                pause = self._stumbled(fault, pause)
                await asyncio.sleep(pause)

    async def _connect(self) -> None:
        await self._meet()
        await self._bot.delete_webhook()
        self._sign_of_life()
        await menus.offer(self._bot, self._account)

    async def _meet(self) -> None:
        user = await self._bot.get_me()
        self.me = Me(user.id, user.username or "")

    async def _set_webhook(self) -> None:
        await self._meet()
        await self._bot.set_webhook(
            f"{self._account.webhook_url}{PATH}",
            secret_token=self._account.webhook_secret,
            allowed_updates=inbound.KINDS,
        )
        self._sign_of_life()
        await menus.offer(self._bot, self._account)

    def _sign_of_life(self) -> None:
        self._heard_at, self._trouble = time.monotonic(), ""

    async def _poll(self, door: Door, offset: int | None) -> int | None:
        """One request. The next one confirms what this one brought, so it is committed before that."""
        wanted = {"timeout": LONG_POLL, "allowed_updates": inbound.KINDS}
        asked = wanted if offset is None else {**wanted, "offset": offset}
        updates = await self._bot.do_api_request("getUpdates", api_kwargs=asked, read_timeout=LONG_POLL + 5)
        self._sign_of_life()
        if not updates:
            return offset
        await self._take(door, updates)
        return int(updates[-1]["update_id"]) + 1

    async def _take(self, door: Door, updates: Sequence[Mapping[str, Any]]) -> None:
        for update in updates:
            message = update.get("message") or {}
            if new := message.get("migrate_to_chat_id"):
                await self._moved(str(message["chat"]["id"]), str(new))
        await door.accept(inbound.PLATFORM, str(self._account.me), [raw(update) for update in updates])

    # ---- webhook

    def routes(self) -> list[web.RouteDef]:
        """Where Telegram brings updates, if it does."""
        return [web.post(PATH, self._brought)] if self._account.mode == "webhook" else []

    async def _brought(self, request: web.Request) -> web.Response:
        """The secret first, then a body of sensible size, then the commit, and only then 200."""
        given = request.headers.get("X-Telegram-Bot-Api-Secret-Token", "")
        if not hmac.compare_digest(given.encode(), self._account.webhook_secret.encode()):
            return web.Response(status=401)
        if (request.content_length or 0) > BODY_LIMIT:
            return web.Response(status=413)
        if self._door is None:
            return _later()
        try:
            update = json.loads(await request.content.read(BODY_LIMIT + 1))
            events = [update] if isinstance(update["update_id"], int) else []
        except (ValueError, KeyError, TypeError, RecursionError):
            return web.Response(status=400)
        try:
            await self._take(self._door, events)
        except TemporaryError:
            return _later()
        self._sign_of_life()
        return web.Response()


def _later() -> web.Response:
    """Telegram obeys Retry-After up to an hour and brings the update again."""
    return web.Response(status=503, headers={"Retry-After": "5"})


def _named(fault: Exception) -> str:
    match fault:
        case error.InvalidToken():
            return "the token is not accepted"
        case error.Conflict():
            return "another program polls with the same token"
        case error.RetryAfter():
            return "asked to wait"
        case error.TelegramError():
            return str(fault.message)[:200]
    return str(fault)[:200]
