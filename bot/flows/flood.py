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
from core.kernel.errors import UserError
from core.kernel.ids import TicketId
from core.outbox.model import Parcel
from core.people.model import Right
from core.tickets import doors
from core.tickets import store as ticket_store

MOST, SPAN = 20, timedelta(minutes=1)
"""So many messages in so long are shown one by one."""
PAUSE = timedelta(seconds=10)
"""After so long without a word a flood is over."""


async def measured(turn: Turn) -> Turn:
    """The turn, knowing whether it is part of a flood; the person is told once that it is one."""
    burst = await bursts.flood(turn.tx, f"said:{turn.person.id}", MOST, SPAN, PAUSE)
    if burst is None:
        return turn
    if burst.times == MOST + 1 and not turn.incoming.sender.automatic:
        await turn.tell(Message((Paragraph(Words("flood.told"), "quiet"),), tone="hint"))
    return replace(turn, flood=_name(burst.since))


def _name(since: datetime) -> str:
    """A flood is named by its beginning, in microseconds since 1970."""
    return str((since - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1))


async def gather(turn: Turn, dialog: Dialog, heard: Heard) -> bool:
    """Add words of a flood to the request that is being made, asking nothing anew. False: there is none."""
    if turn.flood is None or dialog.flow not in (intake.FLOW, offer.FLOW):
        return False
    whole = dict(dialog.draft)
    inner = whole["draft"] if dialog.flow == offer.FLOW else whole
    grown = drafts.dump(intake.with_more(turn, drafts.load(inner), heard))
    draft = {**whole, "draft": grown} if dialog.flow == offer.FLOW else grown
    await dialog_store.save(turn.tx, replace(dialog, draft=draft))
    return True


async def line(tx: Transaction, parcel: Parcel) -> Message | None:
    """How much came in a flood, with a way to read it; nothing where all of it was taken back."""
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
    ticket = await doors.allowed(turn.tx, turn.actor, number, Right.WORK)
    page = await ticket_store.flooding(turn.tx, number, flood, after)
    if not page:
        raise UserError("press.stale")
    lines = [Paragraph(Several((At(each.at, "clock"), Plain(each.text)), " ")) for each in page]
    rest = await ticket_store.flooding(turn.tx, number, flood, page[-1].id)
    more = phrases.button(codes.code("o", "read", number, flood, page[-1].id), "button.more_found")
    heading = Paragraph(phrases.heading(ticket), "strong")
    await turn.tell(Message((heading, *lines), ((more,),) if rest else (), ticket=number))
