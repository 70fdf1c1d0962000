"""Slack's manners in the less straight cases: threads, whispers, forms, stale and foreign presses."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.tickets.model import Status
from tests.emulators.slack import Channel
from tests.slack import rig as rigs
from tests.slack.rig import Rig

VPN = "VPN drops every ten minutes"


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path) as opened:
        yield opened


async def test_two_requests_are_reported_side_by_side_each_in_its_thread(desk: Rig) -> None:
    one = await desk.say(desk.ivan, VPN)
    two = await desk.say(desk.ivan, "VPN is slow")
    await desk.press(desk.ivan, "Home", one.replies[-1])
    await desk.press(desk.ivan, "The office", two.replies[-1])
    assert "Who is affected?" in one.replies[0].shown
    assert "Who is affected?" in two.replies[0].shown
    for root, ticket in ((two, 1), (one, 2)):
        for label in ("Only me", "Skip", "It slows me down", "Send"):
            await desk.press(desk.ivan, label, root.replies[-1])
        assert (await desk.ticket(ticket)).title == root.shown
        assert f"#{ticket}" in root.replies[-1].shown


async def test_words_in_the_thread_of_a_closed_ticket_offer_to_reopen_it(desk: Rig) -> None:
    root = await desk.report()
    await desk.react(desk.anna, desk.card(1), "eyes")
    await desk.react(desk.anna, desk.card(1), "white_check_mark")
    await desk.choose(desk.ivan, desk.word("button.fixed"))
    await desk.later(timedelta(minutes=20))
    await desk.say(desk.ivan, "it is broken again", thread=root)
    await desk.press(desk.ivan, desk.word("button.reopen"), root.replies[-1])
    assert (await desk.ticket(1)).status is Status.OPEN
    assert "it is broken again" in desk.told(1)


async def test_a_new_request_in_the_thread_of_a_closed_one_goes_on_in_it(desk: Rig) -> None:
    root = await desk.report()
    await desk.react(desk.anna, desk.card(1), "eyes")
    await desk.react(desk.anna, desk.card(1), "white_check_mark")
    await desk.choose(desk.ivan, desk.word("button.fixed"))
    await desk.later(timedelta(minutes=20))
    await desk.say(desk.ivan, "VPN is slow by now", thread=root)
    await desk.press(desk.ivan, desk.word("button.new_request"), root.replies[-1])
    for label in ("The office", "Only me", "Skip", "It slows me down", "Send"):
        await desk.press(desk.ivan, label, root.replies[-1])
    await desk.say(desk.ivan, "since this morning", thread=root)
    assert "since this morning" in desk.told(2)
    assert "since this morning" not in desk.told(1)


async def test_an_edit_in_the_thread_reaches_every_copy(desk: Rig) -> None:
    root = await desk.report()
    said = await desk.say(desk.ivan, "it is version 5.1", thread=root)
    await desk.ivan.edit(said, "it is version 5.2")
    await desk.settle()
    assert "it is version 5.2" in desk.told(1)
    assert "5.1" not in desk.told(1)


async def test_a_requesters_staff_command_is_refused_in_their_ear_alone(desk: Rig) -> None:
    given = await desk.command(desk.ivan, "/desk queue", desk.town)
    assert given.taken
    [told] = desk.town.private_to(desk.ivan)
    assert "queue" in told.shown
    assert desk.town.from_bot == []


async def test_a_command_in_private_is_answered_there(desk: Rig) -> None:
    await desk.report()
    await desk.command(desk.ivan, "/desk my")
    assert VPN in desk.ivan.dm.private_to(desk.ivan)[-1].shown
    await desk.command(desk.ivan, "/desk status 1")
    assert VPN in desk.ivan.dm.private_to(desk.ivan)[-1].shown
    await desk.command(desk.ivan, "/desk nonsense")
    assert "help" in desk.ivan.dm.private_to(desk.ivan)[-1].shown


async def test_what_was_typed_after_new_stands_in_the_form(desk: Rig) -> None:
    await desk.command(desk.ivan, "/desk new The VPN is down & out", desk.town)
    form = await desk.ivan.modal()
    assert await desk.fill(desk.ivan, {}) == {}
    assert (await desk.ivan.modal()).title != form.body.get("title")
    filled = {
        block["label"]["text"]: block["element"]["options"][0]["text"]["text"]
        for block in desk.ivan.modals[-1].blocks
        if block["type"] == "input"
        and block["element"]["type"] == "static_select"
        and "initial_option" not in block["element"]
    }
    assert await desk.fill(desk.ivan, filled) == {}
    assert (await desk.ticket(1)).title == "The VPN is down & out"


async def test_a_form_that_comes_too_late_is_said_so(desk: Rig) -> None:
    await desk.report()
    pressed = await desk.anna.press(desk.card(1), desk.word("button.reply"))
    await pressed.done()
    assert pressed.trigger is not None
    pressed.trigger.born -= 10
    await desk.settle()
    assert desk.anna.modals == []
    assert desk.triage.private_to(desk.anna)[-1].shown == desk.word("press.too_late")


async def test_a_ping_is_answered_by_a_form_in_private(desk: Rig) -> None:
    await desk.report(urgent=True)
    await desk.later(timedelta(seconds=32))
    ping = desk.anna.dm.last
    await desk.press(desk.anna, desk.word("button.pass"), ping)
    wrong = await desk.fill(
        desk.anna, {desk.word("form.to"): "Boris Orlov", desk.word("form.handover"): "you know it"}
    )
    assert wrong == {}
    assert "Boris Orlov" in desk.card(1).shown
    assert desk.word("button.take") not in desk.boris.dm.last.buttons


async def test_a_wrong_value_is_said_in_the_form_and_nothing_typed_is_lost(desk: Rig) -> None:
    await desk.report()
    await desk.press(desk.anna, desk.word("button.hold"), desk.card(1))
    wrong = await desk.fill(
        desk.anna, {desk.word("form.until"): "when pigs fly", desk.word("form.note"): "waiting for a part"}
    )
    assert list(wrong.values()) == [desk.word("when.instant")]
    assert desk.anna.modals
    assert await desk.fill(desk.anna, {desk.word("form.until"): "18:00"}) == {}
    assert (await desk.ticket(1)).status is Status.ON_HOLD
    assert "waiting for a part" in desk.told(1)


async def test_somebody_elses_question_cannot_be_answered(desk: Rig) -> None:
    await desk.say(desk.ivan, VPN)
    question = desk.ivan.dm.last
    before = question.shown
    pressed = await desk.anna.press(question, "Home")
    await desk.settle()
    await pressed.done()
    assert question.shown == before


async def test_a_press_on_what_was_answered_already_says_so_and_changes_nothing(desk: Rig) -> None:
    root = await desk.say(desk.ivan, VPN)
    question = root.replies[-1]
    await desk.press(desk.ivan, "Home", question)
    count = len(root.replies)
    await desk.press(desk.ivan, "The office", question) if "The office" in question.buttons else None
    late = await desk.ivan.press(question, "The office")
    await desk.settle()
    await late.done()
    assert "Who is affected?" in root.replies[0].shown
    assert len(root.replies) <= count + 1


async def test_a_deactivated_requester_is_told_in_the_ticket(desk: Rig) -> None:
    await desk.report()
    await desk.ivan.deactivate()
    await desk.settle()
    desk.slack.fail("chat.postMessage", "error", -1, text="user_disabled", channel=desk.ivan.dm.id)
    await desk.press(desk.anna, desk.word("button.reply"), desk.card(1))
    await desk.fill(desk.anna, {desk.word("form.text"): "Are you there?"})
    assert "could not" in desk.told(1).casefold() or "not reach" in desk.told(1).casefold()


async def test_an_archived_channel_of_agents_is_told_to_the_admin_and_nothing_is_lost(desk: Rig) -> None:
    await desk.triage.archive()
    await desk.settle()
    assert "triage" in desk.maria.dm.texts[-1] or desk.triage.id in desk.maria.dm.texts[-1]
    await desk.report()
    await desk.triage.unarchive()
    await desk.settle()
    assert VPN in desk.card(1).shown


async def test_a_whisper_to_a_press_in_a_thread_stands_in_that_thread(desk: Rig) -> None:
    await desk.report()
    await desk.press(desk.anna, desk.word("button.reply"), desk.card(1))
    await desk.fill(desk.anna, {desk.word("form.text"): "Restart it"})
    pressed = await desk.boris.press(desk.triage.saying("Restart it"), desk.word("button.undo"))
    await desk.settle()
    await pressed.done()
    whisper = desk.triage.private_to(desk.boris)[-1]
    assert whisper.shown == desk.word("reply.not_yours")
    assert whisper.thread_ts == desk.card(1).ts


async def test_what_was_said_when_it_was_settled_is_not_overwritten(desk: Rig) -> None:
    root = await desk.report()
    await desk.react(desk.anna, desk.card(1), "eyes")
    await desk.react(desk.anna, desk.card(1), "white_check_mark")
    await desk.choose(desk.ivan, desk.word("button.fixed"))
    await desk.later(timedelta(minutes=1))
    settled = desk.word("talk.fixed", ticket=1, title=root.shown)
    assert any(settled in each.shown for each in root.replies)


async def test_a_press_on_what_only_one_person_sees_is_answered_where_they_are(desk: Rig) -> None:
    await desk.report()
    await desk.command(desk.anna, "/desk queue")
    shown = desk.anna.dm.private_to(desk.anna)[-1]
    for _ in range(2):
        await desk.press(desk.anna, "Take #1", shown)
    assert (await desk.ticket(1)).status is Status.OPEN
    assert [call.error for call in desk.slack.called("chat.postMessage") if call.error] == []
    assert "#1" in desk.anna.dm.from_bot[-1].shown


async def test_nothing_is_made_of_a_strangers_words_where_strangers_are_not_served(desk: Rig) -> None:
    stranger = desk.slack.user("Zoe Stranger", team="TOTHER", locale="en-US")
    shared = desk.slack.channel("partners", members=[desk.anna, desk.ivan, stranger], shared=True)
    words = await desk.say(stranger, "your portal is down for us", channel=shared)
    await desk.shortcut(desk.anna, "ticket", words)
    await desk.react(desk.anna, words, "ticket")
    assert stranger.dm.messages == []
    assert [each for each in desk.triage.from_bot if "#1" in each.shown] == []
    assert len([each for each in shared.history if each.only_for is desk.anna]) == 2


async def test_a_strangers_words_become_a_ticket_where_strangers_are_served(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path, more="other_workspaces = true") as desk:
        stranger = desk.slack.user("Zoe Stranger", team="TOTHER", locale="en-US")
        shared = desk.slack.channel("partners", members=[desk.anna, stranger], shared=True)
        words = await desk.say(stranger, "your portal is down for us", channel=shared)
        await desk.shortcut(desk.anna, "ticket", words)
        assert "your portal is down" in desk.card(1).shown


async def test_a_shortcut_where_the_app_is_not_is_answered_in_private(desk: Rig) -> None:
    away = desk.slack.channel("lunch", members=[desk.ivan, desk.anna])
    away.members.pop(desk.slack.bot.id)
    words = away.add(desk.ivan, text="my screen is black")
    await desk.shortcut(desk.anna, "ticket", words)
    assert "my screen is black" in desk.card(1).shown
    assert "#1" in desk.anna.dm.from_bot[-1].shown
    await desk.shortcut(desk.anna, "send_to_requester", away.add(desk.ivan, text="by the way"))
    assert "by the way" not in desk.told(1)


async def test_a_shortcut_in_a_talk_between_two_people_is_answered_in_private(desk: Rig) -> None:
    talk = Channel(desk.slack, "D0FOREIGN", "talk", "im")
    talk.members = {each.id: each for each in (desk.anna, desk.ivan)}
    desk.slack.channels[talk.id] = talk
    await desk.shortcut(desk.anna, "ticket", talk.add(desk.ivan, text="my screen is black"))
    assert "my screen is black" in desk.card(1).shown
    assert "#1" in desk.anna.dm.from_bot[-1].shown


async def test_a_report_typed_at_length_with_the_command_is_in_the_ticket_to_its_end(desk: Rig) -> None:
    text = "word " * 900 + "THE END"
    await desk.command(desk.ivan, f"/desk new {text}")
    await desk.fill(desk.ivan, {})
    form = desk.ivan.modals[-1]
    await desk.fill(desk.ivan, {form.blocks[-1]["label"]["text"]: "It can wait"})
    assert text in " ".join(desk.told(1).split())
