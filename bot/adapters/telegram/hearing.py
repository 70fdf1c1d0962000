"""Hearing: updates are committed to the inbox first; only then Telegram is told that we have them."""

import asyncio
import hashlib
import json
import logging
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from aiohttp import web
from telegram import Bot, error

from bot.adapters.port import ALWAYS, Door, Health, Office, Raw
from bot.adapters.telegram import inbound, webhook
from bot.adapters.telegram.account import Account
from bot.adapters.telegram.inbound import Me
from core.kernel.errors import TemporaryError

_log = logging.getLogger(__name__)

LONG_POLL, PATIENCE = 20, 25.0
"""Seconds Telegram holds a request when there is nothing to tell, and how long we wait for its answer."""
DEAF_AFTER = 28.0
"""Seconds without a sign of life after which we say that we are deaf."""
HICCUP = 5.0
"""Seconds in which trouble that has only begun may still pass by itself."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
WATCH = 20.0
"""Seconds between two looks at whether our webhook still stands."""
AT_ONCE = 0.1
"""Seconds in which nobody who waits for news has waited."""
_MALFORMED = (KeyError, TypeError, AttributeError, ValueError)
Moved = Callable[[str, str], Awaitable[None]]


def raw(update: Mapping[str, Any]) -> Raw:
    """The event for the inbox; a malformed one too, where it becomes a dead letter of its own.

    After a quiet week Telegram counts from a random number (Bot API: Update), so the number alone could
    meet one of long ago; the content is part of the key."""
    content = json.dumps(update, sort_keys=True).encode()
    digest = hashlib.sha256(content).hexdigest()[:16]
    lane, message = _place(update)
    return Raw(f"{update.get('update_id')}:{digest}", lane, update, message)


def _place(update: Mapping[str, Any]) -> tuple[str, str | None]:
    """The lane, and the message it tells of; neither has half a character that no database takes."""
    with suppress(*_MALFORMED):
        lane, message = inbound.lane(update), inbound.message_of(update)
        f"{lane}{message}".encode()
        return lane, message
    return "malformed", None


class Hearing:
    """Polls, or takes what the webhook brings; always tells truly whether it hears.

    `moved` is told of each group that has another number now, before anything is heard from there; `settle`
    is done after connecting and after each move, and never fails; `kept` is told of each update that is
    committed. Whoever has the `office` polls, or sets the webhook and looks after it; others stand by, and
    all take what the webhook brings."""

    def __init__(
        self,
        account: Account,
        bot: Bot,
        moved: Moved,
        settle: Callable[[], Coroutine[Any, Any, None]],
        monotonic: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        kept: Callable[[Mapping[str, Any]], None] = lambda update: None,
        office: Office = ALWAYS,
    ) -> None:
        self._office = office
        self._account = account
        self._bot = bot
        self._moved = moved
        self._settle = settle
        self._kept = kept
        self._settled = False
        self._settling: asyncio.Task[None] | None = None
        self._monotonic = monotonic
        self._sleep = sleep
        self.me = Me(account.me)
        self._door: Door | None = None
        self._offset: int | None = None
        self._arrived = False
        self._failed_at: datetime | None = None
        self._heard_at = monotonic()
        self._troubled_at: float | None = self._heard_at - HICCUP
        self._trouble = "not connected yet"

    def health(self) -> Health:
        if not self._office.ours:
            return Health(True, note="telegram: standing by, another process hears")
        now = self._monotonic()
        silent = now - self._heard_at
        troubled = 0.0 if self._troubled_at is None else now - self._troubled_at
        if silent > DEAF_AFTER or troubled >= HICCUP:
            return Health(False, f"telegram deaf for {silent:.0f} s: {self._trouble or 'no answer'}")
        return Health(True, f"telegram: {self._trouble}" if self._trouble else "")

    async def run(self, door: Door) -> None:
        self._door = door
        try:
            while True:
                await self._office.wait()
                await self._hear()
        finally:
            if self._settling is not None:
                self._settling.cancel()
                await asyncio.gather(self._settling, return_exceptions=True)

    async def _hear(self) -> None:
        """For as long as that is this process's. What nobody has confirmed comes anew."""
        polling = self._account.mode == "polling"
        self._offset, self._settled = None, False
        self._heard_at = self._monotonic()
        await self._patiently(self._connect if polling else self._set_webhook)
        while self._office.ours:
            await self._patiently(self._poll if polling else self._watch)

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Until the step is done, however often it fails: never a hot loop, never giving up, except where
        another process hears now."""
        pause = 0.0
        while self._office.ours:
            try:
                await step()
                return
            except Exception as fault:  # noqa: BLE001 - no answer, however odd, may end the hearing
                self._stumbled(_named(fault))
                pause = max(min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE), _asked(fault))
            await self._sleep(pause)

    def _stumbled(self, trouble: str) -> None:
        _log.warning("telegram does not answer as it should: %s", trouble)
        self._trouble = trouble
        if self._troubled_at is None:
            self._troubled_at = self._monotonic()

    def _sign_of_life(self) -> None:
        self._heard_at, self._trouble, self._troubled_at = self._monotonic(), "", None

    def _settle_down(self) -> None:
        """Nobody waits for that."""
        if not self._settled:
            self._settled = True
            self._settling = asyncio.create_task(self._settle())

    async def meet(self) -> None:
        """Learn the bot's own name."""
        user = await self._bot.get_me()
        self.me = Me(user.id, user.username or "")

    # ---- long polling

    async def _connect(self) -> None:
        await self.meet()
        await self._bot.delete_webhook()
        self._sign_of_life()

    async def _poll(self) -> None:
        """One request. The next one confirms what this one brought, so it is committed before that.

        The first after some trouble does not wait for news: that it is answered is news enough."""
        assert self._door is not None
        self._settle_down()
        patience = 0 if self._trouble else LONG_POLL
        wanted = {"timeout": patience, "allowed_updates": inbound.KINDS}
        asked = wanted if self._offset is None else {**wanted, "offset": self._offset}
        began, before = self._monotonic(), self._offset
        updates = await self._bot.do_api_request("getUpdates", api_kwargs=asked, read_timeout=PATIENCE)
        if updates:
            await self._take(self._door, updates)
            self._offset = _after(updates)
        self._sign_of_life()
        if self._offset == before and patience and self._monotonic() - began < AT_ONCE:
            await self._sleep(FIRST_PAUSE)  # somebody in between answers without waiting for news

    async def _take(self, door: Door, updates: Sequence[Mapping[str, Any]]) -> None:
        for update in updates:
            if (move := _move(update)) is not None:
                await self._moved(*move)
                self._settled = False
        events = [raw(update) for update in updates]
        office = self._office if self._account.mode == "polling" else ALWAYS
        await door.accept(inbound.PLATFORM, str(self._account.me), events, office=office)
        for update in updates:
            self._kept(update)

    # ---- webhook

    async def _set_webhook(self) -> None:
        await self.meet()
        await self._bot.set_webhook(
            self._address, secret_token=self._account.webhook_secret, allowed_updates=inbound.KINDS
        )
        self._sign_of_life()

    @property
    def _address(self) -> str:
        return f"{self._account.webhook_url}{webhook.PATH}"

    async def _watch(self) -> None:
        """Look whether the webhook is still ours, and whether what Telegram brings arrives."""
        self._settle_down()
        await self._sleep(WATCH)
        info = await self._bot.get_webhook_info()
        if info.url != self._address:
            _log.warning("the webhook was taken away and is set again")
            await self._set_webhook()
        failed = info.last_error_date
        if self._arrived or not info.pending_update_count:
            self._failed_at, self._arrived = failed, False
        if failed is not None and failed != self._failed_at:
            self._stumbled(f"the webhook cannot be reached: {info.last_error_message or 'no answer'}"[:200])
        else:
            self._sign_of_life()

    def routes(self) -> list[web.RouteDef]:
        """Where Telegram brings updates, if it does."""
        return [web.post(webhook.PATH, self._brought)] if self._account.mode == "webhook" else []

    async def _brought(self, request: web.Request) -> web.Response:
        """Committed first, and only then 200."""
        update = await webhook.brought(request, self._account.webhook_secret)
        if isinstance(update, web.Response):
            return update
        if self._door is None:
            return webhook.later()
        try:
            await self._take(self._door, [update])
        except TemporaryError:
            return webhook.later()
        self._arrived = True
        self._sign_of_life()
        return web.Response()


def _move(update: Mapping[str, Any]) -> tuple[str, str] | None:
    """The old and the new number of a group that became a supergroup."""
    with suppress(*_MALFORMED):
        message = update["message"]
        return str(message["chat"]["id"]), str(int(message["migrate_to_chat_id"]))
    return None


def _after(updates: Sequence[Mapping[str, Any]]) -> int:
    """The offset that confirms all of these. Raises KeyError when one has no number to confirm it by."""
    return int(updates[-1]["update_id"]) + 1


def _asked(fault: Exception) -> float:
    """Seconds that Telegram itself asks to wait."""
    if not isinstance(fault, error.RetryAfter):
        return 0.0
    wait = fault.retry_after
    return float(wait) if isinstance(wait, int) else wait.total_seconds()


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
        case TemporaryError():
            return str(fault)[:200]
    return f"an answer that nobody understands ({type(fault).__name__})"
