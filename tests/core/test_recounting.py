"""Promises, calendars and policies that change while tickets are under way: everything due follows them."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from bot import config
from bot.rules import rules as rules_of
from core import reactions
from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.escalation import store as pings
from core.kernel.clock import HandClock
from core.kernel.ids import Identity, TicketId
from core.outbox import store as outbox
from core.people import store as people
from core.people.model import Actor
from core.recounting import actions as recounting
from core.recounting import model, store
from core.sla import store as clocks
from core.sla.model import Target
from core.tickets import actions as tickets
from core.tickets.catalogue import Priority
from core.tickets.model import Ticket
from core.timers import store as timers
from tests.town import Town
from tests.town import town as opened

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)

DESK = """
[desk]
time_zone = "UTC"
[[people]]
name = "Ivan"
identities = ["web:ivan"]
[[people]]
name = "Anna"
identities = ["web:anna"]
roles = ["agent"]
[[people]]
name = "Maria"
identities = ["web:maria"]
roles = ["lead"]
[[queues]]
name = "support"
[[request_types]]
name = "other"
title = "Other"
"""
OFFICE = """
[[calendars]]
name = "office"
hours = ["mon-fri {hours}"]
{more}
[sla.normal]
first_response = "{first}"
resolution = "16h"
calendar = "office"
"""
POLICY = """
[[escalations]]
name = "{name}"
steps = [{{ after = "{after}", of = "unclaimed", whom = "agents", repeat = "{after}", times = 3 }}]
"""
NIGHT = """
[[calendars]]
name = "night"
hours = ["daily {hours}"]
[[escalations]]
name = "at-night"
priorities = ["low"]
calendar = "night"
steps = [{{ after = "1h", of = "unclaimed", whom = "agents" }}]
"""
"""On a calendar on which nothing is promised."""


def toml(
    hours: str = "9:00-18:00",
    first: str = "4h",
    more: str = "",
    name: str = "usual",
    after: str = "1h",
) -> str:
    office = OFFICE.format(hours=hours, first=first, more=more)
    return DESK + POLICY.format(name=name, after=after) + office


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(tmp_path, toml(), HandClock()) as town:
        yield town


async def actor(town: Town, account: str) -> Actor:
    return Actor(await town.database.read(lambda tx: people.by_identity(tx, Identity("web", account))), "web")


async def report(town: Town, count: int = 1) -> list[TicketId]:
    ivan = await actor(town, "ivan")

    async def open_all(tx: Transaction) -> list[TicketId]:
        facts: dict[str, Any] = {"type_name": "other", "text": "It is broken", "priority": Priority.NORMAL}
        return [
            (await tickets.open_ticket(tx, ivan, home=f"web:u-ivan#{n}", **facts)).id for n in range(count)
        ]

    return await town.database.write(open_all)


async def dues(town: Town, number: TicketId) -> Mapping[Target, datetime]:
    found = await town.database.read(lambda tx: clocks.due_times(tx, number))
    return {target: due for target, (due, _) in found.items()}


async def steps(town: Town, number: TicketId) -> list[datetime]:
    found = await town.database.read(lambda tx: timers.of_ticket(tx, number, escalation.STEP))
    return [timer.due_at for timer in found]


@pytest.mark.parametrize(
    ("changed", "first"),
    [
        (toml(hours="9:00-12:00 13:00-18:00"), MONDAY + 5 * HOUR),
        (toml(first="2h"), MONDAY + 2 * HOUR),
        (toml(more='closed = ["2026-03-02"]'), MONDAY + 28 * HOUR),
        (toml(more='time_zone = "America/New_York"'), MONDAY + 9 * HOUR),
        (toml(first="10h").replace('calendar = "office"', 'calendar = "always"'), MONDAY + 10 * HOUR),
    ],
)
async def test_what_is_due_follows_another_calendar_or_target(
    town: Town, changed: str, first: datetime
) -> None:
    (number,) = await report(town)
    assert (await dues(town, number))[Target.FIRST] == MONDAY + 4 * HOUR
    await town.restart(changed)
    await town.settle()
    assert (await dues(town, number))[Target.FIRST] == first
    await town.settle()
    shown = f"{first:%H:%M}" if first.day == MONDAY.day else f"Tue 3 Mar, {first:%H:%M}"
    assert f"First reply due by {shown}" in await town["anna"].card(number)


async def test_what_is_met_stays_as_it_was_promised(town: Town) -> None:
    (number,) = await report(town)
    await town["anna"].say(f"/reply {number} try again")
    before = await dues(town, number)
    await town.restart(toml(first="1h", hours="9:00-10:00"))
    after = await dues(town, number)
    assert after[Target.FIRST] == before[Target.FIRST] == MONDAY + 4 * HOUR
    assert after[Target.RESOLUTION] > before[Target.RESOLUTION]


async def test_what_stands_still_and_goes_on_later_is_due_by_the_new_rules(town: Town) -> None:
    (number,) = await report(town)
    await town.later(HOUR)
    await town["anna"].say(f"/hold {number}")
    await town.restart(toml(first="2h"))
    await town.later(2 * HOUR)
    await town["anna"].say(f"/resume {number}")
    assert (await dues(town, number))[Target.FIRST] == MONDAY + 4 * HOUR


async def test_pings_follow_another_policy_and_none_comes_twice(town: Town) -> None:
    (number,) = await report(town)
    assert await steps(town, number) == [MONDAY + HOUR]
    await town.later(HOUR)
    await town.restart(toml(after="30m"))
    assert await steps(town, number) == [MONDAY + 90 * MINUTE]
    await town.later(30 * MINUTE)
    await town.restart(toml(after="2h"))
    await town.later(10 * HOUR)
    sent = await town.database.read(lambda tx: pings.of_ticket(tx, number))
    assert [(ping.time, ping.sent_at) for ping in sent] == [
        (0, MONDAY + HOUR),
        (1, MONDAY + 90 * MINUTE),
        (2, MONDAY + 11 * HOUR + 30 * MINUTE),
    ]


async def test_a_policy_that_is_gone_pings_nobody_any_more(town: Town) -> None:
    (number,) = await report(town)
    assert await steps(town, number)
    await town.restart("escalations = []\n" + DESK)
    assert await steps(town, number) == []


async def test_a_start_with_the_same_rules_looks_at_no_ticket(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    await report(town)

    async def looked(tx: Transaction, ticket: Ticket) -> bool:
        raise AssertionError("a ticket was counted again")

    monkeypatch.setattr(reactions, "recount", looked)
    await town.restart(toml())
    with pytest.raises(AssertionError):
        await town.restart(toml(first="5h"))


async def rows(town: Town) -> list[Any]:
    """Every clock, timer and parcel as it lies in the file."""

    async def look(tx: Transaction) -> list[Any]:
        tables = (clocks.clocks, timers.timers, outbox.outbox)
        return [tuple(row) for table in tables for row in await tx.all(select(table))]

    return await town.database.read(look)


async def test_counting_again_by_the_same_rules_changes_nothing(town: Town) -> None:
    await report(town, 3)
    await town.database.write(lambda tx: store.save(tx, recounting.RULES, "others"))
    before = await rows(town)
    assert await town.house.desk.recount() == 0
    assert await rows(town) == before


async def test_hundreds_of_tickets_follow_and_a_start_that_died_in_the_middle_is_gone_on_with(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = await report(town, 450)
    counted = reactions.recount

    async def dies(tx: Transaction, ticket: Ticket) -> bool:
        if ticket.id == numbers[299]:
            raise OSError("the process ends")
        return await counted(tx, ticket)

    monkeypatch.setattr(reactions, "recount", dies)
    with pytest.raises(OSError, match="the process ends"):
        await town.restart(toml(first="2h"))
    monkeypatch.setattr(reactions, "recount", counted)
    done = [(await dues(town, number))[Target.FIRST] == MONDAY + 2 * HOUR for number in numbers]
    assert done == [True] * 200 + [False] * 250
    assert await town.house.desk.recount() == 250
    assert {(await dues(town, number))[Target.FIRST] for number in numbers} == {MONDAY + 2 * HOUR}
    assert await town.house.desk.recount() == 0


def _written(town: Town, toml: str) -> Path:
    file = town.path.parent / "other.toml"
    file.write_text(toml, encoding="utf-8")
    return file


async def test_the_same_rules_have_the_same_digest_and_a_day_off_makes_it_another(town: Town) -> None:
    def told(changed: str, at: datetime = MONDAY) -> str:
        rules = rules_of(config.load(_written(town, changed), {}))
        return model.digest(rules.promises, rules.policies, at)

    assert told(toml()) == told(toml()) == told(toml(), MONDAY + timedelta(days=100))
    others = [
        toml(more='closed = ["2027-12-31"]'),
        toml(more='opened = ["2026-01-01"]\nholidays = "RU"'),
        toml(more='holidays = "RU"'),
        toml(name="another"),
        toml(after="61m"),
    ]
    assert len({told(each) for each in (toml(), *others)}) == 6
    night = NIGHT.format(hours="20:00-22:00")
    assert told(toml() + night) != told(toml() + NIGHT.format(hours="20:00-23:00"))
