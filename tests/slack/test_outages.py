"""After an outage: nothing that was said meanwhile is lost, and what was said first is heard first."""

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from bot.adapters.slack import store
from core.database.transaction import Transaction
from core.kernel.errors import TemporaryError
from tests.slack import rig as rigs
from tests.slack.rig import TEAM, Rig

pytestmark = pytest.mark.usefixtures("hurried")
WHILE = timedelta(minutes=20)


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path) as opened:
        yield opened


async def _falls_silent(desk: Rig) -> None:
    """The desk is gone, some time after it heard last."""
    await desk.later(WHILE)
    await desk.stop()
    await desk.database.write(lambda tx: store.hear_until(tx, TEAM, desk.clock.now()))
    desk.clock.advance(WHILE)


async def _is_back(desk: Rig) -> None:
    desk.clock.advance(WHILE)
    await desk.start()
    await _caught_up(desk)


async def _caught_up(desk: Rig) -> None:
    hearing = desk.house.adapters["slack"].hearing  # type: ignore[attr-defined]
    await desk.slack.until(
        lambda: not hearing._catching_up and hearing._deaf_from is None, 10, "all that was missed to be read"
    )
    await desk.settle()


async def test_a_database_that_is_away_for_a_moment_at_the_start_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, asked = store.heard_until, []

    async def away_at_first(tx: Transaction, team: str) -> datetime | None:
        asked.append(team)
        if len(asked) == 1:
            raise TemporaryError("nobody there")
        return await usual(tx, team)

    monkeypatch.setattr(store, "heard_until", away_at_first)
    async with rigs.rig(tmp_path) as desk:
        await desk.report()
        assert "VPN drops" in desk.card(1).shown
    assert len(asked) > 1


async def test_an_answer_in_the_thread_of_a_request_not_sent_yet_is_heard_afterwards(desk: Rig) -> None:
    root = await desk.say(desk.ivan, "VPN drops")
    await _falls_silent(desk)
    await desk.ivan.send("Home", thread=root, told=False)
    await _is_back(desk)
    assert any("Home" in each.shown for each in root.replies if each.by_bot)


async def test_words_in_the_thread_of_a_ticket_closed_before_are_heard_afterwards(desk: Rig) -> None:
    root = await desk.report()
    await desk.react(desk.anna, desk.card(1), "eyes")
    await desk.react(desk.anna, desk.card(1), "white_check_mark")
    await desk.choose(desk.ivan, desk.word("button.fixed"))
    await _falls_silent(desk)
    await desk.ivan.send("it is broken again", thread=root, told=False)
    await _is_back(desk)
    assert desk.word("button.reopen") in root.replies[-1].buttons


async def test_what_was_missed_comes_before_what_is_said_when_the_desk_is_back(desk: Rig) -> None:
    root = await desk.report()
    await _falls_silent(desk)
    await desk.ivan.send("said first", thread=root, told=False)
    desk.clock.advance(WHILE)
    desk.slack.fail("conversations.replies", "slow", times=1, seconds=30)
    desk.slack.fail("conversations.list", "slow", times=1, seconds=30)
    await desk.start()
    await desk.ivan.send("said second", thread=root)
    await desk.settle()
    await _caught_up(desk)
    told = desk.told(1)
    assert told.index("said first") < told.index("said second")


async def test_a_press_is_handled_after_the_words_that_were_missed_in_its_thread(desk: Rig) -> None:
    root = await desk.say(desk.ivan, "VPN drops")
    await desk.choose(desk.ivan, "The office")
    await _falls_silent(desk)
    await desk.ivan.send("Only me", thread=root, told=False)
    desk.clock.advance(WHILE)
    desk.slack.fail("conversations.replies", "slow", times=1, seconds=30)
    await desk.start()
    stale = next(each for each in reversed(root.replies) if "Only me" in each.buttons)
    pressed = await desk.ivan.press(stale, "Only me")
    await desk.settle()
    await pressed.done()
    await _caught_up(desk)
    assert len([each for each in root.replies if each.by_bot and "Only me" in each.shown]) == 1


async def _cut_off(desk: Rig) -> None:
    """The way from Slack to the desk is cut; the desk itself goes on."""
    assert desk.site is not None
    await desk.site.cleanup()


async def _reachable(desk: Rig) -> None:
    application = web.Application()
    application.add_routes(desk.house.adapters["slack"].routes())
    desk.site = web.AppRunner(application)
    await desk.site.setup()
    await web.TCPSite(desk.site, "127.0.0.1", 0).start()
    await desk.slack.use_http(f"http://127.0.0.1:{desk.site.addresses[0][1]}/slack/events")


async def test_over_http_what_was_said_while_the_way_to_the_desk_was_cut_is_heard(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path, mode="http") as desk:
        root = await desk.report()
        await _cut_off(desk)
        for _ in range(6):
            desk.clock.advance(timedelta(minutes=10))
            await asyncio.sleep(0.06)  # the watch notes how it stands
        await desk.ivan.send("nobody can work now", thread=root, told=False)
        desk.clock.advance(timedelta(minutes=10))
        await _reachable(desk)
        await desk.say(desk.ivan, "hello again", thread=root)
        await _caught_up(desk)
        told = desk.told(1)
        assert told.index("nobody can work now") < told.index("hello again")


async def test_over_http_a_long_silence_is_looked_into_though_nothing_comes(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path, mode="http") as desk:
        root = await desk.report()
        await _cut_off(desk)
        await desk.ivan.send("nobody can work now", thread=root, told=False)
        desk.clock.advance(timedelta(hours=2))
        await desk.slack.until(lambda: bool(desk.slack.called("conversations.list")), 10, "a look")
        await _reachable(desk)
        await _caught_up(desk)
        assert "nobody can work now" in desk.told(1)
