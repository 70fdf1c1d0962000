"""`kill -9` while people talk: nothing is lost, nothing counts twice, and Slack shows everything once."""

import asyncio
import contextlib
import signal
from collections.abc import AsyncIterator, Sequence
from pathlib import Path

import pytest

from tests.emulators.slack import Call, Slack
from tests.faults import kills
from tests.faults.disk import StubbornDisk
from tests.faults.kills import CRASH_AT, Kill
from tests.process.desk import Desk, free_port
from tests.slack import live
from tests.slack.live import Town, persistent
from tests.slack.rig import TEAM, Mode

__all__ = ["persistent"]
pytestmark = [pytest.mark.sqlite, pytest.mark.usefixtures("persistent")]
SEED = 20_261_204
AT_ONCE, EVENTS = 6, 60
LOST_ANSWER = Kill()
"""Dies while it waits to hear that a post of its own stands there."""


@contextlib.asynccontextmanager
async def town(folder: Path, mode: Mode) -> AsyncIterator[Town]:
    """A desk that has not been started, and a Slack that brings what there is to where it will be."""
    async with Slack(team=TEAM, time_scale=0.1, patience=3) as slack:
        anna = slack.user("Anna", id=live.ANNA, locale="en-US")
        triage = {name: slack.channel(f"triage-{name}", members=[anna]) for name in live.QUEUES}
        port = free_port()
        desk = Desk(folder / "desk", live.config(slack, triage, mode), port=port)
        if mode == "http":
            slack.hooks.urls = dict.fromkeys(
                ("events_api", "interactive", "slash_commands"), f"http://127.0.0.1:{port}/slack/events"
            )
        try:
            yield Town(slack, desk, triage, mode)
        finally:
            await desk.close()


async def suffer(town: Town, plan: Sequence[Kill]) -> None:
    """The process is killed again and again; what it had acknowledged is on disk each time."""
    for kill in plan:
        await town.desk.launch(**({CRASH_AT: kill.commit} if kill.commit else {}))
        if kill.commit:
            await town.slack.until(lambda: not town.desk.alive, live.PATIENCE)
        elif kill is LOST_ANSWER:
            lost = len(hanging(town))
            town.slack.fail("chat.postMessage", "hang after", seconds=600)
            await town.slack.until(lambda lost=lost: len(hanging(town)) > lost, live.PATIENCE)
            town.desk.send(signal.SIGKILL)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(town.desk.wait(), kill.after)
            town.desk.send(signal.SIGKILL)
        assert await town.desk.wait() == -signal.SIGKILL, town.desk.errors
        town.check_acknowledged()
    await town.desk.start()


def hanging(town: Town) -> list[Call]:
    """The posts that were shown though no answer told so."""
    return [call for call in town.slack.called("chat.postMessage") if call.fault and call.performed]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_killed_around_commits_and_at_random_moments_nothing_is_lost_or_shown_twice(
    tmp_path: Path, mode: Mode
) -> None:
    commits = kills.drawn(kills.at_commits(kills.how_many(28), first=6), 1, SEED)
    moments = kills.at_moments(kills.how_many(1), within=2.5, seed=SEED)
    async with town(tmp_path, mode) as t:
        killing = asyncio.create_task(suffer(t, [*commits, LOST_ANSWER, *moments]))
        while not killing.done():
            await t.crowd(AT_ONCE)
        await killing
        await t.settled()
        assert len(t.slack.deliveries.told) >= EVENTS
        t.check_acknowledged()
        t.check_shown()
        await t.check_words()
        for call in hanging(t):
            asked = t.slack.called("conversations.history") + t.slack.called("conversations.replies")
            assert call.channel in {each.channel for each in asked if each.number > call.number}
        assert "no dead letters" in (await t.desk.ask("dead-letters", "list")).stdout
        assert (await t.desk.ready())["ok"]
        assert await t.desk.stop() == 0
        assert t.desk.oddities == []


@pytest.mark.timeout(120)
@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_while_the_disk_takes_nothing_nothing_is_acknowledged_and_afterwards_all_is_there(
    tmp_path: Path, mode: Mode
) -> None:
    async with town(tmp_path, mode) as t:
        await t.desk.start()
        users = [t.slack.user(f"Guest {number}") for number in range(5)]
        await users[0].send("My vpn is down")
        await t.settled()
        disk, t.slack.patience = StubbornDisk(t.desk), 0.5
        disk.fill()
        for user in users:
            await user.send("and it hurries")
        act = await (await users[0].command("/desk my")).done()
        assert not act.taken
        waiting = t.slack.deliveries.waiting
        await t.slack.until(lambda: all(len(each.tries) > 1 for each in waiting), live.PATIENCE)
        assert {each.state for each in waiting} == {"waiting"}
        assert len(waiting) == len(users)
        assert not (await t.desk.ready())["components"]["database"]["ok"]
        disk.free()
        await t.settled()
        assert {each.state for each in waiting} == {"taken"}
        t.check_acknowledged()
        while not (await t.desk.ready())["ok"]:
            await asyncio.sleep(0.05)
        assert t.desk.oddities == []


async def test_a_stop_lets_arrive_what_is_being_sent_and_nothing_is_left_in_doubt(tmp_path: Path) -> None:
    async with town(tmp_path, "socket") as t:
        await t.desk.start()
        user = t.slack.user("Guest")
        sending = t.slack.fail("chat.postMessage", "slow", seconds=5)
        await user.send("My vpn is down")
        await t.slack.until(lambda: t.slack.called("chat.postMessage"), live.PATIENCE)
        assert await t.desk.stop() == 0
        assert [message.by_bot for message in user.dm.messages] == [False, True]
        assert t.is_settled()
        assert sending.times == 0
