"""PostgreSQL finds an index for whatever the desk asks all day, also where it plans once for all values."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from core.database import numbered
from tests import databases, kept
from tests.town import town

pytestmark = pytest.mark.sqlite  # it chooses by itself
GROWING = (
    "inbox",
    "outbox",
    "posts",
    "timers",
    "tickets",
    "messages",
    "events",
    "pings",
    "persons",
    "web_messages",
)
"""Tables that must not be read whole in a turn, a claim or a delivery."""
SCAN = re.compile(r"Seq Scan on (\w+)")


async def asked(folder: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What a desk asks that takes a report, claims it, answers, pings and closes."""
    words: dict[str, None] = {}
    make = numbered.Numbered.__init__

    def noted(self: numbered.Numbered, *given: Any) -> None:
        make(self, *given)
        words[self.words] = None

    monkeypatch.setattr(numbered.Numbered, "__init__", noted)
    monkeypatch.setattr(databases, "ON_SERVER", True)
    async with town(folder) as desk:
        ivan, anna = desk["ivan"], desk["anna"]
        await ivan.say("VPN drops every ten minutes")
        for label in ("The office", "Only me", "Skip", "Nobody can work", "Send"):
            await ivan.press(label)
        for _ in range(2):
            for command in (
                "/take 1",
                "/reply 1 On my way",
                "/note 1 the switch again",
                "/queue",
                "/release 1",
            ):
                await anna.say(command)
            await ivan.say("It happens again")
            for _ in range(3):
                desk.clock.advance(timedelta(minutes=20))
                await desk.settle()
        await anna.say("/take 1")
        await anna.say("/resolve 1 mended")
        desk.clock.advance(timedelta(days=9))
        await desk.settle()
    return list(words)


async def plans(folder: Path, words: Sequence[str]) -> dict[str, str]:
    """How the planner would go about each statement without knowing the values."""
    raw = await asyncpg.connect(kept.place(folder / "plans.db").dsn)
    found = {}
    try:
        await raw.execute("SET plan_cache_mode = force_generic_plan; SET enable_seqscan = off")
        for number, each in enumerate(words):
            await raw.execute(f"PREPARE q{number} AS {each}")
            many = max((int(place) for place in re.findall(r"\$(\d+)", each)), default=0)
            given = f"({', '.join(['NULL'] * many)})" if many else ""
            rows = await raw.fetch(f"EXPLAIN EXECUTE q{number}{given}")
            found[each] = "\n".join(row[0] for row in rows)
    finally:
        await raw.close()
    return found


async def test_nothing_that_grows_is_read_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = await plans(tmp_path, await asked(tmp_path, monkeypatch))
    assert len(found) > 50
    whole = {
        words: sorted(set(SCAN.findall(plan)) & set(GROWING))
        for words, plan in found.items()
        if set(SCAN.findall(plan)) & set(GROWING)
    }
    assert whole == {}
