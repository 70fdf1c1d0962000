"""Socket Mode: the app's WebSockets, each thing told to one of them, acknowledged by its envelope."""

import asyncio
import contextlib
import json
import random
import uuid
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import WSMsgType, web

from tests.emulators.slack.delivery import Delivery, Outcome
from tests.emulators.telegram.times import Times

MOST = 10
"""Socket Mode: connections of one app at a time."""
WARNING = 10.0
"""Seconds between the warning and the disconnect."""
PING_EVERY = 10.0


@dataclass(eq=False)
class Socket:
    """`sent` are the envelopes it was given, `opened` and `closed` the machine's loop time; `deaf`: it is
    open and nothing passes any more."""

    number: int
    response: web.WebSocketResponse
    request: web.Request
    opened: float
    closed: float = 0.0
    deaf: bool = False
    sent: list[dict[str, Any]] = field(default_factory=list)

    async def tell(self, what: dict[str, Any]) -> None:
        if not self.deaf and not self.response.closed:
            with contextlib.suppress(ConnectionError):
                await self.response.send_str(json.dumps(what))


class Sockets:
    """`open` are those connected now, `all` every one that ever was."""

    def __init__(self, times: Times, patience: Callable[[], float], app_id: str, seed: int = 0) -> None:
        self._times = times
        self._patience = patience
        self._app_id = app_id
        self._random = random.Random(seed)
        self._tickets: set[str] = set()
        self._answers: dict[str, asyncio.Future[Any]] = {}
        self.stir: Callable[[], None] = lambda: None
        self.disabled = False
        self.open: list[Socket] = []
        self.all: list[Socket] = []
        self.acknowledged: list[str] = []
        """Envelopes in the order of their acknowledgements, repeated ones too."""

    def ticket(self) -> str:
        """The ws address' tail: good for one connection."""
        ticket = uuid.uuid4().hex
        self._tickets.add(ticket)
        return f"/link/?ticket={ticket}&app_id={self._app_id}"

    # Serving

    async def serve(self, request: web.Request) -> web.StreamResponse:
        ticket = request.query.get("ticket", "")
        if ticket not in self._tickets or self.disabled:
            return web.json_response({"ok": False, "error": "invalid_ticket"}, status=401)
        self._tickets.discard(ticket)
        response = web.WebSocketResponse(timeout=0.5)
        await response.prepare(request)
        socket = Socket(len(self.all) + 1, response, request, asyncio.get_running_loop().time())
        if len(self.open) >= MOST:
            await socket.tell(self._goodbye("too_many_websockets"))
            await response.close()
            return response
        self.open.append(socket)
        self.all.append(socket)
        await socket.tell(self._hello())
        pinging = asyncio.create_task(self._ping(socket))
        try:
            await self._listen(socket)
        finally:
            pinging.cancel()
            if socket in self.open:
                self.open.remove(socket)
            socket.closed = asyncio.get_running_loop().time()
            self.stir()
        return response

    def _hello(self) -> dict[str, Any]:
        debug = {"host": "applink-loopback", "build_number": 1, "approximate_connection_time": 18060}
        told: dict[str, Any] = {"type": "hello", "num_connections": len(self.open)}
        return told | {"debug_info": debug, "connection_info": {"app_id": self._app_id}}

    def _goodbye(self, reason: str) -> dict[str, Any]:
        return {"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-loopback"}}

    async def _listen(self, socket: Socket) -> None:
        self.stir()
        while not socket.response.closed:
            message = await socket.response.receive()
            if message.type is WSMsgType.TEXT:
                self._heard(message.data)
            elif message.type in (WSMsgType.CLOSE, WSMsgType.CLOSING, WSMsgType.CLOSED, WSMsgType.ERROR):
                return

    async def _ping(self, socket: Socket) -> None:
        while not socket.response.closed:
            await asyncio.sleep(max(1.0, self._times.real(PING_EVERY)))
            if not socket.deaf:
                with contextlib.suppress(ConnectionError):
                    await socket.response.ping(b"Ping from applink-loopback")

    def _heard(self, text: str) -> None:
        """An acknowledgement, over whichever socket. What is none is overheard."""
        try:
            told = json.loads(text)
        except ValueError:
            return
        envelope = told.get("envelope_id") if isinstance(told, dict) else None
        if not isinstance(envelope, str):
            return
        self.acknowledged.append(envelope)
        answer = self._answers.get(envelope)
        if answer is not None and not answer.done():
            answer.set_result(told.get("payload"))
        self.stir()

    # Telling

    async def bring(self, delivery: Delivery, attempt: int, reason: str) -> Outcome:
        """To one socket, any of them, with so many seconds to acknowledge."""
        if not self.open:
            return Outcome("connection_failed")
        socket = self._random.choice(self.open)
        return await self.bring_over(socket, delivery, attempt, reason)

    async def bring_over(
        self, socket: Socket, delivery: Delivery, attempt: int = 0, reason: str = ""
    ) -> Outcome:
        id = str(uuid.uuid4())
        envelope: dict[str, Any] = {"envelope_id": id, "type": delivery.kind, "payload": delivery.payload}
        envelope["accepts_response_payload"] = delivery.kind != "events_api"
        if delivery.kind == "events_api":
            envelope |= {"retry_attempt": attempt, "retry_reason": reason}
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._answers[id] = answer
        socket.sent.append(envelope)
        await socket.tell(envelope)
        try:
            told = await asyncio.wait_for(answer, self._patience())
        except TimeoutError:
            return Outcome("timeout", socket=socket.number)
        finally:
            del self._answers[id]
        return Outcome(answer=told, socket=socket.number)

    # Trouble

    async def refresh(self, which: Iterable[Socket] = (), *, warn: bool = True) -> None:
        """These sockets (none named: all) are closed, after a warning ten seconds before."""
        chosen = list(which) or list(self.open)
        if warn:
            for socket in chosen:
                await socket.tell(self._goodbye("warning"))
            await self._times.sleep(WARNING)
        for socket in chosen:
            await socket.tell(self._goodbye("refresh_requested"))
            await self._close(socket)

    async def disable(self) -> None:
        """Somebody turned Socket Mode off in the app's settings."""
        self.disabled = True
        for socket in list(self.open):
            await socket.tell(self._goodbye("link_disabled"))
            await self._close(socket)

    def enable(self) -> None:
        self.disabled = False

    async def _close(self, socket: Socket) -> None:
        if socket in self.open:
            self.open.remove(socket)
        await socket.response.close()
        self.stir()

    def cut(self, which: Iterable[Socket] = ()) -> None:
        """The lines are gone, without a word."""
        for socket in list(which) or list(self.open):
            if socket in self.open:
                self.open.remove(socket)
            if socket.request.transport is not None:
                socket.request.transport.abort()
        self.stir()

    def deafen(self, which: Iterable[Socket] = ()) -> None:
        """They stay open and nothing passes: no envelope, no pong, no acknowledgement."""
        for socket in list(which) or list(self.open):
            socket.deaf = True
            if socket.request.transport is not None:
                socket.request.transport.pause_reading()
