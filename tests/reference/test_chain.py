"""Thousands of histories of a ticket: the desk asks exactly when a model that counts minutes does."""

import os
import random
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from core.escalation.model import Chain, Of, Policies, Policy, Sent, Step, plan, restarted
from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import PersonId, TicketId
from core.sla import actions as sla
from core.sla.calendars import Calendar
from core.sla.model import Promise, Promises, Target
from core.sla.model import Rule as Promised
from core.tickets import model
from core.tickets.catalogue import Priority
from core.tickets.model import Ticket
from tests.reference.chain import Desk, Rule

START = datetime(2026, 3, 2, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
DAYS = 3
HISTORIES = 10_000 if os.environ.get("DESKBRIDGE_TEST_STEPS") else 1_000
RULES = (1, 5, 17, 30, 60, 61, 240)
HOURS = {
    "always": None,
    "office": ((540, 780), (840, 1080)),
    "nights": ((0, 360), (1320, 1440)),
    "short": ((600, 615), (700, 701)),
}
KINDS = (
    "claimed", "released", "replied", "said", "noted", "waited", "held", "resumed", "resolved", "reopened",
    "prioritised", "progressed", "promised", "snoozed",
)  # fmt: skip
TARGETS = {"first_response": Target.FIRST, "next_response": Target.NEXT, "resolution": Target.RESOLUTION}


class Case:
    """Rules, calendars and a history drawn from one seed, for both."""

    def __init__(self, seed: int) -> None:
        draw = self.draw = random.Random(seed)
        self.promised_on, self.counted_on = draw.choice(list(HOURS)), draw.choice(list(HOURS))
        self.lengths = {each: {name: draw.choice((10, 30, 60, 200)) for name in TARGETS} for each in Priority}
        urgent, usual = self._rules(), self._rules()
        self.rules = {
            each: ("urgent", urgent) if each in ("critical", "high") else ("usual", usual)
            for each in Priority
        }
        self.opened = draw.randrange(0, 1440)
        self.events = sorted(
            (self.opened + draw.randrange(1, 1440), draw.choice(KINDS)) for _ in range(draw.randrange(12))
        )

    def _rules(self) -> list[Rule]:
        return [self._rule() for _ in range(self.draw.randrange(1, 5))]

    def _rule(self) -> Rule:
        draw = self.draw
        of = draw.choice([each.value for each in Of])
        after = draw.choice(RULES) * (draw.choice((-1, 1)) if of in TARGETS else 1)
        times = draw.choice((1, 1, 3))
        return Rule(after, of, draw.choice(RULES) if times > 1 else 0, times)


def in_code(case: Case) -> tuple[Policies, Promises]:
    """The same rules as the desk has them."""
    calendars = {name: Calendar(name, UTC, hours and (hours,) * 7) for name, hours in HOURS.items()}
    told = [
        Promised(
            {
                TARGETS[name]: Promise(minutes * MINUTE, calendars[case.promised_on])
                for name, minutes in case.lengths[priority].items()
            },
            (priority,),
        )
        for priority in Priority
    ]
    policies = [
        Policy(
            name,
            priorities,
            (),
            tuple(
                Step(rule.after * MINUTE, Of(rule.of), "agents", rule.repeat * MINUTE or None, rule.times)
                for rule in case.rules[priorities[0]][1]
            ),
            calendars[case.counted_on],
        )
        for name, priorities in (("urgent", tuple(Priority)[:2]), ("usual", tuple(Priority)[2:]))
    ]
    return Policies(tuple(policies)), Promises(tuple(told))


class Code:
    """The desk's own plan, walked from due time to due time."""

    def __init__(self, case: Case) -> None:
        self.policies, self.promises = in_code(case)
        opening = {
            "title": "x", "type": "other", "queue": "support", "priority": Priority.NORMAL, "requester": 1,
            "home": "web:x", "answers": [],
        }  # fmt: skip
        self.now = instant(case.opened)
        self.ticket = model.opened(Event(TicketId(1), "opened", self.now, PersonId(1), "web", opening))
        self.clocks = sla.after(self.promises, self.now, self.ticket, {})
        self.chain = Chain(TicketId(1))
        self.pinged: dict[str, dict[Any, Sent]] = {"urgent": {}, "usual": {}}
        self.pings: list[tuple[int, str, int, int]] = []

    @property
    def policy(self) -> Policy:
        found = self.policies.of(self.ticket)
        assert found is not None
        return found

    def happens(self, kind: str, facts: Mapping[str, Any]) -> None:
        event = Event(TicketId(1), kind, self.now, PersonId(2), "web", facts)
        if kind in ("promised", "snoozed"):
            self.chain = replace(self.chain, quiet_until=facts["until"])
            return
        self.ticket = model.evolve(self.ticket, event)
        self.clocks = sla.after(self.promises, self.now, self.ticket, self.clocks)
        if kind in ("prioritised", "reopened"):
            self.chain = Chain(TicketId(1), started_at=self.now)

    def until(self, end: datetime, *, also: bool) -> None:
        """Ask everything that is due before `end`; `also` what is due at it."""
        while True:
            quiet = self.chain.quiet_until
            coming = plan(self.policy, self.ticket, self.chain, self.pinged[self.policy.name], self.clocks)
            first = min((due[3] for due in coming), default=None) if quiet is None else quiet
            if first is None or first > end or (first == end and not also):
                break
            self.now = max(self.now, first)
            if quiet is not None:
                self.chain = restarted(self.policy, self.ticket, self.now)
                continue
            place, time, base_at, _ = min(coming, key=lambda due: (due[3], due[0]))
            self.pinged[self.policy.name][place, base_at] = Sent(time + 1, self.now)
            self.pings.append((minute_of(self.now), self.policy.name, place, time))
        self.now = max(self.now, end)


def instant(minute: int) -> datetime:
    return START + minute * MINUTE


def minute_of(at: datetime) -> int:
    return int((at - START) / MINUTE)


def facts_of(case: Case, kind: str, minute: int) -> tuple[Any, dict[str, Any]]:
    """What comes with it, for the model and for the code."""
    if kind == "prioritised":
        priority = case.draw.choice(list(Priority))
        return priority, {"priority": priority}
    if kind in ("promised", "snoozed"):
        until = minute + case.draw.choice((1, 15, 30, 90))
        return until, {"until": instant(until)}
    return None, {"owner": 2, "until": None, "text": ""}


def run(case: Case) -> tuple[Code, Desk]:
    """The same history through both."""
    truths = {
        name: [hours is None or any(a <= m % 1440 < b for a, b in hours) for m in range(DAYS * 1440)]
        for name, hours in HOURS.items()
    }
    shifted = {name: told[case.opened :] for name, told in truths.items()}
    code = Code(case)
    desk = Desk(shifted, case.lengths, case.rules, case.promised_on, case.counted_on, Priority.NORMAL)
    clock = 0
    for minute, kind in [*case.events, (case.opened + 1440 + 60, "")]:
        while clock < minute - case.opened:
            desk.minute(clock)
            desk.passes(clock)
            clock += 1
        code.until(instant(minute), also=False)
        if kind and possible(code.ticket, kind):
            told, facts = facts_of(case, kind, minute)
            for each in ("claimed", kind) if needs_owner(code.ticket, kind) else (kind,):
                code.happens(each, facts)
                desk.happens(each, clock, told - case.opened if isinstance(told, int) else told)
    return code, desk


def possible(ticket: Ticket, kind: str) -> bool:
    try:
        model.check(ticket, kind)
    except UserError:
        return False
    return not (kind == "claimed" and ticket.owner)


def needs_owner(ticket: Ticket, kind: str) -> bool:
    return kind in ("replied", "resolved", "waited") and ticket.owner is None


@pytest.mark.timeout(600)
def test_ten_thousand_histories_ask_what_counting_minutes_asks() -> None:
    asked = 0
    for seed in range(HISTORIES):
        case = Case(seed)
        code, desk = run(case)
        expected = sorted((at + case.opened, name, place, time) for at, name, place, time in desk.pings)
        assert sorted(code.pings) == expected, f"seed {seed}"
        asked += len(expected)
    assert asked > HISTORIES
