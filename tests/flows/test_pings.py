"""An ageing ticket: who is pinged when, with what to do, and which answers quieten it for how long.

The demo's policy for a critical ticket: agents after 15 and 30 seconds, the lead after 45, unclaimed;
its owner after a minute, unanswered. The first reply is due after a minute.
"""

from datetime import timedelta

import pytest

from tests.flows.conftest import Stage, texts

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)


async def critical(stage: Stage) -> None:
    await stage.report(stage.ivan, urgency="critical")


async def after(stage: Stage, seconds: float) -> None:
    await stage.town.later(timedelta(seconds=seconds), step=SECOND)


async def pinged(stage: Stage) -> dict[str, int]:
    """How many pings each person of the team has been sent so far."""
    counts = {}
    for who in ("anna", "boris", "maria"):
        shown = await stage.town[who].sees()
        counts[who] = len([each for each in shown if each.tone == "ping" and each.thread is None])
    return counts


async def test_nobody_is_pinged_before_it_is_time(stage: Stage) -> None:
    await critical(stage)
    await after(stage, 14)
    assert await pinged(stage) == {"anna": 0, "boris": 0, "maria": 0}


async def test_a_ping_says_why_now_and_what_to_do(stage: Stage) -> None:
    await critical(stage)
    await after(stage, 15)
    [ping] = await stage.anna.hears()
    assert f"⏰ #1 {stage.vpn}" in ping
    assert stage.w("priority.critical") in ping
    assert stage.w("ping.unclaimed", span={"en": "15 s", "ru": "15 секунд"}[stage.language]) in ping
    assert stage.w("ping.due_first", span={"en": "45 s", "ru": "45 секунд"}[stage.language]) in ping
    assert list(ping.buttons) == [
        stage.w(f"button.{name}") for name in ("take", "onit", "snooze_now", "pass")
    ]
    assert stage.w("event.pinged", names="Anna Smirnova") in texts(await stage.boris.thread(1))
    assert stage.w("card.ping", name="Anna Smirnova", at="09:00") in await stage.boris.card(1)


async def test_a_promise_that_falls_due_with_the_ping_is_due_just_now(stage: Stage) -> None:
    await critical(stage)
    await stage.anna.press(stage.w("button.take"))
    await stage.anna.hears()
    await after(stage, 60)
    [ping] = await stage.anna.hears()
    told = {
        "en": "critical, unanswered for 1 min, first reply due just now",
        "ru": "критический, без ответа 1 минуту, срок первого ответа — только что",
    }
    assert told[stage.language] in ping


async def test_unanswered_the_next_person_is_pinged_and_then_the_lead(stage: Stage) -> None:
    await critical(stage)
    await after(stage, 15)
    assert await pinged(stage) == {"anna": 1, "boris": 0, "maria": 0}
    await after(stage, 15)
    assert await pinged(stage) == {"anna": 1, "boris": 1, "maria": 0}
    await after(stage, 15)
    assert await pinged(stage) == {"anna": 1, "boris": 1, "maria": 1}


async def test_taking_stops_the_pings_and_edits_those_that_were_sent(stage: Stage) -> None:
    await critical(stage)
    await after(stage, 30)
    await stage.boris.press(stage.w("button.take"))
    for person in (stage.anna, stage.boris):
        [ping] = [each for each in await person.sees() if each.tone == "ping"]
        assert stage.w("ping.claimed", name="Boris Orlov", at="09:00", via=stage.w("via.web")) in ping
        assert not ping.buttons
    await after(stage, 25)
    assert await pinged(stage) == {"anna": 1, "boris": 1, "maria": 0}


@pytest.mark.parametrize("command", ["/reply 1 hello", "/wait 1", "/hold 1", "/resolve 1", "/pass 1 @boris"])
async def test_acting_in_any_other_way_answers_the_pings_too(english: Stage, command: str) -> None:
    await critical(english)
    await after(english, 16)
    await english.anna.say(command)
    [ping] = [each for each in await english.anna.sees() if each.tone == "ping"]
    assert not ping.buttons
    await after(english, 28)
    assert await pinged(english) == {"anna": 1, "boris": 0, "maria": 0}


async def test_a_note_is_no_answer(english: Stage) -> None:
    await critical(english)
    await after(english, 16)
    await english.anna.say("/note 1 hm")
    await after(english, 15)
    assert (await pinged(english))["boris"] == 1


async def test_on_it_keeps_the_pings_quiet_and_shows_on_the_card(stage: Stage) -> None:
    await critical(stage)
    await after(stage, 15)
    [ping] = await stage.anna.hears()
    await stage.anna.press(stage.w("button.onit"))
    assert await stage.anna.hears() == []
    assert stage.w("card.promised", name="Anna Smirnova", at="09:15") in await stage.boris.card(1)
    [ping] = [each for each in await stage.anna.sees() if each.tone == "ping"]
    told = stage.w("ping.promised_until", name="Anna Smirnova", until="09:15", via=stage.w("via.web"))
    assert told in ping
    assert list(ping.buttons) == [stage.w(f"button.{name}") for name in ("take", "snooze_now", "pass")]
    await stage.town.later(14 * MINUTE, step=MINUTE)
    assert await pinged(stage) == {"anna": 1, "boris": 0, "maria": 0}


async def test_a_press_at_a_ping_is_told_by_the_ping_alone(stage: Stage) -> None:
    await critical(stage)
    await after(stage, 15)
    await stage.anna.hears()
    for button, told in (("onit", "promised_until"), ("snooze_now", "snoozed_until"), ("take", "claimed")):
        await stage.anna.press(stage.w(f"button.{button}"))
        assert await stage.anna.hears() == []
        [ping] = [each for each in await stage.anna.sees() if each.tone == "ping"]
        until = "09:15" if button == "onit" else "09:01"
        facts = {"name": "Anna Smirnova", "at": "09:00", "until": until, "via": stage.w("via.web")}
        assert stage.w(f"ping.{told}", **facts) in ping
    assert not ping.buttons


async def test_a_press_at_a_ping_that_was_answered_before_is_told_all_the_same(stage: Stage) -> None:
    await critical(stage)
    await after(stage, 15)
    [ping] = await stage.anna.hears()
    await stage.boris.say("/take 1")
    await stage.anna.press_code(ping, ping.buttons[stage.w("button.onit")])
    assert stage.w("work.promised", ticket=1, until="09:15") in texts(await stage.anna.hears())


async def test_a_promise_typed_is_answered_in_words(stage: Stage) -> None:
    await critical(stage)
    await stage.anna.say("/onit 1")
    assert stage.w("work.promised", ticket=1, until="09:15") in texts(await stage.anna.hears())


async def test_who_takes_what_somebody_was_on_shows_at_the_pings(stage: Stage) -> None:
    await critical(stage)
    await after(stage, 30)
    await stage.anna.press(stage.w("button.onit"))
    await stage.boris.press(stage.w("button.take"))
    for person in (stage.anna, stage.boris):
        [ping] = [each for each in await person.sees() if each.tone == "ping"]
        assert stage.w("ping.claimed", name="Boris Orlov", at="09:00", via=stage.w("via.web")) in ping
        assert not ping.buttons


async def test_a_broken_promise_starts_the_chain_again(english: Stage) -> None:
    await critical(english)
    await after(english, 15)
    await english.anna.press("On it: 15 min")
    await english.town.later(15 * MINUTE, step=MINUTE)
    assert sum((await pinged(english)).values()) == 2
    await after(english, 16)
    assert sum((await pinged(english)).values()) == 3
    await after(english, 15)
    assert (await pinged(english))["maria"] == 1


async def test_who_is_asked_again_after_a_broken_promise_has_one_message_with_buttons(english: Stage) -> None:
    await critical(english)
    await after(english, 15)
    await english.anna.press("On it: 15 min")
    await english.town.later(15 * MINUTE, step=MINUTE)
    await after(english, 16)
    shown = [each for each in await english.anna.sees() if each.tone == "ping"]
    assert [bool(each.buttons) for each in shown] == [*[False] * (len(shown) - 1), True]
    assert len(shown) > 1


async def test_a_kept_promise_pings_nobody(english: Stage) -> None:
    await critical(english)
    await after(english, 15)
    await english.anna.press("On it: 15 min")
    await english.anna.say("/take 1")
    await english.anna.say("/reply 1 done")
    await english.town.later(30 * MINUTE, step=MINUTE)
    assert await pinged(english) == {"anna": 1, "boris": 0, "maria": 0}


async def test_the_last_of_all_pings_can_be_answered_like_the_others(stage: Stage) -> None:
    """Nothing comes after the lead of an unclaimed usual ticket, and still she may say that she is on it."""
    await stage.report(stage.ivan)
    await stage.town.later(5 * MINUTE, step=MINUTE)
    await stage.maria.press(stage.w("button.onit"))
    assert stage.w("card.promised", name="Maria Sokolova", at="09:20") in await stage.maria.card(1)
    await stage.town.later(15 * MINUTE, step=MINUTE)
    assert sum((await pinged(stage)).values()) == 3


async def test_a_snooze_is_capped_by_the_promise_to_the_requester(stage: Stage) -> None:
    await critical(stage)
    await after(stage, 15)
    await stage.anna.press(stage.w("button.snooze_now"))
    assert stage.w("card.snoozed", name="Anna Smirnova", at="09:01") in await stage.anna.card(1)
    await after(stage, 44)
    assert await pinged(stage) == {"anna": 1, "boris": 0, "maria": 0}
    await after(stage, 2)
    assert sum((await pinged(stage)).values()) == 2


async def test_a_snooze_into_another_day_says_which(english: Stage) -> None:
    await english.town.later(timedelta(hours=14, minutes=55))
    await english.report(english.ivan, urgency="low")
    await english.anna.say("/snooze 1 10m")
    until = "Tue 3 Mar, 00:05"
    assert english.w("work.snoozed", ticket=1, until=until) in texts(await english.anna.hears())
    assert english.w("card.snoozed", name="Anna Smirnova", at=until) in await english.anna.card(1)


async def test_a_snooze_by_command_takes_any_length_up_to_the_promise(stage: Stage) -> None:
    await stage.report(stage.ivan, urgency="low")
    await stage.anna.say("/snooze 1 10m")
    assert stage.w("work.snoozed", ticket=1, until="09:10") in texts(await stage.anna.hears())
    assert stage.w("card.snoozed", name="Anna Smirnova", at="09:10") in await stage.anna.card(1)
    await stage.anna.say("/snooze 1 2h")
    assert stage.w("card.snoozed", name="Anna Smirnova", at="09:15") in await stage.anna.card(1)
    assert stage.w("work.snoozed_capped", ticket=1, until="09:15") in texts(await stage.anna.hears())
    for words in ("/snooze 1 soon", "/snooze 1 0m", "/snooze 1 -5m"):
        await stage.anna.say(words)
        assert (await stage.anna.last()).text == stage.w("when.length")


async def test_where_no_ping_is_to_come_a_snooze_says_so(stage: Stage) -> None:
    await critical(stage)
    await stage.anna.say("/resolve 1")
    await stage.anna.say("/snooze 1 2h")
    assert (await stage.anna.last()).text == stage.w("snooze.nothing", ticket=1)


async def test_an_owner_who_does_not_answer_is_pinged(stage: Stage) -> None:
    await critical(stage)
    await stage.boris.say("/take 1")
    await stage.boris.hears()
    await after(stage, 61)
    [ping] = [each for each in await stage.boris.hears() if each.tone == "ping"]
    assert stage.w("ping.unanswered", span={"en": "1 min", "ru": "1 минуту"}[stage.language]) in ping
    assert stage.w("button.take") not in ping.buttons
    assert (await pinged(stage))["anna"] == 0


async def test_a_lowered_ticket_follows_the_other_policy_from_then_on(english: Stage) -> None:
    await critical(english)
    await after(english, 14)
    await english.anna.say("/priority 1 low")
    await after(english, 120)
    assert await pinged(english) == {"anna": 0, "boris": 0, "maria": 0}
    await after(english, 61)
    assert sum((await pinged(english)).values()) == 1


async def test_a_raised_ticket_is_pinged_at_the_pace_of_its_priority(english: Stage) -> None:
    await english.report(english.ivan, urgency="low")
    await after(english, 10)
    await english.anna.say("/priority 1 critical")
    await after(english, 15)
    assert sum((await pinged(english)).values()) == 1


async def test_a_requester_is_never_pinged_nor_told_of_pings(english: Stage) -> None:
    await critical(english)
    before = texts(await english.ivan.sees())
    await after(english, 70)
    assert texts(await english.ivan.sees()) == before


async def test_late_ticks_lose_and_double_nothing(english: Stage) -> None:
    await critical(english)
    await english.town.later(10 * MINUTE)
    assert await pinged(english) == {"anna": 1, "boris": 1, "maria": 1}
    await english.town.settle()
    await english.town.restart()
    await english.town.settle()
    assert await pinged(english) == {"anna": 1, "boris": 1, "maria": 1}


async def test_a_ping_can_pass_the_ticket_on(stage: Stage) -> None:
    await critical(stage)
    await after(stage, 15)
    [ping] = [each for each in await stage.anna.sees() if each.tone == "ping"]
    await stage.anna.submit(ping, ping.forms[stage.w("button.pass")], {"to": "3", "handover": "yours"})
    assert stage.w("card.owner", name="Boris Orlov") in await stage.anna.card(1)
    [ping] = [each for each in await stage.anna.sees() if each.tone == "ping"]
    assert not ping.buttons
