"""An emoji that somebody who asks for help puts under an answer: staff read it, in one quiet line."""

from bot.flows.turn import Turn
from core.kernel import text as texts
from core.tickets import actions as tickets
from core.tickets import answering, company
from core.tickets import store as ticket_store

LONGEST = 40
"""Of an emoji, in UTF-16 units: the name of one that only a workspace has."""


async def heard(turn: Turn, emoji: str, remote: str) -> bool:
    """What they think of an agent's words, or of a colleague's: whether it was put under such.

    What staff put under anybody's words where they work stays there."""
    said = await answering.standing_at(turn.tx, turn.room, remote)
    if said is None or said.kind == "note" or said.author == turn.person.id:
        return False
    ticket = await ticket_store.get(turn.tx, said.ticket)
    if await company.belongs(turn.tx, ticket, turn.person.id):
        await tickets.react(turn.tx, turn.actor, ticket.id, said.id, texts.shorten(emoji, LONGEST))
    return True
