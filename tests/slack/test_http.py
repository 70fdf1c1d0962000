"""HTTP mode: nobody but Slack passes, everything signed is kept, and nothing of it is in the logs."""

import asyncio
import json
import logging
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from bot.adapters import body
from bot.adapters.slack import signing, taking
from tests.slack.ear import Ear, ear
from tests.slack.lore import SAMPLES, names, sample

pytestmark = pytest.mark.usefixtures("hurried")
JSON, FORM = "application/json", "application/x-www-form-urlencoded"
BODY = json.dumps({"type": "event_callback", "event_id": "Ev1", "event": {"type": "Xyzzy"}}).encode()


async def _post(one: Ear, body: bytes, kind: str = JSON, **headers: str) -> tuple[int, str]:
    """A request, signed unless the headers say otherwise."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    status, _, answer = await one.slack.hooks.post(one.url, body, kind, more)
    return status, answer.decode()


def _signed(one: Ear, body: bytes, at: str) -> dict[str, str]:
    return {"X_Slack_Request_Timestamp": at, "X_Slack_Signature": one.slack.hooks.signature(body, at)}


# ---- who may pass


async def test_what_is_not_signed_as_it_should_be_is_refused_and_not_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with ear(tmp_path, mode="http") as one:
        now = int(time.time())
        right = one.slack.hooks.signature(BODY, str(now))
        wrong: list[dict[str, str]] = [
            {"X_Slack_Signature": "v0=" + "0" * 64},
            {"X_Slack_Signature": right.removeprefix("v0=")},
            {"X_Slack_Signature": right.upper()},
            {"X_Slack_Signature": ""},
            {"X_Slack_Signature": "v0=é"},
            {"X_Slack_Request_Timestamp": ""},
            {"X_Slack_Request_Timestamp": "now"},
            {"X_Slack_Request_Timestamp": "-1"},
            {"X_Slack_Request_Timestamp": f"{now}.5"},
            {"X_Slack_Request_Timestamp": "١٧٧٢٤٤٢٠٠٠"},
            {"X_Slack_Request_Timestamp": "9" * 400},
            _signed(one, BODY, str(now - 301)),
            _signed(one, BODY, str(now + 301)),
            _signed(one, b"something else", str(now)),
        ]
        for headers in wrong:
            assert await _post(one, BODY, **headers) == (401, ""), headers
        assert one.door.told == 0
        assert await _post(one, BODY) == (200, "")
        assert one.door.told == 1
    assert "Xyzzy" not in caplog.text
    assert one.slack.signing_secret not in caplog.text


async def test_without_headers_nobody_passes(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http") as one:
        async with one.client.session.post(one.url, data=BODY) as answer:
            assert (answer.status, await answer.text()) == (401, "")
        async with one.client.session.get(one.url) as answer:
            assert answer.status == 405


def test_without_a_secret_nothing_is_verified() -> None:
    now = time.time()
    assert not signing.verified("", str(int(now)), "v0=", b"", now)


@pytest.mark.parametrize("body", [b"\xff\xfe{}", b"payload=\xc3\x28"])
async def test_what_is_no_text_is_refused(tmp_path: Path, body: bytes) -> None:
    async with ear(tmp_path, mode="http") as one:
        assert await _post(one, body) == (401, "")


@pytest.mark.parametrize(
    "body",
    [b"", b"{}", b"[]", b'"words"', b"{", b"null", b"payload=", b"payload=%5B%5D", b"{" * 100_000, b"a=1"],
)
async def test_what_is_nothing_of_slacks_is_refused(tmp_path: Path, body: bytes) -> None:
    async with ear(tmp_path, mode="http") as one:
        assert await _post(one, body) == (400, "")


async def test_too_much_is_refused_before_it_is_read(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http") as one:
        assert await _post(one, b"{" + b" " * body.LIMIT) == (413, "")

        async def unannounced() -> Any:
            for _ in range(20):
                yield b" " * 65_536

        async with one.client.session.post(one.url, data=unannounced()) as answer:
            assert answer.status == 413


async def test_the_address_can_be_verified_whatever_else_is_wrong(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http", begin=False) as one:
        one.slack.revoked = True
        await one.serve()
        assert await _post(one, BODY) == (503, "")


async def test_the_check_of_our_certificate_is_answered_and_not_kept(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http") as one:
        assert await _post(one, b"ssl_check=1&token=x", FORM) == (200, "")
        assert one.door.told == 0


# ---- what passes


async def test_whatever_slack_brings_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(taking, "ANSWERED_IN", 0.01)
    async with ear(tmp_path, mode="http") as one:
        for name in names():
            payload = sample(name)
            if "command" in payload:
                answer = await _post(one, urlencode(payload).encode(), FORM)
            elif "event" in payload or payload["type"] == "app_rate_limited":
                answer = await _post(one, json.dumps(payload).encode())
            else:
                answer = await _post(one, urlencode({"payload": json.dumps(payload)}).encode(), FORM)
            assert answer == (200, ""), name


async def test_whatever_is_signed_is_kept_however_odd_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(taking, "ANSWERED_IN", 0.01)
    async with ear(tmp_path, mode="http") as one:
        for name in set(names(SAMPLES / "broken")) - {"empty"}:
            before = one.door.told
            body = (SAMPLES / "broken" / f"{name}.json").read_bytes()
            assert await _post(one, body) == (200, ""), name
            assert one.door.told == before + 1, name


async def test_a_form_with_odd_values_is_answered_in_time(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http") as one:
        payload = {"type": "view_submission", "user": {"id": "U1"}, "view": {"state": {"values": 5}}}
        posting = asyncio.create_task(_post(one, urlencode({"payload": json.dumps(payload)}).encode(), FORM))
        await one.slack.until(lambda: one.door.kept)
        assert one.hearing.presses.answer(one.door.last.body["press"], None)
        assert await posting == (200, "")


async def test_words_come_through_a_form_as_they_were_typed(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http") as one:
        words = "new 100% + ünïcødé & <b> =?😀\nline"
        act = await one.slack.user("Ann Lee").command(f"/desk {words}")
        await act.done()
        assert one.door.last.body["payload"]["text"] == words
        long = urlencode({"command": "/desk", "user_id": "U1", "channel_id": "C1", "text": quote("é" * 3000)})
        assert await _post(one, long.encode(), FORM) == (200, "")


async def test_a_replayed_request_counts_once(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http") as one:
        at = str(int(time.time()))
        for _ in range(3):
            assert (await _post(one, BODY, **_signed(one, BODY, at)))[0] == 200
        assert len(one.door.kept) == 1


async def test_a_retry_of_something_that_was_not_taken_is_heard_like_any_other(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http") as one:
        retried = {"X_Slack_Retry_Num": "1", "X_Slack_Retry_Reason": "http_timeout"}
        assert await _post(one, BODY, **retried) == (200, "")
        assert len(one.door.kept) == 1


async def test_before_it_begins_and_after_it_ended_nothing_is_taken(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http", begin=False, time_scale=0.003, patience=1.0) as one:
        await one.serve()
        await one.slack.user("Ann Lee").send("early")
        await one.slack.until(lambda: one.slack.deliveries.waiting[0].tries)
        assert one.slack.deliveries.waiting[0].tries[0].outcome.status == 503
        one.running = asyncio.create_task(one.hearing.run(one.door))
        await one.slack.settled()
        assert await one.words() == ["early"]
        one.running.cancel()
        await asyncio.gather(one.running, return_exceptions=True)
        assert await _post(one, BODY) == (503, "")


async def test_an_odd_fault_inside_is_never_taken_for_kept(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http") as one:

        async def broken(*_: Any) -> int:
            raise RuntimeError("Xyzzy")

        one.door.accept = broken  # type: ignore[assignment, method-assign]
        assert await _post(one, BODY) == (503, "")


async def test_two_hundred_strange_events_at_once_are_all_kept(tmp_path: Path) -> None:
    async with ear(tmp_path, mode="http") as one:
        bodies = [
            json.dumps({"type": "event_callback", "event_id": f"Ev{number}", "event": {"type": number}})
            for number in range(200)
        ]
        answers = await asyncio.gather(*(_post(one, body.encode()) for body in bodies))
        assert set(answers) == {(200, "")}
        assert len(one.door.kept) == 200
