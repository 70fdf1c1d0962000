"""An agent at work: taking, passing, waiting, holding, changing, and what card, thread and requester show."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.kernel.ids import MessageId, TicketId
from core.people import store as people
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets.catalogue import Level, Priority
from core.tickets.model import Status
from tests.flows.conftest import Stage, texts
from tests.flows.test_presses import message_of
from tests.town import Shown, town

HOUR = timedelta(hours=1)


async def taken(stage: Stage) -> None:
    """Anna is on Ivan's VPN, and everybody has heard so."""
    await stage.report(stage.ivan)
    await stage.anna.press(stage.w("button.take"))
    for person in (stage.ivan, stage.anna, stage.boris):
        await person.hears()


async def lines(stage: Stage) -> list[str]:
    """What the thread tells of events."""
    return [each.text for each in await stage.anna.thread(1) if each.tone == "event"]


async def test_a_card_appears_by_itself_with_what_can_be_done(stage: Stage) -> None:
    await stage.report(stage.ivan, urgency="critical")
    card = await stage.boris.card(1)
    for part in (
        f"🔴 #1 {stage.vpn}",
        stage.w("priority.critical"),
        "L1",
        stage.w("status.new"),
        "Ivan Petrov",
        stage.w("card.owner", name=stage.w("name.nobody")),
    ):
        assert part in card
    assert list(card.buttons)[:5] == [
        stage.w(f"button.{n}") for n in ("take", "reply", "note", "wait", "resolve")
    ]
    assert stage.w("button.release") not in card.buttons


async def test_a_card_shows_the_questions_of_the_intake_with_their_answers(stage: Stage) -> None:
    await stage.report(stage.ivan)
    card = await stage.boris.card(1)
    asked, answer = {
        "en": ("Where are you working from?", "The office"),
        "ru": ("Откуда вы работаете?", "Из офиса"),
    }[stage.language]
    assert f"{asked} {answer}" in card


async def test_a_taken_card_shows_its_owner_and_no_take(stage: Stage) -> None:
    await taken(stage)
    card = await stage.boris.card(1)
    assert stage.w("card.owner", name="Anna Smirnova") in card
    assert stage.w("button.take") not in card.buttons
    assert stage.w("button.release") in card.buttons
    assert await lines(stage) == [stage.w("event.claimed", actor="Anna Smirnova")]


@pytest.mark.parametrize("first", ["anna", "boris"])
async def test_of_two_who_take_at_once_exactly_one_wins_and_the_other_is_told_privately(
    stage: Stage, first: str
) -> None:
    await stage.report(stage.ivan)
    winner, loser = (stage.anna, stage.boris) if first == "anna" else (stage.boris, stage.anna)
    card = await winner.card(1)
    for person in (winner, loser):
        await person.press_code(card, card.buttons[stage.w("button.take")], settle=False)
    stage.town.clock.advance(timedelta(seconds=4))
    await stage.town.settle()
    assert (await stage.kinds(1)).count("claimed") == 1
    [owner] = [
        name
        for name in ("Anna Smirnova", "Boris Orlov")
        if stage.w("card.owner", name=name) in await winner.card(1)
    ]
    won = stage.anna if owner == "Anna Smirnova" else stage.boris
    lost = stage.boris if won is stage.anna else stage.anna
    told = await lost.last()
    assert told.only
    assert owner in told
    assert "#1" in told
    assert told.text not in texts(await won.sees())
    assert len([each for each in await stage.ivan.sees() if owner in each]) == 1


async def test_a_loser_is_told_who_when_and_from_where(stage: Stage) -> None:
    await stage.report(stage.ivan)
    card = await stage.boris.card(1)
    await stage.anna.press(stage.w("button.take"))
    await stage.town.later(timedelta(seconds=4))
    await stage.boris.press_code(card, card.buttons[stage.w("button.take")])
    told = {
        "en": "Anna Smirnova took #1 4 s ago, from web chat.",
        "ru": "Anna Smirnova уже занимается #1: 4 секунды назад, веб-чат.",
    }
    assert (await stage.boris.last()).text == told[stage.language]
    await stage.anna.press_code(card, card.buttons[stage.w("button.take")])
    assert (await stage.anna.last()).text == stage.w("ticket.already_yours", ticket=1)


async def test_a_loser_at_the_same_moment_is_told_so_in_good_words(stage: Stage) -> None:
    await stage.report(stage.ivan)
    card = await stage.boris.card(1)
    await stage.anna.press(stage.w("button.take"))
    await stage.boris.press_code(card, card.buttons[stage.w("button.take")])
    told = {
        "en": "Anna Smirnova took #1 just now, from web chat.",
        "ru": "Anna Smirnova уже занимается #1: только что, веб-чат.",
    }
    assert (await stage.boris.last()).text == told[stage.language]


async def test_a_release_leaves_a_word_and_the_ticket_to_whoever_comes(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.fill(stage.w("button.release"), handover="off to lunch")
    assert (await stage.ticket(1)).owner is None
    assert (await stage.ticket(1)).status is Status.NEW
    assert f"{stage.w('event.released', actor='Anna Smirnova')}: off to lunch" in await lines(stage)
    assert stage.w("button.take") in (await stage.boris.card(1)).buttons
    assert await stage.ivan.hears() == []
    await stage.anna.say("/release 1")
    assert (await stage.anna.last()).text == stage.w("ticket.nobodys", ticket=1)


async def test_a_pass_names_the_next_owner_to_everybody(stage: Stage) -> None:
    await taken(stage)
    boris = await stage.town.database.read(lambda tx: people.by_identity(tx, stage.boris.identity))
    assert boris is not None
    await stage.anna.fill(stage.w("button.pass"), to=str(boris.id), handover="knows VPN")
    assert stage.w("card.owner", name="Boris Orlov") in await stage.anna.card(1)
    passed = stage.w("event.passed", actor="Anna Smirnova", owner="Boris Orlov")
    assert f"{passed}: knows VPN" in await lines(stage)
    assert texts(await stage.ivan.hears()) == [
        stage.w("told.passed", owner="Boris Orlov", ticket=1, title=stage.vpn)
    ]


@pytest.mark.parametrize("whom", ["@boris", "Boris", "boris orlov", "@Boris Orlov"])
async def test_a_pass_by_command_finds_people_by_their_names(english: Stage, whom: str) -> None:
    await taken(english)
    await english.anna.say(f"/pass 1 {whom} knows VPN")
    passed = english.w("event.passed", actor="Anna Smirnova", owner="Boris Orlov")
    assert f"{passed}: knows VPN" in await lines(english)


@pytest.mark.parametrize("whom", ["@ivan", "@nobody", "@bo", "@borisov"])
async def test_a_pass_to_nobody_of_the_team_names_those_there_are(english: Stage, whom: str) -> None:
    await taken(english)
    await english.anna.say(f"/pass 1 {whom}")
    names = "Anna Smirnova, Boris Orlov, Maria Sokolova"
    assert (await english.anna.last()).text == english.w("person.unknown", names=names)


NAMESAKES = """
[[people]]
name = "Ivan"
identities = ["web:ivan"]
[[people]]
name = "Anna Smirnova"
identities = ["web:anna"]
roles = ["agent"]
queues = ["network"]
[[people]]
name = "Ivan Petrov"
identities = ["web:petrov"]
roles = ["agent"]
queues = ["network"]
[[people]]
name = "Ivan Sidorov"
identities = ["web:sidorov"]
roles = ["agent"]
queues = ["network"]
[[people]]
name = "Boris"
identities = ["web:boris"]
roles = ["agent"]
queues = ["network"]
[[people]]
name = "Boris Orlov"
identities = ["web:orlov"]
roles = ["agent"]
queues = ["network"]
[[people]]
name = "Anna-Maria de la Cruz"
identities = ["web:cruz"]
roles = ["agent"]
queues = ["network"]
[[people]]
name = "Anna Elsewhere"
identities = ["web:elsewhere"]
roles = ["agent"]
queues = ["support"]
[[queues]]
name = "network"
spaces = ["web:network"]
[[queues]]
name = "support"
spaces = ["web:support"]
[[request_types]]
name = "network"
title = "Network"
queue = "network"
"""


@pytest.fixture
async def namesakes(tmp_path: Path) -> AsyncIterator[Stage]:
    """Ivan's ticket is nobody's, and several of the team have the same first name."""
    async with town(tmp_path, NAMESAKES) as opened:
        stage = Stage(opened, "en")
        await stage.report(stage.ivan)
        yield stage


@pytest.mark.parametrize(
    ("whom", "owner", "note"),
    [
        ("Ivan Sidorov", "Ivan Sidorov", ""),
        ("@ivan  sidorov, knows VPN", "Ivan Sidorov", "knows VPN"),
        ("ivan petrov knows Ivan Sidorov", "Ivan Petrov", "knows Ivan Sidorov"),
        ("Boris", "Boris", ""),
        ("boris knows", "Boris", "knows"),
        ("Boris Orlov", "Boris Orlov", ""),
        ("anna-maria: please", "Anna-Maria de la Cruz", "please"),
        ("Anna-Maria de la Cruz please", "Anna-Maria de la Cruz", "please"),
        ("Anna please", "Anna Smirnova", "please"),
    ],
)
async def test_of_several_of_a_name_the_one_named_most_fully_is_meant(
    namesakes: Stage, whom: str, owner: str, note: str
) -> None:
    await namesakes.boris.say(f"/pass 1 {whom}")
    passed = namesakes.w("event.passed", actor="Boris", owner=owner)
    assert (await lines(namesakes))[-1] == (f"{passed}: {note}" if note else passed)


@pytest.mark.parametrize("whom", ["Ivan", "@ivan knows VPN", "ivan sidorovich"])
async def test_a_name_that_several_have_asks_which_of_them(namesakes: Stage, whom: str) -> None:
    await namesakes.boris.say(f"/pass 1 {whom}")
    which = namesakes.w("person.several", names="Ivan Petrov, Ivan Sidorov")
    assert (await namesakes.boris.last()).text == which
    assert (await namesakes.ticket(1)).owner is None


@pytest.mark.parametrize("to", ["999", "99999999999999999999999", "1", "x", "-1", ""])
async def test_a_pass_to_somebody_the_form_does_not_offer_is_refused_in_plain_words(
    english: Stage, to: str
) -> None:
    await taken(english)
    await english.anna.fill(english.w("button.pass"), to=to)
    refusals = english.w("form.choose"), english.w("form.missing")
    assert (await english.anna.last()).text.splitlines()[0] in refusals
    assert (await english.ticket(1)).owner is not None
    assert "passed" not in await english.kinds(1)


async def test_a_pass_to_the_owner_is_answered(stage: Stage) -> None:
    await taken(stage)
    await stage.boris.say("/pass 1 @anna")
    assert (await stage.boris.last()).text == stage.w("ticket.already_theirs", ticket=1, name="Anna Smirnova")


async def test_waiting_asks_the_requester_whose_words_bring_it_back(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.fill(stage.w("button.wait"), question="Which version?")
    assert (await stage.ticket(1)).status is Status.WAITING
    assert texts(await stage.ivan.hears()) == ["Which version?"]
    assert stage.w("card.waiting") in await stage.anna.card(1)
    assert stage.w("button.wait") not in (await stage.anna.card(1)).buttons
    await stage.ivan.say("5.1")
    assert (await stage.ticket(1)).status is Status.OPEN


async def test_waiting_without_a_question_says_that_an_answer_is_awaited(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.fill(stage.w("button.wait"), question="")
    told = stage.w("told.waited", name="Anna Smirnova", ticket=1, title=stage.vpn)
    assert texts(await stage.ivan.hears()) == [told]


async def test_waiting_ends_when_the_agent_resumes(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.say("/wait 1")
    await stage.anna.press(stage.w("button.resume"))
    assert (await stage.ticket(1)).status is Status.OPEN
    await stage.anna.say("/resume 1")
    assert (await stage.anna.last()).text == stage.w("ticket.not_when_open", ticket=1)


async def test_a_hold_until_an_hour_ends_by_itself(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.fill(stage.w("button.hold"), until="14:30", note="the courier comes")
    assert (await stage.ticket(1)).status is Status.ON_HOLD
    assert stage.w("card.hold_until", at="14:30") in await stage.anna.card(1)
    told = stage.w("told.held_until", ticket=1, title=stage.vpn, until="14:30")
    assert texts(await stage.ivan.hears()) == [told]
    await stage.town.later(5 * HOUR + timedelta(minutes=29), step=HOUR)
    assert (await stage.ticket(1)).status is Status.ON_HOLD
    await stage.town.later(timedelta(minutes=2))
    assert (await stage.ticket(1)).status is Status.OPEN
    assert stage.w("event.resumed", actor=stage.w("name.desk")) in await lines(stage)


async def test_a_hold_without_an_end_lasts_until_somebody_resumes(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.say("/hold 1")
    assert texts(await stage.ivan.hears()) == [stage.w("told.held", ticket=1, title=stage.vpn)]
    await stage.town.later(48 * HOUR, step=12 * HOUR)
    assert (await stage.ticket(1)).status is Status.ON_HOLD
    await stage.ivan.say("any news?")
    assert (await stage.ticket(1)).status is Status.ON_HOLD
    await stage.anna.say("/resume 1")
    assert (await stage.ticket(1)).status is Status.OPEN


async def test_a_hold_that_is_moved_or_ended_early_does_not_end_twice(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.say("/hold 1 until 2h")
    await stage.anna.say("/hold 1 until 6h")
    await stage.town.later(3 * HOUR, step=HOUR)
    assert (await stage.ticket(1)).status is Status.ON_HOLD
    await stage.anna.say("/resume 1")
    await stage.anna.say("/wait 1")
    await stage.town.later(6 * HOUR, step=HOUR)
    assert (await stage.ticket(1)).status is Status.WAITING
    assert (await stage.kinds(1)).count("resumed") == 1


@pytest.mark.parametrize(
    ("until", "key"),
    [
        ("08:00", "hold.past"),
        ("yesterday", "when.instant"),
        ("25:00", "when.instant"),
        ("2020-01-01", "hold.past"),
    ],
)
async def test_a_hold_until_no_time_to_come_is_explained(english: Stage, until: str, key: str) -> None:
    await taken(english)
    await english.anna.fill(english.w("button.hold"), until=until)
    assert (await english.anna.last()).text == english.w(key)
    assert (await english.ticket(1)).status is Status.OPEN


async def test_a_priority_changes_with_its_reason_kept(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.fill(stage.w("button.priority"), priority="critical", reason="the whole floor")
    assert (await stage.ticket(1)).priority is Priority.CRITICAL
    changed = stage.w(
        "event.prioritised",
        actor="Anna Smirnova",
        before=stage.w("priority.normal"),
        priority=stage.w("priority.critical"),
    )
    assert f"{changed}: the whole floor" in await lines(stage)
    assert "🔴" in await stage.anna.card(1)
    await stage.anna.say("/priority 1 CRITICAL again")
    assert (await stage.anna.last()).text == stage.w("priority.same", ticket=1)
    await stage.anna.say("/priority 1 urgent")
    valid = stage.w("priority.valid", priorities="critical, high, normal, low")
    assert (await stage.anna.last()).text == valid


async def test_a_level_is_handed_over_with_owner_note_and_clock(stage: Stage) -> None:
    await taken(stage)
    due = stage.w("card.due_first", span=_five_minutes(stage), at="09:05")
    assert due in await stage.anna.card(1)
    await stage.anna.fill(stage.w("button.level"), level="L2", handover="needs a router admin")
    ticket = await stage.ticket(1)
    assert (ticket.level, ticket.owner is not None) == (Level.L2, True)
    handed = stage.w("event.levelled", actor="Anna Smirnova", level="L2")
    assert f"{handed}: needs a router admin" in await lines(stage)
    assert due in await stage.anna.card(1)
    await stage.anna.say("/level 1 l2")
    assert (await stage.anna.last()).text == stage.w("level.same", ticket=1)
    await stage.anna.say("/level 1 L9")
    assert (await stage.anna.last()).text == stage.w("level.valid", levels="L1, L2, L3")


def _five_minutes(stage: Stage) -> str:
    return {"en": "5 min", "ru": "5 минут"}[stage.language]


async def test_a_resolved_ticket_shows_its_solution_and_what_can_still_be_done(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.fill(stage.w("button.resolve"), solution="Reinstalled")
    card = await stage.anna.card(1)
    assert "✅" in card
    assert stage.w("card.resolution", text="Reinstalled") in card
    assert list(card.buttons) == [stage.w(f"button.{name}") for name in ("reply", "note", "reopen")]
    await stage.anna.press(stage.w("button.reopen"))
    assert (await stage.ticket(1)).status is Status.OPEN
    assert stage.w("told.reopened", ticket=1, title=stage.vpn) in (await stage.ivan.last()).text


async def test_what_cannot_be_done_now_says_what_can(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.say("/resolve 1")
    for command in ("take", "wait", "hold", "resolve", "release"):
        await stage.boris.say(f"/{command} 1")
        told = (await stage.boris.last()).text
        assert told in (stage.w("ticket.not_when_resolved", ticket=1), _taken(stage)), command
    await stage.ivan.press(stage.w("button.fixed"))
    await stage.boris.say("/reply 1 hello")
    assert (await stage.boris.last()).text == stage.w("ticket.not_when_closed", ticket=1)


def _taken(stage: Stage) -> str:
    return {
        "en": "Anna Smirnova took #1 just now, from web chat.",
        "ru": "Anna Smirnova уже занимается #1: только что, веб-чат.",
    }[stage.language]


async def test_the_timeline_tells_everything_with_who_when_and_from_where(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.say("/note 1 seen before")
    await stage.anna.say("/reply 1 restart it")
    await stage.ivan.say("works")
    await stage.anna.say("/resolve 1 restarted")
    await stage.anna.hears()
    await stage.anna.say("/timeline 1")
    [told] = await stage.anna.hears()
    web = stage.w("via.web")
    for key, who in (
        ("opened", "Ivan Petrov"),
        ("claimed", "Anna Smirnova"),
        ("noted", "Anna Smirnova"),
        ("replied", "Anna Smirnova"),
        ("said", "Ivan Petrov"),
    ):
        assert stage.w("timeline.line", at="09:00", what=stage.w(f"event.{key}", actor=who), via=web) in told
    assert f"{stage.w('event.resolved', actor='Anna Smirnova')}: restarted" in told


async def test_an_empty_reply_or_note_is_refused_in_words(stage: Stage) -> None:
    await taken(stage)
    for form, field in (("reply", "text"), ("note", "note")):
        await stage.anna.fill(stage.w(f"button.{form}"), **{field: "   "})
        assert (await stage.anna.last()).text == stage.w("form.missing")
    assert await stage.words_of(1) == [("request", stage.vpn)]


async def test_a_queue_whose_plain_words_are_replies_sends_them(tmp_path: Path) -> None:
    async with town(tmp_path, '[[queues]]\nname = "network"\nplain_text = "reply"\n') as opened:
        stage = Stage(opened, "en")
        await taken(stage)
        await stage.anna.say_below(1, "for you, Ivan", files=[("how.png", b"1")])
        await stage.anna.say_below(1, "/note for us")
        assert texts(await stage.ivan.hears()) == ["for you, Ivan\n[how.png]"]


async def test_words_that_are_replies_stand_once_in_the_thread_with_their_mark_below(tmp_path: Path) -> None:
    async with town(tmp_path, '[[queues]]\nname = "network"\nplain_text = "reply"\n') as opened:
        stage = Stage(opened, "en")
        await taken(stage)
        await stage.anna.say_below(1, "for you, Ivan", files=[("how.png", b"1")])
        said, mark = (await stage.boris.thread(1))[-2:]
        assert said.text == "for you, Ivan\n[how.png]"
        assert (mark.text, list(mark.buttons)) == (stage.w("said.delivered"), [stage.w("button.undo")])
        await stage.anna.press(stage.w("button.undo"))
        assert (await stage.boris.thread(1))[-1].text == stage.w("said.withdrawn")
        assert "for you, Ivan" not in "".join(texts(await stage.ivan.sees()))
        await stage.anna.say("/reply 1 from elsewhere")
        assert (await stage.boris.thread(1))[-1].text == f"from elsewhere\n{stage.w('said.delivered')}"


async def answered_in_the_thread(stage: Stage) -> Shown:
    """Anna answers words of Ivan's in their thread; what the desk says below hers."""
    await taken(stage)
    await stage.ivan.say("and it is slow")
    asked = (await stage.boris.thread(1))[-1]
    await stage.anna.say_below(1, "which version?", reply_to=asked.id)
    said, mark = (await stage.boris.thread(1))[-2:]
    assert (said.text, said.tone) == ("which version?", "say")
    return mark


async def test_an_answer_given_in_the_thread_stands_there_once_with_its_mark_below(stage: Stage) -> None:
    mark = await answered_in_the_thread(stage)
    assert (mark.text, list(mark.buttons)) == (stage.w("said.delivered"), [stage.w("button.undo")])
    assert (await stage.ivan.last()).text == "which version?"
    await stage.anna.edit("which version?", "which one?")
    assert (await stage.ivan.last()).text == "which one?"
    assert (await stage.boris.thread(1))[-1].text == f"{stage.w('said.edited')}\n{stage.w('said.delivered')}"


async def test_an_answer_that_is_gone_from_the_thread_can_still_be_read_there(stage: Stage) -> None:
    mark = await answered_in_the_thread(stage)
    anna = await stage.town.database.read(lambda tx: people.by_identity(tx, stage.anna.identity))
    assert anna is not None
    reply = await message_of(stage, "which version?")
    run = stage.town.house.desk.run
    await run(tickets.note_deletion, Actor(anna, "web"), TicketId(1), MessageId(reply))
    await stage.town.settle()
    copy = next(each for each in await stage.boris.thread(1) if each.id == mark.id)
    assert copy.text == f"which version?\n{stage.w('said.delivered')}"


async def test_an_answer_sent_by_command_is_shown_whole_in_the_thread(stage: Stage) -> None:
    await taken(stage)
    await stage.anna.say_below(1, "/reply from here")
    assert (await stage.boris.thread(1))[-1].text == f"from here\n{stage.w('said.delivered')}"


async def test_a_card_quotes_the_first_words_where_they_say_more_than_its_title(stage: Stage) -> None:
    await stage.report(stage.ivan)
    assert (await stage.boris.card(1)).text.count(stage.vpn) == 1
    await stage.report(stage.petr, f"{stage.printer}\nsince Monday")
    card = await stage.boris.card(2)
    assert "since Monday" in card
    assert card.text.count(stage.printer) == 2
