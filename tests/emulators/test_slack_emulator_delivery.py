"""How the emulated Slack tells an app: over its sockets and by signed requests, seen by the real clients."""

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.aiohttp import to_aiohttp_response, to_bolt_request
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.signature import SignatureVerifier

from tests.emulators.slack import Slack, User
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.clients import SILENT, App


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    """Slack a thousand times as fast, but for its patience."""
    async with Slack(time_scale=0.001, patience=2) as opened:
        yield opened


@pytest.fixture
async def app(slack: Slack) -> AsyncIterator[App]:
    async with App(slack) as connected:
        yield connected


@pytest.fixture
def ann(slack: Slack) -> User:
    return slack.user("Ann Lee", locale="ru-RU")


@pytest.fixture
def triage(slack: Slack, ann: User) -> Channel:
    return slack.channel("triage", members=[ann])


async def test_every_event_goes_to_one_of_the_sockets(slack: Slack, ann: User) -> None:
    async with App(slack, sockets=3) as app:
        for number in range(30):
            await ann.send(str(number))
        await slack.settled()
        assert sorted(int(one["text"]) for one in app.events) == list(range(30))
        assert all(5 <= len(one.sent) <= 15 for one in slack.sockets.open)


async def test_what_nobody_acknowledges_comes_again_with_a_reason_and_is_lost_after_three_retries(
    slack: Slack, app: App, ann: User
) -> None:
    slack.patience = 0.15
    app.answer = lambda request: None if request.retry_attempt == 2 else SILENT
    await ann.send("second retry is taken")
    await slack.settled()
    assert [(one.retry_attempt, one.retry_reason) for one in app.heard] == [
        (0, ""),
        (1, "timeout"),
        (2, "timeout"),
    ]
    assert len({one.envelope_id for one in app.heard}) == 3
    assert len({one.payload["event_id"] for one in app.heard}) == 1
    [delivery] = slack.deliveries.told
    gaps = [later.at - earlier.at for earlier, later in zip(delivery.tries, delivery.tries[1:], strict=False)]
    assert gaps[0] >= 1
    assert gaps[1] >= 60
    app.answer = lambda request: SILENT
    await ann.send("lost")
    await slack.settled()
    assert slack.deliveries.told[-1].state == "lost"
    assert len(slack.deliveries.told[-1].tries) == 4


async def test_the_same_event_can_come_twice(slack: Slack, app: App, ann: User) -> None:
    await ann.send("twice")
    await slack.settled()
    await slack.deliveries.again(slack.deliveries.told[0])
    assert [one.payload["event_id"] for one in app.heard] == [app.heard[0].payload["event_id"]] * 2


async def test_a_refresh_warns_and_the_client_moves_to_another_socket(
    slack: Slack, app: App, ann: User
) -> None:
    await slack.sockets.refresh()
    await slack.connected()
    await ann.send("still here")
    await slack.settled()
    assert len(slack.sockets.all) >= 2
    assert [one["text"] for one in app.events] == ["still here"]


async def test_a_cut_socket_is_replaced_and_the_event_comes_by_a_retry() -> None:
    async with Slack(time_scale=0.004, patience=2) as slack, App(slack) as app:
        slack.sockets.cut()
        await slack.user("Ann").send("into the gap")
        await slack.settled()
        assert [one["text"] for one in app.events] == ["into the gap"]
        assert slack.deliveries.told[0].tries[0].outcome.reason == "connection_failed"


async def test_a_deaf_socket_says_nothing_and_answers_nothing(slack: Slack, app: App, ann: User) -> None:
    slack.patience = 0.05
    slack.sockets.deafen()
    await ann.send("unheard")
    await slack.until(lambda: slack.deliveries.told[0].tries)
    assert app.heard == []
    assert slack.deliveries.told[0].reason == "timeout"
    assert await app.sockets[0].is_connected()
    slack.sockets.cut()


async def test_a_ticket_is_good_for_one_connection_and_ten_are_the_most(slack: Slack) -> None:
    async with aiohttp.ClientSession() as session:
        web_client = App(slack).web
        url = (await web_client.apps_connections_open(app_token=slack.app_token))["url"]
        first = await session.ws_connect(url)
        hello = await first.receive_json()
        assert (hello["type"], hello["num_connections"]) == ("hello", 1)
        assert hello["connection_info"] == {"app_id": slack.app_id}
        assert hello["debug_info"]["approximate_connection_time"] > 0
        with pytest.raises(aiohttp.WSServerHandshakeError):
            await session.ws_connect(url)
        more = [await session.ws_connect(slack.url + slack.sockets.ticket()) for _ in range(9)]
        eleventh = await session.ws_connect(slack.url + slack.sockets.ticket())
        assert (await eleventh.receive_json())["reason"] == "too_many_websockets"
        assert len(slack.sockets.open) == 1 + len(more)


async def test_a_disabled_link_disconnects_and_opens_no_more(slack: Slack) -> None:
    app = App(slack)
    async with aiohttp.ClientSession() as session:
        socket = await session.ws_connect(slack.url + slack.sockets.ticket())
        await socket.receive_json()
        _, goodbye = await asyncio.gather(slack.sockets.disable(), socket.receive_json())
        assert (goodbye["type"], goodbye["reason"]) == ("disconnect", "link_disabled")
        assert await app.refusal(app.web.apps_connections_open(app_token=slack.app_token))
        slack.sockets.enable()
        assert (await app.web.apps_connections_open(app_token=slack.app_token))["ok"]


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def endpoint(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/slack/events", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    await runner.cleanup()


async def test_bolt_takes_signed_events_commands_and_presses(
    slack: Slack, ann: User, triage: Channel
) -> None:
    bolt = AsyncApp(client=App(slack).web, signing_secret=slack.signing_secret, token=slack.bot_token)
    texts: list[str] = []

    @bolt.event("message")
    async def _(event: dict[str, Any]) -> None:
        texts.append(event["text"])

    @bolt.command("/desk")
    async def _(ack: Any, command: dict[str, Any]) -> None:
        await ack(f"you said {command['text']}")

    @bolt.action("take")
    async def _(ack: Any, respond: Any, body: dict[str, Any]) -> None:
        await ack()
        await respond(f"taken by {body['user']['name']}", replace_original=True)

    async def handler(request: web.Request) -> web.StreamResponse:
        told: web.Response = await to_aiohttp_response(
            await bolt.async_dispatch(await to_bolt_request(request))
        )
        return told

    async with endpoint(handler) as url:
        await slack.use_http(url)
        await ann.send("over HTTP")
        act = await (await ann.command("/desk take 42", channel=triage)).done()
        assert act.said is not None
        assert act.said.shown == "you said take 42"
        assert triage.private_to(ann) == [act.said]
        button = {"type": "button", "text": {"type": "plain_text", "text": "Take it"}, "action_id": "take"}
        blocks = [{"type": "actions", "elements": [button]}]
        await App(slack).web.chat_postMessage(channel=triage.id, text="card", blocks=blocks)
        await ann.press(triage.last, "Take it")
        await triage.sees("taken by ann.lee")
        await slack.settled()
    assert texts[0] == "over HTTP"


async def test_bolt_takes_events_over_its_socket(slack: Slack, ann: User) -> None:
    bolt = AsyncApp(client=App(slack).web, signing_secret=slack.signing_secret, token=slack.bot_token)
    texts: list[str] = []

    @bolt.event("message")
    async def _(event: dict[str, Any]) -> None:
        texts.append(event["text"])

    handler = AsyncSocketModeHandler(bolt, slack.app_token)
    await handler.connect_async()
    await slack.connected()
    await ann.send("over a socket")
    await slack.settled()
    await slack.until(lambda: texts)
    await handler.close_async()
    assert texts == ["over a socket"]


async def test_requests_are_signed_and_tried_again_with_the_reason(slack: Slack, ann: User) -> None:
    seen: list[tuple[str | None, str | None]] = []
    verifier = SignatureVerifier(slack.signing_secret)

    async def handler(request: web.Request) -> web.StreamResponse:
        body = await request.text()
        assert verifier.is_valid_request(body, dict(request.headers))
        told = json.loads(body)
        if told["type"] == "url_verification":
            return web.json_response({"challenge": told["challenge"]})
        seen.append((request.headers.get("X-Slack-Retry-Num"), request.headers.get("X-Slack-Retry-Reason")))
        if told["event"]["text"] == "never":
            return web.Response(status=500, headers={"X-Slack-No-Retry": "1"})
        return web.Response(status=200 if len(seen) > 2 else 503)

    async with endpoint(handler) as url:
        await slack.use_http(url)
        await ann.send("third time lucky")
        await slack.settled()
        assert seen == [(None, None), ("1", "http_error"), ("2", "http_error")]
        await ann.send("never")
        await slack.settled()
        assert len(seen) == 4
        assert (await slack.hooks.replay(-2))[0] == 200
        assert len(seen) == 5
        status, _, _ = await slack.hooks.post(url, b"{}", "application/json", {"X-Slack-Signature": "v0=no"})
        assert status == 500
        assert slack.deliveries.told[-1].state == "lost"
    slack.patience = 0.05
    await ann.send("nobody there")
    await slack.until(lambda: slack.deliveries.told[-1].tries)
    assert slack.deliveries.told[-1].reason == "connection_failed"
