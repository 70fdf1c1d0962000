"""Socket Mode: two connections, each replaced by a new one before it is let go."""

import asyncio
import json
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.response import BoltResponse
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.async_client import AsyncBaseSocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient

from bot.adapters.slack import faults
from bot.adapters.slack.client import SILENT
from core.kernel.errors import PermanentError, TemporaryError

_log = logging.getLogger(__name__)
SOCKETS = 2
APART = 5.0
"""Seconds between the first and the second, so that Slack does not refresh both at a time."""
CONNECT = 10.0
"""Seconds in which a connection must stand."""
PING = 5.0
DISABLED = "link_disabled"
"""Why Slack ends a connection when somebody turns Socket Mode off."""
LOOK = 0.5
"""Seconds between two looks at whether a connection still stands."""
LINGER = 3.0
"""Seconds that a replaced connection is given to acknowledge what it brought."""
GOODBYE = 1.0
BRIEF = 2.0
"""Seconds. After two connections that stood for less the next is not hurried: Slack may allow no more."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 10.0
Told = Callable[[Exception | None], None]
Take = Callable[[dict[str, Any]], Awaitable[BoltResponse]]


class Socket(SocketModeClient):
    """One connection. It opens no other by itself: the library closes the old one before it has a new one."""

    def __init__(self, app_token: str, web: AsyncWebClient, take: Take) -> None:
        super().__init__(app_token, logger=SILENT, web_client=web, ping_interval=PING)
        self.socket_mode_request_listeners.append(self._heard)
        self.ending = asyncio.Event()
        """It is gone, or Slack has said that it will be."""
        self.reason = ""
        """Why, in Slack's word."""
        self._take = take
        self._under_way = 0

    async def open(self) -> None:
        """Raises SlackApiError, aiohttp's errors, or TimeoutError."""
        self.wss_uri = await self.issue_new_wss_url()
        async with asyncio.timeout(CONNECT):
            await self.connect()  # type: ignore[no-untyped-call]

    async def connect_to_new_endpoint(self, force: bool = False) -> None:
        self.ending.set()

    async def run_message_listeners(self, message: dict[str, Any], raw_message: str) -> None:
        if message.get("type") == "disconnect":
            self.reason = str(message.get("reason"))
            self.ending.set()
        else:
            await super().run_message_listeners(message, raw_message)

    async def disconnect(self) -> None:
        """Without waiting long for the goodbye of somebody who may be gone."""
        await _within(GOODBYE, super().disconnect())  # type: ignore[no-untyped-call]

    @property
    def stands(self) -> bool:
        return self.current_session is not None and not self.current_session.closed

    async def over(self) -> None:
        """Returns when another connection is needed."""
        while self.stands and not self.ending.is_set():
            await _within(LOOK, self.ending.wait())

    async def let_go(self) -> None:
        """Close it, once what it brought is acknowledged."""
        for _ in range(round(LINGER / 0.05)):
            if not self._under_way or not self.stands:
                break
            await asyncio.sleep(0.05)
        await self.close()

    async def close(self) -> None:
        await super().close()  # type: ignore[no-untyped-call]

    async def _heard(self, _: AsyncBaseSocketModeClient, request: SocketModeRequest) -> None:
        """What is not taken is not acknowledged: Slack brings it again, over any connection."""
        self._under_way += 1
        try:
            response = await self._take(request.payload)
            if response.status == 200:
                payload = json.loads(response.body) if response.body else None
                await self.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))
        except ConnectionError:
            _log.info("a connection was gone before what it brought was acknowledged")
        finally:
            self._under_way -= 1


class Sockets:
    """Keeps the connections. `told` hears what is wrong while there is none, and None once there is one."""

    def __init__(self, app_token: str, web: AsyncWebClient, take: Take, told: Told) -> None:
        self._app_token = app_token
        self._web = web
        self._take = take
        self._told = told
        self._trouble: Exception | None = None
        self._open: set[Socket] = set()
        self._leaving: set[asyncio.Task[None]] = set()

    @property
    def connected(self) -> int:
        return sum(socket.stands for socket in self._open)

    async def run(self) -> None:
        """Until cancelled; then every connection is closed."""
        try:
            async with asyncio.TaskGroup() as group:
                for number in range(SOCKETS):
                    group.create_task(self._keep(number * APART))
        finally:
            for leaving in self._leaving:
                leaving.cancel()
            await asyncio.gather(*(socket.close() for socket in self._open), return_exceptions=True)

    async def _keep(self, apart: float) -> None:
        """One connection after the other; the new one stands before the old one is let go."""
        await asyncio.sleep(apart)
        old: Socket | None = None
        brief = 0
        while True:
            socket = await self._opened()
            if old is not None:
                self._leave(old)
            opened = time.monotonic()
            await socket.over()
            old = socket
            if socket.reason == DISABLED:
                self._trouble = PermanentError("Socket Mode is switched off in the app's settings")
            if not self.connected:
                self._told(self._trouble or TemporaryError("every connection is gone"))
            brief = brief + 1 if time.monotonic() - opened < BRIEF else 0
            if brief > 1:
                await asyncio.sleep(min(FIRST_PAUSE * 2 ** min(brief - 2, 8), LONGEST_PAUSE))

    async def _opened(self) -> Socket:
        """A connection, however often it takes to get one: never a hot loop, never giving up."""
        pause = 0.0
        while True:
            socket = Socket(self._app_token, self._web, self._take)
            self._open.add(socket)
            try:
                await socket.open()
                self._trouble = None
                self._told(None)
                return socket
            except Exception as fault:  # noqa: BLE001 - no answer, however odd, may end the hearing
                if not self.connected:
                    self._told(self._trouble or fault)
                self._open.discard(socket)
                await socket.close()
                pause = max(min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE), faults.asked(fault))
            await asyncio.sleep(pause)

    def _leave(self, socket: Socket) -> None:
        async def leave() -> None:
            try:
                await socket.let_go()
            finally:
                self._open.discard(socket)

        leaving = asyncio.create_task(leave())
        self._leaving.add(leaving)
        leaving.add_done_callback(self._leaving.discard)


async def _within(seconds: float, what: Awaitable[object]) -> None:
    try:
        await asyncio.wait_for(what, seconds)
    except TimeoutError:
        pass
