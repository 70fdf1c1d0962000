"""What follows from what: which event and which timer calls which action. The whole plot on one page."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from typing import Any

from core import sharing
from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.files import store as files
from core.kernel.events import Event
from core.kernel.ids import MessageId, PingId, TicketId
from core.oncall import duty
from core.oncall import queries as oncall
from core.outbox import actions as outbox
from core.outbox import store as posts
from core.outbox.model import Parcel
from core.people import store as people
from core.people.model import DESK
from core.sla import actions as sla
from core.sla import queries as promises
from core.tickets import actions as tickets
from core.tickets import doors, emergencies, homes
from core.tickets import store as ticket_store
from core.tickets.catalogue import Catalogue
from core.tickets.model import Said, Status, Ticket, question_slot
from core.timers import actions as timers
from core.timers import store as timer_store
from core.timers.model import Timer

CLOSE, HOLD_OVER, UNDO_OVER, DUE, CALM_OVER = "close", "hold_over", "undo_over", "due", "calm_over"

# ---- what everybody is told


async def card(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Every copy of the card shows the ticket as it is."""
    await show_card(tx, ticket)


async def show_card(tx: Transaction, ticket: Ticket) -> None:
    """The card in each of the team's spaces, as it is now."""
    for space in tx.rule(Catalogue).queue(ticket.queue).spaces:
        await outbox.put(tx, Parcel("card", room=space, ticket=ticket.id, slot=f"card:{ticket.id}"))


async def pages(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Whoever has a page of their own in a messenger sees there whose turn it is now, also in what others
    share with them; what is or was nobody's concerns all who serve the queue."""
    owner_before, came_or_went = event.facts.get("from"), event.facts.get("person")
    concerned = {ticket.requester, ticket.owner, owner_before, came_or_went} - {None}
    concerned |= await doors.colleagues(tx, ticket.id)
    if ticket.owner is None or (event.kind in ("claimed", "passed") and owner_before is None):
        queues = {ticket.queue, event.facts.get("before_queue", ticket.queue)}
        concerned |= {
            person.id for person in await people.staff(tx) if any(person.serves(queue) for queue in queues)
        }
    slots = {f"home:{person}": person for person in concerned}
    for page in await posts.posts_of_slots(tx, slots):
        assert page.slot is not None
        await outbox.put(tx, Parcel("home", room=page.address, person=slots[page.slot], slot=page.slot))


async def whose(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Staff see who asks and through what, wherever that matters still."""
    if ticket.status is not Status.CLOSED:
        await card(tx, event, ticket)
        await pages(tx, event, ticket)
        await staff_line(tx, event, ticket)


async def handed(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Whoever a ticket was passed to is told so in private."""
    if event.actor != ticket.owner:
        facts = {"actor": event.actor, "text": event.facts["text"]}
        await outbox.put(tx, Parcel("told_handed", facts, person=ticket.owner, ticket=ticket.id))


async def handed_up(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Whoever is on call for the level it went to is told so in private."""
    facts = {"actor": event.actor, "text": event.facts["text"], "level": ticket.level}
    for person in await oncall.on_call_at(tx, ticket.queue, ticket.level):
        if person.id != event.actor:
            await outbox.put(tx, Parcel("told_levelled", facts, person=person.id, ticket=ticket.id))


async def staff_line(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """One quiet line in the ticket's threads."""
    facts = {"event": event.kind, "actor": event.actor, "via": event.via, **event.facts}
    for space in tx.rule(Catalogue).queue(ticket.queue).spaces:
        await outbox.put(tx, Parcel("event", facts, room=space, ticket=ticket.id, thread=True))


async def company_line(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Who came and who went, unless that follows from something that is told anyway."""
    if not event.facts.get("quiet"):
        await staff_line(tx, event, ticket)


async def staff_message(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """What somebody said, in the ticket's threads; a note is not shown again where it was written."""
    message = MessageId(event.facts["message"])
    said = await ticket_store.message(tx, message)
    assert said is not None
    for space in tx.rule(Catalogue).queue(ticket.queue).spaces:
        if said.kind == "note" and (said.read_in or "").partition("#")[0] == space:
            await outbox.put(tx, _references(space, ticket.id, message))
            continue
        await outbox.put(tx, _flood(space, said) if said.flood else _staff_copy(space, ticket.id, message))


def _flood(space: str, said: Said) -> Parcel:
    """What came in one flood is one line, however much it is."""
    facts, slot = {"flood": said.flood, "author": said.author}, f"flood:{said.ticket}:{said.flood}"
    return Parcel("flood", facts, room=space, ticket=said.ticket, thread=True, slot=slot)


def _staff_copy(space: str, ticket: TicketId, message: MessageId) -> Parcel:
    slot = f"said:{message}"
    return Parcel("said", {"message": message}, room=space, ticket=ticket, thread=True, slot=slot)


def _references(space: str, ticket: TicketId, message: MessageId) -> Parcel:
    """What a note names, below it where it was written."""
    slot = f"references:{message}"
    return Parcel("references", {"message": message}, room=space, ticket=ticket, thread=True, slot=slot)


FITS_THE_CARD = 300
"""Characters of the first words that every card can show."""


async def first_words(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """First words or answers too long for the card, or with files, stand in full below it."""
    said = await ticket_store.message(tx, MessageId(event.facts["message"]))
    assert said is not None
    longest = max(len(words) for words in (said.text, *(answer.text for answer in ticket.answers)))
    if longest > FITS_THE_CARD or await files.of_message(tx, said.id):
        await staff_message(tx, event, ticket)


async def requester_promise(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """The requester is told the number and by when somebody will answer."""
    if not event.facts.get("quiet"):
        slot = _receipt(ticket.id) if tx.rule(Catalogue).emergencies.enabled else None
        home, requester = ticket.home, ticket.requester
        await outbox.put(tx, Parcel("told_opened", room=home, person=requester, ticket=ticket.id, slot=slot))


def _receipt(ticket: TicketId) -> str:
    return f"opened:{ticket}"


async def receipt(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """An emergency is offered by the receipt as long as one can be raised."""
    slot = _receipt(ticket.id)
    for shown in await posts.posts_of_slot(tx, slot) if tx.rule(Catalogue).emergencies.enabled else ():
        room, reader = shown.address, ticket.requester
        await outbox.put(tx, Parcel("told_opened", room=room, person=reader, ticket=ticket.id, slot=slot))


async def requester_notice(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """The requester is told what happened, in plain words; never what they did themselves."""
    if event.facts.get("quiet") or event.actor == ticket.requester:
        return
    facts = {"actor": event.actor, **event.facts}
    slot = question_slot(ticket) if event.kind == "resolved" else None
    kind = f"told_{event.kind}"
    parcel = Parcel(kind, facts, room=ticket.home, person=ticket.requester, ticket=ticket.id, slot=slot)
    await outbox.put(tx, parcel)


async def emergency_told(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Those who ask are told who is called; whoever raised it can take it back for a while."""
    called = [person.name for person in await oncall.on_call(tx, ticket.queue, ticket.level)]
    facts = {"at": event.at.isoformat(), "names": called, "actor": event.actor}
    after = tx.now + emergencies.UNDO_FOR + timedelta(seconds=1)
    await timers.set_timer(tx, ticket.id, CALM_OVER, after, facts=facts)
    await _show_emergency(tx, ticket, facts)


async def calmed_told(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Where they read that somebody is called, it says that this was taken back."""
    for timer in await timer_store.of_ticket(tx, ticket.id, CALM_OVER):
        await _show_emergency(tx, ticket, timer.facts)
    await timers.cancel(tx, ticket.id, CALM_OVER)


async def _show_emergency(tx: Transaction, ticket: Ticket, facts: Mapping[str, Any]) -> None:
    slot, actor = f"emergency:{ticket.id}:{facts['at']}", facts["actor"]
    own = Parcel(
        "told_emergency", facts, room=ticket.home, person=ticket.requester, ticket=ticket.id, slot=slot
    )
    await outbox.put(tx, own)
    if actor != ticket.requester:
        shared = {**facts, "company": True}
        await outbox.put(
            tx, Parcel("told_emergency", shared, person=actor, ticket=ticket.id, slot=f"{slot}:{actor}")
        )


async def requester_reply(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """The agent's words reach the requester; Undo stands under their copy for a while."""
    message = MessageId(event.facts["message"])
    await outbox.put(tx, reply_parcel(ticket, message))
    after = tx.now + tx.rule(Catalogue).undo_for + timedelta(seconds=1)
    await timers.set_timer(tx, ticket.id, UNDO_OVER, after, key=str(message), facts={"message": message})


def reply_parcel(ticket: Ticket, message: MessageId, *, retract: bool = False) -> Parcel:
    return Parcel(
        "reply",
        {"message": message},
        room=ticket.home,
        person=ticket.requester,
        ticket=ticket.id,
        message=message,
        slot=f"reply:{message}",
        retract=retract,
    )


async def reply_withdrawn(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """What was sent is taken back, and staff see that it was."""
    message = MessageId(event.facts["message"])
    for parcel in await homes.everywhere(tx, ticket, reply_parcel(ticket, message, retract=True)):
        await outbox.put(tx, parcel)
    await show_ways(tx, ticket.id, message)
    await staff_message(tx, event, ticket)


async def message_edited(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Every copy of the message changes."""
    message = MessageId(event.facts["message"])
    said = await ticket_store.message(tx, message)
    if said is not None and said.kind == "reply":
        for parcel in await homes.everywhere(tx, ticket, reply_parcel(ticket, message)):
            await outbox.put(tx, parcel)
    await staff_message(tx, event, ticket)


async def answers_follow(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """Where a message that has changed, or is gone, is quoted by those that answer it, they show that."""
    for said in await ticket_store.answers_to(tx, MessageId(event.facts["message"])):
        shown = replace(event, kind="edited", facts={"message": said.id})
        arrived = bool(await posts.posts_of_message(tx, said.id))
        await (message_edited if arrived else staff_message)(tx, shown, ticket)
        await sharing.follow(tx, shown, ticket)


async def rehomed(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """The requester reads in the new place that it goes on there, and in the one they leave where it does.

    Whoever works on it moves it because nothing gets through to the old place: nothing is said there. What
    was still to be said in the old place is said in the new one."""
    left, requester = event.facts["left"], ticket.requester
    facts = {"home": ticket.home, "left": left}
    told = [("told_rehomed", ticket.home)]
    if event.actor == requester:
        told.append(("told_moved_on", left))
    left_behind = await outbox.take_back(tx, ticket.id, requester, left.partition("#")[0])
    for kind, room in told:
        await outbox.put(tx, Parcel(kind, facts, room=room, person=requester, ticket=ticket.id))
    for parcel in left_behind:
        await outbox.put(tx, replace(parcel, room=ticket.home))
        if parcel.message is not None:
            await show_ways(tx, ticket.id, parcel.message)


async def undelivered_line(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """The team reads at once what did not get through, below the ticket, with the ways that are left."""
    message, at = event.facts["message"], event.at.isoformat()
    slot = f"{_undelivered(message)}{at}" if message else None
    for space in tx.rule(Catalogue).queue(ticket.queue).spaces:
        await outbox.put(tx, _undelivered_line(space, ticket.id, message, at, slot))
    said = await ticket_store.message(tx, MessageId(message)) if message else None
    if said is not None and said.kind == "reply":
        await staff_message(tx, event, ticket)


def _undelivered(message: MessageId) -> str:
    """How the slots of all lines begin that say that a message did not get through."""
    return f"undelivered:{message}:"


def _undelivered_line(
    space: str, ticket: TicketId, message: MessageId | None, at: str, slot: str | None
) -> Parcel:
    facts = {"message": message, "at": at}
    return Parcel("undelivered", facts, room=space, ticket=ticket, thread=True, slot=slot)


async def show_ways(tx: Transaction, ticket: TicketId, message: MessageId) -> None:
    """Where it says that this did not get through, only those ways are offered that are left now."""
    beginning = _undelivered(message)
    for line in await posts.posts_beginning(tx, beginning):
        assert line.slot is not None
        space, at = line.address.partition("#")[0], line.slot.removeprefix(beginning)
        await outbox.put(tx, _undelivered_line(space, ticket, message, at, line.slot))


async def send_again(tx: Transaction, ticket: Ticket, message: MessageId) -> None:
    """A reply that did not get through is sent to where the ticket is at home now, and only there."""
    parcel = reply_parcel(ticket, message)
    assert parcel.slot is not None
    await posts.forgo(tx, parcel.slot)
    await outbox.put(tx, parcel)
    await show_ways(tx, ticket.id, message)


async def words_gone(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """A reply can be read in its copy, where it cannot be read above it any more."""
    said = await ticket_store.message(tx, MessageId(event.facts["message"]))
    if said is not None and said.kind == "reply":
        await staff_message(tx, event, ticket)


async def low_rating(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """A bad rating goes to the leads at once."""
    if event.facts["stars"] > 2:
        return
    for person in await people.staff(tx):
        if person.leads(ticket.queue):
            slot = f"rating:{ticket.id}:{person.id}"
            await outbox.put(
                tx, Parcel("low_rating", dict(event.facts), person=person.id, ticket=ticket.id, slot=slot)
            )


# ---- what happens later


async def close_later(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """A resolved ticket nobody objects to is closed after a while; otherwise nobody is asked any more."""
    asked = await timers.cancel(tx, ticket.id, CLOSE) or event.kind == "closed"
    if ticket.status is Status.RESOLVED:
        await timers.set_timer(tx, ticket.id, CLOSE, tx.now + tx.rule(Catalogue).close_after)
    elif asked:
        await _question_over(tx, ticket)


async def _question_over(tx: Transaction, ticket: Ticket) -> None:
    """The newest question whether it is fixed loses its buttons."""
    for asked in (await posts.posts_beginning(tx, f"fixed:{ticket.id}:"))[-1:]:
        parcel = Parcel(
            "told_resolved", room=asked.address, person=ticket.requester, ticket=ticket.id, slot=asked.slot
        )
        await outbox.put(tx, parcel)


async def hold_ends(tx: Transaction, event: Event, ticket: Ticket) -> None:
    """A ticket on hold until a date comes back by itself."""
    await timers.cancel(tx, ticket.id, HOLD_OVER)
    if ticket.hold_until is not None:
        await timers.set_timer(tx, ticket.id, HOLD_OVER, ticket.hold_until)


async def clocks(tx: Transaction, event: Event, ticket: Ticket) -> None:
    bring_into_line = sla.recount if event.kind == "withdrawn" else sla.follow
    await bring_into_line(tx, ticket)
    await await_due(tx, ticket.id)


async def await_due(tx: Transaction, ticket: TicketId) -> None:
    """The card will say so when a promise falls due."""
    due = await promises.due_after(tx, ticket, tx.now)
    known = [timer.due_at for timer in await timer_store.of_ticket(tx, ticket, DUE)]
    if due is None:
        await timers.cancel(tx, ticket, DUE)
    elif known != [due]:
        await timers.set_timer(tx, ticket, DUE, due)


async def recount(tx: Transaction, ticket: Ticket) -> bool:
    """The rules are others: clocks, pings and the card follow. Whether anything is due at another time."""
    changed = await sla.renew(tx, ticket)
    await escalation.arrange(tx, ticket)
    if changed:
        await await_due(tx, ticket.id)
        await show_card(tx, ticket)
    return changed


async def escalations(tx: Transaction, event: Event, ticket: Ticket) -> None:
    await escalation.follow(tx, event, ticket)


Reaction = Callable[[Transaction, Event, Ticket], Awaitable[None]]

_MOVED: tuple[Reaction, ...] = (clocks, close_later, hold_ends, escalations, card, pages)

REACTIONS: Mapping[str, tuple[Reaction, ...]] = {
    "opened": (*_MOVED, first_words, requester_promise),
    "said": (*_MOVED, staff_message),
    "thanked": (staff_message,),
    "flooded": (staff_message,),
    "logged": (staff_message,),
    "hushed": (staff_line,),
    "claimed": (*_MOVED, staff_line, requester_notice),
    "released": (*_MOVED, staff_line),
    "passed": (*_MOVED, staff_line, requester_notice, handed),
    "replied": (*_MOVED, requester_reply, staff_message),
    "noted": (escalations, staff_message),
    "withdrawn": (*_MOVED, reply_withdrawn, answers_follow),
    "moved": (staff_message, staff_line, answers_follow),
    "edited": (message_edited, card, answers_follow),
    "deleted": (words_gone, staff_line),
    "reacted": (staff_line,),
    "waited": (*_MOVED, staff_line, requester_notice),
    "held": (*_MOVED, staff_line, requester_notice),
    "resumed": (*_MOVED, staff_line),
    "resolved": (*_MOVED, receipt, staff_line, requester_notice),
    "confirmed": (*_MOVED, staff_line),
    "reopened": (*_MOVED, receipt, staff_line, requester_notice),
    "closed": (*_MOVED, receipt),
    "prioritised": (*_MOVED, receipt, staff_line),
    "emergency": (*_MOVED, receipt, staff_line, emergency_told),
    "calmed": (*_MOVED, receipt, staff_line, calmed_told),
    "requeued": (*_MOVED, staff_line),
    "levelled": (*_MOVED, staff_line, handed_up),
    "progressed": (escalations, card, staff_line),
    "pinged": (escalations, card, staff_line),
    "promised": (escalations, card, staff_line),
    "snoozed": (escalations, card, staff_line),
    "undelivered": (undelivered_line,),
    "rehomed": (card, staff_line, rehomed),
    "rated": (card, pages, staff_line, low_rating),
    "commented": (staff_line,),
    "adopted": (whose,),
    "inherited": (whose,),
    "parted": (whose,),
    "merged": (*_MOVED, receipt, staff_line, requester_notice),
    "unmerged": (*_MOVED, receipt, staff_line, requester_notice),
    "absorbed": (card, staff_line),
    "detached": (card, staff_line),
    "related": (card, staff_line),
    "unrelated": (card, staff_line),
    "joined": (card, pages, company_line),
    "left": (card, pages, company_line),
}


async def react(tx: Transaction, event: Any, ticket: Ticket) -> None:
    """Let everything happen that follows from the event; no reaction changes the ticket itself."""
    for reaction in REACTIONS[event.kind]:
        await reaction(tx, event, ticket)
    await sharing.follow(tx, event, ticket)


# ---- timers


async def _close(tx: Transaction, timer: Timer) -> None:
    await tickets.close(tx, DESK, timer.ticket)


async def _hold_over(tx: Transaction, timer: Timer) -> None:
    await tickets.resume(tx, DESK, timer.ticket)


async def _undo_over(tx: Transaction, timer: Timer) -> None:
    ticket = await ticket_store.get(tx, timer.ticket)
    for space in tx.rule(Catalogue).queue(ticket.queue).spaces:
        await outbox.put(tx, _staff_copy(space, timer.ticket, MessageId(timer.facts["message"])))


async def _calm_over(tx: Transaction, timer: Timer) -> None:
    await _show_emergency(tx, await ticket_store.get(tx, timer.ticket), timer.facts)


async def _due(tx: Transaction, timer: Timer) -> None:
    await show_card(tx, await ticket_store.get(tx, timer.ticket))
    await await_due(tx, timer.ticket)


TIMERS: Mapping[str, Callable[[Transaction, Timer], Awaitable[None]]] = {
    CLOSE: _close,
    HOLD_OVER: _hold_over,
    UNDO_OVER: _undo_over,
    DUE: _due,
    CALM_OVER: _calm_over,
    escalation.STEP: escalation.step,
    escalation.QUIET_OVER: escalation.quiet_over,
    duty.SHIFT: duty.shift,
    duty.UNCOVERED: duty.uncovered,
}


# ---- what became of parcels


async def delivered(tx: Transaction, parcel: Parcel) -> None:
    """A reply that arrived is marked so for staff."""
    if parcel.kind == "reply" and parcel.message is not None and parcel.ticket is not None:
        ticket = await ticket_store.get(tx, parcel.ticket)
        for space in tx.rule(Catalogue).queue(ticket.queue).spaces:
            await outbox.put(tx, _staff_copy(space, ticket.id, parcel.message))
        await show_ways(tx, ticket.id, parcel.message)


async def arrived(tx: Transaction, parcel: Parcel) -> None:
    """A ping that was on its way while somebody was asked again tells so."""
    if parcel.kind == "ping" and parcel.person is not None and "call" not in parcel.facts:
        await escalation.arrived(tx, PingId(parcel.facts["ping"]))


async def _is_for_requester(tx: Transaction, parcel: Parcel) -> bool:
    assert parcel.ticket is not None
    if parcel.person is None:
        return False
    requester = (await ticket_store.get(tx, parcel.ticket)).requester
    return (await people.get(tx, parcel.person)).id == requester


async def call_in_space(tx: Transaction, parcel: Parcel) -> None:
    """Whom a ping could not reach in private is called by name where the team sees each ticket."""
    if parcel.person is None:
        return
    for number in await escalation.unanswered_in(tx, PingId(parcel.facts["ping"])):
        ticket = await ticket_store.get(tx, number)
        facts = {"ping": parcel.facts["ping"], "call": parcel.person}
        for space in tx.rule(Catalogue).queue(ticket.queue).spaces:
            slot = f"{parcel.slot}:{number}:{space}"
            await outbox.put(tx, Parcel("ping", facts, room=space, ticket=number, thread=True, slot=slot))


async def undeliverable(tx: Transaction, parcel: Parcel, reason: str) -> None:
    """What could not be delivered is said at once to those who can act on it."""
    if parcel.kind == "ping":
        await call_in_space(tx, parcel)
        await escalation.undeliverable(tx, PingId(parcel.facts["ping"]))
    elif room := parcel.facts.get("asked_in"):
        await outbox.put(tx, Parcel("write_me", room=room, person=parcel.person))
    elif parcel.ticket is not None and await _is_for_requester(tx, parcel):
        where = (parcel.room or "").partition(":")[0]
        await tickets.tell_undelivered(tx, DESK, parcel.ticket, parcel.message, reason, where)


async def is_stuck(tx: Transaction, parcel: Parcel) -> bool:
    """Whether this ping has tried to get through for so long that it should not be waited for."""
    return await escalation.is_stuck(tx, PingId(parcel.facts["ping"]))


async def ask_others(tx: Transaction, parcel: Parcel) -> None:
    """This ping waits for its messenger: the next steps need not wait."""
    await escalation.ask_others(tx, PingId(parcel.facts["ping"]))
