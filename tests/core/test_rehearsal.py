"""What is told beforehand is what happens: simulate, and the doctor's proof."""

from datetime import timedelta
from pathlib import Path

import pytest

from bot import doctor, i18n, rehearsal
from bot.adapters.port import Finding
from core.database.transaction import Transaction
from core.escalation.model import Policies
from core.escalation.rehearsal import Happening, imagined, rehearse
from core.people.model import Role
from core.tickets.catalogue import Priority
from tests import town as towns
from tests.core.test_escalation import (
    CALM,
    HOUR,
    MINUTE,
    PEOPLE,
    URGENT,
    ask_nobody,
    asked,
    desk,
    pings,
    report,
)
from tests.town import Town

MIXED = """
[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [
  { after = "1m", of = "unclaimed", whom = "agents", repeat = "2m", until = "6m" },
  { before = "5m", of = "first_response", whom = "lead" },
  { after = "10m", of = "unclaimed", level = "L2", whom = "agents" },
  { after = "30m", of = "unresolved", whom = "space" },
  { after = "0s", of = "resolution", whom = "Maria" },
]
[sla.critical]
first_response = "20m"
next_response = "20m"
resolution = "1h"
"""
SILENT = """
[[escalations]]
name = "urgent"
steps = [{ after = "1m", of = "unclaimed", whom = "space" }]
"""


async def told(town: Town) -> list[Happening]:
    async def look(tx: Transaction) -> list[Happening]:
        [policy, *_] = tx.rule(Policies).all
        ticket = imagined(Priority.CRITICAL, "support", "other", tx.now)
        return [each async for each in rehearse(tx, policy, ticket)]

    return await town.database.read(look)


@pytest.mark.parametrize("policy", [URGENT + CALM, MIXED], ids=["urgent", "mixed"])
async def test_what_was_told_beforehand_is_what_happens_to_a_ticket_nobody_touches(
    tmp_path: Path, policy: str
) -> None:
    async with towns.town(tmp_path, PEOPLE + policy) as town:
        expected = await told(town)
        number = await report(town)
        await town.later(3 * HOUR, step=MINUTE)
        names = [target.name for each in expected for target in each.targets]
        assert len(names) >= 4
        assert await asked(town, number) == names
        happened = [(ping.due_at, ping.step, ping.time) for ping in await pings(town, number)]
        assert happened == [(each.at, each.place, each.time) for each in expected for _ in each.targets]
        assert (await town.ticket(number)).level is expected[-1].level


async def test_a_step_with_nobody_to_ask_makes_the_next_one_come_at_once_in_the_telling_too(
    tmp_path: Path,
) -> None:
    nobody = """
[[escalations]]
name = "urgent"
steps = [
  { after = "1m", of = "unclaimed", whom = "agents" },
  { after = "9m", of = "unclaimed", whom = "lead" },
]
"""
    async with desk(tmp_path, nobody) as town:
        ask_nobody(town)
        happenings = await told(town)
        assert [each.at - happenings[0].at for each in happenings] == [timedelta(0), timedelta(0)]
        number = await report(town)
        await town.later(MINUTE)
        assert await asked(town, number) == ["None", "Maria"]


async def findings(town: Town) -> list[Finding]:
    async def look(tx: Transaction) -> list[Finding]:
        return [each async for each in rehearsal.proof(tx, frozenset(town.house.adapters))]

    return await town.database.read(look)


def words(finding: Finding, town: Town) -> str:
    return i18n.word(finding.text, "en", time_zone="UTC", now=town.clock.now())


async def test_the_doctor_proves_that_a_policy_reaches_somebody_at_every_hour(tmp_path: Path) -> None:
    async with desk(tmp_path) as town:
        [urgent, usual] = await findings(town)
        assert urgent.ok
        assert usual.ok
        assert words(usual, town) == (
            "Policy “usual” reaches a person of “support” at every hour of the coming week, "
            "at the latest after 20 min."
        )


async def test_the_doctor_names_a_policy_that_asks_rooms_alone(tmp_path: Path) -> None:
    async with desk(tmp_path, SILENT) as town:
        [finding] = await findings(town)
        assert finding.ok is False
        assert "reaches nobody of support for tickets opened at 168 hours" in words(finding, town)


async def test_whoever_can_be_reached_through_no_connected_messenger_counts_as_nobody(tmp_path: Path) -> None:
    async with desk(tmp_path) as town:
        found = await town.database.read(_unconnected)
        assert [finding.ok for finding in found] == [False, False]


async def _unconnected(tx: Transaction) -> list[Finding]:
    return [each async for each in rehearsal.proof(tx, frozenset({"telegram"}))]


async def test_simulate_says_in_plain_lines_what_would_happen_when(tmp_path: Path) -> None:
    async with towns.town(tmp_path, PEOPLE + MIXED) as town:
        rules = town.house.desk.rules
        chosen = rehearsal.chosen(rules.policies, rules.catalogue, None, "critical support")

        async def look(tx: Transaction) -> list[str]:
            lines = rehearsal.told(tx, *chosen, tx.now)
            return [i18n.word(line, "en", time_zone="UTC", now=tx.now) async for line in lines]

        lines = await town.database.read(look)
    assert lines[0] == (
        "09:00  A ticket is opened: critical, support, other. Policy urgent. Nobody does anything."
    )
    assert lines[1] == "09:01  Step 1 (1 of 3): asks Anna."
    assert "09:10  Step 3: the ticket goes to L2; asks Boris." in lines
    assert lines[-1] == "Nothing more happens within two weeks."


@pytest.mark.parametrize(
    ("words_", "policy", "valid"),
    [
        ("criticl", None, "'criticl' is no priority, queue or request type. Priorities: critical, high"),
        ("critical", "urgnt", "there is no policy 'urgnt'. Valid: urgent, usual"),
        ("low", None, "no policy covers tickets of priority low in the queue support"),
    ],
)
async def test_a_ticket_or_policy_that_does_not_exist_is_answered_with_what_does(
    tmp_path: Path, words_: str, policy: str | None, valid: str
) -> None:
    async with desk(tmp_path) as town:
        rules = town.house.desk.rules
        with pytest.raises(ValueError, match=valid.replace(".", r"\.")):
            rehearsal.chosen(rules.policies, rules.catalogue, policy, words_)


async def test_the_doctor_says_whom_the_desk_learns_only_at_its_next_start(tmp_path: Path) -> None:
    async with desk(tmp_path) as town:
        settings = town.settings
        assert await town.database.read(lambda tx: doctor.not_known_yet(tx, settings)) == []
        olga = settings.people[0].model_copy(update={"name": "Olga", "roles": frozenset({Role.LEAD})})
        later = settings.model_copy(update={"people": (*settings.people, olga)})
        [finding] = await town.database.read(lambda tx: doctor.not_known_yet(tx, later))
        assert finding.ok is None
        assert "at its next start: Olga." in words(finding, town)
