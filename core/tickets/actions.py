"""Everything somebody can do to a ticket: one function each, its right declared on top."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import datetime
from typing import Any

from core.database.transaction import Transaction
from core.files import store as files
from core.kernel import marked
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import MessageId, PersonId, TicketId
from core.people import store as people
from core.people.model import Actor, Right
from core.tickets import model, priorities, search, store
from core.tickets.catalogue import Catalogue, Level, Priority
from core.tickets.doors import needs, record
from core.tickets.model import Answer, Said, Status, Ticket
from core.tickets.priorities import Weight

TITLE_LIMIT = 80

Source = tuple[str, str]
"""The room and the platform's id of the message something was said in."""


async def open_ticket(
    tx: Transaction,
    actor: Actor,
    *,
    type_name: str,
    text: str,
    priority: Priority | Weight,
    home: str,
    queue: str | None = None,
    answers: Sequence[Answer] = (),
    file_ids: Sequence[str] = (),
    source: Source | None = None,
    origin: TicketId | None = None,
    where: str | None = None,
    number: TicketId | None = None,
    requester: PersonId | None = None,
    speaker: Actor | None = None,
    told: Mapping[str, Any] | None = None,
) -> Ticket:
    """A new ticket from its requester's own words. Anybody may open one.

    `number` is one that `store.next_number` gave in this same transaction. `queue`: whose it is, if not that
    of its type. `requester`: in whose name the actor opens it, `speaker`: whose words they are, where those
    are others; who may do so is decided before. A priority that is a weight is one higher where a VIP opens
    it or asks. `where` people find these words, if they were said among others. `told`: further facts of the
    event."""
    if actor.person is None:
        raise LookupError("a ticket needs a requester")
    asking = actor.person if requester is None else await people.get(tx, requester)
    number = number or await store.next_number(tx)
    title = texts.shorten(_first_line(text), TITLE_LIMIT) or f"#{number}"
    facts = {
        "title": title,
        "type": type_name,
        "queue": queue or tx.rule(Catalogue).types[type_name].queue,
        **priorities.facts(tx.rule(Catalogue), priority, vip=asking.vip or actor.person.vip),
        "requester": asking.id,
        "home": home,
        "answers": [asdict(answer) for answer in answers],
        "origin": origin,
        **({"where": where} if where else {}),
        **(told or {}),
    }
    found_by = search.words(tx, [text], asking.name, type_name, answers)
    event = Event(number, "opened", tx.now, actor.person.id, actor.via, facts)
    ticket = await store.insert(tx, event, found_by)
    message = await _keep(tx, speaker or actor, ticket, "request", text, file_ids, source)
    await store.announce(tx, replace(event, facts={**facts, "message": message}), ticket)
    return ticket


def _first_line(text: str) -> str:
    return next((line for line in text.splitlines() if line.strip()), "")


async def _keep(
    tx: Transaction,
    actor: Actor,
    ticket: Ticket,
    kind: str,
    text: str,
    file_ids: Sequence[str],
    source: Source | None,
    flood: str | None = None,
) -> MessageId:
    room, remote = source or (None, None)
    said = Said(
        MessageId(0), ticket.id, kind, actor.person_id, actor.via, text, tx.now, room, remote, flood=flood
    )
    message = await store.add_message(tx, said)
    if file_ids and actor.person_id is not None:
        given = await files.of_owner(tx, actor.person_id, file_ids)
        await files.attach(tx, [file.id for file in given], ticket.id, message)
    return message


async def _own(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """Whoever answers a ticket that is nobody's has taken it."""
    if ticket.owner is not None or actor.person_id is None:
        return ticket
    return await record(tx, actor, ticket, "claimed", {"owner": actor.person_id, "quiet": True})


def _filled(text: str) -> str:
    if not text.strip():
        raise UserError("text.empty")
    return text


# ---- the requester


@needs(Right.SPEAK)
async def say(
    tx: Transaction,
    actor: Actor,
    ticket: Ticket,
    text: str,
    *,
    file_ids: Sequence[str] = (),
    source: Source | None = None,
    thanks: bool = False,
    flood: str | None = None,
) -> MessageId:
    """The requester's further words; they reopen what waits or is resolved.

    Mere thanks reopen nothing that is resolved; where an answer is awaited they are that answer. `flood`
    names the flood in which they came: staff see how much of it there is, and read it when they want."""
    kind = "thanked" if thanks and ticket.status is not Status.WAITING else "said"
    model.check(ticket, kind)
    if flood is not None and _awaits_answer(ticket):
        kind = "flooded"
    message = await _keep(tx, actor, ticket, "request", text, file_ids, source, flood)
    await record(tx, actor, ticket, kind, {"message": message}, said=text)
    return message


def _awaits_answer(ticket: Ticket) -> bool:
    """Whether further words of the requester change nothing about the ticket."""
    return ticket.unanswered_since is not None and ticket.status in (Status.NEW, Status.OPEN, Status.ON_HOLD)


@needs(Right.SPEAK)
async def log(
    tx: Transaction,
    actor: Actor,
    ticket: Ticket,
    text: str,
    *,
    file_ids: Sequence[str] = (),
    source: Source | None = None,
    flood: str | None = None,
) -> MessageId:
    """What a program says of its ticket: kept and shown, but it moves nothing and waits for no answer."""
    message = await _keep(tx, actor, ticket, "request", text, file_ids, source, flood)
    await record(tx, actor, ticket, "logged", {"message": message}, said=text)
    return message


@needs(Right.SPEAK)
async def hush(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """A program has said so much of late that it is not answered any more."""
    return await record(tx, actor, ticket, "hushed")


@needs(Right.JUDGE)
async def confirm(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """The requester says that it is solved."""
    return await record(tx, actor, ticket, "confirmed")


@needs(Right.SPEAK)
async def reopen(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """It is not solved after all; it goes back to the same agent. Possible for a while after closing."""
    model.check(ticket, "reopened")
    if not may_reopen(tx, ticket):
        raise UserError("ticket.closed_too_long", ticket=ticket.id)
    return await record(tx, actor, ticket, "reopened")


def may_reopen(tx: Transaction, ticket: Ticket) -> bool:
    """Whether it was not closed too long ago, nor merged."""
    if ticket.merged_into is not None:
        return False
    return ticket.closed_at is None or tx.now <= ticket.closed_at + tx.rule(Catalogue).reopen_for


# ---- the agent


@needs(Right.WORK)
async def take(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """The actor is on it. Exactly one of several at once wins; the others are told who."""
    assert actor.person is not None
    if ticket.owner == actor.person.id:
        raise UserError("ticket.already_yours", ticket=ticket.id)
    if ticket.owner is not None:
        raise await _taken(tx, ticket, ticket.owner)
    return await record(tx, actor, ticket, "claimed", {"owner": actor.person.id})


async def _taken(tx: Transaction, ticket: Ticket, owner: PersonId) -> UserError:
    taking = [event for event in await store.timeline(tx, ticket.id) if event.kind in ("claimed", "passed")]
    last = taking[-1]
    return UserError(
        "ticket.taken",
        ticket=ticket.id,
        name=(await people.get(tx, owner)).name,
        ago=last.at,
        via=last.via,
    )


@needs(Right.WORK)
async def release(tx: Transaction, actor: Actor, ticket: Ticket, note: str = "") -> Ticket:
    """Nobody's again, with a word for whoever comes next."""
    if ticket.owner is None:
        raise UserError("ticket.nobodys", ticket=ticket.id)
    return await record(tx, actor, ticket, "released", {"text": note, "from": ticket.owner})


@needs(Right.WORK)
async def pass_to(tx: Transaction, actor: Actor, ticket: Ticket, to: PersonId, note: str = "") -> Ticket:
    """Somebody else's from now on. Raises UserError when they do not serve the queue."""
    person = await people.get(tx, to)
    if not person.serves(ticket.queue):
        raise UserError("ticket.does_not_serve", name=person.name)
    if ticket.owner == person.id:
        raise UserError("ticket.already_theirs", ticket=ticket.id, name=person.name)
    return await record(tx, actor, ticket, "passed", {"owner": person.id, "text": note, "from": ticket.owner})


@needs(Right.WORK)
async def reply(
    tx: Transaction,
    actor: Actor,
    ticket: Ticket,
    text: str,
    *,
    file_ids: Sequence[str] = (),
    source: Source | None = None,
) -> MessageId:
    """Words for the requester."""
    if not file_ids:
        _filled(text)
    model.check(ticket, "replied")
    ticket = await _own(tx, actor, ticket)
    message = await _keep(tx, actor, ticket, "reply", text, file_ids, source)
    await record(tx, actor, ticket, "replied", {"message": message}, said=text)
    return message


@needs(Right.WORK)
async def note(
    tx: Transaction,
    actor: Actor,
    ticket: Ticket,
    text: str,
    *,
    file_ids: Sequence[str] = (),
    source: Source | None = None,
) -> MessageId:
    """Words for staff alone; the requester never sees them."""
    if not file_ids:
        _filled(text)
    message = await _keep(tx, actor, ticket, "note", text, file_ids, source)
    await record(tx, actor, ticket, "noted", {"message": message})
    return message


@needs(Right.WORK)
async def withdraw(tx: Transaction, actor: Actor, ticket: Ticket, message_id: MessageId) -> Ticket:
    """Take a reply back, shortly after it was sent; what it met is due again, as if it had never been sent.

    Raises UserError when it is too late."""
    said = await store.message(tx, message_id)
    if said is None or said.ticket != ticket.id or said.author != actor.person_id or said.kind != "reply":
        raise UserError("reply.not_yours")
    if said.withdrawn_at is not None:
        raise UserError("reply.withdrawn_already")
    if tx.now > said.at + tx.rule(Catalogue).undo_for:
        raise UserError("reply.too_late")
    await store.change_message(tx, message_id, withdrawn_at=tx.now)
    await search.refresh(tx, ticket)
    restored = model.restoring(await store.timeline(tx, ticket.id), message_id)
    return await record(tx, actor, ticket, "withdrawn", restored)


@needs(Right.WORK)
async def wait(tx: Transaction, actor: Actor, ticket: Ticket, text: str = "") -> Ticket:
    """It is the requester's turn; `text` asks them something."""
    question = await reply(tx, actor, ticket.id, text) if text.strip() else None
    ticket = await _own(tx, actor, await store.get(tx, ticket.id))
    return await record(tx, actor, ticket, "waited", {"asked": question is not None, "message": question})


@needs(Right.WORK)
async def hold(
    tx: Transaction, actor: Actor, ticket: Ticket, until: datetime | None, note: str = ""
) -> Ticket:
    """It waits for a third party or a date. `until` is UTC; None: until somebody resumes it."""
    if until is not None and until <= tx.now:
        raise UserError("hold.past")
    facts = {"until": until.isoformat() if until else None, "text": note}
    return await record(tx, actor, ticket, "held", facts)


@needs(Right.WORK)
async def resume(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """It is the desk's turn again."""
    return await record(tx, actor, ticket, "resumed")


@needs(Right.WORK)
async def resolve(tx: Transaction, actor: Actor, ticket: Ticket, text: str = "") -> Ticket:
    """Solved, in the agent's eyes; the requester is asked to confirm."""
    model.check(ticket, "resolved")
    ticket = await _own(tx, actor, ticket)
    return await record(tx, actor, ticket, "resolved", {"text": text.strip()}, said=text)


@needs(Right.WORK)
async def prioritise(
    tx: Transaction, actor: Actor, ticket: Ticket, priority: Priority, reason: str = ""
) -> Ticket:
    """Change the priority; the reason is kept."""
    if ticket.priority is priority:
        raise UserError("priority.same", ticket=ticket.id)
    facts = {"priority": priority, "before": ticket.priority, "text": reason}
    return await record(tx, actor, ticket, "prioritised", facts)


@needs(Right.WORK)
async def set_level(tx: Transaction, actor: Actor, ticket: Ticket, level: Level, note: str = "") -> Ticket:
    """Hand over to another level of support; owner and clocks stay."""
    if ticket.level is level:
        raise UserError("level.same", ticket=ticket.id)
    return await record(tx, actor, ticket, "levelled", {"level": level, "text": note})


# ---- both, and the desk itself


@needs(Right.SPEAK)
async def edit_message(
    tx: Transaction, actor: Actor, ticket: Ticket, message_id: MessageId, text: str
) -> Ticket:
    """New words for a message of one's own; the old ones stay in the timeline."""
    said = await store.message(tx, message_id)
    if said is None or said.ticket != ticket.id or said.author != actor.person_id:
        raise UserError("reply.not_yours")
    if marked.same(said.text, text) or said.withdrawn_at is not None:
        return ticket
    words, marks = str(_filled(text)), marked.to_json(text)
    await store.change_message(tx, message_id, text=words, marks=marks, edited_at=tx.now)
    await search.refresh(tx, ticket)
    return await record(tx, actor, ticket, "edited", {"message": message_id, "before": said.text})


@needs(Right.SPEAK)
async def note_deletion(tx: Transaction, actor: Actor, ticket: Ticket, message_id: MessageId) -> Ticket:
    """The actor's own message is gone from where it was said; the ticket keeps the words, and says so.

    A reply stands in none of the rooms any more, so that its copies tell it everywhere."""
    said = await store.message(tx, message_id)
    if said is None or said.ticket != ticket.id or said.author != actor.person_id:
        raise UserError("reply.not_yours")
    if said.withdrawn_at is not None:
        return ticket
    if said.kind == "reply":
        await store.change_message(tx, message_id, room=None, remote=None)
    words = texts.shorten(said.text, TITLE_LIMIT)
    undo = said.kind == "reply" and tx.now <= said.at + tx.rule(Catalogue).undo_for
    kind = f"{said.kind}_undo" if undo else said.kind
    return await record(tx, actor, ticket, "deleted", {"message": message_id, "text": words, "kind": kind})


@needs(Right.SPEAK)
async def react(tx: Transaction, actor: Actor, ticket: Ticket, message_id: MessageId, emoji: str) -> Ticket:
    """An emoji under a message of the ticket; the same one of the same person again is told no more."""
    said = await store.message(tx, message_id)
    if said is None or said.ticket != ticket.id or said.withdrawn_at is not None or said.kind == "note":
        return ticket
    facts = {"message": message_id, "emoji": emoji, "words": texts.shorten(said.text, TITLE_LIMIT)}
    told = [each for each in await store.timeline(tx, ticket.id) if each.kind == "reacted"]
    mine = [each.facts for each in told if each.actor == actor.person_id]
    if any((each["message"], each["emoji"]) == (message_id, emoji) for each in mine):
        return ticket
    return await record(tx, actor, ticket, "reacted", facts)


@needs(Right.SPEAK)
async def move_away(
    tx: Transaction, actor: Actor, ticket: Ticket, message_id: MessageId, to: TicketId
) -> Ticket:
    """A message that belongs to another ticket leaves this one; its words are said there, with its files."""
    said = await store.message(tx, message_id)
    if said is None or said.ticket != ticket.id or said.author != actor.person_id or said.withdrawn_at:
        raise UserError("reply.not_yours")
    if not await may_move(tx, said):
        raise UserError("reply.not_movable")
    await store.change_message(tx, message_id, withdrawn_at=tx.now, room=None, remote=None)
    await search.refresh(tx, ticket)
    await files.release(tx, message_id)
    return await record(tx, actor, ticket, "moved", {"message": message_id, "to": to})


async def may_move(tx: Transaction, said: Said) -> bool:
    """Whether it can go to another ticket: a requester's later words can, notes and first words cannot."""
    return said.kind == "request" and said.id != (await store.first_message(tx, said.ticket)).id


@needs(Right.WORK)
async def requeue(tx: Transaction, actor: Actor, ticket: Ticket, queue: str) -> Ticket:
    """Another team's from now on."""
    return await record(tx, actor, ticket, "requeued", {"queue": queue, "before_queue": ticket.queue})


@needs(Right.WORK)
async def close(tx: Transaction, actor: Actor, ticket: Ticket) -> Ticket:
    """Resolved long enough ago."""
    return await record(tx, actor, ticket, "closed")


@needs(Right.WORK)
async def tell_undelivered(
    tx: Transaction,
    actor: Actor,
    ticket: Ticket,
    message_id: MessageId | None,
    reason: str,
    where: str = "",
) -> Ticket:
    """Something meant for the requester could not be delivered; `where`: in which messenger."""
    facts = {"message": message_id, "reason": reason, "where": where}
    return await record(tx, actor, ticket, "undelivered", facts)
