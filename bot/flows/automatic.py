"""What programs say: other bots, other desks and auto-replies. It is kept where it belongs and hardly ever
answered, so that two of them never talk to each other for ever."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from bot.flows import commands, flood, talk, work
from bot.flows import flows as flow_table
from bot.flows.dialog import Heard
from bot.flows.turn import Turn
from core.bursts import actions as bursts
from core.dialogs import store as dialog_store
from core.dialogs.model import Dialog
from core.outbox import store as posts
from core.tickets import actions as tickets
from core.tickets import company, merging, priorities, queries
from core.tickets import store as ticket_store
from core.tickets.model import ACTIVE, Status, Ticket

OFTEN = 3
"""A room is answered, and a program opens a ticket by itself, no more often than this in SPAN."""
EDITS = 20
"""A program's changes of what it said are followed no more often than this in SPAN."""
SPAN = timedelta(hours=1)


async def said(turn: Turn, heard: Heard, reply_to: str | None) -> None:
    """A program's words go on with its ticket or begin one; it commands nothing."""
    if commands.is_command(turn, heard.text) or not (heard.text.strip() or heard.files):
        return
    mine = await queries.of_requester(turn.tx, turn.person.id)
    answered = await _answered(turn, mine, reply_to)
    if answered is not None:
        await _keep(turn, answered, heard)
    elif turn.incoming.private:
        await _in_private(turn, mine, heard)
    elif await bursts.count(turn.tx, f"opens:{turn.incoming.sender.identity}", SPAN) <= OFTEN:
        answers = await bursts.count(turn.tx, f"answers:{turn.room}", SPAN)
        await _open(turn, heard, quiet=answers > OFTEN)
    elif mine:
        await _keep(turn, next((ticket for ticket in mine if ticket.status in ACTIVE), mine[0]), heard)
        await _hush(turn, mine[0])


async def _in_private(turn: Turn, mine: Sequence[Ticket], heard: Heard) -> None:
    """What was sent in somebody's name without them: an away message, or one that they wrote beforehand.

    Where it would be answered too often, it begins a ticket in silence, so that no word of it is lost."""
    under_way = await dialog_store.at(turn.tx, turn.place, turn.person.id)
    if (going := await _going(turn, mine)) is not None:
        await _keep(turn, going, heard)
    elif under_way is not None and await flood.gather(turn, under_way, heard):
        return
    elif await _in_silence(turn, under_way):
        await _open(turn, heard, quiet=True)
    elif under_way is not None:
        await flow_table.FLOWS[under_way.flow](turn, under_way, heard)
    else:
        await talk.said(turn, heard, None)


async def _in_silence(turn: Turn, under_way: Dialog | None) -> bool:
    """Whether such words get no answer: they come often, or would fill in a form for others."""
    if under_way is not None and under_way.flow == work.FORM:
        return True
    return await bursts.count(turn.tx, f"answers:{turn.room}", SPAN) > OFTEN


async def _answered(turn: Turn, mine: Sequence[Ticket], reply_to: str | None) -> Ticket | None:
    """The program's ticket in whose thread it speaks, or whose message it replies to."""
    post = await posts.at(turn.tx, turn.room, reply_to) if reply_to else None
    if post is not None and post.ticket is not None:
        ticket = await ticket_store.get(turn.tx, post.ticket)
        return ticket if await company.belongs(turn.tx, ticket, turn.person.id) else None
    thread = turn.incoming.where.thread
    return next((each for each in mine if thread and each.home == turn.place), None)


async def _going(turn: Turn, mine: Sequence[Ticket]) -> Ticket | None:
    """The ticket that the conversation is about, or else the newest under way."""
    about = await dialog_store.about(turn.tx, turn.place, turn.person.id)
    going = [ticket for ticket in mine if ticket.status is not Status.CLOSED]
    return next((ticket for ticket in going if ticket.id == about), going[0] if going else None)


async def _keep(turn: Turn, ticket: Ticket, heard: Heard) -> None:
    source = (turn.room, heard.message) if heard.message else None
    there = await merging.standing(turn.tx, ticket)
    await tickets.log(
        turn.tx,
        turn.actor,
        there.id,
        heard.text,
        file_ids=heard.files,
        source=source,
        flood=turn.flood,
    )


async def _open(turn: Turn, heard: Heard, *, quiet: bool) -> None:
    """A ticket whose answers are read where it was asked for; `quiet`: nobody there is told of it."""
    kind = turn.catalogue.guess(heard.text) or turn.catalogue.last
    ticket = await tickets.open_ticket(
        turn.tx,
        turn.actor,
        type_name=kind.name,
        text=heard.text,
        priority=priorities.weight(kind, None),
        home=_home(turn, heard),
        file_ids=heard.files,
        source=(turn.room, heard.message) if heard.message else None,
        told={"program": True, **({"quiet": True} if quiet else {})},
    )
    if quiet:
        await _hush(turn, ticket)


def _home(turn: Turn, heard: Heard) -> str:
    """Below the program's own message, where the messenger has threads everywhere."""
    where = turn.incoming.where
    return str(replace(where, thread=where.thread or heard.message)) if turn.threads else turn.room


async def _hush(turn: Turn, ticket: Ticket) -> None:
    """Staff are told once in a while that there is no answer any more."""
    if await bursts.count(turn.tx, f"hush:{turn.room}", SPAN) == 1:
        await tickets.hush(turn.tx, turn.actor, ticket.id)


async def may_edit(turn: Turn) -> bool:
    """Whether a program's new words still take the place of its old ones: some change them every second."""
    return await bursts.count(turn.tx, f"edits:{turn.incoming.sender.identity}", SPAN) <= EDITS
