"""`/why`: the working of each due time, and what would become of it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.kernel.clock import HandClock
from tests.flows.conftest import Stage
from tests.town import town as opened

CALENDAR = """
[desk]
time_zone = "Europe/Moscow"
[[people]]
name = "Ivan"
identities = ["web:ivan"]
[[people]]
name = "Anna"
identities = ["web:anna"]
roles = ["agent"]
[[queues]]
name = "support"
[[request_types]]
name = "vpn"
title = "VPN"
keywords = ["vpn"]
urgency = "normal"
[[calendars]]
name = "office"
hours = ["mon-fri 9:00-13:00 14:00-18:00"]
[[targets]]
types = ["vpn"]
first_response = "2h"
resolution = "8h"
calendar = "office"
"""


@pytest.fixture
async def office(tmp_path: Path) -> AsyncIterator[Stage]:
    """A Monday, noon in Moscow, an hour before lunch; the page tells the time of UTC."""
    async with opened(tmp_path, CALENDAR, HandClock()) as town:
        stage = Stage(town, "en")
        await stage.ivan.say("vpn drops")
        await stage.ivan.press("Send")
        yield stage


async def test_working_time_is_told_in_hours_as_a_day_of_work_has_not_twenty_four(tmp_path: Path) -> None:
    longer = CALENDAR.replace('resolution = "8h"', 'resolution = "3d"')
    async with opened(tmp_path, longer, HandClock()) as town:
        stage = Stage(town, "en")
        await stage.ivan.say("vpn drops")
        await stage.ivan.press("Send")
        lines = await why(stage)
        assert "Solution: 72 h on the calendar “office”, since 09:00" in lines
        assert "Used up: 0 s, left: 72 h; due Fri 13 Mar, 09:00." in lines


async def why(stage: Stage) -> list[str]:
    await stage.anna.say("/why 1")
    return (await stage.anna.last()).text.split("\n")


async def test_a_promise_is_counted_on_the_calendar_of_its_type(office: Stage) -> None:
    assert "First reply due by 12:00" in await office.anna.card(1)
    lines = await why(office)
    assert "First reply: 2 h on the calendar “office”, since 09:00" in lines
    assert "Used up: 0 s, left: 2 h; due 12:00." in lines
    assert "Solution: 8 h on the calendar “office”, since 09:00" in lines
    assert any(each.startswith("Used up: 0 s, left: 8 h; due Tue 3 Mar, 09:00") for each in lines)


async def test_what_took_no_time_is_told_with_how_much_of_it_was_working_time(office: Stage) -> None:
    await office.anna.say("/wait 1 which version?")
    await office.town.later(timedelta(hours=3))
    assert any(each.startswith("It has stood still since 09:00") for each in await why(office))
    await office.ivan.say("5.1")
    lines = await why(office)
    assert "It stood still from 09:00 to 12:00, 2 h of working time." in lines
    assert any("left: 8 h; due Tue 3 Mar, 12:00" in each for each in lines)


async def test_what_would_become_of_it_is_told_too(office: Stage) -> None:
    lines = await why(office)
    assert "If set to waiting now, it would stand still with 2 h left." in lines
    assert len([each for each in lines if each.startswith("As ")]) == 3


async def test_a_promise_that_was_broken_says_by_how_much(office: Stage) -> None:
    await office.town.later(timedelta(hours=4))
    assert any(each.startswith("Used up: 3 h, 1 h too many: it was due") for each in await why(office))
    await office.anna.say("/reply 1 sorry")
    assert any(each.startswith("Kept late (") for each in await why(office))


async def test_the_working_is_for_those_who_work_on_it(office: Stage) -> None:
    await office.ivan.say("/why 1")
    assert "First reply" not in await office.ivan.last()
