"""What programs say: other bots, other desks and auto-replies. It is kept where it belongs and hardly ever
answered, so that two of them never talk to each other for ever."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.flows import commands
from bot.flows.dialog import Heard
from bot.flows.turn import Turn
from core.bursts import actions as bursts
from core.dialogs import store as dialog_store
from core.outbox import store as posts
from core.tickets import actions as tickets
from core.tickets import queries
from core.tickets.catalogue import Priority
from core.tickets.model import ACTIVE, Status, Ticket

OFTEN = 3
"""A room is answered, and a program opens a ticket by itself, no more often than this in SPAN."""
SPAN = timedelta(hours=1)


async def said(turn: Turn, heard: Heard, reply_to: str | None) -> None:
    """A program's words go on with its ticket or begin one. It commands nothing, and an auto-reply of
    somebody in their own conversation begins nothing."""
    if commands.is_command(turn, heard.text) or not (heard.text.strip() or heard.files):
        return
    mine = await queries.of_requester(turn.tx, turn.person.id)
    answered = await _answered(turn, mine, reply_to)
    if answered is not None:
        await _keep(turn, answered, heard)
    elif turn.incoming.private:
        if (going := await _going(turn, mine)) is not None:
            await _keep(turn, going, heard)
    elif await bursts.count(turn.tx, f"opens:{turn.incoming.sender.identity}", SPAN) <= OFTEN:
        await _open(turn, heard)
    elif mine:
        await _keep(turn, next((ticket for ticket in mine if ticket.status in ACTIVE), mine[0]), heard)
        await _hush(turn, mine[0])


async def _answered(turn: Turn, mine: Sequence[Ticket], reply_to: str | None) -> Ticket | None:
    """The program's own ticket in whose thread it speaks, or whose message it replies to."""
    post = await posts.at(turn.tx, turn.room, reply_to) if reply_to else None
    number, thread = post.ticket if post else None, turn.incoming.where.thread
    return next((each for each in mine if each.id == number or (thread and each.home == turn.place)), None)


async def _going(turn: Turn, mine: Sequence[Ticket]) -> Ticket | None:
    """The ticket that the conversation is about, or else the newest under way."""
    about = await dialog_store.about(turn.tx, turn.place, turn.person.id)
    going = [ticket for ticket in mine if ticket.status is not Status.CLOSED]
    return next((ticket for ticket in going if ticket.id == about), going[0] if going else None)


async def _keep(turn: Turn, ticket: Ticket, heard: Heard) -> None:
    source = (turn.room, heard.message) if heard.message else None
    await tickets.log(
        turn.tx,
        turn.actor,
        ticket.id,
        heard.text,
        file_ids=heard.files,
        source=source,
        flood=turn.flood,
    )


async def _open(turn: Turn, heard: Heard) -> None:
    """A ticket whose answers are read where it was asked for."""
    kind = turn.catalogue.guess(heard.text) or turn.catalogue.last
    answers = await bursts.count(turn.tx, f"answers:{turn.room}", SPAN)
    ticket = await tickets.open_ticket(
        turn.tx,
        turn.actor,
        type_name=kind.name,
        text=heard.text,
        priority=kind.urgency or Priority.NORMAL,
        home=_home(turn, heard),
        file_ids=heard.files,
        source=(turn.room, heard.message) if heard.message else None,
        told={"quiet": True} if answers > OFTEN else None,
    )
    if answers > OFTEN:
        await _hush(turn, ticket)


def _home(turn: Turn, heard: Heard) -> str:
    """Below the program's own message, where the messenger has threads everywhere."""
    where = turn.incoming.where
    return str(replace(where, thread=where.thread or heard.message)) if turn.threads else turn.room


async def _hush(turn: Turn, ticket: Ticket) -> None:
    """Staff are told once in a while that there is no answer any more."""
    if await bursts.count(turn.tx, f"hush:{turn.room}", SPAN) == 1:
        await tickets.hush(turn.tx, turn.actor, ticket.id)
