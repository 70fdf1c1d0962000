"""Words of staff in their own conversation with the desk: a request begins only once they say so."""

from datetime import timedelta

from tests.flows.conftest import Stage


async def test_a_stray_word_of_an_agent_begins_nothing(stage: Stage) -> None:
    anna = stage.anna
    await anna.say("ok")
    offer = await anna.last()
    assert stage.w("offer.ask") in offer
    assert list(offer.buttons) == [stage.w("button.yes"), stage.w("button.no")]
    await anna.press(stage.w("button.no"))
    dropped = await anna.last()
    assert stage.w("offer.dropped") in dropped
    assert not dropped.buttons
    await anna.say("ok again")
    assert stage.w("offer.ask") in await anna.last()
    assert await stage.numbers() == []


async def test_an_agent_who_needs_help_gets_it_after_one_press(stage: Stage) -> None:
    anna = stage.anna
    await anna.say(stage.vpn, files=[("log.txt", b"17")])
    await anna.say("since yesterday")
    assert len([each for each in await anna.sees() if stage.w("button.yes") in each.buttons]) == 1
    offer = await anna.last()
    await anna.press(stage.w("button.yes"))
    assert (await anna.last()).id == offer.id
    assert (
        stage.w("intake.understood", type={"en": "Network", "ru": "Сеть"}[stage.language])
        in await anna.last()
    )
    await stage.answer_all(anna)
    await anna.press(stage.w("button.send"))
    assert await stage.words_of(1) == [("request", f"{stage.vpn}\n\nsince yesterday")]
    assert stage.w("card.files", 1) in await stage.boris.card(1)


async def test_yes_and_no_can_be_typed(stage: Stage) -> None:
    anna = stage.anna
    await anna.say("ok")
    await anna.say(stage.w("button.no"))
    assert stage.w("offer.dropped") in await anna.last()
    await anna.say(stage.vpn)
    await anna.say(f"{stage.w('button.yes')}!")
    await stage.answer_all(anna)
    await anna.press(stage.w("button.send"))
    assert await stage.words_of(1) == [("request", stage.vpn)]


async def test_a_word_left_lying_is_no_part_of_a_report_that_comes_later(stage: Stage) -> None:
    anna = stage.anna
    await anna.say("ok")
    await stage.town.later(timedelta(minutes=11))
    await anna.say(stage.vpn)
    await anna.press(stage.w("button.yes"))
    await stage.answer_all(anna)
    await anna.press(stage.w("button.send"))
    assert await stage.words_of(1) == [("request", stage.vpn)]


async def test_an_answer_to_a_ping_goes_to_no_ticket_of_the_agent_s_own(stage: Stage) -> None:
    anna = stage.anna
    await anna.say(f"/new {stage.printer}")
    await stage.answer_all(anna, "low")
    await anna.press(stage.w("button.send"))
    await stage.report(stage.ivan, urgency="critical")
    await stage.town.later(timedelta(seconds=16))
    ping = next(each for each in reversed(await anna.sees()) if each.tone == "ping")
    await anna.say("on my way", reply_to=ping.id)
    assert stage.w("offer.ask") in await anna.last()
    assert await stage.words_of(1) == [("request", stage.printer)]
    assert await stage.words_of(2) == [("request", stage.vpn)]


async def test_a_button_that_the_question_does_not_have_changes_nothing(english: Stage) -> None:
    await english.anna.say("ok")
    offer = await english.anna.last()
    await english.anna.press_code(offer, f"{offer.buttons['Yes'].rsplit('.', 1)[0]}.zzz")
    assert (await english.anna.last()).text == english.w("press.stale")
    await english.anna.press("No")
    answered = next(each for each in await english.anna.sees() if each.id == offer.id)
    assert english.w("offer.dropped") in answered


async def test_a_requester_is_not_asked_first(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    assert stage.w("offer.ask") not in await stage.ivan.last()
