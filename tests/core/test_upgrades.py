"""What an older version left is what it was after the upgrade: due times, pauses, the last progress."""

import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from core.database import engine
from core.database.engine import Database
from core.kernel.clock import HandClock
from core.kernel.ids import TicketId
from core.sla import store as clocks
from core.sla.model import Promises, Target
from core.tickets import store as tickets
from tests.core.test_names import left_at

BEGUN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
NUMBER = TicketId(1)


def _micro(length: timedelta) -> int:
    return length // timedelta(microseconds=1)


def _at(minutes: int) -> int:
    return _micro(BEGUN + minutes * MINUTE - datetime(1970, 1, 1, tzinfo=UTC))


def _insert(connection: sqlite3.Connection, table: str, **told: Any) -> None:
    """A row in which everything that must be there and is not told is empty."""
    for _, name, of, needed, given, key in connection.execute(f"PRAGMA table_info({table})").fetchall():
        if needed and given is None and name not in told and not key:
            told[name] = 0 if "INT" in of else ""
    names, marks = ", ".join(told), ", ".join("?" for _ in told)
    connection.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", tuple(told.values()))


@pytest.fixture
async def database(tmp_path: Path) -> AsyncIterator[Database]:
    """A ticket that was waited for twice, five minutes and now, with 0005."""
    path = tmp_path / "desk.db"
    left_at(path, "0005")
    with closing(sqlite3.connect(path)) as connection:
        _insert(connection, "persons", id=1, name="Ivan", roles='["requester"]', queues="[]")
        facts: dict[str, Any] = {"status": "waiting", "priority": "high", "level": "L1", "answers": "[]"}
        _insert(connection, "tickets", id=1, requester_id=1, created_at=_at(0), changed_at=_at(40), **facts)
        told = (("opened", 0, None), ("claimed", 7, 1), ("said", 20, 1), ("prioritised", 30, None))
        for kind, minute, actor in told:
            facts = {"kind": kind, "at": _at(minute), "actor_id": actor, "facts": "{}"}
            _insert(connection, "events", ticket_id=1, **facts)
        length, due = {"length": _micro(60 * MINUTE)}, {"due_at": _at(65)}
        paused = {"paused_for": _micro(5 * MINUTE), "paused_at": _at(40)}
        _insert(
            connection,
            "clocks",
            ticket_id=1,
            target="resolution",
            started_at=_at(0),
            **length,
            **due,
            **paused,
        )
        met = {"paused_for": 0, "met_at": _at(10), "due_at": _at(60)}
        _insert(connection, "clocks", ticket_id=1, target="first", started_at=_at(0), **length, **met)
        connection.commit()
    lock = engine.prepare(path)
    opened = Database(path, HandClock())
    opened.rules = {Promises: Promises(())}
    yield opened
    await opened.close()
    lock.release()


async def test_what_a_promise_stood_still_is_known_after_the_upgrade_and_it_is_due_when_it_was(
    database: Database,
) -> None:
    found = await database.read(lambda tx: clocks.of_ticket(tx, NUMBER))
    times = await database.read(lambda tx: clocks.due_times(tx, NUMBER))
    resolution, first = found[Target.RESOLUTION], found[Target.FIRST]
    assert (resolution.due_at, resolution.warn_at) == times[Target.RESOLUTION]
    assert times[Target.RESOLUTION] == (BEGUN + 65 * MINUTE, BEGUN + 50 * MINUTE)
    assert resolution.paused_at == BEGUN + 40 * MINUTE
    assert resolution.resumed(BEGUN + 50 * MINUTE).due_at == BEGUN + 75 * MINUTE
    assert (first.pauses, first.met_at) == ((), BEGUN + 10 * MINUTE)


async def test_progress_is_what_somebody_of_the_desk_did_last(database: Database) -> None:
    ticket = await database.read(lambda tx: tickets.get(tx, NUMBER))
    assert ticket.progress_at == BEGUN + 7 * MINUTE
