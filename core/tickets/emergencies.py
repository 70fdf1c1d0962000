"""A requester says that it cannot wait: their ticket is critical at once, and soon not to be taken back."""

from datetime import datetime, timedelta

from core.database.transaction import Transaction
from core.kernel.errors import Forbidden, UserError
from core.kernel.events import Event
from core.people.model import Actor, Right
from core.tickets import doors, model, store
from core.tickets.catalogue import Priority
from core.tickets.doors import needs, record
from core.tickets.model import Ticket

A_DAY = 3
"""So many emergencies of one person are taken in a day."""
DAY = timedelta(days=1)
UNDO_FOR = timedelta(minutes=1)
_WORDS = ("emergency", "calmed", "resolved")


async def standing(tx: Transaction, ticket: Ticket) -> Event | None:
    """The emergency that was raised about the ticket, neither taken back nor over with a resolution."""
    told = [each for each in await store.timeline(tx, ticket.id) if each.kind in _WORDS]
    return told[-1] if told and told[-1].kind == "emergency" else None


async def possible(tx: Transaction, actor: Actor, ticket: Ticket) -> bool:
    """Whether the actor could raise one about the ticket as it stands: no program can."""
    return (
        ticket.priority is not Priority.CRITICAL
        and ticket.status in model.MOVES["emergency"]
        and ticket.merged_into is None
        and await _asks(tx, actor, ticket)
        and await standing(tx, ticket) is None
        and not (await store.opening(tx, ticket.id)).facts.get("program")
    )


async def _asks(tx: Transaction, actor: Actor, ticket: Ticket) -> bool:
    asking = {ticket.requester, *await doors.colleagues(tx, ticket.id)}
    return actor.person_id in asking


@needs(Right.SPEAK)
async def check(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """The ticket. Raises UserError saying why the actor cannot raise an emergency about it now."""
    if not await _asks(tx, actor, ticket):
        raise Forbidden("emergency.staff", ticket=ticket.id)
    model.check(ticket, "emergency")
    if await standing(tx, ticket) is not None:
        raise UserError("emergency.raised", ticket=ticket.id)
    if ticket.priority is Priority.CRITICAL:
        raise UserError("emergency.critical", ticket=ticket.id)
    assert actor.person_id is not None
    if await store.count_events(tx, "emergency", actor.person_id, tx.now - DAY) >= A_DAY:
        raise UserError("emergency.too_many", count=A_DAY)
    return ticket


@needs(Right.SPEAK)
async def raise_emergency(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """It cannot wait, say those who ask: critical from now on, and whoever is on call is called.

    Raises what `check` raises."""
    await check(tx, actor, ticket.id)
    facts = {"priority": Priority.CRITICAL, "before": ticket.priority}
    return await record(tx, actor, ticket, "emergency", facts)


@needs(Right.SPEAK)
async def calm(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """It can wait after all: the priority is what it was. Raises UserError when it is too late for that."""
    raised = await standing(tx, ticket)
    if raised is None or raised.actor != actor.person_id:
        raise UserError("emergency.none", ticket=ticket.id)
    if tx.now > until(raised) or ticket.priority is not Priority.CRITICAL:
        raise UserError("emergency.too_late", ticket=ticket.id)
    facts = {"priority": Priority(raised.facts["before"]), "before": ticket.priority}
    return await record(tx, actor, ticket, "calmed", facts)


def until(raised: Event) -> datetime:
    """Until when it can be taken back."""
    return raised.at + UNDO_FOR
