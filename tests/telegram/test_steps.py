"""The five steps, with a requester in a private chat and agents in a group, with topics and without."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.tickets.catalogue import Priority
from core.tickets.model import Status
from tests.emulators.telegram import PIXEL, File, Message, Press
from tests.telegram import rig as rigs
from tests.telegram.rig import ANNA, BORIS, Rig, labels

VPN = {"en": "VPN drops every ten minutes", "ru": "VPN отваливается каждые десять минут"}
OFFICE = {"en": "The office", "ru": "Из офиса"}
HOME = {"en": "Home", "ru": "Из дома"}
ME = {"en": "Only me", "ru": "Только у меня"}


@pytest.fixture(params=["with topics", "without topics"])
async def desk(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path, forum=request.param == "with topics") as opened:
        yield opened


def alerts(desk: Rig, who: int) -> list[str]:
    """What this person was told in the little window over their last presses."""
    return [press.text for press in desk.telegram.answers if press.user.id == who and press.show_alert]


def spinning(desk: Rig) -> list[Press]:
    return [press for press in desk.telegram.presses.values() if not press.answered]


def said(desk: Rig, words: str) -> Message:
    """The newest message of the group with these words."""
    return desk.group.saying(words)


@pytest.mark.both
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("forum", [True, False], ids=["with topics", "without topics"])
async def test_the_five_steps(tmp_path: Path, language: str, forum: bool) -> None:
    async with rigs.rig(tmp_path, forum=forum, language=language) as desk:

        def word(key: str, **facts: object) -> str:
            return desk.word(key, language, **facts)

        ivan, anna, boris, group = desk.ivan, desk.anna, desk.boris, desk.group

        # 1. Intake, in the language of the account, with a picture, until there is a number and a promise.
        await desk.say(ivan, VPN[language], photo=File("", PIXEL))
        await desk.press(ivan, OFFICE[language])
        await desk.press(ivan, word("button.back"))
        await desk.press(ivan, HOME[language])
        await desk.press(ivan, ME[language])
        await desk.press(ivan, word("button.skip"))
        await desk.press(ivan, word("urgency.critical"))
        summary = ivan.chat.saying(word("intake.summary"))
        assert summary.marked("blockquote") == [VPN[language]]
        assert word("intake.files", count=1) in summary.text or "1 " in summary.text
        await desk.press(ivan, word("button.send"))
        assert "#1" in ivan.chat.last.text
        assert "09:15" in ivan.chat.last.text

        # 2. The card appears by itself and is taken.
        card = desk.card(1)
        assert card.marked("bold") == [f"🔴 #1 {VPN[language]}"]
        assert any(each.files and each.files[0].data == PIXEL for each in desk.thread(1))
        assert [topic.name for topic in group.topics.values()] == [card.marked("bold")[0]] * forum
        await desk.press(anna, word("button.take"), group)
        assert "Anna Smirnova" in card.text
        assert word("button.take") not in labels(card)
        assert "Anna Smirnova" in ivan.chat.last.text
        await boris.press(card, f"t.take.{1}", stale=True)
        await desk.settle()
        [refusal] = alerts(desk, BORIS)
        assert "Anna Smirnova" in refusal
        assert "Telegram" in refusal

        # 3. A reply, a note the requester never sees, a priority, waiting, solving, judging.
        await desk.press(anna, word("button.reply"), group)
        question = group.saying(word("form.text"))
        assert question.forces_reply
        assert question.marked("text_mention") == ["Anna Smirnova"]
        await desk.say(anna, "Which version?", chat=group, reply_to=question)
        assert question.deleted
        assert ivan.chat.last.text == "Anna Smirnova · #1\nWhich version?"
        assert word("said.delivered") in said(desk, "✅").text
        assert "Which version?" not in said(desk, "✅").text
        await desk.say(anna, "he always forgets", **desk.below(1))
        await desk.say(anna, "/priority high it is only him", **desk.below(1))
        assert (await desk.ticket(1)).priority is Priority.HIGH
        await desk.say(anna, "/wait", **desk.below(1))
        assert (await desk.ticket(1)).status is Status.WAITING
        await desk.say(ivan, "5.1")
        await desk.say(anna, "/resolve Reinstalled the driver", **desk.below(1))
        assert ivan.chat.last.buttons == [word("button.fixed"), word("button.not_fixed")]
        await desk.later(timedelta(minutes=1))
        await desk.press(ivan, word("button.not_fixed"))
        assert (await desk.ticket(1)).status is Status.OPEN
        await desk.react(anna, desk.card(1), "👌")
        assert (await desk.ticket(1)).status is Status.RESOLVED
        await desk.press(ivan, word("button.fixed"))
        await desk.press(ivan, "★★★★")
        await desk.say(ivan, "quick and kind")
        assert any(word("rating.thanks", stars=4) in text for text in ivan.chat.texts)
        assert "quick and kind" in desk.told(1)
        assert not any("he always forgets" in message.text for message in ivan.chat.history)
        assert [topic.closed for topic in group.topics.values()] == [True] * forum
        assert spinning(desk) == []


async def test_taking_by_a_command_in_the_thread_and_by_eyes_under_the_card(desk: Rig) -> None:
    for _ in range(2):
        await desk.report()
        await desk.say(desk.ivan, "/new")
    await desk.say(desk.anna, "/take", **desk.below(1))
    await desk.react(desk.boris, desk.card(2), "👀")
    assert [(await desk.ticket(number)).owner for number in (1, 2)] == [
        (await desk.ticket(number)).owner for number in (1, 2) if (await desk.ticket(number)).owner
    ]
    assert "Anna Smirnova" in desk.card(1).text
    assert "Boris Orlov" in desk.card(2).text
    await desk.say(desk.boris, "/take 1", chat=desk.group)
    assert "Anna Smirnova took #1" in desk.group.last.text


async def test_an_answer_to_the_requesters_message_reaches_them_and_other_words_do_not(desk: Rig) -> None:
    await desk.report()
    await desk.say(desk.ivan, "It is version 5.1")
    await desk.say(desk.anna, "Thanks, update it", **desk.answer(said(desk, "It is version 5.1")))
    assert desk.ivan.chat.last.text == "Anna Smirnova · #1\nThanks, update it"
    before = len(desk.ivan.chat.messages)
    for more in (desk.below(1), desk.answer(desk.card(1)), desk.answer(said(desk, "Thanks, update it"))):
        await desk.say(desk.anna, "what a day", **more)
    assert len(desk.ivan.chat.messages) == before


async def test_a_picture_reaches_the_requester_with_any_kind_of_reply(desk: Rig) -> None:
    await desk.report()
    await desk.say(desk.ivan, "where do I click?")
    await desk.say(desk.anna, "Here", photo=File("", PIXEL), **desk.answer(said(desk, "where do I click?")))
    await desk.say(desk.anna, "/reply and here", document=File("steps.pdf", b"%PDF steps"), **desk.below(1))
    await desk.press(desk.anna, "Reply", desk.group)
    question = said(desk, "The requester reads this")
    await desk.say(desk.anna, "", document=File("log.txt", b"a log"), **desk.answer(question))
    files = [(each.kind, file.name, file.data) for each in desk.ivan.chat.messages for file in each.files]
    assert files == [
        ("photo", "photo.jpg", PIXEL),
        ("document", "steps.pdf", b"%PDF steps"),
        ("document", "log.txt", b"a log"),
    ]


async def test_what_colleagues_say_while_a_question_is_open_never_becomes_a_reply(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path, forum=False) as desk:
        await desk.report()
        await desk.press(desk.anna, "Reply", desk.group)
        before = len(desk.ivan.chat.messages)
        await desk.say(desk.anna, "lunch?", chat=desk.group)
        hello = await desk.say(desk.boris, "yes!", chat=desk.group)
        await desk.say(desk.anna, "with that Ivan again…", **desk.answer(hello))
        assert len(desk.ivan.chat.messages) == before
        await desk.say(desk.anna, "Restart it", **desk.answer(said(desk, "The requester reads this")))
        assert "Restart it" in desk.ivan.chat.last.text


@pytest.mark.parametrize("button", ["Reply", "Resolve"])
async def test_in_a_topic_too_only_a_reply_to_the_question_is_a_reply(tmp_path: Path, button: str) -> None:
    async with rigs.rig(tmp_path) as desk:
        await desk.report()
        await desk.press(desk.boris, "Take it", desk.group)
        note = await desk.say(desk.boris, "a note", **desk.below(1))
        await desk.press(desk.anna, button, desk.group)
        before = len(desk.ivan.chat.messages)
        await desk.say(desk.anna, "he never learns", **desk.below(1))
        await desk.say(desk.anna, "again", photo=File("", PIXEL), **desk.answer(note))
        assert len(desk.ivan.chat.messages) == before
        assert [each.text for each in desk.thread(1)].count(desk.word("form.waits", "en")) == 1
        question = next(
            each for each in reversed(desk.thread(1)) if each.forces_reply or "Cancel" in each.buttons
        )
        await desk.say(desk.anna, "Restart it", **desk.answer(question))
        assert "Restart it" in "".join(each.text for each in desk.ivan.chat.messages[before:])


async def test_alone_with_the_desk_a_question_waits_a_quarter_of_an_hour(desk: Rig) -> None:
    await desk.report()
    await desk.say(desk.anna, "/queue")
    await desk.anna.press(desk.anna.chat.last, "f.reply.1", stale=True)
    await desk.settle()
    before = len(desk.ivan.chat.messages)
    await desk.later(timedelta(minutes=15))
    await desk.say(desk.anna, "what an odd person")
    assert len(desk.ivan.chat.messages) == before
    assert "Is this a new request of your own?" in desk.anna.chat.last.text


async def test_a_question_is_left_with_cancel_and_taken_away(desk: Rig) -> None:
    await desk.report()
    await desk.press(desk.anna, "Reply", desk.group)
    question = said(desk, "The requester reads this")
    await desk.say(desk.anna, "/cancel", **desk.below(1))
    assert question.deleted
    before = len(desk.ivan.chat.messages)
    await desk.say(desk.anna, "not for him", **desk.below(1))
    assert len(desk.ivan.chat.messages) == before


async def test_a_form_with_choices_is_asked_with_buttons_one_field_after_another(desk: Rig) -> None:
    await desk.report()
    await desk.press(desk.anna, "More ▾", desk.group)
    await desk.press(desk.anna, "Pass to…", desk.group)
    await desk.press(desk.boris, "Boris Orlov", desk.group)
    assert alerts(desk, BORIS) == [
        "This button was made for somebody else. Write your own request and you get your own buttons."
    ]
    await desk.press(desk.anna, "Boris Orlov", desk.group)
    await desk.say(desk.anna, "He knows VPNs", **desk.answer(said(desk, "A line for whoever comes next")))
    assert "Boris Orlov" in desk.card(1).text
    assert "He knows VPNs" in desk.told(1)
    assert not any("A line for whoever" in text for text in desk.group.texts)


async def test_undo_takes_the_message_out_of_the_requesters_chat(desk: Rig) -> None:
    await desk.report()
    await desk.say(desk.anna, "/reply What a mess", photo=File("", PIXEL), **desk.below(1))
    sent = desk.ivan.chat.last
    assert (sent.text, sent.bytes) == ("Anna Smirnova · #1\nWhat a mess", PIXEL)
    await desk.press(desk.anna, "Undo", desk.group)
    assert sent.deleted
    assert "Withdrawn" in said(desk, "What a mess").text
    await desk.later(timedelta(seconds=12))
    assert not any("Undo" in labels(message) for message in desk.thread(1))


async def test_an_undo_that_comes_too_late_is_answered_and_its_button_goes(desk: Rig) -> None:
    await desk.report()
    await desk.say(desk.anna, "/reply Restart it", **desk.below(1))
    copy = said(desk, "Restart it\n")
    data = copy.button("Undo")["callback_data"]
    await desk.later(timedelta(seconds=12))
    assert labels(copy) == []
    await desk.anna.press(copy, data, stale=True)
    await desk.settle()
    assert len(alerts(desk, ANNA)) == 1
    assert desk.ivan.chat.saying("Restart it")


async def test_edits_are_followed_both_ways(desk: Rig) -> None:
    await desk.report()
    words = await desk.say(desk.ivan, "version 5.1")
    reply = await desk.say(desk.anna, "Restrat it", **desk.answer(said(desk, "version 5.1")))
    await desk.ivan.edit(words, "version 5.2")
    await desk.anna.edit(reply, "Restart it")
    await desk.settle()
    assert "version 5.2" in said(desk, "version 5.2").text
    assert "changed" in said(desk, "version 5.2").text
    assert desk.ivan.chat.last.by_bot
    assert desk.ivan.chat.saying("Restart it").edits == ["Anna Smirnova · #1\nRestrat it"]


async def test_a_ping_comes_in_private_and_shows_its_answer(desk: Rig) -> None:
    await desk.report(urgent=True)
    await desk.later(timedelta(seconds=16))
    await desk.later(timedelta(seconds=16))
    pings = [user.chat.saying("⏰ #1") for user in (desk.anna, desk.boris)]
    assert pings[0].buttons == ["Take it", "On it: 15 min", "Snooze 30 min", "Pass to…"]
    await desk.press(desk.boris, "Take it")
    assert [ping.buttons for ping in pings] == [[], []]
    assert all("Boris Orlov" in ping.text for ping in pings)
    assert "Boris Orlov" in desk.card(1).text
    assert spinning(desk) == []


@pytest.mark.parametrize("why", ["never started", "blocked"])
async def test_whom_a_ping_cannot_reach_is_called_by_name_in_the_group(desk: Rig, why: str) -> None:
    if why == "blocked":
        await desk.anna.block_bot()
    else:
        desk.anna.started = False
    await desk.report(urgent=True)
    await desk.later(timedelta(seconds=16))
    calls = [message for message in desk.thread(1) if message.marked("text_mention")]
    assert [message.marked("text_mention") for message in calls] == [["Anna Smirnova"]]
    assert [entity["user"]["id"] for entity in calls[0].entities if entity["type"] == "text_mention"] == [
        ANNA
    ]
    assert "Take it" in labels(calls[0])
    await desk.press(desk.anna, "Take it", desk.group)
    assert labels(calls[0]) == []
    assert "took it" in desk.told(1)


async def test_a_requester_who_blocked_the_bot_is_told_of_in_the_thread_and_gets_it_all_later(
    desk: Rig,
) -> None:
    await desk.report()
    await desk.ivan.block_bot()
    await desk.say(desk.anna, "/reply Please restart", **desk.below(1))
    assert "Could not be delivered" in desk.told(1)
    assert "blocked the bot" in desk.told(1)
    await desk.ivan.start()
    await desk.settle()
    assert desk.ivan.chat.saying("Please restart")
    assert "Delivered to the requester" in said(desk, "Please restart").text


async def test_a_process_that_dies_in_the_middle_goes_on_where_it_was(desk: Rig) -> None:
    await desk.say(desk.ivan, "VPN drops")
    await desk.press(desk.ivan, "The office")
    await desk.restart()
    await desk.press(desk.ivan, "Only me")
    await desk.restart()
    for label in ("Skip", "It can wait", "Send"):
        await desk.press(desk.ivan, label)
    await desk.press(desk.anna, "Reply", desk.group)
    await desk.restart()
    await desk.say(desk.anna, "On it", **desk.answer(said(desk, "The requester reads this")))
    assert desk.ivan.chat.saying("On it")
    await desk.restart()
    await desk.react(desk.anna, desk.card(1), "👌")
    await desk.press(desk.ivan, "Yes, it is fixed")
    assert [topic.closed for topic in desk.group.topics.values()] in ([], [True])
    assert len(desk.group.topics) <= 1
    cards = [message for message in desk.group.from_bot if "#1 VPN drops" in message.text.split("\n")[0]]
    assert cards == [desk.card(1)]


async def test_a_topic_is_named_closed_and_opened_with_its_ticket(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path) as desk:
        await desk.report()
        [topic] = desk.group.topics.values()
        names = [topic.name]
        await desk.say(desk.anna, "/priority high", **desk.below(1))
        names.append(topic.name)
        await desk.say(desk.anna, "/resolve", **desk.below(1))
        names.append(topic.name)
        await desk.press(desk.ivan, "Yes, it is fixed")
        names.append(topic.name)
        assert names == [f"{mark} #1 VPN drops every ten minutes" for mark in ("🔵", "🟠", "✅", "☑️")]
        assert topic.closed
        await desk.restart()
        await desk.press(desk.anna, "Reopen", desk.group)
        assert (topic.closed, topic.name) == (False, "🟠 #1 VPN drops every ten minutes")
        await desk.press(desk.anna, "Resolve", desk.group)
        assert len(desk.group.topics) == 1


async def test_commands_tapped_in_the_menu_need_nothing_typed(desk: Rig) -> None:
    await desk.report()
    await desk.say(desk.ivan, "/status")
    assert "#1 · waits for an agent · VPN drops every ten minutes" in desk.ivan.chat.last.text
    await desk.say(desk.ivan, "/lang")
    assert desk.ivan.chat.last.buttons == ["English", "Русский"]
    await desk.press(desk.ivan, "Русский")
    assert desk.ivan.chat.last.text == desk.word("language.changed", "ru")
    assert spinning(desk) == []


async def test_a_topic_holds_no_lines_of_telegrams_about_its_own_changes(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path) as desk:
        await desk.report()
        [topic] = desk.group.topics.values()
        for words in ("/priority high", "/resolve", "/reopen"):
            await desk.say(desk.anna, words, **desk.below(1))
        await desk.group.rename_topic(topic, "Ivan again", by=desk.anna)
        await desk.settle()

        def traces() -> list[str]:
            own = (each for each in desk.group.messages if each.sender is desk.telegram.bot)
            return [each.kind for each in own if each.kind.startswith("forum_topic")]

        await desk.telegram.until(lambda: traces() == ["forum_topic_created"], what=f"{traces()}")
        assert [each.kind for each in desk.group.messages if each.sender is desk.anna][
            -1
        ] == "forum_topic_edited"


async def test_a_long_first_word_is_whole_in_the_thread_and_short_on_the_card(desk: Rig) -> None:
    story = "\n".join(f"{place}. The client stops, and then it begins again." for place in range(200))
    await desk.report("VPN drops\n" + story)
    whole = "".join(message.text for message in desk.thread(1))
    assert all(line in whole for line in story.split("\n"))
    assert len(desk.card(1).text) < 1000
    part = [message for message in desk.thread(1) if "199." in message.text][-1]
    await desk.say(desk.anna, "All of it?", **desk.answer(part))
    assert desk.ivan.chat.last.text.endswith("All of it?")
