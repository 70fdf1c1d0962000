"""Words that staff say to the desk alone: nobody knows whether they begin a request, so they are asked."""

from datetime import datetime, timedelta

from bot.flows import dialog as dialogs
from bot.flows import draft as drafts
from bot.flows import intake
from bot.flows.dialog import Heard
from bot.flows.draft import Draft
from bot.flows.turn import Turn
from bot.i18n import in_every_language
from bot.message import Message, Paragraph, Words
from core.dialogs.model import Dialog
from core.kernel.errors import UserError

FLOW = "offer"
BEGIN, NOT = "begin", "not"
KEPT = timedelta(minutes=10)
"""So long further words are taken as part of what was said before."""


async def ask(turn: Turn, draft: Draft) -> None:
    """Nothing is begun before they say so."""
    until = (turn.tx.now + KEPT).isoformat()
    dialog = await dialogs.begin(turn, FLOW, FLOW, {"draft": drafts.dump(draft), "until": until})
    row = (
        dialogs.button(dialog, BEGIN, Words("button.yes"), style="primary"),
        dialogs.button(dialog, NOT, Words("button.no")),
    )
    question = (Paragraph(Words("offer.ask")), Paragraph(Words("offer.hint"), "quiet"))
    await dialogs.ask(turn, dialog, Message(question, (row,)))


async def hear(turn: Turn, dialog: Dialog, heard: Heard) -> None:
    """Yes, no, or further words."""
    if heard.choice not in (None, BEGIN, NOT):
        raise UserError("press.stale")
    draft = drafts.load(dialog.draft["draft"])
    place = intake.picked(heard, [in_every_language("button.yes"), in_every_language("button.no")])
    way = heard.choice if place is None else (BEGIN, NOT)[place]
    if way is None:
        late = turn.tx.now > datetime.fromisoformat(dialog.draft["until"])
        await ask(turn, intake.with_more(turn, Draft() if late else draft, heard))
        return
    asked = Words("offer.ask")
    if way == BEGIN:
        answered = await dialogs.answered(turn, dialog, asked, Words("button.yes"))
        await dialogs.end(turn, dialog)
        await intake.start(turn, draft, slot=dialogs.slot(answered))
    else:
        await dialogs.close_question(turn, dialog, asked, Words("offer.dropped"))
        await dialogs.end(turn, dialog)
