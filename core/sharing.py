"""What of a ticket reaches those who belong to it besides its requester and those who work on it.

Colleagues get what the requester gets, in their own messenger; watchers get both sides' words and a line for
each change. Never a note: what is said among staff is nothing of these."""

from collections.abc import Iterable
from dataclasses import replace

from core.database.transaction import Transaction
from core.kernel.events import Event
from core.kernel.ids import MessageId, PersonId
from core.outbox import actions as outbox
from core.outbox import store as posts
from core.outbox.model import Parcel
from core.people import store as people
from core.tickets import company, homes
from core.tickets import store as tickets
from core.tickets.model import COLLEAGUE, WATCHER, Said, Ticket

LINES = frozenset(
    {
        "claimed", "released", "passed", "waited", "held", "resumed", "resolved", "confirmed", "reopened",
        "closed", "merged", "unmerged",
    }
)  # fmt: skip
"""Events that a watcher is told of."""
TOLD = frozenset({"claimed", "passed", "waited", "held", "reopened", "merged", "unmerged"})
"""Events that colleagues are told of in the words the requester reads."""


async def follow(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Whoever belongs to the ticket hears of the event what is theirs to hear."""
    match event.kind:
        case "said" | "thanked" | "logged" | "replied":
            await _said(tx, event, ticket)
        case "flooded":
            await _flooded(tx, event, ticket)
        case "edited" | "withdrawn" | "moved":
            await _changed(tx, event, ticket)
        case "deleted":
            await _deleted(tx, event, ticket)
        case "joined" | "left":
            await _came_or_went(tx, event, ticket)
        case "absorbed":
            await _absorbed(tx, event, ticket)
        case "detached":
            await _detached(tx, event, ticket)
    if event.kind in LINES:
        await _line(tx, event, ticket)
    if event.facts.get("quiet") or event.kind not in (*TOLD, "resolved"):
        return
    kind = "told_solved" if event.kind == "resolved" else f"told_{event.kind}"
    for person in _others(await company.shared_with(tx, ticket), event):
        facts = {"actor": event.actor, **event.facts, "company": True}
        await outbox.put(tx, Parcel(kind, facts, person=person, ticket=ticket.id))


def _others(persons: Iterable[PersonId], event: Event) -> list[PersonId]:
    """All but the one who did it."""
    return [person for person in persons if person != event.actor]


# ---- words


async def _said(tx: Transaction, event: Event, ticket: Ticket) -> None:
    said = await tickets.message(tx, MessageId(event.facts["message"]))
    assert said is not None
    if said.kind == "request" and said.author != ticket.requester:
        await outbox.put(tx, for_requester(ticket, said))
    for person in _others(await company.shared_with(tx, ticket), event):
        await outbox.put(tx, _for_colleague(said, person))
    for person in _others(await company.watchers(tx, ticket), event):
        await outbox.put(tx, _for_watcher(said, person))


async def _flooded(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """However much comes in one flood, it is one line that counts on."""
    said = await tickets.message(tx, MessageId(event.facts["message"]))
    assert said is not None
    facts = {"flood": said.flood, "author": said.author}
    slot = f"flood:{ticket.id}:{said.flood}"
    if said.author != ticket.requester:
        own = ticket.requester
        line = Parcel("flood", facts, room=ticket.home, person=own, ticket=ticket.id, slot=f"{slot}:{own}")
        await outbox.put(tx, line)
    company_of_it = {*await company.shared_with(tx, ticket), *await company.watchers(tx, ticket)}
    for person in _others(sorted(company_of_it), event):
        await outbox.put(tx, Parcel("flood", facts, person=person, ticket=ticket.id, slot=f"{slot}:{person}"))


async def _changed(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Every copy changes, or is taken back; also those of people who have left since, and those that stand
    in another account of whoever said it or asks."""
    said = await tickets.message(tx, MessageId(event.facts["message"]))
    if said is None or said.kind == "note" or said.flood:
        return
    gone = said.withdrawn_at is not None
    shown = await company.readers(tx, ticket, said.id)
    if said.kind == "request" and not await _opening(tx, said):
        parcel = for_requester(ticket, said, slot_of=shown.requester, retract=gone)
        if said.author != ticket.requester or await _stands(tx, parcel):
            for each in await homes.everywhere(tx, ticket, parcel):
                await outbox.put(tx, each)
    present = await tickets.participants_of(tx, ticket.id)
    for then, kind in shown.others.items():
        person = (await people.get(tx, then)).id
        parcel = (_for_watcher if kind == WATCHER else _for_colleague)(said, then, retract=gone)
        changes = gone or present.get(person) == kind
        if await _stands(tx, parcel) if person in (said.author, ticket.requester) else changes:
            await outbox.put(tx, replace(parcel, person=person))


async def _stands(tx: Transaction, copy: Parcel) -> bool:
    assert copy.slot is not None
    return bool(await posts.posts_of_slot(tx, copy.slot))


async def _deleted(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Words that somebody who asks took away stand before nobody else who asks."""
    said = await tickets.message(tx, MessageId(event.facts["message"]))
    if said is None or said.kind != "request":
        return
    shown = await company.readers(tx, ticket, said.id)
    if said.author != ticket.requester and not await _opening(tx, said):
        parcel = for_requester(ticket, said, slot_of=shown.requester, retract=True)
        for each in await homes.everywhere(tx, ticket, parcel):
            await outbox.put(tx, each)
    for then, kind in shown.others.items():
        person = (await people.get(tx, then)).id
        if kind == COLLEAGUE and person != said.author:
            await outbox.put(tx, replace(_for_colleague(said, then, retract=True), person=person))


async def _opening(tx: Transaction, said: Said) -> bool:
    """Whether the ticket began with it: its requester knows of the ticket, not of each word."""
    return said.id == (await tickets.first_message(tx, said.ticket)).id


def for_requester(
    ticket: Ticket, said: Said, *, slot_of: PersonId | None = None, retract: bool = False
) -> Parcel:
    """A colleague's words as the requester gets them; `slot_of`: as whom they got them first."""
    slot = f"shared:{said.id}:{slot_of or ticket.requester}"
    facts = {"message": said.id}
    return Parcel(
        "shared",
        facts,
        room=ticket.home,
        person=ticket.requester,
        ticket=ticket.id,
        slot=slot,
        retract=retract,
    )


def _for_colleague(said: Said, person: PersonId, *, retract: bool = False) -> Parcel:
    kind = "reply" if said.kind == "reply" else "shared"
    facts = {"message": said.id, "company": True}
    slot = f"{kind}:{said.id}:{person}"
    return Parcel(kind, facts, person=person, ticket=said.ticket, slot=slot, retract=retract)


def _for_watcher(said: Said, person: PersonId, *, retract: bool = False) -> Parcel:
    slot = f"watched:{said.id}:{person}"
    facts = {"message": said.id}
    return Parcel("watched", facts, person=person, ticket=said.ticket, slot=slot, retract=retract)


# ---- what happened


async def _line(tx: Transaction, event: Event, ticket: Ticket) -> None:
    facts = {**event.facts, "event": event.kind, "actor": event.actor, "via": event.via}
    for person in _others(await company.watchers(tx, ticket), event):
        await outbox.put(tx, Parcel("watched_event", facts, person=person, ticket=ticket.id))


async def _came_or_went(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Whom it concerns is told, unless they did it themselves, and so is the requester of a colleague."""
    person = PersonId(event.facts["person"])
    if event.facts.get("split") and event.facts["kind"] == COLLEAGUE:
        await outbox.put(tx, Parcel("told_opened", {"company": True}, person=person, ticket=ticket.id))
    if event.facts.get("quiet"):
        return
    facts = {"actor": event.actor, "person": person}
    if person != event.actor:
        kind = "told_added" if event.kind == "joined" else "told_removed"
        what = {**facts, "kind": event.facts["kind"]}
        await outbox.put(tx, Parcel(kind, what, person=person, ticket=ticket.id))
    if ticket.requester != event.actor and event.facts["kind"] == COLLEAGUE:
        kind = f"told_company_{event.kind}"
        await outbox.put(tx, Parcel(kind, facts, room=ticket.home, person=ticket.requester, ticket=ticket.id))


async def _absorbed(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """The requester is told with whom they share it, if with anybody new."""
    newcomer = PersonId(event.facts["requester"])
    company_of_it = await company.shared_with(tx, ticket)
    if newcomer in company_of_it and ticket.requester != event.actor:
        facts = {"person": newcomer}
        await outbox.put(
            tx,
            Parcel("told_absorbed", facts, room=ticket.home, person=ticket.requester, ticket=ticket.id),
        )


async def _detached(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """The requester is told who does not share it with them any more."""
    gone = PersonId(event.facts["requester"])
    if gone not in (ticket.requester, *await company.shared_with(tx, ticket)):
        facts = {"actor": event.actor, "person": gone}
        own, kind = ticket.requester, "told_company_left"
        await outbox.put(tx, Parcel(kind, facts, room=ticket.home, person=own, ticket=ticket.id))
