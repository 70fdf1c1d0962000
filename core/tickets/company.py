"""Who else belongs to a ticket: colleagues of its requester, who read and speak too, and staff who watch."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from core.database.transaction import Transaction
from core.kernel.errors import Forbidden, UserError
from core.kernel.events import Event
from core.kernel.ids import MessageId, PersonId, TicketId
from core.people import store as people
from core.people.model import Actor, Person, Right
from core.tickets import actions, doors, store
from core.tickets.doors import needs, record
from core.tickets.model import COLLEAGUE, WATCHER, Ticket


@needs(Right.INVITE)
async def add(tx: Transaction, actor: Actor, ticket: Ticket, person_id: PersonId) -> Ticket:
    """Somebody else belongs to the ticket from now on: who works in its queue watches it, anybody else
    reads and writes along. Raises UserError for whoever does so already.

    Who watches is told to none but those who work on it: anybody else may ask them to once more."""
    person = await people.get(tx, person_id)
    if person.id == ticket.requester:
        raise UserError("company.requester", ticket=ticket.id, name=person.name)
    kind, present = role(person, ticket), (await store.participants_of(tx, ticket.id)).get(person.id)
    if present == kind == WATCHER and not await doors.has(tx, actor, Right.WORK, ticket):
        return ticket
    if present in (kind, COLLEAGUE):
        raise UserError("company.already", ticket=ticket.id, name=person.name)
    return await _join(tx, actor, ticket, person.id, kind)


def role(person: Person, ticket: Ticket) -> str:
    """As what somebody joins who is added."""
    return WATCHER if person.serves(ticket.queue) else COLLEAGUE


async def _join(
    tx: Transaction,
    actor: Actor,
    ticket: Ticket,
    person: PersonId,
    kind: str,
    facts: Mapping[str, Any] | None = None,
) -> Ticket:
    """They belong to it as this, and as nothing else any more."""
    if ticket.merged_into is not None:
        raise UserError("ticket.merged", ticket=ticket.id, into=ticket.merged_into)
    if person in await store.participants_of(tx, ticket.id):
        ticket = await _part(tx, actor, ticket, person, {"quiet": True})
    await store.join(tx, ticket.id, person, kind)
    return await record(tx, actor, ticket, "joined", {"person": person, "kind": kind, **(facts or {})})


@needs(Right.SEE)
async def remove(tx: Transaction, actor: Actor, ticket: Ticket, person_id: PersonId) -> Ticket:
    """The person does not belong to it any more: anybody may leave, and whoever may add may remove. Those
    who watch are removed, and known, by those alone who work on it."""
    kind = (await store.participants_of(tx, ticket.id)).get(person_id)
    if person_id == actor.person_id:
        if kind is None:
            own = person_id == ticket.requester
            raise UserError("company.own" if own else "company.not_yours", ticket=ticket.id)
        return await _part(tx, actor, ticket, person_id)
    await doors.allowed(tx, actor, ticket.id, Right.INVITE)
    if kind is None or (kind == WATCHER and not await doors.has(tx, actor, Right.WORK, ticket)):
        name = (await people.get(tx, person_id)).name
        raise UserError("company.not_in_it", ticket=ticket.id, name=name)
    return await _part(tx, actor, ticket, person_id)


async def _part(
    tx: Transaction, actor: Actor, ticket: Ticket, person: PersonId, facts: Mapping[str, Any] | None = None
) -> Ticket:
    kind = (await store.participants_of(tx, ticket.id))[person]
    await store.leave(tx, ticket.id, person)
    return await record(tx, actor, ticket, "left", {"person": person, "kind": kind, **(facts or {})})


@needs(Right.WORK)
async def watch(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """The actor reads in private what is said in the ticket, and no more as a colleague of its requester.

    Raises UserError when they do so already, and for the requester, who reads it anyway."""
    assert actor.person is not None
    if actor.person.id == ticket.requester:
        raise UserError("company.own", ticket=ticket.id)
    if (await store.participants_of(tx, ticket.id)).get(actor.person.id) == WATCHER:
        raise UserError("company.watching", ticket=ticket.id)
    return await _join(tx, actor, ticket, actor.person.id, WATCHER)


async def bring(
    tx: Transaction, actor: Actor, ticket: Ticket, newcomers: Mapping[PersonId, str], **facts: Any
) -> Ticket:
    """Let these belong to the ticket as colleagues or watchers, as far as they do not yet: a watcher becomes
    a colleague, and nobody the other way. Who may say so is decided before."""
    for person, kind in newcomers.items():
        present = (await store.participants_of(tx, ticket.id)).get(person)
        if present not in (kind, COLLEAGUE) and person != ticket.requester:
            ticket = await _join(tx, actor, ticket, person, kind, {"quiet": True, **facts})
    return ticket


async def dismiss(
    tx: Transaction, actor: Actor, ticket: Ticket, gone: Iterable[PersonId], **facts: Any
) -> Ticket:
    """Let these belong to it no more, as far as they do. Who may say so is decided before."""
    present = await store.participants_of(tx, ticket.id)
    for person in gone:
        if person in present:
            ticket = await _part(tx, actor, ticket, person, {"quiet": True, **facts})
    return ticket


async def open_for(tx: Transaction, actor: Actor, requester: PersonId, **request: Any) -> Ticket:
    """A ticket that staff report in somebody's name, as `actions.open_ticket` does; who reports it belongs
    to it."""
    if actor.person is None or not actor.person.staff:
        raise Forbidden("right.behalf")
    ticket = await actions.open_ticket(tx, actor, requester=requester, **request)
    return await bring(tx, actor, ticket, {actor.person.id: role(actor.person, ticket)})


async def hand_over(tx: Transaction, before: PersonId, after: PersonId) -> None:
    """What one person belongs to is the other's from now on: two accounts turned out to be one person's.

    How they came stays: who came by merging alone leaves when that is undone."""
    actor = Actor(await people.get(tx, after), "desk")
    for number in await store.joined_by(tx, before):
        ticket, how = await store.get(tx, number), await came(tx, number)
        ticket = await _part(tx, actor, ticket, before, {"quiet": True})
        asked = "merged" not in how[before]
        if after in await store.participants_of(tx, number):
            if not asked or "merged" not in how[after]:
                continue
            ticket = await _part(tx, actor, ticket, after, {"quiet": True})
        if after != ticket.requester:
            await store.join(tx, number, after, how[before]["kind"])
            await record(tx, actor, ticket, "joined", {**how[before], "person": after, "quiet": True})
    for number in await store.joined_by(tx, after):
        if (ticket := await store.get(tx, number)).requester == after:
            await _part(tx, actor, ticket, after, {"quiet": True})


async def came(tx: Transaction, ticket: TicketId) -> dict[PersonId, Mapping[str, Any]]:
    """How everybody who ever belonged to the ticket came to it last: the facts of that event."""
    timeline = await store.timeline(tx, ticket)
    return {PersonId(event.facts["person"]): event.facts for event in timeline if event.kind == "joined"}


def fold(timeline: Iterable[Event]) -> dict[PersonId, str]:
    """Who belongs to the ticket after these events, and as what."""
    present: dict[PersonId, str] = {}
    for event in timeline:
        if event.kind == "joined":
            present[PersonId(event.facts["person"])] = event.facts["kind"]
        elif event.kind == "left":
            present.pop(PersonId(event.facts["person"]), None)
    return present


@dataclass(frozen=True, slots=True)
class Readers:
    """Who was shown a message, as they were known then: `people.get` says who they are now."""

    requester: PersonId
    others: Mapping[PersonId, str]


async def readers(tx: Transaction, ticket: Ticket, message: MessageId) -> Readers:
    """Who belonged to the ticket when that was said: they were shown it, and nobody later was."""
    timeline = await store.timeline(tx, ticket.id)
    told = next((place for place, event in enumerate(timeline) if event.facts.get("message") == message), 0)
    since = [event.facts["from"] for event in timeline[told:] if event.kind == "adopted"]
    return Readers(PersonId(since[0]) if since else ticket.requester, fold(timeline[:told]))


async def was_shown(tx: Transaction, ticket: Ticket, message: MessageId, person: PersonId) -> bool:
    """Whether somebody besides the requester was shown it when it was said, through whichever account."""
    then = (await readers(tx, ticket, message)).others
    return person in [(await people.get(tx, reader)).id for reader in then]


async def introduced(tx: Transaction, ticket: TicketId, person: PersonId) -> bool:
    """Whether they were shown how the ticket began when they were added to it: whoever came along with
    another ticket was not."""
    return any(
        event.kind == "joined"
        and (event.facts["person"], event.facts["kind"]) == (person, COLLEAGUE)
        and not event.facts.get("quiet")
        for event in await store.timeline(tx, ticket)
    )


async def belongs(tx: Transaction, ticket: Ticket, person: PersonId) -> bool:
    """Whether the ticket is the person's own, or shared with them."""
    return ticket.requester == person or person in await doors.colleagues(tx, ticket.id)


async def watches(tx: Transaction, ticket: Ticket, person: Person) -> bool:
    """Whether they watch it, and still work where it is worked on."""
    watching = (await store.participants_of(tx, ticket.id)).get(person.id) == WATCHER
    return watching and person.serves(ticket.queue)


async def shared_with(tx: Transaction, ticket: Ticket) -> list[PersonId]:
    """The colleagues, in the order of their coming to the desk."""
    return sorted(await doors.colleagues(tx, ticket.id))


async def watchers(tx: Transaction, ticket: Ticket) -> list[PersonId]:
    """The staff who watch it and may."""
    found = await store.participants_of(tx, ticket.id)
    watching = [await people.get(tx, person) for person, kind in found.items() if kind == WATCHER]
    return [person.id for person in watching if person.serves(ticket.queue)]
