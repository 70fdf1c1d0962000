"""From the first words to a ticket: the steps, and every way off them."""

from dataclasses import replace
from unittest.mock import ANY

import pytest

from bot.flows import draft as drafts
from bot.flows.draft import Draft
from core.tickets.catalogue import Catalogue, Priority
from core.tickets.model import Answer
from tests.flows.conftest import Stage


async def to_summary(stage: Stage) -> None:
    """Ivan reports the VPN and takes the first answers up to the summary."""
    await stage.ivan.say(stage.vpn)
    await stage.answer_all(stage.ivan)


async def test_the_first_words_are_the_description_and_the_type_is_guessed(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    asked = await stage.ivan.last()
    assert stage.w("intake.understood", type={"en": "Network", "ru": "Сеть"}[stage.language]) in asked
    assert stage.w("button.other_type") in asked.buttons
    assert stage.w("button.cancel") in asked.buttons
    assert stage.w("button.back") not in asked.buttons


async def test_another_type_is_one_tap_away(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    await stage.ivan.press(stage.w("button.other_type"))
    asked = await stage.ivan.last()
    assert stage.w("intake.ask_type") in asked
    assert len(asked.buttons) >= 5
    await stage.ivan.press({"en": "Software", "ru": "Программы"}[stage.language])
    assert {"en": "Which program", "ru": "Какая это программа"}[stage.language] in await stage.ivan.last()


async def test_a_type_that_cannot_be_guessed_is_asked(stage: Stage) -> None:
    await stage.ivan.say(stage.vague)
    assert stage.w("intake.ask_type") in await stage.ivan.last()


@pytest.mark.parametrize("answer", ["3", "software", "Программы", " SOFTWARE! "])
async def test_a_type_can_be_typed_by_number_or_name(stage: Stage, answer: str) -> None:
    await stage.ivan.say(stage.vague)
    await stage.ivan.say(answer)
    assert {"en": "Which program", "ru": "Какая это программа"}[stage.language] in await stage.ivan.last()


async def test_other_words_at_a_choice_of_type_join_the_description(stage: Stage) -> None:
    await stage.ivan.say(stage.vague)
    await stage.ivan.say(stage.printer)
    asked = await stage.ivan.last()
    assert (
        stage.w("intake.understood", type={"en": "Hardware", "ru": "Оборудование"}[stage.language]) in asked
    )


async def test_a_question_takes_the_place_of_the_one_that_a_press_answered(stage: Stage) -> None:
    ivan = stage.ivan
    await ivan.say(stage.vpn)
    first = await ivan.last()
    await stage.answer_all(ivan)
    summary = await ivan.last()
    assert summary.id == first.id
    assert stage.w("button.send") in summary.buttons
    await ivan.press(stage.w("button.edit"))
    await ivan.press(stage.w("intake.field_urgency"))
    await ivan.press(stage.w("urgency.critical"))
    assert (await ivan.last()) == replace(summary, seq=ANY, buttons=ANY)
    assert len(await ivan.sees()) == 2


async def test_a_question_answered_in_words_stays_above_them_with_its_answer(stage: Stage) -> None:
    ivan = stage.ivan
    await ivan.say(stage.vpn)
    first = await ivan.last()
    answer = list(first.buttons)[1]
    await ivan.say(answer)
    answered = next(each for each in await ivan.sees() if each.id == first.id)
    assert answer in answered
    assert not answered.buttons
    assert (await ivan.last()).id > first.id


async def test_a_question_that_has_something_below_it_stays_with_its_answer(stage: Stage) -> None:
    ivan = stage.ivan
    await ivan.say(stage.vpn)
    first = await ivan.last()
    await ivan.say("", files=[("log.txt", b"17")])
    answer = next(iter(first.buttons))
    await ivan.press(answer)
    answered = next(each for each in await ivan.sees() if each.id == first.id)
    assert answered.text.splitlines()[-1] == answer
    second = await ivan.last()
    assert second.id > first.id
    await ivan.press(next(iter(second.buttons)))
    assert (await ivan.last()).id == second.id


async def test_words_for_a_ticket_do_not_come_to_stand_below_the_next_question(stage: Stage) -> None:
    ivan = stage.ivan
    await stage.report(ivan)
    about = await ivan.last()
    await ivan.say(f"/new {stage.printer}")
    question = await ivan.last()
    await ivan.say("still down", reply_to=about.id)
    assert stage.w("talk.passed_on", ticket=1, title=stage.vpn) in await ivan.last()
    await ivan.press(next(iter(question.buttons)))
    assert not next(each for each in await ivan.sees() if each.id == question.id).buttons
    assert (await ivan.last()).buttons


async def test_a_question_stays_where_it_is_over_a_restart(stage: Stage) -> None:
    ivan = stage.ivan
    await ivan.say(stage.vpn)
    first = await ivan.last()
    await ivan.press(next(iter(first.buttons)))
    await stage.town.restart()
    await ivan.press(stage.w("button.back"))
    again = await ivan.last()
    assert (again.id, again.text) == (first.id, first.text)
    await ivan.press_code(first, next(iter(first.buttons.values())))
    assert (await ivan.last()).text == stage.w("press.stale")


async def test_a_typed_number_chooses_at_every_step_with_choices(stage: Stage) -> None:
    ivan = stage.ivan
    await ivan.say(stage.vpn)
    await ivan.say("2")
    await ivan.say("3")
    await ivan.say("nothing changed")
    await ivan.say("2")
    summary = await ivan.last()
    assert {"en": "Home", "ru": "Из дома"}[stage.language] in summary
    assert {"en": "Everybody", "ru": "У всех"}[stage.language] in summary
    assert stage.w("urgency.high") in summary
    await ivan.press(stage.w("button.send"))
    assert (await stage.ticket(1)).priority is Priority.CRITICAL
    assert await stage.words_of(1) == [("request", stage.vpn)]


async def test_an_urgency_can_be_typed_in_words(stage: Stage) -> None:
    await to_summary(stage)
    await stage.ivan.press(stage.w("button.edit"))
    await stage.ivan.press(stage.w("intake.field_urgency"))
    await stage.ivan.say(stage.w("urgency.low").upper() + ".")
    assert stage.w("urgency.low") in await stage.ivan.last()
    assert stage.w("button.send") in (await stage.ivan.last()).buttons


async def test_free_words_are_an_answer_where_choices_are_offered(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    await stage.ivan.say("from a ship, <b>7</b>")
    await stage.answer_all(stage.ivan)
    assert "from a ship, <b>7</b>" in await stage.ivan.last()
    await stage.ivan.press(stage.w("button.send"))
    assert "from a ship, <b>7</b>" in await stage.anna.card(1)


async def test_a_choice_of_urgency_is_not_guessed_from_other_words(stage: Stage) -> None:
    await stage.ivan.say(stage.vague)
    await stage.ivan.say("5")
    assert stage.w("intake.ask_urgency") in await stage.ivan.last()
    await stage.ivan.say("the boss is angry")
    assert stage.w("intake.ask_urgency") in await stage.ivan.last()
    await stage.ivan.press(stage.w("urgency.normal"))
    assert "the boss is angry" in await stage.ivan.last()


async def test_back_returns_to_the_question_before(stage: Stage) -> None:
    ivan = stage.ivan
    await ivan.say(stage.vpn)
    first = list((await ivan.last()).buttons)
    await ivan.press(first[0])
    second = await ivan.last()
    await ivan.press(stage.w("button.back"))
    again = await ivan.last()
    assert list(again.buttons)[:3] == first[:3]
    await ivan.press(first[1])
    assert (await ivan.last()).text == second.text
    await stage.answer_all(stage.ivan)
    assert first[1] in await ivan.last()
    assert f": {first[0]}" not in await ivan.last()


async def test_back_at_the_first_question_is_not_offered(stage: Stage) -> None:
    await stage.ivan.say(stage.vague)
    assert stage.w("button.back") not in (await stage.ivan.last()).buttons
    await stage.ivan.press({"en": "Network", "ru": "Сеть"}[stage.language])
    assert stage.w("button.back") in (await stage.ivan.last()).buttons
    await stage.ivan.press(stage.w("button.back"))
    assert stage.w("intake.ask_type") in await stage.ivan.last()


async def test_skip_is_offered_only_where_an_answer_may_be_left_out(stage: Stage) -> None:
    ivan, skip = stage.ivan, stage.w("button.skip")
    await ivan.say(stage.vpn)
    asked = await ivan.last()
    assert skip not in asked.buttons
    forged = next(iter(asked.buttons.values())).rsplit(".", 1)[0] + ".skip"
    await ivan.press_code(asked, forged)
    assert stage.w("intake.not_optional") in await ivan.last()
    await ivan.press(next(iter(asked.buttons)))
    await ivan.press(next(iter((await ivan.last()).buttons)))
    assert skip in (await ivan.last()).buttons
    question = await ivan.last()
    await ivan.press(skip)
    assert stage.w("intake.ask_urgency") in await ivan.last()
    assert (await ivan.last()).id == question.id


@pytest.mark.parametrize("steps", [0, 2, 4])
async def test_cancel_sends_nothing_at_any_step(stage: Stage, steps: int) -> None:
    ivan = stage.ivan
    await ivan.say(stage.vpn)
    for _ in range(steps):
        await ivan.press(next(iter((await ivan.last()).buttons)))
    await ivan.press(stage.w("button.cancel"))
    assert stage.w("intake.cancelled") in await ivan.last()
    assert not (await ivan.last()).buttons
    assert await stage.numbers() == []
    await ivan.say(stage.printer)
    assert {"en": "Hardware", "ru": "Оборудование"}[stage.language] in await ivan.last()


async def test_the_cancel_command_sends_nothing_and_is_answered(stage: Stage) -> None:
    await to_summary(stage)
    await stage.ivan.hears()
    await stage.ivan.say("/cancel")
    assert [each.text for each in await stage.ivan.hears()] == [stage.w("intake.cancelled")]
    assert not any(each.buttons for each in await stage.ivan.sees())
    await stage.ivan.say("/cancel")
    assert stage.w("dialog.none") in await stage.ivan.last()
    assert await stage.numbers() == []


async def test_the_summary_shows_everything_that_will_be_sent(stage: Stage) -> None:
    ivan = stage.ivan
    await ivan.say(stage.vpn, files=[("log.txt", b"17")])
    await stage.answer_all(stage.ivan)
    summary = await ivan.last()
    for part in (
        stage.vpn,
        {"en": "Network", "ru": "Сеть"}[stage.language],
        {"en": "The office", "ru": "Из офиса"}[stage.language],
        stage.w("urgency.critical"),
        stage.w("intake.files", 1),
        stage.w(f"language.{stage.language}"),
    ):
        assert part in summary
    assert [stage.w(f"button.{name}") for name in ("send", "edit", "cancel")] == list(summary.buttons)


async def test_words_at_the_summary_join_the_description(stage: Stage) -> None:
    await to_summary(stage)
    await stage.ivan.say("It began yesterday")
    summary = await stage.ivan.last()
    assert stage.vpn in summary
    assert "It began yesterday" in summary
    await stage.ivan.press(stage.w("button.send"))
    assert await stage.words_of(1) == [("request", f"{stage.vpn}\n\nIt began yesterday")]


async def test_edit_changes_one_answer_and_keeps_the_others(stage: Stage) -> None:
    ivan = stage.ivan
    await to_summary(stage)
    await ivan.press(stage.w("button.edit"))
    question = {"en": "Who is affected?", "ru": "У кого это случилось?"}[stage.language]
    await ivan.press(question)
    everybody = {"en": "Everybody", "ru": "У всех"}[stage.language]
    await ivan.press(everybody)
    summary = await ivan.last()
    assert stage.w("button.send") in summary.buttons
    assert f"{question} {everybody}" in summary
    assert {"en": "The office", "ru": "Из офиса"}[stage.language] in summary


async def test_edit_of_the_description_asks_for_it_anew(stage: Stage) -> None:
    ivan = stage.ivan
    await to_summary(stage)
    await ivan.press(stage.w("button.edit"))
    await ivan.press(stage.w("intake.field_text"))
    assert stage.w("intake.ask_describe") in await ivan.last()
    await ivan.say("Wi-Fi drops, not VPN")
    assert "Wi-Fi drops, not VPN" in await ivan.last()
    assert stage.vpn not in await ivan.last()
    assert stage.w("button.send") in (await ivan.last()).buttons


async def test_edit_of_the_type_asks_the_other_types_questions(stage: Stage) -> None:
    ivan = stage.ivan
    await to_summary(stage)
    await ivan.press(stage.w("button.edit"))
    await ivan.press(stage.w("intake.field_type"))
    await ivan.press({"en": "Software", "ru": "Программы"}[stage.language])
    assert {"en": "Which program", "ru": "Какая это программа"}[stage.language] in await ivan.last()
    await ivan.say("Outlook")
    await stage.answer_all(stage.ivan)
    assert "Outlook" in await ivan.last()
    assert {"en": "The office", "ru": "Из офиса"}[stage.language] not in await ivan.last()


async def test_what_was_typed_in_answer_stays_when_the_type_is_another_one(stage: Stage) -> None:
    ivan = stage.ivan
    await to_summary(stage)
    for kind in ({"en": "Software", "ru": "Программы"}, {"en": "Network", "ru": "Сеть"}):
        await ivan.press(stage.w("button.edit"))
        await ivan.press(stage.w("intake.field_type"))
        await ivan.press(kind[stage.language])
        if kind["en"] == "Software":
            await ivan.say("Outlook 2016")
        await stage.answer_all(ivan)
    assert "Outlook 2016" in await ivan.last()
    assert {"en": "Which program", "ru": "Какая это программа"}[stage.language] not in await ivan.last()


async def test_edit_can_be_left_as_it_was(stage: Stage) -> None:
    await to_summary(stage)
    before = await stage.ivan.last()
    await stage.ivan.press(stage.w("button.edit"))
    await stage.ivan.press(stage.w("button.back"))
    assert (await stage.ivan.last()).text == before.text


async def test_files_are_taken_at_any_step(stage: Stage) -> None:
    ivan = stage.ivan
    await ivan.say("", files=[("first.png", b"1")])
    assert stage.w("intake.ask_describe") in await ivan.last()
    await ivan.say(stage.vpn)
    question = await ivan.last()
    await ivan.say("", files=[("second.png", b"2"), ("third.png", b"3")])
    assert stage.w("intake.files_taken", 2) in await ivan.last()
    assert next(each for each in await ivan.sees() if each.id == question.id).buttons
    await ivan.say("my flat", files=[("fourth.png", b"4")])
    await stage.answer_all(stage.ivan)
    await ivan.say("and this", files=[("fifth.png", b"5")])
    assert stage.w("intake.files", 5) in await ivan.last()
    await ivan.press(stage.w("button.send"))
    assert stage.w("card.files", 5) in await stage.anna.card(1)
    [full] = [each for each in await stage.anna.thread(1) if each.tone == "request"]
    for name in ("first.png", "second.png", "third.png", "fourth.png", "fifth.png"):
        assert f"[{name}]" in full


async def test_the_promise_names_number_team_and_time(stage: Stage) -> None:
    await to_summary(stage)
    await stage.ivan.hears()
    await stage.ivan.press(stage.w("button.send"))
    [promise] = await stage.ivan.hears()
    assert "#1" in promise
    assert {"en": "Network", "ru": "Сеть"}[stage.language] in promise
    assert "09:01" in promise


async def test_sending_twice_makes_one_ticket(stage: Stage) -> None:
    await to_summary(stage)
    summary = await stage.ivan.last()
    send = summary.buttons[stage.w("button.send")]
    await stage.ivan.press(stage.w("button.send"))
    await stage.ivan.press_code(summary, send)
    assert stage.w("press.over") in await stage.ivan.last()
    assert await stage.numbers() == [1]


async def test_new_in_the_middle_begins_anew_and_says_so(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    question = await stage.ivan.last()
    await stage.ivan.say("/new")
    left = next(each for each in await stage.ivan.sees() if each.id == question.id)
    assert stage.w("dialog.left") in left
    assert not left.buttons
    assert stage.w("intake.ask_describe") in await stage.ivan.last()
    await stage.ivan.say(f"/new {stage.printer}")
    assert {"en": "Hardware", "ru": "Оборудование"}[stage.language] in await stage.ivan.last()


async def test_a_huge_description_is_quoted_in_part_and_kept_whole(stage: Stage) -> None:
    huge = stage.vpn + "\n" + "ж😀<b>" * 5000
    await stage.ivan.say(huge)
    await stage.answer_all(stage.ivan)
    assert len((await stage.ivan.last()).text) < 3000
    await stage.ivan.press(stage.w("button.send"))
    assert await stage.words_of(1) == [("request", huge)]
    assert any(huge in each for each in await stage.anna.thread(1))


async def test_an_edit_before_sending_changes_what_is_sent(stage: Stage) -> None:
    await stage.ivan.say(stage.vpn)
    await stage.ivan.edit(stage.vpn, "VPN drops every TWO minutes")
    await stage.answer_all(stage.ivan)
    assert "TWO" in await stage.ivan.last()
    await stage.ivan.press(stage.w("button.send"))
    assert await stage.words_of(1) == [("request", "VPN drops every TWO minutes")]


async def test_an_edit_while_it_is_asked_where_the_words_belong_is_followed(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.fill(stage.w("button.resolve"), solution="done")
    await stage.ivan.press(stage.w("button.fixed"))
    told = await stage.ivan.last()
    await stage.ivan.say("teh printer", reply_to=told.id)
    await stage.ivan.edit("teh printer", "the printer")
    await stage.ivan.press(stage.w("button.reopen"))
    assert ("request", "the printer") in await stage.words_of(1)
    await stage.anna.say("teh scanner")
    await stage.anna.edit("teh scanner", "the scanner")
    await stage.anna.press(stage.w("button.yes"))
    await stage.answer_all(stage.anna)
    assert "the scanner" in await stage.anna.last()


async def test_an_edit_at_the_summary_shows_at_once(stage: Stage) -> None:
    await to_summary(stage)
    await stage.ivan.say("It began yesterday")
    await stage.ivan.edit("It began yesterday", "It began today")
    summary = await stage.ivan.last()
    assert "It began today" in summary
    assert "yesterday" not in summary
    assert stage.vpn in summary


async def test_an_edit_of_the_first_words_keeps_what_was_added_to_them(stage: Stage) -> None:
    await to_summary(stage)
    await stage.ivan.say("It began yesterday")
    await stage.ivan.press(stage.w("button.send"))
    await stage.ivan.edit(stage.vpn, "VPN drops hourly")
    [(_, text)] = await stage.words_of(1)
    assert "It began yesterday" in text


async def test_a_question_of_a_type_that_is_offered_no_more_is_asked_again_by_one_that_asks_it_too(
    english: Stage,
) -> None:
    catalogue = english.town.database.rules[Catalogue]
    network = catalogue.types["network"]
    name = network.questions[0].name
    before = Draft(
        texts=("It drops",),
        sources=(None,),
        type="offered no more",
        answers=(Answer(name, "at home"),),
        done=(drafts.DESCRIBE, drafts.TYPE, f"q-{name}"),
    )
    fitted = drafts.fitted(before, catalogue)
    guessed = replace(fitted, type=network.name, guessed=True).finished(drafts.TYPE)
    assert guessed.texts == ("It drops", "at home")
    assert drafts.next_step(guessed, catalogue) == f"q-{name}"
