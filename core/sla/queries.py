"""Looking at promises."""

from datetime import datetime

from sqlalchemy import ColumnElement, Select, exists, func, select

from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.sla import store
from core.sla.model import Clock, Promises, Target
from core.tickets import store as tickets
from core.tickets.model import Ticket
from core.tickets.queries import Which


async def next_due(tx: Transaction, ticket: Ticket) -> Clock | None:
    """The promise of this ticket that falls due first, if one is running."""
    clocks = await store.of_ticket(tx, ticket.id)
    return min(
        (clock for clock in clocks.values() if clock.running), key=lambda each: each.due_at, default=None
    )


async def due_by(
    tx: Transaction, which: Which, instant: datetime, *, limit: int
) -> tuple[list[tuple[datetime, Ticket]], int]:
    """Of these tickets those whose next running promise falls due by then, or did before, the most pressing
    first; and how many there are in all."""
    due = _due_by(instant).subquery()
    among = tickets.tickets.join(due, due.c.ticket_id == tickets.tickets.c.id)
    first = select(tickets.tickets, due.c.due_at).select_from(among).where(which)
    rows = await tx.all(first.order_by(due.c.due_at, due.c.ticket_id).limit(limit))
    found = [(row.due_at, tickets.ticket(row)) for row in rows]
    if len(found) < limit:
        return found, len(found)
    return found, int(await tx.scalar(select(func.count()).select_from(among).where(which)))


def _due_by(instant: datetime) -> Select[tuple[int, datetime]]:
    """The earliest running promise of each ticket that has one by then."""
    clock = store.clocks.c
    running = (clock.met_at.is_(None), clock.paused_at.is_(None), clock.due_at <= instant)
    return (
        select(clock.ticket_id, func.min(clock.due_at).label("due_at"))
        .where(*running)
        .group_by(clock.ticket_id)
    )


async def due_after(tx: Transaction, ticket: TicketId, instant: datetime) -> datetime | None:
    """When the next running promise falls due after then."""
    clocks = await store.of_ticket(tx, ticket)
    coming = [clock.due_at for clock in clocks.values() if clock.running and clock.due_at > instant]
    return min(coming, default=None)


async def reply_clock(tx: Transaction, ticket: Ticket) -> Clock | None:
    """The promise that somebody will answer, while it runs."""
    clocks = await store.of_ticket(tx, ticket.id)
    answers = [clocks[each] for each in (Target.FIRST, Target.NEXT) if each in clocks]
    return min((clock for clock in answers if clock.running), key=lambda each: each.due_at, default=None)


async def closed(tx: Transaction, ticket: Ticket) -> bool:
    """Whether this is an hour in which nobody is to answer first."""
    return not tx.rule(Promises).of(ticket, Target.FIRST).calendar.is_open(tx.now)


def breaching(now: datetime) -> ColumnElement[bool]:
    """Tickets with a running promise that is overdue or in its last quarter, as a condition in a query."""
    c = store.clocks.c
    running = c.met_at.is_(None), c.paused_at.is_(None)
    return exists().where(c.ticket_id == tickets.tickets.c.id, *running, c.warn_at <= now)
