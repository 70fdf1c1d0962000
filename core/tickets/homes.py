"""Where a ticket is at home: the conversation of its requester that answers go to, now and before."""

from dataclasses import replace

from core.database.transaction import Transaction
from core.kernel.errors import UserError
from core.kernel.ids import Address, TicketId
from core.outbox import store as posts
from core.outbox.model import Parcel
from core.people.model import Actor, Right
from core.tickets import store
from core.tickets.doors import allowed, needs, record
from core.tickets.model import Ticket


@needs(Right.SEE)
async def rehome(tx: Transaction, actor: Actor, ticket: Ticket, there: Address) -> Ticket:
    """It goes on in another conversation of its requester, in the thread it had there if it was there before.

    The requester may say so, and whoever works on it. That `there` is one of their conversations the caller
    has made sure of: only messengers know whose a conversation is. Raises UserError when that is its home
    already."""
    if actor.person_id != ticket.requester:
        await allowed(tx, actor, ticket.id, Right.WORK)
    if _space(ticket.home) == str(there.space):
        raise UserError("home.there_already", ticket=ticket.id, via=there.platform)
    before = {_space(home): home for home in await all_of(tx, ticket.id)}
    facts = {"home": before.get(str(there.space), str(there)), "left": ticket.home}
    return await record(tx, actor, ticket, "rehomed", facts)


async def all_of(tx: Transaction, ticket: TicketId) -> list[str]:
    """Every home the ticket has had, the first one first; not one that is nobody's any more."""
    homes: list[str] = []
    for event in await store.timeline(tx, ticket):
        if event.kind == "parted":
            homes = [home for home in homes if _space(home) != _space(event.facts["left"])]
        if event.kind in ("opened", "rehomed", "parted"):
            homes.append(event.facts["home"])
    return list(dict.fromkeys(homes))


async def everywhere(tx: Transaction, ticket: Ticket, parcel: Parcel) -> list[Parcel]:
    """The parcel once for each home in which its message stands or will soon, so that all of them change;
    for the present home where it stands in none. It is taken back also where nobody's home is any more."""
    assert parcel.slot is not None
    rooms = await posts.rooms_of(tx, parcel.slot)
    if not rooms - {_space(ticket.home)}:
        return [replace(parcel, room=ticket.home)]
    homes = [home for home in await all_of(tx, ticket.id) if _space(home) in rooms]
    if parcel.retract:
        homes += sorted(rooms - set(map(_space, homes)))
    return [replace(parcel, room=home) for home in homes or [ticket.home]]


def _space(home: str) -> str:
    return home.partition("#")[0]
