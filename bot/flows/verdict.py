"""Whether it is fixed: the requester confirms or reopens, and rates the help."""

from datetime import timedelta

from bot import codes
from bot.flows import dialog as dialogs
from bot.flows.dialog import SKIP
from bot.flows.turn import Turn
from bot.message import Choice, Message, Paragraph, Plain, Quote, Words
from core.dialogs import store as dialog_store
from core.feedback import actions as feedback
from core.kernel.ids import TicketId
from core.people import store as people
from core.tickets import actions as tickets
from core.tickets import store as ticket_store
from core.tickets.model import Status, Ticket, question_slot

COMMENT = "comment"
COMMENT_FOR = timedelta(minutes=10)
"""So long after the rating words are its comment."""


async def confirm(turn: Turn, ticket_id: TicketId) -> None:
    """It is fixed: closed, and a rating is asked for if it is time for one."""
    before = await ticket_store.get(turn.tx, ticket_id)
    await tickets.confirm(turn.tx, turn.actor, ticket_id)
    await _settle_question(turn, before, "talk.fixed")
    if await feedback.ask(turn.tx, turn.actor, ticket_id):
        await turn.tell(_stars(ticket_id), slot=f"rating:{ticket_id}:{turn.room}")


async def reopen(turn: Turn, ticket_id: TicketId) -> None:
    """It is not fixed: back to the same agent."""
    before = await ticket_store.get(turn.tx, ticket_id)
    await tickets.reopen(turn.tx, turn.actor, ticket_id)
    await dialog_store.turn_to(turn.tx, turn.place, turn.person.id, ticket_id)
    if before.status is Status.RESOLVED:
        await _settle_question(turn, before, "talk.not_fixed")
    name = (await people.get(turn.tx, before.owner)).name if before.owner else ""
    key = "talk.back_to" if name else "talk.back"
    text = Words(key, {"ticket": ticket_id, "name": Plain(name)})
    await turn.tell(Message((Paragraph(text),), ticket=ticket_id))


async def _settle_question(turn: Turn, before: Ticket, key: str) -> None:
    resolution = [Quote(Plain(before.resolution))] if before.resolution else []
    text = Paragraph(Words(key, {"ticket": before.id, "title": Plain(before.title)}), "quiet")
    await turn.tell(Message((text, *resolution), ticket=before.id), slot=question_slot(before))


def _stars(ticket_id: TicketId) -> Message:
    row = tuple(Choice(codes.code("r", "rate", ticket_id, n), Plain("★" * n)) for n in range(1, 6))
    return Message((Paragraph(Words("rating.ask")),), (row,), ticket=ticket_id)


async def rate(turn: Turn, ticket_id: TicketId, stars: int) -> None:
    """One press of the row of stars; a comment is welcome."""
    turn = await turn.beside(await feedback.rate(turn.tx, turn.actor, ticket_id, stars))
    thanks = Words("rating.thanks", {"stars": stars})
    await turn.tell(Message((Paragraph(thanks),), ticket=ticket_id), slot=f"rating:{ticket_id}:{turn.room}")
    if await dialog_store.at(turn.tx, turn.place, turn.person.id) is not None:
        return  # a request under way matters more than a comment
    until = turn.tx.now + COMMENT_FOR
    dialog = await dialogs.begin(turn, COMMENT, COMMENT, {"ticket": ticket_id, "until": until.isoformat()})
    skip = dialogs.button(dialog, SKIP, Words("button.no_comment"))
    question = Message((Paragraph(Words("rating.ask_comment")),), ((skip,),), ticket=ticket_id)
    await dialogs.ask(turn, dialog, question)
