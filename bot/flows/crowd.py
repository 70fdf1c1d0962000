"""Rooms of many that are nobody's staff space: a message there becomes a ticket for whoever wrote it."""

from bot.flows.dialog import Heard
from bot.flows.turn import Turn
from bot.i18n import guess
from bot.incoming import Quoted
from bot.message import Message, Paragraph, Plain, Words
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.outbox import actions as outbox
from core.outbox.model import Parcel
from core.people import actions as people
from core.people import store as people_store
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets import store as ticket_store
from core.tickets.catalogue import Priority

TICKET_EMOJI = "🎫"


async def make_ticket(turn: Turn, quoted: Quoted | None, files: tuple[str, ...] = ()) -> None:
    """A ticket for the author of the message; the talk goes on in their private conversation.

    The same message twice is one ticket. Raises UserError when there is no such message to be had."""
    if quoted is None or quoted.sender.automatic or not quoted.text.strip():
        raise UserError("crowd.no_message")
    known = await ticket_store.message_at(turn.tx, turn.room, quoted.message)
    if known is not None:
        raise UserError("crowd.already", ticket=known.ticket)
    sender = quoted.sender
    author = await people.meet(
        turn.tx, sender.identity, name=sender.name, language=guess(sender.language, turn.person.language)
    )
    home = turn.direct(sender.identity)
    kind = turn.catalogue.guess(quoted.text) or turn.catalogue.types[_last(turn)]
    ticket = await tickets.open_ticket(
        turn.tx,
        Actor(author, turn.actor.via),
        type_name=kind.name,
        text=texts.clean(quoted.text),
        priority=kind.urgency or Priority.NORMAL,
        home=str(home) if home else turn.room,
        file_ids=files,
        source=(turn.room, quoted.message),
    )
    text = Words("crowd.made", {"ticket": ticket.id, "name": Plain(author.name)})
    await turn.tell(Message((Paragraph(text),), ticket=ticket.id), only=False)


def _last(turn: Turn) -> str:
    """The type for what fits no other: the last of the configuration."""
    return list(turn.catalogue.types)[-1]


async def own(turn: Turn, heard: Heard) -> None:
    """Somebody spoke to the desk among others: their words are the report."""
    assert heard.message is not None
    await make_ticket(turn, Quoted(turn.incoming.sender, heard.text, heard.message), heard.files)


async def trouble(turn: Turn, kind: str, room: str) -> None:
    """Those who run the desk learn what happened to a staff room."""
    if turn.room not in turn.catalogue.by_space:
        return
    if kind == "returned" and not await outbox.revive(turn.tx, turn.room):
        return
    facts = {"kind": kind, "title": room, "room": turn.room}
    for person in await people_store.admins(turn.tx):
        slot = f"trouble:{turn.room}:{kind}:{person.id}:{turn.tx.now.isoformat()}"
        await outbox.put(turn.tx, Parcel("trouble", facts, person=person.id, slot=slot))
