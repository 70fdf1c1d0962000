"""The process ends at any point, another takes up the file, and everybody goes on where they were."""

from datetime import timedelta

import pytest

from core.tickets.model import Status
from tests.flows.conftest import DEMO, Stage, texts


@pytest.mark.parametrize("steps", range(6))
async def test_an_intake_goes_on_at_the_step_it_was_at(english: Stage, steps: int) -> None:
    ivan = english.ivan
    await ivan.say(english.vpn, files=[("log.txt", b"1")])
    for _ in range(steps):
        labels = list((await ivan.last()).buttons)
        await ivan.press("Skip" if "Skip" in labels else labels[0])
    before = texts(await ivan.sees())
    await english.town.restart()
    await english.town.settle()
    assert texts(await ivan.sees()) == before
    if steps < 5:
        await english.answer_all(ivan)
        assert "1 file" in await ivan.last()
        await ivan.press("Send")
    assert await english.words_of(1) == [("request", english.vpn)]
    assert await english.numbers() == [1]


async def test_what_was_said_but_not_yet_handled_is_handled_by_the_next_process(english: Stage) -> None:
    await english.ivan.say(english.vpn)
    await english.answer_all(english.ivan)
    summary = await english.ivan.last()
    await english.ivan.press_code(summary, summary.buttons["Send"], settle=False)
    await english.town.restart()
    assert await english.numbers() == []
    await english.town.settle()
    assert await english.numbers() == [1]
    assert "is with the team" in await english.ivan.last()


async def test_what_was_decided_but_not_yet_told_is_told_by_the_next_process(english: Stage) -> None:
    await english.report(english.ivan)
    card = await english.anna.card(1)
    await english.anna.press_code(card, card.buttons["Take it"], settle=False)
    await english.town.house.router.catch_up()
    await english.town.restart()
    await english.ivan.hears()
    await english.town.settle()
    assert texts(await english.ivan.hears()) == [f"Anna Smirnova is on #1 {english.vpn}."]
    assert "Owner: Anna Smirnova" in await english.boris.card(1)


async def test_an_edit_menu_a_closed_ticket_and_a_comment_go_on(english: Stage) -> None:
    ivan = english.ivan
    await ivan.say(english.vpn)
    await english.answer_all(ivan)
    await ivan.press("Edit")
    await english.town.restart()
    await ivan.press("Urgency")
    await english.town.restart()
    await ivan.press("It can wait")
    await ivan.press("Send")
    await english.anna.say("/resolve 1 done")
    await english.town.restart()
    await ivan.press("Yes, it is fixed")
    await ivan.press("★★★★")
    await english.town.restart()
    await ivan.say("Good")
    assert "Comment on the rating: Good" in texts(await english.anna.thread(1))
    about = next(each for each in reversed(await ivan.sees()) if each.ticket == 1)
    await ivan.say("It is back", reply_to=about.id)
    await english.town.restart()
    await ivan.press("Reopen")
    assert (await english.ticket(1)).status is Status.OPEN


async def test_timers_that_fell_due_while_nothing_ran_fire_once(english: Stage) -> None:
    await english.report(english.ivan)
    await english.anna.say("/hold 1 until 2h")
    english.town.clock.advance(timedelta(hours=3))
    await english.town.restart()
    await english.town.settle()
    assert (await english.ticket(1)).status is Status.NEW
    assert (await english.kinds(1)).count("resumed") == 1


async def test_a_dialog_goes_on_though_the_configuration_dropped_its_type(english: Stage) -> None:
    await english.ivan.say(english.vpn)
    await english.ivan.press("Home")
    types = "".join(f'[[request_types]]\nname = "{name}"\ntitle = "{name}"\n' for name in ("thing", "other"))
    await english.town.restart(DEMO.format(language="en") + types)
    await english.ivan.press("Everybody")
    assert "What is it about?" in await english.ivan.last()
    await english.ivan.press("other")
    await english.answer_all(english.ivan)
    await english.ivan.press("Send")
    assert (await english.ticket(1)).type == "other"
    assert await english.words_of(1) == [("request", english.vpn)]
