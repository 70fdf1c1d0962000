"""Whatever is sent, it is kept as text or refused in a sentence; never lost, never an exception."""

import asyncio
import gzip
import io
import json
from typing import Any

import pytest

from bot.message import Plain, say
from tests.web.rig import Browser, Rig

WRONG: dict[str, Any] = {
    "nothing": None,
    "a list": [],
    "a number": 1,
    "no fields": {},
    "room is a list": {"room": ["u-ivan"], "text": "x"},
    "room is huge": {"room": "u" * 301, "text": "x"},
    "text is a number": {"room": "u-ivan", "text": 5},
    "text is an object": {"room": "u-ivan", "text": {"$ne": ""}},
    "thread is a word": {"room": "u-ivan", "text": "x", "thread": "1"},
    "thread is true": {"room": "u-ivan", "text": "x", "thread": True},
    "thread is half": {"room": "u-ivan", "text": "x", "thread": 1.5},
    "thread is endless": {"room": "u-ivan", "text": "x", "thread": 10**300},
    "thread is negative": {"room": "u-ivan", "text": "x", "thread": -1},
    "reply is a list": {"room": "u-ivan", "text": "x", "reply_to": [1]},
    "files is a word": {"room": "u-ivan", "text": "x", "files": "abc"},
    "files are numbers": {"room": "u-ivan", "text": "x", "files": [1]},
    "too many files": {"room": "u-ivan", "text": "x", "files": [str(n) for n in range(21)]},
    "an unknown file": {"room": "u-ivan", "text": "x", "files": ["0" * 32]},
    "a path as file": {"room": "u-ivan", "text": "x", "files": ["../../etc/passwd"]},
    "key is short": {"key": "a", "room": "u-ivan", "text": "x"},
    "key is long": {"key": "a" * 65, "room": "u-ivan", "text": "x"},
    "key is a number": {"key": 12345678, "room": "u-ivan", "text": "x"},
    "key has odd signs": {"key": "12345678\n", "room": "u-ivan", "text": "x"},
    "code is empty": {"room": "u-ivan", "message": 1, "code": ""},
    "code is long": {"room": "u-ivan", "message": 1, "code": "c" * 61},
    "code is not plain": {"room": "u-ivan", "message": 1, "code": "код"},
    "message is a word": {"room": "u-ivan", "message": "1", "code": "c", "text": "x"},
    "message is huge": {"room": "u-ivan", "message": 2**64, "code": "c", "text": "x"},
    "values is a list": {"room": "u-ivan", "code": "c", "values": [["a", "b"]]},
    "values are objects": {"room": "u-ivan", "code": "c", "values": {"a": {"b": 1}}},
    "too many values": {"room": "u-ivan", "code": "c", "values": {str(n): "" for n in range(10_000)}},
    "language is a list": {"language": ["en"]},
    "language is unknown": {"language": "../../en"},
}
BODIES: dict[str, bytes] = {
    "nothing": b"",
    "not JSON": b"{",
    "not UTF-8": b'{"text": "\xff\xfe"}',
    "UTF-16": '{"text": "x"}'.encode("utf-16"),
    "a thousand deep": b'{"text":' + b"[" * 1_000 + b"]" * 1_000 + b"}",
    "a hundred thousand deep": b"[" * 100_000,
    "objects deep": b'{"a":' * 100_000,
    "an endless number": b'{"key":' + b"9" * 100_000 + b"}",
    "a number past all": b'{"key":"12345678","room":"u-ivan","text":"x","thread":1e999}',
    "no number": b'{"key":"12345678","room":"u-ivan","text":"x","thread":NaN}',
    "NUL": b"\0" * 1_000,
}


async def raw(browser: Browser, body: bytes, name: str = "say", **headers: str) -> tuple[int, dict[str, Any]]:
    asked = browser.headers() | {"Content-Type": "application/json"} | headers
    async with browser.http.post(browser.path(name), data=io.BytesIO(body), headers=asked) as answer:
        return answer.status, await answer.json()


async def test_wrong_fields_are_refused_in_a_sentence(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    await rig.post("u-ivan", say(Plain("hello")), nonce="1")
    for name in ("say", "press", "submit", "edit", "language"):
        for case, body in WRONG.items():
            if body is None or not isinstance(body, dict) or name in _asked(body):
                status, answer = await ivan.post(name, body)
                assert 400 <= status < 500, (name, case)
                assert len(answer["error"]) > 20, (name, case)
                assert "web." not in answer["error"], (name, case)
    assert await rig.inbox() == []


def _asked(body: dict[str, Any]) -> set[str]:
    """The requests for which a body is wrong."""
    if "language" in body:
        return {"language"}
    if "values" in body:
        return {"submit"}
    if "code" in body:
        return {"press"}
    return {"say"} if body else {"say", "press", "submit", "edit", "language"}


@pytest.mark.parametrize("case", BODIES)
async def test_bodies_that_are_no_json_object_are_refused_at_once(rig: Rig, case: str) -> None:
    ivan = await rig.browser("ivan")
    for name in ("say", "press", "submit", "edit", "language"):
        async with asyncio.timeout(1):
            status, answer = await raw(ivan, BODIES[case], name)
        assert status == 400
        assert "try again" in answer["error"]
    stranger = await rig.stranger()
    async with stranger.http.post(
        f"{rig.base}/sign-in", data=BODIES[case], headers={"Content-Type": "application/json"}
    ) as signed:
        assert signed.status == 400
    assert await rig.inbox() == []


async def test_a_text_of_the_greatest_length_is_kept_and_a_longer_one_names_the_limit(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    assert await ivan.say("\U0001f4a5" * 100_000) == (200, {})
    status, answer = await ivan.say("x" * 100_001)
    assert (status, "100000" in answer["error"]) == (413, True)
    status, answer = await ivan.say("x" * 1_000_000)
    assert (status, "100000" in answer["error"]) == (413, True)
    status, answer = await ivan.post(
        "submit", {"room": "u-ivan", "code": "c", "values": {"a": "x" * 100_001}}
    )
    assert (status, "100000" in answer["error"]) == (413, True)
    assert [len(event["text"]) for event in await rig.inbox()] == [100_000]


async def test_more_than_the_cap_is_refused_with_the_cap_named(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    for body in (b'{"text":"' + b"x" * 2_000_000 + b'"}', b" " * 10_000_000):
        status, answer = await raw(ivan, body)
        assert (status, "2 MB" in answer["error"]) == (413, True)
    stranger = await rig.stranger()
    huge = io.BytesIO(b'{"token":"' + b"x" * 10_000_000 + b'"}')
    headers = {"Content-Type": "application/json"}
    async with stranger.http.post(f"{rig.base}/sign-in", data=huge, headers=headers) as signed:
        assert signed.status == 413


async def test_a_packed_body_is_not_unpacked(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    bomb = gzip.compress(b" " * 50_000_000)
    for body in (bomb, b"not gzip at all"):
        status, answer = await raw(ivan, body, **{"Content-Encoding": "gzip"})
        assert (status, bool(answer["error"])) == (400, True)


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (r"\ud800", "\ufffd"),
        (r"a\udfffb", "a\ufffdb"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"a\u0000b", "a\u2400b"),
        (r"\u001b[31mred", "\u241b[31mred"),
        (r"one\r\ntwo\rthree", "one\ntwo\nthree"),
        (r"\u202etxt.exe", "\u202etxt.exe"),
        (
            "<b>&amp;</b> *x* `y` <!channel> {0.__class__} %s ${}",
            "<b>&amp;</b> *x* `y` <!channel> {0.__class__} %s ${}",
        ),
        (r"'; DROP TABLE web_messages; --", "'; DROP TABLE web_messages; --"),
    ],
)
async def test_odd_text_is_kept_and_shown_as_text(rig: Rig, sent: str, shown: str) -> None:
    ivan = await rig.browser("ivan")
    body = b'{"key":"12345678","room":"u-ivan","text":"' + sent.encode() + b'"}'
    assert await raw(ivan, body) == (200, {})
    [message] = await ivan.seen()
    assert message["blocks"][0]["text"] == shown
    [event] = await rig.inbox()
    assert event["text"] == shown
    json.dumps(event, ensure_ascii=False).encode()


async def test_a_lone_surrogate_anywhere_else_is_refused_or_made_whole(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    await rig.post("u-ivan", say(Plain("hello")), nonce="1")
    fields = ("key", "room", "text", "code", "language", "token")
    for name in ("say", "press", "submit", "edit", "language"):
        for field in fields:
            body = {
                "key": "12345678",
                "room": "u-ivan",
                "message": 1,
                "code": "c",
                "values": {"\ud800": "\ud800"},
            }
            status, _ = await raw(
                ivan, json.dumps({**body, "text": "x", field: "\ud800\ud800\ud800"}).encode(), name
            )
            assert status < 500, (name, field)
    stranger = await rig.stranger()
    async with stranger.http.post(f"{rig.base}/sign-in", json={"token": "\ud800"}) as answer:
        assert answer.status == 403


async def test_fields_nobody_asked_for_change_nothing(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    extra = {
        "author": "web:anna",
        "identity": "web:anna",
        "at": "1970",
        "role": "admin",
        "only_for": "web:anna",
    }
    assert await ivan.say("hello", **extra) == (200, {})
    [event] = await rig.inbox()
    assert (event["identity"], event["name"]) == ("web:ivan", "Ivan")
    assert event["at"].startswith("2026")


@pytest.mark.parametrize(
    "path",
    [
        "/s/%00/",
        "/s/..%2f..%2fetc/",
        "/s/%0d%0aSet-Cookie:x/",
        "/s/" + "a" * 3_000 + "/",
        "/s/иван/",
        "/s/anna/files/..%2f..%2fdesk.db",
        "/s/anna/files/%00",
        "/static/..%2fapp.py",
        "/static/%2e%2e/app.py",
        "//evil.example/s/anna",
        "/s//evil.example",
    ],
)
async def test_paths_lead_nowhere(rig: Rig, path: str) -> None:
    anna = await rig.browser("anna")
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.serving.port)
    [cookie] = [f"{each.key}={each.value}" for each in anna.http.cookie_jar]
    writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n\r\n".encode())
    async with asyncio.timeout(5):
        answer = (await reader.readuntil(b"\r\n\r\n")).decode()
    writer.close()
    assert answer.split()[1] in {"400", "404"}, answer
    assert "Location" not in answer
