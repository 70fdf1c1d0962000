"""An app that is nothing but slack_sdk's clients, to see the emulated Slack from the outside."""

from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import Any, Self

from slack_sdk.errors import SlackApiError
from slack_sdk.socket_mode.aiohttp import SocketModeClient
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.socket_mode.response import SocketModeResponse
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from tests.emulators.slack.world import Slack

SILENT = object()
"""An answer that is no acknowledgement."""


class App:
    """`heard` is everything its sockets were told; `answer` makes the acknowledgement's payload of each, or
    `SILENT`; `then` is what it does after acknowledging."""

    def __init__(self, slack: Slack, sockets: int = 1) -> None:
        self.slack = slack
        self.web = AsyncWebClient(slack.bot_token, base_url=slack.api_url, retry_handlers=[])
        self.heard: list[SocketModeRequest] = []
        self.answer: Callable[[SocketModeRequest], Any] = lambda request: None
        self.then: Callable[[SocketModeRequest], Awaitable[Any]] | None = None
        self.sockets: list[SocketModeClient] = []
        self._wanted = sockets

    async def __aenter__(self) -> Self:
        for _ in range(self._wanted):
            socket = SocketModeClient(self.slack.app_token, web_client=self.web, ping_interval=0.2)
            self.sockets.append(socket)
            socket.socket_mode_request_listeners.append(self._hear)  # type: ignore[arg-type]
            await socket.connect()  # type: ignore[no-untyped-call]
        await self.slack.connected(self._wanted)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for socket in self.sockets:
            await socket.close()  # type: ignore[no-untyped-call]

    async def _hear(self, client: SocketModeClient, request: SocketModeRequest) -> None:
        self.heard.append(request)
        payload = self.answer(request)
        if payload is SILENT:
            return
        await client.send_socket_mode_response(SocketModeResponse(request.envelope_id, payload))
        if self.then is not None:
            await self.then(request)

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events it heard."""
        return [one.payload["event"] for one in self.heard if one.type == "events_api"]

    def acts(self, kind: str) -> list[dict[str, Any]]:
        """The interactions of this type it heard."""
        return [one.payload for one in self.heard if one.payload.get("type") == kind]

    async def refusal(self, call: Awaitable[AsyncSlackResponse]) -> str:
        """The word of a call that must be refused."""
        try:
            told = await call
        except SlackApiError as refused:
            return str(refused.response["error"])
        raise AssertionError(f"not refused: {told!r}")
