"""Catching up: what was said while nobody heard is heard afterwards, once, and in its order."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.adapters.slack import hearing, store
from bot.incoming import Edited, Said
from core.kernel.ids import Address
from tests.emulators.slack import File
from tests.slack.ear import Ear, ear

pytestmark = pytest.mark.usefixtures("hurried", "any_outage_is_long")


@pytest.fixture
def any_outage_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hearing, "LONG", timedelta(0))


async def _until(one: Ear) -> datetime | None:
    return await one.database.read(lambda tx: store.heard_until(tx, one.slack.team))


async def _noted(one: Ear) -> None:
    """Wait until it is written down that all was heard up to now."""
    now = datetime.now(UTC)
    while (until := await _until(one)) is None or until < now:
        await one.slack.until(lambda: True)
        await one.slack.idle(0.02)


async def _caught_up(one: Ear, count: int) -> None:
    await one.slack.until(lambda: len(one.door.kept) >= count, what=f"{count} events")
    await one.slack.until(lambda: not one.hearing._catching_up and one.hearing._deaf_from is None)


async def test_after_an_outage_every_direct_message_is_heard_in_its_order(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann, boris = one.slack.user("Ann Lee", locale="ru-RU"), one.slack.user("Boris")
        await ann.send("before")
        await boris.send("hello")
        await one.slack.settled()
        await _noted(one)
        await one.stop()
        for number in range(3):
            await ann.send(f"ann {number}", told=False, files=[File("log.txt", b"1")] if number else ())
            await boris.send(f"boris {number}", told=False)
        one.hearing = one._anew()
        await one.start()
        await _caught_up(one, 8)
        reads = await one.reads()
        of = {name: [each for each in reads if each.sender.name == name] for name in ("Ann Lee", "Boris")}
        said = {
            name: [each.what for each in found if isinstance(each.what, Said)] for name, found in of.items()
        }
        assert {name: [what.text for what in whats] for name, whats in said.items()} == {
            "Ann Lee": ["before", "ann 0", "ann 1", "ann 2"],
            "Boris": ["hello", "boris 0", "boris 1", "boris 2"],
        }
        for found in of.values():
            assert all(each.private and each.where.thread for each in found)
            assert [each.at for each in found] == sorted(each.at for each in found)
        assert [len(what.files) for what in said["Ann Lee"]] == [0, 0, 1, 1]


async def test_what_slack_brings_as_well_counts_once(tmp_path: Path) -> None:
    async with ear(tmp_path, time_scale=0.01, patience=1.0) as one:
        ann = one.slack.user("Ann Lee")
        await ann.send("before")
        await one.slack.settled()
        one.slack.sockets.cut()
        await one.slack.sockets.disable()
        for number in range(5):
            await ann.send(f"meanwhile {number}")
        one.slack.sockets.enable()
        await one.slack.connected(2)
        await _caught_up(one, 6)
        await one.slack.settled(10)
        assert sorted(await one.words()) == ["before", *(f"meanwhile {number}" for number in range(5))]
        assert len(one.slack.called("conversations.history")) >= 2


async def test_replies_in_the_threads_of_tickets_are_heard(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann, boris = one.slack.user("Ann Lee"), one.slack.user("Boris")
        one.triage.members[boris.id] = boris
        old = await ann.send("long ago")
        card = await boris.send("the card", channel=one.triage)
        await one.slack.settled()
        one.threads += [
            Address("slack", f"{one.slack.team}/{ann.id}", old.ts),
            Address("slack", f"{one.slack.team}/{one.triage.id}", card.ts),
            Address("slack", f"{one.slack.team}/CGONE", "1.000001"),
            Address("slack", f"{one.slack.team}/{ann.id}"),
        ]
        await _noted(one)
        await one.stop()
        await ann.send("any news?", thread=old, told=False)
        await boris.send("looking at it", thread=card, told=False)
        fresh = await ann.send("another thing", told=False)
        await ann.send("and more of it", thread=fresh, told=False)
        one.hearing = one._anew()
        await one.start()
        await _caught_up(one, 6)
        reads = {each.what.text: each for each in await one.reads() if isinstance(each.what, Said)}
        assert set(reads) == {
            "long ago",
            "the card",
            "any news?",
            "looking at it",
            "another thing",
            "and more of it",
        }
        assert reads["any news?"].where.thread == old.ts
        assert reads["looking at it"].where == Address("slack", f"{one.slack.team}/{one.triage.id}", card.ts)
        assert reads["and more of it"].where.thread == fresh.ts


async def test_a_thread_in_which_somebody_talks_is_read_once_for_each_outage(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee")
        root = await ann.send("long ago")
        await one.slack.settled()
        reading, place = one.hearing._catch_up, (ann.dm.id, root.ts)
        first, second = datetime.now(UTC) - timedelta(hours=2), datetime.now(UTC) - timedelta(hours=1)
        await ann.send("missed first", thread=root, told=False)
        for _ in range(2):
            await reading.read(first, place)
        await ann.send("missed later", thread=root, told=False)
        await reading.read(second, place)
        assert await one.words() == ["long ago", "missed first", "missed later"]
        assert len(one.slack.called("conversations.replies")) == 2


async def test_an_edit_during_the_outage_is_heard_too(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee")
        said = await ann.send("the printer is on fier")
        await one.slack.settled()
        await _noted(one)
        one.slack.subscribed.clear()  # nothing is told any more
        await ann.edit(said, "the printer is on fire")
        await one.restart()
        await _caught_up(one, 2)
        whats = [each.what for each in await one.reads()]
        assert whats == [Said("the printer is on fier", said.ts), Edited("the printer is on fire", said.ts)]


async def test_what_the_desk_said_itself_is_not_heard(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee")
        await ann.send("hello")
        await one.slack.settled()
        await _noted(one)
        await one.stop()
        await one.client.web.chat_postMessage(channel=ann.dm.id, text="I am the desk")
        await one.client.web.chat_postMessage(channel=one.triage.id, text="a card")
        await ann.send("last words", told=False)
        one.hearing = one._anew()
        await one.start()
        await _caught_up(one, 2)
        assert await one.words() == ["hello", "last words"]


async def test_many_pages_are_read_to_the_end_though_slack_asks_to_wait(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("bot.adapters.slack.catchup.PAGE", 7)
    async with ear(tmp_path) as one:
        people = [one.slack.user(f"Person {number}") for number in range(20)]
        for person in people:
            await person.send("hello")
        await one.slack.settled()
        await _noted(one)
        await one.stop()
        for number in range(16):
            await people[0].send(f"words {number}", told=False)
        one.slack.fail("conversations.history", "429", 3, retry_after=0)
        one.slack.fail("conversations.history", "cut after", 2)
        one.slack.fail("conversations.list", "500", 2)
        one.hearing = one._anew()
        await one.start()
        await _caught_up(one, 36)
        mine = [each for each in await one.words() if each.startswith("words")]
        assert mine == [f"words {number}" for number in range(16)]


async def test_while_the_database_is_away_it_does_not_pass_over_anything(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee")
        await ann.send("hello")
        await one.slack.settled()
        await _noted(one)
        await one.stop()
        await ann.send("meanwhile", told=False)
        one.door.shut = True
        one.hearing = one._anew()
        before, told = await _until(one), one.door.told
        await one.start()
        await one.slack.until(lambda: one.door.told > told + 2, what="several tries")
        assert await _until(one) == before
        one.door.shut = False
        await _caught_up(one, 2)
        assert await one.words() == ["hello", "meanwhile"]
        await _noted(one)


async def test_a_conversation_that_cannot_be_read_does_not_hinder_the_others(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        ann = one.slack.user("Ann Lee")
        await ann.send("hello")
        await one.slack.settled()
        await _noted(one)
        await one.stop()
        one.triage.members.pop(one.slack.bot.id)
        await ann.send("meanwhile", told=False)
        one.hearing = one._anew()
        await one.start()
        await _caught_up(one, 2)
        assert await one.words() == ["hello", "meanwhile"]


async def test_at_the_very_first_start_nothing_of_the_past_is_asked_for(tmp_path: Path) -> None:
    async with ear(tmp_path, begin=False) as one:
        ann = one.slack.user("Ann Lee")
        await ann.send("years ago", told=False)
        await one.start()
        await one.hears("hello")
        await _noted(one)
        assert one.slack.called("conversations.history") == []
        assert len(one.door.kept) == 1


async def test_after_a_short_outage_slack_itself_brings_what_was_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "LONG", timedelta(minutes=1))
    async with ear(tmp_path, time_scale=0.01, patience=1.0) as one:
        await one.hears("before")
        await _noted(one)
        await one.slack.sockets.disable()
        await one.slack.users["U0ANN"].send("meanwhile")
        one.slack.sockets.enable()
        await one.slack.connected(2)
        await one.slack.settled(10)
        assert await one.words() == ["before", "meanwhile"]
        assert one.slack.called("conversations.history") == []


async def test_what_slack_kept_back_is_fetched_when_the_rush_is_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "KEPT_BACK", 0.1)
    async with ear(tmp_path) as one:
        await one.hears("before")
        await one.slack.users["U0ANN"].send("kept back", told=False)
        limited = {"type": "app_rate_limited", "team_id": one.slack.team, "minute_rate_limited": 1}
        one.slack.deliveries.send("events_api", limited)
        one.slack.sockets.cut(one.slack.sockets.open[:1])
        await one.slack.until(lambda: len(one.door.kept) == 3, what="the message that was kept back")
        assert sorted(await one.words()) == ["before", "kept back"]


async def test_where_slack_asks_to_wait_catching_up_waits(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        await one.hears("before")
        await _noted(one)
        await one.stop()
        await one.slack.users["U0ANN"].send("meanwhile", told=False)
        one.slack.flood("conversations.history", 1.2)
        one.hearing = one._anew()
        await one.start()
        await _caught_up(one, 2)
        asked = one.slack.called("conversations.history")
        assert [call.status for call in asked[:2]] == [429, 200]
        assert not any(call.early for call in asked)
