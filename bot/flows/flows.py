"""The table of flows: who hears the next words of a dialog."""

from collections.abc import Awaitable, Callable, Mapping

from bot.flows import intake, offer, talk, verdict, work
from bot.flows.dialog import Heard
from bot.flows.turn import Turn
from core.dialogs.model import Dialog

FLOWS: Mapping[str, Callable[[Turn, Dialog, Heard], Awaitable[None]]] = {
    intake.FLOW: intake.hear,
    offer.FLOW: offer.hear,
    talk.CLOSED: talk.hear_closed,
    verdict.COMMENT: talk.hear_comment,
    work.FORM: work.hear_form,
}
