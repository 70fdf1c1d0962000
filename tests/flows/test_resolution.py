"""Solved, or not: the question, reopening, closing by itself, what is said after, and the rating."""

from datetime import timedelta

import pytest

from core.tickets.model import Status
from tests.flows.conftest import Stage, texts

DAY = timedelta(days=1)


async def resolved(stage: Stage, solution: str = "Reinstalled the driver") -> None:
    """Ivan's VPN is solved by Anna."""
    await stage.report(stage.ivan)
    await stage.anna.press(stage.w("button.take"))
    await stage.anna.fill(stage.w("button.resolve"), solution=solution)


async def closed(stage: Stage) -> None:
    await resolved(stage)
    await stage.ivan.press(stage.w("button.fixed"))


async def test_the_requester_is_asked_with_the_solution_in_words(stage: Stage) -> None:
    await resolved(stage)
    question = await stage.ivan.last()
    assert stage.w("told.resolved", name="Anna Smirnova", ticket=1, title=stage.vpn) in question
    assert "Reinstalled the driver" in question
    assert stage.w("told.is_it_fixed") in question
    assert list(question.buttons) == [stage.w("button.fixed"), stage.w("button.not_fixed")]


async def test_yes_closes_and_the_question_keeps_no_buttons(stage: Stage) -> None:
    await resolved(stage)
    question = await stage.ivan.last()
    await stage.ivan.press(stage.w("button.fixed"))
    settled = next(each for each in await stage.ivan.sees() if each.id == question.id)
    assert stage.w("talk.fixed", ticket=1, title=stage.vpn) in settled
    assert not settled.buttons
    assert (await stage.ticket(1)).status is Status.CLOSED


async def test_no_goes_back_to_the_same_agent(stage: Stage) -> None:
    await resolved(stage)
    await stage.ivan.press(stage.w("button.not_fixed"))
    assert stage.w("talk.back_to", ticket=1, name="Anna Smirnova") in await stage.ivan.last()
    ticket = await stage.ticket(1)
    assert (ticket.status, ticket.owner) == (Status.OPEN, (await stage.ticket(1)).owner)
    assert stage.w("card.owner", name="Anna Smirnova") in await stage.anna.card(1)
    assert stage.w("event.reopened", actor="Ivan Petrov") in texts(await stage.anna.thread(1))


@pytest.mark.parametrize("first", ["fixed", "not_fixed"])
@pytest.mark.parametrize("second", ["fixed", "not_fixed"])
async def test_an_answer_is_given_once(stage: Stage, first: str, second: str) -> None:
    await resolved(stage)
    question = await stage.ivan.last()
    await stage.ivan.press(stage.w(f"button.{first}"))
    before = await stage.ticket(1)
    await stage.ivan.press_code(question, question.buttons[stage.w(f"button.{second}")])
    after = await stage.ticket(1)
    if (first, second) == ("fixed", "not_fixed"):
        assert after.status is Status.OPEN  # a change of mind
    else:
        assert after == before
        assert (await stage.ivan.last()).text == stage.w("press.over")


async def test_yes_can_be_said_in_words(stage: Stage) -> None:
    await resolved(stage)
    for words in ("yes", "Да!", "It works", "работает"):
        await stage.ivan.say(words)
        assert (await stage.ticket(1)).status is Status.CLOSED, words
        await stage.anna.say("/reopen 1")
        await stage.anna.say("/resolve 1")


async def test_no_can_be_said_in_words(stage: Stage) -> None:
    await resolved(stage)
    for words in ("no", "Нет.", "not fixed"):
        await stage.ivan.say(words)
        assert (await stage.ticket(1)).status is Status.OPEN, words
        await stage.anna.say("/resolve 1")


async def test_a_bare_yes_is_about_the_ticket_that_was_asked_about(stage: Stage) -> None:
    await resolved(stage)
    await stage.ivan.say("/new")
    await stage.report(stage.ivan, stage.printer)
    await stage.ivan.say("да")
    assert (await stage.ticket(1)).status is Status.CLOSED
    assert await stage.words_of(2) == [("request", stage.printer)]


async def test_any_other_words_reopen_and_are_passed_on(stage: Stage) -> None:
    await resolved(stage)
    await stage.ivan.say("It dropped again just now")
    assert (await stage.ticket(1)).status is Status.OPEN
    reopened = await stage.ivan.last()
    assert stage.w("talk.reopened", ticket=1, title=stage.vpn) in reopened
    assert stage.w("button.change") in reopened.buttons
    assert "It dropped again just now" in texts(await stage.anna.thread(1))


async def test_the_old_question_is_settled_once_words_have_reopened(stage: Stage) -> None:
    await resolved(stage)
    question = await stage.ivan.last()
    await stage.ivan.say("It dropped again just now")
    settled = next(each for each in await stage.ivan.sees() if each.id == question.id)
    assert not settled.buttons


async def test_thanks_do_not_reopen(stage: Stage) -> None:
    await resolved(stage)
    for words in ("Thanks!", "Спасибо большое", "thank you so much", "Огромное спасибо!!!"):
        await stage.ivan.say(words)
        assert (await stage.ticket(1)).status is Status.RESOLVED, words
        assert stage.w("talk.thanks", ticket=1) in await stage.ivan.last()
        assert words in texts(await stage.anna.thread(1))
    await stage.ivan.press(stage.w("button.fixed"))
    assert (await stage.ticket(1)).status is Status.CLOSED


async def test_thanks_after_closing_begin_no_new_request(stage: Stage) -> None:
    await resolved(stage)
    await stage.town.later(4 * DAY, step=DAY)
    await stage.ivan.say("Спасибо!")
    assert stage.w("talk.thanks", ticket=1) in await stage.ivan.last()
    assert (await stage.ticket(1)).status is Status.CLOSED
    about = next(each for each in reversed(await stage.ivan.sees()) if each.ticket == 1)
    await stage.ivan.say("thanks", reply_to=about.id)
    assert stage.w("talk.thanks", ticket=1) in await stage.ivan.last()


async def test_a_word_of_thanks_to_a_question_is_its_answer(stage: Stage) -> None:
    await stage.report(stage.ivan)
    for words in ("great", "Thanks!", "отлично", "Спасибо"):
        await stage.anna.say("/wait 1 Is it better now?")
        assert (await stage.ticket(1)).status is Status.WAITING
        await stage.ivan.say(words)
        assert (await stage.ticket(1)).status is Status.OPEN, words
        assert (await stage.ticket(1)).unanswered_since is not None
        assert words in texts(await stage.anna.thread(1))
    assert "thanked" not in await stage.kinds(1)


async def test_thanks_for_what_is_under_way_are_passed_on_without_a_word(stage: Stage) -> None:
    await stage.report(stage.ivan)
    await stage.anna.say("/reply 1 I am looking into it")
    await stage.ivan.hears()
    await stage.ivan.say("Thanks!")
    assert await stage.ivan.hears() == []
    assert (await stage.kinds(1))[-1] == "thanked"
    assert "Thanks!" in texts(await stage.anna.thread(1))


async def test_thanks_with_words_of_trouble_reopen(stage: Stage) -> None:
    await resolved(stage)
    await stage.ivan.say("Thanks, but it dropped again")
    assert (await stage.ticket(1)).status is Status.OPEN


@pytest.mark.parametrize("command", [None, "/take 1", "/wait 1", "/hold 1"])
async def test_a_requester_who_reopens_what_is_open_is_told_to_write_and_no_command_of_staff(
    stage: Stage, command: str | None
) -> None:
    await stage.report(stage.ivan)
    if command:
        await stage.anna.say(command)
    before = await stage.kinds(1)
    await stage.ivan.say("/reopen 1")
    told = await stage.ivan.last()
    assert told.text == stage.w("talk.open_already", ticket=1)
    assert "/" not in told.text
    assert await stage.kinds(1) == before


async def test_it_closes_by_itself_when_nobody_objects(stage: Stage) -> None:
    await resolved(stage)
    await stage.town.later(timedelta(days=2, hours=23), step=DAY)
    assert (await stage.ticket(1)).status is Status.RESOLVED
    await stage.town.later(timedelta(hours=1))
    assert (await stage.ticket(1)).status is Status.CLOSED
    assert stage.w("status.closed") in await stage.anna.card(1)


async def test_yes_after_it_closed_by_itself_is_answered_politely(stage: Stage) -> None:
    await resolved(stage)
    question = await stage.ivan.last()
    await stage.town.later(4 * DAY, step=DAY)
    assert not any(each.buttons for each in await stage.ivan.sees())
    await stage.ivan.press_code(question, question.buttons[stage.w("button.fixed")])
    assert (await stage.ivan.last()).text == stage.w("press.over")
    assert (await stage.ticket(1)).status is Status.CLOSED


async def test_reopening_stops_the_closing(stage: Stage) -> None:
    await resolved(stage)
    await stage.town.later(2 * DAY)
    await stage.ivan.press(stage.w("button.not_fixed"))
    await stage.town.later(4 * DAY, step=DAY)
    assert (await stage.ticket(1)).status is Status.OPEN


async def test_an_answer_about_a_closed_ticket_offers_both_ways(stage: Stage) -> None:
    await closed(stage)
    about = next(each for each in reversed(await stage.ivan.sees()) if each.ticket == 1)
    await stage.ivan.say("It is back", reply_to=about.id)
    offer = await stage.ivan.last()
    assert stage.w("talk.closed", ticket=1, title=stage.vpn) in offer
    assert list(offer.buttons) == [stage.w("button.reopen"), stage.w("button.new_request")]
    assert (await stage.ticket(1)).status is Status.CLOSED


async def test_a_closed_ticket_is_reopened_with_the_words_and_files_that_were_said(stage: Stage) -> None:
    await closed(stage)
    about = next(each for each in reversed(await stage.ivan.sees()) if each.ticket == 1)
    await stage.ivan.say("It is back", reply_to=about.id, files=[("log.txt", b"1")])
    await stage.ivan.press(stage.w("button.reopen"))
    assert (await stage.ticket(1)).status is Status.OPEN
    assert "It is back\n[log.txt]" in texts(await stage.anna.thread(1))


async def test_a_new_request_after_a_closed_one_is_linked_to_it(stage: Stage) -> None:
    await closed(stage)
    about = next(each for each in reversed(await stage.ivan.sees()) if each.ticket == 1)
    await stage.ivan.say(stage.printer, reply_to=about.id)
    await stage.ivan.press(stage.w("button.new_request"))
    await stage.answer_all(stage.ivan)
    await stage.ivan.press(stage.w("button.send"))
    ticket = await stage.ticket(2)
    assert (ticket.origin, ticket.title) == (1, stage.printer)
    assert (await stage.ticket(1)).status is Status.CLOSED


@pytest.mark.parametrize(("typed", "status"), [("1", Status.OPEN), ("2", Status.CLOSED)])
async def test_the_offer_about_a_closed_ticket_takes_a_typed_number(
    stage: Stage, typed: str, status: Status
) -> None:
    await closed(stage)
    about = next(each for each in reversed(await stage.ivan.sees()) if each.ticket == 1)
    await stage.ivan.say(stage.vpn, reply_to=about.id)
    await stage.ivan.say(typed)
    assert (await stage.ticket(1)).status is status
    assert typed not in [text for _, text in await stage.words_of(1)]


async def test_too_long_after_closing_only_a_new_request_is_offered(stage: Stage) -> None:
    await closed(stage)
    about = next(each for each in reversed(await stage.ivan.sees()) if each.ticket == 1)
    await stage.town.later(15 * DAY)
    await stage.ivan.say("It is back", reply_to=about.id)
    assert list((await stage.ivan.last()).buttons) == [stage.w("button.new_request")]
    await stage.ivan.say("/cancel")
    await stage.ivan.say("/reopen 1")
    assert stage.w("ticket.closed_too_long", ticket=1) in await stage.ivan.last()


async def test_words_of_their_own_after_closing_begin_a_new_request(stage: Stage) -> None:
    await closed(stage)
    await stage.ivan.say("/new")
    await stage.ivan.say(stage.printer)
    assert {"en": "Hardware", "ru": "Оборудование"}[stage.language] in await stage.ivan.last()


async def test_a_rating_is_asked_once_given_and_shown_on_the_card(stage: Stage) -> None:
    await closed(stage)
    asked = await stage.ivan.last()
    assert asked.text == stage.w("rating.ask")
    assert list(asked.buttons) == ["★" * stars for stars in range(1, 6)]
    await stage.ivan.press("★★★★")
    thanks = next(each for each in await stage.ivan.sees() if each.id == asked.id)
    assert (thanks.text, thanks.buttons) == (stage.w("rating.thanks", stars=4), {})
    assert stage.w("card.rating", stars=4) in await stage.anna.card(1)
    assert stage.w("rating.ask_comment") in await stage.ivan.last()


async def test_a_comment_reaches_staff_and_another_is_not_awaited(stage: Stage) -> None:
    await closed(stage)
    await stage.ivan.press("★★★★★")
    await stage.ivan.say("Fast & kind")
    assert stage.w("rating.comment_thanks") in "".join(texts(await stage.ivan.sees()))
    assert f"{stage.w('event.commented')}: Fast & kind" in texts(await stage.anna.thread(1))
    await stage.ivan.say(stage.printer)
    assert {"en": "Hardware", "ru": "Оборудование"}[stage.language] in await stage.ivan.last()


async def test_a_comment_may_be_left_out(stage: Stage) -> None:
    await closed(stage)
    await stage.ivan.press("★★★★★")
    await stage.ivan.press(stage.w("button.no_comment"))
    await stage.ivan.say(stage.printer)
    assert {"en": "Hardware", "ru": "Оборудование"}[stage.language] in await stage.ivan.last()


async def test_words_long_after_the_rating_are_no_comment_but_a_new_request(stage: Stage) -> None:
    await closed(stage)
    await stage.ivan.press("★★★★★")
    await stage.town.later(DAY)
    await stage.ivan.say(stage.printer)
    assert {"en": "Hardware", "ru": "Оборудование"}[stage.language] in await stage.ivan.last()
    assert "commented" not in await stage.kinds(1)


async def test_a_file_after_the_rating_is_not_lost(stage: Stage) -> None:
    await closed(stage)
    await stage.ivan.press("★★★★★")
    await stage.ivan.say(stage.printer, files=[("photo.jpg", b"1")])
    await stage.answer_all(stage.ivan)
    assert stage.w("intake.files", 1) in await stage.ivan.last()


@pytest.mark.parametrize("stars", [1, 2, 3])
async def test_a_low_rating_reaches_the_lead_at_once(stage: Stage, stars: int) -> None:
    await closed(stage)
    await stage.maria.hears()
    await stage.ivan.press("★" * stars)
    told = stage.w("told.low_rating", name="Ivan Petrov", ticket=1, title=stage.vpn, stars=stars)
    assert texts(await stage.maria.hears()) == ([told] if stars <= 2 else [])


async def test_the_same_stars_pressed_twice_count_once(stage: Stage) -> None:
    await closed(stage)
    asked = await stage.ivan.last()
    await stage.ivan.press("★★")
    await stage.maria.hears()
    await stage.ivan.hears()
    await stage.ivan.press_code(asked, asked.buttons["★★"])
    assert (await stage.kinds(1)).count("rated") == 1
    assert await stage.maria.hears() == []
    await stage.ivan.say("Too slow")
    assert f"{stage.w('event.commented')}: Too slow" in texts(await stage.anna.thread(1))


async def test_a_rating_is_not_asked_again_after_reopening(stage: Stage) -> None:
    await closed(stage)
    await stage.ivan.press("★★★★")
    await stage.ivan.press(stage.w("button.no_comment"))
    await stage.ivan.say("/reopen 1")
    await stage.anna.fill(stage.w("button.resolve"), solution="")
    await stage.ivan.hears()
    await stage.ivan.press(stage.w("button.fixed"))
    assert stage.w("rating.ask") not in texts(await stage.ivan.hears())


async def test_a_ticket_that_is_open_again_cannot_be_rated(stage: Stage) -> None:
    await closed(stage)
    asked = await stage.ivan.last()
    await stage.ivan.say("/reopen 1")
    await stage.ivan.press_code(asked, asked.buttons["★★★★★"])
    assert (await stage.ivan.last()).text == stage.w("rating.not_now", ticket=1)


async def test_whoever_solved_their_own_ticket_is_not_asked(stage: Stage) -> None:
    number = await stage.report(stage.anna)
    await stage.anna.say(f"/take {number}")
    await stage.anna.say(f"/resolve {number}")
    await stage.anna.say("yes")
    assert (await stage.ticket(number)).status in (Status.CLOSED, Status.RESOLVED)
    assert stage.w("rating.ask") not in texts(await stage.anna.sees())
