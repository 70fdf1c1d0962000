"""What happens to a ticket's clocks: they follow its status, its priority and who spoke last."""

from dataclasses import replace

from core.database.transaction import Transaction
from core.sla import store
from core.sla.model import Clock, Promises, Target
from core.tickets.model import Status, Ticket

_PAUSED = (Status.WAITING, Status.ON_HOLD)
_DONE = (Status.RESOLVED, Status.CLOSED)


async def follow(tx: Transaction, ticket: Ticket) -> None:
    """Bring the clocks into line with the ticket as it stands after an event."""
    before = await store.of_ticket(tx, ticket.id)
    for clock in _after(tx, ticket, before).values():
        if before.get(clock.target) != clock:
            await store.save(tx, clock)


def _after(tx: Transaction, ticket: Ticket, before: dict[Target, Clock]) -> dict[Target, Clock]:
    clocks = dict(before)
    if Target.RESOLUTION not in clocks:
        clocks[Target.RESOLUTION] = _start(tx, ticket, Target.RESOLUTION)
        clocks[Target.FIRST] = _start(tx, ticket, Target.FIRST)
    clocks[Target.FIRST] = _answered(tx, ticket, clocks[Target.FIRST], first=True)
    if clocks[Target.FIRST].met_at is not None:
        awaiting = clocks.get(Target.NEXT)
        if ticket.unanswered_since and (awaiting is None or awaiting.met_at):
            awaiting = _start(tx, ticket, Target.NEXT)
        if awaiting is not None:
            clocks[Target.NEXT] = _answered(tx, ticket, awaiting, first=False)
    clocks[Target.RESOLUTION] = _resolution(tx, ticket, clocks[Target.RESOLUTION])
    promises = tx.rule(Promises)
    return {
        target: clock if clock.met_at else replace(clock, length=promises.length(ticket.priority, target))
        for target, clock in clocks.items()
    }


def _start(tx: Transaction, ticket: Ticket, target: Target) -> Clock:
    return Clock(ticket.id, target, tx.now, tx.rule(Promises).length(ticket.priority, target))


def _answered(tx: Transaction, ticket: Ticket, clock: Clock, *, first: bool) -> Clock:
    answered = ticket.replied_at is not None if first else ticket.unanswered_since is None
    if answered or ticket.status in _DONE:
        return clock if clock.met_at else clock.met(tx.now)
    return clock.paused(tx.now) if ticket.status in _PAUSED else clock.resumed(tx.now)


def _resolution(tx: Transaction, ticket: Ticket, clock: Clock) -> Clock:
    if ticket.status in _DONE:
        return clock if clock.met_at else clock.met(tx.now)
    if clock.met_at is not None:  # reopened: the time it lay resolved does not count
        clock = replace(clock, met_at=None, paused_at=clock.met_at)
    return clock.paused(tx.now) if ticket.status in _PAUSED else clock.resumed(tx.now)
