"""Every route is closed to strangers, to other sites and to other names, and says so with safe headers."""

import asyncio
from datetime import timedelta
from typing import Any

import aiohttp
import pytest

from bot.web.settings import WebSettings
from tests.web.conftest import Rigs
from tests.web.rig import Browser, Rig

OPEN = {"/", "/chat", "/sign-in", "/livez", "/readyz", "/metrics", "/static"}
FRESH = {"key": "some-key-1", "room": "u-anna", "text": "hello"}
POSTS: dict[str, Any] = {
    "say": FRESH,
    "press": {"room": "support", "message": 1, "code": "x"},
    "submit": {"room": "support", "code": "x", "values": {}},
    "edit": {"room": "support", "message": 1, "text": "x"},
    "language": {"language": "ru"},
    "files": "bytes",
    "sign-out": {},
}


def routes(rig: Rig) -> set[tuple[str, str]]:
    """Every method and path of the server, filled in."""
    found = set()
    for route in rig.app.router.routes():
        assert route.resource is not None
        path = route.resource.canonical.replace("{seat}", "anna").replace("{id}", "0" * 32)
        found.add((route.method, path))
    return found


async def test_every_route_is_known_to_these_tests(rig: Rig) -> None:
    of_a_seat = {("POST", f"/s/anna/{name}") for name in POSTS}
    of_a_seat |= {(method, "/s/anna/") for method in ("GET", "HEAD")}
    of_a_seat |= {(method, "/s/anna") for method in ("GET", "HEAD")}
    of_a_seat |= {(method, "/s/anna/files/" + "0" * 32) for method in ("GET", "HEAD")}
    of_a_seat |= {("GET", "/s/anna/events")}
    assert {route for route in routes(rig) if route[1].startswith("/s/")} == of_a_seat
    assert {path for _, path in routes(rig) if not path.startswith("/s/")} == OPEN


async def test_a_stranger_gets_nowhere(rig: Rig) -> None:
    stranger = await rig.stranger()
    for method, path in routes(rig):
        if path.startswith("/s/") and path != "/s/anna":
            async with stranger.http.request(method, rig.base + path, json={}) as answer:
                assert answer.status == 401, path
                assert "Set-Cookie" not in answer.headers


async def test_a_session_is_good_on_its_own_seat_alone(rig: Rig) -> None:
    anna, ivan = await rig.browser("anna"), await rig.browser("ivan")
    [token] = [each.value for each in ivan.http.cookie_jar]
    stranger = await rig.stranger()
    cookies = {"Cookie": f"deskbridge_session={token}"}
    async with stranger.http.get(anna.path("events"), headers=cookies) as answer:
        assert answer.status == 401
    async with stranger.http.get(ivan.path("events"), headers=cookies) as answer:
        assert answer.status == 200


async def test_safe_headers_are_on_every_answer(rig: Rig) -> None:
    anna = await rig.browser("anna")
    answers = [("GET", "/nowhere"), ("PUT", "/"), ("GET", "/static/../app.py"), ("GET", "/static/app.css")]
    answers += [("POST", "/s/anna/say"), ("GET", "/static/"), ("GET", "/s/anna")]
    for method, path in answers + sorted(routes(rig)):
        asked = anna.http.request(method, rig.base + path, allow_redirects=False)
        async with asked as answer:
            headers = answer.headers
            assert "unsafe" not in headers["Content-Security-Policy"], path
            assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'")
            assert "frame-ancestors 'self'" in headers["Content-Security-Policy"]
            assert headers["X-Content-Type-Options"] == "nosniff"
            assert headers["Referrer-Policy"] == "no-referrer"
            assert headers["Server"] == "Deskbridge"
            assert "Strict-Transport-Security" not in headers
            fixed = answer.url.path.startswith("/static/")
            assert headers["Cache-Control"] == ("no-cache" if fixed else "no-store")
            assert answer.status < 500


async def test_without_the_proof_nothing_changes(rig: Rig) -> None:
    anna = await rig.browser("anna")
    old = anna.csrf
    for name, body in POSTS.items():
        for proof in ("", "wrong", "é", old + "x"):
            status, answer = await anna.post(name, body, **{"X-Deskbridge-Csrf": proof})
            assert status == 403
            assert "Reload" in answer["error"]
    assert await rig.inbox() == []
    assert await anna.sign_in(await rig.link("anna")) == 200
    assert (await anna.post("say", FRESH, **{"X-Deskbridge-Csrf": old}))[0] == 403
    assert (await anna.post("say", FRESH))[0] == 200


async def test_another_sites_page_changes_nothing(rig: Rig) -> None:
    anna = await rig.browser("anna")
    evil = ["http://evil.example", "null", "https://127.0.0.1", "http://127.0.0.1:1", ""]
    for origin in evil:
        for name, body in POSTS.items():
            assert (await anna.post(name, body, Origin=origin))[0] == 403, origin
    assert (await anna.post("say", FRESH, **{"Sec-Fetch-Site": "cross-site"}))[0] == 403
    assert await rig.inbox() == []
    assert (await anna.post("say", FRESH, Origin=rig.base))[0] == 200
    stranger = await rig.stranger()
    body = {"json": {"token": await rig.link("anna")}, "headers": {"Origin": "http://evil.example"}}
    async with stranger.http.post(f"{rig.base}/sign-in", **body) as answer:
        assert answer.status == 403
        assert "another site" in (await answer.json())["error"]


async def test_json_that_is_said_to_be_text_is_refused(rig: Rig) -> None:
    anna = await rig.browser("anna")
    for mime in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        headers = anna.headers() | {"Content-Type": mime}
        async with anna.http.post(anna.path("say"), data=b'{"key":"12345678"}', headers=headers) as answer:
            assert answer.status == 415


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example", "evil.example:8080", "[::", "0"])
async def test_a_name_that_is_not_ours_is_not_served(rig: Rig, host: str) -> None:
    anna = await rig.browser("anna")
    for path in ("/", "/s/anna/", "/static/app.css", "/sign-in"):
        async with anna.http.get(rig.base + path, headers={"Host": host}) as answer:
            assert answer.status == 421
    for path in ("/livez", "/readyz", "/metrics"):
        async with anna.http.get(rig.base + path, headers={"Host": host}) as answer:
            assert answer.status == 200


async def test_our_own_names_are_served(rig: Rig) -> None:
    stranger = await rig.stranger()
    for host in ("localhost", "LOCALHOST:8080", "127.0.0.1:8080", "[::1]:8080"):
        async with stranger.http.get(f"{rig.base}/sign-in", headers={"Host": host}) as answer:
            assert answer.status == 200


async def test_behind_https_cookies_are_secure_and_the_public_name_is_ours(rig_with: Rigs) -> None:
    settings = WebSettings(host="0.0.0.0", public_url="https://desk.example")
    async with rig_with(settings) as rig:
        stranger = await rig.stranger()
        headers = {"Host": "desk.example", "Origin": "https://desk.example"}
        body = {"token": await rig.link("anna")}
        async with stranger.http.post(f"{rig.base}/sign-in", json=body, headers=headers) as answer:
            assert answer.status == 200
            cookie = answer.headers["Set-Cookie"]
            assert answer.headers["Strict-Transport-Security"].startswith("max-age=")
        assert {"Secure", "HttpOnly", "SameSite=Strict", "Path=/s/anna/"} <= set(cookie.split("; "))
        async with stranger.http.get(rig.base) as answer:
            assert answer.status == 421


async def test_errors_are_json_for_programs_and_a_page_for_people(rig: Rig) -> None:
    stranger = await rig.stranger()
    async with stranger.http.get(f"{rig.base}/nowhere") as answer:
        assert answer.status == 404
        assert "nothing here" in (await answer.json())["error"]
    headers = {"Accept": "text/html", "Accept-Language": "ru-RU,ru;q=0.9"}
    async with stranger.http.get(f"{rig.base}/nowhere", headers=headers) as answer:
        assert answer.status == 404
        assert answer.content_type == "text/html"
        assert "Здесь ничего нет" in await answer.text()


async def test_an_unforeseen_error_shows_nothing_of_itself(rig: Rig) -> None:
    def broken() -> Any:
        raise RuntimeError("secret detail")

    object.__setattr__(rig.app[next(iter(rig.app))], "health", broken)
    stranger = await rig.stranger()
    async with stranger.http.get(f"{rig.base}/readyz") as answer:
        assert answer.status == 500
        text = await answer.text()
    assert "secret" not in text
    assert "Traceback" not in text


async def test_headers_of_proxies_are_not_believed(rig: Rig) -> None:
    stranger = await rig.stranger()
    headers = {
        "X-Forwarded-Host": "evil.example",
        "X-Forwarded-User": "anna",
        "Forwarded": "host=evil.example",
    }
    async with stranger.http.get(f"{rig.base}/s/anna", headers=headers, allow_redirects=False) as answer:
        assert answer.headers["Location"] == "/s/anna/"
    async with stranger.http.get(f"{rig.base}/s/anna/events", headers=headers) as answer:
        assert answer.status == 401


async def test_a_link_that_ran_out_signs_nobody_in(rig: Rig) -> None:
    token = await rig.link("anna", timedelta(minutes=5))
    rig.clock.advance(timedelta(minutes=5))
    stranger = await rig.stranger()
    assert await stranger.sign_in(token) == 403
    assert isinstance(stranger.http, aiohttp.ClientSession)


# ---- people who leave in the middle


async def _raw(rig: Rig, browser: Browser, head: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    [cookie] = [f"{each.key}={each.value}" for each in browser.http.cookie_jar]
    reader, writer = await asyncio.open_connection("127.0.0.1", rig.serving.port)
    rest = f"Host: 127.0.0.1\r\nCookie: {cookie}\r\nX-Deskbridge-Csrf: {browser.csrf}\r\n"
    writer.write((head + rest).encode())
    return reader, writer


async def test_whoever_leaves_while_they_speak_is_no_failure(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await rig.browser("anna")
    head = "POST /s/anna/say HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n"
    _, writer = await _raw(rig, anna, head)
    writer.write(b'\r\n{"text": "I wanted to s')
    await writer.drain()
    writer.transport.abort()
    assert (await anna.say("still here"))[0] == 200
    await rig.serving.stop()
    assert [record.getMessage() for record in caplog.records] == []


async def test_whoever_leaves_while_they_are_answered_is_no_failure(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    anna = await rig.browser("anna")
    _, file = await anna.upload(b"x" * 9_000_000)
    for path in (f"files/{file['id']}", "events"):
        reader, writer = await _raw(rig, anna, f"GET /s/anna/{path} HTTP/1.1\r\n")
        writer.write(b"\r\n")
        assert b"200" in await reader.readline()
        writer.transport.abort()
    assert (await anna.say("still here"))[0] == 200
    await rig.serving.stop()
    assert [record.getMessage() for record in caplog.records] == []


@pytest.mark.parametrize("path", ["events", "", "files/0"])
async def test_whoever_leaves_before_they_are_answered_is_no_failure(
    rig: Rig, caplog: pytest.LogCaptureFixture, path: str
) -> None:
    anna = await rig.browser("anna")
    for _ in range(20):
        _, writer = await _raw(rig, anna, f"GET /s/anna/{path} HTTP/1.1\r\n")
        writer.write(b"\r\n")
        await writer.drain()
        writer.transport.abort()
    assert (await anna.say("still here"))[0] == 200
    await rig.serving.stop()
    assert [record.getMessage() for record in caplog.records] == []
