"""The HTTP of the Bot API: addresses, tokens, the log, flood control and trouble on demand."""

import asyncio
import inspect
import json
import math
import re
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.emulators.telegram.arguments import Arguments, read
from tests.emulators.telegram.calls import Call
from tests.emulators.telegram.faults import Fault
from tests.emulators.telegram.files import UPLOAD_LIMIT
from tests.emulators.telegram.rates import EDITS, SENDS
from tests.emulators.telegram.refusals import NOT_FOUND, UNAUTHORIZED, Refused, too_many
from tests.emulators.telegram.registry import METHODS

if TYPE_CHECKING:
    from tests.emulators.telegram.world import Telegram

TOKEN = re.compile(r"\d+:[A-Za-z0-9_-]{10,}")
PAGE = "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n<body>Bad Gateway</body>\r\n</html>"
TEXTS = {
    400: "Bad Request: chat not found",
    401: "Unauthorized",
    404: "Not Found",
    500: "Internal Server Error",
}
TEXTS |= {
    403: "Forbidden: bot was blocked by the user",
    409: "Conflict: terminated by other getUpdates request",
}


class Server:
    def __init__(self, world: "Telegram") -> None:
        self._world = world
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()
        self.port = 0
        self.calls: list[Call] = []
        self.floods: dict[int | None, float] = {}
        self._waits: dict[int | None, float] = {}
        self.revoked = False

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        self._closing.clear()
        application = web.Application(client_max_size=UPLOAD_LIMIT + 2**20)
        application.router.add_get("/file/bot{token}/{path:.+}", self._download)
        application.router.add_route("*", "/bot{token}/{method}", self._serve)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True)
        await site.start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _admit(self, request: web.Request) -> None:
        """Bot API: 404 for what cannot be a token, 401 for one that is nobody's."""
        token = request.match_info["token"]
        if not TOKEN.fullmatch(token):
            raise Refused(*NOT_FOUND)
        if token != self._world.token or self.revoked:
            raise Refused(*UNAUTHORIZED)

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        method = request.match_info["method"].lower()
        call = Call(len(self.calls) + 1, method, self._world.times.now(), time.monotonic())
        self.calls.append(call)
        try:
            return await self._outcome(request, call)
        except Refused as refused:
            return self._told(call, refused.code, refused.body())
        finally:
            call.ended = time.monotonic()
            self._world.stir()

    async def _outcome(self, request: web.Request, call: Call) -> web.StreamResponse:
        arguments = await read(request)
        call.values = arguments.values
        call.uploads = {name: len(upload.data) for name, upload in arguments.uploads.items()}
        call.chat = self._chat(arguments)
        self._admit(request)
        fault = self._world.faults.draw(call.method, call.chat)
        call.fault = fault.kind if fault else ""
        if fault and (early := await self._before(request, call, fault)):
            return early
        self._flood(call, arguments)
        result = await self.perform(call.method, arguments)
        call.performed, call.result = True, result
        if fault and (late := await self._after(request, call, fault, result)):
            return late
        return self._told(call, 200, {"ok": True, "result": result})

    async def perform(self, method: str, arguments: Arguments) -> Any:
        if method == "getupdates":
            return await self._world.polling.get(arguments)
        if method.lower() not in METHODS:
            raise Refused(404, "Not Found: method not found")
        result = METHODS[method.lower()](self._world, arguments)
        return await result if inspect.isawaitable(result) else result

    def _told(self, call: Call, code: int, body: dict[str, Any]) -> web.Response:
        call.outcome, call.description = code, body.get("description", "")
        wait = body.get("parameters", {}).get("retry_after")
        if wait:
            self._waits[call.chat] = max(self._waits.get(call.chat, 0), call.at + wait)
        headers = {"Retry-After": str(wait)} if wait else {}
        return web.json_response(body, status=code, headers=headers)

    def _chat(self, arguments: Arguments) -> int | None:
        try:
            return int(arguments.text("chat_id"))
        except ValueError:
            return None

    def _flood(self, call: Call, arguments: Arguments) -> None:
        """Bots FAQ: broadcasting to users. 429 says how long; a call before that is over is marked
        `early`."""
        if call.method not in SENDS and call.method not in EDITS:
            return
        call.early = call.at < self._waits.get(call.chat, 0) - 0.005
        until = max(self.floods.get(call.chat, 0), self.floods.get(None, 0))
        wait = math.ceil(until - call.at) if until > call.at else 0
        if not wait and self._world.rates is not None and call.chat is not None:
            cost = len(arguments.list("media")) if call.method == "sendmediagroup" else 1
            wait = self._world.rates.wait(call.at, call.method, call.chat, cost)
        if wait:
            raise too_many(wait)

    async def _before(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse | None:
        match fault.kind:
            case "cut before":
                return self._cut(request)
            case "hang before":
                return await self._hang(request, fault)
            case "late":
                await fault.healed.wait()
            case "429":
                raise too_many(fault.retry_after)
            case "502 html":
                call.outcome = 502
                return web.Response(status=502, text=PAGE, content_type="text/html")
            case "503 empty":
                call.outcome = 503
                return web.Response(status=503)
            case "200 not ok":
                return web.json_response(
                    {"ok": False, "error_code": 500, "description": "Internal Server Error"}
                )
            case "not json":
                return web.Response(text="<html>captive portal</html>", content_type="text/html")
            case "400" | "401" | "403" | "404" | "409" | "500":
                raise Refused(int(fault.kind), fault.text or TEXTS[int(fault.kind)])
        return None

    async def _after(
        self, request: web.Request, call: Call, fault: Fault, result: Any
    ) -> web.StreamResponse | None:
        match fault.kind:
            case "cut after":
                return self._cut(request)
            case "hang after":
                return await self._hang(request, fault)
            case "truncated":
                whole = json.dumps({"ok": True, "result": result}).encode()
                return web.Response(body=whole[: len(whole) // 2], content_type="application/json")
        return None

    def _cut(self, request: web.Request) -> web.Response:
        """The connection is gone; whatever is returned reaches nobody."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _hang(self, request: web.Request, fault: Fault) -> web.Response:
        try:
            await asyncio.wait_for(self._closing.wait(), self._world.times.real(fault.seconds))
        except TimeoutError:
            pass
        return self._cut(request)

    async def _download(self, request: web.Request) -> web.StreamResponse:
        """Bot API: getFile. The link has the token in it and works for an hour at least; it is logged as
        `file`."""
        call = Call(len(self.calls) + 1, "file", self._world.times.now(), time.monotonic())
        call.values = {"path": request.match_info["path"]}
        self.calls.append(call)
        try:
            self._admit(request)
            fault = self._world.faults.draw("file", None)
            call.fault = fault.kind if fault else ""
            if fault and (early := await self._before(request, call, fault)):
                return early
            return await self._bytes(request, call, fault)
        except Refused as refused:
            return self._told(call, refused.code, refused.body())
        finally:
            call.ended = time.monotonic()

    async def _bytes(self, request: web.Request, call: Call, fault: Fault | None) -> web.StreamResponse:
        kept = self._world.files.by_path.get(call.values["path"])
        if kept is None or kept.gone:
            raise Refused(*NOT_FOUND)
        call.outcome = 200
        if fault is None or fault.kind == "late":
            return web.Response(body=kept.data, content_type="application/octet-stream")
        response = web.StreamResponse(headers={"Content-Length": str(len(kept.data))})
        await response.prepare(request)
        await response.write(kept.data[: len(kept.data) // 2])
        return self._cut(request)
