"""Looking at promises."""

from datetime import datetime

from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.sla import store
from core.sla.model import Clock, Target
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
