"""Rooms of many that are nobody's staff space: a message there becomes a ticket for whoever wrote it."""

import re

from bot.flows import talk
from bot.flows.dialog import Heard
from bot.flows.turn import Turn
from bot.i18n import guess
from bot.incoming import Incoming, Quoted, Reacted, Said
from bot.message import Message, Paragraph, Plain, Words
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import TicketId
from core.outbox import actions as outbox
from core.outbox import store as posts
from core.outbox.model import Parcel
from core.people import actions as people
from core.people import store as people_store
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets import company, merging, priorities, queries
from core.tickets import store as ticket_store
from core.tickets.model import Status, Ticket

TICKET_EMOJI = "🎫"
_COMMAND = re.compile(r"/ticket(?!\w)", re.IGNORECASE)


def wanted(incoming: Incoming) -> Quoted | None:
    """The message that a ticket is asked for by this: to name the desk below a message says no more."""
    match incoming.what:
        case Said(quoted=quoted, text=text) if _COMMAND.match(text):
            return quoted
        case Said(quoted=Quoted() as quoted, text=text, files=()) if not (incoming.private or text.strip()):
            return None if quoted.sender.automatic else quoted
        case Reacted(quoted=quoted, emoji=emoji) if emoji.removesuffix("\ufe0f") == TICKET_EMOJI:
            return quoted
    return None


async def make_ticket(turn: Turn, quoted: Quoted | None, files: tuple[str, ...] = ()) -> None:
    """A ticket for the author of the message; the talk goes on in their private conversation.

    The same message twice is one ticket. Raises UserError when there is no such message to be had."""
    if quoted is None or quoted.sender.automatic or not (quoted.text.strip() or quoted.files):
        raise UserError("crowd.nobodys" if turn.threads else "crowd.no_message")
    room = quoted.room or turn.room
    known = await ticket_store.message_at(turn.tx, room, quoted.message)
    if known is not None:
        raise UserError("crowd.already", ticket=known.ticket)
    sender = quoted.sender
    author = await people.meet(
        turn.tx, sender.identity, name=sender.name, language=guess(sender.language, turn.person.language)
    )
    home = turn.direct(sender.identity)
    kind = turn.catalogue.guess(quoted.text) or turn.catalogue.last
    ticket = await tickets.open_ticket(
        turn.tx,
        Actor(author, turn.actor.via),
        type_name=kind.name,
        text=texts.clean(quoted.text) or ", ".join(each.name for each in quoted.files),
        priority=priorities.weight(kind, None),
        home=str(home) if home else turn.room,
        file_ids=(*files, *(each.kept for each in quoted.files if each.kept)),
        source=(room, quoted.message),
        where=quoted.where,
    )
    made = "crowd.made_and_told" if turn.threads else "crowd.made"
    text = Words(made, {"ticket": ticket.id, "name": Plain(author.name)})
    whole = all(each.kept for each in quoted.files)
    lost = () if whole else (Paragraph(Words("file.not_taken"), "quiet"),)
    told = Message((Paragraph(text), *lost), ticket=ticket.id)
    await turn.tell(told, only=False, below=quoted.message if room == turn.room else None)


async def own(turn: Turn, heard: Heard, said: Said) -> None:
    """Somebody spoke to the desk among others: their words are the report, together with those that they
    answer, or go on with their own. Thanks are nothing to report."""
    assert heard.message is not None
    source, thanks = (turn.room, heard.message), talk.only_thanks(heard)
    post = await posts.at(turn.tx, turn.room, said.reply_to) if said.reply_to else None
    ticket = await _answered(turn, post.ticket if post else None, said.quoted)
    if ticket is None and turn.flood is not None:
        ticket = next(iter(await queries.unclosed_of(turn.tx, turn.person.id)), None)
    if ticket is not None:
        await tickets.say(
            turn.tx,
            turn.actor,
            ticket.id,
            heard.text,
            file_ids=heard.files,
            source=source,
            thanks=thanks,
            flood=turn.flood,
        )
        if turn.threads and turn.flood is None:
            await turn.tell(talk.passed_on(ticket))
    elif not (post and thanks):
        words = _with_quote(heard.text, said.quoted)
        report = Quoted(turn.incoming.sender, words, heard.message, where=said.where)
        await make_ticket(turn, report, heard.files)


async def _answered(turn: Turn, number: TicketId | None, quoted: Quoted | None) -> Ticket | None:
    """The ticket under way of this person that a message of the desk's, or the quoted one, belongs to."""
    if number is None and quoted is not None:
        known = await ticket_store.message_at(turn.tx, turn.room, quoted.message)
        number = known.ticket if known else None
    found = await ticket_store.find(turn.tx, number) if number else None
    ticket = await merging.standing(turn.tx, found) if found else None
    if ticket is None or ticket.status is Status.CLOSED:
        return None
    return ticket if await company.belongs(turn.tx, ticket, turn.person.id) else None


def _with_quote(words: str, quoted: Quoted | None) -> str:
    """The words, and below them those of somebody else that they are about."""
    if quoted is None or quoted.sender.automatic or not quoted.text.strip():
        return words
    return f"{words}\n\n↪️ {quoted.sender.name}:\n{texts.clean(quoted.text)}"


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
