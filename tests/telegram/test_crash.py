"""`kill -9` while people write to the bot: nothing is lost, nothing counts twice, nobody must repeat."""

import asyncio
import contextlib
import signal
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.emulators.telegram import Telegram
from tests.faults import kills
from tests.faults.disk import StubbornDisk
from tests.faults.kills import CRASH_AT, Kill
from tests.process.desk import Desk, free_port
from tests.telegram import live
from tests.telegram.live import Requester, Town

SEED = 20_261_122
AT_ONCE, UPDATES = 12, 120

pytestmark = pytest.mark.sqlite  # it is looked at from outside


async def suffer(town: Town, plan: Sequence[Kill]) -> None:
    """The process is killed again and again; what it had confirmed is on disk each time."""
    for kill in plan:
        await town.desk.launch(**({CRASH_AT: kill.commit} if kill.commit else {}))
        if kill.commit:
            await town.telegram.until(lambda: not town.desk.alive, live.PATIENCE)
        else:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(town.desk.wait(), kill.after)
            town.desk.send(signal.SIGKILL)
        assert await town.desk.wait() == -signal.SIGKILL, town.desk.errors
        town.kills += 1
        if town.desk.database.exists():
            town.check_confirmed()
    await town.desk.start()


async def survive(town: Town, plan: Sequence[Kill]) -> None:
    await town.desk.start()
    await town.one()
    model = town.came[0].heard
    assert await town.desk.stop() == 0
    killing = asyncio.create_task(suffer(town, plan))
    await town.crowd(killing, AT_ONCE, 2 * AT_ONCE)
    await killing
    await town.telegram.settled()
    assert town.updates >= UPDATES
    town.check_confirmed()
    town.check_copies(model)
    await town.check_words()
    assert "no dead letters" in (await town.desk.ask("dead-letters", "list")).stdout
    assert (await town.desk.ready())["ok"]
    assert await town.desk.stop() == 0
    assert town.desk.oddities == []


@pytest.mark.timeout(300)
async def test_killed_around_commits_and_at_random_moments_nothing_is_lost_or_doubled(tmp_path: Path) -> None:
    commits = kills.drawn(kills.at_commits(kills.how_many(20), first=4), 3, SEED)
    moments = kills.at_moments(kills.how_many(2), within=2.5, seed=SEED)
    async with Telegram() as telegram:
        town = Town(telegram, Desk(tmp_path / "desk", live.config(telegram)))
        try:
            await survive(town, [*commits, *moments])
        finally:
            await town.desk.close()


@pytest.mark.timeout(120)
async def test_while_the_disk_takes_nothing_the_offset_stands_still_and_afterwards_all_is_there(
    tmp_path: Path,
) -> None:
    async with Telegram() as telegram:
        town = Town(telegram, Desk(tmp_path / "desk", live.config(telegram)))
        try:
            await town.desk.start()
            await town.one()
            disk, offset = StubbornDisk(town.desk), telegram.updates.offset
            disk.fill()
            talking = asyncio.create_task(town.crowd(asyncio.get_running_loop().create_future(), 3, 0))
            await telegram.until(lambda: telegram.updates.pending)
            tries = len(telegram.called("getUpdates")) + 2
            await telegram.until(lambda: len(telegram.called("getUpdates")) >= tries, what="several tries")
            assert telegram.updates.offset <= offset + 1
            told = await town.desk.ready()
            assert not told["components"]["database"]["ok"]
            disk.free()
            await telegram.settled()
            talking.cancel()
            town.check_confirmed()
        finally:
            await town.desk.close()


@pytest.mark.timeout(120)
async def test_what_the_webhook_answered_with_200_is_there_after_a_kill(tmp_path: Path) -> None:
    port = free_port()
    own = f"http://127.0.0.1:{port}"
    more = 'mode = "webhook"\nwebhook_secret = "a-secret-of-thirty-two-characters"'
    async with Telegram(time_scale=0.05) as telegram:
        config = live.config(telegram, more).replace("[web]\n", f'[web]\npublic_url = "{own}"\n')
        desk = Desk(tmp_path / "desk", config, port=port)
        town = Town(telegram, desk)
        people = [telegram.user(live.FIRST + number, started=True) for number in range(40)]
        try:
            for turn in range(4):
                await desk.start()
                for number in range(5):
                    for user in people:
                        await user.send(f"{turn} {number}")
                target = 200 * turn + 60 + 20 * turn
                await telegram.until(lambda target=target: answered(telegram) >= target)
                await desk.stop(signal.SIGKILL)
                check_answered(town)
            await desk.start()
            await telegram.settled()
            check_answered(town)
            assert sorted(town.kept()) == [update.id for update in telegram.updates.told]
        finally:
            await desk.close()
            await telegram.webhook.close()


def answered(telegram: Telegram) -> int:
    return sum(each.status == 200 for each in telegram.webhook.tries)


def check_answered(town: Town) -> None:
    kept = set(town.kept())
    assert {each.update for each in town.telegram.webhook.tries if each.status == 200} <= kept


async def test_a_stop_lets_arrive_what_is_being_sent_and_nothing_is_left_in_doubt(tmp_path: Path) -> None:
    async with Telegram() as telegram:
        desk = Desk(tmp_path / "desk", live.config(telegram))
        user = telegram.user(live.FIRST, language_code="en", started=True)
        try:
            await desk.start()
            sending = telegram.fail("sendMessage", "late")
            await user.send("VPN is down")
            await telegram.until(lambda: telegram.called("sendMessage"))
            desk.send(signal.SIGTERM)
            while "stopping" not in (await desk.get("/readyz"))[1]:
                pass
            sending.healed.set()
            assert await desk.wait() == 0
            assert [message.by_bot for message in user.messages] == [False, True]
            assert Requester(telegram, desk, user).has_been_answered()
        finally:
            await desk.close()
