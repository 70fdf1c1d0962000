"""Tickets that belong together: one goes on as another, two are related, a message becomes one of its own."""

from collections.abc import Iterable, Sequence

from core.database.transaction import Transaction
from core.files import store as files
from core.kernel.errors import UserError
from core.kernel.ids import Address, FileId, MessageId, PersonId, TicketId
from core.people import store as people
from core.people.model import Actor, Right
from core.tickets import actions, company, doors, model, queries, search, store
from core.tickets.catalogue import Catalogue
from core.tickets.doors import needs, record
from core.tickets.model import COLLEAGUE, WATCHER, Said, Status, Ticket

# ---- one goes on as another


@needs(Right.WORK)
async def merge(tx: Transaction, actor: Actor, ticket: Ticket, into: TicketId) -> Ticket:
    """The ticket is the same as another and goes on as that: who asks in it asks in the other, too, and who
    watches it watches the other where they work there.

    Raises UserError for itself, for one that was merged already and into one that was, or is closed."""
    target = await doors.allowed(tx, actor, into, Right.WORK)
    if target.id == ticket.id:
        raise UserError("merge.itself", ticket=ticket.id)
    if target.merged_into is not None:
        raise UserError("merge.into_merged", into=target.id, end=(await standing(tx, target)).id)
    if target.status is Status.CLOSED:
        raise UserError("merge.into_closed", into=target.id)
    model.check(ticket, "merged")
    coming = await _coming(tx, ticket, target)
    merged = await record(tx, actor, ticket, "merged", {"into": target.id})
    target = await company.bring(tx, actor, target, coming, merged=ticket.id)
    await record(tx, actor, target, "absorbed", {"ticket": ticket.id, "requester": ticket.requester})
    return merged


@needs(Right.WORK)
async def unmerge(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """It was not the same after all: it is open again, and who came with it leaves the other, and what that
    goes on as. The actor works on all of these.

    Raises UserError when it was not merged."""
    if ticket.merged_into is None:
        raise UserError("merge.not_merged", ticket=ticket.id)
    target = changed = await doors.allowed(tx, actor, ticket.merged_into, Right.WORK)
    while changed.merged_into is not None:
        changed = await doors.allowed(tx, actor, changed.merged_into, Right.WORK)
    ticket = await record(tx, actor, ticket, "unmerged", {"apart": target.id})
    await _take_back(tx, actor, target, [ticket.requester, *await store.participants_of(tx, ticket.id)])
    facts = {"ticket": ticket.id, "requester": ticket.requester}
    await record(tx, actor, await store.get(tx, target.id), "detached", facts)
    return ticket


async def _coming(tx: Transaction, ticket: Ticket, target: Ticket) -> dict[PersonId, str]:
    """Who comes along with a ticket that goes on as another, and as what."""
    watching = [await people.get(tx, person) for person in await company.watchers(tx, ticket)]
    coming = {person.id: WATCHER for person in watching if person.serves(target.queue)}
    asking = [ticket.requester, *await company.shared_with(tx, ticket)]
    return coming | dict.fromkeys(asking, COLLEAGUE)


async def _take_back(tx: Transaction, actor: Actor, target: Ticket, gone: Iterable[PersonId]) -> None:
    """Those who came by merging alone leave the ticket, and what it goes on as."""
    came = await company.came(tx, target.id)
    staying: set[PersonId] = set()
    for number in await queries.absorbed(tx, target.id):
        staying |= (await _coming(tx, await store.get(tx, number), target)).keys()
    leaving = [person for person in gone if "merged" in came.get(person, ()) and person not in staying]
    await company.dismiss(tx, actor, target, leaving)
    if target.merged_into is not None:
        await _take_back(tx, actor, await store.get(tx, target.merged_into), leaving)


async def standing(tx: Transaction, ticket: Ticket) -> Ticket:
    """The ticket as which this one goes on; itself, unless it was merged."""
    while ticket.merged_into is not None:
        ticket = await store.get(tx, ticket.merged_into)
    return ticket


# ---- related


@needs(Right.WORK)
async def relate(tx: Transaction, actor: Actor, ticket: Ticket, other: TicketId) -> Ticket:
    """Both show the other's number. Raises UserError when they do so already."""
    related = await doors.allowed(tx, actor, other, Right.WORK)
    if related.id == ticket.id:
        raise UserError("relate.itself", ticket=ticket.id)
    if related.id in ticket.related:
        raise UserError("relate.already", ticket=ticket.id, other=related.id)
    return await _relate(tx, actor, ticket, related)


async def _relate(tx: Transaction, actor: Actor, ticket: Ticket, other: Ticket) -> Ticket:
    await record(tx, actor, other, "related", {"ticket": ticket.id})
    return await record(tx, actor, ticket, "related", {"ticket": other.id})


@needs(Right.WORK)
async def unrelate(tx: Transaction, actor: Actor, ticket: Ticket, other: TicketId) -> Ticket:
    """Neither shows the other's number any more. Raises UserError when they do not."""
    apart = await doors.allowed(tx, actor, other, Right.WORK)
    if apart.id not in ticket.related:
        raise UserError("relate.not_related", ticket=ticket.id, other=apart.id)
    await record(tx, actor, apart, "unrelated", {"ticket": ticket.id})
    return await record(tx, actor, ticket, "unrelated", {"ticket": apart.id})


# ---- a message becomes a ticket


@needs(Right.WORK)
async def split(tx: Transaction, actor: Actor, ticket: Ticket, message_id: MessageId) -> Ticket:
    """Words of those who ask become a ticket of its own of the same requester, for the same team, and leave
    this one.

    Raises UserError for a note, a reply, the first words, and for what was moved before."""
    said = await store.message(tx, message_id)
    if said is None or said.ticket != ticket.id or said.withdrawn_at is not None:
        raise UserError("split.gone")
    if said.author is None or not await actions.may_move(tx, said):
        raise UserError("split.not_this")
    number = await store.next_number(tx)
    brought = [file.id for file in await files.of_message(tx, said.id)]
    await store.change_message(tx, said.id, withdrawn_at=tx.now, room=None, remote=None)
    await search.refresh(tx, ticket)
    await files.release(tx, said.id)
    ticket = await record(tx, actor, ticket, "moved", {"message": said.id, "to": number})
    fresh = await _open(tx, actor, ticket, said, brought, number)
    if said.author != ticket.requester:
        asking = said.author in await doors.colleagues(tx, ticket.id)
        kind = COLLEAGUE if asking else company.role(await people.get(tx, said.author), fresh)
        fresh = await company.bring(tx, actor, fresh, {said.author: kind}, split=ticket.id)
    await _relate(tx, actor, ticket, fresh)
    return await store.get(tx, fresh.id)


async def _open(
    tx: Transaction, actor: Actor, ticket: Ticket, said: Said, brought: Sequence[FileId], number: TicketId
) -> Ticket:
    assert said.author is not None
    catalogue = tx.rule(Catalogue)
    kind = catalogue.types.get(ticket.type) or catalogue.last
    return await actions.open_ticket(
        tx,
        actor,
        type_name=kind.name,
        queue=ticket.queue,
        text=said.text,
        priority=ticket.priority,
        home=str(Address.parse(ticket.home).space),
        file_ids=brought,
        source=(said.room, said.remote) if said.room and said.remote else None,
        number=number,
        requester=ticket.requester,
        speaker=Actor(await people.get(tx, said.author), said.via),
        told={"split": ticket.id},
    )
