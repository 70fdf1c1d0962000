"""Priority from urgency × impact, who is affected, and VIPs; `/why` says what it follows from."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from core.database.transaction import Transaction
from core.kernel.clock import HandClock
from core.kernel.ids import TicketId
from core.tickets import priorities, store
from core.tickets.catalogue import (
    LADDER,
    Catalogue,
    Impact,
    Priority,
    Question,
    RequestType,
)
from core.tickets.model import Answer, fold
from core.tickets.priorities import Weight
from tests.flows.conftest import Stage
from tests.town import town as opened

DESK = """
[desk]
time_zone = "UTC"
[[people]]
name = "Ivan"
identities = ["web:ivan"]
[[people]]
name = "Olga"
identities = ["web:olga"]
vip = true
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
ask_impact = true
[[request_types]]
name = "office"
title = "Office"
keywords = ["chair"]
impact = "low"
"""


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    async with opened(tmp_path, DESK, HandClock()) as town:
        yield Stage(town, "en")


async def why(stage: Stage, number: int = 1) -> str:
    await stage.anna.say(f"/why {number}")
    return (await stage.anna.last()).text.split("\n")[1]


async def facts(stage: Stage, number: int = 1) -> dict[str, object]:
    opening = await stage.town.database.read(lambda tx: store.opening(tx, TicketId(number)))
    return {name: opening.facts.get(name) for name in ("urgency", "impact", "vip", "priority")}


ASKED = RequestType(
    "a", {"en": "A"}, "q", (Question("impact", {"en": "?"}, (), impacts=tuple(reversed(Impact))),)
)


@pytest.mark.parametrize(
    ("own", "option", "impact"),
    [
        (Impact.NORMAL, 0, Impact.NORMAL),
        (Impact.NORMAL, 1, Impact.NORMAL),
        (Impact.NORMAL, 2, Impact.HIGH),
        (Impact.LOW, 0, Impact.LOW),
        (Impact.LOW, 1, Impact.NORMAL),
        (Impact.HIGH, 0, Impact.HIGH),
        (Impact.LOW, None, Impact.LOW),
        (Impact.LOW, 9, Impact.LOW),
    ],
)
def test_an_answer_raises_the_impact_of_the_type_and_never_lowers_it(
    own: Impact, option: int | None, impact: Impact
) -> None:
    kind = RequestType("a", {}, "q", ASKED.questions, impact=own)
    assert priorities.weight(kind, None, (Answer("impact", "x", option),)).impact is impact


@pytest.mark.parametrize(("said", "vip"), [("critical", "critical"), ("high", "critical"), ("low", "normal")])
def test_a_vip_is_one_priority_higher_and_never_above_critical(said: str, vip: str) -> None:
    weight = Weight(Priority(said), Impact.NORMAL)
    assert priorities.weigh(Catalogue({}, {}), weight, vip=False) is Priority(said)
    assert priorities.weigh(Catalogue({}, {}), weight, vip=True) is Priority(vip)


def test_the_matrix_of_the_configuration_decides() -> None:
    flat = {urgency: dict.fromkeys(Impact, Priority.LOW) for urgency in Priority}
    assert LADDER[Priority.HIGH][Impact.HIGH] is Priority.CRITICAL
    weight = Weight(Priority.CRITICAL, Impact.HIGH)
    assert priorities.weigh(Catalogue({}, {}, matrix=flat), weight, vip=False) is Priority.LOW


async def test_who_is_affected_is_one_more_tap_where_the_type_asks_it(stage: Stage) -> None:
    await stage.ivan.say("vpn is down")
    asked = await stage.ivan.last()
    assert "Who is affected?" in asked
    assert list(asked.buttons)[:3] == ["Only me", "Several people", "Everybody"]
    await stage.ivan.press("Everybody")
    assert "Who is affected? Everybody" in await stage.ivan.last()
    await stage.ivan.press("Send")
    assert (await stage.ticket(1)).priority is Priority.HIGH
    assert await facts(stage) == {"urgency": "normal", "impact": "high", "vip": None, "priority": "high"}
    assert "Who is affected? Everybody" in await stage.anna.card(1)
    assert await why(stage) == "Priority high: urgency normal × impact high"


async def test_the_impact_of_the_type_counts_with_the_urgency_that_was_told(stage: Stage) -> None:
    await stage.ivan.say("my chair is broken")
    assert "Who is affected?" not in await stage.ivan.last()
    await stage.ivan.press("I cannot work")
    await stage.ivan.press("Send")
    assert (await stage.ticket(1)).priority is Priority.NORMAL
    assert await why(stage) == "Priority normal: urgency high × impact low"


async def test_a_ticket_of_a_vip_is_one_higher_and_bears_a_star(stage: Stage) -> None:
    olga = stage.town["olga"]
    await olga.say("vpn is down")
    await olga.press("Only me")
    await olga.press("Send")
    assert (await stage.ticket(1)).priority is Priority.HIGH
    assert "Olga ⭐ VIP" in await stage.anna.card(1)
    assert await why(stage) == "Priority high: urgency normal × impact normal, VIP"
    await stage.report(stage.ivan, "vpn drops")
    assert "⭐" not in (await stage.anna.card(2)).text
    await stage.town.restart(DESK.replace("vip = true\n", ""))
    await olga.say("/new my chair")
    await olga.press("I cannot work")
    await olga.press("Send")
    assert (await facts(stage, 3))["vip"] is None


async def test_what_is_reported_for_a_vip_is_one_higher_too(stage: Stage) -> None:
    await stage.anna.say("/new for @Olga my chair is broken")
    await stage.anna.press("It slows me down")
    await stage.anna.press("Send")
    assert (await stage.ticket(1)).priority is Priority.NORMAL
    assert await why(stage) == "Priority normal: urgency normal × impact low, VIP"
    assert "Olga ⭐ VIP" in await stage.anna.card(1)


async def test_agents_say_who_is_affected_and_the_reason_is_kept(stage: Stage) -> None:
    await stage.report(stage.ivan, "vpn drops")
    await stage.anna.say("/impact 1 high the whole floor")
    assert (await stage.ticket(1)).priority is Priority.HIGH
    line = (await stage.anna.thread(1))[-1].text
    assert line == "Anna: everybody is affected; the priority goes from normal to high: the whole floor"
    assert await why(stage) == (
        "Priority high: urgency normal × impact high, by the word of Anna: the whole floor"
    )
    await stage.anna.say("/impact 1 high")
    assert "leaves the priority of #1 as it is" in await stage.anna.last()
    await stage.anna.say("/impact 1 huge")
    assert "can be high, normal, low" in await stage.anna.last()
    timeline = await stage.town.database.read(lambda tx: store.timeline(tx, TicketId(1)))
    assert fold(timeline) == await stage.ticket(1)


async def test_everybody_is_affected_is_a_choice_of_the_form_as_well(stage: Stage) -> None:
    await stage.report(stage.ivan, "vpn drops")
    await stage.anna.fill("Priority…", priority="everybody", reason="the floor")
    assert (await stage.ticket(1)).priority is Priority.HIGH
    assert "everybody is affected" in (await stage.anna.thread(1))[-1].text


async def test_a_priority_set_by_hand_counts_as_the_urgency_from_then_on(stage: Stage) -> None:
    await stage.report(stage.ivan, "vpn drops")
    await stage.anna.say("/priority 1 critical the boss")
    assert await why(stage) == "Priority critical, set by Anna: the boss"
    await stage.anna.say("/impact 1 high")
    assert "leaves the priority of #1 as it is" in await stage.anna.last()
    await stage.anna.say("/priority 1 low")
    await stage.anna.say("/impact 1 high")
    assert (await stage.ticket(1)).priority is Priority.NORMAL


async def test_only_those_who_work_on_it_say_who_is_affected(stage: Stage) -> None:
    await stage.report(stage.ivan, "vpn drops")
    await stage.ivan.say("/impact 1 high")
    assert (await stage.ticket(1)).priority is Priority.NORMAL


async def test_an_emergency_is_named_as_the_reason_and_what_was_before_when_it_is_over(
    tmp_path: Path,
) -> None:
    async with opened(tmp_path, DESK + '[emergency]\nenabled = true\nhours = "always"\n') as town:
        stage = Stage(town, "en")
        await stage.report(stage.ivan, "vpn drops")
        await stage.ivan.say("/emergency 1")
        await stage.ivan.press("Yes, call")
        assert await why(stage) == "Priority critical: an emergency, Ivan says"
        await stage.ivan.press("It can wait after all")
        assert await why(stage) == "Priority normal: urgency normal × impact normal"


async def test_a_ticket_from_before_says_that_its_priority_is_as_it_was_reported(stage: Stage) -> None:
    await stage.report(stage.ivan, "vpn drops")

    async def forget(tx: Transaction) -> None:
        opening = await store.opening(tx, TicketId(1))
        told = {name: value for name, value in opening.facts.items() if name not in ("urgency", "impact")}
        await tx.execute(store.events.update().where(store.events.c.kind == "opened").values(facts=told))

    await stage.town.database.write(forget)
    assert await why(stage) == "Priority normal, as it was reported"
