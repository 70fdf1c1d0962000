"""A backup is whole or not there, holds all that was acknowledged before it, and becomes a desk again."""

import asyncio
import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from bot import backup as backups
from bot import config
from core.database import engine
from core.files.blobs import Blobs
from core.kernel.errors import SetupError
from tests.faults.disk import SmallDisk
from tests.process.conftest import Yard
from tests.process.conversation import Round
from tests.process.desk import Desk
from tests.process.person import Person
from tests.process.test_commands import is_refused


def words_in(copy: Path) -> str:
    """Everything that anybody ever said, as a copy holds it."""
    with closing(sqlite3.connect(copy)) as database:
        return json.dumps(database.execute("SELECT body FROM inbox").fetchall())


async def chatter(person: Person, said: list[str], enough: asyncio.Event) -> None:
    """Says something new without end; `said` is what was acknowledged."""
    while not enough.is_set():
        word = f"{person.account}-{len(said)}."
        await person.say(word)
        said.append(word)


async def test_a_copy_of_a_desk_at_work_holds_all_that_was_acknowledged_before_it(
    yard: Yard, tmp_path: Path
) -> None:
    desk = await yard.desk().start()
    people = await yard.signed_in(desk, "ivan", "anna", "boris", "maria")
    enough = asyncio.Event()
    said: dict[str, list[str]] = {person.account: [] for person in people}
    talking = [asyncio.create_task(chatter(person, said[person.account], enough)) for person in people]
    try:
        for n in range(3):
            before = [word for words in said.values() for word in words]
            copy = tmp_path / f"{n}.db"
            told = await desk.ask("backup", str(copy))
            assert (told.returncode, told.stderr) == (0, "")
            kept = words_in(copy)
            assert [word for word in before if word not in kept] == []
    finally:
        enough.set()
        await asyncio.gather(*talking)
    after = {account: len(words) for account, words in said.items()}
    assert all(after.values()), f"nobody was held up: {after}"
    assert await desk.stop() == 0
    assert desk.oddities == []


async def test_what_was_lost_comes_back_as_it_was(yard: Yard, tmp_path: Path) -> None:
    desk = await yard.desk().start()
    ivan, anna = await yard.signed_in(desk, "ivan", "anna")
    one = Round(ivan, anna, 1)
    await one.play()
    copy = tmp_path / "copy.db"
    assert (await desk.ask("backup", str(copy))).returncode == 0
    exported = (await desk.ask("export", "--json")).stdout
    assert await desk.stop() == 0
    shutil.rmtree(desk.folder / "files")
    for file in desk.folder.glob("desk.db*"):
        if not file.name.endswith(".lock"):
            file.unlink()
    told = desk.command("restore", str(copy))
    assert (told.returncode, told.stderr) == (0, "")
    assert "files: 1" in told.stdout
    assert desk.command("export", "--json").stdout == exported
    await desk.start()
    (file,) = json.loads(exported)["tickets"][0]["files"]
    blob = Blobs(desk.folder / "files", limit=0).path(file["id"])
    assert blob.read_bytes() == f"log of {one.word(0)}".encode()
    assert {path.name for path in tmp_path.iterdir()} == {"desk", "copy.db", "copy.db.files"}
    assert (copy.stat().st_mode & 0o077, (await desk.ready())["ok"]) == (0, True)


def refused(desk: Desk, what: str, name: Path | str, *words: str) -> None:
    """The command is refused in one line that holds these words; nothing is said besides."""
    settings = config.load(desk.config, {})
    said: list[str] = []
    command = {"backup": backups.keep, "restore": backups.bring_back}[what]
    with pytest.raises(SetupError) as told:
        command(settings, Path(name), said.append)
    line = str(told.value)
    assert ([word for word in words if word not in line], "\n" in line, said) == ([], False, []), line


def test_a_backup_never_takes_the_place_of_anything(desk: Desk, tmp_path: Path) -> None:
    taken = tmp_path / "taken.db"
    taken.write_text("mine", encoding="utf-8")
    is_refused(desk.command("backup", str(taken)), "taken.db", "left alone")
    refused(desk, "backup", desk.database, "desk.db", "left alone")
    refused(desk, "backup", tmp_path, "is a folder", "Name a file")
    refused(desk, "backup", tmp_path / "no" / "where.db", "no folder")
    refused(desk, "backup", "/proc/desk.db", "/proc")
    assert taken.read_text(encoding="utf-8") == "mine"
    assert {path.name for path in tmp_path.iterdir()} == {"desk", "taken.db"}


def test_a_disk_without_room_leaves_nothing_behind(desk: Desk, tmp_path: Path) -> None:
    small = SmallDisk(tmp_path / "small", megabytes=1)
    try:
        small.fill()
        refused(desk, "backup", small.folder / "copy.db", "copied", "room")
        assert [path.name for path in small.folder.iterdir()] == ["ballast"]
    finally:
        small.close()


def test_a_damaged_desk_is_not_taken_for_a_backup(desk: Desk, tmp_path: Path) -> None:
    copy = tmp_path / "copy.db"
    backups.keep(config.load(desk.config, {}), copy, print)
    for place, what, name in ((desk.database, "backup", tmp_path / "b.db"), (copy, "restore", copy)):
        with closing(sqlite3.connect(place)) as database:
            database.execute("PRAGMA journal_mode=DELETE")
            (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tickets'").fetchone()
        with place.open("r+b") as file:
            file.seek(4096 * (page - 1))
            file.write(b"\xa5" * 4096)
        refused(desk, what, name, place.name, "damaged")
        desk.database.unlink(missing_ok=True)
    assert not desk.database.exists()
    assert not (tmp_path / "b.db").exists()


async def test_nothing_is_restored_over_a_desk_or_its_remains(yard: Yard, tmp_path: Path) -> None:
    desk = await yard.desk().start()
    copy = tmp_path / "copy.db"
    assert (await desk.ask("backup", str(copy), "--without-files")).returncode == 0
    is_refused(await desk.ask("restore", str(copy)), "desk.db", "left alone")
    held = desk.database.rename(desk.folder / "gone.db")
    is_refused(await desk.ask("restore", str(copy)), "desk.db-", "Move it away")
    for end in ("-wal", "-shm"):
        desk.database.with_name(f"desk.db{end}").unlink(missing_ok=True)
    is_refused(await desk.ask("restore", str(copy)), "Another Deskbridge")
    assert (held.exists(), desk.database.exists()) == (True, False)


def test_what_is_no_backup_is_not_restored(desk: Desk, tmp_path: Path) -> None:
    for end in ("", ".lock"):
        desk.database.with_name(f"desk.db{end}").unlink()
    is_refused(desk.command("restore", str(tmp_path / "none.db")), "none.db", "deskbridge backup")
    (tmp_path / "words.db").write_text("not a database at all" * 99, encoding="utf-8")
    refused(desk, "restore", tmp_path / "words.db", "words.db", "damaged")
    (tmp_path / "empty.db").touch()
    refused(desk, "restore", tmp_path / "empty.db", "no desk")
    with closing(sqlite3.connect(tmp_path / "newer.db")) as database:
        database.execute("CREATE TABLE alembic_version (version_num)")
        database.execute("INSERT INTO alembic_version VALUES ('9999')")
        database.commit()
    refused(desk, "restore", tmp_path / "newer.db", "newer", "9999")
    assert not desk.database.exists()


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("postgresql+asyncpg://desk:s3cret@db:5433/desk", "postgresql://desk@db:5433/desk"),
        ("postgresql+asyncpg://db/desk", "postgresql://db/desk"),
    ],
)
def test_postgresql_has_tools_of_its_own_which_are_named_without_the_password(url: str, address: str) -> None:
    with pytest.raises(SetupError) as told:
        backups.only_file(engine.place_of(url), "pg_dump --format=custom --file=copy", "backed up")
    assert f"pg_dump --format=custom --file=copy {address} " in str(told.value)
    assert "s3cret" not in str(told.value)
