"""What would happen to a ticket that nobody touches: the same plan, told beforehand."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.database.transaction import Transaction
from core.escalation import whom
from core.escalation.model import Chain, Due, Policy, Sent, Step, asking, plan
from core.escalation.whom import Target
from core.kernel.ids import PersonId, TicketId
from core.sla.model import Clock, Promises
from core.sla.model import Target as Promised
from core.tickets.catalogue import Level, Priority
from core.tickets.model import Status, Ticket

HORIZON = timedelta(days=14)
MOST = 100
"""Happenings; a policy that says more repeats itself."""


@dataclass(frozen=True, slots=True)
class Happening:
    """One step at its time: whom it asks, and the level the ticket is at from then on."""

    at: datetime
    place: int
    time: int
    step: Step
    targets: tuple[Target, ...]
    level: Level


def imagined(priority: Priority, queue: str, kind: str, opened_at: datetime) -> Ticket:
    """A ticket that nobody has opened, taken or answered."""
    return Ticket(
        id=TicketId(0),
        title="",
        type=kind,
        queue=queue,
        status=Status.NEW,
        priority=priority,
        level=Level.L1,
        requester=PersonId(0),
        owner=None,
        home="",
        origin=None,
        answers=(),
        created_at=opened_at,
        changed_at=opened_at,
        unanswered_since=opened_at,
        unclaimed_since=opened_at,
        progress_at=opened_at,
    )


async def rehearse(tx: Transaction, policy: Policy, ticket: Ticket) -> AsyncIterator[Happening]:
    """What would happen within HORIZON, in order, if nobody answered and everything arrived."""
    promises, chain = tx.rule(Promises), Chain(ticket.id)
    clocks = {
        target: Clock(ticket.id, target, ticket.created_at, promises.of(ticket, target))
        for target in (Promised.FIRST, Promised.RESOLUTION)
    }
    pinged: dict[tuple[int, datetime], Sent] = {}
    asked: list[PersonId | None] = []
    nobody_at: datetime | None = None
    for _ in range(MOST):
        coming = sorted(plan(policy, ticket, chain, pinged, clocks), key=lambda due: due[3])
        if not coming or coming[0][3] > ticket.created_at + HORIZON:
            return
        due = coming[0]
        if nobody_at is not None:
            due = await _hurried(tx, policy, ticket, coming, nobody_at, asked) or due
        happening = await _happening(tx, policy, ticket, due, asked)
        yield happening
        place, time, base_at, at = due
        asked += [target.person for target in happening.targets]
        pinged[place, base_at] = Sent(time + 1, at)
        ticket = replace(ticket, level=happening.level)
        nobody_at = at if happening.step.whom and not happening.targets else None


async def _hurried(
    tx: Transaction,
    policy: Policy,
    ticket: Ticket,
    coming: Iterable[Due],
    now: datetime,
    asked: list[PersonId | None],
) -> Due | None:
    """What comes at once where a step has found nobody: the next that finds somebody."""
    for place, time, base_at, due_at in asking(policy, coming):
        due = (place, time, base_at, now)
        if due_at <= now:
            return None
        if (await _happening(tx, policy, ticket, due, asked)).targets:
            return due
    return None


async def _happening(
    tx: Transaction, policy: Policy, ticket: Ticket, due: Due, asked: list[PersonId | None]
) -> Happening:
    place, time, base_at, due_at = due
    step = policy.steps[place]
    level = step.raised(ticket.level)
    there = replace(ticket, level=level)
    found = await whom.targets(tx, there, step, base_at, due_at, asked) if step.whom else []
    return Happening(due_at, place, time, step, tuple(found), level)
