"""The five steps, with a requester in a direct message and agents in a channel, by socket and over HTTP."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.tickets.catalogue import Priority
from core.tickets.model import Status
from tests.emulators.slack import File
from tests.slack import rig as rigs
from tests.slack.rig import Mode, Rig

VPN = {"en": "VPN drops every ten minutes", "ru": "VPN отваливается каждые десять минут"}
OFFICE = {"en": "The office", "ru": "Из офиса"}
HOME = {"en": "Home", "ru": "Из дома"}
ME = {"en": "Only me", "ru": "Только у меня"}


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path) as opened:
        yield opened


def whispers(desk: Rig, user: object) -> list[str]:
    """What the channel of the agents has shown this person alone."""
    return [each.shown for each in desk.triage.private_to(user)]  # type: ignore[arg-type]


@pytest.mark.both
@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_the_five_steps(tmp_path: Path, language: str, mode: Mode) -> None:
    async with rigs.rig(tmp_path, mode=mode, language=language) as desk:

        def word(key: str, **facts: object) -> str:
            return desk.word(key, language, **facts)

        ivan, anna, boris = desk.ivan, desk.anna, desk.boris

        # 1. Intake in a thread of its own, with a file, until there is a number and a promise.
        root = await desk.say(ivan, VPN[language], files=[File("screen.png", b"\x89PNG pixels")])
        await desk.choose(ivan, OFFICE[language])
        await desk.choose(ivan, word("button.back"))
        await desk.choose(ivan, HOME[language])
        await desk.choose(ivan, ME[language])
        await desk.choose(ivan, word("button.skip"))
        await desk.choose(ivan, word("urgency.critical"))
        assert VPN[language] in ivan.dm.saying(word("intake.summary")).shown
        await desk.choose(ivan, word("button.send"))
        assert "#1" in ivan.dm.last.shown
        assert "09:15" in ivan.dm.last.shown
        assert {each.thread_ts for each in ivan.dm.from_bot} == {root.ts}

        # 2. The card appears by itself and is taken.
        card = desk.card(1)
        assert VPN[language] in card.shown
        assert any(file.data == b"\x89PNG pixels" for each in card.replies for file in each.files)
        await desk.press(anna, word("button.take"), card)
        assert "Anna Smirnova" in card.shown
        assert word("button.take") not in card.buttons
        assert "Anna Smirnova" in ivan.dm.last.shown
        late = await boris.press(card, "t.take.1")
        await desk.settle()
        assert (await late.done()).taken
        assert "Anna Smirnova" in whispers(desk, boris)[-1]

        # 3. A reply, a note the requester never sees, a priority, waiting, solving, judging.
        await desk.press(anna, word("button.reply"), card)
        assert await desk.fill(anna, {word("form.text"): "Which version?"}) == {}
        assert "Which version?" in ivan.dm.last.shown
        assert "Anna Smirnova" in ivan.dm.last.shown
        assert ivan.dm.last.thread_ts == root.ts
        assert word("said.delivered") in desk.triage.saying("Which version?").shown
        await desk.say(anna, "he always forgets", thread=card)
        await desk.press(anna, word("button.priority"), card)
        await desk.fill(anna, {word("form.priority"): word("priority.high"), word("form.reason"): "only him"})
        assert (await desk.ticket(1)).priority is Priority.HIGH
        await desk.command(anna, "/desk wait 1", desk.triage)
        assert (await desk.ticket(1)).status is Status.WAITING
        await desk.say(ivan, "5.1", thread=root)
        assert (await desk.ticket(1)).status is Status.OPEN
        assert "5.1" in desk.told(1)
        await desk.press(anna, word("button.resolve"), card)
        await desk.fill(anna, {word("form.solution"): "Reinstalled the driver"})
        assert ivan.dm.last.buttons == [word("button.fixed"), word("button.not_fixed")]
        await desk.later(timedelta(minutes=1))
        await desk.choose(ivan, word("button.not_fixed"))
        assert (await desk.ticket(1)).status is Status.OPEN
        await desk.react(anna, card, "white_check_mark")
        assert (await desk.ticket(1)).status is Status.RESOLVED
        await desk.choose(ivan, word("button.fixed"))
        await desk.choose(ivan, "★★★★")
        await desk.say(ivan, "quick and kind", thread=root)
        assert any(word("rating.thanks", stars=4) in text for text in ivan.dm.texts)
        assert "quick and kind" in desk.told(1)
        assert "he always forgets" not in desk.heard_by(ivan)
        assert [trouble.word for user in (ivan, anna, boris) for trouble in user.troubles] == []


async def test_an_untouched_critical_ticket_pings_one_after_the_other(desk: Rig) -> None:
    await desk.report(urgent=True)
    await desk.later(timedelta(seconds=16))
    first = [user for user in (desk.anna, desk.boris) if user.dm.messages]
    assert len(first) == 1
    await desk.later(timedelta(seconds=16))
    assert desk.anna.dm.messages
    assert desk.boris.dm.messages
    ping = desk.boris.dm.last
    assert ping.buttons[:3] == [desk.word(f"button.{key}") for key in ("take", "onit", "snooze_now")]
    await desk.press(desk.boris, desk.word("button.take"), ping)
    assert "Boris Orlov" in desk.card(1).shown
    assert desk.word("button.take") not in desk.anna.dm.last.buttons


async def test_after_a_restart_in_the_middle_everybody_goes_on_where_they_were(desk: Rig) -> None:
    root = await desk.say(desk.ivan, VPN["en"])
    await desk.choose(desk.ivan, OFFICE["en"])
    await desk.restart()
    await desk.choose(desk.ivan, ME["en"])
    for label in (desk.word("button.skip"), desk.word("urgency.normal"), desk.word("button.send")):
        await desk.choose(desk.ivan, label)
    assert "#1" in desk.ivan.dm.last.shown
    assert desk.ivan.dm.last.thread_ts == root.ts


async def test_words_in_a_thread_belong_to_its_ticket_and_words_outside_begin_a_new_one(desk: Rig) -> None:
    first = await desk.report()
    second = await desk.report("The VPN of my neighbour is slow")
    await desk.say(desk.ivan, "it is the one upstairs", thread=second)
    await desk.say(desk.ivan, "it is version 5.1", thread=first)
    assert "it is the one upstairs" in desk.told(2)
    assert "it is version 5.1" in desk.told(1)
    third = await desk.say(desk.ivan, "my VPN has broken once more")
    offered = third.replies[-1]
    assert any("#1" in label for label in offered.buttons)
    await desk.press(desk.ivan, next(label for label in offered.buttons if "#1" in label), offered)
    assert "my VPN has broken once more" in desk.told(1)
    await desk.say(desk.ivan, "since today", thread=third)
    assert "since today" in desk.told(1)


async def test_the_form_of_a_new_request_says_what_is_wrong_in_it_and_becomes_a_ticket(desk: Rig) -> None:
    await desk.command(desk.ivan, "/desk new", desk.town)
    form = await desk.ivan.modal()
    title = form.title
    assert title == desk.word("form.report_title")
    wrong = await desk.fill(desk.ivan, {desk.word("form.report_text"): "   "})
    assert list(wrong.values()) == [desk.word("form.missing")]
    assert await desk.fill(desk.ivan, {desk.word("form.report_text"): VPN["en"]}) == {}
    second = await desk.ivan.modal()
    assert second.title != title
    answers = {block["label"]["text"]: block for block in second.blocks if block["type"] == "input"}
    filled = {
        label: block["element"]["options"][0]["text"]["text"]
        for label, block in answers.items()
        if block["element"]["type"] == "static_select" and "initial_option" not in block["element"]
    }
    assert await desk.fill(desk.ivan, filled) == {}
    assert desk.ivan.modals == []
    ticket = await desk.ticket(1)
    assert ticket.title == VPN["en"]
    [summary] = [each for each in desk.ivan.dm.messages if not each.is_reply]
    assert VPN["en"] in summary.shown
    assert "#1" in summary.replies[-1].shown
    await desk.say(desk.ivan, "it hurries", thread=summary)
    assert "it hurries" in desk.told(1)


async def test_the_home_tab_shows_my_requests_and_keeps_up(desk: Rig) -> None:
    await desk.ivan.open_home()
    await desk.settle()
    assert desk.ivan.home is not None
    assert desk.word("home.none_own") in desk.ivan.home.shown
    await desk.report()
    assert VPN["en"] in desk.ivan.home.shown
    await desk.react(desk.anna, desk.card(1), "eyes")
    await desk.react(desk.anna, desk.card(1), "white_check_mark")
    await desk.press(desk.ivan, desk.word("home.fixed", ticket=1), desk.ivan.home)
    assert (await desk.ticket(1)).status is Status.CLOSED
    stars = next(label for label in desk.ivan.home.buttons if label.endswith("★★★★★"))
    await desk.press(desk.ivan, stars, desk.ivan.home)
    assert "5" in desk.card(1).shown
    await desk.press(desk.ivan, desk.word("home.reopen", ticket=1), desk.ivan.home)
    assert (await desk.ticket(1)).status is Status.OPEN
    await desk.press(desk.ivan, desk.word("button.new_request"), desk.ivan.home)
    assert (await desk.ivan.modal()).title == desk.word("form.report_title")


async def test_an_agents_home_tab_shows_what_waits_and_takes_it(desk: Rig) -> None:
    await desk.report()
    await desk.anna.open_home()
    await desk.settle()
    assert desk.anna.home is not None
    assert VPN["en"] in desk.anna.home.shown
    await desk.press(desk.anna, desk.word("button.take_number", ticket=1), desk.anna.home)
    assert "Anna Smirnova" in desk.card(1).shown
    assert desk.word("button.take_number", ticket=1) not in desk.anna.home.buttons


async def test_plain_words_stay_inside_and_the_shortcut_sends_them(desk: Rig) -> None:
    root = await desk.report()
    note = await desk.say(desk.anna, "Restart the client, please", thread=desk.card(1))
    assert "Restart the client" not in desk.heard_by(desk.ivan)
    await desk.shortcut(desk.anna, "send_to_requester", note)
    assert "Restart the client" in desk.ivan.dm.last.shown
    assert desk.ivan.dm.last.thread_ts == root.ts


async def test_undo_takes_a_reply_back(desk: Rig) -> None:
    await desk.report()
    await desk.press(desk.anna, desk.word("button.reply"), desk.card(1))
    await desk.fill(desk.anna, {desk.word("form.text"): "the wrong words"})
    copy = desk.triage.saying("the wrong words")
    await desk.press(desk.anna, desk.word("button.undo"), copy)
    assert not any("the wrong words" in text for text in desk.ivan.dm.texts)


@pytest.mark.parametrize("way", ["shortcut", "reaction", "mention"])
async def test_a_message_in_a_channel_becomes_its_authors_ticket(desk: Rig, way: str) -> None:
    words = "@Desk the projector is dead" if way == "mention" else "the projector is dead"
    message = await desk.say(desk.ivan, words, channel=desk.town)
    if way == "shortcut":
        await desk.shortcut(desk.anna, "ticket", message)
    elif way == "reaction":
        await desk.react(desk.anna, message, "ticket")
    ticket = await desk.ticket(1)
    assert ticket.title == "the projector is dead"
    assert ticket.home == f"slack:{rigs.TEAM}/{rigs.IVAN}"
    assert "#1" in message.replies[-1].shown
    assert "#1" in desk.ivan.dm.last.shown
    root = next(each for each in desk.ivan.dm.messages if not each.is_reply)
    await desk.say(desk.ivan, "the one upstairs", thread=root)
    assert "the one upstairs" in desk.told(1)


async def test_foreign_words_ping_nobody_and_read_as_they_were_written(desk: Rig) -> None:
    evil = "<!channel> <@U0502> <!subteam^S1|@all> *bold* & &lt;b&gt; <!here>"
    await desk.report(f"VPN {evil}")
    assert evil in desk.card(1).shown
    root = next(each for each in desk.ivan.dm.messages if not each.is_reply)
    await desk.say(desk.ivan, evil, thread=root)
    copy = desk.triage.last
    assert evil in copy.shown
    assert [ping for message in desk.triage.from_bot for ping in message.pings] == []


async def test_words_that_begin_with_a_number_are_sent_to_the_requester_of_this_thread(desk: Rig) -> None:
    await desk.report()
    await desk.report("VPN is slow at my neighbour's")
    note = await desk.say(desk.anna, "#1 is the same: restart it", thread=desk.card(2))
    await desk.shortcut(desk.anna, "send_to_requester", note)
    assert "#1 is the same: restart it" in desk.told(2)
    assert "#1 is the same" not in desk.told(1)


async def test_a_file_goes_along_with_the_words_that_are_sent(desk: Rig) -> None:
    root = await desk.report()
    note = await desk.say(desk.anna, "Run this", thread=desk.card(1), files=[File("fix.reg", b"REGEDIT4")])
    await desk.shortcut(desk.anna, "send_to_requester", note)
    shown = [each for each in desk.ivan.dm.from_bot if each.thread_ts == root.ts]
    assert any(file.data == b"REGEDIT4" for each in shown for file in each.files)
    assert any("Run this" in each.shown for each in shown)


async def test_a_note_from_elsewhere_is_sent_on_from_its_copy(desk: Rig) -> None:
    await desk.report()
    await desk.press(desk.anna, desk.word("button.note"), desk.card(1))
    await desk.fill(desk.anna, {desk.word("form.note"): "Restart the client"})
    copy = desk.triage.saying("Restart the client")
    assert copy.by_bot
    await desk.shortcut(desk.anna, "send_to_requester", copy)
    assert "Restart the client" in desk.ivan.dm.last.shown


async def test_what_the_desk_itself_said_is_not_sent_on(desk: Rig) -> None:
    await desk.report()
    await desk.shortcut(desk.anna, "send_to_requester", desk.card(1))
    assert whispers(desk, desk.anna)[-1] == desk.word("reply.nobodys")
