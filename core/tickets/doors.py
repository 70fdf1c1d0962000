"""How an action comes by its ticket: loaded, and the actor's right checked, before a line of it runs."""

from collections.abc import Awaitable, Callable, Mapping
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from core.database.transaction import Transaction
from core.kernel import text as texts
from core.kernel.errors import Forbidden, UserError
from core.kernel.events import Event
from core.kernel.ids import PersonId, TicketId
from core.people.model import Actor, Right, may
from core.tickets import store
from core.tickets.model import COLLEAGUE, Ticket

P = ParamSpec("P")
R = TypeVar("R")
Inner = Callable[Concatenate[Transaction, Actor, Ticket, P], Awaitable[R]]
Action = Callable[Concatenate[Transaction, Actor, TicketId, P], Awaitable[R]]


def needs(right: Right) -> Callable[[Inner[P, R]], Action[P, R]]:
    """The action is called with a ticket's number and runs with the ticket, if the actor has the right.

    Raises Forbidden, with the same words for a ticket that is hidden and one that does not exist."""

    def declare(action: Inner[P, R]) -> Action[P, R]:
        @wraps(action)
        async def checked(
            tx: Transaction, actor: Actor, ticket_id: TicketId, /, *args: P.args, **kwargs: P.kwargs
        ) -> R:
            ticket = await allowed(tx, actor, ticket_id, right)
            return await action(tx, actor, ticket, *args, **kwargs)

        return checked

    return declare


async def allowed(tx: Transaction, actor: Actor, ticket_id: TicketId, right: Right) -> Ticket:
    """The ticket, if the actor has the right. Raises Forbidden, or what `seen` raises, if not."""
    ticket = await seen(tx, actor, ticket_id)
    if not await has(tx, actor, right, ticket):
        raise Forbidden(f"right.{right}", ticket=ticket_id)
    return ticket


async def seen(tx: Transaction, actor: Actor, ticket_id: TicketId) -> Ticket:
    """The ticket, if the actor may see it. Raises UserError as if it did not exist, if not."""
    ticket = await store.find(tx, ticket_id)
    if ticket is None or not await has(tx, actor, Right.SEE, ticket):
        raise UserError("ticket.unknown", ticket=ticket_id)
    return ticket


async def has(tx: Transaction, actor: Actor, right: Right, ticket: Ticket) -> bool:
    """Whether the actor has the right."""
    company = await colleagues(tx, ticket.id)
    return may(actor, right, requester=ticket.requester, queue=ticket.queue, company=company)


async def colleagues(tx: Transaction, ticket_id: TicketId) -> frozenset[PersonId]:
    """Whom the requester shares the ticket with."""
    found = await store.participants_of(tx, ticket_id)
    return frozenset(person for person, kind in found.items() if kind == COLLEAGUE)


async def record(
    tx: Transaction,
    actor: Actor,
    ticket: Ticket,
    kind: str,
    facts: Mapping[str, Any] | None = None,
    *,
    said: str = "",
) -> Ticket:
    """Apply what the actor did to the ticket, which is found from now on by what was `said`."""
    event = Event(ticket.id, kind, tx.now, actor.person_id, actor.via, facts or {})
    return await store.apply(tx, ticket, event, texts.search_text(said))
