"""The auditor: damage done by hand is found, put right, and told once to those who run the desk."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import TextClause, delete, insert, text, update

from bot import audit as auditing
from bot import config, rules
from bot.audit import Verdict
from bot.metrics import Metrics
from core.audit.model import CLOCK, DUTY, LIMIT, OVERDUE, PING, TIMER
from core.database.transaction import Transaction
from core.desk import Desk
from core.escalation import actions as escalation
from core.kernel.errors import PermanentError, TemporaryError, UserError
from core.kernel.ids import TicketId
from core.outbox.store import outbox
from core.reactions import CLOSE, DUE, HOLD_OVER
from core.sla.model import Target
from core.sla.store import clocks, due_times
from core.tickets import actions as tickets
from core.tickets.catalogue import Priority
from core.tickets.model import Status
from core.timers.store import timers
from tests import town as towns
from tests.core.test_escalation import INSTANT, PEOPLE, act, asked, report
from tests.town import Town

SECOND, MINUTE, HOUR = timedelta(seconds=1), timedelta(minutes=1), timedelta(hours=1)
POLICY = """
[[escalations]]
name = "all"
steps = [
  { after = "10m", of = "unclaimed", whom = "agents", repeat = "10m", times = 2 },
  { after = "20m", of = "unanswered", whom = "owner" },
  { after = "5h", of = "unresolved", whom = "lead" },
]
"""
OFFICE = """
[[calendars]]
name = "office"
hours = ["mon-fri 9:00-18:00"]
[sla.critical]
first_response = "1h"
next_response = "2h"
resolution = "8h"
calendar = "office"
"""


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[Town]:
    async with towns.town(tmp_path, PEOPLE + POLICY + OFFICE) as opened:
        yield opened


async def audited(town: Town) -> Verdict:
    """One audit, with everything that comes of it."""
    verdict = await town.house.audit.run()
    await town.settle()
    return verdict


async def alarms(town: Town, account: str = "maria") -> list[str]:
    return [shown.text for shown in await town[account].sees() if "Check of the desk" in shown.text]


async def rows(town: Town, number: TicketId) -> dict[str, list[Any]]:
    """The ticket's timers and clocks, but for the ids of rows."""

    async def look(tx: Transaction) -> dict[str, list[Any]]:
        found = {}
        for table in (timers, clocks):
            got = await tx.all(table.select().where(table.c.ticket_id == number))
            found[table.name] = sorted(
                [
                    {k: str(v) for k, v in row._mapping.items() if k not in ("id", "fence", "lease_until")}
                    for row in got
                ],
                key=str,
            )
        return found

    return await town.database.read(look)


# ---- a desk in order


async def _nothing(town: Town, number: TicketId) -> None:
    pass


async def _wait(town: Town, number: TicketId) -> None:
    await act(town, "anna", tickets.take, number)
    await act(town, "anna", tickets.wait, number, "Which version?")


async def _come_back(town: Town, number: TicketId) -> None:
    await _wait(town, number)
    await town.later(HOUR, step=10 * MINUTE)
    await act(town, "ivan", tickets.say, number, "5.1")


async def _hold(town: Town, number: TicketId) -> None:
    await act(town, "anna", tickets.hold, number, town.clock.now() + 3 * HOUR)


async def _answer(town: Town, number: TicketId) -> None:
    await act(town, "anna", tickets.reply, number, "Try again")
    await act(town, "ivan", tickets.say, number, "I did")


async def _resolve(town: Town, number: TicketId) -> None:
    await act(town, "anna", tickets.resolve, number)


async def _reopen(town: Town, number: TicketId) -> None:
    await _resolve(town, number)
    await town.later(HOUR)
    await act(town, "ivan", tickets.reopen, number)


async def _raise_resolved(town: Town, number: TicketId) -> None:
    await _resolve(town, number)
    await town.later(HOUR)
    await act(town, "anna", tickets.prioritise, number, Priority.LOW)


async def _snooze(town: Town, number: TicketId) -> None:
    await act(town, "anna", escalation.snooze, number, 30 * MINUTE)


async def _snooze_and_resolve(town: Town, number: TicketId) -> None:
    await _snooze(town, number)
    await _resolve(town, number)


async def _let_it_age(town: Town, number: TicketId) -> None:
    await town.later(6 * HOUR, step=MINUTE)


LIVES: Mapping[str, Callable[[Town, TicketId], Any]] = {
    "new": _nothing,
    "waiting": _wait,
    "open again": _come_back,
    "on hold": _hold,
    "answered": _answer,
    "resolved": _resolve,
    "reopened": _reopen,
    "resolved and changed": _raise_resolved,
    "snoozed": _snooze,
    "snoozed and resolved": _snooze_and_resolve,
    "aged": _let_it_age,
}


@pytest.mark.parametrize("life", LIVES)
async def test_a_desk_in_order_has_nothing_to_be_found_at_any_time_of_a_ticket(town: Town, life: str) -> None:
    number = await report(town)
    await LIVES[life](town, number)
    for _ in range(30):
        verdict = await audited(town)
        assert (verdict.seen, verdict.found) == ((await town.ticket(number)).status is not Status.CLOSED, [])
        await town.later(7 * MINUTE)
    assert town.house.audit.vouches
    assert await alarms(town) == []


async def test_what_has_fallen_due_this_instant_is_no_finding(town: Town) -> None:
    await report(town)
    for _ in range(6):
        town.clock.advance(10 * MINUTE)
        assert (await audited(town)).found == []


async def test_an_audit_looks_at_every_ticket_stretch_by_stretch(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = [await report(town) for _ in range(7)]
    monkeypatch.setattr(auditing, "STRETCH", 3)
    await town.database.write(lambda tx: tx.execute(delete(timers)))
    verdict = await audited(town)
    assert verdict.seen == 7
    assert {finding.ticket for finding in verdict.found} == set(numbers)
    assert verdict.left == []
    assert (await audited(town)).found == []


# ---- damage


def _shifted(column: str, span: timedelta) -> TextClause:
    """The column's instant so much later, in the microseconds in which it is kept."""
    return text(f"{column} + {span // INSTANT}")


_OF_KIND: Mapping[str, Callable[[Town, TicketId], Any]] = {
    escalation.STEP: _nothing,
    DUE: _nothing,
    CLOSE: _resolve,
    HOLD_OVER: _hold,
    escalation.QUIET_OVER: _snooze,
}


def _removed(number: TicketId, kind: str) -> Any:
    return delete(timers).where(timers.c.ticket_id == number, timers.c.kind == kind)


def _moved_on(number: TicketId, kind: str) -> Any:
    mine = update(timers).where(timers.c.ticket_id == number, timers.c.kind == kind)
    return mine.values(due_at=_shifted("due_at", timedelta(days=9)))


def _moved_up(number: TicketId, kind: str) -> Any:
    mine = update(timers).where(timers.c.ticket_id == number, timers.c.kind == kind)
    return mine.values(due_at=_shifted("due_at", -MINUTE))


def _doubled(number: TicketId, kind: str) -> Any:
    columns = ["kind", "ticket_id", "key", "due_at", "facts", "fence"]
    t = timers.c
    again = timers.select().with_only_columns(t.kind, t.ticket_id, t.key + ".9", t.due_at, t.facts, t.fence)
    return insert(timers).from_select(columns, again.where(t.ticket_id == number, t.kind == kind))


@pytest.mark.parametrize("damage", [_removed, _moved_on, _moved_up, _doubled])
@pytest.mark.parametrize("kind", _OF_KIND)
async def test_a_timer_that_is_gone_moved_or_doubled_is_set_right_and_told_once(
    town: Town, kind: str, damage: Callable[[TicketId, str], Any]
) -> None:
    number = await report(town)
    await _OF_KIND[kind](town, number)
    await town.settle()
    before = await rows(town, number)
    assert await town.database.write(lambda tx: tx.execute(damage(number, kind)))
    assert await rows(town, number) != before

    verdict = await audited(town)

    assert {(each.about, each.ticket, each.what) for each in verdict.found} == {(TIMER, number, kind)}
    assert verdict.left == []
    assert await rows(town, number) == before
    assert [
        f"timers of 1 ticket were missing or wrong (#{number})" in each for each in await alarms(town)
    ] == [True]
    assert await alarms(town, "anna") == [], "only those who run the desk are told"
    assert town.house.audit.vouches, "the next pass was clean"


def _clock(number: TicketId, **values: Any) -> Any:
    return (
        update(clocks).where(clocks.c.ticket_id == number, clocks.c.target == "resolution").values(**values)
    )


_CLOCK_DAMAGE: Mapping[str, Callable[[TicketId], Any]] = {
    "gone": lambda number: delete(clocks).where(clocks.c.ticket_id == number),
    "due at another time": lambda number: _clock(number, due_at=_shifted("due_at", HOUR)),
    "warns at another time": lambda number: _clock(number, warn_at=_shifted("warn_at", HOUR)),
    "longer": lambda number: _clock(number, length=9 * HOUR),
    "on another calendar": lambda number: _clock(number, calendar="always"),
    "standing still": lambda number: _clock(number, paused_at=text("started_at")),
    "one gone": lambda number: delete(clocks).where(clocks.c.ticket_id == number, clocks.c.target == "first"),
    "begun before the ticket": lambda number: _clock(number, started_at=_shifted("started_at", -HOUR)),
}


@pytest.mark.parametrize("damage", _CLOCK_DAMAGE)
@pytest.mark.parametrize("life", ["new", "open again"])
async def test_a_clock_that_is_wrong_is_counted_anew_from_the_timeline(
    town: Town, life: str, damage: str
) -> None:
    number = await report(town)
    await LIVES[life](town, number)
    await town.settle()
    before = await rows(town, number)
    assert await town.database.write(lambda tx: tx.execute(_CLOCK_DAMAGE[damage](number)))
    verdict = await audited(town)
    assert CLOCK in {each.about for each in verdict.found}
    assert verdict.left == []
    assert await rows(town, number) == before
    assert any("due times of 1 ticket were wrong (#1)" in each for each in await alarms(town))


async def test_a_met_clock_of_an_open_ticket_runs_again(town: Town) -> None:
    number = await report(town)
    before = await rows(town, number)
    over = update(clocks).where(clocks.c.ticket_id == number, clocks.c.target == "resolution")
    await town.database.write(lambda tx: tx.execute(over.values(met_at=tx.now)))
    assert {each.what for each in (await audited(town)).found} >= {"resolution"}
    assert await rows(town, number) == before


async def test_a_ping_that_no_parcel_carries_is_sent_and_told(town: Town) -> None:
    number = await report(town)
    town.clock.advance(10 * MINUTE)
    await town.house.scheduler.tick()
    await town.database.write(lambda tx: tx.execute(delete(outbox).where(outbox.c.kind == "ping")))
    await town.settle()
    assert not [shown for shown in await town["anna"].sees() if shown.tone == "ping"]

    verdict = await audited(town)

    assert [(each.about, each.ticket) for each in verdict.found] == [(PING, number)]
    assert verdict.left == []
    [shown] = [shown for shown in await town["anna"].sees() if shown.tone == "ping"]
    assert "Take it" in shown.buttons
    assert any("a ping about 1 ticket had reached nobody (#1)" in each for each in await alarms(town))
    assert (await audited(town)).found == []


async def test_a_ping_that_was_given_up_without_a_word_goes_to_the_next_person(town: Town) -> None:
    number = await report(town)
    town.clock.advance(10 * MINUTE)
    await town.house.scheduler.tick()
    dead = update(outbox).where(outbox.c.kind == "ping").values(state="dead")
    await town.database.write(lambda tx: tx.execute(dead))
    assert [each.what for each in (await audited(town)).found] == ["dead"]
    assert await asked(town, number) == ["Anna", "Boris"]
    assert (await audited(town)).found == []


async def test_a_ping_that_nothing_lets_through_is_an_alarm_after_two_minutes(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await report(town)

    async def shut(*_: Any, **__: Any) -> Any:
        raise TemporaryError("out of reach")

    town.clock.advance(10 * MINUTE)
    with monkeypatch.context() as patched:
        patched.setattr(town.house.adapters["web"], "post", shut)
        await town.settle()
        town.clock.advance(LIMIT)
        assert (await town.house.audit.run()).found == [], "it may still get there in time"
        town.clock.advance(SECOND)
        verdict = await town.house.audit.run()
        assert [(each.about, each.ticket) for each in verdict.left] == [(PING, number)]
        assert not town.house.audit.vouches
        assert town.house.audit.health().note.startswith("1 findings left: pings")
    await town.later(2 * HOUR, step=HOUR)
    assert any("have been waiting" in each or "has been waiting" in each for each in await alarms(town))
    assert (await audited(town)).found == []
    assert town.house.audit.vouches


async def test_a_timer_that_fails_again_and_again_is_an_alarm(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    number = await report(town)

    async def fails(self: Desk, timer: Any) -> bool:
        raise PermanentError("a fault")

    monkeypatch.setattr(Desk, "fire", fails)
    town.clock.advance(10 * MINUTE + LIMIT)
    assert (await town.house.audit.run()).found == []
    town.clock.advance(SECOND)
    verdict = await town.house.audit.run()
    assert [(each.about, each.ticket, each.what) for each in verdict.left] == [
        (OVERDUE, number, escalation.STEP)
    ]
    assert not town.house.audit.vouches
    await town.house.delivery.catch_up()
    assert any("should have fired" in each for each in await alarms(town))


async def test_a_hand_over_that_fails_again_and_again_is_an_alarm_that_names_no_ticket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fails(self: Desk, timer: Any) -> bool:
        raise PermanentError("a fault")

    rota = """
[[rotas]]
name = "first"
[[rotas.layers]]
people = ["Anna", "Boris"]
starts = "2026-03-02"
turn = "1d"
"""
    async with towns.town(tmp_path, PEOPLE + rota) as town:
        monkeypatch.setattr(Desk, "fire", fails)
        town.clock.advance(timedelta(days=1))
        verdict = await town.house.audit.run()
        assert [(each.about, each.what) for each in verdict.left] == [(DUTY, "shift")]
        await town.house.delivery.catch_up()
        [told] = await alarms(town)
        assert "who is on call" in told
        assert "#0" not in told


# ---- telling


async def test_of_each_kind_of_damage_one_alarm_an_hour_is_told_also_over_a_restart(town: Town) -> None:
    number = await report(town)

    async def again() -> int:
        await town.database.write(lambda tx: tx.execute(_removed(number, DUE)))
        await audited(town)
        return len(await alarms(town))

    assert [await again(), await again()] == [1, 1]
    await town.restart()
    assert await again() == 1
    await town.later(59 * MINUTE)
    assert await again() == 1
    await town.later(MINUTE)
    assert await again() == 2


async def test_without_leads_and_admins_whoever_works_here_is_told(tmp_path: Path) -> None:
    agents = PEOPLE.replace('["lead"]', '["agent"]').replace('["agent"]', '["admin"]', 1)
    async with towns.town(tmp_path, agents + POLICY + OFFICE) as town:
        number = await report(town)
        await town.database.write(lambda tx: tx.execute(_removed(number, DUE)))
        await audited(town)
        assert len(await alarms(town, "anna")) == 1, "the only admin"
        assert await alarms(town, "maria") == []


async def test_the_numbers_and_readyz_say_what_was_found(town: Town) -> None:
    number = await report(town)
    health = town.house.health()
    assert health["audit"].ok
    assert health["audit"].note == "not audited yet"
    await town.database.write(lambda tx: tx.execute(_removed(number, DUE)))
    await town.house.audit.run()
    assert town.house.audit.health().note == "1 findings put right at 09:00 UTC, 1 tickets"
    assert value(town.house.metrics, "deskbridge_audit_clean") == 1
    assert value(town.house.metrics, "deskbridge_audit_tickets") == 1
    await town.house.audit.run()
    assert town.house.audit.health().note == "clean at 09:00 UTC, 1 tickets"
    assert value(town.house.metrics, "deskbridge_audit_findings", about="timers") == 0
    town.clock.advance(16 * MINUTE)
    assert town.house.audit.health().note == "no audit for 16 min"
    assert not town.house.audit.vouches


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def test_what_moves_while_it_is_looked_at_is_no_finding(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A finding is looked at again where it is mended, and the ticket may be another one by then."""
    number = await report(town)
    await town.database.write(lambda tx: tx.execute(_removed(number, DUE)))
    survey = town.database.survey

    async def then_it_is_resolved(work: Any) -> Any:
        found = await survey(work)
        with contextlib.suppress(UserError):  # it is resolved already, the second time
            await act(town, "anna", tickets.resolve, number)
        return found

    monkeypatch.setattr(town.database, "survey", then_it_is_resolved)
    assert (await audited(town)).found == []


async def test_rules_that_change_while_it_looks_are_no_finding(town: Town, tmp_path: Path) -> None:
    numbers = [await report(town) for _ in range(30)]
    file = tmp_path / "other.toml"
    file.write_text(PEOPLE + POLICY + OFFICE.replace("1h", "3h").replace("mon-fri", "tue-sat"))
    changed = rules.rules(config.load(file, {}))
    _, verdict = await asyncio.gather(town.house.desk.adopt(changed), audited(town))
    assert verdict.found == []
    found = await town.database.read(lambda tx: due_times(tx, numbers[-1]))
    assert found[Target.FIRST][0] == town.clock.now() + 27 * HOUR
    assert (await audited(town)).found == []


async def test_a_survey_sees_one_state_and_can_change_nothing(town: Town) -> None:
    await report(town)

    async def change(tx: Transaction) -> None:
        await tx.execute(delete(timers))

    with pytest.raises(Exception, match=r"read-?only"):
        await town.database.survey(change)
    assert await town.database.survey(lambda tx: tx.all(timers.select()))


async def test_a_survey_that_is_called_off_keeps_its_connection_until_its_thread_has_ended(
    town: Town,
) -> None:
    begun, may_end = threading.Event(), threading.Event()

    async def long(tx: Transaction) -> None:
        await tx.all(timers.select())
        begun.set()
        may_end.wait(5)
        await tx.all(timers.select())

    first = asyncio.create_task(town.database.survey(long))
    await asyncio.to_thread(begun.wait, 5)
    first.cancel()
    second = asyncio.create_task(town.database.survey(lambda tx: tx.all(timers.select())))
    for _ in range(5):
        await asyncio.sleep(0)
    assert not first.done()
    may_end.set()
    await asyncio.wait([first, second])
    assert first.cancelled()
    assert second.exception() is None
