"""Buttons of the wrong moment and of the wrong person: a polite private answer, and nothing changes."""

from bot.flows.forms import FORMS
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
    assert "→ #1" in await english.ivan.last()
