"""Policies and the chain of a ticket; when each step is due is a pure function of both."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.kernel.ids import PersonId, PingId, TicketId
from core.tickets.catalogue import Priority
from core.tickets.model import Status, Ticket


class Of(StrEnum):
    """What a step's time is counted from."""

    UNCLAIMED = "unclaimed"
    UNANSWERED = "unanswered"
    UNRESOLVED = "unresolved"


AGENTS, OWNER, LEAD, SPACE = "agents", "owner", "lead", "space"
"""Whom a step asks; any other word is a person's name."""


@dataclass(frozen=True, slots=True)
class Step:
    """After `after` of `of`, ask `whom`; `times` times in all, `repeat` apart."""

    after: timedelta
    of: Of
    whom: str
    repeat: timedelta | None = None
    times: int = 1


@dataclass(frozen=True, slots=True)
class Policy:
    """The steps for tickets of these priorities in these queues (none named: in all)."""

    name: str
    priorities: tuple[Priority, ...]
    queues: tuple[str, ...]
    steps: tuple[Step, ...]

    def covers(self, ticket: Ticket) -> bool:
        return ticket.priority in self.priorities and (not self.queues or ticket.queue in self.queues)


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies; the first that covers a ticket counts. And how long an answer keeps it quiet."""

    all: tuple[Policy, ...]
    promise_for: timedelta = timedelta(minutes=15)
    snooze_for: timedelta = timedelta(minutes=30)

    def of(self, ticket: Ticket) -> Policy | None:
        return next((policy for policy in self.all if policy.covers(ticket)), None)


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a ticket's escalation stands: counted anew from `started_at`, silent until `quiet_until`."""

    ticket: TicketId
    started_at: datetime | None = None
    quiet_until: datetime | None = None
    quiet_by: PersonId | None = None
    quiet_kind: str | None = None
    """`promised` or `snoozed`."""


@dataclass(frozen=True, slots=True)
class Ping:
    """One person (or space) asked to act, once; `answer` says what became of it, in one word."""

    id: PingId
    ticket: TicketId
    policy: str
    step: int
    time: int
    base_at: datetime
    due_at: datetime
    person: PersonId | None
    room: str | None
    sent_at: datetime
    answer: str | None = None
    answered_by: PersonId | None = None
    answered_at: datetime | None = None
    answered_via: str | None = None


Due = tuple[int, int, datetime, datetime]
"""A step's place, which time it is, from when it is counted, and when it is due."""


def base(ticket: Ticket, chain: Chain, of: Of) -> datetime | None:
    """From when a step of this kind is counted; None while it does not apply."""
    starts: Mapping[Of, datetime | None] = {
        Of.UNCLAIMED: ticket.unclaimed_since,
        Of.UNANSWERED: ticket.unanswered_since,
        Of.UNRESOLVED: ticket.created_at,
    }
    start = starts[of]
    if start is None or ticket.status not in (Status.NEW, Status.OPEN):
        return None
    return max(start, chain.started_at or start)


def plan(
    policy: Policy, ticket: Ticket, chain: Chain, pinged: Mapping[tuple[int, datetime], int]
) -> list[Due]:
    """What is still to come: for each step that applies, its next time.

    `pinged` counts the pings sent already, by step and base."""
    if chain.quiet_until is not None:
        return []
    coming: list[Due] = []
    for place, step in enumerate(policy.steps):
        start = base(ticket, chain, step.of)
        if start is None:
            continue
        time = pinged.get((place, start), 0)
        if time < step.times:
            coming.append((place, time, start, start + step.after + (step.repeat or timedelta(0)) * time))
    return coming
