"""Bad days of Slack: nobody's trouble is anybody else's, nothing is lost, and nothing is shown twice."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.port import Reader
from bot.message import Attachment, Plain, say
from core.database.transaction import Transaction
from core.kernel.errors import TemporaryError
from core.kernel.ids import Address, ParcelId
from core.outbox import actions as outbox
from tests.emulators.slack import Channel, Rates
from tests.emulators.slack.faults import Kind
from tests.emulators.slack.gate import ALL_SCOPES
from tests.slack import mail
from tests.slack.mail import expected, heard, pass_time, posts, states, tell
from tests.slack.rig import Rig, rig

AWAY = 1500.0
"""Seconds in which a parcel would long have used up its tries."""


# ---- answers that never came


@pytest.mark.parametrize("kind", ["cut after", "truncated"])
@pytest.mark.parametrize("share", [0.1, 0.3])
async def test_an_answer_that_was_lost_costs_no_copy(tmp_path: Path, share: float, kind: Kind) -> None:
    async with rig(tmp_path) as t:
        rooms = [*mail.channels(t, 20), *(t.slack.user(f"Person {n}").dm for n in range(10))]
        t.slack.fail("chat.postMessage", kind, -1, share=share)
        await tell(t, rooms, 4)
        await pass_time(t, 900)
        assert heard(rooms) == expected(rooms, 4)
        assert sum(call.fault == kind for call in posts(t)) > 5
        assert all(call.performed for call in posts(t))
        assert len(posts(t)) == 120
        assert await states(t) == {"sent": 120}


async def test_an_answer_that_was_lost_below_a_message_costs_no_copy(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        root = await t.anna.send("the root", channel=t.town, told=False)
        t.slack.fail("chat.postMessage", "cut after", -1, share=0.3)
        await tell(t, [t.town], 30, below=root)
        await pass_time(t, 900)
        assert [each.shown for each in root.replies] == expected([t.town], 30)[t.town.id]
        assert len(posts(t)) == 30


async def test_while_history_cannot_be_asked_nothing_is_posted_again(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        rooms = mail.channels(t, 5)
        t.slack.fail("chat.postMessage", "cut after", 5)
        t.slack.fail("conversations.history", "500", 20)
        await tell(t, rooms, 2)
        await pass_time(t, 900)
        assert heard(rooms) == expected(rooms, 2)
        assert len(posts(t)) == 10


async def test_after_a_restart_what_may_stand_there_is_looked_for(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        rooms = mail.channels(t, 5)
        t.slack.fail("chat.postMessage", "cut after", 5)
        t.slack.fail("conversations.history", "503 empty", -1)
        await tell(t, rooms, 2)
        await t.house.delivery.catch_up()
        assert await states(t) == {"uncertain": 5, "pending": 5}
        t.slack.heal()
        await t.restart()
        await pass_time(t, 60)
        assert heard(rooms) == expected(rooms, 2)
        assert len(posts(t)) == 10


async def kept(t: Rig, name: str, data: bytes) -> Attachment:
    """A file of the desk's."""

    async def chunks() -> AsyncIterator[bytes]:
        yield data

    blob = await t.house.blobs.keep(chunks())
    return Attachment(blob.file_id, name, "image/png", blob.size)


def files_in(channel: Channel) -> list[bytes]:
    return [file.data for message in channel.from_bot for file in message.files]


@pytest.mark.parametrize("kind", ["cut after", "cut before", "truncated", "500"])
async def test_files_whose_answer_was_lost_are_shown_once(tmp_path: Path, kind: Kind) -> None:
    async with rig(tmp_path) as t:
        rooms = mail.channels(t, 6)
        same = [await kept(t, "image.png", data) for data in (b"\x89PNG", b"\x89PNG other")]
        t.slack.fail("files.completeUploadExternal", kind, -1, share=0.4)
        await tell(t, rooms, 3, files=same)
        await pass_time(t, 1800)
        assert await states(t) == {"sent": 18}
        assert {name: [words for words in said if words] for name, said in heard(rooms).items()} == expected(
            rooms, 3
        )
        assert [files_in(each) for each in rooms] == [[b"\x89PNG", b"\x89PNG other"] * 3] * 6


async def test_parts_added_by_an_edit_whose_answer_was_lost_are_added_once(tmp_path: Path) -> None:
    """A card that has grown out of one message of Slack's, and shrinks again."""
    async with rig(tmp_path) as t:
        adapter, reader = t.house.adapters["slack"], Reader("en", "UTC")
        where = Address.parse(mail.room(t.town))
        short = await adapter.post(where, say(Plain("short")), reader, "one")
        long = say(*(Plain(f"{number} {'words ' * 480}") for number in range(12)))
        for kind in ("cut after", "truncated"):
            t.slack.fail("chat.postMessage", kind, skip=1)
            with pytest.raises(TemporaryError):
                await adapter.edit(where, short, long, reader)
            assert len(t.town.from_bot) > 2
            grown = await adapter.edit(where, short, long, reader)
            shown = [message.ts for message in t.town.from_bot]
            assert [grown.message, *grown.parts] == shown
            assert sum(text.count("words") for text in t.town.texts) == 12 * 480
            assert await adapter.edit(where, grown, say(Plain("short")), reader) == short
            assert t.town.texts == ["short"]


async def test_what_was_given_up_in_doubt_is_looked_for_when_it_is_tried_once_more(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        rooms = mail.channels(t, 2)
        t.slack.fail("chat.postMessage", "cut after", channel=rooms[0].id)
        t.slack.fail("chat.postMessage", "500", -1, channel=rooms[1].id)
        t.slack.fail("conversations.history", "500", -1)
        await tell(t, rooms, 1)
        await pass_time(t, 3600, step=30.0)
        assert await states(t) == {"dead": 2}
        t.slack.heal()

        async def revive(tx: Transaction) -> None:
            assert await outbox.replay(tx, ParcelId(1))
            assert await outbox.revive(tx, mail.room(rooms[1])) == 1

        await t.database.write(revive)
        await pass_time(t, 60)
        assert heard(rooms) == expected(rooms, 1)


# ---- asked to wait


async def test_a_channel_that_must_wait_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        slow, *others = rooms = mail.channels(t, 31)
        t.slack.flood("chat.postMessage", 30, slow)
        began = t.clock.now().timestamp()
        await tell(t, rooms, 3)
        await pass_time(t, 10)
        assert heard(others) == expected(others, 3)
        assert max(call.at for call in posts(t) if call.status == 200) - began < 5
        await pass_time(t, 60)
        assert heard(rooms) == expected(rooms, 3)
        assert len(posts(t, slow)) == 4
        assert not any(call.early for call in posts(t))


async def test_nobody_is_written_to_before_their_wait_is_over_and_everything_arrives_in_order(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as t:
        rooms = mail.channels(t, 40)
        t.slack.fail("chat.postMessage", "429", -1, share=0.3, retry_after=3)
        await tell(t, rooms, 4)
        await pass_time(t, 600)
        assert heard(rooms) == expected(rooms, 4)
        assert sum(call.status == 429 for call in posts(t)) > 30
        assert not any(call.early for call in posts(t))


@pytest.mark.parametrize("retry_after", [0, "soon", None, "Wed, 21 Oct 2026 07:28:00 GMT"])
async def test_a_wait_without_a_length_is_one_all_the_same(
    tmp_path: Path, retry_after: int | str | None
) -> None:
    async with rig(tmp_path) as t:
        rooms = mail.channels(t, 1)
        t.slack.fail("chat.postMessage", "429", 20, retry_after=retry_after)
        await tell(t, rooms, 1)
        await pass_time(t, 1000, step=5.0)
        assert heard(rooms) == expected(rooms, 1)
        assert len(posts(t)) == 21


async def test_a_thousand_posts_drain_in_order_at_the_pace_of_each_channel(tmp_path: Path) -> None:
    """Others use up the allowance of some channels too: their own waits are all that is noticed of it."""
    async with rig(tmp_path, rates=Rates(post_burst=1)) as t:
        rooms = mail.channels(t, 50)
        began = t.clock.now().timestamp()
        for each in rooms[:5]:
            t.slack.flood("chat.postMessage", 7, each)
        await tell(t, rooms, 20)
        await pass_time(t, 600)
        assert heard(rooms) == expected(rooms, 20)
        last = {each.id: max(call.at for call in posts(t, each)) - began for each in rooms}
        assert max(last[each.id] for each in rooms[5:]) < 25
        assert max(last.values()) < 35
        assert not any(call.early for call in posts(t))
        assert sum(call.status == 429 for call in posts(t)) == 5


# ---- trouble at Slack


@pytest.mark.parametrize("kind", ["500", "503 html", "503 empty", "200 html", "cut before", "error"])
async def test_what_was_not_performed_arrives_once(tmp_path: Path, kind: Kind) -> None:
    async with rig(tmp_path) as t:
        rooms = mail.channels(t, 10)
        t.slack.fail("chat.postMessage", kind, -1, share=0.4, text="fatal_error")
        await tell(t, rooms, 3)
        await pass_time(t, 900)
        assert heard(rooms) == expected(rooms, 3)
        assert await states(t) == {"sent": 30}


async def test_words_that_break_slack_each_time_are_given_up_and_stop_nobody_else(tmp_path: Path) -> None:
    """Though the app lacks a scope: that is no reason to wait for better times."""
    async with rig(tmp_path, scopes=set(ALL_SCOPES) - {"files:write"}) as t:
        assert t.house.health()["slack"].note
        poisoned, *others = rooms = mail.channels(t, 5)
        t.slack.fail("chat.postMessage", "500", 12, channel=poisoned.id)
        await tell(t, rooms, 2)
        await pass_time(t, 5)
        assert heard(others) == expected(others, 2)
        await pass_time(t, 3600, step=30.0)
        assert await states(t) == {"sent": 9, "dead": 1}
        assert heard([poisoned]) == {poisoned.id: [f"1 for {poisoned.id}"]}


@pytest.mark.parametrize("trouble", ["away", "revoked", "503 html"])
async def test_a_long_time_without_slack_loses_nothing_and_makes_no_storm(
    tmp_path: Path, trouble: str, hurried: None
) -> None:
    async with rig(tmp_path) as t:
        rooms = mail.channels(t, 8)
        await t.slack.connected(2)
        if trouble == "away":
            await t.slack.go_down()
        elif trouble == "revoked":
            t.slack.revoked = True
        else:
            t.slack.fail("*", "503 html", -1)
        t.slack.sockets.cut()
        await t.slack.until(lambda: t.house.health()["slack"].detail, 10)
        await tell(t, rooms, 3)
        await pass_time(t, AWAY, step=5.0)
        tries = len(posts(t))
        assert set(await states(t)) <= {"pending", "uncertain"}
        assert tries <= len(rooms) * AWAY / 4, "none of them tries in a hurry"
        if trouble == "away":
            await t.slack.come_back()
        t.slack.revoked = False
        t.slack.heal()
        await t.slack.until(lambda: not t.house.health()["slack"].detail, 10)
        await pass_time(t, 120)
        assert heard(rooms) == expected(rooms, 3)
