"""What crosses with the words: how they are set, what they answer, emoji below them, that they are gone."""

import re
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.slack import blocks, lines
from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.kernel.marked import Mark, Marked, marks_of
from core.tickets import store
from core.tickets.model import Said
from tests.emulators.slack import Message as SlackMessage
from tests.emulators.slack import User as SlackUser
from tests.emulators.telegram import File as TelegramFile
from tests.emulators.telegram import Message as TelegramMessage
from tests.emulators.telegram import User as TelegramUser
from tests.matrix.seats import (
    SlackAgent,
    SlackRequester,
    TelegramAgent,
    TelegramRequester,
    WebAgent,
    WebRequester,
)
from tests.matrix.world import World, world

TEXTS = {
    "en": ("VPN drops every ten minutes", "The office", "Only me"),
    "ru": ("VPN отваливается каждые десять минут", "Из офиса", "Только у меня"),
}
NOTE = "he always forgets his token"
WORDS = Marked(
    "see 👍 this\nx = 1\ny = 2\nat once", [Mark("bold", 6, 10), Mark("pre", 11, 22), Mark("italic", 23, 25)]
)
ENTITIES = [
    {"type": "bold", "offset": 7, "length": 4},
    {"type": "pre", "offset": 12, "length": 11},
    {"type": "italic", "offset": 24, "length": 2},
]


class Crossing:
    """Ivan in Telegram, Olga in Slack, Petr on the page; Boris, Anna and Maria help them."""

    def __init__(self, town: World, language: str) -> None:
        self.world = town
        self.language = language
        self.ivan, self.olga, self.petr = TelegramRequester(town), SlackRequester(town), WebRequester(town)
        self.boris = TelegramAgent(town, language)
        self.anna, self.maria = SlackAgent(town, language), WebAgent(town, language)

    def word(self, key: str, **facts: Any) -> str:
        return self.world.word(key, self.language, **facts)

    async def report(self, who: TelegramRequester | SlackRequester | WebRequester) -> None:
        text, office, only_me = TEXTS[self.language]
        await who.says(text)
        skip, send = self.word("button.skip"), self.word("button.send")
        for label in (office, only_me, skip, self.word("urgency.normal"), send):
            await who.presses(label)

    async def messages(self) -> list[Said]:
        async def look(tx: Transaction) -> list[Said]:
            return await store.messages_of(tx, TicketId(1))

        return await self.world.database.read(look)

    async def kinds(self) -> list[str]:
        events = await self.world.database.read(lambda tx: store.timeline(tx, TicketId(1)))
        return [event.kind for event in events]

    # ---- hands and eyes

    @property
    def of_ivan(self) -> TelegramUser:
        return self.world.telegram.users[501]

    @property
    def of_boris(self) -> TelegramUser:
        return self.world.telegram.users[503]

    @property
    def of_anna(self) -> SlackUser:
        return self.world.slack.users["U0502"]

    async def ivan_says(self, text: str, **more: Any) -> TelegramMessage:
        sent = await self.of_ivan.send(text, **more)
        await self.world.settle()
        return sent

    async def boris_says(self, text: str, **more: Any) -> TelegramMessage:
        sent = await self.of_boris.send(
            text, chat=self.world.group, **({"thread": self.boris._card.thread} | more)
        )
        await self.world.settle()
        return sent

    def in_group(self, words: str) -> TelegramMessage:
        """Boris's copy."""
        return next(each for each in reversed(self.boris._thread) if words in each.text)

    def in_chat(self, words: str) -> TelegramMessage:
        """What Ivan reads of the desk's."""
        return next(each for each in reversed(self.of_ivan.chat.from_bot) if words in each.text)

    def in_channel(self, words: str) -> SlackMessage:
        """Anna's copy."""
        return next(each for each in reversed(self.anna._card.replies) if words in each.shown)

    async def on_page(self, words: str) -> str:
        """Maria's copy."""
        return next(each.text for each in reversed(await self.world["maria"].thread(1)) if words in each.text)


@pytest.fixture(params=["en", "ru"])
async def at(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Crossing]:
    async with world(tmp_path, request.param) as town:
        yield Crossing(town, request.param)


@pytest.fixture
async def english(tmp_path: Path) -> AsyncIterator[Crossing]:
    async with world(tmp_path) as town:
        yield Crossing(town, "en")


def styles(message: SlackMessage) -> list[tuple[str, str]]:
    """What is set apart in a message of Slack."""
    found = []
    for block in message.blocks:
        for inside in block.get("elements", ()) if block["type"] == "rich_text" else ():
            for each in inside["elements"]:
                kinds = (
                    ["pre"] if inside["type"] == "rich_text_preformatted" else list(each.get("style") or ())
                )
                found += [(kind, each["text"]) for kind in kinds if "text" in each]
    return found


def quotes(message: SlackMessage) -> list[str]:
    """The words that are quoted in a message of Slack."""
    inside = [each for block in message.blocks for each in block.get("elements", ())]
    quoted = [each["elements"] for each in inside if each.get("type") == "rich_text_quote"]
    return ["".join(each["text"] for each in elements) for elements in quoted]


def typed_in_slack(text: Marked) -> list[dict[str, Any]]:
    """What Slack's editor sends for these words."""
    return [shown.block for shown in blocks.of_lines(lines.prose(text))]


# ---- how words are set


async def test_what_a_requester_set_apart_in_telegram_is_so_for_every_agent(english: Crossing) -> None:
    at = english
    await at.report(at.ivan)
    await at.ivan_says(str(WORDS), entities=ENTITIES)
    assert marks_of((await at.messages())[-1].text) == WORDS.marks
    copy = at.in_group("at once")
    assert [copy.marked(kind) for kind in ("pre", "italic")] == [["x = 1\ny = 2"], ["at"]]
    assert "this" in copy.marked("bold")
    told = styles(at.in_channel("at once"))
    assert [each for each in told if each[0] in ("pre", "italic")] == [
        ("pre", "x = 1\ny = 2"),
        ("italic", "at"),
    ]
    assert ("bold", "this") in told


async def test_what_an_agent_set_apart_in_slack_is_so_for_the_requester_in_telegram(
    english: Crossing,
) -> None:
    at = english
    await at.report(at.ivan)
    typed = Marked("/reply see this", [Mark("bold", 11, 15)])
    await at.boris_says(str(typed), entities=[{"type": "bold", "offset": 11, "length": 4}])
    assert "this" in at.in_chat("see this").marked("bold")
    assert ("bold", "this") in styles(at.in_channel("see this"))
    note = Marked("look here: x = 1", [Mark("code", 11, 16)])
    await at.of_anna.send(markup="look here: `x = 1`", blocks=typed_in_slack(note), thread=at.anna._card)
    await at.world.settle()
    assert at.in_group("look here").marked("code") == ["x = 1"]
    assert "`" not in at.in_group("look here").text


async def test_first_words_keep_how_they_were_set_through_all_the_questions(english: Crossing) -> None:
    at = english
    text = f"{TEXTS['en'][0]} {'very often ' * 40}"
    await at.ivan_says(text, entities=[{"type": "bold", "offset": 0, "length": 3}])
    for label in ("The office", "Only me", "Skip", "It slows me down", "Send"):
        await at.ivan.presses(label)
    assert "VPN" in at.in_group("very often").marked("bold")


async def test_a_change_of_how_words_are_set_alone_changes_every_copy(english: Crossing) -> None:
    at = english
    await at.report(at.ivan)
    sent = await at.ivan_says("it is urgent")
    assert at.in_group("urgent").marked("bold") == ["Ivan Petrov"]
    said = (await at.messages())[-1]
    sent.formatted.entities.append({"type": "bold", "offset": 6, "length": 6})
    sent.edited_at = at.world.telegram.times.unix()
    at.of_ivan._deliver(sent, "edited_message")
    at.world.telegram.stir()
    await at.world.settle()
    assert (await at.messages())[-1].edited_at is not None
    assert said.text == (await at.messages())[-1].text
    assert "urgent" in at.in_group("urgent").marked("bold")
    assert ("bold", "urgent") in styles(at.in_channel("urgent"))


async def test_words_without_their_marks_are_searched_and_titled(english: Crossing) -> None:
    at = english
    await at.ivan_says("VPN drops", entities=[{"type": "bold", "offset": 0, "length": 3}])
    for label in ("The office", "Only me", "Skip", "It slows me down", "Send"):
        await at.ivan.presses(label)
    ticket = await at.world.ticket(1)
    assert ticket.title == "VPN drops"
    assert marks_of(ticket.title) == ()


# ---- what words answer


async def test_an_answer_is_a_reply_where_the_messenger_has_them_and_a_quote_elsewhere(at: Crossing) -> None:
    await at.report(at.ivan)
    await at.boris_says("/reply Which version is it?")
    asked = at.in_chat("Which version is it?")
    await at.ivan_says("I am at home today")
    await at.ivan_says("5.1", reply_to=asked)
    messages = await at.messages()
    assert messages[-1].answers == next(each.id for each in messages if each.text == "Which version is it?")
    copy = at.in_group("5.1")
    assert copy.reply_to is at.in_group("Which version is it?")
    assert copy.text == "Ivan Petrov\n5.1"
    quote = "Boris Orlov: Which version is it?"
    assert quotes(at.in_channel("5.1")) == [quote]
    assert quote in await at.on_page("5.1")


async def test_an_agents_answer_is_a_reply_to_the_requesters_own_message(english: Crossing) -> None:
    at = english
    await at.report(at.ivan)
    mine = await at.ivan_says("It drops when I walk")
    await at.ivan_says("And when I sit")
    await at.boris_says("Walk where?", reply_to=at.in_group("It drops when I walk"))
    assert at.in_chat("Walk where?").reply_to is mine
    assert "when I walk" not in at.in_chat("Walk where?").text
    assert "Ivan Petrov: It drops when I walk" in at.in_channel("Walk where?").shown


async def test_what_answers_the_message_before_it_has_no_quote(english: Crossing) -> None:
    at = english
    await at.report(at.ivan)
    await at.boris_says("/reply Which version is it?")
    await at.ivan_says("5.1", reply_to=at.in_chat("Which version"))
    assert at.in_group("5.1").reply_to is None
    assert "Which version" not in at.in_channel("5.1").shown
    assert "Which version" not in await at.on_page("5.1")


async def test_a_note_that_is_answered_is_never_quoted_to_the_requester(at: Crossing) -> None:
    await at.report(at.ivan)
    note = await at.boris_says(NOTE)
    await at.ivan_says("hello?")
    await at.boris_says("/reply We are on it", reply_to=note)
    messages = await at.messages()
    assert messages[-1].answers is not None
    assert messages[-1].kind == "reply"
    assert NOTE not in await at.ivan.ever_read()
    assert at.in_chat("We are on it").reply_to is None
    assert f"Boris Orlov: {NOTE}" in at.in_channel("We are on it").shown


async def test_a_note_is_never_quoted_on_the_page_or_in_slack_either(english: Crossing) -> None:
    at = english
    for who in (at.olga, at.petr):
        await at.report(who)
    for number, who in ((1, at.olga), (2, at.petr)):
        card = next(each for each in at.world.group.from_bot if re.match(rf"\S+ #{number} ", each.text))
        note = await at.boris_says(NOTE, thread=card.thread)
        await who.says("hello?") if number == 1 else None
        await at.boris_says("/reply We are on it", reply_to=note, thread=card.thread)
        assert "We are on it" in await who.ever_read()
        assert NOTE not in await who.ever_read()


async def test_a_quote_shows_what_stands_now_and_is_gone_with_what_was_taken_back(english: Crossing) -> None:
    at = english
    await at.report(at.ivan)
    await at.boris_says("/reply Throw it away")
    asked = at.in_chat("Throw it away")
    await at.ivan_says("wait")
    first = await at.ivan_says("it rings")
    await at.ivan_says("really?", reply_to=asked)
    await at.boris_says("What rings?", reply_to=at.in_group("it rings"))
    await at.of_ivan.send("the second", reply_to=first)
    await at.world.settle()
    assert "Throw it away" in at.in_channel("really?").shown
    await at.of_ivan.edit(first, "it sings")
    await at.world.settle()
    assert "Ivan Petrov: it sings" in at.in_channel("the second").shown
    await at.boris.undoes("Throw it away", at.word("button.undo"))
    assert "Throw it away" not in at.in_channel("really?").shown
    assert "Throw it away" not in await at.on_page("really?")


async def test_an_answer_to_something_of_another_ticket_or_of_the_desk_is_none(english: Crossing) -> None:
    at = english
    await at.report(at.ivan)
    promise = at.in_chat("#1")
    await at.ivan_says("a", reply_to=promise)
    await at.ivan_says("b", reply_to=at.of_ivan.chat.from_bot[0])
    assert [each.answers for each in await at.messages()] == [None] * len(await at.messages())


async def test_a_thread_of_slack_makes_no_answers_of_all_that_is_said_in_it(english: Crossing) -> None:
    at = english
    await at.report(at.olga)
    for words in ("one", "two"):
        await at.olga.says(words)
    assert {each.answers for each in await at.messages()} == {None}


async def test_on_the_page_an_answer_is_quoted_too(english: Crossing) -> None:
    at = english
    await at.report(at.petr)
    await at.boris_says("/reply Which version is it?")
    petr = at.world["petr"]
    asked = next(each for each in await petr.sees() if "Which version" in each.text)
    await petr.say("I am at home")
    await petr.say("5.1", reply_to=asked.id)
    assert at.in_group("5.1").reply_to is at.in_group("Which version is it?")
    assert "Boris Orlov: Which version is it?" in at.in_channel("5.1").shown


async def test_where_the_answered_message_is_gone_the_answer_stands_by_itself(english: Crossing) -> None:
    at = english
    await at.report(at.ivan)
    mine = await at.ivan_says("It drops when I walk")
    await at.ivan_says("And when I sit")
    await at.of_ivan.delete(mine)
    await at.boris_says("Walk where?", reply_to=at.in_group("It drops when I walk"))
    assert at.in_chat("Walk where?").reply_to is None


async def test_an_answer_to_words_that_were_sent_on_is_a_reply_to_where_they_were_typed(
    english: Crossing,
) -> None:
    at = english
    await at.report(at.ivan)
    typed = await at.boris_says("Which version is it?")
    await at.boris_says("/reply", reply_to=typed)
    await at.ivan_says("I am at home")
    await at.ivan_says("5.1", reply_to=at.in_chat("Which version is it?"))
    assert at.in_group("5.1").reply_to is typed
    assert "Boris Orlov: Which version is it?" in at.in_channel("5.1").shown


async def test_words_that_were_sent_on_and_are_deleted_are_still_with_the_requester(
    english: Crossing,
) -> None:
    at = english
    await at.report(at.ivan)
    source = await at.of_anna.send("Restart it", thread=at.anna._card)
    await at.world.settle()
    await (await at.of_anna.shortcut("send_to_requester", source)).done()
    await at.world.settle()
    at.world.clock.advance(timedelta(minutes=1))
    await at.of_anna.delete(source)
    await at.world.settle()
    thread = await at.boris.thread()
    assert at.word("event.deleted_note", actor="Anna Smirnova") in thread
    assert at.word("event.deleted_reply", actor="Anna Smirnova") in thread
    assert "Restart it" in at.in_chat("Restart it").text


async def test_an_edit_of_words_that_were_sent_on_is_said_to_change_the_note_alone(english: Crossing) -> None:
    at = english
    await at.report(at.ivan)
    source = await at.of_anna.send("Restart it", thread=at.anna._card)
    await at.world.settle()
    await (await at.of_anna.shortcut("send_to_requester", source)).done()
    await at.world.settle()
    await at.of_anna.edit(source, "Restart it, the fool")
    await at.world.settle()
    assert at.word("edit.sent_on") in "".join(each.shown for each in at.world.channel.private_to(at.of_anna))
    assert at.in_chat("Restart it").text.endswith("Restart it")


async def test_a_long_quote_is_cut_and_files_are_named(english: Crossing) -> None:
    at = english
    await at.report(at.ivan)
    await at.ivan_says("very " * 200)
    await at.ivan.brings("trace.log", b"17")
    file = at.of_ivan.chat.messages[-1]
    await at.ivan_says("so?")
    await at.boris_says("Why so long?", reply_to=at.in_group("very very"))
    [quote] = quotes(at.in_channel("Why so long?"))
    assert len(quote) <= len("Ivan Petrov: ") + 100
    assert quote.endswith("…")
    await at.ivan_says("this one", reply_to=file)
    assert "Ivan Petrov: 📎 trace.log" in at.in_channel("this one").shown


# ---- emoji


async def test_an_emoji_of_the_requester_is_one_quiet_line_for_staff_and_told_once(at: Crossing) -> None:
    await at.report(at.ivan)
    await at.boris_says("/reply Which version is it?")
    asked = at.in_chat("Which version is it?")
    for emojis in (("👍",), (), ("👍",), ("👍", "👎")):
        await at.of_ivan.react(asked, *emojis)
        await at.world.settle()
    line = at.word("event.reacted", actor="Ivan Petrov", emoji="👍", words="Which version is it?")
    for thread in (await at.boris.thread(), await at.anna.thread(), await at.maria.thread()):
        assert thread.count(line) == 1
        assert "👎" in thread
    assert (await at.kinds()).count("reacted") == 2
    assert "👍" not in await at.ivan.ever_read()


async def test_an_emoji_of_slack_is_told_by_its_sign(english: Crossing) -> None:
    at = english
    await at.report(at.olga)
    await at.boris_says("/reply Which version is it?")
    olga = at.world.slack.users["U0505"]
    asked = next(each for each in olga.dm.from_bot if "Which version" in each.shown)
    for name in ("+1", "white_check_mark", "eyes", "party_parrot"):
        await olga.react(asked, name)
        await at.world.settle()
    thread = await at.boris.thread()
    for emoji in ("👍", "✅", "👀", ":party_parrot:"):
        assert f"Olga Belova: {emoji} on “Which version is it?”" in thread
    assert (await at.world.ticket(1)).status == "open"


async def test_an_emoji_of_staff_or_on_anything_else_crosses_nowhere(english: Crossing) -> None:
    at = english
    await at.report(at.ivan)
    own = await at.ivan_says("still bad")
    await at.of_boris.react(at.in_group("still bad"), "👍")
    await at.of_ivan.react(own, "👎")
    await at.of_ivan.react(at.in_chat("#1"), "🔥")
    await at.world.settle()
    assert "reacted" not in await at.kinds()
    assert "👍" not in await at.ivan.ever_read()


# ---- gone where it was said


async def test_an_agent_who_deletes_a_reply_reads_that_the_requester_has_it_and_how_to_undo(
    at: Crossing,
) -> None:
    await at.report(at.ivan)
    await at.anna.presses(at.word("button.take"))
    source = await at.of_anna.send("The token is 17", thread=at.anna._card)
    await at.world.settle()
    await at.of_anna.delete(source)
    await at.world.settle()
    note = at.word("event.deleted_note", actor="Anna Smirnova")
    assert note in await at.boris.thread()
    assert "The token is 17" not in await at.ivan.ever_read()


@pytest.mark.parametrize(("seconds", "key"), [(3, "event.deleted_reply_undo"), (60, "event.deleted_reply")])
async def test_a_reply_deleted_where_it_was_written_stays_with_the_requester(
    tmp_path: Path, seconds: int, key: str
) -> None:
    async with world(tmp_path, "en", 'plain_text = "reply"\n') as town:
        at = Crossing(town, "en")
        await at.report(at.ivan)
        source = await at.of_anna.send("Restart it", thread=at.anna._card)
        await town.settle()
        assert "Restart it" in at.in_chat("Restart it").text
        town.clock.advance(timedelta(seconds=seconds))
        await at.of_anna.delete(source)
        await town.settle()
        assert at.word(key, actor="Anna Smirnova") in await at.boris.thread()
        assert at.in_chat("Restart it") is not None


# ---- what has no words


SAID: dict[str, tuple[dict[str, Any], str]] = {
    "sticker": ({"sticker": b"webp"}, "👍"),
    "location": ({"location": (55.75, 37.61)}, "📍 55.75000, 37.61000"),
    "contact": ({"contact": "+15550100"}, "👤 "),
    "poll": ({"poll": ("Lunch?", ["Soup", "Fish"])}, "📊 Lunch?\n▫️ Soup\n▫️ Fish"),
    "dice": ({"dice": "🎲"}, "🎲 "),
}
FILES: dict[str, str] = {
    "voice": "voice.ogg",
    "video_note": "video-note.mp4",
    "animation": "animation.mp4",
    "audio": "audio.mp3",
    "document": "trace.log",
}
MUTE: dict[str, dict[str, Any]] = {
    "story": {"story": {"id": 7, "chat": {"id": 501}}},
    "hologram": {"hologram": {}},
}


@pytest.mark.parametrize("kind", SAID)
async def test_whatever_a_requester_sends_from_telegram_is_told_to_every_agent(
    english: Crossing, kind: str
) -> None:
    at, (content, told) = english, SAID[kind]
    await at.report(at.ivan)
    await at.ivan_says("", **content)
    said = (await at.messages())[-1]
    assert said.text.startswith(told)
    for thread in (await at.boris.thread(), await at.anna.thread(), await at.maria.thread()):
        assert said.text in thread


@pytest.mark.parametrize("kind", FILES)
async def test_every_kind_of_file_of_telegram_is_there_for_every_agent(english: Crossing, kind: str) -> None:
    at = english
    await at.report(at.ivan)
    await at.ivan_says("", **{kind: TelegramFile(FILES[kind], b"17")})
    copies = [each.name for copy in at.boris._thread for each in copy.files]
    for names in (copies, await at.anna.has(), await at.maria.has()):
        assert FILES[kind] in names


@pytest.mark.parametrize("kind", SAID)
async def test_whatever_an_agent_says_in_a_topic_is_told_in_the_other_threads(
    english: Crossing, kind: str
) -> None:
    at, (content, _) = english, SAID[kind]
    await at.report(at.ivan)
    await at.boris_says("", **content)
    said = (await at.messages())[-1]
    assert said.kind == "note"
    assert said.text.strip()
    assert said.text in await at.anna.thread()
    assert said.text in await at.maria.thread()


@pytest.mark.parametrize("kind", MUTE)
async def test_what_cannot_be_read_is_answered_with_what_can(at: Crossing, kind: str) -> None:
    await at.report(at.ivan)
    await at.ivan_says("", body=MUTE[kind])
    assert at.of_ivan.chat.last.text == at.word("talk.unreadable")
    before = len(at.of_boris.chat.from_bot)
    await at.boris_says("", body=MUTE[kind])
    told = [*at.of_boris.chat.from_bot[before:], *at.boris._thread]
    assert any(at.word("talk.unreadable") in each.text for each in told)
    assert len(await at.messages()) == 1


async def test_a_file_too_large_and_an_album_with_a_part_lost_are_told_to_who_sent_them(at: Crossing) -> None:
    await at.report(at.ivan)
    await at.ivan_says("", document=TelegramFile("huge.zip", b"17", size=60_000_000))
    assert at.of_ivan.chat.last.text == at.word("file.too_large", limit=20)
    album = [TelegramFile("a.log", b"17"), TelegramFile("b.log", b"18", size=60_000_000)]
    await at.of_ivan.send_album(album, "both logs", kind="document")
    await at.world.settle()
    await at.world.later(timedelta(seconds=2))
    assert at.of_ivan.chat.last.text == at.word("file.too_large", limit=20)
    assert "both logs" in at.in_group("both logs").text
    assert await at.anna.has() == {"a.log": b"17"}
