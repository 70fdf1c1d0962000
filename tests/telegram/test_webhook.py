"""The webhook in our own web server: who knows the secret is heard, and 200 means that it is on disk."""

import asyncio
import contextlib
import json
import resource
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from sqlalchemy import select

from bot import main
from bot.adapters.telegram import hearing
from bot.web import app
from core.database.transaction import Transaction
from core.inbox import store as inbox
from tests.process.desk import free_port
from tests.telegram.rig import IVAN, Rig, rig

SECRET = "a-secret-of-thirty-two-characters"
HEADER = "X-Telegram-Bot-Api-Secret-Token"
FLOW = ("The office", "Only me", "Skip", "Nobody can work", "Send")


@contextlib.asynccontextmanager
async def hooked(tmp_path: Path) -> AsyncIterator[tuple[Rig, str]]:
    """A desk with its web server, and the address of its webhook."""
    port = free_port()
    own = f"http://127.0.0.1:{port}"
    more = f'mode = "webhook"\nwebhook_secret = "{SECRET}"\n[web]\nport = {port}\npublic_url = "{own}"'
    async with rig(tmp_path, more=more) as t:
        site = app.build(
            main.web_settings(t.settings),
            database=t.database,
            blobs=t.house.blobs,
            rooms_of=main.rooms_of(t.settings),
            health_of=t.house.health,
            registry=t.house.metrics.registry,
        )
        site.add_routes(t.house.adapters["telegram"].routes())
        serving = await app.serve(site)
        try:
            await t.telegram.until(lambda: t.house.health()["telegram"].ok)
            yield t, f"{own}/telegram/webhook"
        finally:
            await t.telegram.webhook.close()
            await serving.stop()


def update(number: int, text: str = "hello", **more: Any) -> dict[str, Any]:
    person = {"id": IVAN, "is_bot": False, "first_name": "Ivan"}
    chat = {"id": IVAN, "type": "private", "first_name": "Ivan"}
    message = {"message_id": number, "date": 0, "chat": chat, "from": person, "text": text, **more}
    return {"update_id": number, "message": message}


async def kept(t: Rig) -> list[dict[str, Any]]:
    async def work(tx: Transaction) -> list[dict[str, Any]]:
        return [row.body for row in await tx.all(select(inbox.inbox.c.body).order_by(inbox.inbox.c.id))]

    return await t.database.read(work)


async def post(url: str, body: Any, secret: str | None = SECRET) -> aiohttp.ClientResponse:
    headers = {} if secret is None else {HEADER: secret}
    async with aiohttp.ClientSession() as http, http.post(url, json=body, headers=headers) as answer:
        await answer.read()
        return answer


async def answer_before_the_body(url: str, *headers: bytes) -> bytes:
    """The status line of a request whose body never comes."""
    port = int(url.split(":")[2].split("/")[0])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    lines = [b"POST /telegram/webhook HTTP/1.1", b"Host: 127.0.0.1", *headers, b"", b""]
    writer.write(b"\r\n".join(lines))
    async with asyncio.timeout(5):
        line = await reader.readline()
    writer.close()
    with contextlib.suppress(ConnectionError):
        await writer.wait_closed()
    return line.split(b" ")[1]


# ---- the door


async def test_who_does_not_know_the_secret_is_refused_before_the_body_is_read(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (t, url):
        length = b"Content-Length: 900000"
        assert await answer_before_the_body(url, length) == b"401"
        for wrong in (b"", b"x", SECRET[:-1].encode(), SECRET.encode() + b"x", "с".encode(), b"\xff\xfe"):
            assert await answer_before_the_body(url, length, HEADER.encode() + b": " + wrong) == b"401"
        assert (await post(url, update(1), secret=None)).status == 401
        assert (await post(url, update(1), secret=SECRET.upper())).status == 401
        assert await kept(t) == []


async def test_a_body_that_is_too_large_is_refused_whether_it_says_so_or_not(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (t, url):
        assert (
            await answer_before_the_body(url, b"Content-Length: 1000001", f"{HEADER}: {SECRET}".encode())
            == b"413"
        )

        async def endless() -> AsyncIterator[bytes]:
            for _ in range(40):
                yield b"x" * 50_000

        async with aiohttp.ClientSession() as http:
            with contextlib.suppress(aiohttp.ClientError):
                async with http.post(url, data=endless(), headers={HEADER: SECRET}) as answer:
                    assert answer.status == 413
        assert await kept(t) == []


async def test_an_update_that_comes_in_pieces_is_kept_whole(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (t, url):
        body = json.dumps(update(7, "x" * 900_000)).encode()

        async def pieces() -> AsyncIterator[bytes]:
            for at in range(0, len(body), 100_000):
                yield body[at : at + 100_000]

        async with (
            aiohttp.ClientSession() as http,
            http.post(url, data=pieces(), headers={HEADER: SECRET}) as answer,
        ):
            assert answer.status == 200
        assert await kept(t) == [json.loads(body)]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b"5", b"null", b'{"message": {}}', b"\xff", b"[" * 200_000]
)
async def test_what_is_no_update_is_refused_and_nothing_breaks(tmp_path: Path, body: bytes) -> None:
    async with hooked(tmp_path) as (t, url):
        async with (
            aiohttp.ClientSession() as http,
            http.post(url, data=body, headers={HEADER: SECRET}) as answer,
        ):
            assert answer.status == 400
        assert (await post(url, update(1))).status == 200
        assert len(await kept(t)) == 1


async def test_a_malformed_update_is_kept_and_not_brought_for_ever(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (t, url):
        assert (await post(url, {"update_id": 5, "message": {"from": {"id": 1}, "text": "x"}})).status == 200
        assert len(await kept(t)) == 1


# ---- 200 means kept


async def test_it_is_on_disk_before_it_is_acknowledged(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (t, url):
        go_on = threading.Event()

        async def occupied(tx: Transaction) -> None:
            go_on.wait()

        occupying = asyncio.create_task(t.database.write(occupied))
        posting = asyncio.create_task(post(url, update(1)))
        try:
            assert (await post(url, update(2), secret=None)).status == 401, "the server is at work"
            assert not posting.done()
        finally:
            go_on.set()
        await occupying
        assert (await posting).status == 200
        assert [each["update_id"] for each in await kept(t)] == [1]


async def test_the_same_update_brought_twice_counts_once(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (t, url):
        for _ in range(3):
            assert (await post(url, update(1))).status == 200
        await asyncio.gather(*(post(url, update(2)) for _ in range(5)))
        assert [each["update_id"] for each in await kept(t)] == [1, 2]


@contextlib.contextmanager
def no_disk() -> Iterator[None]:
    """Nothing can be written to any file."""
    usual = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, usual[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, usual)


async def test_while_the_database_is_away_it_asks_for_patience_and_then_takes_it(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (t, url):
        t.telegram.times.scale = 0.02
        with no_disk():
            answer = await post(url, update(1))
            assert answer.status == 503
            assert answer.headers["Retry-After"] == "5"
            await t.ivan.send("meanwhile")
            await t.telegram.until(lambda: len(t.telegram.webhook.tries) >= 2)
            assert {each.status for each in t.telegram.webhook.tries} == {503}
            assert await kept(t) == []
        await t.telegram.settled()
        assert [each["message"]["text"] for each in await kept(t)] == ["meanwhile"]
        tries = [each.at for each in t.telegram.webhook.tries]
        assert tries[1] - tries[0] >= 5, "it came again when it was asked to"


async def test_a_whole_report_comes_in_through_the_webhook(tmp_path: Path) -> None:
    async with hooked(tmp_path) as (t, _):
        await t.say(t.ivan, "VPN drops every ten minutes")
        for label in FLOW:
            await t.press(t.ivan, label)
        assert (await t.ticket(1)).title
        assert {each.status for each in t.telegram.webhook.tries} == {200}
        assert not t.telegram.called("getUpdates")
        (asked,) = t.telegram.called("setWebhook")
        assert asked.values["secret_token"] == SECRET
        assert "message_reaction" in asked.values["allowed_updates"]


# ---- whether it hears


async def test_a_webhook_that_somebody_took_away_is_set_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "WATCH", 0.05)
    async with hooked(tmp_path) as (t, url):
        t.telegram.webhook.stop()
        await t.telegram.until(lambda: t.telegram.webhook.url == url)
        await t.say(t.ivan, "VPN drops every ten minutes")
        assert len(await kept(t)) == 1


async def test_a_webhook_that_telegram_cannot_reach_is_told_until_it_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "WATCH", 0.2)
    monkeypatch.setattr(hearing, "HICCUP", 0.01)
    async with hooked(tmp_path) as (t, _):
        t.telegram.times.scale = 0.5
        with no_disk():
            await t.ivan.send("meanwhile")
            await t.telegram.until(lambda: "cannot be reached" in t.house.health()["telegram"].detail)
            await t.telegram.until(lambda: not t.house.health()["telegram"].ok)
        await t.telegram.settled()
        await t.telegram.until(lambda: t.house.health()["telegram"].ok)


async def test_a_server_that_does_not_answer_makes_the_webhook_deaf_and_well_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "WATCH", 0.05)
    monkeypatch.setattr(hearing, "HICCUP", 0.2)
    async with hooked(tmp_path) as (t, _):
        t.telegram.fail("getWebhookInfo", "401", -1)
        await t.telegram.until(lambda: "telegram deaf" in t.house.health()["telegram"].detail)
        t.telegram.heal()
        await t.telegram.until(lambda: t.house.health()["telegram"].ok)
