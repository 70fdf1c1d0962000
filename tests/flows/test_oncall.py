"""Being on call, from the chat: who is, swaps, covers, absences, hand-overs, and hours without anybody.

Monday, 2 March 2026, 9:00. Anna is on call this week, Boris the next, from Monday 9:00 to Monday 9:00."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.kernel.clock import HandClock
from core.kernel.errors import Forbidden
from core.kernel.ids import TicketId
from core.oncall import actions, queries
from core.people.model import Actor
from core.timers import store as timers
from tests.flows.conftest import Stage
from tests.town import town as opened

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
DESK = """
[desk]
time_zone = "UTC"
language = "{language}"
[[people]]
name = "Ivan Petrov"
identities = ["web:ivan"]
[[people]]
name = "Anna Smirnova"
identities = ["web:anna"]
roles = ["agent"]
[[people]]
name = "Boris Orlov"
identities = ["web:boris"]
roles = ["agent"]
[[people]]
name = "Maria Sokolova"
identities = ["web:maria"]
roles = ["lead", "admin"]
[[queues]]
name = "support"
[[request_types]]
name = "vpn"
title = "VPN"
keywords = ["vpn"]
urgency = "{urgency}"
"""
WEEKLY = """
[[rotas]]
name = "Network"
[[rotas.layers]]
people = ["Anna Smirnova", "Boris Orlov"]
starts = "2026-03-02 09:00"
"""
OFFICE = """
[[rotas]]
name = "Network"
[[rotas.layers]]
people = ["Anna Smirnova"]
starts = "2026-03-02"
hours = ["mon-fri 8:00-20:00"]
"""


@pytest.fixture
async def weekly(tmp_path: Path) -> AsyncIterator[Stage]:
    async with opened(tmp_path, DESK.format(language="en", urgency="critical") + WEEKLY) as town:
        yield Stage(town, "en")


@pytest.fixture(params=["en", "ru"])
async def either(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    toml = DESK.format(language=request.param, urgency="critical") + WEEKLY
    async with opened(tmp_path, toml) as town:
        yield Stage(town, request.param)


async def on_call(stage: Stage, after: timedelta = timedelta()) -> list[str]:
    """Who is on call so long from now."""
    at = stage.town.clock.now() + after
    found = await stage.town.database.read(lambda tx: queries.on_call(tx, "support", at=at))
    return [person.name for person in found]


async def heard(stage: Stage, who: str) -> list[str]:
    """What has come to them alone."""
    return [each.text for each in await stage.town[who].hears() if each.tone != "event"]


async def in_space(stage: Stage) -> list[str]:
    """The lines of the team's room that belong to no ticket."""
    shown = await stage.maria.sees()
    return [each.text for each in shown if each.tone == "event" and each.thread is None]


# ---- who is on call


async def test_everybody_of_the_staff_sees_who_is_on_call_until_when_and_who_is_next(weekly: Stage) -> None:
    await weekly.maria.say("/oncall")
    lines = (await weekly.maria.last()).text.split("\n")
    assert lines[:2] == [
        "Network: Anna Smirnova, until Mon 9 Mar, 09:00",
        "Next: Boris Orlov, from Mon 9 Mar, 09:00",
    ]
    await weekly.ivan.say("/oncall")
    assert "Anna" not in await weekly.ivan.last()


async def test_the_coming_week_is_shown_shift_by_shift(either: Stage) -> None:
    await either.boris.say("/oncall take fri 12:00-18:00")
    await either.anna.say("/oncall")
    lines = (await either.anna.last()).text.split("\n")
    told = {
        "en": [
            "Network: Anna Smirnova, until Fri 6 Mar, 12:00",
            "Fri 6 Mar, 12:00 – 18:00: Boris Orlov",
            "Fri 6 Mar, 18:00 – Mon 9 Mar, 09:00: Anna Smirnova",
        ],
        "ru": [
            "Network: дежурит Anna Smirnova, до пт 6 мар., 12:00",
            "пт 6 мар., 12:00 – 18:00: Boris Orlov",
            "пт 6 мар., 18:00 – пн 9 мар., 09:00: Anna Smirnova",
        ],
    }
    assert lines[:3] == told[either.language]


async def test_the_examples_of_the_page_are_understood_in_its_language(either: Stage) -> None:
    await either.anna.say("/oncall")
    *_, how = (await either.anna.last()).text.split("\n")
    swap, cover, away = (example.partition(": ")[2] for example in how.split(" · "))
    assert ("friday" in swap) == (either.language == "en")
    await either.anna.say(swap)
    assert "Boris Orlov" in await either.boris.last()
    await either.maria.say(cover)
    assert await on_call(either, 4 * DAY + 10 * HOUR) == ["Boris Orlov"]
    await either.anna.say(away)
    assert await on_call(either, DAY) == ["Boris Orlov"]


async def test_hours_without_anybody_are_marked_and_hours_that_need_nobody_are_left_out(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, DESK.format(language="en", urgency="low") + OFFICE) as town:
        stage = Stage(town, "en")
        await stage.anna.say("/away thursday")
        await stage.anna.say("/oncall")
        lines = (await stage.anna.last()).text.split("\n")
        assert lines[0] == "Network: Anna Smirnova, until 20:00"
        assert "⚠ Thu 5 Mar, 08:00 – 20:00: nobody" in lines
        assert len([each for each in lines if "nobody" in each]) == 1
        assert "Away: Anna Smirnova, Thu 5 Mar, 00:00 – Fri 6 Mar, 00:00" in lines


async def test_a_desk_without_rotas_says_so(english: Stage) -> None:
    await english.anna.say("/oncall")
    assert (await english.anna.last()).text == english.w("oncall.none")
    await english.anna.say("/oncall swap friday with @boris")
    assert (await english.anna.last()).text == english.w("oncall.none")


# ---- swaps


@pytest.mark.parametrize("words", ["swap friday with @boris", "обмен пятницу с @boris"])
async def test_a_swap_is_asked_accepted_and_told(weekly: Stage, words: str) -> None:
    await weekly.anna.say(f"/oncall {words}")
    assert "Asked Boris Orlov" in (await heard(weekly, "anna"))[-1]
    assert await on_call(weekly, 4 * DAY) == ["Anna Smirnova"]
    [asked] = await heard(weekly, "boris")
    assert asked == (
        "Anna Smirnova asks you to change on-call shifts in Network:\n"
        "Fri 6 Mar, 00:00 – Sat 7 Mar, 00:00: Boris Orlov instead of Anna Smirnova"
    )
    await weekly.boris.press("Accept")
    assert await on_call(weekly, 4 * DAY) == ["Boris Orlov"]
    assert await on_call(weekly, 3 * DAY) == await on_call(weekly, 5 * DAY) == ["Anna Smirnova"]
    [told] = await heard(weekly, "anna")
    assert told.startswith("Boris Orlov has accepted. On call for Network:")
    assert [each for each in await in_space(weekly) if "has accepted" in each] == [told]
    [question] = [each for each in await weekly.boris.sees() if "You have accepted" in each]
    assert list(question.buttons) == ["Undo"]


async def test_a_swap_gives_a_shift_back(weekly: Stage) -> None:
    await weekly.anna.say("/oncall swap 6 Mar with Boris for 10 Mar")
    await weekly.boris.press("Accept")
    assert await on_call(weekly, 4 * DAY) == ["Boris Orlov"]
    assert await on_call(weekly, 8 * DAY) == ["Anna Smirnova"]
    assert await on_call(weekly, 9 * DAY) == ["Boris Orlov"]


async def test_a_swap_may_be_for_several_days(weekly: Stage) -> None:
    await weekly.anna.say("/oncall swap wed-fri with @boris")
    await weekly.boris.press("Accept")
    assert [(await on_call(weekly, number * DAY))[0] for number in range(1, 6)] == [
        "Anna Smirnova",
        *["Boris Orlov"] * 3,
        "Anna Smirnova",
    ]


async def test_a_swap_that_is_declined_changes_nothing(either: Stage) -> None:
    await either.anna.say("/oncall swap friday with @boris")
    await either.anna.hears()
    await either.boris.press(either.w("button.decline_swap"))
    assert await on_call(either, 4 * DAY) == ["Anna Smirnova"]
    told = either.w("oncall.told_swap_declined", name="Boris Orlov", rota="Network")
    assert [each.split("\n")[0] for each in await heard(either, "anna")] == [told]
    assert await in_space(either) == []


async def test_only_whoever_was_asked_answers_and_only_once(weekly: Stage) -> None:
    await weekly.anna.say("/oncall swap friday with @boris")
    [question] = [each for each in await weekly.boris.sees() if "Accept" in each.buttons]
    [maria] = await weekly.town.database.read(lambda tx: queries.named(tx, ["Maria Sokolova"]))
    with pytest.raises(Forbidden) as refused:
        await weekly.town.house.desk.run(actions.answer_swap, Actor(maria, "web"), 1, accepted=True)
    assert refused.value.key == "oncall.asked_other"
    assert await on_call(weekly, 4 * DAY) == ["Anna Smirnova"]
    await weekly.boris.press_code(question, question.buttons["Accept"])
    await weekly.boris.press_code(question, question.buttons["Decline"])
    assert (await weekly.boris.last()).text == weekly.w("press.over")
    assert await on_call(weekly, 4 * DAY) == ["Boris Orlov"]


async def test_a_swap_is_undone_by_either_of_them_and_both_and_the_team_know(weekly: Stage) -> None:
    await weekly.anna.say("/oncall swap friday with @boris")
    await weekly.boris.press("Accept")
    await weekly.boris.hears()
    await weekly.anna.press("Undo")
    assert await on_call(weekly, 4 * DAY) == ["Anna Smirnova"]
    assert any("has undone a swap" in each for each in await heard(weekly, "boris"))
    assert any("has undone a swap" in each for each in await in_space(weekly))
    await weekly.boris.say("/oncall cancel friday")
    assert (await weekly.boris.last()).text == weekly.w("oncall.nothing_arranged")


async def test_the_same_is_not_asked_twice_while_the_answer_is_awaited(either: Stage) -> None:
    for _ in range(2):
        await either.anna.say("/oncall swap friday with @boris")
    assert (await either.anna.last()).text == either.w("oncall.asked_already", name="Boris Orlov")
    asked = [each for each in await either.boris.sees() if either.w("button.accept_swap") in each.buttons]
    assert len(asked) == 1
    await either.boris.press(either.w("button.decline_swap"))
    await either.anna.say("/oncall swap friday with @boris")
    assert either.w("button.accept_swap") in (await either.boris.last()).buttons


async def test_a_request_can_be_withdrawn_before_it_is_answered(weekly: Stage) -> None:
    await weekly.anna.say("/oncall swap friday with @boris")
    await weekly.anna.press("Withdraw")
    [question] = [each for each in await weekly.boris.sees() if "This swap was taken back" in each]
    assert not question.buttons


async def test_what_has_changed_since_it_was_asked_is_not_swapped(weekly: Stage) -> None:
    await weekly.anna.say("/oncall swap friday with @boris")
    await weekly.maria.say("/oncall take friday")
    await weekly.boris.press("Accept")
    for who, key, name in (
        (weekly.boris, "oncall.swap_void", "Anna Smirnova"),
        (weekly.anna, "oncall.told_swap_void", "Boris Orlov"),
    ):
        told = [each for each in await who.sees() if weekly.w(key, rota="Network", name=name) in each]
        assert [list(each.buttons) for each in told] == [[]]
    assert await on_call(weekly, 4 * DAY) == ["Maria Sokolova"]


@pytest.mark.parametrize(
    ("words", "key"),
    [
        ("swap", "oncall.swap_valid"),
        ("swap friday", "oncall.swap_valid"),
        ("swap with @boris", "oncall.swap_valid"),
        ("swap friday with @anna", "oncall.with_oneself"),
        ("swap 31 feb with @boris", "days.valid"),
        ("swap 2020-01-01 with @boris", "oncall.past"),
        ("dance", "oncall.valid"),
        ("cover", "oncall.cover_valid"),
        ("cancel it all", "oncall.cancel_valid"),
        ("cancel", "oncall.nothing_arranged"),
    ],
)
async def test_what_cannot_be_done_says_what_can(weekly: Stage, words: str, key: str) -> None:
    await weekly.anna.say(f"/oncall {words}")
    assert (await weekly.anna.last()).text == weekly.w(key)


async def test_a_day_that_is_not_theirs_cannot_be_swapped(weekly: Stage) -> None:
    await weekly.anna.say("/oncall swap 10 Mar with @boris")
    told = "You have no shift then (Tue 10 Mar, 00:00). /oncall shows who has."
    assert (await weekly.anna.last()).text == told
    await weekly.anna.say("/oncall swap friday with @boris for thursday")
    assert (await weekly.anna.last()).text == weekly.w(
        "oncall.not_theirs", name="Boris Orlov", rota="Network"
    )
    await weekly.anna.say("/oncall swap friday with @ivan")
    assert "Anna Smirnova, Boris Orlov, Maria Sokolova" in await weekly.anna.last()


# ---- covers


async def test_an_agent_takes_over_a_shift_and_whoever_had_it_is_told(either: Stage) -> None:
    await either.boris.say({"en": "/oncall take friday", "ru": "/oncall беру пятницу"}[either.language])
    assert await on_call(either, 4 * DAY) == ["Boris Orlov"]
    told = either.w("oncall.told_cover_made", name="Boris Orlov", rota="Network")
    assert [each.split("\n")[0] for each in await heard(either, "anna")] == [told]
    assert [each.split("\n")[0] for each in await in_space(either)] == [told]


async def test_a_lead_puts_somebody_on_call_and_an_agent_nobody_else(weekly: Stage) -> None:
    await weekly.maria.say("/oncall cover friday 18:00-22:00 @boris")
    assert await on_call(weekly, 4 * DAY + 9 * HOUR) == ["Boris Orlov"]
    assert await on_call(weekly, 4 * DAY + 13 * HOUR) == ["Anna Smirnova"]
    for who in ("anna", "boris"):
        assert any("Maria Sokolova has changed" in each for each in await heard(weekly, who))
    await weekly.anna.say("/oncall cover thursday @boris")
    assert (await weekly.anna.last()).text == weekly.w("oncall.leads_only", name="Boris Orlov")


async def test_what_is_arranged_is_listed_and_undone_by_a_press(weekly: Stage) -> None:
    await weekly.boris.say("/oncall take friday")
    await weekly.anna.say("/oncall cancel")
    await weekly.anna.press("Undo: Network, 6 March")
    assert await on_call(weekly, 4 * DAY) == ["Anna Smirnova"]
    assert any("Anna Smirnova has undone" in each for each in await heard(weekly, "boris"))


async def test_taking_over_without_a_day_is_from_now_on(weekly: Stage) -> None:
    await weekly.boris.say("/oncall take")
    assert await on_call(weekly) == ["Boris Orlov"]
    assert any("You are on call for Network" in each for each in await heard(weekly, "boris"))
    assert any(
        "Your shift on call for Network is over; now it is Boris" in e for e in await heard(weekly, "anna")
    )


async def test_a_shift_of_a_night_belongs_to_the_day_it_begins_on(tmp_path: Path) -> None:
    nights = WEEKLY + 'hours = ["daily 20:00-6:00"]\n'
    async with opened(tmp_path, DESK.format(language="en", urgency="low") + nights) as town:
        stage = Stage(town, "en")
        await stage.boris.say("/oncall take friday")
        [told] = await heard(stage, "anna")
        assert "Fri 6 Mar, 20:00 – Sat 7 Mar, 06:00: Boris Orlov instead of Anna Smirnova" in told


async def test_of_several_rotas_the_one_without_anybody_is_meant_or_it_is_asked_which(tmp_path: Path) -> None:
    two = WEEKLY + WEEKLY.replace('"Network"', '"Printers"')
    async with opened(tmp_path, DESK.format(language="en", urgency="low") + two) as town:
        stage = Stage(town, "en")
        await stage.maria.say("/oncall take friday")
        assert "Network, Printers" in await stage.maria.last()
        await stage.maria.say("/oncall take printers friday")
        found = await town.database.read(
            lambda tx: queries.on_call(tx, "support", at=town.clock.now() + 4 * DAY)
        )
        assert [person.name for person in found] == ["Anna Smirnova", "Maria Sokolova"]


# ---- absence


async def test_whoever_is_away_is_passed_over_and_comes_back(either: Stage) -> None:
    until = {"en": "until friday", "ru": "до пятницы"}[either.language]
    await either.anna.say(f"/away {until}")
    assert await on_call(either) == ["Boris Orlov"]
    assert await on_call(either, 4 * DAY) == ["Anna Smirnova"]
    anna = await either.town.database.read(lambda tx: queries.named(tx, ["Anna Smirnova"]))
    assert await either.town.database.read(queries.away) == {anna[0].id}
    await either.anna.say("/away")
    assert "00:00" in await either.anna.last()
    await either.anna.say("/away off")
    assert await on_call(either) == ["Anna Smirnova"]
    assert await either.town.database.read(queries.away) == set()
    await either.anna.say("/away off")
    assert (await either.anna.last()).text == either.w("away.not_away")


async def test_going_away_says_who_stands_in(weekly: Stage) -> None:
    await weekly.anna.say("/away friday")
    assert "Network, Fri 6 Mar, 00:00 – Sat 7 Mar, 00:00: Boris Orlov" in await weekly.anna.last()
    await weekly.boris.say("/away friday")
    await weekly.anna.say("/away off")
    await weekly.anna.say("/away friday")
    told = await weekly.anna.last()
    assert "Network, Fri 6 Mar, 00:00 – Sat 7 Mar, 00:00: nobody" in told
    assert "/oncall take Network 2026-03-06 00:00 - 2026-03-07 00:00" in told
    await weekly.maria.say("/oncall take Network 2026-03-06 00:00 - 2026-03-07 00:00")
    assert await on_call(weekly, 4 * DAY) == ["Maria Sokolova"]


# ---- hand-overs


async def test_a_shift_change_is_told_to_both_and_to_the_team_with_what_is_under_way(weekly: Stage) -> None:
    await weekly.ivan.say("vpn drops")
    await weekly.ivan.press("Send")
    await weekly.ivan.say("/new")
    await weekly.anna.say("/take 1")
    await weekly.anna.say("/reply 1 which one?")
    await weekly.town.later(7 * DAY - HOUR)
    await weekly.anna.say("/hold 1 until tomorrow 12:00")
    for who in ("anna", "boris"):
        await weekly.town[who].hears()
    assert not any("on call" in each for each in await in_space(weekly))
    await weekly.town.later(HOUR)
    [begun] = [each for each in await heard(weekly, "boris") if "You are on call" in each]
    assert begun.split("\n")[0] == (
        "You are on call for Network, until Mon 16 Mar, 09:00. Before you it was Anna Smirnova."
    )
    assert "🔴 #1 vpn drops · Owner: Anna Smirnova" in begun
    assert "#1 vpn drops · on hold until Tue 10 Mar, 12:00" in begun
    assert any(
        "Your shift on call for Network is over; now it is Boris Orlov." in e
        for e in await heard(weekly, "anna")
    )
    [line] = [each for each in await in_space(weekly) if "on call" in each]
    assert line.startswith("Boris Orlov is on call for Network until Mon 16 Mar, 09:00.")
    await weekly.town.later(HOUR)
    assert len([each for each in await in_space(weekly) if "on call" in each]) == 1


async def test_a_hand_over_comes_once_also_after_a_stop_and_says_how_late_it_is(weekly: Stage) -> None:
    weekly.town.clock.advance(7 * DAY + 2 * HOUR)
    await weekly.town.restart()
    await weekly.town.settle()
    await weekly.town.restart()
    await weekly.town.settle()
    [begun] = [each for each in await heard(weekly, "boris") if "You are on call" in each]
    assert "This comes 2 h late: it has been so since 09:00." in begun
    assert len([each for each in await in_space(weekly) if "on call" in each]) == 1


async def test_after_several_changes_only_what_holds_now_is_told(weekly: Stage) -> None:
    weekly.town.clock.advance(14 * DAY)
    await weekly.town.settle()
    assert not any("on call" in each for each in await in_space(weekly))
    weekly.town.clock.advance(21 * DAY)
    await weekly.town.settle()
    assert len([each for each in await in_space(weekly) if "on call" in each]) == 1


async def test_other_layers_in_the_configuration_are_told_at_once(weekly: Stage) -> None:
    other = WEEKLY.replace('"Anna Smirnova", "Boris Orlov"', '"Maria Sokolova"')
    await weekly.town.restart(DESK.format(language="en", urgency="critical") + other)
    await weekly.town.settle()
    assert any("You are on call for Network" in each for each in await heard(weekly, "maria"))
    await weekly.town.restart(DESK.format(language="en", urgency="critical"))
    left = await weekly.town.database.read(lambda tx: timers.of_ticket(tx, TicketId(0), "shift"))
    assert left == []


async def test_there_is_one_timer_for_each_rota_whatever_is_arranged(weekly: Stage) -> None:
    for words in ("/oncall take friday", "/oncall cancel friday", "/away thursday", "/away off"):
        await weekly.boris.say(words)
        await weekly.town.restart()
        for kind in ("shift", "uncovered"):
            found = await weekly.town.database.read(
                lambda tx, kind=kind: timers.of_ticket(tx, TicketId(0), kind)
            )
            assert [timer.key for timer in found] == ["Network"]


async def test_that_a_shift_begins_passes_quiet_hours_and_that_it_ends_waits(weekly: Stage) -> None:
    for who in ("anna", "boris"):
        await weekly.town[who].say("/reach quiet 0:00-12:00")
        await weekly.town[who].hears()
    await weekly.town.later(7 * DAY)
    assert any("You are on call" in each for each in await heard(weekly, "boris"))
    assert not any("is over" in each for each in await heard(weekly, "anna"))
    await weekly.town.later(3 * HOUR)
    assert any("is over" in each for each in await heard(weekly, "anna"))


# ---- hours without anybody


async def test_a_day_and_an_hour_before_nobody_is_on_call_the_leads_are_told(tmp_path: Path) -> None:
    async with opened(tmp_path, DESK.format(language="en", urgency="low") + OFFICE) as town:
        stage = Stage(town, "en")
        await stage.anna.say("/away thursday")
        await stage.maria.hears()

        async def alarms() -> int:
            return len([each for each in await heard(stage, "maria") if "⚠" in each])

        await town.later(46 * HOUR)
        assert await alarms() == 0
        await town.later(HOUR)
        shown = [each for each in await heard(stage, "maria") if "⚠" in each]
        assert shown == [
            "⚠ Nobody is on call for Network from Thu 5 Mar, 08:00 to Thu 5 Mar, 20:00.\n"
            "Take it: /oncall take Network 2026-03-05 08:00 - 2026-03-05 20:00 · or put somebody on call: "
            "/oncall cover Network 2026-03-05 08:00 - 2026-03-05 20:00 @boris"
        ]
        await town.restart()
        await town.later(22 * HOUR, step=HOUR)
        assert await alarms() == 0
        await town.later(HOUR)
        assert await alarms() == 1
        await town.later(5 * HOUR, step=HOUR)
        assert await alarms() == 0


async def test_hours_that_were_covered_in_time_alarm_nobody_again(tmp_path: Path) -> None:
    async with opened(tmp_path, DESK.format(language="en", urgency="low") + OFFICE) as town:
        stage = Stage(town, "en")
        await stage.anna.say("/away tomorrow")
        assert any("⚠" in each for each in await heard(stage, "maria"))
        await stage.maria.say("/oncall cover Network 2026-03-03 08:00 - 2026-03-03 20:00 @boris")
        assert await on_call(stage, DAY) == ["Boris Orlov"]
        await stage.maria.hears()
        await town.later(30 * HOUR, step=HOUR)
        assert not any("⚠" in each for each in await heard(stage, "maria"))


def test_the_week_begins_with_a_monday() -> None:
    assert HandClock().now().strftime("%a %H:%M") == "Mon 09:00"
