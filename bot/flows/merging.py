"""Merging, relating and splitting tickets: what staff type and press, and what the cards show of it."""

import re
from collections.abc import Sequence

from bot.flows.turn import Turn
from bot.incoming import Said
from bot.message import Message, Paragraph, Plain, Several, Words
from core.database.transaction import Transaction
from core.kernel.errors import UserError
from core.kernel.ids import MessageId, TicketId
from core.outbox import store as posts
from core.tickets import merging, model, queries
from core.tickets import store as tickets
from core.tickets.model import Ticket

_PAIR = re.compile(r"(?:#?(\d{1,9})\s+)?(?:(?:into|with|to|and|в|с|и)\s+)?#?(\d{1,9})", re.IGNORECASE)


def _pair(turn: Turn, rest: str, example: str) -> tuple[TicketId, TicketId]:
    """The two tickets that are meant; in a ticket's thread that one comes first unless two are named."""
    found = _PAIR.fullmatch(rest.strip())
    first = found and (found[1] or turn.about)
    if not found or not first:
        raise UserError("command.incomplete", example=example)
    return TicketId(int(first)), TicketId(int(found[2]))


async def merge(turn: Turn, _: TicketId, rest: str) -> None:
    """`/merge 42 into 17`."""
    number, into = _pair(turn, rest, "/merge 42 into 17")
    await merging.merge(turn.tx, turn.actor, number, into)
    if turn.about != number:
        await _say(turn, Words("merge.done", {"ticket": number, "into": into}))


async def unmerge(turn: Turn, number: TicketId, rest: str) -> None:
    """`/unmerge 42`."""
    await merging.unmerge(turn.tx, turn.actor, number)
    if turn.about != number:
        await _say(turn, Words("merge.undone", {"ticket": number}))


async def relate(turn: Turn, _: TicketId, rest: str) -> None:
    """`/relate 42 17`."""
    number, other = _pair(turn, rest, "/relate 42 17")
    await merging.relate(turn.tx, turn.actor, number, other)
    if turn.about is None:
        await _say(turn, Words("relate.done", {"ticket": number, "other": other}))


async def unrelate(turn: Turn, _: TicketId, rest: str) -> None:
    """`/unrelate 42 17`."""
    number, other = _pair(turn, rest, "/unrelate 42 17")
    await merging.unrelate(turn.tx, turn.actor, number, other)
    if turn.about is None:
        await _say(turn, Words("relate.undone", {"ticket": number, "other": other}))


async def split(turn: Turn, _: TicketId, rest: str) -> None:
    """`/split` as an answer to the words that are a ticket of their own.

    Raises UserError that says where to press instead, where no command can be an answer."""
    what = turn.incoming.what
    pointed = what.reply_to or (what.quoted and what.quoted.message) if isinstance(what, Said) else None
    post = await posts.at(turn.tx, turn.room, pointed) if pointed else None
    kind, _sign, message = (post.slot or "").partition(":") if post else ("", "", "")
    if post is None or post.ticket is None or kind != "said":
        raise UserError("split.which_button" if turn.threads else "split.which")
    await _split(turn, post.ticket, MessageId(int(message)))


async def _split(turn: Turn, number: TicketId, message: MessageId) -> None:
    fresh = await merging.split(turn.tx, turn.actor, number, message)
    if turn.about != number:
        await _say(turn, Words("split.done", {"ticket": fresh.id, "title": Plain(fresh.title)}))


async def _say(turn: Turn, words: Words) -> None:
    await turn.tell(Message((Paragraph(words, "quiet"),), tone="hint"))


async def pressed(turn: Turn, words: Sequence[str]) -> None:
    """A button of these."""
    match list(words):
        case ["split", number, message]:
            await _split(turn, TicketId(int(number)), MessageId(int(message)))
        case ["unmerge", number]:
            await unmerge(turn, TicketId(int(number)), "")
        case _:
            raise UserError("press.stale")


async def lines(tx: Transaction, ticket: Ticket) -> list[Paragraph]:
    """On the card: what it goes on as, what goes on as it, and what is related."""
    told = []
    if ticket.merged_into is not None:
        told.append(Words("card.merged", {"into": ticket.merged_into}))
    absorbed = await queries.absorbed(tx, ticket.id)
    for key, numbers in (("card.absorbed", absorbed), ("card.related", ticket.related)):
        if numbers:
            told.append(Words(key, {"tickets": Several(tuple(Plain(f"#{each}") for each in numbers), ", ")}))
    return [Paragraph(words, "quiet") for words in told]


async def may_split(tx: Transaction, said: model.Said) -> bool:
    """Whether these words of those who ask can become a ticket of their own: all but the first can."""
    return said.id != (await tickets.first_message(tx, said.ticket)).id
