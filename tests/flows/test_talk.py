"""The talk after sending: whose words go where, what comes back, and what nobody may see."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from core.tickets.model import Status
from tests.flows.conftest import Stage, texts
from tests.town import Shown


async def test_further_words_reach_the_thread_without_a_word_to_who_has_one_ticket(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.hears()
    await stage.ivan.say("It began yesterday <b>&", files=[("log.txt", b"17")])
    assert await stage.ivan.hears() == []
    below = (await stage.anna.thread(1))[-1]
    assert (below.text, below.tone) == ("It began yesterday <b>&\n[log.txt]", "request")


async def test_whoever_has_several_tickets_is_told_where_their_words_went(stage: Stage) -> None:
    await two_tickets(stage)
    await stage.ivan.say("It began yesterday")
    arrow = await stage.ivan.last()
    assert arrow.text == stage.w("talk.passed_on", ticket=2, title=stage.printer)
    assert stage.w("button.change") in arrow.buttons
    for words in ("/resolve 1", "/resolve 2"):
        await stage.anna.say(words)
    await stage.town.later(timedelta(days=4), step=timedelta(days=1))
    await stage.report(stage.ivan)
    await stage.ivan.hears()
    await stage.ivan.say("any news?")
    assert await stage.ivan.hears() == []


async def two_tickets(stage: Stage) -> None:
    """Ivan reports the VPN and then the printer."""
    await stage.report(stage.ivan)
    await stage.ivan.say("/new")
    await stage.report(stage.ivan, stage.printer)


async def test_an_agent_is_told_where_their_words_went_also_with_one_ticket(stage: Stage) -> None:
    await stage.anna.say(f"/new {stage.vpn}")
    await stage.answer_all(stage.anna)
    await stage.anna.press(stage.w("button.send"))
    await stage.anna.hears()
    await stage.anna.say("ok")
    [arrow] = await stage.anna.hears()
    assert arrow.text == stage.w("talk.passed_on", ticket=1, title=stage.vpn)
    assert stage.w("button.change") in arrow.buttons


async def test_an_edit_of_further_words_reaches_the_thread(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.say("It began yesterday")
    await stage.ivan.edit("yesterday", "It began today")
    below = (await stage.anna.thread(1))[-1]
    assert below.text == f"It began today\n{stage.w('said.edited')}"
    assert stage.w("event.edited", actor="Ivan Petrov") in await timeline(stage)


async def timeline(stage: Stage) -> str:
    await stage.anna.say("/timeline 1")
    return (await stage.anna.last()).text


async def test_an_edit_of_the_first_words_reaches_the_card(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.edit(stage.vpn, "VPN drops hourly")
    assert "VPN drops hourly" in await stage.anna.card(1)


async def test_with_two_tickets_words_go_to_the_one_last_talked_about(stage: Stage) -> None:
    await two_tickets(stage)
    await stage.ivan.say("toner is full")
    assert "→ #2" in await stage.ivan.last()
    assert await stage.words_of(2) == [("request", stage.printer), ("request", "toner is full")]


async def test_an_answer_to_a_message_of_the_bot_goes_to_that_ticket(stage: Stage) -> None:
    ivan = stage.ivan
    await stage.report(ivan)
    about_first = next(each for each in reversed(await ivan.sees()) if each.ticket == 1)
    await ivan.say("/new")
    await stage.report(ivan, stage.printer)
    await ivan.say("the VPN again", reply_to=about_first.id)
    assert "→ #1" in await ivan.last()
    await ivan.say("still it")
    assert "→ #1" in await ivan.last()


async def test_words_sent_to_the_wrong_ticket_can_be_moved_with_their_files(stage: Stage) -> None:
    ivan = stage.ivan
    await two_tickets(stage)
    await ivan.say("look at this log", files=[("vpn.log", b"17")])
    await ivan.press(stage.w("button.change"))
    question = await ivan.last()
    assert stage.w("talk.where_to") in question
    await ivan.press(f"#1 {stage.vpn}")
    assert "→ #1" in await ivan.last()
    assert await stage.words_of(2) == [("request", stage.printer)]
    assert await stage.words_of(1) == [("request", stage.vpn), ("request", "look at this log")]
    moved = [each.text for each in await stage.anna.thread(1) if each.tone == "request"]
    assert moved == ["look at this log\n[vpn.log]"]
    left = [each for each in await stage.anna.thread(2) if each.tone == "request"]
    assert all("vpn.log" not in each for each in left)
    assert stage.w("event.moved", actor="Ivan Petrov", to=1) in texts(await stage.anna.thread(2))
    await ivan.press_code(question, question.buttons[f"#1 {stage.vpn}"])
    assert stage.w("press.over") in await ivan.last()


async def test_words_sent_to_the_wrong_ticket_can_begin_a_new_one_with_their_files(stage: Stage) -> None:
    ivan = stage.ivan
    await two_tickets(stage)
    await ivan.say("Printer smokes", files=[("photo.jpg", b"17")])
    await ivan.press(stage.w("button.change"))
    await ivan.press(stage.w("button.new_request"))
    assert {"en": "Hardware", "ru": "Оборудование"}[stage.language] in await ivan.last()
    assert await stage.words_of(2) == [("request", stage.printer), ("request", "Printer smokes")]
    await stage.answer_all(ivan)
    assert stage.w("intake.files", 1) in await ivan.last()
    await ivan.press(stage.w("button.send"))
    assert await stage.words_of(2) == [("request", stage.printer)]
    assert await stage.words_of(3) == [("request", "Printer smokes")]
    assert stage.w("card.files", 1) in await stage.anna.card(3)
    assert "photo.jpg" not in "".join(texts(await stage.anna.thread(2)))


async def test_a_move_that_is_cancelled_leaves_the_words_where_they_were(stage: Stage) -> None:
    ivan = stage.ivan
    await two_tickets(stage)
    await ivan.say("it smokes", files=[("photo.jpg", b"17")])
    await ivan.press(stage.w("button.change"))
    await ivan.press(stage.w("button.new_request"))
    await ivan.press(stage.w("button.cancel"))
    assert await stage.words_of(2) == [("request", stage.printer), ("request", "it smokes")]
    assert "photo.jpg" in "".join(texts(await stage.anna.thread(2)))


async def test_a_reply_reaches_the_requester_and_is_marked_as_delivered(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.hears()
    await stage.anna.fill(stage.w("button.reply"), text="Restart *the* client")
    assert texts(await stage.ivan.hears()) == ["Restart *the* client"]
    below = (await stage.anna.thread(1))[-1]
    assert below.text == f"Restart *the* client\n{stage.w('said.delivered')}"
    assert (await stage.ticket(1)).status is Status.OPEN


async def test_an_answer_to_the_requesters_message_in_the_thread_is_a_reply(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.say("It began yesterday")
    theirs = (await stage.anna.thread(1))[-1]
    await stage.ivan.hears()
    await stage.anna.say_below(1, "Which version?", reply_to=theirs.id)
    assert texts(await stage.ivan.hears()) == ["Which version?"]


async def test_a_reply_is_taken_back_within_ten_seconds(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.fill(stage.w("button.reply"), text="a slip of the tongue")
    await stage.town.later(timedelta(seconds=9))
    await stage.anna.press(stage.w("button.undo"))
    assert "a slip of the tongue" not in "".join(texts(await stage.ivan.sees()))
    below = [each for each in await stage.anna.thread(1) if "a slip of the tongue" in each]
    assert texts(below) == [f"a slip of the tongue\n{stage.w('said.withdrawn')}"]
    assert await stage.words_of(1) == [("request", stage.vpn)]


async def test_what_a_reply_met_is_due_again_once_it_is_taken_back(stage: Stage) -> None:
    await stage.report(stage.ivan)
    due = stage.w("card.due_first", at="09:05")
    assert due in await stage.anna.card(1)
    await stage.anna.fill(stage.w("button.wait"), question="a slip of the tongue")
    waiting = await stage.anna.card(1)
    assert due not in waiting
    assert stage.w("card.waiting") in waiting
    await stage.anna.press(stage.w("button.undo"))
    assert due in await stage.anna.card(1)
    assert stage.w("card.waiting") not in await stage.anna.card(1)
    assert stage.w("turn.open") in (await asked(stage, "/status 1")).text


async def asked(stage: Stage, command: str) -> Shown:
    await stage.ivan.say(command)
    return await stage.ivan.last()


async def test_after_ten_seconds_a_reply_stays(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.fill(stage.w("button.reply"), text="as it is")
    sent = next(each for each in await stage.anna.thread(1) if stage.w("button.undo") in each.buttons)
    await stage.town.later(timedelta(seconds=12), step=timedelta(seconds=1))
    assert not any(stage.w("button.undo") in each.buttons for each in await stage.anna.sees())
    await stage.anna.press_code(sent, sent.buttons[stage.w("button.undo")])
    answer = await stage.anna.last()
    assert answer.text == stage.w("reply.too_late")
    assert answer.only
    assert "as it is" in "".join(texts(await stage.ivan.sees()))


async def test_a_reply_is_taken_back_once_and_by_its_author_alone(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.fill(stage.w("button.reply"), text="mine")
    sent = next(each for each in await stage.anna.thread(1) if stage.w("button.undo") in each.buttons)
    undo = sent.buttons[stage.w("button.undo")]
    await stage.boris.press_code(sent, undo)
    assert (await stage.boris.last()).text == stage.w("reply.not_yours")
    assert "mine" in "".join(texts(await stage.ivan.sees()))
    await stage.anna.press_code(sent, undo)
    await stage.anna.press_code(sent, undo)
    assert (await stage.anna.last()).text == stage.w("reply.withdrawn_already")


async def test_an_edit_of_a_reply_reaches_the_requester(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.say("Hello?")
    theirs = (await stage.anna.thread(1))[-1]
    await stage.anna.say_below(1, "Restart the cleint", reply_to=theirs.id)
    shown = await stage.ivan.last()
    await stage.anna.edit("cleint", "Restart the client")
    again = next(each for each in await stage.ivan.sees() if each.id == shown.id)
    assert again.text == "Restart the client"
    assert len([each for each in await stage.ivan.sees() if "Restart" in each]) == 1


async def test_an_edit_of_a_command_changes_its_words_wherever_it_was_typed(stage: Stage) -> None:
    await stage.ivan.say("/new vpn is dwon")
    await stage.ivan.edit("dwon", "/new vpn is down")
    await stage.answer_all(stage.ivan)
    await stage.ivan.press(stage.w("button.send"))
    assert "vpn is down" in await stage.anna.card(1)
    await stage.anna.say("/reply 1 Restart the cleint")
    shown = await stage.ivan.last()
    await stage.anna.edit("cleint", "/reply 1 Restart the client")
    again = next(each for each in await stage.ivan.sees() if each.id == shown.id)
    assert again.text == "Restart the client"
    await stage.anna.say_below(1, "/note he is an amdin")
    await stage.anna.edit("amdin", "/note he is an admin")
    assert (await stage.words_of(1))[-1] == ("note", "he is an admin")
    await stage.ivan.edit("vpn is down", "/new vpn is down again")
    assert (await stage.words_of(1))[0] == ("request", "vpn is down again")


@pytest.mark.parametrize("line", ["/note 1 SECRET", "/take 1", "/reply 2 SECRET", "/new SECRET"])
async def test_an_edit_makes_nothing_else_of_what_was_said(stage: Stage, line: str) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say("/reply 1 Restart it")
    before = texts(await stage.ivan.sees())
    await stage.anna.edit("Restart it", line)
    assert texts(await stage.ivan.sees()) == before
    assert (await stage.words_of(1))[-1] == ("reply", "Restart it")
    assert (await stage.anna.last()).text == stage.w("edit.other")


@pytest.mark.parametrize("command", ["/reply", "/note", "/resolve", "/wait"])
async def test_in_a_thread_a_number_before_words_is_asked_about(stage: Stage, command: str) -> None:
    await stage.report(stage.ivan)
    before = texts(await stage.ivan.sees())
    await stage.anna.say_below(1, f"{command} 99 licences are left")
    told = stage.w("command.which_number", number="99", ticket=1, command=command)
    assert (await stage.anna.last()).text == told
    assert texts(await stage.ivan.sees()) == before
    await stage.anna.say_below(1, f"{command} #99 licences are left")
    assert (await stage.anna.last()).text == stage.w("ticket.unknown", ticket=99)
    await stage.anna.say_below(1, f"{command} 1 99 licences are left")
    assert "99 licences are left" in "".join(texts(await stage.anna.thread(1))[1:])


async def test_plain_words_in_the_thread_are_a_note_that_the_requester_never_sees(stage: Stage) -> None:
    await stage.report(stage.ivan)
    before = texts(await stage.ivan.sees())
    await stage.anna.say_below(1, "secret one", files=[("secret.txt", b"1")])
    await stage.anna.fill(stage.w("button.note"), note="secret two")
    await stage.anna.say("/note 1 secret three")
    await stage.anna.edit("secret one", "secret four")
    assert texts(await stage.ivan.sees()) == before
    assert [kind for kind, _ in await stage.words_of(1)] == ["request", "note", "note", "note"]


async def test_no_note_ever_reaches_the_requester(stage: Stage) -> None:
    """Every kind of inner word, and all that tells the requester something: none of it comes through."""
    w, anna, boris, ivan = stage.w, stage.anna, stage.boris, stage.ivan
    await stage.report(ivan, urgency="critical")
    steps: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: anna.say_below(1, "SECRET note"),
        lambda: anna.fill(w("button.note"), note="SECRET form"),
        lambda: anna.press(w("button.take")),
        lambda: anna.fill(w("button.priority"), priority="low", reason="SECRET reason"),
        lambda: anna.fill(w("button.level"), level="L2", handover="SECRET level"),
        lambda: anna.fill(w("button.hold"), until="2h", note="SECRET hold"),
        lambda: anna.press(w("button.resume")),
        lambda: anna.fill(w("button.release"), handover="SECRET release"),
        lambda: anna.say("/pass 1 @boris SECRET pass"),
        lambda: boris.say("/note 1 SECRET command"),
        lambda: ivan.say("any news?"),
        lambda: boris.say_below(1, "SECRET answer to nobody"),
        lambda: boris.edit("SECRET answer", "SECRET edit"),
        lambda: boris.fill(w("button.reply"), text="soon"),
        lambda: ivan.say("/status 1"),
        lambda: ivan.say("/timeline 1"),
        lambda: boris.fill(w("button.wait"), question=""),
        lambda: ivan.say("5.1"),
        lambda: boris.fill(w("button.resolve"), solution="reinstalled"),
        lambda: ivan.press(w("button.not_fixed")),
        lambda: boris.fill(w("button.resolve"), solution="again"),
        lambda: ivan.press(w("button.fixed")),
        lambda: ivan.say("/my"),
        lambda: boris.fill(w("button.note"), note="SECRET at the end"),
        lambda: stage.town.later(timedelta(minutes=5), step=timedelta(seconds=20)),
    )
    for place, step in enumerate(steps):
        await step()
        assert "SECRET" not in "".join(texts(await ivan.sees())), f"step {place}"
    assert "SECRET at the end" in "".join(texts(await anna.thread(1)))


async def test_the_requester_is_told_once_that_somebody_is_on_it(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.hears()
    await stage.anna.press(stage.w("button.take"))
    assert texts(await stage.ivan.hears()) == [
        stage.w("told.claimed", name="Anna Smirnova", ticket=1, title=stage.vpn)
    ]
    await stage.anna.fill(stage.w("button.reply"), text="hello")
    assert len(await stage.ivan.hears()) == 1


async def test_a_reply_to_a_ticket_that_is_nobodys_takes_it_without_a_second_message(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.hears()
    await stage.anna.fill(stage.w("button.reply"), text="hello")
    assert texts(await stage.ivan.hears()) == ["hello"]
    assert stage.w("card.owner", name="Anna Smirnova") in await stage.anna.card(1)
