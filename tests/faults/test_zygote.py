"""Lives that are forked are processes like any other."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.faults.fleet import Cheap
from tests.faults.zygote import Zygote, zygote
from tests.process.desk import TEAM


@pytest.fixture
async def source() -> AsyncIterator[Zygote]:
    async with zygote(os.environ) as made:
        yield made


@pytest.fixture
async def desk(source: Zygote, tmp_path: Path) -> AsyncIterator[Cheap]:
    made = Cheap(tmp_path / "desk", TEAM)
    made.zygote, made.plain = source, False
    yield made
    await made.close()


async def test_a_life_is_a_process_of_its_own_that_serves_and_dies_and_leaves_its_desk_to_the_next(
    desk: Cheap,
) -> None:
    pids = []
    for _ in range(2):
        await desk.start()
        pids.append(desk.pid)
        assert (await desk.ready())["ok"]
        desk.send(signal.SIGKILL)
        assert await desk.wait() == -signal.SIGKILL
    assert len({*pids, os.getpid()}) == 3
    desk.plain = True
    await desk.start()
    assert await desk.stop() == 0
    assert desk.oddities == []


async def test_a_life_ends_by_itself_as_cleanly_as_any(desk: Cheap) -> None:
    await desk.start()
    assert await desk.stop() == 0
    assert desk.oddities == []


async def test_a_life_that_cannot_begin_says_why(desk: Cheap) -> None:
    desk.config.write_text("[web]\nport = 'none'\n", encoding="utf-8")
    await desk.launch()
    assert not await desk.serves()
    assert await desk.wait() == 2
    assert "web.port" in desk.errors


async def test_no_life_outlives_who_asked_for_it(tmp_path: Path) -> None:
    desk = Cheap(tmp_path / "desk", TEAM)
    async with zygote(os.environ) as source:
        desk.zygote, desk.plain = source, False
        await desk.start()
        pid = desk.pid
    async with asyncio.timeout(10):
        while Path(f"/proc/{pid}").exists():
            await asyncio.sleep(0.01)
