"""Files: streamed in up to the cap, handed out to those who may see them and harmless in a browser."""

import asyncio
import os
from collections.abc import AsyncIterator

import pytest

from bot import incoming
from bot.web.settings import WebSettings
from tests.web.conftest import Rigs
from tests.web.rig import Rig


async def test_a_file_comes_back_as_it_was(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    body = os.urandom(3_000_000)
    status, file = await ivan.upload(body, "%D0%BE%D1%82%D1%87%D1%91%D1%82.pdf", "application/pdf")
    assert status == 200
    assert (file["name"], file["size"]) == ("отчёт.pdf", 3_000_000)
    async with ivan.http.get(ivan.path(f"files/{file['id']}")) as answer:
        assert await answer.read() == body
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["Content-Security-Policy"].startswith("sandbox")
        disposition = answer.headers["Content-Disposition"]
        assert disposition.startswith("attachment; ")
        assert "filename*=UTF-8''%D0%BE%D1%82" in disposition


async def test_a_file_goes_with_what_is_said(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    _, file = await ivan.upload(b"hello", "log.txt")
    assert await ivan.say("", files=[file["id"]]) == (200, {})
    [shown] = await ivan.seen()
    [block] = shown["blocks"]
    assert block == {
        "kind": "attachment",
        "id": file["id"],
        "name": "log.txt",
        "mime": "text/plain",
        "size_text": "5 B",
        "url": f"/s/ivan/files/{file['id']}",
    }
    found = rig.adapter.read((await rig.inbox())[0])
    assert found is not None
    carried = incoming.Carried(file["id"], "log.txt", "text/plain", 5, kept=file["id"])
    assert found.what == incoming.Said("", str(shown["id"]), (carried,))
    await ivan.post("edit", {"room": "u-ivan", "message": shown["id"], "text": "the log"})
    [shown] = await ivan.seen()
    assert [each["kind"] for each in shown["blocks"]] == ["paragraph", "attachment"]


async def test_another_persons_file_is_neither_given_nor_taken_along(rig: Rig) -> None:
    ivan, maria = await rig.browser("ivan"), await rig.browser("maria")
    _, file = await ivan.upload(b"secret")
    answers = []
    for name in (file["id"], "0" * 32, "nonsense"):
        async with maria.http.get(maria.path(f"files/{name}")) as answer:
            answers.append((answer.status, await answer.json()))
    assert answers[0] == answers[1] == answers[2]
    assert answers[0][0] == 404
    assert (await maria.say("mine", files=[file["id"]]))[0] == 404
    assert await rig.inbox() == []


async def test_a_file_over_the_cap_is_refused_with_the_cap_named_and_leaves_nothing(rig_with: Rigs) -> None:
    async with rig_with(WebSettings(file_limit=1_000_000)) as rig:
        ivan = await rig.browser("ivan")

        async def chunks(size: int) -> AsyncIterator[bytes]:
            for _ in range(size // 1_000):
                yield b"x" * 1_000

        assert (await ivan.upload(b"x" * 1_000_000))[0] == 200
        for body in (b"x" * 1_000_001, chunks(1_001_000)):
            status, answer = await ivan.upload(body)
            assert (status, "1 MB" in answer["error"]) == (413, True)
        assert len(list((rig.folder / "files").glob("??/*"))) == 1


async def test_an_empty_file_is_a_file(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    status, file = await ivan.upload(b"", "empty.txt")
    assert (status, file["size"]) == (200, 0)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\evil.exe", "evil.exe"),
        ("/", "file"),
        ("", "file"),
        ("..", "file"),
        ("%00a.txt", "\u2400a.txt"),
        ("a%0d%0aSet-Cookie%3a x.txt", "a Set-Cookie: x.txt"),
        ('a".txt', 'a".txt'),
        ("%ff%fe.txt", "\ufffd\ufffd.txt"),
        ("x" * 300, "x" * 199 + "…"),
        ("%F0%9F%98%80.png", "\U0001f600.png"),
    ],
)
async def test_names_are_only_names(rig: Rig, name: str, kept: str) -> None:
    ivan = await rig.browser("ivan")
    status, file = await ivan.upload(b"x", name)
    assert (status, file["name"]) == (200, kept)
    async with ivan.http.get(ivan.path(f"files/{file['id']}")) as answer:
        assert answer.status == 200
        assert "Set-Cookie" not in answer.headers
        assert answer.headers["Content-Disposition"].count('"') == 2
    assert all(len(path.name) == 32 for path in (rig.folder / "files").glob("??/*"))


@pytest.mark.parametrize("mime", ["text/html", "image/svg+xml", "application/xml", "application/pdf", "odd"])
async def test_what_a_browser_might_run_is_only_saved(rig: Rig, mime: str) -> None:
    ivan = await rig.browser("ivan")
    _, file = await ivan.upload(b"<script>alert(1)</script>", "a.html", mime)
    async with ivan.http.get(ivan.path(f"files/{file['id']}")) as answer:
        assert answer.headers["Content-Type"] == "application/octet-stream"
        assert answer.headers["Content-Disposition"].startswith("attachment")


@pytest.mark.parametrize("mime", ["image/png", "image/jpeg", "image/gif", "image/webp"])
async def test_pictures_are_shown(rig: Rig, mime: str) -> None:
    ivan = await rig.browser("ivan")
    _, file = await ivan.upload(b"<script>alert(1)</script>", "a.png", mime)
    async with ivan.http.get(ivan.path(f"files/{file['id']}")) as answer:
        assert answer.headers["Content-Type"] == mime
        assert answer.headers["Content-Disposition"].startswith("inline")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_an_upload_that_breaks_off_leaves_nothing_and_the_server_goes_on(
    rig: Rig, caplog: pytest.LogCaptureFixture
) -> None:
    ivan = await rig.browser("ivan")
    [cookie] = [f"{each.key}={each.value}" for each in ivan.http.cookie_jar]
    _, writer = await asyncio.open_connection("127.0.0.1", rig.serving.port)
    head = f"POST /s/ivan/files HTTP/1.1\r\nHost: 127.0.0.1\r\nCookie: {cookie}\r\n"
    head += f"X-Deskbridge-Csrf: {ivan.csrf}\r\nContent-Length: 1000000\r\n\r\n"
    writer.write(head.encode() + b"x" * 500_000)
    await writer.drain()
    writer.transport.abort()
    assert (await ivan.say("still here"))[0] == 200
    await rig.serving.stop()
    assert list((rig.folder / "files").glob("??/*")) == []
    assert not caplog.records


async def test_an_upload_without_a_session_is_refused_before_it_is_read(rig: Rig) -> None:
    _, writer = (reader, _) = await asyncio.open_connection("127.0.0.1", rig.serving.port)
    head = "POST /s/ivan/files HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 100000000\r\n\r\n"
    writer.write(head.encode())
    async with asyncio.timeout(1):
        assert b"401" in await reader.readline()
    writer.transport.abort()


async def test_a_file_whose_bytes_are_gone_is_nothing(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    _, file = await ivan.upload(b"hello")
    rig.blobs.remove(file["id"])
    async with ivan.http.get(ivan.path(f"files/{file['id']}")) as answer:
        assert answer.status == 404


async def test_when_the_disk_cannot_take_a_file_the_person_is_told_to_try_again(rig: Rig) -> None:
    ivan = await rig.browser("ivan")
    (rig.folder / "files").write_bytes(b"in the way")
    status, answer = await ivan.upload(b"hello")
    assert (status, "try again" in answer["error"]) == (503, True)
