"""Somebody who writes faster than anybody can read: all of it is kept, and shown to staff as one line."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from bot import codes
from bot.flows import draft as drafts
from bot.flows import intake, offer, phrases, story
from bot.flows.dialog import Heard
from bot.flows.turn import Turn
from bot.message import At, Fact, Message, Paragraph, Plain, Several, Words
from core.bursts import actions as bursts
from core.database.transaction import Transaction
from core.dialogs import store as dialog_store
from core.dialogs.model import Dialog
from core.files import store as files
from core.kernel.errors import UserError
from core.kernel.ids import MessageId, TicketId
from core.outbox import actions as outbox
from core.outbox.model import Parcel
from core.tickets import actions as tickets
from core.tickets import company, doors, queries
from core.tickets import store as ticket_store
from core.tickets.model import Said, Ticket

SPAN = timedelta(minutes=1)
"""In so long the messages are counted."""
PAUSE = timedelta(seconds=10)
"""After so long without a word a flood is over."""


async def measured(turn: Turn) -> Turn:
    """The turn, knowing whether it is part of a flood; the person is told once that it is one."""
    most = turn.catalogue.flood_after
    burst = await bursts.flood(turn.tx, f"said:{turn.person.id}", most, SPAN, PAUSE)
    if burst is None:
        return turn
    if burst.times == most + 1 and not turn.incoming.sender.automatic:
        await turn.tell(Message((Paragraph(Words("flood.told"), "quiet"),), tone="hint"))
    return replace(turn, flood=_name(burst.since))


def _name(since: datetime) -> str:
    """A flood is named by its beginning, in microseconds since 1970."""
    return str((since - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))


async def gather(turn: Turn, dialog: Dialog, heard: Heard) -> bool:
    """Add the words to the request that is being made, asking nothing anew. False: there is none."""
    draft = drafts.inside(dialog.draft) if dialog.flow in (intake.FLOW, offer.FLOW) else None
    if draft is None:
        return False
    grown = drafts.put_inside(dialog.draft, intake.with_more(turn, draft, heard))
    await dialog_store.save(turn.tx, replace(dialog, draft=grown))
    return True


async def gather_apart(turn: Turn, heard: Heard) -> bool:
    """Where every message begins a request, one of a flood goes on with what is under way instead: with the
    request that is being made, or else with the newest ticket. False: there is neither."""
    begins = turn.threads and turn.incoming.private and turn.incoming.where.thread == heard.message
    if turn.flood is None or not begins:
        return False
    under_way = await dialog_store.newest(turn.tx, turn.room, turn.person.id)
    if under_way is not None and await gather(turn, under_way, heard):
        return True
    mine = await queries.unclosed_of(turn.tx, turn.person.id)
    if mine:
        source, carried = intake.source(turn, heard), heard.files
        number, flood = mine[0].id, turn.flood
        await tickets.say(
            turn.tx, turn.actor, number, heard.text, file_ids=carried, source=source, flood=flood
        )
    return bool(mine)


async def line(tx: Transaction, parcel: Parcel) -> Message | None:
    """How much came in a flood, with a way to read it while there is something to read."""
    assert parcel.ticket is not None
    flood = str(parcel.facts["flood"])
    count = await ticket_store.flooded(tx, parcel.ticket, flood)
    facts: dict[str, Fact] = {"name": await story.name(tx, parcel.facts["author"])}
    read = phrases.button(codes.code("o", "read", parcel.ticket, flood, 0), "button.read_flood")
    blocks = (Paragraph(Words("flood.line", facts, count), "quiet"),)
    return Message(blocks, ((read,),) if count else (), tone="event", ticket=parcel.ticket)


async def pressed(turn: Turn, words: Sequence[str]) -> None:
    """The line's button: the words themselves, in order, page by page."""
    match list(words):
        case ["read", number, flood, after] if codes.is_number(flood):
            await _read(turn, TicketId(int(number)), flood, int(after))
        case _:
            raise UserError("press.stale")


async def _read(turn: Turn, number: TicketId, flood: str, after: int) -> None:
    ticket = await doors.seen(turn.tx, turn.actor, number)
    page = await ticket_store.flooding(turn.tx, number, flood, after)
    if not page or not await _may_read(turn, ticket, page[0].id):
        raise UserError("press.stale")
    lines = [await _line(turn, ticket, each) for each in page]
    rest = await ticket_store.flooding(turn.tx, number, flood, page[-1].id)
    more = phrases.button(codes.code("o", "read", number, flood, page[-1].id), "button.more_found")
    heading = Paragraph(phrases.heading(ticket), "strong")
    await turn.tell(Message((heading, *lines), ((more,),) if rest else (), ticket=number))


async def _may_read(turn: Turn, ticket: Ticket, message: MessageId) -> bool:
    """Staff who work on it may, and those who belonged to the ticket when it was said."""
    if turn.person.serves(ticket.queue) or ticket.requester == turn.person.id:
        return True
    return await company.was_shown(turn.tx, ticket, message, turn.person.id)


async def _line(turn: Turn, ticket: Ticket, said: Said) -> Paragraph:
    """When it was said and what; the files that came with it are shown in the ticket's threads, to staff."""
    carried = await files.of_message(turn.tx, said.id)
    for space in turn.catalogue.queue(ticket.queue).spaces if carried and turn.person.staff else ():
        facts, slot = {"message": said.id}, f"said:{said.id}"
        copy = Parcel("said", facts, room=space, ticket=ticket.id, thread=True, slot=slot)
        await outbox.put(turn.tx, copy)
    names = tuple(Plain(f"[{file.name}]") for file in carried)
    return Paragraph(Several((At(said.at, "clock"), Plain(said.text), *names), " "))
