"""Tickets that belong together: merged, related, split, and named in words."""

from datetime import timedelta

import pytest

from core.tickets.model import Status
from tests.flows.conftest import Stage, texts


async def two(stage: Stage) -> None:
    """Ivan and Petr have reported the same; Anna is on both."""
    await stage.report(stage.ivan)
    await stage.report(stage.petr)
    await stage.anna.say("/take 1")
    await stage.anna.say("/take 2")
    for person in (stage.ivan, stage.petr, stage.anna):
        await person.hears()


async def merged(stage: Stage) -> None:
    await two(stage)
    await stage.anna.say("/merge 2 into 1")
    for person in (stage.ivan, stage.petr):
        await person.hears()


async def lines(stage: Stage, number: int) -> list[str]:
    return [each.text for each in await stage.anna.thread(number) if each.tone == "event"]


async def test_of_two_that_are_the_same_one_goes_on_and_both_requesters_are_told_once(stage: Stage) -> None:
    await two(stage)
    await stage.anna.say("/merge 2 into 1")
    assert texts(await stage.anna.hears()) == [stage.w("merge.done", ticket=2, into=1)]
    assert texts(await stage.petr.hears()) == [stage.w("told.merged", ticket=2, title=stage.vpn, into=1)]
    assert texts(await stage.ivan.hears()) == [
        stage.w("told.absorbed", person="petr", ticket=1, title=stage.vpn)
    ]
    gone = await stage.ticket(2)
    assert (gone.status, gone.merged_into) == (Status.CLOSED, 1)
    card, other = await stage.boris.card(2), await stage.boris.card(1)
    assert stage.w("card.merged", into=1) in card
    assert list(card.buttons) == [stage.w("button.unmerge"), stage.w("button.note")]
    assert stage.w("card.absorbed", tickets="#2") in other
    assert stage.w("card.company", names="petr") in other
    assert (await lines(stage, 2))[-1] == stage.w("event.merged", actor="Anna Smirnova", into=1)
    assert (await lines(stage, 1))[-1] == stage.w("event.absorbed", actor="Anna Smirnova", ticket=2)


async def test_a_quote_tells_whoever_came_by_merging_nothing_that_was_said_before(english: Stage) -> None:
    await english.report(english.ivan)
    await english.ivan.say("my door code is 4711")
    await english.anna.say("/reply 1 thanks")
    await english.report(english.petr, english.printer)
    await english.anna.say("/merge 2 into 1")
    first = next(each for each in await english.ivan.sees() if each.mine)
    code = next(each for each in await english.anna.thread(1) if "4711" in each)
    for person in (english.ivan, english.petr):
        await person.hears()
    await english.anna.say_below(1, "/reply It is fixed", reply_to=code.id)
    await english.ivan.say("As I said", reply_to=first.id)
    heard = await english.petr.hears()
    assert [each.text for each in heard] == ["It is fixed", "As I said"]
    assert any("4711" in each for each in await english.ivan.hears())
    assert any(english.vpn in each for each in await english.anna.thread(1))


async def test_further_words_also_answers_to_the_merged_one_go_to_the_other(stage: Stage) -> None:
    await two(stage)
    await stage.anna.say("/reply 2 Which version?")
    asked = await stage.petr.last()
    await stage.anna.say("/merge 2 into 1")
    await stage.petr.say("5.1", reply_to=asked.id)
    await stage.petr.say("and it is worse")
    assert ("request", "5.1") in await stage.words_of(1)
    assert ("request", "and it is worse") in await stage.words_of(1)
    assert "5.1" in texts(await stage.ivan.sees())
    await stage.petr.hears()
    await stage.anna.say("/reply 1 Fixed the router")
    assert texts(await stage.petr.hears()) == ["Fixed the router"]


async def test_no_pings_and_no_question_follow_from_what_was_merged(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.report(stage.petr, urgency="critical")
    await stage.anna.say("/merge 2 into 1")
    await stage.petr.hears()
    before = len(await stage.kinds(2))
    await stage.town.later(timedelta(minutes=2), step=timedelta(seconds=10))
    assert len(await stage.kinds(2)) == before
    assert await stage.petr.hears() == []


async def test_what_makes_no_sense_is_refused_in_plain_words(stage: Stage) -> None:
    await merged(stage)
    await stage.report(stage.ivan, f"/new {stage.printer}")

    async def refused(command: str, key: str, **facts: int) -> None:
        await stage.anna.say(command)
        assert (await stage.anna.last()).text == stage.w(key, **facts), command

    await refused("/merge 1 into 1", "merge.itself", ticket=1)
    await refused("/merge 2 into 3", "ticket.merged", ticket=2, into=1)
    await refused("/merge 1 into 2", "merge.into_merged", into=2, end=1)
    await refused("/reopen 2", "ticket.merged", ticket=2, into=1)
    await refused("/reply 2 words", "ticket.merged", ticket=2, into=1)
    await stage.anna.say("/resolve 3")
    await stage.ivan.press(stage.w("button.fixed"))
    await refused("/merge 1 into 3", "merge.into_closed", into=3)
    await refused("/merge 3 into 1", "ticket.not_when_closed", ticket=3)
    await refused("/merge 1 into 99", "ticket.unknown", ticket=99)
    await refused("/unmerge 1", "merge.not_merged", ticket=1)
    await refused("/merge 1", "command.incomplete", example="/merge 42 into 17")


async def test_a_merge_is_undone_and_who_came_with_it_leaves(stage: Stage) -> None:
    await merged(stage)
    await stage.anna.press(stage.w("button.unmerge"))
    assert texts(await stage.petr.hears()) == [stage.w("told.unmerged", ticket=2, title=stage.vpn)]
    gone = stage.w("told.company_left", name="Anna Smirnova", person="petr", ticket=1, title=stage.vpn)
    assert texts(await stage.ivan.hears()) == [gone]
    again = await stage.ticket(2)
    assert (again.status, again.merged_into) == (Status.OPEN, None)
    assert stage.w("card.company", names="petr") not in await stage.boris.card(1)
    await stage.anna.say("/reply 1 For Ivan alone")
    assert await stage.petr.hears() == []
    await stage.petr.say("/status 1")
    assert (await stage.petr.last()).text == stage.w("ticket.unknown", ticket=1)
    await stage.petr.say("it is back")
    assert ("request", "it is back") in await stage.words_of(2)


async def test_a_chain_of_merges_leads_to_its_end_and_back(stage: Stage) -> None:
    await two(stage)
    await stage.report(stage.maria)
    await stage.anna.say("/merge 2 into 1")
    await stage.anna.say("/merge 1 into 3")
    await stage.petr.say("and me")
    assert ("request", "and me") in await stage.words_of(3)
    await stage.anna.say("/unmerge 2")
    await stage.petr.say("/status 3")
    assert (await stage.petr.last()).text == stage.w("ticket.unknown", ticket=3)
    await stage.ivan.say("/status 3")
    assert stage.vpn in await stage.ivan.last()


async def test_related_tickets_show_each_other(stage: Stage) -> None:
    await two(stage)
    await stage.anna.say_below(1, "/relate #2")
    assert stage.w("card.related", tickets="#2") in await stage.boris.card(1)
    assert stage.w("card.related", tickets="#1") in await stage.boris.card(2)
    await stage.anna.say("/relate 2 1")
    assert (await stage.anna.last()).text == stage.w("relate.already", ticket=2, other=1)
    assert await stage.petr.hears() == []


async def test_related_tickets_show_each_other_no_more_once_that_is_said(stage: Stage) -> None:
    await two(stage)
    await stage.anna.say("/relate 1 2")
    await stage.anna.hears()
    await stage.anna.say("/unrelate 1 2")
    assert stage.w("relate.undone", ticket=1, other=2) in texts(await stage.anna.hears())
    for number, other in ((1, 2), (2, 1)):
        assert stage.w("card.related", tickets=f"#{other}") not in await stage.boris.card(number)
        told = stage.w("event.unrelated", actor="Anna Smirnova", ticket=other)
        assert (await lines(stage, number))[-1] == told
    await stage.anna.say_below(1, "/unrelate 2")
    assert (await stage.anna.last()).text == stage.w("relate.not_related", ticket=1, other=2)


async def test_a_message_becomes_a_ticket_of_its_own(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.press(stage.w("button.take"))
    await stage.ivan.say(stage.printer)
    await stage.ivan.hears()
    await stage.anna.press(stage.w("button.split"))
    fresh = await stage.ticket(2)
    assert (fresh.title, fresh.home, fresh.related) == (stage.printer, "web:u-ivan", (1,))
    assert await stage.words_of(2) == [("request", stage.printer)]
    assert ("request", stage.printer) not in await stage.words_of(1)
    [told] = await stage.ivan.hears()
    assert stage.w("told.opened_split", name="Anna Smirnova", ticket=1) in told
    assert stage.w("event.moved", actor="Anna Smirnova", to=2) in await lines(stage, 1)
    await stage.ivan.edit(stage.printer, "The printer on floor 4")
    assert await stage.words_of(2) == [("request", "The printer on floor 4")]


async def test_a_message_is_split_by_an_answer_to_it(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.say(stage.printer)
    message = next(each for each in await stage.anna.thread(1) if each.text == stage.printer)
    await stage.anna.say_below(1, "/split", reply_to=message.id)
    assert (await stage.ticket(2)).title == stage.printer
    await stage.anna.say_below(1, "/split", reply_to=message.id)
    assert (await stage.anna.last()).text == stage.w("split.gone")
    await stage.anna.say_below(1, "/split")
    assert (await stage.anna.last()).text == stage.w("split.which")


async def test_what_a_colleague_said_is_split_with_them_and_they_are_told(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.petr.say("/help")
    await stage.ivan.say("/add 1 @petr")
    await stage.petr.say(stage.printer)
    await stage.petr.hears()
    await stage.anna.press(stage.w("button.split"))
    [told] = await stage.petr.hears()
    assert f"#2 “{stage.printer}”" in told.text.replace("«", "“").replace("»", "”")
    assert stage.w("told.opened_split", name="Anna Smirnova", ticket=1) in told
    fresh = await stage.ticket(2)
    ivan = await stage.ticket(1)
    assert fresh.requester == ivan.requester
    assert stage.w("card.company", names="petr") in await stage.boris.card(2)


# ---- numbers in words


async def line(stage: Stage, number: int, title: str, state: str, owner: str) -> str:
    return f"#{number} {title} · {stage.w(state)} · {owner}"


async def test_a_number_in_words_leads_staff_to_that_ticket(stage: Stage) -> None:
    await two(stage)
    about = await line(stage, 1, stage.vpn, "status.open", "Anna Smirnova")
    await stage.petr.say("It is like #1 and #99")
    [said] = [each for each in await stage.anna.thread(2) if "It is like" in each]
    assert said.text == f"It is like #1 and #99\n{about}"
    assert not [each for each in await stage.petr.sees() if about in each]
    await stage.boris.say_below(2, "see #1, please")
    assert about in texts(await stage.anna.thread(2))


async def test_a_requester_reads_of_their_own_tickets_alone(stage: Stage) -> None:
    await two(stage)
    await stage.report(stage.petr, f"/new {stage.printer}")
    await stage.petr.hears()
    await stage.anna.say("/reply 2 It is the same as #1 and #3")
    [told] = await stage.petr.hears()
    own = f"#3 {stage.printer} · {stage.w('turn.new')}"
    assert told.text == f"It is the same as #1 and #3\n{own}"


@pytest.mark.parametrize("words", ["see C#1", "a&#1;", "x/#1", "##1", "#1a"])
async def test_not_every_number_is_a_reference(english: Stage, words: str) -> None:
    await two(english)
    await english.petr.say(words)
    assert words in texts(await english.anna.thread(2))


async def test_each_of_these_is_for_staff_alone(stage: Stage) -> None:
    await two(stage)
    for command in ("/merge 2 into 1", "/unmerge 2", "/relate 2 1", "/unrelate 2 1", "/split"):
        await stage.petr.say(command)
        assert (await stage.petr.last()).text == stage.w("right.staff_command", command=command.split()[0])
