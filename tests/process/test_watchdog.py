"""A desk under a service manager says that it serves, that it lives and that it stops, and nothing untrue."""

import asyncio
import os
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.process.conftest import Yard
from tests.process.desk import Desk

INTERVAL = 0.6
"""Seconds after which a silent desk counts as dead here."""
PATIENCE = 20.0

ILL = """
import signal, time

def stand_still(*_):
    time.sleep(60)

def tick_no_more(*_):
    import asyncio
    from core.desk import Desk
    async def never(self, *_):
        await asyncio.Event().wait()
    Desk.claim_timers = never

def deaf_soon(*_):
    from bot import scheduler
    scheduler.DEAF_AFTER = 1.5
    signal.signal(signal.SIGUSR2, tick_no_more)

signal.signal(signal.SIGUSR1, stand_still)
signal.signal(signal.SIGUSR2, deaf_soon)
"""
"""Read by the desk's own interpreter at its start: signals that make its loop, or its ticks, stand still."""


class Manager:
    """Listens where NOTIFY_SOCKET points, as systemd does."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.setblocking(False)
        self._socket.bind("\0" + name[1:] if name.startswith("@") else name)

    async def hears(self, within: float = PATIENCE) -> str:
        """The next words; empty where none come in time."""
        try:
            async with asyncio.timeout(within):
                return (await asyncio.get_running_loop().sock_recv(self._socket, 1000)).decode()
        except TimeoutError:
            return ""

    async def falls_silent(self) -> bool:
        """Whether the signs of life end, for twice as long as a desk may be silent."""
        try:
            async with asyncio.timeout(PATIENCE):
                while await self.hears(within=2 * INTERVAL) == "WATCHDOG=1":
                    pass
        except TimeoutError:
            return False
        return True

    def forget(self) -> None:
        """What was said until now."""
        while True:
            try:
                self._socket.recv(1000)
            except BlockingIOError:
                return

    def close(self) -> None:
        self._socket.close()


@pytest.fixture(params=["path", "abstract"])
def manager(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Manager]:
    made = Manager(f"@deskbridge-{os.getpid()}" if request.param == "abstract" else str(tmp_path / "notify"))
    yield made
    made.close()


async def started(yard: Yard, manager: Manager, folder: Path, **environment: str) -> Desk:
    """A desk that is watched, and can be made ill by signals."""
    (folder / "ill").mkdir()
    (folder / "ill" / "sitecustomize.py").write_text(ILL, encoding="utf-8")
    watched = {"NOTIFY_SOCKET": manager.name, "WATCHDOG_USEC": str(int(INTERVAL * 1e6))}
    return await yard.desk().start(**watched, PYTHONPATH=str(folder / "ill"), **environment)


async def test_it_says_that_it_serves_lives_and_stops(yard: Yard, manager: Manager, tmp_path: Path) -> None:
    desk = await started(yard, manager, tmp_path)
    assert await manager.hears() == "READY=1"
    assert [await manager.hears() for _ in range(3)] == ["WATCHDOG=1"] * 3
    manager.forget()
    assert await desk.stop() == 0
    said = [await manager.hears(within=0.1) for _ in range(4)]
    assert said[said[0] == "WATCHDOG=1" :][:2] == ["STOPPING=1", ""]
    assert desk.oddities == []


@pytest.mark.parametrize("manager", ["path"], indirect=True)
async def test_a_desk_whose_loop_stands_still_gives_no_sign_of_life_and_tells_where_when_it_is_ended(
    yard: Yard, manager: Manager, tmp_path: Path
) -> None:
    desk = await started(yard, manager, tmp_path, PYTHONFAULTHANDLER="1")  # as in the unit and the image
    assert await manager.hears() == "READY=1"
    assert await manager.hears() == "WATCHDOG=1"
    desk.send(signal.SIGUSR1)
    assert await manager.falls_silent()
    assert await desk.stop(signal.SIGABRT) == -signal.SIGABRT  # what systemd ends it with
    assert "in stand_still" in desk.errors


@pytest.mark.parametrize("manager", ["path"], indirect=True)
async def test_a_desk_whose_ticks_hang_gives_no_sign_of_life_though_it_answers(
    yard: Yard, manager: Manager, tmp_path: Path
) -> None:
    desk = await started(yard, manager, tmp_path)
    desk.send(signal.SIGUSR2)  # from now on it counts as hung so soon that the test can wait for it …
    await desk.ready()
    manager.forget()
    assert await manager.hears() == "WATCHDOG=1"
    desk.send(signal.SIGUSR2)  # … and its ticks hang
    assert await manager.falls_silent()
    assert await desk.get("/livez") == (200, '{"ok": true}')


@pytest.mark.parametrize("manager", ["path"], indirect=True)
async def test_a_desk_that_nobody_watches_only_says_that_it_serves(
    yard: Yard, manager: Manager, tmp_path: Path
) -> None:
    desk = await started(yard, manager, tmp_path, WATCHDOG_PID="1")  # meant for another process
    assert [await manager.hears(), await manager.hears(within=2 * INTERVAL)] == ["READY=1", ""]
    assert await desk.stop() == 0
    assert await manager.hears() == "STOPPING=1"


@pytest.mark.parametrize("gone", ["/nowhere/notify", "@deskbridge-nobody"])
async def test_a_manager_that_is_gone_harms_nothing(yard: Yard, gone: str) -> None:
    desk = await yard.desk().start(NOTIFY_SOCKET=gone, WATCHDOG_USEC="100000")
    assert (await desk.ready())["ok"]
    assert await desk.stop() == 0
    assert desk.oddities == []
