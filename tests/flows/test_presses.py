"""Buttons of the wrong moment and of the wrong person: a polite private answer, and nothing changes."""

from collections.abc import Awaitable, Callable

import pytest

from bot.flows.forms import FORMS
from core.database.transaction import Transaction
from core.tickets import store
from core.tickets.model import Status
from tests.flows.conftest import Stage, texts


async def test_a_button_of_an_earlier_step_changes_nothing(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    first = await stage.ivan.last()
    office, home, *_ = first.buttons
    await stage.ivan.press(office)
    second = await stage.ivan.last()
    await stage.ivan.press_code(first, first.buttons[home])
    assert (await stage.ivan.last()).text == stage.w("press.stale")
    await stage.ivan.press(next(iter(second.buttons)))
    await stage.answer_all(stage.ivan)
    assert office in await stage.ivan.last()
    assert home not in await stage.ivan.last()


async def test_a_button_pressed_twice_counts_once(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    first = await stage.ivan.last()
    for _ in range(2):
        await stage.ivan.press_code(first, next(iter(first.buttons.values())))
    assert (await stage.ivan.last()).text == stage.w("press.stale")
    assert len([each for each in await stage.ivan.sees() if each.buttons]) == 1


async def test_the_same_press_told_twice_is_answered_once(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    first = await stage.ivan.last()
    for _ in range(2):
        await stage.ivan.press_code(first, next(iter(first.buttons.values())), key="the-same")
    assert stage.w("press.stale") not in texts(await stage.ivan.sees())


async def test_a_button_of_a_dialog_that_is_over_says_so(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    first = await stage.ivan.last()
    await stage.ivan.press(stage.w("button.cancel"))
    await stage.ivan.press_code(first, next(iter(first.buttons.values())))
    assert (await stage.ivan.last()).text == stage.w("press.over")


async def test_somebody_elses_button_is_answered_politely_to_that_person_alone(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    question = await stage.ivan.last()
    await stage.petr.say(stage.vague)
    own = await stage.petr.last()
    for code in question.buttons.values():
        await stage.petr.press_code(own, code)
        assert (await stage.petr.last()).text == stage.w("press.not_yours")
    assert stage.w("press.not_yours") not in texts(await stage.ivan.sees())
    assert (await stage.ivan.last()).buttons == question.buttons
    await stage.answer_all(stage.ivan)
    await stage.ivan.press(stage.w("button.send"))
    assert (await stage.ticket(1)).title == stage.vpn


OF_AGENTS = (
    "t.take.1", "t.onit.1", "t.snooze.1", "t.resume.1", "t.undo.1.1", "m.1.1",
    *(f"f.{form}.1" for form in FORMS),
)  # fmt: skip
OF_REQUESTERS = ("r.yes.1", "r.no.1", "r.rate.1.5", "r.reopen.1", "r.change.1", "r.move.1.0")


async def test_a_requester_can_press_nothing_of_anothers_ticket(english: Stage) -> None:
    await english.report(english.ivan)
    await english.anna.say("/resolve 1 done")
    before, kinds, seen = await english.ticket(1), await english.kinds(1), texts(await english.ivan.sees())
    await english.petr.say(english.vague)
    for code in (*OF_AGENTS, *OF_REQUESTERS):
        await english.petr.press_code(await english.petr.last(), code)
        said = (await english.petr.last()).text
        assert said in (english.w("ticket.unknown", ticket=1), english.w("press.over")), code
    assert (await english.ticket(1), await english.kinds(1)) == (before, kinds)
    assert texts(await english.ivan.sees()) == seen


async def test_a_requester_can_press_nothing_of_an_agents_on_their_own_ticket(english: Stage) -> None:
    await english.report(english.ivan)
    before = await english.ticket(1)
    for code in OF_AGENTS:
        await english.ivan.press_code(await english.ivan.last(), code)
        assert (await english.ivan.last()).text == english.w("right.work", ticket=1), code
    assert await english.ticket(1) == before
    await english.ivan.say("some words")
    assert [kind for kind, _ in await english.words_of(1)] == ["request", "request"]


async def test_a_requester_can_send_in_no_form_of_an_agent(english: Stage) -> None:
    await english.report(english.ivan)
    before = await english.ticket(1)
    filled = {"text": "x", "note": "x", "to": "2", "priority": "low", "level": "L2", "length": "1h"}
    for person, key in ((english.ivan, "right.work"), (english.petr, "ticket.unknown")):
        await person.say("/new")
        for name in FORMS:
            await person.submit(await person.last(), f"f.{name}.1", filled)
            assert (await person.last()).text == english.w(key, ticket=1), name
    assert await english.ticket(1) == before
    assert [kind for kind, _ in await english.words_of(1)] == ["request"]


async def test_an_agent_cannot_answer_for_the_requester(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say("/resolve 1 done")
    card = await stage.boris.card(1)
    for code in ("r.yes.1", "r.rate.1.5"):
        await stage.boris.press_code(card, code)
        assert (await stage.boris.last()).text == stage.w("right.judge", ticket=1)
        assert (await stage.boris.last()).only
    assert (await stage.ticket(1)).status is Status.RESOLVED


async def test_a_note_never_moves_into_a_requester_s_sight_nor_does_the_opening_leave(english: Stage) -> None:
    await english.report(english.ivan)
    await english.report(english.anna)
    await english.anna.say_below(1, "he always forgets")
    before = await english.words_of(1), await english.words_of(2)
    note, opening = await message_of(english, "he always forgets"), await message_of(english, english.vpn)
    for person, message in ((english.anna, note), (english.ivan, opening)):
        for code in (f"r.change.{message}", f"r.move.{message}.2", f"r.move.{message}.0"):
            await person.press_code(await person.last(), code)
            assert (await person.last()).text == english.w("press.over"), code
    assert (await english.words_of(1), await english.words_of(2)) == before
    assert await english.numbers() == [1, 2]


async def test_words_never_move_into_a_ticket_of_somebody_else(english: Stage) -> None:
    await english.report(english.ivan)
    await english.report(english.anna)
    await english.anna.say("and the printer")
    message = await message_of(english, "and the printer")
    await english.anna.press_code(await english.anna.last(), f"r.move.{message}.1")
    assert (await english.anna.last()).text == english.w("ticket.unknown", ticket=1)
    assert await english.words_of(1) == [("request", english.vpn)]
    assert ("request", "and the printer") in await english.words_of(2)


def forged(code: str, choice: str) -> str:
    """A code for the same step of the same dialog that no button of it has."""
    return f"{code.rsplit('.', 1)[0]}.{choice}"


@pytest.mark.parametrize("choice", ["zzz", "99", "back", "skip", "type", "send", "edit", "describe", "q-zzz"])
async def test_a_choice_that_a_step_does_not_offer_changes_nothing(english: Stage, choice: str) -> None:
    ivan = english.ivan
    await ivan.say("/new")
    steps: tuple[Callable[[], Awaitable[object]], ...] = (
        lambda: ivan.say(english.vague),
        lambda: ivan.press("Network"),
        lambda: ivan.press("Home"),
        lambda: ivan.press("Only me"),
        lambda: ivan.press(english.w("button.skip")),
        lambda: ivan.press(english.w("urgency.low")),
        lambda: ivan.press(english.w("button.edit")),
        lambda: ivan.press(english.w("intake.field_text")),
        lambda: ivan.say("another description"),
    )
    for step in steps:
        question = await ivan.last()
        offered = {code.rsplit(".", 1)[1] for code in question.buttons.values()}
        if offered & {"send", "summary"}:  # the summary, and what of it shall be changed, are one step
            offered |= {"send", "edit", "describe", "type"}
        if choice not in offered:
            await ivan.press_code(question, forged(next(iter(question.buttons.values())), choice))
            refusals = english.w("press.stale"), english.w("intake.not_optional")
            assert (await ivan.last()).text in refusals, question
            assert question in await ivan.sees()
        await step()
    await ivan.press(english.w("button.send"))
    assert await english.words_of(1) == [("request", "another description")]


async def test_a_choice_nobody_offered_leaves_a_closed_ticket_and_a_rating_as_they_are(
    english: Stage,
) -> None:
    ivan = english.ivan
    await english.report(ivan)
    await english.anna.say("/resolve 1 done")
    await ivan.press(english.w("button.fixed"))
    await ivan.press("★★★")
    comment = await ivan.last()
    await ivan.press_code(comment, forged(comment.buttons[english.w("button.no_comment")], "zzz"))
    assert (await ivan.last()).text == english.w("press.stale")
    assert "commented" not in await english.kinds(1)
    await ivan.press(english.w("button.no_comment"))
    about = next(each for each in await ivan.sees() if each.ticket == 1)
    await ivan.say("it is back", reply_to=about.id)
    closed = await ivan.last()
    await ivan.press_code(closed, forged(closed.buttons[english.w("button.reopen")], "zzz"))
    assert (await ivan.last()).text == english.w("press.stale")
    await ivan.press(english.w("button.reopen"))
    assert ("request", "it is back") in await english.words_of(1)


async def message_of(stage: Stage, words: str) -> int:
    """The ticket's message with these words, by its number."""

    async def look(tx: Transaction) -> int:
        rows = await tx.all(store.messages.select().where(store.messages.c.text == words))
        return int(rows[0].id)

    return await stage.town.database.read(look)


NONSENSE = (
    "", ".", "x", "d", "d.1", "d.x.y.z", "d.1.1.1.1", "t", "t.take", "t.take.x", "t.take.-1", "t.take.0",
    "t.take.99999999999999999999", "r.rate.1.6", "r.rate.1.0", "r.move.1.99", "f.nothing.1", "f.reply.x",
    "f.reply", "m.x.1", "d.99999999999999999999.0.x", "r.change.99999999999999999999", "r.move.x.y",
)  # fmt: skip


async def test_a_code_that_means_nothing_is_answered_and_harms_nobody(english: Stage) -> None:
    await english.report(english.ivan)
    before = await english.ticket(1)
    for code in NONSENSE:
        count = len(await english.ivan.sees())
        await english.ivan.press_code(await english.ivan.last(), code)
        assert len(await english.ivan.sees()) == count + 1, code
    assert english.w("told.parked") not in texts(await english.ivan.sees())
    assert await english.ticket(1) == before
    await english.ivan.say("still there?")
    assert ("request", "still there?") in await english.words_of(1)
