"""The HTTP of Slack: methods, tokens, scopes, files, response addresses, sockets, and trouble on demand."""

import asyncio
import inspect
import json
import math
import time
from typing import TYPE_CHECKING, Any

from aiohttp import web

from tests.emulators.slack import gate, responses
from tests.emulators.slack.arguments import Arguments, read
from tests.emulators.slack.calls import Call
from tests.emulators.slack.faults import Fault
from tests.emulators.slack.files import LOGIN_PAGE
from tests.emulators.slack.refusals import Refused, TooMany
from tests.emulators.slack.registry import METHODS, Method

if TYPE_CHECKING:
    from tests.emulators.slack.world import Slack

PAGE = "<!DOCTYPE html><html><head><title>Server Error</title></head><body>We'll be back soon</body></html>"


class Server:
    def __init__(self, world: "Slack") -> None:
        self._world = world
        self._runner: web.AppRunner | None = None
        self._closing = asyncio.Event()
        self.port = 0
        self.calls: list[Call] = []
        self.floods: dict[tuple[str, str], float] = {}
        self._waits: dict[tuple[str, str], float] = {}

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def open(self) -> None:
        self._closing.clear()
        application = web.Application(client_max_size=self._world.largest_file + 2**20)
        application.router.add_route("*", "/api/{method}", self._serve)
        application.router.add_get("/link/", self._world.sockets.serve)
        application.router.add_post("/upload/v1/{ticket}", self._upload)
        application.router.add_get("/files-pri/{path:.+}", self._download)
        application.router.add_post("/{kind:actions|commands|app}/{rest:.+}", self._respond)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", self.port, reuse_address=True).start()
        self.port = self._runner.addresses[0][1]

    async def close(self) -> None:
        self._closing.set()
        if self._runner is not None:
            self._world.sockets.cut()
            await self._runner.cleanup()
            self._runner = None

    # The Web API

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        name = request.match_info["method"]
        call = self._begin(name)
        try:
            arguments = await read(request)
            call.values = arguments.values
            call.channel = arguments.text("channel") or arguments.text("channel_id")
            call.early = call.at < self._waits.get((name, call.channel), 0) - 0.005
            return await self._outcome(request, call, lambda: self._perform(name, call, arguments))
        except Refused as refused:
            return self._told(call, refused)
        finally:
            call.ended = time.monotonic()
            self._world.stir()

    def _begin(self, name: str) -> Call:
        call = Call(len(self.calls) + 1, name, self._world.times.now(), time.monotonic())
        self.calls.append(call)
        return call

    async def _outcome(self, request: web.Request, call: Call, perform: Any) -> web.StreamResponse:
        fault = self._world.faults.draw(call.method, call.channel)
        call.fault = fault.kind if fault else ""
        if fault and (early := await self._before(request, call, fault)):
            return early
        told = await perform()
        call.performed = True
        if fault and (late := await self._after(request, fault, told)):
            return late
        if isinstance(told, web.StreamResponse):
            call.status = told.status
            return told
        call.status, call.result = 200, told
        return web.json_response(told, headers=self._headers(call.method))

    async def _perform(self, name: str, call: Call, arguments: Arguments) -> dict[str, Any]:
        method = METHODS.get(name)
        if method is None:
            raise Refused("unknown_method", req_method=name)
        gate.admit(self._world, method, arguments.token)
        self._limit(call, method)
        result = method.perform(self._world, arguments)
        return {"ok": True} | (await result if inspect.isawaitable(result) else result)

    def _headers(self, name: str) -> dict[str, str]:
        method = METHODS.get(name)
        scopes = {"x-oauth-scopes": ",".join(sorted(self._world.scopes))}
        return scopes | {"x-accepted-oauth-scopes": ",".join(method.scopes)} if method else {}

    def _told(self, call: Call, refused: Refused) -> web.Response:
        call.error, call.status = refused.error, 200
        headers = self._headers(call.method)
        if isinstance(refused, TooMany):
            call.status = 429
            if refused.retry_after is not None:
                headers["Retry-After"] = str(refused.retry_after)
                if str(refused.retry_after).isdigit():
                    key = (call.method, call.channel)
                    self._waits[key] = max(self._waits.get(key, 0), call.at + int(refused.retry_after))
        return web.json_response(refused.body(), status=call.status, headers=headers)

    def _limit(self, call: Call, method: Method) -> None:
        """Rate limits: HTTP 429 with the rest of the wait."""
        key = (call.method, call.channel)
        until = max(self.floods.get(key, 0), self.floods.get((call.method, ""), 0))
        wait = math.ceil(until - call.at) if until > call.at else 0
        if not wait and self._world.rates is not None:
            wait = self._world.rates.wait(call.at, call.method, method.tier, call.channel)
        if wait:
            raise TooMany(wait)

    # Trouble

    async def _before(self, request: web.Request, call: Call, fault: Fault) -> web.StreamResponse | None:
        match fault.kind:
            case "cut before":
                return self._cut(request)
            case "hang before":
                return await self._hang(request, fault)
            case "429":
                raise TooMany(fault.retry_after)
            case "error":
                raise Refused(fault.text)
            case "500":
                call.status = 500
                return web.json_response({"ok": False, "error": "internal_error"}, status=500)
            case "503 html" | "503 empty":
                call.status = 503
                page = PAGE if fault.kind == "503 html" else ""
                return web.Response(status=503, text=page, content_type="text/html")
            case "200 html":
                call.status = 200
                return web.Response(text=PAGE, content_type="text/html")
        return None

    async def _after(self, request: web.Request, fault: Fault, told: Any) -> web.StreamResponse | None:
        match fault.kind:
            case "cut after":
                return self._cut(request)
            case "hang after":
                return await self._hang(request, fault)
            case "slow":
                await self._wait(fault.seconds)
            case "truncated" if isinstance(told, dict):
                whole = json.dumps(told).encode()
                return web.Response(body=whole[: len(whole) // 2], content_type="application/json")
            case "truncated" if isinstance(told, web.Response) and isinstance(told.body, bytes):
                half = web.StreamResponse(headers={"Content-Length": str(len(told.body))})
                await half.prepare(request)
                await half.write(told.body[: len(told.body) // 2])
                return self._cut(request)
        return None

    def _cut(self, request: web.Request) -> web.Response:
        """The connection is gone; whatever is returned reaches nobody."""
        if request.transport is not None:
            request.transport.abort()
        return web.Response()

    async def _wait(self, seconds: float) -> None:
        try:
            await asyncio.wait_for(self._closing.wait(), self._world.times.real(seconds))
        except TimeoutError:
            pass

    async def _hang(self, request: web.Request, fault: Fault) -> web.Response:
        await self._wait(fault.seconds)
        return self._cut(request)

    # Files and response addresses

    async def _other(self, request: web.Request, name: str, perform: Any) -> web.StreamResponse:
        call = self._begin(name)
        call.values = {"path": request.path}
        try:
            return await self._outcome(request, call, lambda: perform(request, call))
        except Refused as refused:
            call.error, call.status = refused.error, 429 if isinstance(refused, TooMany) else 404
            return web.json_response(refused.body(), status=call.status)
        finally:
            call.ended = time.monotonic()
            self._world.stir()

    async def _download(self, request: web.Request) -> web.StreamResponse:
        return await self._other(request, "download", self._file)

    async def _file(self, request: web.Request, call: Call) -> web.StreamResponse:
        """Working with files: a private address wants the token; without it a page asks to sign in."""
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token != self._world.bot_token or self._world.revoked or "files:read" not in self._world.scopes:
            call.error = "signed out"
            return web.Response(text=LOGIN_PAGE, content_type="text/html")
        found = self._world.files.by_path.get(request.raw_path.partition("?")[0])
        if found is None or found.gone:
            raise Refused("file_not_found")
        kind = found.json(self._world)["mimetype"]
        return web.Response(body=found.data, content_type=kind)

    async def _upload(self, request: web.Request) -> web.StreamResponse:
        return await self._other(request, "upload", self._take)

    async def _take(self, request: web.Request, call: Call) -> web.StreamResponse:
        """The bytes, bare or as a form; as many as were announced."""
        ticket = self._world.files.tickets.get(request.match_info["ticket"])
        if ticket is None or ticket.arrived:
            raise Refused("file_not_found")
        if request.content_type == "multipart/form-data":
            parts = [part for part in (await request.post()).values() if isinstance(part, web.FileField)]
            data = parts[0].file.read() if parts else b""
        else:
            data = await request.read()
        if len(data) != ticket.length:
            return web.Response(
                status=400, text=f"length mismatch: {ticket.length} announced, {len(data)} came"
            )
        ticket.file.data, ticket.file.size, ticket.arrived = data, len(data), True
        return web.Response(text=f"OK - {len(data)}")

    async def _respond(self, request: web.Request) -> web.StreamResponse:
        return await self._other(request, "response_url", self._said)

    async def _said(self, request: web.Request, call: Call) -> web.StreamResponse:
        try:
            told = await request.json()
        except ValueError:
            raise Refused("invalid_payload") from None
        call.values |= told
        responses.use(self._world, self._world.interactions.addresses.get(request.path), told)
        return web.Response(text="ok")
