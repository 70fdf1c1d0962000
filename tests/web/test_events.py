"""The live stream: everything is shown once, in its newest state, to those who may see it."""

import asyncio
import json

import aiohttp
import pytest

from bot.adapters.port import Posted
from bot.adapters.webchat import store
from bot.message import Choice, Message, Paragraph, Plain, say
from bot.web.hub import FIRST, KEPT
from bot.web.settings import WebSettings
from core.database.transaction import Transaction
from core.kernel.errors import TemporaryError
from core.kernel.ids import Address, Identity
from tests.web.conftest import Rigs
from tests.web.rig import READER, Rig

SUPPORT = Address("web", "support")
CARD = Message((Paragraph(Plain("card")),), ((Choice("take:1", Plain("Take it")),),), tone="card", ticket=1)


def text(message: dict) -> str:  # type: ignore[type-arg]
    return str(message["blocks"][0]["text"]) if message["blocks"] else ""


async def test_an_open_page_sees_what_is_said_changed_and_taken_back(rig: Rig) -> None:
    anna = await rig.browser("anna")
    async with anna.stream() as stream:
        assert await stream.until_ready() == []
        card = await rig.post("support", CARD, nonce="1")
        first = await stream.message()
        assert (first["id"], first["tone"], first["ticket"], first["edited"]) == (card, "card", 1, False)
        assert first["rows"][0][0]["code"] == "take:1"
        await rig.adapter.edit(SUPPORT, Posted(str(card)), say(Plain("taken")), READER)
        changed = await stream.message()
        assert (changed["id"], text(changed), changed["edited"]) == (card, "taken", True)
        assert changed["seq"] > first["seq"]
        await rig.adapter.delete(SUPPORT, Posted(str(card)))
        gone = await stream.message()
        assert (gone["id"], gone["deleted"], gone["blocks"], gone["rows"]) == (card, True, [], [])


async def test_a_page_that_comes_back_gets_what_it_missed_and_only_that(rig: Rig) -> None:
    anna = await rig.browser("anna")
    card = await rig.post("support", CARD, nonce="1")
    await rig.post("support", say(Plain("old")), nonce="2")
    last = (await anna.seen())[-1]["seq"]
    await rig.post("support", say(Plain("new")), nonce="3")
    await rig.adapter.edit(SUPPORT, Posted(str(card)), say(Plain("once")), READER)
    await rig.adapter.edit(SUPPORT, Posted(str(card)), say(Plain("twice")), READER)
    missed = await anna.seen(last)
    assert [text(message) for message in missed] == ["new", "twice"]
    assert await anna.seen(missed[-1]["seq"]) == []


async def test_a_page_is_let_go_while_the_database_is_away_and_comes_again(
    rig: Rig, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(_: object) -> None:
        raise TemporaryError("nobody there")

    anna = await rig.browser("anna")
    async with anna.stream() as stream:
        await stream.until_ready()
        with monkeypatch.context() as patched:
            patched.setattr(rig.database, "read", away)
            rig.database.bells.ring_all()
            await stream.end()
    assert [record for record in caplog.records if record.levelname == "ERROR"] == []
    await rig.post("support", say(Plain("there again")), nonce="1")
    assert [text(message) for message in await anna.seen()] == ["there again"]


async def test_a_page_far_behind_catches_up_from_the_tables(rig: Rig) -> None:
    anna = await rig.browser("anna")
    await rig.post("support", say(Plain("first")), nonce="first")
    last = (await anna.seen())[-1]["seq"]
    for number in range(KEPT + 50):
        await rig.post("support", say(Plain(str(number))), nonce=str(number))
    await rig.post("u-maria", say(Plain("for Maria")), nonce="maria")
    missed = await anna.seen(last)
    assert [text(message) for message in missed] == [str(number) for number in range(KEPT + 50)]
    assert [message["seq"] for message in missed] == sorted({message["seq"] for message in missed})


async def test_a_number_that_never_was_begins_anew(rig: Rig) -> None:
    anna = await rig.browser("anna")
    await rig.post("support", CARD, nonce="1")
    for last in ("0", "99", "-1", "abc", "9" * 30, "١"):
        headers = {"Last-Event-ID": last}
        async with anna.http.get(anna.path("events"), headers=headers) as answer:
            body = await answer.content.readuntil(b"event: ready")
            assert b"event: message" in body, last


async def test_a_new_page_sees_the_newest_messages_and_every_card(rig: Rig) -> None:
    anna = await rig.browser("anna")
    card = await rig.post("support", CARD, nonce="card")

    async def work(tx: Transaction) -> None:
        for number in range(FIRST + 20):
            await store.post(
                tx,
                room="support",
                thread=None,
                author=None,
                only_for=None,
                nonce=f"n{number}",
                message=say(Plain(str(number))),
            )

    await rig.database.write(work)
    shown = await anna.seen()
    assert shown[0]["id"] == card
    assert [text(message) for message in shown[1:]] == [str(number) for number in range(20, FIRST + 20)]


async def test_what_is_for_one_person_reaches_no_other_stream(rig: Rig) -> None:
    anna, boris = await rig.browser("anna"), await rig.browser("boris")
    async with anna.stream() as annas, boris.stream() as boriss:
        await annas.until_ready()
        await boriss.until_ready()
        secret = await rig.post("support", say(Plain("psst")), only="boris", nonce="1")
        await rig.adapter.edit(SUPPORT, Posted(str(secret)), say(Plain("psst!")), READER)
        await rig.post("u-boris", say(Plain("direct")), nonce="2")
        await rig.post("support", say(Plain("all")), nonce="3")
        assert text(await annas.message()) == "all"
        # Changes that happened before the stream woke are shown in their newest state only.
        assert {text(await boriss.message()), text(await boriss.message())} <= {"psst", "psst!", "direct"}


async def test_a_stream_ends_when_its_person_loses_the_room(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(ping=0.05)) as rig:
        anna = await rig.browser("anna")
        async with anna.stream() as stream:
            await stream.until_ready()
            assert (await stream.next())[0] == "ping"
            await rig.appoint()
            await stream.end()


async def test_a_page_hears_for_which_rooms_and_language_it_must_be_drawn(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(ping=0.05)) as rig:
        anna = await rig.browser("anna")
        async with anna.stream() as stream:
            name, drawn_for = await stream.next()
            assert (name, drawn_for["language"]) == ("ready", "en")
            assert "u-anna" in drawn_for["rooms"]
            assert "support" in drawn_for["rooms"]
            assert await anna.post("language", {"language": "ru"}) == (200, {})
            while (event := await stream.next())[0] == "ping":
                pass
            assert event == ("ready", {**drawn_for, "language": "ru"})
            await stream.end()


async def test_a_stream_ends_when_its_person_signs_out(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(ping=0.05)) as rig:
        anna = await rig.browser("anna")
        async with anna.stream() as stream:
            await stream.until_ready()
            assert await anna.post("sign-out", {}) == (200, {})
            await stream.end()
        async with anna.http.get(anna.path("events")) as answer:
            assert answer.status == 401


async def test_a_reader_that_does_not_read_is_cut_off_and_others_go_on(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(patience=0.2)) as rig:
        anna = await rig.browser("anna")
        [cookie] = [f"{each.key}={each.value}" for each in anna.http.cookie_jar]
        reader, writer = await asyncio.open_connection("127.0.0.1", rig.serving.port, limit=1024)
        request = f"GET /s/anna/events HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n"
        writer.write(request.encode())
        await reader.readuntil(b"event: ready")
        async with anna.stream() as stream:
            await stream.until_ready()
            for number in range(2_000):
                await rig.post("support", say(Plain("x" * 99_000)), nonce=str(number))
                assert len(text(await stream.message())) == 99_000
                if rig.hub.streams == 1:
                    break
            else:
                raise AssertionError("nobody was cut off")
        writer.transport.abort()


async def test_the_server_stops_within_a_second_with_streams_open(rig: Rig) -> None:
    anna = await rig.browser("anna")
    async with anna.stream() as one, anna.stream() as two:
        await one.until_ready()
        await two.until_ready()
        async with asyncio.timeout(1):
            await rig.serving.stop()
        await one.end()
        await two.end()
    assert rig.hub.streams == 0


async def test_a_message_of_every_kind_of_block_is_whole_json(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    nasty = "</script>\u2028<b>&amp;\r\n\n\ndata: x\n\n"
    await rig.post("u-ivan", say(Plain(nasty)), nonce="1")
    [shown] = await ivan.seen()
    assert text(shown) == nasty
    assert json.dumps(shown)
    assert shown["author"]["desk"]


async def test_posting_the_same_nonce_again_is_the_same_message(rig: Rig) -> None:
    first = await rig.post("u-ivan", say(Plain("one")), nonce="1")
    assert await rig.post("u-ivan", say(Plain("one")), nonce="1") == first
    same = await rig.adapter.edit(Address("web", "u-ivan"), Posted(str(first)), say(Plain("one")), READER)
    assert same == Posted(str(first))
    ivan = await rig.browser("ivan")
    [shown] = await ivan.seen()
    assert not shown["edited"]
    assert rig.adapter.direct(Identity("web", "ivan")) == Address("web", "u-ivan")
    assert rig.adapter.direct(Identity("telegram", "1")) is None


async def test_a_head_request_opens_no_stream(rig: Rig) -> None:
    anna = await rig.browser("anna")
    async with anna.http.head(anna.path("events")) as answer:
        assert answer.status == 405
    assert isinstance(anna.http, aiohttp.ClientSession)
