"""What the emulated Telegram does with updates: the queue, the long poll, the webhook, trouble."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import aiohttp
import pytest
from aiohttp import web

from tests.emulators.conftest import Client
from tests.emulators.telegram import Rates, Telegram

KINDS = ["message", "message_reaction", "chat_member", "callback_query", "my_chat_member"]


class Hands:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
def clock() -> Hands:
    return Hands()


@pytest.fixture
async def slow(clock: Hands) -> AsyncIterator[Client]:
    """A bot in a Telegram whose time stands still."""
    async with Telegram(clock=clock, time_scale=0.001) as opened, aiohttp.ClientSession() as session:
        yield Client(opened, session)


async def test_updates_are_told_again_until_an_offset_confirms_them(telegram: Telegram, bot: Client) -> None:
    ann = telegram.user(1001, "Ann")
    for words in ("one", "two", "three"):
        await ann.send(words)
    first = await bot.updates()
    assert [one["message"]["text"] for one in first] == ["one", "two", "three"]
    assert await bot.updates() == first
    assert await bot.updates(offset=first[1]["update_id"]) == first[1:]
    assert telegram.updates.offset == first[1]["update_id"]
    assert await bot.updates(offset=0) == first[1:]
    assert await bot.updates(offset=first[2]["update_id"] + 1) == []
    assert telegram.updates.pending == []


async def test_a_negative_offset_drops_all_but_the_last(telegram: Telegram, bot: Client) -> None:
    for words in ("one", "two", "three"):
        await telegram.user(1001).send(words)
    assert [one["message"]["text"] for one in await bot.updates(offset=-2)] == ["two", "three"]
    assert len(await bot.updates()) == 2
    assert len(await bot.updates(limit=1)) == 1


async def test_a_long_poll_answers_when_something_comes_and_is_empty_after_its_time(
    telegram: Telegram, bot: Client
) -> None:
    telegram.times.scale = 1
    waiting = asyncio.create_task(bot.updates(timeout=50))
    await telegram.until(lambda: telegram.polling.listening)
    await telegram.user(1001).send("wake up")
    assert [one["message"]["text"] for one in await waiting] == ["wake up"]
    telegram.times.scale = 0.01
    offset = telegram.updates.pending[0].id + 1
    assert await bot.updates(offset=offset, timeout=5) == []


async def test_the_older_of_two_listeners_gets_a_conflict(telegram: Telegram, bot: Client) -> None:
    telegram.times.scale = 1
    older = asyncio.create_task(bot.refusal("getUpdates", timeout=50))
    await telegram.until(lambda: telegram.polling.listening)
    newer = asyncio.create_task(bot.updates(timeout=50))
    assert (await older).startswith("409 Conflict: terminated by other getUpdates request")
    await telegram.user(1001).send("hello")
    assert len(await newer) == 1


async def test_what_nobody_asked_for_is_not_told(telegram: Telegram, bot: Client) -> None:
    ann, group = telegram.user(1001), telegram.group(-1001, members=[telegram.user(1001)])
    sent = await ann.send("hello")
    await ann.react(sent, "👀")
    await ann.leave(group)
    kinds = [next(iter(set(one) - {"update_id"})) for one in await bot.updates(allowed_updates=KINDS)]
    assert kinds == ["message", "message"]
    await ann.react(sent, "👌")
    await ann.join(group)
    kinds = [next(iter(set(one) - {"update_id"})) for one in await bot.updates(offset=-3)]
    assert kinds == ["message_reaction", "message", "chat_member"]
    await bot.updates(offset=telegram.updates.pending[-1].id + 1, allowed_updates=["callback_query"])
    await ann.send("nobody listens")
    assert await bot.updates() == []


async def test_messages_wait_a_day_and_presses_two_and_a_half_minutes(slow: Client, clock: Hands) -> None:
    ann = slow.telegram.user(1001, started=True)
    keyboard = {"inline_keyboard": [[{"text": "Take", "callback_data": "t"}]]}
    await slow.get("sendMessage", chat_id=1001, text="card", reply_markup=keyboard)
    press = await ann.press(ann.chat.last, "Take")
    await ann.send("hello")
    clock.at += timedelta(seconds=151)
    assert [set(one) for one in await slow.updates()] == [{"update_id", "message"}]
    words = await slow.refusal("answerCallbackQuery", callback_query_id=press.id)
    assert words.startswith("400 Bad Request: query is too old and response timeout expired")
    clock.at += timedelta(hours=24)
    assert await slow.updates() == []
    assert len(slow.telegram.updates.expired) == 2


async def test_after_a_quiet_week_numbers_begin_anywhere_and_an_old_offset_still_hears(
    slow: Client, clock: Hands
) -> None:
    ann = slow.telegram.user(1001)
    await ann.send("before")
    offset = (await slow.updates())[0]["update_id"] + 1
    assert await slow.updates(offset=offset) == []
    slow.telegram.updates.reset_ids(500)
    await ann.send("after")
    assert [one["update_id"] for one in await slow.updates(offset=offset)] == [500]
    assert await slow.updates(offset=501) == []
    clock.at += timedelta(days=8)
    await ann.send("much later")
    assert (await slow.updates())[0]["update_id"] not in (501, offset)


Handler = Callable[[web.Request], Awaitable[web.Response]]


@asynccontextmanager
async def hook(handler: Handler) -> AsyncIterator[str]:
    application = web.Application()
    application.router.add_post("/hook", handler)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}/hook"
    await runner.cleanup()


async def test_a_webhook_is_told_each_chat_in_order_with_the_secret_and_again_until_it_takes_it(
    telegram: Telegram, bot: Client
) -> None:
    heard: list[str] = []
    refused = 3

    async def handler(request: web.Request) -> web.Response:
        nonlocal refused
        assert request.headers["X-Telegram-Bot-Api-Secret-Token"] == "s3cret"
        words = (await request.json())["message"]["text"]
        if words == "one" and refused:
            refused -= 1
            return web.Response(status=500)
        heard.append(words)
        return web.Response()

    async with hook(handler) as url:
        ann, bob = telegram.user(1001), telegram.user(1002)
        await ann.send("one")
        await bot.get("setWebhook", url=url, secret_token="s3cret")
        assert (await bot.refusal("getUpdates")).startswith("409 Conflict: can't use getUpdates method while")
        await ann.send("two")
        await bob.send("meanwhile")
        await telegram.settled()
        assert heard == ["meanwhile", "one", "two"]
        gaps = [one.at for one in telegram.webhook.tries if one.lane == "chat:1001"]
        waits = [later - earlier for earlier, later in itertools.pairwise(gaps)]
        assert [wait >= least for wait, least in zip(waits, (0, 2, 4), strict=False)] == [True] * 3
        assert (await bot.get("getWebhookInfo"))["last_error_message"].startswith("Wrong response")
        await bot.get("deleteWebhook")
        await ann.send("three")
        assert [one["message"]["text"] for one in await bot.updates()] == ["three"]


async def test_a_webhook_may_ask_for_a_pause_and_answer_with_a_method(
    telegram: Telegram, bot: Client
) -> None:
    answers = [web.Response(status=503, headers={"Retry-After": "30"})]
    reply = {"method": "sendMessage", "chat_id": 1001, "text": "thanks"}

    async def handler(request: web.Request) -> web.Response:
        return answers.pop() if answers else web.json_response(reply)

    async with hook(handler) as url:
        await bot.get("setWebhook", url=url)
        ann = telegram.user(1001)
        await ann.send("hello")
        await ann.chat.sees("thanks")
        first, second = telegram.webhook.tries
        assert second.at - first.at >= 29


async def test_setting_a_webhook_ends_the_long_poll(telegram: Telegram, bot: Client) -> None:
    telegram.times.scale = 1
    waiting = asyncio.create_task(bot.refusal("getUpdates", timeout=50))
    await telegram.until(lambda: telegram.polling.listening)
    await bot.get("setWebhook", url="https://bot.example.com/hook")
    assert await waiting == "409 Conflict: terminated by setWebhook request"
    assert await bot.refusal("setWebhook", url="http://bot.example.com") == (
        "400 Bad Request: bad webhook: An HTTPS URL must be provided for webhook"
    )


async def test_trouble_on_demand(telegram: Telegram, bot: Client) -> None:
    ann = telegram.user(1001, started=True)
    telegram.fail("send*", "429", retry_after=7)
    told = await bot.call("sendMessage", chat_id=1001, text="a")
    assert told["parameters"] == {"retry_after": 7}
    assert "retry after 7" in told["description"]
    telegram.fail("sendMessage", "cut before")
    telegram.fail("sendMessage", "cut after")
    for _ in range(2):
        with pytest.raises(aiohttp.ClientError):
            await bot.get("sendMessage", chat_id=1001, text="b")
    assert ann.chat.texts == ["b"]
    telegram.fail("sendMessage", "truncated")
    with pytest.raises(ValueError, match=r"JSON|Expecting|Unterminated"):
        await bot.get("sendMessage", chat_id=1001, text="c")
    assert ann.chat.texts == ["b", "c"]
    telegram.fail("getMe", "502 html", skip=1)
    assert (await bot.get("getMe"))["is_bot"]
    async with bot.session.get(f"{telegram.url}/bot{telegram.token}/getMe") as response:
        assert (response.status, response.content_type) == (502, "text/html")
    telegram.fail("getMe", "hang before", seconds=20)
    with pytest.raises(aiohttp.ClientError):
        await bot.get("getMe")
    telegram.revoke_token()
    assert await bot.refusal("getMe") == "401 Unauthorized"
    telegram.restore_token()
    telegram.fail("getMe", "500", times=-1)
    assert await bot.refusal("getMe") == await bot.refusal("getMe") == "500 Internal Server Error"
    telegram.heal()
    assert await bot.get("getMe")
    assert [call.performed for call in telegram.called("sendMessage")] == [False, False, True, True]


async def test_the_api_goes_away_and_comes_back_at_the_same_place(telegram: Telegram, bot: Client) -> None:
    await telegram.go_down()
    with pytest.raises(aiohttp.ClientConnectionError):
        await bot.get("getMe")
    await telegram.come_back()
    assert await bot.get("getMe")


async def test_flood_control_has_the_real_shape(clock: Hands) -> None:
    async with (
        Telegram(clock=clock, rates=Rates(private_burst=1)) as telegram,
        aiohttp.ClientSession() as session,
    ):
        bot = Client(telegram, session)
        telegram.group(-1001)
        for number in range(40):
            telegram.user(number + 1, started=True)
        assert (await bot.call("sendMessage", chat_id=1, text="a"))["ok"]
        assert (await bot.call("sendMessage", chat_id=1, text="b"))["parameters"] == {"retry_after": 1}
        assert telegram.calls[-1].early is False
        assert not (await bot.call("sendMessage", chat_id=1, text="b"))["ok"]
        assert telegram.calls[-1].early is True
        clock.at += timedelta(seconds=1)
        assert (await bot.call("sendMessage", chat_id=1, text="b"))["ok"]
        sent = [(await bot.call("sendMessage", chat_id=n + 1, text="x"))["ok"] for n in range(1, 40)]
        assert sum(sent) == 29
        clock.at += timedelta(seconds=10)
        in_group = [await bot.call("sendMessage", chat_id=-1001, text="x") for _ in range(21)]
        assert [one["ok"] for one in in_group] == [True] * 20 + [False]
        assert in_group[-1]["parameters"]["retry_after"] == 3
        telegram.flood(telegram.users[2], 9)
        assert (await bot.call("sendMessage", chat_id=2, text="x"))["parameters"] == {"retry_after": 9}
        assert (await bot.call("getMe"))["ok"]


async def test_tokens_and_methods_nobody_knows(telegram: Telegram, bot: Client) -> None:
    async with bot.session.get(f"{telegram.url}/botnonsense/getMe") as response:
        assert response.status == 404
    async with bot.session.get(f"{telegram.url}/bot1:AAAAAAAAAAAAAAAAAAAA/getMe") as response:
        assert response.status == 401
    assert await bot.refusal("makeCoffee") == "404 Not Found: method not found"
    async with bot.session.get(f"{telegram.url}/bot{telegram.token}/GETME") as response:
        assert response.status == 200
