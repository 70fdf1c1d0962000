"""Several people on one ticket: colleagues, watchers, mentions, and a report in somebody else's name."""

import re
from datetime import timedelta
from functools import partial

import pytest

from bot.flows.company import LOOKED_UP
from core.kernel.errors import TemporaryError
from core.kernel.ids import TicketId
from core.people import store as people
from core.people.model import Actor
from core.tickets import actions
from core.tickets import store as tickets
from core.tickets.model import Status
from tests.flows.conftest import Stage, texts
from tests.town import Somebody

UNDO = timedelta(seconds=11)


async def known(person: Somebody, stage: Stage) -> None:
    """The desk has heard of them once, and they of it."""
    await person.say("/help")
    await person.hears()


async def shared(stage: Stage) -> None:
    """Petr reads along in Ivan's VPN, which Anna has taken."""
    await stage.report(stage.ivan)
    await known(stage.petr, stage)
    await stage.anna.press(stage.w("button.take"))
    await stage.ivan.say("/add 1 @petr")
    for person in (stage.ivan, stage.anna, stage.petr):
        await person.hears()


async def lines(stage: Stage, number: int = 1) -> list[str]:
    return [each.text for each in await stage.anna.thread(number) if each.tone == "event"]


async def test_a_colleague_is_told_of_the_ticket_and_how_to_speak_in_it(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await known(stage.petr, stage)
    await stage.ivan.say("/add 1 @petr")
    name = "petr"
    facts = {"ticket": 1, "title": stage.vpn, "requester": "Ivan Petrov"}
    [told] = await stage.petr.hears()
    assert stage.w("told.added", name="Ivan Petrov", **facts) in told
    assert stage.vpn in told
    assert stage.w("told.added_hint", name="Ivan Petrov", **facts) in told
    assert (await stage.ivan.last()).text == stage.w(
        "company.added_colleague", name=name, ticket=1, title=stage.vpn
    )
    assert stage.w("card.company", names=name) in await stage.boris.card(1)
    assert await lines(stage) == [stage.w("event.joined", actor="Ivan Petrov", person=name)]


async def test_what_each_of_them_says_reaches_the_other_and_the_team(stage: Stage) -> None:
    await shared(stage)
    await stage.petr.say("I have it too")
    [heard] = await stage.ivan.hears()
    assert heard.text == "I have it too"
    assert ("request", "I have it too") in await stage.words_of(1)
    assert "I have it too" in texts(await stage.anna.thread(1))
    await stage.ivan.say("So it is the router")
    assert "So it is the router" in texts(await stage.petr.hears())
    assert (await stage.ticket(1)).status is Status.OPEN


async def test_replies_and_news_reach_a_colleague_but_the_question_is_the_requesters(stage: Stage) -> None:
    await shared(stage)
    await stage.anna.say("/reply 1 Which version?")
    assert texts(await stage.petr.hears()) == ["Which version?"]
    await stage.anna.say("/hold 1")
    assert texts(await stage.petr.hears()) == [stage.w("told.held", ticket=1, title=stage.vpn)]
    await stage.anna.say("/resolve 1 Reinstalled")
    [told] = await stage.petr.hears()
    assert stage.w("told.resolved", name="Anna Smirnova", ticket=1, title=stage.vpn) in told
    assert "Reinstalled" in told
    assert not told.buttons
    assert stage.w("button.fixed") in (await stage.ivan.last()).buttons


async def test_a_colleague_sees_and_speaks_but_judges_nothing(stage: Stage) -> None:
    await shared(stage)
    await stage.anna.say("/resolve 1 Reinstalled")
    question = await stage.ivan.last()
    await stage.petr.say("/status 1")
    assert stage.vpn in await stage.petr.last()
    await stage.petr.press_code(await stage.petr.last(), question.buttons[stage.w("button.fixed")])
    assert (await stage.petr.last()).text == stage.w("right.judge", ticket=1)
    await stage.petr.say({"en": "yes", "ru": "да"}[stage.language])
    assert (await stage.ticket(1)).status is Status.RESOLVED
    await stage.petr.say("/add 1 @maria")
    assert (await stage.petr.last()).text == stage.w("right.invite", ticket=1)


async def test_a_note_reaches_neither_requester_nor_colleague_nor_watcher(stage: Stage) -> None:
    await shared(stage)
    await stage.boris.say("/watch 1")
    await stage.anna.say_below(1, "he always forgets his password")
    await stage.anna.say("/note 1 secret two")
    await stage.anna.edit("he always forgets", "he never remembers")
    for person in (stage.ivan, stage.petr):
        assert not [each for each in await person.sees() if re.search("forgets|remembers|secret", each.text)]
    assert not [each for each in await stage.boris.hears() if "secret" in each.text]


async def test_a_reply_taken_back_and_one_changed_are_so_for_a_colleague_too(stage: Stage) -> None:
    await shared(stage)
    await stage.anna.say_below(1, "/reply wrong words")
    await stage.anna.press(stage.w("button.undo"))
    assert [each.text for each in await stage.petr.sees() if "wrong words" in each and not each.deleted] == []
    await stage.petr.say("the old words")
    await stage.petr.edit("the old words", "the new words")
    assert any("the new words" in each for each in await stage.ivan.sees())
    assert not any("the old words" in each for each in await stage.ivan.sees())


async def test_words_that_belonged_elsewhere_are_taken_back_from_everybody(stage: Stage) -> None:
    await stage.report(stage.ivan, stage.printer)
    await stage.report(stage.ivan, f"/new {stage.vpn}")
    await known(stage.petr, stage)
    await stage.ivan.say("/add 2 @petr")
    await stage.ivan.say("The printer smokes")
    assert any("smokes" in each for each in await stage.petr.sees())
    await stage.ivan.press(stage.w("button.change"))
    await stage.ivan.press(f"#1 {stage.printer}")
    assert not any("smokes" in each and not each.deleted for each in await stage.petr.sees())


async def test_the_same_emoji_of_another_of_them_is_told_too_and_of_the_same_one_but_once(
    english: Stage,
) -> None:
    await shared(english)
    await english.anna.say("/reply 1 It is mended")
    said = (await english.town.database.read(partial(tickets.messages_of, ticket_id=TicketId(1))))[-1]
    for who in (english.ivan, english.petr, english.petr):
        person = await english.town.database.read(partial(people.by_identity, identity=who.identity))
        actor = Actor(person, "web")
        await english.town.house.desk.run(actions.react, actor, TicketId(1), said.id, "👍")
    await english.town.settle()
    told = [each for each in await lines(english) if "👍" in each]
    assert [each.partition(":")[0] for each in told] == ["Ivan Petrov", "petr"]


async def test_whoever_left_gets_nothing_more_and_sees_no_ticket(stage: Stage) -> None:
    await shared(stage)
    await stage.petr.say("/leave 1")
    assert (await stage.petr.last()).text == stage.w("company.gone", ticket=1)
    assert texts(await stage.ivan.hears()) == [
        stage.w("told.company_left_self", person="petr", ticket=1, title=stage.vpn)
    ]
    await stage.petr.hears()
    await stage.anna.say("/reply 1 For Ivan alone")
    await stage.ivan.say("thank you, but no")
    assert await stage.petr.hears() == []
    await stage.petr.say("/status 1")
    assert (await stage.petr.last()).text == stage.w("ticket.unknown", ticket=1)


async def test_the_requester_takes_a_colleague_off_again(stage: Stage) -> None:
    await shared(stage)
    await stage.ivan.say("/remove 1 @petr")
    assert texts(await stage.petr.hears()) == [stage.w("told.removed", ticket=1)]
    assert await lines(stage) == [
        stage.w("event.claimed", actor="Anna Smirnova"),
        stage.w("event.joined", actor="Ivan Petrov", person="petr"),
        stage.w("event.left", actor="Ivan Petrov", person="petr"),
    ]


async def test_nobody_adds_people_to_a_ticket_of_somebody_else(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.petr.say("/add 1 @maria")
    assert (await stage.petr.last()).text == stage.w("ticket.unknown", ticket=1)


async def test_an_agent_adds_a_colleague_and_the_requester_is_told(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await known(stage.petr, stage)
    await stage.ivan.hears()
    await stage.anna.say_below(1, "/add @petr")
    assert texts(await stage.ivan.hears()) == [
        stage.w("told.company_joined", name="Anna Smirnova", person="petr", ticket=1, title=stage.vpn)
    ]


@pytest.mark.parametrize("whom", ["@nobody at all", "@", "…"])
async def test_whoever_is_not_known_must_write_to_the_desk_first(stage: Stage, whom: str) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.say(f"/add 1 {whom}")
    assert (await stage.ivan.last()).text == stage.w("person.nobody", name=whom.removeprefix("@"))


async def _olga(stage: Stage) -> Somebody:
    """Somebody who calls herself Olga Ivanova."""
    olga = stage.town["visitor-7f"]
    await known(olga, stage)
    await stage.town.database.write(lambda tx: _rename(tx, olga, "Olga Ivanova"))
    return olga


@pytest.mark.parametrize("words", ["@Olga Ivanova", "@olga_ivanova"])
@pytest.mark.parametrize("who", ["ivan", "anna"])
async def test_a_name_that_anybody_can_take_is_added_only_once_it_is_confirmed(
    stage: Stage, who: str, words: str
) -> None:
    await stage.report(stage.ivan)
    asker, olga = stage.town[who], await _olga(stage)
    await asker.say(f"/add 1 {words}")
    asked = await asker.last()
    assert asked.text == stage.w("company.sure", name="Olga Ivanova", where=stage.w("via.web"), ticket=1)
    assert await olga.hears() == []
    label = stage.w("button.add", name="Olga Ivanova")
    code = asked.buttons[label]
    forged = ".".join([*code.split(".")[:3], str(int(code.split(".")[3]) - 1), code.split(".")[4]])
    await asker.press_code(asked, forged)
    assert (await asker.last()).text == stage.w("press.stale")
    await asker.press(label)
    assert len(await olga.hears()) == 1


async def test_a_name_of_the_configuration_that_nobody_else_has_is_certain(english: Stage) -> None:
    await english.report(english.ivan)
    await english.ivan.say("/add 1 @Boris Orlov")
    added = english.w("company.added_watcher", name="Boris Orlov", ticket=1, title=english.vpn)
    assert (await english.ivan.last()).text == added


async def test_a_name_of_the_configuration_that_somebody_else_takes_means_nobody(english: Stage) -> None:
    await english.report(english.ivan)
    await known(english.petr, english)
    await english.town.database.write(lambda tx: _rename(tx, english.petr, "boris ORLOV"))
    await english.anna.say("/add 1 @Boris Orlov")
    assert (await english.anna.last()).text == english.w("person.nobody", name="Boris Orlov")


async def _rename(tx, somebody: Somebody, name: str) -> None:  # type: ignore[no-untyped-def]
    from dataclasses import replace

    from core.people import store as people

    person = await people.by_identity(tx, somebody.identity)
    assert person is not None
    await people.save(tx, replace(person, name=name))


# ---- watchers


async def test_a_watcher_reads_both_sides_and_each_change_with_the_tickets_heading(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.boris.hears()
    await stage.boris.say("/watch 1")
    assert texts(await stage.boris.hears()) == [stage.w("company.watched", ticket=1, title=stage.vpn)]
    await stage.anna.press(stage.w("button.take"))
    await stage.anna.say("/reply 1 Which version?")
    await stage.ivan.say("5.1")
    heading = f"#1 {stage.vpn}"
    assert texts(await stage.boris.hears()) == [
        f"{heading}\n{stage.w('event.claimed', actor='Anna Smirnova')}",
        f"{heading}\nWhich version?",
        f"{heading}\n5.1",
    ]
    assert stage.w("card.watchers", names="Boris Orlov") in await stage.anna.card(1)
    await stage.boris.say("/unwatch 1")
    await stage.boris.hears()
    await stage.ivan.say("Hello?")
    assert await stage.boris.hears() == []


async def test_only_staff_watch_and_only_once(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.ivan.say("/watch 1")
    assert (await stage.ivan.last()).text == stage.w("right.staff_command", command="/watch")
    await stage.anna.say("/watch 1")
    await stage.anna.say("/watch 1")
    assert (await stage.anna.last()).text == stage.w("company.watching", ticket=1)


async def test_a_colleague_of_the_team_who_is_added_watches(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.boris.hears()
    await stage.ivan.hears()
    await stage.anna.say("/add 1 @Boris")
    assert texts(await stage.boris.hears()) == [
        stage.w("told.watching", name="Anna Smirnova", ticket=1, title=stage.vpn)
    ]
    assert await stage.ivan.hears() == []


async def test_what_is_ones_own_is_neither_watched_nor_left(stage: Stage) -> None:
    await stage.report(stage.boris)
    for command in ("/watch 1", "/unwatch 1", "/leave 1"):
        await stage.boris.say(command)
        assert (await stage.boris.last()).text == stage.w("company.own", ticket=1), command
    await stage.boris.hears()
    await stage.anna.say("/reply 1 Which version?")
    assert texts(await stage.boris.hears()) == ["Which version?"]


async def test_what_one_does_not_belong_to_cannot_be_left(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say("/unwatch 1")
    assert (await stage.anna.last()).text == stage.w("company.not_yours", ticket=1)


async def test_who_watches_is_nothing_that_a_requester_removes_or_finds_out(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say("/watch 1")
    await stage.anna.hears()
    for name in ("Anna Smirnova", "Boris Orlov"):
        await stage.ivan.say(f"/remove 1 @{name}")
        assert (await stage.ivan.last()).text == stage.w("company.not_in_it", name=name, ticket=1)
        await stage.ivan.say(f"/add 1 @{name}")
        told = stage.w("company.added_watcher", name=name, ticket=1, title=stage.vpn)
        assert (await stage.ivan.last()).text == told
    assert await stage.anna.hears() == []
    await stage.ivan.say("It is worse")
    assert "It is worse" in (await stage.anna.last()).text
    await stage.maria.say("/remove 1 @Anna Smirnova")
    assert texts(await stage.anna.hears())[-1] == stage.w("told.removed", ticket=1)


# ---- mentions


async def test_a_mention_in_a_note_offers_to_add_them_to_the_agent_alone(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await known(stage.petr, stage)
    await stage.anna.say_below(1, "@petr had the same last week, mail him: x@petr.example")
    offered = await stage.anna.last()
    assert offered.only
    assert offered.text == stage.w("company.offer", names="petr", ticket=1)
    assert await stage.petr.hears() == []
    await stage.anna.press(stage.w("button.add", name="petr"))
    assert len(await stage.petr.hears()) == 1
    await stage.anna.say_below(1, "@petr again")
    assert (await stage.anna.last()).text != stage.w("company.offer", names="petr", ticket=1)


async def test_a_mention_by_a_name_that_anybody_can_take_says_where_they_write(stage: Stage) -> None:
    await stage.report(stage.ivan)
    olga = await _olga(stage)
    await stage.anna.say_below(1, "@Olga Ivanova had the same")
    offered = await stage.anna.last()
    whom = stage.w("company.account", name="Olga Ivanova", where=stage.w("via.web"))
    assert stage.w("company.offer", names=whom, ticket=1) in offered
    assert stage.w("company.self_named") in offered
    await stage.anna.press(stage.w("button.add", name=whom))
    assert len(await olga.hears()) == 1


async def test_of_a_note_full_of_such_signs_the_first_few_are_looked_up(english: Stage) -> None:
    await english.report(english.ivan)
    await known(english.petr, english)
    signs = [f"@Annotation{number}" for number in range(LOOKED_UP)]
    await english.anna.say_below(1, " ".join([*signs, "@petr"]))
    assert "petr" not in await english.anna.last()
    await english.anna.say_below(1, " ".join([*signs[1:], *signs[1:], "@petr"]))
    assert english.w("company.offer", names="petr", ticket=1) in await english.anna.last()


# ---- in somebody else's name


async def test_an_agent_reports_for_somebody_who_is_told_at_once(stage: Stage) -> None:
    await stage.ivan.say("/help")
    await stage.ivan.hears()
    await stage.anna.say(f"/new for @ivan {stage.vpn}")
    await stage.answer_all(stage.anna)
    await stage.anna.press(stage.w("button.send"))
    assert (await stage.anna.last()).text == stage.w(
        "company.opened_for", name="Ivan Petrov", ticket=1, title=stage.vpn
    )
    [told] = await stage.ivan.hears()
    assert stage.w("told.opened_for", name="Anna Smirnova") in told
    assert stage.vpn in told
    ticket = await stage.ticket(1)
    assert (ticket.home, ticket.owner) == ("web:u-ivan", None)
    card = await stage.boris.card(1)
    assert stage.w("card.opened_by", name="Anna Smirnova") in card
    assert stage.w("card.watchers", names="Anna Smirnova") in card
    await stage.boris.say("/timeline 1")
    told_line = stage.w("event.opened_for", actor="Anna Smirnova", requester="Ivan Petrov")
    assert told_line in (await stage.boris.last()).text
    await stage.anna.hears()
    await stage.ivan.say("It is worse now")
    assert any("It is worse now" in each for each in await stage.anna.hears())


async def test_before_it_is_sent_the_agent_reads_for_whom_it_is(stage: Stage) -> None:
    olga = await _olga(stage)
    await stage.anna.say(f"/new for @olga_ivanova: {stage.vpn}")
    await stage.answer_all(stage.anna)
    whom = stage.w("company.account", name="Olga Ivanova", where=stage.w("via.web"))
    assert f"{stage.w('intake.field_for')}: {whom}" in await stage.anna.last()
    assert await olga.hears() == []
    await stage.anna.press(stage.w("button.send"))
    assert stage.w("told.opened_for", name="Anna Smirnova") in (await olga.hears())[0]


async def test_words_of_the_agent_afterwards_are_not_the_requesters(stage: Stage) -> None:
    await stage.ivan.say("/help")
    await stage.anna.say(f"/new for @ivan {stage.vpn}")
    await stage.answer_all(stage.anna)
    await stage.anna.press(stage.w("button.send"))
    await stage.anna.say("my own mouse is broken")
    assert [words for _, words in await stage.words_of(1)] == [stage.vpn]


async def test_a_requester_reports_for_nobody_else(stage: Stage) -> None:
    await stage.ivan.say(f"/new for @anna {stage.vpn}")
    assert (await stage.ivan.last()).text == stage.w("right.behalf")


# ---- two accounts of one person


async def test_a_colleague_who_turns_out_to_have_two_accounts_stays_on_the_ticket(stage: Stage) -> None:
    older = stage.town["older"]
    await known(older, stage)
    await shared(stage)
    await stage.petr.say("/link")
    found = re.search(r"/link ([2-9A-Z]{8})\b", (await stage.petr.last()).text)
    assert found is not None
    await older.say(f"/link {found[1]}")
    await older.press(stage.w("button.is_mine"))
    await older.say("/status 1")
    assert stage.vpn in await older.last()
    await older.say("the other me has it too")
    assert ("request", "the other me has it too") in await stage.words_of(1)
    kinds = await stage.kinds(1)
    assert kinds.count("joined") == 2
    assert kinds.count("left") == 1


# ---- quotes


async def _in_answer_to(stage: Stage, words: str, said: str) -> None:
    """Anna says so below the ticket, in answer to these words of somebody's."""
    [pointed] = [each for each in await stage.anna.thread(1) if words in each and each.author]
    await stage.anna.say_below(1, said, reply_to=pointed.id)


async def _quoted(who: Somebody, words: str) -> bool:
    return any(words in each for each in await who.hears())


async def test_nobody_reads_in_a_quote_what_was_said_before_they_came(english: Stage) -> None:
    await english.report(english.ivan)
    await known(english.petr, english)
    await english.ivan.say("My door code is 4711")
    await english.anna.say_below(1, "/reply Thank you")
    await english.ivan.say("/add 1 @petr")
    for person in (english.ivan, english.petr):
        await person.hears()
    await _in_answer_to(english, "4711", "/reply Change it, please")
    assert not await _quoted(english.petr, "4711")
    assert await _quoted(english.ivan, "4711")


async def test_whoever_was_there_when_it_was_said_reads_it_in_a_quote(english: Stage) -> None:
    await shared(english)
    await english.ivan.say("It is on floor 3")
    await english.petr.say("And on floor 4")
    await english.anna.say_below(1, "/reply Thank you")
    for words in ("floor 3", "floor 4"):
        for person in (english.ivan, english.petr):
            await person.hears()
        await _in_answer_to(english, words, f"/reply Which room of {words[-1]}?")
        assert await _quoted(english.petr, words)
        assert await _quoted(english.ivan, words)


async def test_whoever_was_added_reads_the_first_words_in_a_quote(english: Stage) -> None:
    await shared(english)
    first = next(each for each in await english.ivan.sees() if each.mine)
    await english.anna.say_below(1, "/reply Thank you")
    await english.petr.hears()
    await english.ivan.say("It is worse now", reply_to=first.id)
    assert await _quoted(english.petr, english.vpn)


async def test_a_watcher_reads_in_a_quote_what_was_said_before_but_no_note(english: Stage) -> None:
    await english.report(english.ivan)
    await english.ivan.say("My door code is 4711")
    await english.anna.say_below(1, "he never learns")
    await english.anna.say_below(1, "/reply Thank you")
    await english.boris.say("/watch 1")
    await english.boris.hears()
    await _in_answer_to(english, "4711", "/reply Change it, please")
    assert await _quoted(english.boris, "4711")
    [note] = [each for each in await english.anna.thread(1) if "never learns" in each]
    await english.anna.say_below(1, "/reply Is it done?", reply_to=note.id)
    assert not [each for each in await english.boris.hears() if each.thread is None and "learns" in each]


async def test_what_may_stand_before_somebody_who_is_to_read_it_no_more_is_taken_away(english: Stage) -> None:
    await english.petr.say("/my")
    await english.report(english.ivan)
    web, petrs = english.town.house.adapters["web"], english.petr.direct
    lost: list[str] = []

    class Unheard:
        def __getattr__(self, name: str) -> object:
            return getattr(web, name)

        async def post(self, to, message, reader, nonce, *, again=False):  # type: ignore[no-untyped-def]
            shown = await web.post(to, message, reader, nonce, again=again)
            if to.room == petrs and not lost:
                lost.append(nonce)
                raise TemporaryError("no answer", unknown=True)
            return shown

    english.town.house.adapters["web"] = Unheard()  # type: ignore[index]
    await english.ivan.say("/add 1 @petr")
    assert english.vpn in texts(await english.petr.sees())[-1]
    await english.ivan.say("/remove 1 @petr")
    await english.town.later(timedelta(minutes=5))
    assert lost
    assert not [each for each in await english.petr.sees() if not each.deleted and english.vpn in each.text]
