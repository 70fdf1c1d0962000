"""How messages look: nothing people write becomes markup, everything fits, and nothing is lost on the way."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.port import Posted, Reader
from bot.adapters.telegram import render
from bot.adapters.telegram.account import Account
from bot.adapters.telegram.adapter import FEATURES, Telegram
from bot.adapters.telegram.render import Look
from bot.message import Attachment, Call, Choice, Facts, Message, Paragraph, Plain, Quote, Several, Text, say
from core.kernel.clock import WallClock
from core.kernel.errors import PermanentError
from core.kernel.ids import Address
from tests.contract.texts import LONG, TEXTS
from tests.emulators import telegram as emulators
from tests.emulators.telegram import entities
from tests.emulators.telegram.entities import units
from tests.telegram import rig as rigs
from tests.telegram.rig import IVAN, Rig, labels
from tests.town import Town

EN = Reader("en", "UTC")
NOW = datetime(2030, 5, 6, 12, 0, tzinfo=UTC)
HOME = Address("telegram", str(IVAN))

_pieces = st.sampled_from(
    [*TEXTS.values(), "\n", "\n\n", " ", "```\ncode\n```", "👩‍👩‍👧‍👦", "\u200f", "слово ", "x" * 90]
)
words = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60),
    st.lists(_pieces, max_size=120).map("".join),
)
plain = words.map(Plain)
blocks = st.one_of(
    st.builds(Paragraph, plain, st.sampled_from(["normal", "title", "quiet", "strong"])),
    st.builds(Quote, plain),
    st.builds(Facts, st.lists(st.tuples(plain, plain), max_size=4).map(tuple)),
)
labels_ = st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=80)
choices = st.builds(
    Choice,
    st.just("t.take.1"),
    labels_.map(Plain),
    st.sampled_from(["normal", "primary", "danger"]),
    st.booleans(),
)
messages = st.builds(
    Message,
    st.lists(blocks, max_size=5).map(tuple),
    st.lists(st.lists(choices, max_size=12).map(tuple), max_size=4).map(tuple),
    tone=st.sampled_from(["say", "card", "request", "reply", "note", "event", "ping", "hint"]),
    author=st.none() | plain,
    ticket=st.none() | st.just(42),
    call=st.none() | st.just(Call("Anna 👩‍🚒", ("slack:T/U", "telegram:502"))),
    unfolded=st.booleans(),
)


def look(message: Message) -> Look:
    return render.look(message, EN, NOW, FEATURES)


def told(message: Message) -> str:
    """Every word of a message, in its order."""
    author = _word(message.author)
    lines = [
        message.call.name if message.call else "",
        "📝" * bool(author and message.tone == "note"),
        author,
    ]
    for block in message.blocks:
        match block:
            case Paragraph(text=text) | Quote(text=text):
                lines.append(_word(text))
            case Facts(rows=rows):
                lines += [f"{_word(name)}{_word(value)}" for name, value in rows]
    return "".join("".join(lines).split())


def _word(text: Text | None) -> str:
    match text:
        case Plain(text=words):
            return words
        case Several(parts=parts, between=between):
            return between.join(_word(part) for part in parts)
    return ""


@settings(max_examples=250, deadline=None)
@given(messages)
def test_every_look_fits_telegram_and_holds_every_word(message: Message) -> None:
    shown = look(message)
    for part in shown.parts:
        assert 0 < units(part.text) <= 4096
        given_ = [entity.to_dict() for entity in part.entities]
        kept = entities.checked(part.text, given_)
        assert len(kept) == len(given_)
        assert part.text.strip()
    whole = "".join("".join(part.text for part in shown.parts).split())
    assert _bare(whole) == _bare(told(message))
    keyboard(shown.keyboard, message)


def _bare(text: str) -> str:
    """A code block that is cut gets fences where it was cut; between a fact and its name stands a colon."""
    return re.sub(r"[`:.]", "", text)


def keyboard(markup: Any, message: Message) -> None:
    """What a requester said has none of the rarer choices: there they are commands."""
    shown = [choice for row in message.rows for choice in row]
    buttons = [choice for choice in shown if not (choice.menu and message.tone == "request")]
    if markup is None:
        assert not buttons
        return
    for row in markup["inline_keyboard"]:
        assert 1 <= len(row) <= 8
        assert all(1 <= len(button["callback_data"].encode()) <= 64 for button in row)
        assert all(button["text"] for button in row)


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_words_stand_there_literally_and_carry_no_entity_of_their_own(name: str) -> None:
    text = TEXTS[name]
    [part] = look(say(Plain(text))).parts
    assert (part.text, part.entities) == (text, ())
    [quoted] = look(say(Quote(Plain(text)))).parts
    assert [(each.type, each.offset, each.length) for each in quoted.entities] == [
        ("blockquote", 0, units(text))
    ]


@pytest.mark.parametrize("name", LONG)
def test_what_is_too_long_is_cut_where_a_reader_would_and_put_together_is_whole(name: str) -> None:
    parts = look(say(Plain(LONG[name]))).parts
    assert "".join(part.text for part in parts) == LONG[name]
    assert len(parts) == -(-units(LONG[name]) // 4096) or name != "one endless word"


@pytest.mark.parametrize("length", [4095, 4096, 4097, 8192, 8193])
@pytest.mark.parametrize("sign", ["x", "ж", "😀"])
def test_the_limit_is_counted_in_utf16_units(length: int, sign: str) -> None:
    text = sign * (length // units(sign))
    parts = look(say(Plain(text))).parts
    assert "".join(part.text for part in parts) == text
    assert len(parts) == -(-units(text) // 4096)


def test_a_style_that_is_cut_goes_on_in_the_next_part() -> None:
    parts = look(say(Plain("before"), Quote(Plain("word " * 2000)), Plain("after"))).parts
    kinds = [
        [(each.type, each.offset, each.offset + each.length) for each in part.entities] for part in parts
    ]
    assert kinds[0] == [("expandable_blockquote", 7, units(parts[0].text))]
    assert all(found[0][:2] == ("expandable_blockquote", 0) for found in kinds[1:])
    assert parts[-1].text.endswith("\nafter")
    assert kinds[-1][0][2] == units(parts[-1].text) - len("\nafter")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Where?", "Where? Home"),
        ("Type", "Type: Home"),
        ("What changed? An update.", "What changed? An update: Home"),
    ],
)
def test_a_fact_reads_as_a_question_and_its_answer(name: str, line: str) -> None:
    assert look(say(Facts(((Plain(name), Plain("Home")),)))).parts[0].text == line


def test_a_card_shows_its_rarer_buttons_on_request() -> None:
    rows = ((Choice("t.take.1", Plain("Take")), Choice("f.hold.1", Plain("Hold"), menu=True)),)
    folded = look(Message((), rows, tone="card", ticket=1))
    unfolded = look(Message((), rows, tone="card", ticket=1, unfolded=True))
    assert _texts(folded) == [["Take"], ["More ▾"]]
    assert _texts(unfolded) == [["Take"], ["Hold"], ["Less ▴"]]


def _texts(shown: Look) -> list[list[str]]:
    assert shown.keyboard is not None
    return [[button["text"] for button in row] for row in shown.keyboard["inline_keyboard"]]


def test_labels_that_cannot_be_read_side_by_side_stand_in_several_rows() -> None:
    long = ((*(Choice("t.x", Plain("A rather long label")) for _ in range(4)),),)
    assert [len(row) for row in _texts(look(Message((), long)))] == [2, 2]
    stars = ((*(Choice("t.x", Plain("★" * n)) for n in range(1, 6)),),)
    assert [len(row) for row in _texts(look(Message((), stars)))] == [5]
    one_long = ((*(Choice("t.x", Plain(word)) for word in ("Take it", "No", "It is something else")),),)
    assert [len(row) for row in _texts(look(Message((), one_long)))] == [2, 1]


async def test_what_the_desk_says_unfolds_no_links_and_what_only_happened_makes_no_sound(town: Town) -> None:
    async with connected(town) as (adapter, ivan):
        text = Plain("see https://example.org")
        for tone in ("card", "ping", "event", "note", "reply"):
            posted = await adapter.post(HOME, Message((Paragraph(text),), tone=tone), EN, tone)
            await adapter.edit(HOME, posted, Message((Paragraph(text, "quiet"),), tone=tone), EN)
        shown, edited = ivan.world.called("sendMessage"), ivan.world.called("editMessageText")
        quiet = [True, True, True, False, False]
        assert ["link_preview_options" in call.values for call in (*shown, *edited)] == quiet * 2
        assert [message.silent for message in ivan.messages] == [False, False, True, False, False]


def test_a_note_says_at_once_that_it_is_one() -> None:
    said = Message((Paragraph(Plain("he always forgets")),), author=Plain("Anna"))
    assert look(replace(said, tone="note")).parts[0].text == "📝 Anna\nhe always forgets"
    assert look(replace(said, tone="reply")).parts[0].text == "Anna\nhe always forgets"


def test_a_question_for_one_of_many_calls_them_and_opens_their_reply() -> None:
    question = Message(
        (Paragraph(Plain("What do I tell them?")),),
        ((Choice("d.1.0.cancel", Plain("Cancel")),),),
        call=Call("Anna", ("telegram:502",)),
        asks=True,
    )
    shown = look(question)
    assert shown.keyboard == {"force_reply": True, "selective": True}
    [mention] = shown.parts[0].entities
    assert (mention.type, mention.length, mention.user.id if mention.user else 0) == ("text_mention", 4, 502)


# ---- edits, on a real server


@contextlib.asynccontextmanager
async def connected(town: Town) -> AsyncIterator[tuple[Telegram, emulators.User]]:
    async with emulators.Telegram() as world:
        ivan = world.user(IVAN, "Ivan", started=True)
        account = Account(world.token, world.url)
        adapter = Telegram(
            account,
            database=town.database,
            clock=WallClock(),
            path=lambda name: asyncio.to_thread(Path, name),
        )
        try:
            yield adapter, ivan
        finally:
            await adapter.close()


def lines(count: int, word: str = "line") -> Plain:
    return Plain("\n".join(f"{place}. {word} " + "and more of it " * 6 for place in range(count)))


BUTTONS = ((Choice("t.x", Plain("Press")),),)


@pytest.mark.parametrize("before", [1, 60, 150])
@pytest.mark.parametrize("after", [1, 60, 150])
async def test_an_edit_leaves_exactly_the_new_parts_with_the_buttons_last(
    town: Town, tmp_path: Path, before: int, after: int
) -> None:
    file = tmp_path / "a.txt"
    await asyncio.to_thread(file.write_bytes, b"kept")
    attached = Attachment(str(file), "a.txt", "text/plain", 4)
    async with connected(town) as (adapter, ivan):
        old = Message((Paragraph(lines(before, "old")), attached), BUTTONS)
        new = Message((Paragraph(lines(after, "new")), attached), BUTTONS)
        posted = await adapter.post(HOME, old, EN, "n1")
        edited = await adapter.edit(HOME, posted, new, EN)
        assert edited == await adapter.edit(HOME, edited, new, EN)
        texts = [message for message in ivan.messages if not message.files]
        assert "".join(message.text + "\n" for message in texts).split() == lines(after, "new").text.split()
        assert [bool(labels(message)) for message in texts] == [False] * (len(texts) - 1) + [True]
        assert [message.files[0].data for message in ivan.messages if message.files] == [b"kept"]
        assert {str(message.id) for message in ivan.messages} == {edited.message, *edited.parts}
        await adapter.delete(HOME, edited)
        assert ivan.messages == []


async def test_words_that_come_to_a_message_of_files_alone_are_added(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "a.txt"
    await asyncio.to_thread(file.write_bytes, b"kept")
    attached = Attachment(str(file), "a.txt", "text/plain", 4)
    async with connected(town) as (adapter, ivan):
        posted = await adapter.post(HOME, say(attached), EN, "n1")
        edited = await adapter.edit(HOME, posted, say(Plain("the log"), attached), EN)
        assert [message.text for message in ivan.messages] == ["the log"]
        assert (edited.message, edited.parts) == (str(ivan.messages[0].id), ())


async def test_short_words_and_their_file_are_one_message_through_every_edit(
    town: Town, tmp_path: Path
) -> None:
    file = tmp_path / "a.png"
    await asyncio.to_thread(file.write_bytes, emulators.PIXEL)
    picture = Attachment(str(file), "photo.jpg", "image/jpeg", 4)
    async with connected(town) as (adapter, ivan):
        posted = await adapter.post(HOME, say(Quote(Plain("look")), picture), EN, "n1")
        [shown] = ivan.messages
        assert (shown.kind, shown.text, shown.marked("blockquote")) == ("photo", "look", ["look"])
        edited = await adapter.edit(HOME, posted, say(Plain("look here"), picture), EN)
        assert edited == posted == await adapter.edit(HOME, posted, say(Plain("look here"), picture), EN)
        assert [each.text for each in ivan.messages] == ["look here"]
        grown = await adapter.edit(HOME, posted, say(Plain("x" * 1025), picture), EN)
        assert [each.text for each in ivan.messages] == ["", "x" * 1025]
        await adapter.delete(HOME, grown)
        assert ivan.messages == []


async def test_words_stay_whole_where_their_file_takes_no_caption(town: Town, tmp_path: Path) -> None:
    file = tmp_path / "a.bin"
    await asyncio.to_thread(file.write_bytes, b"x")
    async with connected(town) as (adapter, ivan):
        ivan.world.fail("sendPhoto", "400", text="Bad Request: IMAGE_PROCESS_FAILED", times=2)
        for name, words in (("photo.jpg", "broken"), ("video-note.mp4", "round"), ("gone.txt", "lost")):
            at = "nowhere" if name == "gone.txt" else str(file)
            attached = Attachment(at, name, "application/octet-stream", 1)
            await adapter.post(HOME, say(Plain(words), attached), EN, name)
        told = [(each.kind, each.text) for each in ivan.messages]
        assert told == [
            ("text", "broken"),
            ("document", ""),
            ("text", "round"),
            ("video_note", ""),
            ("text", "lost"),
            ("text", "📎 gone.txt could not be sent here."),
        ]


async def test_a_message_whose_sending_broke_off_is_gone_on_with_and_never_doubled(town: Town) -> None:
    async with connected(town) as (adapter, ivan):
        ivan.world.fail("sendMessage", "429", skip=2)
        message = say(lines(150))
        with pytest.raises(Exception, match="wait"):
            await adapter.post(HOME, message, EN, "n1")
        assert len(ivan.messages) == 2
        posted = await adapter.post(HOME, message, EN, "n1")
        assert "".join(each.text + "\n" for each in ivan.messages).split() == lines(150).text.split()
        assert [posted.message, *posted.parts] == [str(each.id) for each in ivan.messages]


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
async def test_words_whose_entities_are_refused_stand_there_plain(town: Town, method: str) -> None:
    async with connected(town) as (adapter, ivan):
        refusal = "Bad Request: can't parse entities: unexpected end"
        told = [Message((Paragraph(lines(1, word), "strong"),), BUTTONS) for word in ("old", "new")]
        ivan.world.fail(method, "400", text=refusal)
        posted = await adapter.post(HOME, told[0], EN, "n1")
        await adapter.edit(HOME, posted, told[1], EN)
        [shown] = ivan.messages
        assert shown.text.startswith("0. new")
        assert shown.buttons == ["Press"]
        assert [bool(text) for text in shown.edits] == [True]


async def test_an_edit_of_what_somebody_deleted_is_told_as_gone(town: Town) -> None:
    async with connected(town) as (adapter, ivan):
        posted = await adapter.post(HOME, say(lines(150)), EN, "n1")
        ivan.messages[-1].deleted = True
        with pytest.raises(PermanentError) as raised:
            await adapter.edit(HOME, posted, say(lines(150, "new")), EN)
        assert raised.value.code == "gone"
        with pytest.raises(PermanentError):
            await adapter.edit(HOME, Posted("0"), say(Plain("x")), EN)


@pytest.mark.parametrize("method", ["sendMessage", "editMessageText"])
async def test_a_group_with_every_topic_closed_refuses_for_good(town: Town, method: str) -> None:
    async with connected(town) as (adapter, ivan):
        posted = await adapter.post(HOME, say(Plain("before")), EN, "n1")
        ivan.world.fail(method, "400", -1, text="Bad Request: TOPIC_CLOSED")
        trying = (
            adapter.post(HOME, say(Plain("x")), EN, "n2")
            if method == "sendMessage"
            else adapter.edit(HOME, posted, say(Plain("x")), EN)
        )
        with pytest.raises(PermanentError) as raised:
            await trying
        assert raised.value.code == "forbidden"


# ---- what the whole desk says


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path) as opened:
        yield opened


async def test_the_longest_story_reads_whole_and_nothing_is_refused(desk: Rig) -> None:
    story = "VPN drops\n" + "\n\n".join(LONG.values())
    await desk.report(story[:4096])
    for start in range(4096, 20_000, 4096):
        await desk.say(desk.ivan, story[start : start + 4096] or "more")
    for place in range(12):
        await desk.say(
            desk.anna, f"/priority {('high', 'normal')[place % 2]} {'because ' * 60}", **desk.below(1)
        )
    await desk.say(desk.anna, "/timeline", **desk.below(1))
    timeline = "".join(message.text for message in desk.thread(1) if message.by_bot)
    assert timeline.count("because because") >= 24
    refused = {call.description for call in desk.telegram.calls if call.outcome >= 400}
    assert {why for why in refused if "not modified" not in why} == set()
    assert all(units(message.text) <= 4096 for message in desk.group.messages)


async def test_a_card_stays_short_and_long_answers_stand_below_it_in_full(desk: Rig) -> None:
    story = "\n".join(f"{place}. We moved the router to another room." for place in range(80))
    await desk.say(desk.ivan, "VPN drops")
    for label in ("The office", "Only me"):
        await desk.press(desk.ivan, label)
    await desk.say(desk.ivan, story)
    for label in ("It can wait", "Send"):
        await desk.press(desk.ivan, label)
    assert len(desk.card(1).text) < 800
    assert story in desk.told(1)
    assert story in "".join(desk.ivan.chat.texts)


async def test_every_button_of_a_ticket_s_whole_life_fits(desk: Rig) -> None:
    await desk.report(urgent=True)
    await desk.press(desk.anna, "More ▾", desk.group)
    for opened in ("Priority…", "Change level…", "Pass to…", "Put on hold…", "Snooze…"):
        await desk.press(desk.anna, opened, desk.group)
    await desk.press(desk.anna, "Less ▴", desk.group)
    assert "More ▾" in labels(desk.card(1))
    await desk.say(desk.anna, "/queue", chat=desk.group)
    codes = [
        button["callback_data"]
        for chat in (desk.group, desk.ivan.chat, desk.anna.chat)
        for message in chat.history
        for row in message.keyboard
        for button in row
    ]
    assert all(len(code.encode()) <= 64 for code in codes)
    refused = {call.description for call in desk.telegram.calls if call.outcome >= 400}
    assert {why for why in refused if "not modified" not in why} == set()
