"""The floor at Slack: a bare Bolt app that acknowledges everything and keeps nothing."""

import asyncio
import re
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

Ack = Callable[[], Awaitable[Any]]


def build(token: str, secret: str, url: str) -> AsyncApp:
    app = AsyncApp(client=AsyncWebClient(token, url), signing_secret=secret)

    @app.event("message")
    async def heard() -> None: ...

    @app.command("/desk")
    async def commanded(ack: Ack) -> None:
        await ack()

    @app.action(re.compile(".*"))
    async def pressed(ack: Ack) -> None:
        await ack()

    return app


def main(how: str, token: str, secret: str, url: str) -> None:
    """`how`: the port of HTTP mode, or the app token of Socket Mode."""
    if how.isdecimal():
        build(token, secret, url).server(port=int(how), host="127.0.0.1").start()
    else:
        asyncio.run(_over_a_socket(how, token, secret, url))


async def _over_a_socket(app_token: str, token: str, secret: str, url: str) -> None:
    await AsyncSocketModeHandler(build(token, secret, url), app_token).start_async()


if __name__ == "__main__":
    main(*sys.argv[1:])
