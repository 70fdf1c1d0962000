"""What happens to ratings: asked for once, given, commented."""

from core.database.transaction import Transaction
from core.feedback import store
from core.kernel.errors import UserError
from core.people.model import Actor, Right
from core.tickets.catalogue import Catalogue
from core.tickets.doors import needs, record
from core.tickets.model import Status, Ticket


@needs(Right.JUDGE)
async def ask(tx: Transaction, actor: Actor, ticket: Ticket) -> bool:
    """Whether to ask for a rating now; says yes once a ticket, not too often, never to the solver."""
    if await store.asked(tx, ticket.id) or ticket.owner in (None, ticket.requester):
        return False
    last = await store.last_asked(tx, ticket.requester)
    if last is not None and tx.now < last + tx.rule(Catalogue).rating_every:
        return False
    await store.ask(tx, ticket.id, ticket.requester)
    return True


@needs(Right.JUDGE)
async def rate(tx: Transaction, actor: Actor, ticket: Ticket, stars: int) -> Ticket:
    """One to five; a second word replaces the first while the ticket stays solved."""
    if not 1 <= stars <= 5:
        raise UserError("rating.range")
    if ticket.status not in (Status.RESOLVED, Status.CLOSED):
        raise UserError("rating.not_now", ticket=ticket.id)
    if await store.stars(tx, ticket.id) == stars:
        raise UserError("press.over")
    if not await store.asked(tx, ticket.id):
        await store.ask(tx, ticket.id, ticket.requester)
    await store.change(tx, ticket.id, stars=stars, rated_at=tx.now)
    return await record(tx, actor, ticket, "rated", {"stars": stars})


@needs(Right.JUDGE)
async def comment(tx: Transaction, actor: Actor, ticket: Ticket, text: str) -> Ticket:
    """Words that go with the rating."""
    await store.change(tx, ticket.id, comment=text)
    return await record(tx, actor, ticket, "commented", {"text": text})
