"""Looking at promises."""

from datetime import datetime

from sqlalchemy import BigInteger, ColumnElement, exists, type_coerce

from core.database.schema import Instant
from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.sla import store
from core.sla.model import Clock, Target
from core.tickets import store as tickets
from core.tickets.model import Ticket


async def next_due(tx: Transaction, ticket: Ticket) -> Clock | None:
    """The promise of this ticket that falls due first, if one is running."""
    clocks = await store.of_ticket(tx, ticket.id)
    return min(
        (clock for clock in clocks.values() if clock.running), key=lambda each: each.due_at, default=None
    )


async def due_after(tx: Transaction, ticket: TicketId, instant: datetime) -> datetime | None:
    """When the next running promise falls due after then."""
    clocks = await store.of_ticket(tx, ticket)
    coming = [clock.due_at for clock in clocks.values() if clock.running and clock.due_at > instant]
    return min(coming, default=None)


async def reply_by(tx: Transaction, ticket: Ticket) -> datetime | None:
    """By when somebody will have answered."""
    clocks = await store.of_ticket(tx, ticket.id)
    answers = [clocks[each] for each in (Target.FIRST, Target.NEXT) if each in clocks]
    return min((clock.due_at for clock in answers if clock.running), default=None)


def breaching(now: datetime) -> ColumnElement[bool]:
    """Tickets with a running promise that is overdue or in its last quarter, as a condition in a query."""
    c = store.clocks.c
    running = c.met_at.is_(None), c.paused_at.is_(None)
    quarter = type_coerce(c.length, BigInteger) // 4
    late = type_coerce(c.due_at, BigInteger) - quarter <= type_coerce(now, Instant)
    return exists().where(c.ticket_id == tickets.tickets.c.id, *running, late)
