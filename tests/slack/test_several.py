"""Several processes with one Slack app: each hears, one of them knows until when nothing was missed."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.slack import hearing, store
from bot.adapters.slack.client import Client
from bot.adapters.slack.presses import Presses
from tests.offices import Turn
from tests.slack.ear import Ear, ear

pytestmark = pytest.mark.usefixtures("hurried")


@contextlib.asynccontextmanager
async def two(path: Path) -> AsyncIterator[tuple[Ear, Ear, Turn, Turn]]:
    """Two processes on one database with one inbox; the first one looks after what was missed."""
    turns = Turn(ours=True), Turn()
    async with ear(path, begin=False) as one:
        one.office = turns[0]
        one.hearing = one._anew()
        client = Client(one.account.bot_token, one.account.api_url)
        other = Ear(one.slack, one.database, one.account, client, one.triage, one.town, one.door)
        other.office = turns[1]
        other.hearing = other._anew()
        try:
            await one.start()
            await other.start(4)
            yield one, other, *turns
        finally:
            await other.stop()
            await client.close()


async def _until(one: Ear) -> datetime | None:
    return await one.database.read(lambda tx: store.heard_until(tx, one.slack.team))


async def test_only_one_writes_down_until_when_was_heard(tmp_path: Path) -> None:
    async with two(tmp_path) as (one, other, turn, heir):
        await one.slack.until(lambda: one.hearing.health().ok and other.hearing.health().ok)
        await other.hearing._note()
        turn.taken = True
        before = await _until(one)
        with pytest.raises(Exception, match="another process"):
            await one.hearing._note()
        assert await _until(one) == before
        turn.taken = False
        turn.pass_to(heir)
        await one.hearing._note()
        assert await _until(one) == before
        await other.slack.until(lambda: other.hearing._deaf_from is None)
        await other.hearing._note()
        assert (found := await _until(one)) is not None
        assert before is None or found > before


async def test_whoever_takes_over_reads_what_the_other_one_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "LONG", timedelta(0))
    async with two(tmp_path) as (one, other, turn, heir):
        ann = one.slack.user("Ann Lee", locale="ru-RU")
        await ann.send("before")
        await one.slack.settled()
        await one.slack.until(lambda: one.hearing._deaf_from is None and not one.hearing._catching_up)
        await one.hearing._note()
        await one.stop()
        await ann.send("nobody was told", told=False)
        await other.hearing._note()
        assert len(one.door.kept) == 1
        turn.pass_to(heir)
        await other.hearing._note()
        await one.slack.until(lambda: len(one.door.kept) == 2)
        assert sorted(await other.words()) == ["before", "nobody was told"]


async def test_a_press_tells_to_which_process_it_came() -> None:
    presses, others = Presses(mark="@one"), Presses(mark="@other")
    press = presses.open("name", trigger="t")
    assert press.endswith("@one")
    assert press == presses.open("name")
    assert others.trigger(press) is None
    assert presses.trigger(press) == "t"
    assert asyncio.isfuture(presses.verdict(press))
