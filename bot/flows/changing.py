"""Somebody changes or takes away what they had said."""

from bot.flows import commands, intake, phrases
from bot.flows.turn import Turn
from bot.message import Words
from core.dialogs import store as dialogs
from core.tickets import actions as tickets
from core.tickets import store as ticket_store
from core.tickets.model import BY_COMMAND, SENT_ON


async def edited(turn: Turn, remote: str, text: str) -> None:
    """Every copy of the message changes, or the request they are at."""
    for said_as in (remote, f"{remote}{BY_COMMAND}"):
        message = await ticket_store.message_at(turn.tx, turn.room, said_as)
        if message is not None and message.author == turn.person.id:
            words = await commands.reworded(turn, text, message.kind, message.ticket)
            await tickets.edit_message(turn.tx, turn.actor, message.ticket, message.id, words)
            sent_on = await ticket_store.message_at(turn.tx, turn.room, f"{remote}{SENT_ON}")
            if sent_on is not None and sent_on.withdrawn_at is None:
                await turn.tell(phrases.hint(Words("edit.sent_on")))
            return
    under_way = await dialogs.at(turn.tx, turn.place, turn.person.id)
    if under_way is not None and intake.began_with(under_way, (turn.room, remote)):
        words = await commands.reworded(turn, text, "request")
        await intake.edited(turn, under_way, (turn.room, remote), words)


async def deleted(turn: Turn, remote: str) -> None:
    """They take it away, or what they had sent on: nothing is forgotten, and staff read that it was."""
    for said_as in (remote, f"{remote}{SENT_ON}", f"{remote}{BY_COMMAND}"):
        message = await ticket_store.message_at(turn.tx, turn.room, said_as)
        if message is not None and message.author == turn.person.id:
            await tickets.note_deletion(turn.tx, turn.actor, message.ticket, message.id)
