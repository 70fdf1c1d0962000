"""How a due time came about, and what would become of it."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from core.database.transaction import Transaction
from core.sla import store
from core.sla.model import Clock, Promises, Target
from core.tickets.catalogue import Priority
from core.tickets.model import Ticket


@dataclass(frozen=True, slots=True)
class Working:
    """One promise as it stands. `spent` and `left` are working time; `left` is below zero once it is late."""

    clock: Clock
    pauses: tuple[tuple[datetime, datetime | None, timedelta], ...]
    """From when to when it stood still, and how much working time of it that was."""
    spent: timedelta
    left: timedelta


async def workings(tx: Transaction, ticket: Ticket) -> list[Working]:
    """Every promise of the ticket, in the order of `Target`."""
    clocks = await store.of_ticket(tx, ticket.id)
    return [_working(clocks[target], tx.now) for target in Target if target in clocks]


def _working(clock: Clock, now: datetime) -> Working:
    calendar, until = clock.promise.calendar, clock.met_at or now
    pauses = tuple(
        (since, over, calendar.between(since, over or until)) for since, over in clock.pauses if since < until
    )
    spent = calendar.spent(clock.started_at, until, clock.pauses)
    return Working(clock, pauses, spent, clock.promise.length - spent)


def as_priority(promises: Promises, ticket: Ticket, clock: Clock, priority: Priority) -> datetime:
    """When the promise would be due if the ticket had that priority from now on."""
    other = promises.of(replace(ticket, priority=priority), clock.target)
    return replace(clock, promise=other).due_at
