"""A disk that takes no more: the desk says so and loses nothing; with room again it goes on by itself."""

import asyncio
import sqlite3
import time
from collections.abc import AsyncIterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.faults.disk import SmallDisk, StubbornDisk
from tests.process.conftest import Yard
from tests.process.desk import Desk
from tests.process.person import Person

SOON = 10.0


@pytest.fixture(params=["full", "dying"])
async def full(request: Any, yard: Yard, tmp_path: Path) -> AsyncIterator[tuple[Desk, Any]]:
    """A desk that runs, and its disk."""
    disk: Any = SmallDisk(tmp_path / "disk") if request.param == "full" else None
    try:
        desk = yard.desk("disk/desk")
        await desk.start()
        yield desk, disk or StubbornDisk(desk)
        await desk.close()
    finally:
        if disk is not None:
            disk.close()


async def becomes(desk: Desk, ok: bool) -> dict[str, Any]:
    """What /readyz says once it says this."""
    until = time.monotonic() + SOON
    while (told := await desk.ready())["ok"] is not ok:
        assert time.monotonic() < until, told
        await asyncio.sleep(0.05)
    return told


async def refuses(person: Person, text: str, key: str) -> None:
    status, answer = await person.post("say", patient=False, room=person.direct, text=text, key=key)
    assert status == 503, answer
    assert answer["error"]


async def test_a_full_disk_loses_nothing_and_is_named_until_it_has_room(
    full: tuple[Desk, Any], yard: Yard
) -> None:
    desk, disk = full
    ivan, anna = await yard.signed_in(desk, "ivan", "anna")
    await ivan.say("The VPN is slow")
    await ivan.hears("Where are you?")
    disk.fill()
    for key in ("first-key", "other-key"):
        await refuses(ivan, f"with {key}", key)
    told = await becomes(desk, ok=False)
    assert (
        "full" in told["components"]["database"]["detail"]
        or "I/O" in told["components"]["database"]["detail"]
    )
    assert (await desk.get("/livez"))[0] == 200
    assert len(await ivan.fresh()) == 2  # what was said can still be read
    disk.free()
    await becomes(desk, ok=True)
    await ivan.post("say", room=ivan.direct, text="with first-key", key="first-key")
    await ivan.press("It slows me down")
    await ivan.press("Send")
    await anna.card("slow")
    mine = [each.text for each in await ivan.fresh() if each.mine]
    assert mine == ["The VPN is slow", "with first-key"]
    assert await desk.stop() == 0
    assert desk.oddities == []
    with closing(sqlite3.connect(desk.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


async def test_what_is_due_while_the_disk_is_full_is_done_once_it_has_room(
    full: tuple[Desk, Any], yard: Yard
) -> None:
    desk, disk = full
    ivan, anna = await yard.signed_in(desk, "ivan", "anna")
    await ivan.say("The VPN is down")
    await ivan.press("Office")
    await ivan.press("Nobody can work")
    await ivan.press("Send")
    await anna.card("down")
    disk.fill()
    await becomes(desk, ok=False)
    assert [each for each in await anna.fresh() if each.tone == "ping"] == []
    disk.free()
    await becomes(desk, ok=True)
    ping = await anna.sees(lambda each: each.tone == "ping", "a ping")
    await anna.press("Take it", lambda each: each.id == ping.id)
    await ivan.hears("is on #1")
    assert len([each for each in await anna.fresh() if each.tone == "ping"]) == 1
    assert await desk.stop() == 0


async def test_a_file_that_finds_no_room_is_refused_and_leaves_nothing(
    full: tuple[Desk, Any], yard: Yard
) -> None:
    desk, disk = full
    (ivan,) = await yard.signed_in(desk, "ivan")
    disk.fill()
    status, answer = await ivan.bring(b"x" * 100_000, "big.txt")
    assert (status, set(answer)) == (503, {"error"})
    assert kept_by(desk) == []
    disk.free()
    file = await ivan.upload(b"x" * 100_000, "big.txt")
    assert await ivan.download(file) == b"x" * 100_000
    assert kept_by(desk) == [file]


def kept_by(desk: Desk) -> list[str]:
    return [each.name for each in (desk.folder / "files").glob("*/*")]
