"""The heartbeat: only of a desk that has found itself in order, to an address that is nowhere to be read."""

import asyncio
import io
import logging
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web
from sqlalchemy import delete

from bot import config, logs
from bot.audit import beat_if_clean
from bot.gateways.heartbeat import Heartbeat
from core.database.transaction import Transaction
from core.timers.store import timers
from tests.core.test_escalation import PEOPLE, URGENT, report
from tests.town import Town, town

TOKEN = "0d6f6a2e-very-secret"


@dataclass
class Elsewhere:
    """Whoever is called."""

    url: str = ""
    beats: list[str] = field(default_factory=list)
    status: int = 200
    silent: asyncio.Event | None = None
    heard: asyncio.Event = field(default_factory=asyncio.Event)

    async def called(self, request: web.Request) -> web.Response:
        self.beats.append(f"{request.method} {request.path}")
        self.heard.set()
        if self.silent is not None:
            await self.silent.wait()
        return web.Response(status=self.status)


@pytest.fixture
async def elsewhere() -> AsyncIterator[Elsewhere]:
    there = Elsewhere()
    app = web.Application()
    app.router.add_route("*", "/ping/{token}", there.called)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    there.url = f"http://127.0.0.1:{port}/ping/{TOKEN}"
    yield there
    if there.silent is not None:
        there.silent.set()
    await runner.cleanup()


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """Everything that is logged, as nobody has struck anything out of it."""
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    root = logging.getLogger()
    before = root.level
    root.addHandler(handler)
    root.setLevel(logging.DEBUG)
    yield stream
    root.removeHandler(handler)
    root.setLevel(before)


async def _beat(desk: Town, there: Elsewhere) -> list[str]:
    await beat_if_clean(desk.house.audit, Heartbeat(there.url), desk.house.metrics)
    return there.beats


async def test_a_heart_beats_after_a_clean_audit_and_not_before(tmp_path: Path, elsewhere: Elsewhere) -> None:
    async with town(tmp_path, PEOPLE + URGENT) as desk:
        assert await _beat(desk, elsewhere) == []
        await desk.house.audit.run()
        assert await _beat(desk, elsewhere) == [f"POST /ping/{TOKEN}"]
        desk.clock.advance(timedelta(minutes=11))
        assert len(await _beat(desk, elsewhere)) == 1, "that audit was too long ago"


async def test_a_heart_stands_still_while_something_is_left_wrong(
    tmp_path: Path, elsewhere: Elsewhere, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with town(tmp_path, PEOPLE + URGENT) as desk:
        await report(desk)

        async def nothing() -> None:
            pass

        monkeypatch.setattr(desk.house.audit, "_tick", nothing)
        desk.clock.advance(timedelta(minutes=4))
        assert (await desk.house.audit.run()).left
        assert await _beat(desk, elsewhere) == []
        await desk.settle()
        await desk.house.audit.run()
        assert len(await _beat(desk, elsewhere)) == 1


async def test_what_was_put_right_does_not_stop_the_heart(tmp_path: Path, elsewhere: Elsewhere) -> None:
    async def break_it(tx: Transaction) -> None:
        await tx.execute(delete(timers))

    async with town(tmp_path, PEOPLE + URGENT) as desk:
        await report(desk)
        await desk.database.write(break_it)
        verdict = await desk.house.audit.run()
        assert verdict.found
        assert not verdict.left
        assert len(await _beat(desk, elsewhere)) == 1


async def test_trouble_on_the_way_hurts_nothing_and_is_logged_once_without_the_address(
    elsewhere: Elsewhere, log: io.StringIO
) -> None:
    heart = Heartbeat(elsewhere.url)
    elsewhere.status = 500
    assert not await heart.send()
    assert not await heart.send()
    elsewhere.status = 200
    assert await heart.send()
    told = log.getvalue()
    assert told.count("the heartbeat is not taken: status 500") == 1
    assert told.count("the heartbeat is taken again") == 1
    assert TOKEN not in told


async def test_nobody_there_or_nobody_answering_is_only_logged(
    elsewhere: Elsewhere, log: io.StringIO
) -> None:
    elsewhere.silent = asyncio.Event()
    hasty = Heartbeat(elsewhere.url, aiohttp.ClientTimeout(total=0.05))
    assert not await hasty.send()
    assert not await Heartbeat(f"http://127.0.0.1:1/{TOKEN}").send()
    assert not await Heartbeat(f"http://[::1/{TOKEN}").send()
    told = log.getvalue()
    assert told.count("the heartbeat is not taken") == 3
    assert TOKEN not in told


# ---- the configuration


def _written(tmp_path: Path, toml: str) -> Path:
    file = tmp_path / "config.toml"
    file.write_text(toml, "utf-8")
    return file


def test_the_address_is_a_secret_also_in_a_file_of_its_own(tmp_path: Path) -> None:
    secret = tmp_path / "heartbeat"
    secret.write_text(f"https://hc.example.org/{TOKEN}?status=up\n", "utf-8")
    secret.chmod(0o600)
    settings = config.load(_written(tmp_path, f'[heartbeat]\nurl_file = "{secret}"\nevery = "1m"\n'), {})
    assert settings.secrets == (f"https://hc.example.org/{TOKEN}?status=up",)
    assert TOKEN not in repr(settings)
    assert logs.Redactor(settings.secrets)(f"https://hc.example.org/{TOKEN}?status=up") == "«redacted»"


@pytest.mark.parametrize(
    "url", ["hc.example.org", "ftp://x/y", "https://a:b@x/y", "https://x/#y", "https:///x/y"]
)
def test_an_address_that_is_none_is_refused_without_being_repeated(tmp_path: Path, url: str) -> None:
    with pytest.raises(config.ConfigError) as refused:
        config.load(_written(tmp_path, f'[heartbeat]\nurl = "{url}"\n'), {})
    assert "heartbeat.url: must be an address like https://hc-ping.com/…" in str(refused.value)
    assert "x/y" not in str(refused.value)


async def test_a_running_desk_calls_the_address_of_its_configuration(
    tmp_path: Path, elsewhere: Elsewhere, log: io.StringIO
) -> None:
    heartbeat = f'[heartbeat]\nurl = "{elsewhere.url}"\nevery = "1s"\n'
    async with town(tmp_path, PEOPLE + URGENT + heartbeat) as desk:
        await desk.house.audit.run()
        desk.house.scheduler.start()
        async with asyncio.timeout(30):
            await elsewhere.heard.wait()
        desk.house.scheduler.stop()
    assert TOKEN not in log.getvalue()
