"""The database is locked, gone or failing for a while: nothing is acknowledged that is not kept, /readyz says
what is wrong, and afterwards everything is there without a restart.
"""

import asyncio
import contextlib
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.database import engine
from tests.faults import disk
from tests.faults.disk import Failure
from tests.process.conftest import Yard
from tests.process.desk import TEAM, Desk
from tests.process.person import Person

FILES = "*/desk.db*"


@contextlib.contextmanager
def locked(desk: Desk) -> Iterator[None]:
    """Somebody else's program holds the database."""
    with closing(sqlite3.connect(desk.database, isolation_level=None)) as other:
        other.execute("BEGIN EXCLUSIVE")
        yield
        other.execute("ROLLBACK")


@contextlib.contextmanager
def gone(desk: Desk) -> Iterator[None]:
    """Whatever is written to the files of the database fails, as on a disk that comes loose."""
    switch = desk.folder / "gone"
    switch.touch()
    yield
    switch.unlink()


async def becomes(desk: Desk, *, ok: bool) -> None:
    async with asyncio.timeout(30):
        while (await desk.ready())["components"]["database"]["ok"] is not ok:
            await asyncio.sleep(0.02)


@contextlib.asynccontextmanager
async def serving(yard: Yard, **environment: str) -> AsyncIterator[tuple[Desk, Person]]:
    desk = yard.desk(config=TEAM)
    desk.environment |= {"BAD_DISK_WHILE": str(desk.folder / "gone"), **environment}
    await desk.start()
    (ivan,) = await yard.signed_in(desk, "ivan")
    yield desk, ivan
    assert await desk.stop() == 0
    assert desk.oddities == []


async def report(ivan: Person) -> None:
    await ivan.say("The VPN is down q1z")
    await ivan.press("Office")
    await ivan.press("It can wait")
    await ivan.press("Send")
    await ivan.hears("is with the team")


@pytest.mark.parametrize("how", [locked, gone])
async def test_while_it_cannot_be_reached_nobody_is_told_that_it_has_their_words(
    yard: Yard, how: object
) -> None:
    preload = {"LD_PRELOAD": str(disk.shim()), "BAD_DISK_FILES": FILES} if how is gone else {}
    async with serving(yard, **preload) as (desk, ivan):
        await report(ivan)
        with how(desk):  # type: ignore[operator]
            saying = asyncio.create_task(ivan.say("and it hurries q2z"))
            await becomes(desk, ok=False)
            assert not saying.done()
        await becomes(desk, ok=True)
        await saying
        await desk.check_words(["q1z", "q2z"], tickets=1)


async def test_a_sync_that_fails_once_costs_nobody_a_word(yard: Yard) -> None:
    failure = Failure("sync", 9, "eio", f"{FILES}-wal")
    async with serving(yard, LD_PRELOAD=str(disk.shim()), **failure.environment) as (desk, ivan):
        await report(ivan)
        for number in range(2, 8):
            await ivan.say(f"and it hurries q{number}z")
        await desk.check_words([f"q{number}z" for number in range(1, 8)], tickets=1)
        assert "disk I/O error" in desk.errors
        await becomes(desk, ok=True)


def test_a_start_on_a_failing_disk_says_so_in_one_line(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "desk", TEAM)
    engine.prepare(desk.database).release()
    failure = Failure("sync", 1, "eio", FILES)
    told = desk.command("run", LD_PRELOAD=str(disk.shim()), **failure.environment)
    assert (told.returncode, told.stdout) == (1, ""), told
    assert len(told.stderr.splitlines()) == 1, told.stderr
    assert str(desk.database) in told.stderr
    engine.prepare(desk.database).release()
