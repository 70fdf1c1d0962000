"""Every kind of message: read as what it is, brought to ticket and thread whole, or with the limit told."""

import contextlib
import copy
import json
import logging
import random
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import export, fetching, logs
from bot.adapters.port import Raw, Reader
from bot.adapters.telegram import hearing, inbound
from bot.adapters.telegram.account import Account
from bot.adapters.telegram.inbound import Me
from bot.incoming import Incoming, Said
from bot.message import Attachment, Plain, say
from core.inbox import store as inbox
from core.kernel.ids import Address, TicketId
from tests.emulators.telegram import PIXEL, File
from tests.emulators.telegram.contents import venue
from tests.emulators.telegram.world import TOKEN
from tests.telegram import rig as rigs
from tests.telegram.rig import IVAN, Rig

SAMPLES = Path(__file__).parents[1] / "payloads" / "telegram"
ME = Me(7000000001, "desk_test_bot")
NOBODYS = {
    "other kinds of update": """
        business_connection business_message business_message_by_us channel_post chat_boost chat_join_request
        chat_member_joined chat_member_owner chat_member_restricted chosen_inline_result
        deleted_business_messages direct_message_price_changed edited_business_message edited_channel_post
        giveaway_created inline_query message_reaction_count poll_answer poll_state pre_checkout_query
        purchased_paid_media removed_chat_boost shipping_query unknown_kind
    """,
    "what happened, and nobody said": """
        boost_added chat_background_set chat_shared checklist_tasks_added checklist_tasks_done
        connected_website delete_chat_photo forum_topic_closed forum_topic_created forum_topic_edited
        forum_topic_icon_removed forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden
        gift giveaway giveaway_completed giveaway_winners group_chat_created left_chat_member
        left_chat_member_bot message_auto_delete_timer_changed migrate_from_chat_id new_chat_members
        new_chat_photo new_chat_title paid_message_price_changed pinned_message pinned_message_gone
        proximity_alert_triggered refunded_payment successful_payment suggested_post_declined
        supergroup_chat_created users_shared video_chat_ended video_chat_participants_invited
        video_chat_scheduled video_chat_started web_app_data write_access_allowed
    """,
    "presses that are none of ours": "callback_query_game callback_query_inline",
    "reactions that say nothing": """
        message_reaction_anonymous message_reaction_custom message_reaction_paid message_reaction_removed
    """,
    "what concerns the private chat alone": "my_chat_member_blocked my_chat_member_unblocked",
    "steps of a live location": "edited_live_location",
}
"""The updates that mean nothing to a help desk."""


def sample(name: str) -> Any:
    return json.loads((SAMPLES / f"{name}.json").read_text("utf-8"))


def names(folder: Path = SAMPLES) -> list[str]:
    return sorted(path.stem for path in folder.glob("*.json"))


@pytest.mark.parametrize("name", names())
def test_every_kind_of_update_means_something_or_is_known_to_mean_nothing(name: str) -> None:
    read = inbound.read(sample(name), ME)
    assert (read is None) == any(name in kinds.split() for kinds in NOBODYS.values())


@pytest.mark.parametrize("name", names(SAMPLES / "broken"))
def test_a_broken_update_is_a_value_error_or_read_as_far_as_it_goes(name: str) -> None:
    try:
        read = inbound.read(json.loads((SAMPLES / "broken" / f"{name}.json").read_text("utf-8")), ME)
    except ValueError:
        return
    assert read is None or isinstance(read, Incoming)


# ---- fuzzing

_ODD = st.sampled_from(
    [None, True, 0, -1, 2**70, 1.5, "", "x", "\ud800", [], [[]], [None], {}, {"id": {}}, {"message_id": []}]
).map(copy.deepcopy)


def _places(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here, *(place for key, each in inside for place in _places(each, (*here, key)))]


@st.composite
def mutated(draw: st.DrawFn) -> Any:
    """A real update with a few of its fields gone or odd."""
    update = copy.deepcopy(_UPDATES[draw(st.integers(0, len(_UPDATES) - 1))])
    for _ in range(draw(st.integers(1, 3))):
        places = [place for place in _places(update) if place and place != ("update_id",)]
        if not places:
            break
        *path, last = draw(st.sampled_from(places))
        inside = update
        for key in path:
            inside = inside[key]
        if draw(st.booleans()):
            del inside[last]
        else:
            inside[last] = draw(_ODD)
    return update


_UPDATES = [sample(name) for name in names()]


@settings(max_examples=1500, deadline=None)
@given(mutated())
def test_a_mutilated_update_is_a_value_error_at_worst_and_never_harms_the_hearing(update: Any) -> None:
    assert isinstance(hearing.raw(update), Raw)
    try:
        read = inbound.read(update, ME)
    except ValueError:
        return
    assert read is None or isinstance(read, Incoming)


async def test_a_hail_of_mutilated_updates_leaves_poller_and_desk_at_work(tmp_path: Path) -> None:
    chance = random.Random(7)
    async with desk_of(tmp_path) as desk:
        for _ in range(120):
            update = copy.deepcopy(chance.choice(_UPDATES))
            for _ in range(chance.randint(1, 3)):
                place = chance.choice(
                    [place for place in _places(update) if place and place[0] != "update_id"]
                )
                inside = update
                for key in place[:-1]:
                    inside = inside[key]
                inside[place[-1]] = copy.deepcopy(
                    chance.choice([None, -1, "x", "\ud800", [], {}, {"id": {}}])
                )
            [kind] = [key for key in update if key != "update_id"]
            if kind in inbound.KINDS:
                desk.telegram.updates.push(kind, update[kind], "chat:1001", 86400)
        await desk.settle()
        assert desk.telegram.updates.pending == []
        assert desk.house.adapters["telegram"].health().ok
        await desk.say(desk.ivan, "VPN drops")
        assert "Where are you working from?" in desk.ivan.chat.last.text


@contextlib.asynccontextmanager
async def desk_of(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path) as opened:
        yield opened


async def test_what_nobody_can_read_becomes_a_dead_letter_and_the_others_of_the_batch_count(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async with desk_of(tmp_path) as desk:
        broken = [json.loads(path.read_text("utf-8")) for path in sorted((SAMPLES / "broken").glob("*.json"))]
        kind = {"message": "message", "callback_query": "callback_query"}
        for update in broken:
            which = next(each for each in kind if each in update)
            desk.telegram.updates.push(which, update[which], "chat:1001", 86400)
        await desk.ivan.send("VPN drops")
        await desk.settle()
        assert desk.telegram.updates.pending == []
        assert len(desk.ivan.chat.from_bot) == 1
        unreadable = [update for update in broken if not _readable(update)]
        assert len(unreadable) >= 6
        for _ in range(60):
            await desk.later(timedelta(minutes=1))
        assert len(await desk.database.read(inbox.dead)) == len(unreadable)
        assert await desk.say(desk.ivan, "The office")
        assert "Who is affected?" in desk.ivan.chat.last.text


def _readable(update: Any) -> bool:
    try:
        inbound.read(update, ME)
    except ValueError:
        return False
    return True


# ---- what people send

KINDS: dict[str, tuple[dict[str, Any], str, list[tuple[str, str, bytes]]]] = {
    "words": ({"text": "still broken"}, "still broken", []),
    "a picture": ({"photo": File("", PIXEL)}, "", [("photo", "photo.jpg", PIXEL)]),
    "a picture with words": (
        {"text": "see", "photo": File("", PIXEL)},
        "see",
        [("photo", "photo.jpg", PIXEL)],
    ),
    "a picture as a file": (
        {"document": File("экран.png", PIXEL, "image/png")},
        "",
        [("document", "экран.png", PIXEL)],
    ),
    "a file": (
        {"document": File("a&amp;b.log", b"x" * 70_000)},
        "",
        [("document", "a&amp;b.log", b"x" * 70_000)],
    ),
    "a voice": ({"voice": b"OggS words"}, "", [("voice", "voice.ogg", b"OggS words")]),
    "a round video": ({"video_note": b"moving"}, "", [("video_note", "video-note.mp4", b"moving")]),
    "a video": ({"video": File("clip.mp4", b"moving")}, "", [("video", "clip.mp4", b"moving")]),
    "music": ({"audio": File("song.mp3", b"ID3")}, "", [("audio", "song.mp3", b"ID3")]),
    "a moving picture": ({"animation": File("cat.mp4", b"cat")}, "", [("video", "cat.mp4", b"cat")]),
    "a sticker": ({"sticker": b"webp"}, "👍", []),
    "a place": ({"location": (55.75, 37.62)}, "📍 55.75000, 37.62000", []),
    "a venue": (
        {"body": venue(55.75, 37.62, "Office", "Main street 1")},
        "📍 Office, Main street 1 (55.75000",
        [],
    ),
    "a contact": ({"contact": "+79990000001"}, "👤 Ivan +79990000001", []),
    "a poll": ({"poll": ("Since when?", ["Monday", "Tuesday"])}, "📊 Since when?\n▫️ Monday\n▫️ Tuesday", []),
    "a die": ({"dice": "🎲"}, "🎲 4", []),
    "a checklist": (
        {"body": {"checklist": {"title": "Tried", "tasks": [{"id": 1, "text": "Restart"}]}}},
        "☑️ Tried\n▫️ Restart",
        [],
    ),
    "forwarded words": ({"text": "the same here", "forward_from": "Petr"}, "↪️ Petr:\nthe same here", []),
    "a forwarded command": ({"text": "/cancel", "forward_from": "Petr"}, "↪️ Petr:\n/cancel", []),
}


async def exported_of(desk: Rig) -> str:
    return json.dumps(await desk.database.read(lambda tx: export.ticket(tx, TicketId(1))))


async def test_whatever_people_send_reaches_ticket_and_thread_as_what_it_is(tmp_path: Path) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.report()
        for name, (sent, words, files) in KINDS.items():
            before = len(desk.thread(1))
            await desk.say(desk.ivan, sent.get("text", ""), **{k: v for k, v in sent.items() if k != "text"})
            fresh = desk.thread(1)[before:]
            assert fresh[0].text == f"Ivan Petrov\n{words}".strip() or words in fresh[0].text, name
            shown = [(each.kind, file.name, file.data) for each in fresh for file in each.files]
            assert shown == files, name
        exported = await exported_of(desk)
        assert all(json.dumps(words)[1:-1] in exported for _, words, _ in KINDS.values())


async def test_an_album_is_one_message_with_all_its_files(tmp_path: Path) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.report()
        before, heard = len(desk.thread(1)), len(desk.ivan.chat.from_bot)
        pictures = [File("", PIXEL + bytes([place])) for place in range(10)]
        await desk.ivan.send_album(pictures, "Ten pictures")
        await desk.settle()
        await desk.later(timedelta(seconds=2))
        shown = desk.thread(1)[before:]
        assert [each.text for each in shown] == ["Ivan Petrov\nTen pictures", *[""] * 9]
        assert [file.data for each in shown for file in each.files] == [each.data for each in pictures]
        assert len(desk.ivan.chat.from_bot) - heard <= 1


async def test_an_update_nobody_can_read_amid_an_album_is_one_dead_letter_and_the_album_whole(
    tmp_path: Path,
) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.report()
        before = len(desk.thread(1))
        broken = {"chat": {"id": IVAN, "type": "private"}, "from": "nobody", "message_id": 999, "text": "x"}
        await desk.ivan.send_album([File("", PIXEL), File("", PIXEL + b"2")], "Two pictures")
        desk.telegram.updates.push("message", broken, f"chat:{IVAN}", 86400)
        await desk.settle()
        for _ in range(10):
            await desk.later(timedelta(minutes=1))
        shown = desk.thread(1)[before:]
        assert [(each.text, len(each.files)) for each in shown] == [("Ivan Petrov\nTwo pictures", 1), ("", 1)]
        [dead] = await desk.database.read(inbox.dead)
        assert dead.body["message"] == broken


async def test_an_album_is_how_a_report_may_begin(tmp_path: Path) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.ivan.send_album([File("", PIXEL), File("", PIXEL + b"2")], "VPN drops")
        await desk.settle()
        await desk.later(timedelta(seconds=2))
        for label in ("The office", "Only me", "Skip", "It can wait", "Send"):
            await desk.press(desk.ivan, label)
        assert "2 files" in desk.card(1).text
        assert len([each for each in desk.thread(1) if each.files]) == 2


async def test_what_cannot_be_read_is_answered_with_what_can(tmp_path: Path) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.report()
        before = len(desk.thread(1))
        for body in ({"story": {"id": 7, "chat": desk.ivan.chat.json()}}, {"hologram": {"depth": 3}}):
            await desk.say(desk.ivan, "", body=body)
            assert desk.ivan.chat.last.text == desk.word("talk.unreadable", "en")
        assert len(desk.thread(1)) == before


async def test_a_reply_and_an_edit_are_followed(tmp_path: Path) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.report()
        promise = desk.ivan.chat.last
        await desk.say(desk.ivan, "/new")
        await desk.press(desk.ivan, "Cancel")
        answer = await desk.say(desk.ivan, "and the phone too", reply_to=promise)
        assert "and the phone too" in desk.told(1)
        await desk.ivan.edit(answer, "and the tablet too")
        await desk.settle()
        assert "and the tablet too" in desk.told(1)
        assert "and the phone too" not in desk.told(1)


# ---- limits, both ways


@pytest.mark.parametrize("size", [20_000_001, None])
async def test_a_file_too_large_to_fetch_is_answered_with_the_limit(tmp_path: Path, size: int | None) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.report()
        huge = File("dump.zip", b"x", size=size or 31_457_280)
        before = desk.told(1)
        await desk.say(desk.ivan, "the dump" if size else "", document=huge)
        assert desk.word("file.too_large", "en", limit=20) in desk.ivan.chat.texts
        assert ("the dump" in desk.told(1)) == bool(size)
        assert size or desk.told(1) == before


async def test_a_file_that_breaks_off_is_fetched_again(tmp_path: Path) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.report()
        desk.telegram.fail("file", "truncated")
        desk.telegram.fail("getFile", "502 html")
        await desk.ivan.send("the log", document=File("log.txt", b"a" * 200_000))
        await desk.heard()
        for _ in range(5):
            await desk.later(timedelta(seconds=30))
        [shown] = [each for each in desk.thread(1) if each.files]
        assert shown.files[0].data == b"a" * 200_000
        assert desk.told(1).count("the log") == 1


async def test_a_file_that_never_comes_holds_its_conversation_up_for_minutes_only(tmp_path: Path) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.report()
        desk.telegram.fail("file", "cut before", -1, skip=1)
        began = desk.clock.now()
        await desk.ivan.send_album([File("a.log", b"a"), File("b.log", b"b")], "the log", kind="document")
        await desk.ivan.send("and a word")
        await desk.heard()
        while not desk.clock.now() > began + fetching.PATIENCE:
            await desk.house.router.catch_up()
            assert desk.word("file.not_taken", "en") not in desk.ivan.chat.texts
            desk.clock.advance(timedelta(seconds=20))
        await desk.settle()
        assert [call.outcome for call in desk.telegram.called("file")].count(200) == 1, "once is enough"
        assert len(desk.telegram.called("getFile")) < 40
        assert desk.word("file.not_taken", "en") in desk.ivan.chat.texts
        assert desk.told(1).index("the log") < desk.told(1).index("and a word")


async def test_a_file_that_is_gone_at_telegram_is_said_to_be_lost(tmp_path: Path) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.report()
        message = await desk.ivan.send("the log", document=File("log.txt", b"a"))
        message.files[0].gone = True
        await desk.settle()
        assert desk.word("file.not_taken", "en") in desk.ivan.chat.texts
        assert "the log" in desk.told(1)


async def test_a_file_that_cannot_be_sent_is_told_in_words_and_the_rest_arrives(tmp_path: Path) -> None:
    async with desk_of(tmp_path) as desk:
        await desk.report()
        await desk.say(desk.ivan, "", document=File("empty.txt", b""))
        assert desk.word("file.not_shown", "en", name="empty.txt") in desk.told(1)
        adapter = desk.house.adapters["telegram"]
        file = Attachment("0" * 32, "tool.zip", "application/zip", 60_000_000)
        await adapter.post(Address("telegram", "501"), say(Plain("Here"), file), Reader("en", "UTC"), "n1")
        words = desk.word("file.too_large_to_show", "en", name="tool.zip", size=60, limit=50)
        assert desk.ivan.chat.texts[-2:] == ["Here", words]


async def test_a_file_that_is_not_on_disk_any_more_is_told_in_words(tmp_path: Path) -> None:
    async with desk_of(tmp_path) as desk:
        file = Attachment("0" * 32, "notes.txt", "text/plain", 4)
        adapter = desk.house.adapters["telegram"]
        await adapter.post(Address("telegram", "501"), say(Plain("Here"), file), Reader("en", "UTC"), "n1")
        assert desk.ivan.chat.texts == ["Here", desk.word("file.not_shown", "en", name="notes.txt")]


# ---- secrets


async def test_token_and_file_links_stand_in_no_log_row_or_export(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("aiosqlite").setLevel(logging.INFO)
    secret = TOKEN.split(":")[1]
    async with desk_of(tmp_path) as desk:
        await desk.report()
        desk.telegram.fail("getFile", "500")
        desk.telegram.fail("file", "cut before")
        desk.telegram.fail("sendMessage", "hang before", seconds=0.1)
        await desk.ivan.send("see", photo=File("", PIXEL))
        await desk.heard()
        for _ in range(5):
            await desk.later(timedelta(seconds=30))
        paths = [file.path for file in desk.telegram.files.by_id.values()]
        exported = await exported_of(desk)
        held = repr(desk.house.adapters) + repr(desk.house.settings)
    stored = b"".join(
        path.read_bytes() for path in tmp_path.rglob("*") if path.is_file() and path.suffix != ".toml"
    )
    ours = "\n".join(each.getMessage() for each in caplog.records if each.name.startswith(("bot", "core")))
    for told in (ours, exported, stored.decode("latin-1")):
        assert not any(hidden in told for hidden in (secret, *paths))
    assert secret not in logs.Redactor()(caplog.text)
    assert secret not in held


async def test_the_account_tells_its_secrets_to_nobody() -> None:
    account = Account(TOKEN, webhook_secret="hush-hush-hush")
    assert TOKEN.split(":")[1] not in repr(account)
    assert "hush" not in repr(account)


def test_what_is_said_to_other_bots_is_none_of_ours() -> None:
    update = sample("supergroup_text")
    for text, heard in {
        "/poll@poll_bot lunch?": None,
        "/ticket@desk_test_bot": True,
        "/my@Desk_Test_Bot": True,
        "/my": False,
        "/tickets": False,
        "@desk_test_bot2 hello": False,
        "ask @desk_test_bot, it knows": True,
        "mail@desk_test_bot": False,
    }.items():
        update["message"]["text"] = text
        read = inbound.read(update, ME)
        said = read.what if read else None
        assert (said.addressed if isinstance(said, Said) else None) is heard, text
    update["message"]["text"] = "@desk_test_bot @maria cannot print"
    read = inbound.read(update, ME)
    assert read is not None
    assert isinstance(read.what, Said)
    assert read.what.text == "@maria cannot print"
