"""The other commands, beside a desk that runs: export, dead letters, sign-in links, migrate."""

import asyncio
import json
import re
import sqlite3
import subprocess
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

import pytest

from tests.process.conftest import Yard
from tests.process.conversation import Round
from tests.process.desk import TEAM, Desk

# ---- the way in


def test_help_names_every_command(tmp_path: Path) -> None:
    told = Desk(tmp_path).command("--help")
    assert (told.returncode, told.stderr) == (0, "")
    for command in (
        "run",
        "check-config",
        "migrate",
        "backup",
        "restore",
        "export",
        "dead-letters",
        "sign-in",
    ):
        assert command in told.stdout


@pytest.mark.parametrize("words", [(), ("fly",), ("export",), ("dead-letters", "burn")])
def test_a_wrong_command_line_is_told_so(words: tuple[str, ...], tmp_path: Path) -> None:
    program = Path(sys.executable).with_name("deskbridge")
    told = subprocess.run(
        [program, *words], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False
    )
    assert told.returncode == 2
    assert told.stderr.startswith("usage: deskbridge")
    assert "Traceback" not in told.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_version_is_told() -> None:
    program = Path(sys.executable).with_name("deskbridge")
    told = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=60, check=True)
    assert told.stdout.strip()


# ---- the database


def test_migrating_twice_is_migrating_once(tmp_path: Path) -> None:
    desk = Desk(tmp_path)
    for _ in range(2):
        told = desk.command("migrate")
        assert (told.returncode, told.stderr) == (0, "")
        assert "up to date" in told.stdout
    with closing(sqlite3.connect(desk.database)) as database:
        assert database.execute("SELECT count(*) FROM alembic_version").fetchone() == (1,)


GUESTS = [
    ("export", "--json"),
    ("dead-letters", "list"),
    ("sign-in", "web:anna"),
    ("backup", "copy.db"),
    ("doctor",),
    ("simulate", "--ticket", "critical"),
]


def is_refused(told: "subprocess.CompletedProcess[str]", *words: str) -> None:
    """One line for the operator, and nothing else anywhere."""
    assert (told.returncode, told.stdout) == (1, "")
    assert len(told.stderr.splitlines()) == 1, told.stderr
    for word in words:
        assert word in told.stderr


@pytest.mark.parametrize("words", GUESTS)
def test_a_desk_that_was_never_started_is_told_so(tmp_path: Path, words: tuple[str, ...]) -> None:
    is_refused(Desk(tmp_path).command(*words), "desk.db", "yet", "deskbridge run")
    assert not (tmp_path / "desk.db").exists()


@pytest.mark.parametrize("words", GUESTS)
def test_a_file_that_holds_no_desk_is_told_so(tmp_path: Path, words: tuple[str, ...]) -> None:
    desk = Desk(tmp_path)
    desk.database.touch()
    is_refused(desk.command(*words), "desk.db", "yet", "deskbridge run")
    assert desk.database.stat().st_size == 0


@pytest.mark.parametrize("words", GUESTS)
def test_a_desk_of_an_older_version_is_brought_up_to_date_first(desk: Desk, words: tuple[str, ...]) -> None:
    change(desk, "UPDATE alembic_version SET version_num = '0000'")
    is_refused(desk.command(*words), "desk.db", "deskbridge migrate")


@pytest.mark.parametrize("words", [("export", "--json"), ("doctor",)])
def test_a_damaged_desk_is_told_so(desk: Desk, words: tuple[str, ...]) -> None:
    with closing(sqlite3.connect(desk.database)) as database:
        (page,) = database.execute("SELECT rootpage FROM sqlite_master WHERE name = 'tickets'").fetchone()
    with desk.database.open("r+b") as file:
        file.seek(4096 * (page - 1))
        file.write(b"\xa5" * 4096)
    is_refused(desk.command(*words), "desk.db", "damaged", "backup")


# ---- export


async def test_the_export_of_a_running_desk_holds_every_word_and_every_event(yard: Yard) -> None:
    desk = await yard.desk().start()
    ivan, anna, boris, maria = await yard.signed_in(desk, "ivan", "anna", "boris", "maria")
    one = Round(ivan, anna, 1, (anna, boris, maria))
    await one.play()
    told = await desk.ask("export", "--json")
    assert (told.returncode, told.stderr, told.stdout.isascii()) == (0, "", True)
    (ticket,) = json.loads(told.stdout)["tickets"]
    assert (ticket["id"], ticket["status"], ticket["priority"]) == (1, "closed", "critical")
    assert ticket["requester_identities"] == ["web:ivan"]
    assert [message["kind"] for message in ticket["messages"]] == ["request", "reply", "note", "request"]
    assert len({message["id"] for message in ticket["messages"]}) == 4
    said = json.dumps(ticket["messages"]) + ticket["resolution"]
    assert [said.count(word) for word in one.words] == [1] * len(one.words)
    (file,) = ticket["files"]
    assert (file["name"], ticket["messages"][0]["files"]) == ("log.txt", [file["id"]])
    (delivered,) = ticket["messages"][1]["delivered"]
    assert delivered["address"] == "web:u-ivan"
    assert [event["kind"] for event in ticket["timeline"]] == [
        "opened",
        *["pinged"] * 3,
        *("claimed", "replied", "noted", "said", "resolved", "confirmed", "rated"),
    ]
    assert {event["via"] for event in ticket["timeline"]} == {"web", "desk"}
    assert all(event["at"] and event["actor"] for event in ticket["timeline"] if event["via"] == "web")
    assert [(ping["step"], ping["answer"]) for ping in ticket["pings"]] == [(n, "claimed") for n in range(3)]
    again = await desk.ask("export", "--json")
    assert again.stdout == told.stdout
    assert (await desk.ready())["ok"]
    assert await desk.stop() == 0
    assert desk.command("export", "--json").stdout == told.stdout
    assert desk.oddities == []


# ---- dead letters


async def test_a_poison_event_is_parked_and_handled_once_when_it_can_be(yard: Yard) -> None:
    desk = await yard.desk().start()
    (ivan,) = await yard.signed_in(desk, "ivan")
    assert "no dead letters" in (await desk.ask("dead-letters", "list")).stdout
    await ivan.say("The VPN is down")
    await ivan.hears("Where are you?")
    said = again(desk, "inbox", event_key="ivan:poison-1", state="new", body='{"kind": "danced"}')
    name, _, lane, why = await parked(desk)
    assert (name.partition("-")[0], lane) == ("in", said["lane"])
    assert "KeyError" in why
    await ivan.say("/cancel")  # the conversation goes on
    await ivan.hears("Cancelled")
    assert 'deskbridge_dead_letters_total{from="web"} 1.0' in (await desk.get("/metrics"))[1]
    change(desk, "UPDATE inbox SET body = ? WHERE state = 'dead'", said["body"])
    for code in (0, 1):  # the second time there is nothing of that name any more
        told = await desk.ask("dead-letters", "replay", name)
        assert (told.returncode, told.stderr) == (code, "")
    await ivan.press("Office")
    await ivan.hears("How badly")
    assert "no dead letters" in (await desk.ask("dead-letters", "list")).stdout
    asked = [each for each in await ivan.fresh() if "Where are you?" in each.text or "How badly" in each.text]
    assert len(asked) == 1
    assert await desk.stop() == 0


async def test_a_parcel_nobody_can_word_is_parked_and_discarded_once(yard: Yard) -> None:
    desk = await yard.desk().start()
    (ivan,) = await yard.signed_in(desk, "ivan")
    await ivan.say("Is anybody there?")
    await ivan.hears("What is it about?")
    sent = again(desk, "outbox", kind="danced", state="pending", slot=None, lease_until=None)
    name, _, lane, kind, _ = await parked(desk)
    assert (name.partition("-")[0], lane, kind) == ("out", sent["lane"], "danced")
    told = await desk.ask("dead-letters", "discard", name, "in-77")
    assert (told.returncode, name in told.stdout, "in-77" in told.stdout) == (1, False, True)
    assert "no dead letters" in (await desk.ask("dead-letters", "list")).stdout
    assert await desk.stop() == 0


def again(desk: Desk, table: str, **changed: object) -> Mapping[str, object]:
    """Put in the newest row of a table once more, changed as another version might have left it, after so
    many tries that the next one is the last. Returns the row as it was."""
    with closing(sqlite3.connect(desk.database, timeout=10)) as database:
        database.row_factory = sqlite3.Row
        found = dict(database.execute(f"SELECT * FROM {table} ORDER BY id DESC LIMIT 1").fetchone())
    row = {**found, "due_at": 0, "attempts": 50, **changed}
    del row["id"]
    columns, marks = ", ".join(row), ", ".join("?" * len(row))
    change(desk, f"INSERT INTO {table} ({columns}) VALUES ({marks})", *row.values())
    return found


def change(desk: Desk, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(desk.database, timeout=10)) as database:
        database.execute(statement, values)
        database.commit()


async def parked(desk: Desk) -> list[str]:
    """The one dead letter, once it is one."""
    async with asyncio.timeout(30):
        while True:
            _, numbers = await desk.get("/metrics")
            if re.search("deskbridge_dead_letters_total{.*} 1.0", numbers):
                break
            await asyncio.sleep(0.05)
    (line,) = (await desk.ask("dead-letters", "list")).stdout.splitlines()
    return line.split("\t")


def test_a_letter_that_is_none_is_told_so(desk: Desk) -> None:
    told = desk.command("dead-letters", "replay")
    assert (told.returncode, len(told.stderr.splitlines())) == (1, 1)
    names = ("in-99", "out-99", "nonsense", "in-x")
    told = desk.command("dead-letters", "replay", *names)
    assert told.returncode == 1
    assert [name in told.stdout for name in names] == [True] * len(names)


# ---- sign-in


async def test_a_link_from_the_command_line_lets_in_once(yard: Yard) -> None:
    desk = await yard.desk(config=TEAM).start()
    told = await desk.ask("sign-in", "web:anna")
    assert (told.returncode, told.stderr) == (0, "")
    link = told.stdout.strip()
    assert link.startswith(f"{desk.base}/sign-in#")
    token = link.rpartition("#")[2]
    anna, thief = yard.person(desk, "anna"), yard.person(desk, "anna")
    await anna.sign_in(token)
    with pytest.raises(AssertionError, match="403"):
        await thief.sign_in(token)


def test_a_person_is_known_by_name_and_by_account(desk: Desk) -> None:
    for name in ("Anna Smirnova", "anna smirnova", "web:anna", "anna"):
        told = desk.command("sign-in", name)
        assert (told.returncode, told.stderr) == (0, "")
        assert "/sign-in#" in told.stdout


def test_nobody_else_gets_a_link(desk: Desk) -> None:
    for name in ("web:nobody", "telegram:1", "smirnova"):
        is_refused(desk.command("sign-in", name), name, "Anna Smirnova (web:anna)")
