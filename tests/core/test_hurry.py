"""What comes sooner because somebody could not be asked, and what does not; moves, and several at once."""

from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.escalation import actions as escalation
from core.escalation import store
from core.kernel.errors import UserError
from core.kernel.ids import TicketId
from core.tickets import actions as tickets
from core.tickets import emergencies
from core.tickets import store as ticket_store
from core.tickets.catalogue import Priority
from tests import town as towns
from tests.core.test_escalation import (
    HOUR,
    MINUTE,
    PEOPLE,
    SECOND,
    Gone,
    act,
    ask_nobody,
    asked,
    desk,
    pings,
    report,
)
from tests.core.test_steps import SLOW, TO_MARIA, open_pings
from tests.town import Town

AGAIN_AND_AGAIN = """
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [
  { after = "1m", of = "unclaimed", whom = "Anna", repeat = "20m", times = 50 },
  { after = "1h", of = "unclaimed", whom = "lead" },
]
"""
NOWHERE = """
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [
  { after = "1m", of = "unclaimed", whom = "Anna", repeat = "10m", times = 100 },
  { after = "5h", of = "unclaimed", whom = "lead" },
]
"""
TWO_TEAMS = """
[[queues]]
name = "network"
title = "Network"
[[escalations]]
name = "support"
queues = ["support"]
steps = [{ after = "5m", of = "unclaimed", whom = "Anna" }]
[[escalations]]
name = "network"
queues = ["network"]
steps = [
  { after = "5m", of = "unclaimed", whom = "Boris" },
  { after = "1h", of = "unclaimed", whom = "Maria" },
]
"""
ON_CALL = """
[[rotas]]
name = "first"
[[rotas.layers]]
people = ["Anna"]
starts = "2026-01-05"
turn = "1w"
[[rotas]]
name = "second"
[[rotas.layers]]
people = ["Boris"]
starts = "2026-01-05"
turn = "1w"
"""


def unreachable(town: Town, *rooms: str) -> None:
    adapters: Any = town.house.adapters
    adapters["web"] = Gone(adapters["web"], *rooms)


async def called(town: Town, number: TicketId) -> list[str]:
    """Who was asked, each time once; or nobody."""
    timeline = await town.database.read(lambda tx: ticket_store.timeline(tx, number))
    found = [event.facts["names"] or ["nobody"] for event in timeline if event.kind == "pinged"]
    return [name for names in found for name in names]


# ---- somebody cannot be asked


async def test_whom_nothing_reaches_is_not_asked_on_and_on_but_the_next_person_at_once(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, AGAIN_AND_AGAIN) as town:
        unreachable(town, "u-anna")
        number = await report(town)
        await town.later(MINUTE)
        assert await called(town, number) == ["Anna", "Maria"]
        await town.later(20 * MINUTE, step=MINUTE)
        assert await called(town, number) == ["Anna", "Maria", "Anna"]


async def test_an_owner_whom_nothing_reaches_keeps_the_ticket_as_long_as_any_other(tmp_path: Path) -> None:
    async with desk(tmp_path, SLOW) as town:
        number = await report(town)
        await act(town, "anna", tickets.take, number)
        unreachable(town, "u-anna")
        await town.later(2 * HOUR + 29 * MINUTE, step=MINUTE)
        assert await asked(town, number) == ["Anna"]
        assert (await town.ticket(number)).owner is not None
        await town.later(MINUTE)
        assert (await town.ticket(number)).owner is None


@pytest.mark.timeout(30)
async def test_a_step_that_finds_nobody_a_hundred_times_makes_the_next_person_be_asked_at_once(
    tmp_path: Path,
) -> None:
    async with desk(tmp_path, NOWHERE) as town:
        ask_nobody(town)
        number = await report(town)
        await town.later(MINUTE)
        assert await called(town, number) == ["nobody", "Maria"]
        await town.later(10 * MINUTE, step=MINUTE)
        assert await called(town, number) == ["nobody", "Maria", "nobody"]


# ---- emergencies


async def raised(town: Town) -> TicketId:
    number = await report(town, Priority.LOW)
    await act(town, "ivan", emergencies.raise_emergency, number)
    await town.settle()
    return number


async def test_when_none_of_those_on_call_can_be_reached_the_leads_are_called_once(tmp_path: Path) -> None:
    async with towns.town(tmp_path, PEOPLE + ON_CALL + "[emergency]\nenabled = true\n") as town:
        number = await raised(town)
        first, second = await pings(town, number)
        await town.database.write(partial(escalation.undeliverable, ping_id=first.id))
        await town.later(MINUTE)
        await town.database.write(partial(escalation.undeliverable, ping_id=second.id))
        await town.later(MINUTE)
        assert await called(town, number) == ["Anna", "Boris", "Maria"]


async def test_an_emergency_that_does_not_get_through_for_a_minute_goes_to_the_leads(tmp_path: Path) -> None:
    async with towns.town(tmp_path, PEOPLE + ON_CALL + "[emergency]\nenabled = true\n") as town:
        number = await raised(town)
        *_, last = await pings(town, number)
        await town.later(MINUTE)
        await town.database.write(partial(escalation.ask_others, ping_id=last.id))
        assert await called(town, number) == ["Anna", "Boris", "Maria"]


async def test_what_breaks_again_after_it_was_resolved_can_be_an_emergency_again(tmp_path: Path) -> None:
    async with towns.town(tmp_path, PEOPLE + ON_CALL + "[emergency]\nenabled = true\n") as town:
        number = await raised(town)
        await act(town, "anna", tickets.prioritise, number, Priority.LOW)
        with pytest.raises(UserError, match=r"emergency\.raised"):
            await act(town, "ivan", emergencies.raise_emergency, number)
        await act(town, "anna", tickets.resolve, number, "Restarted it")
        await town.later(HOUR)
        await act(town, "ivan", tickets.reopen, number)
        await act(town, "ivan", emergencies.raise_emergency, number)
        assert await called(town, number) == ["Anna", "Boris", "Anna", "Boris"]


async def test_an_emergency_is_a_message_of_its_own(tmp_path: Path) -> None:
    emergency = "[emergency]\nenabled = true\n"
    async with towns.town(tmp_path, PEOPLE + TO_MARIA + emergency) as town:
        await report(town)
        waits = await report(town, Priority.LOW)
        await town.later(5 * MINUTE)
        await act(town, "ivan", emergencies.raise_emergency, waits)
        await town.settle()
        usual, urgent = open_pings(await town["maria"].sees())
        assert "Emergency" not in usual
        assert f"#{waits}" in urgent


# ---- several at once


async def test_what_goes_on_coming_is_told_anew_every_few_seconds(tmp_path: Path) -> None:
    """A message that is changed makes no sound."""
    async with desk(tmp_path, TO_MARIA) as town:
        for _ in range(8):
            await report(town)
            await town.later(8 * SECOND)
        await town.later(5 * MINUTE, step=SECOND)
        shown = open_pings(await town["maria"].sees())
        assert ["2 tickets wait" in each for each in shown] == [True] * 4


# ---- snoozes and moves


async def test_a_snooze_ends_with_the_next_promise_also_while_another_one_is_overdue(tmp_path: Path) -> None:
    promised = '[sla.critical]\nfirst_response = "10m"\nnext_response = "1h"\nresolution = "40m"\n'
    async with towns.town(tmp_path, PEOPLE + TO_MARIA + promised) as town:
        number = await report(town)
        opened = (await town.ticket(number)).created_at
        await town.later(30 * MINUTE)
        until = await act(town, "maria", escalation.snooze, number, HOUR)
        assert until == opened + 40 * MINUTE


async def test_another_team_has_as_long_as_the_first_and_the_first_is_left_alone(tmp_path: Path) -> None:
    async with desk(tmp_path, TWO_TEAMS) as town:
        number = await report(town)
        await town.later(5 * HOUR, step=HOUR)
        assert len(open_pings(await town["anna"].sees())) == 1
        await act(town, "anna", tickets.requeue, number, "network")
        await town.later(4 * MINUTE, step=MINUTE)
        assert await called(town, number) == ["Anna"]
        assert open_pings(await town["anna"].sees()) == []
        await town.later(MINUTE)
        assert await called(town, number) == ["Anna", "Boris"]
        await town.later(55 * MINUTE, step=MINUTE)
        assert await called(town, number) == ["Anna", "Boris", "Maria"]


async def test_a_note_reads_no_pings_where_no_policy_waits_for_progress(
    town_of_urgent: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await report(town_of_urgent)
    read: list[TicketId] = []
    of_ticket = store.of_ticket

    async def told(tx: Any, ticket: TicketId) -> Any:
        read.append(ticket)
        return await of_ticket(tx, ticket)

    monkeypatch.setattr(store, "of_ticket", told)
    await act(town_of_urgent, "anna", tickets.note, number, "Looks bad")
    assert read == []
    await act(town_of_urgent, "anna", tickets.take, number)
    assert set(read) == {number}


@pytest.fixture
async def town_of_urgent(tmp_path: Path) -> Any:
    async with desk(tmp_path) as opened:
        yield opened
