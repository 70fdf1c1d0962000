"""A start that cannot be: one plain line saying what and what to do, the right exit code, nothing touched."""

import asyncio
import hashlib
import os
import re
import signal
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.process.conftest import Yard
from tests.process.desk import DEMO, TEAM, Desk

Told = subprocess.CompletedProcess[str]


def prints(folder: Path) -> dict[str, str]:
    """What stands in the files that matter; an empty log of changes is none."""
    return {
        file.name: hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.iterdir())
        if file.is_file()
        and not file.name.endswith((".lock", "-shm", "stderr.log"))
        and not (file.name.endswith("-wal") and file.stat().st_size == 0)
    }


def is_plain(told: Told, *words: str, code: int = 1) -> None:
    """One line for the operator, and nothing else anywhere."""
    assert told.returncode == code, told
    assert told.stdout == ""
    assert len(told.stderr.splitlines()) == 1, told.stderr
    for word in words:
        assert word in told.stderr


def refused(desk: Desk, *words: str) -> None:
    """`run` says one plain line and leaves every file as it was."""
    before = prints(desk.folder)
    is_plain(desk.command("run"), *words)
    assert prints(desk.folder) == before


def test_a_lost_database_is_not_replaced_by_an_empty_one(desk: Desk) -> None:
    desk.database.unlink()
    refused(desk, str(desk.database), "missing", "--init")
    assert not desk.database.exists()


def test_a_database_of_no_bytes_is_a_lost_one(desk: Desk) -> None:
    desk.database.write_bytes(b"")
    refused(desk, str(desk.database), "--init")


async def test_an_empty_desk_begins_where_it_is_asked_for(desk: Desk) -> None:
    desk.database.unlink()
    try:
        await desk.start("--init")
        assert await desk.stop() == 0
        assert await (await desk.start()).stop() == 0
    finally:
        await desk.close()


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def scribble(path: Path) -> None:
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(4096 * 2)
        file.write(b"\xa5" * (size - 4096 * 3))


def behead(path: Path) -> None:
    with path.open("r+b") as file:
        file.write(b"\0" * 100)


def replace_by_words(path: Path) -> None:
    path.write_text("Dear diary, this is no database at all.\n" * 100, encoding="utf-8")


@pytest.mark.parametrize("damage", [cut, scribble, behead, replace_by_words])
def test_a_damaged_database_is_refused_as_it_is(desk: Desk, damage: Callable[[Path], None]) -> None:
    damage(desk.database)
    refused(desk, str(desk.database), "damaged", "backup")


async def test_a_damaged_database_is_refused_with_what_a_crash_left_beside_it(yard: Yard) -> None:
    desk = yard.desk()
    await desk.start()
    await desk.stop(signal.SIGKILL)
    assert desk.database.with_name("desk.db-wal").stat().st_size > 0
    scribble(desk.database)
    await asyncio.to_thread(refused, desk, str(desk.database), "damaged", "backup")


def test_a_folder_is_not_a_database(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.database.mkdir()
    refused(desk, str(desk.database), "folder", "database.url")


def test_a_database_of_another_program_is_left_alone(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    with closing(sqlite3.connect(desk.database)) as other:
        other.execute("CREATE TABLE diary (entry TEXT)")
    refused(desk, str(desk.database), "not a Deskbridge database", "database.url")


NEWER = "UPDATE alembic_version SET version_num = '9999'"


def change(desk: Desk, *statements: str) -> None:
    with closing(sqlite3.connect(desk.database)) as database:
        for each in statements:
            database.execute(each)
        database.commit()


@pytest.mark.parametrize(
    "floor",
    [
        pytest.param("UPDATE schema_floor SET oldest = '9999'", id="that fits none but itself"),
        pytest.param("DROP TABLE schema_floor", id="that does not say whom it fits"),
    ],
)
def test_a_newer_schema_is_left_to_the_newer_version(desk: Desk, floor: str) -> None:
    change(desk, NEWER, floor)
    refused(desk, str(desk.database), "newer", "9999")


async def test_a_newer_schema_that_this_version_fits_is_served(desk: Desk) -> None:
    change(desk, NEWER)
    try:
        assert (await (await desk.start()).ready())["ok"]
        assert await desk.stop() == 0
    finally:
        await desk.close()


@pytest.mark.parametrize("folder", ["/proc/deskbridge", "/dev/null/deskbridge", "/sys"])
def test_a_folder_that_cannot_be_written_is_named(tmp_path: Path, folder: str) -> None:
    desk = Desk(tmp_path)
    url = f"sqlite+aiosqlite:///{folder}/desk.db"
    is_plain(desk.command("run", DESKBRIDGE_DATABASE__URL=url), folder, "cannot be", "database.url")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_database_without_the_right_to_write_is_named(desk: Desk) -> None:
    desk.folder.chmod(0o500)
    try:
        refused(desk, str(desk.folder), "cannot be", "database.url")
    finally:
        desk.folder.chmod(0o700)


@pytest.fixture
def listener() -> Iterator[socket.socket]:
    """Another program that listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server


def test_a_taken_port_is_named(desk: Desk, listener: socket.socket) -> None:
    port = str(listener.getsockname()[1])
    is_plain(desk.command("run", DESKBRIDGE_WEB__PORT=port), port, "taken", "web.port")


def test_an_address_that_is_not_this_machines_is_named(desk: Desk) -> None:
    is_plain(desk.command("run", DESKBRIDGE_WEB__HOST="192.0.2.1"), "192.0.2.1", "web.host")


async def test_a_second_process_is_refused_and_the_first_goes_on(yard: Yard) -> None:
    desk = yard.desk()
    await desk.start()
    for command in ("run", "migrate"):
        told = await desk.ask(command, DESKBRIDGE_WEB__PORT="0")
        is_plain(told, str(desk.database), "already serves", "database.url")
    (ivan,) = await yard.signed_in(desk, "ivan")
    await ivan.say("Is anybody there?")
    await ivan.hears("What is it about?")
    assert await desk.stop() == 0
    assert desk.oddities == []


# ---- the configuration

WRONG = """
[database]
url = "postgres://nowhere"

[web]
port = 99999
prot = 8080

[desk]
language = "de"
"""


def test_every_mistake_is_told_at_once_and_nothing_is_started(tmp_path: Path) -> None:
    desk = Desk(tmp_path, WRONG)
    told = desk.command("run", DESKBRIDGE_WEB__HOTS="x", DESKBRIDGE_DESK__TIME_ZONE="Mars/Base")
    assert told.returncode == 2
    assert told.stdout == ""
    named = (
        "database.url",
        "web.port",
        "web.prot",
        "desk.language",
        "DESKBRIDGE_WEB__HOTS",
        "DESKBRIDGE_DESK__TIME_ZONE",
    )
    for key in named:
        assert len([line for line in told.stderr.splitlines() if key in line.partition(": ")[0]]) == 1, (
            key,
            told.stderr,
        )
    assert "Traceback" not in told.stderr
    assert {each.name for each in tmp_path.iterdir()} == {"config.toml", "stderr.log"}
    checked = desk.command("check-config", DESKBRIDGE_WEB__HOTS="x", DESKBRIDGE_DESK__TIME_ZONE="Mars/Base")
    assert (checked.returncode, checked.stderr) == (2, told.stderr)


def test_a_config_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    desk.config.unlink()
    told = desk.command("run")
    assert told.returncode == 2
    assert str(desk.config) in told.stderr
    assert "no such file" in told.stderr
    assert not desk.database.exists()


@pytest.mark.parametrize("config", [TEAM, DEMO])
def test_a_right_configuration_is_called_right(tmp_path: Path, config: str) -> None:
    told = Desk(tmp_path, config).command("check-config")
    assert (told.returncode, told.stderr) == (0, "")
    assert "right" in told.stdout
    assert not (tmp_path / "desk.db").exists()


def test_a_queue_in_which_nobody_works_is_told_before_the_start(tmp_path: Path) -> None:
    team = re.sub(r"(roles = .*)", r'\1\nqueues = ["support"]', TEAM)
    told = Desk(tmp_path, team + '[[queues]]\nname = "network"\n').command("check-config")
    assert (told.returncode, told.stderr) == (0, "")
    right, empty = told.stdout.splitlines()
    assert "right" in right
    assert "Nobody works in the queue “network”" in empty
