"""An emergency: offered, explained, confirmed, raised once, and for a minute taken back."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.kernel.clock import HandClock
from core.kernel.ids import TicketId
from core.tickets import store
from core.tickets.catalogue import Priority
from core.tickets.model import Status, fold
from core.timers import store as timers
from tests.flows.conftest import Stage
from tests.town import town as opened

OFFICE = """
[desk]
time_zone = "UTC"
language = "{language}"
[[people]]
name = "Ivan"
identities = ["web:ivan"]
[[people]]
name = "Petr"
identities = ["web:petr"]
[[people]]
name = "Anna"
identities = ["web:anna"]
roles = ["agent"]
[[queues]]
name = "support"
title = "Support"
[[request_types]]
name = "vpn"
title = "VPN"
keywords = ["vpn"]
urgency = "normal"
[[calendars]]
name = "office"
hours = ["mon-fri 9:00-18:00"]
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [{{ after = "5m", of = "unclaimed", whom = "agents" }}]
[[targets]]
types = ["vpn"]
first_response = "2h"
resolution = "8h"
calendar = "office"
[emergency]
enabled = {enabled}
hours = "{hours}"
"""
EVENING = datetime(2026, 3, 2, 20, 0, tzinfo=UTC)
MORNING = datetime(2026, 3, 2, 10, 0, tzinfo=UTC)


def toml(language: str = "en", enabled: str = "true", hours: str = "closed") -> str:
    return OFFICE.format(language=language, enabled=enabled, hours=hours)


async def reported(stage: Stage) -> None:
    await stage.ivan.say("vpn drops")
    await stage.ivan.press(stage.w("button.send"))


@pytest.fixture(params=["en", "ru"])
async def night(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    """A Monday evening; the office opens again on Tuesday at nine."""
    async with opened(tmp_path, toml(request.param), HandClock(EVENING)) as town:
        stage = Stage(town, request.param)
        await reported(stage)
        yield stage


@pytest.fixture
async def evening(tmp_path: Path) -> AsyncIterator[Stage]:
    async with opened(tmp_path, toml(), HandClock(EVENING)) as town:
        stage = Stage(town, "en")
        await reported(stage)
        yield stage


async def raised(stage: Stage) -> int:
    return (await stage.kinds(1)).count("emergency")


async def test_at_night_the_receipt_says_when_the_desk_opens_and_how_to_call_somebody(evening: Stage) -> None:
    receipt = await evening.ivan.last()
    assert "The desk is closed now and opens Tue 3 Mar, 09:00" in receipt
    assert "somebody will answer by Tue 3 Mar, 11:00 (working hours)" in receipt
    assert "send /emergency 1" in receipt
    assert "It is an emergency" in receipt.buttons
    await evening.ivan.say("/status 1")
    status = await evening.ivan.last()
    assert "The desk is closed now and opens Tue 3 Mar, 09:00" in status
    assert "It is an emergency" in status.buttons


async def test_by_day_it_tells_working_hours_and_offers_no_emergency(tmp_path: Path) -> None:
    async with opened(tmp_path, toml(), HandClock(MORNING)) as town:
        stage = Stage(town, "en")
        await reported(stage)
        receipt = await stage.ivan.last()
        assert "Somebody will answer by 12:00 (working hours)." in receipt
        assert not receipt.buttons
        await stage.ivan.say("/status 1")
        assert "Somebody answers by 12:00 (working hours)." in await stage.ivan.last()
        await stage.ivan.say("/emergency 1")
        assert (
            "It is working time: just write here, somebody will answer by 12:00." in await stage.ivan.last()
        )
        assert await raised(stage) == 0


async def test_a_desk_can_take_them_at_any_hour_or_never(tmp_path: Path) -> None:
    async with opened(tmp_path, toml(hours="always"), HandClock(MORNING)) as town:
        stage = Stage(town, "en")
        await reported(stage)
        assert "It is an emergency" in (await stage.ivan.last()).buttons
        await town.restart(toml(enabled="false"))
        await stage.ivan.press("It is an emergency")
        assert "Emergencies are not called out here." in await stage.ivan.last()
        await stage.ivan.say("/status 1")
        assert not (await stage.ivan.last()).buttons


async def test_it_is_confirmed_and_raised_exactly_once(night: Stage) -> None:
    ivan, w = night.ivan, night.w
    await ivan.press(w("button.emergency"))
    question = await ivan.last()
    assert w("emergency.ask_team", queue="Support") in question
    await ivan.press_code(question, question.buttons[w("button.call")], settle=False)
    await ivan.press_code(question, question.buttons[w("button.call")])
    assert await raised(night) == 1
    ticket = await night.ticket(1)
    assert (ticket.priority, ticket.status) == (Priority.CRITICAL, Status.NEW)
    said = [each.text for each in await ivan.sees()]
    assert w("told.emergency_team", ticket=1, queue="Support") in said
    assert w("emergency.raised", ticket=1) in said
    assert not next(each for each in await ivan.sees() if each.id == question.id).buttons
    priorities = {"before": w("priority.normal"), "priority": w("priority.critical")}
    assert w("event.emergency", actor="Ivan", **priorities) in [
        each.text for each in await night.anna.thread(1)
    ]
    assert "🔴" in await night.anna.card(1)
    await ivan.say("/status 1")
    assert not (await ivan.last()).buttons


async def test_each_call_is_a_message_of_its_own_that_says_who_calls(night: Stage) -> None:
    await night.ivan.say("/new vpn drops")
    await night.ivan.press(night.w("button.send"))
    for number in (1, 2):
        await night.ivan.say(f"/emergency {number}")
        await night.ivan.press(night.w("button.call"))
    calls = [each.text for each in await night.anna.sees() if each.tone == "ping" and each.thread is None]
    assert len(calls) == 2
    for number, call in enumerate(calls, 1):
        assert f"#{number} vpn drops" in call
        assert night.w("ping.emergency", name="Ivan") in call


async def test_nobody_is_called_without_a_yes(night: Stage) -> None:
    await night.ivan.press(night.w("button.emergency"))
    await night.ivan.press(night.w("button.no"))
    assert night.w("emergency.not_raised") in await night.ivan.last()
    assert await raised(night) == 0


async def test_it_starts_the_chain_of_the_critical_policy(evening: Stage) -> None:
    async def steps(tx: Transaction) -> int:
        return len(await timers.of_ticket(tx, TicketId(1), escalation.STEP))

    assert await evening.town.database.read(steps) == 0
    await evening.ivan.say("/emergency 1")
    await evening.ivan.press("Yes, call")
    await evening.town.later(timedelta(minutes=6), step=timedelta(minutes=1))
    assert any("⏰" in each and "critical" in each for each in await evening.anna.sees())


async def test_for_a_minute_it_can_wait_after_all(night: Stage) -> None:
    ivan, w = night.ivan, night.w
    await ivan.say("/emergency 1")
    await ivan.press(w("button.call"))
    await night.town.later(timedelta(seconds=50))
    await ivan.press(w("button.calm"))
    assert (await night.ticket(1)).priority is Priority.NORMAL
    last = await ivan.last()
    assert w("told.calmed", ticket=1, priority=w("priority.normal")) in last
    assert not last.buttons
    await ivan.say("/status 1")
    assert w("button.emergency") in (await ivan.last()).buttons
    timeline = await night.town.database.read(lambda tx: store.timeline(tx, TicketId(1)))
    assert fold(timeline) == await night.ticket(1)


async def test_after_a_minute_the_button_is_gone_and_an_old_press_is_answered(night: Stage) -> None:
    ivan, w = night.ivan, night.w
    await ivan.say("/emergency 1")
    await ivan.press(w("button.call"))
    told = await ivan.last()
    await night.town.later(timedelta(seconds=62), step=timedelta(seconds=1))
    assert not next(each for each in await ivan.sees() if each.id == told.id).buttons
    await ivan.press_code(told, told.buttons[w("button.calm")])
    assert w("emergency.too_late", ticket=1) in await ivan.last()
    assert (await night.ticket(1)).priority is Priority.CRITICAL


async def test_three_a_day_are_enough(evening: Stage) -> None:
    ivan = evening.ivan
    for _ in range(3):
        await ivan.say("/emergency 1")
        await ivan.press("Yes, call")
        await ivan.press("It can wait after all")
        evening.town.clock.advance(timedelta(seconds=1))
    await ivan.say("/emergency 1")
    assert "Those were 3 emergencies within a day" in await ivan.last()
    assert await raised(evening) == 3
    await evening.town.later(timedelta(days=1, hours=1), step=timedelta(hours=1))
    await evening.ivan.say("/emergency 1")
    assert "Yes, call" in (await ivan.last()).buttons


async def test_staff_and_strangers_raise_none(evening: Stage) -> None:
    await evening.anna.say("/emergency 1")
    assert "/priority 1 critical" in await evening.anna.last()
    await evening.petr.say("/emergency 1")
    assert evening.w("ticket.unknown", ticket=1) in await evening.petr.last()
    assert await raised(evening) == 0


async def test_a_colleague_may_and_the_requester_reads_who_did(evening: Stage) -> None:
    await evening.anna.say("/add 1 Petr")
    await evening.petr.say("/emergency 1")
    await evening.petr.press("Yes, call")
    assert (await evening.ticket(1)).priority is Priority.CRITICAL
    told = await evening.ivan.last()
    assert "Petr says that it is an emergency." in told
    assert not told.buttons
    await evening.petr.press("It can wait after all")
    assert "can wait after all" in await evening.ivan.last()
    assert "can wait after all" in await evening.petr.last()


async def test_what_is_critical_or_solved_already_is_said_so(evening: Stage) -> None:
    await evening.anna.say("/priority 1 critical the boss")
    assert not any("It is an emergency" in each.buttons for each in await evening.ivan.sees())
    await evening.ivan.say("/emergency 1")
    assert "has the highest priority already" in await evening.ivan.last()
    await evening.anna.say("/priority 1 low")
    assert any("It is an emergency" in each.buttons for each in await evening.ivan.sees())
    await evening.anna.say("/resolve 1 done")
    assert not any("It is an emergency" in each.buttons for each in await evening.ivan.sees())
    await evening.ivan.say("/emergency 1")
    assert "/reopen 1" in await evening.ivan.last()


async def test_an_emergency_wakes_what_waits_for_the_requester(evening: Stage) -> None:
    await evening.anna.say("/wait 1 which version?")
    await evening.ivan.say("/emergency 1")
    await evening.ivan.press("Yes, call")
    ticket = await evening.ticket(1)
    assert (ticket.status, ticket.unanswered_since is not None) == (Status.OPEN, True)
