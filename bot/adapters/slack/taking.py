"""Taking: whatever Slack brings is committed, and answered at once; a form waits a little for its verdict."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncApp
from slack_bolt.middleware.async_middleware import AsyncMiddleware
from slack_bolt.request.async_request import AsyncBoltRequest
from slack_bolt.response import BoltResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.port import Raw
from bot.adapters.slack import envelope
from bot.adapters.slack.account import Me
from bot.adapters.slack.client import SILENT
from bot.adapters.slack.edits import Edits
from bot.adapters.slack.envelope import Json
from bot.adapters.slack.presses import Presses
from core.kernel.clock import Clock
from core.kernel.errors import TemporaryError

_log = logging.getLogger(__name__)
ANSWERED_IN = 2.5
"""Seconds a form stays open for its answer, of the three that Slack gives (docs.slack.dev: modals)."""
Keep = Callable[[Raw], Awaitable[int]]
"""Commits an event; returns whether it was news. Raises TemporaryError when it cannot be committed."""


class Taking:
    """Everything passes through Bolt's chain; the first link commits it and leaves nothing for the others."""

    def __init__(self, web: AsyncWebClient, me: Me, presses: Presses, clock: Clock, keep: Keep) -> None:
        self._me = me
        self._presses = presses
        self._clock = clock
        self._keep = keep
        self._edits = Edits()
        self._bolt = AsyncApp(
            name="deskbridge",
            logger=SILENT,
            client=web,
            before_authorize=_First(self._commit),
            request_verification_enabled=False,
            ignoring_self_events_enabled=False,
        )

    async def take(self, payload: dict[str, Any]) -> BoltResponse:
        """What Slack is told. Any status but 200 says that we do not have it."""
        try:
            return await self._bolt.async_dispatch(AsyncBoltRequest(body=payload, mode="socket_mode"))
        except envelope.ODD:  # nothing that Bolt can make anything of
            return await self._commit(payload)

    async def _commit(self, payload: Json) -> BoltResponse:
        try:
            return await self._kept(payload)
        except TemporaryError:
            return later()
        except Exception as fault:  # noqa: BLE001 - whatever it is, Slack must not take it for kept
            _log.error("what Slack brought could not be kept: %s", type(fault).__name__)
            return later()

    async def _kept(self, payload: Json) -> BoltResponse:
        if not envelope.of_concern(payload, self._me):
            return taken()
        payload = self._edits.applied(payload)
        key = envelope.key(payload)
        if payload.get("type") == "view_submission":
            return await self._form(payload, key)
        press = None if envelope.kind(payload) == "event" else self._press(payload, key)
        await self._keep(self._raw(payload, key, press))
        return taken()

    def _raw(self, payload: Json, key: str, press: str | None) -> Raw:
        return envelope.raw(payload, self._me, self._clock.now().timestamp(), key, press)

    def _press(self, payload: Json, key: str, **form: Any) -> str:
        return self._presses.open(
            key, _text(payload.get("trigger_id")), _text(payload.get("response_url")), **form
        )

    async def _form(self, payload: Json, form: str) -> BoltResponse:
        """The same form with the same words is one, unless it was refused: then somebody tries again."""
        until = time.monotonic() + ANSWERED_IN
        key = f"{form}:{self._presses.refused(form)}"
        press = self._press(payload, key, fields=_fields(payload), form=form)
        repeated = self._presses.waits(press)
        verdict = self._presses.verdict(press)
        fresh = await self._keep(self._raw(payload, key, press))
        if fresh or repeated:
            await asyncio.wait([verdict], timeout=until - time.monotonic())
        if not verdict.done():
            verdict.cancel()
        if verdict.cancelled() or (answer := verdict.result()) is None:
            return taken()
        return BoltResponse(status=200, body=dict(answer))


class _First(AsyncMiddleware):
    """The first link of the chain."""

    def __init__(self, commit: Callable[[Json], Awaitable[BoltResponse]]) -> None:
        self._commit = commit

    async def async_process(
        self, *, req: AsyncBoltRequest, resp: BoltResponse, next: Callable[[], Awaitable[BoltResponse]]
    ) -> BoltResponse | None:
        return await self._commit(req.body)


def taken() -> BoltResponse:
    return BoltResponse(status=200)


def later() -> BoltResponse:
    """Slack brings an event again, and says of anything else that it failed."""
    return BoltResponse(status=503)


def _fields(payload: Json) -> tuple[str, ...]:
    try:
        return tuple(payload["view"]["state"]["values"])
    except envelope.ODD:
        return ()


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None
