"""The manners every dialog shares: one live question, answered in place, with buttons that grow stale."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from bot import codes
from bot.flows.turn import Turn
from bot.incoming import Pressed
from bot.message import Choice, Message, Paragraph, Text, Words
from core.dialogs import store
from core.dialogs.model import Dialog
from core.kernel.errors import UserError
from core.kernel.ids import DialogId
from core.outbox import store as posts

BACK, SKIP, CANCEL = "back", "skip", "cancel"


@dataclass(frozen=True, slots=True)
class Heard:
    """What the person did at a step: pressed `choice`, or said `text`, with files."""

    choice: str | None = None
    text: str = ""
    files: tuple[str, ...] = ()
    message: str | None = None


def button(dialog: Dialog, choice: str, label: Text, **style: Any) -> Choice:
    """A button that is good for this step of this dialog alone."""
    return Choice(codes.code("d", dialog.id, dialog.revision, choice), label, **style)


async def begin(
    turn: Turn, flow: str, step: str, draft: Mapping[str, Any], *, slot: str | None = None
) -> Dialog:
    """Start a flow where the person is; one under way there gives way. `slot`: the message that its first
    question takes over."""
    await leave(turn)
    fresh = Dialog(DialogId(0), turn.place, turn.person.id, flow, step, draft, 0, slot)
    return await store.start(turn.tx, fresh)


async def move(turn: Turn, dialog: Dialog, step: str, draft: Mapping[str, Any]) -> Dialog:
    """Go on to a step; buttons of earlier steps are stale from now on."""
    moved = replace(dialog, step=step, draft=draft, revision=dialog.revision + 1)
    await store.save(turn.tx, moved)
    return moved


async def ask(turn: Turn, dialog: Dialog, message: Message) -> None:
    """Put the step's question."""
    await turn.tell(message, slot=slot(dialog))


async def answered(turn: Turn, dialog: Dialog, asked: Text, answer: Text | None) -> Dialog:
    """Make way for the next question: it takes the place of one that was answered by a press and has nothing
    below it yet. Any other stays with its answer, and the next one comes below."""
    if await _stands_last(turn, dialog):
        return dialog
    await close_question(turn, dialog, asked, answer)
    return replace(dialog, slot=f"dialog:{dialog.id}:{dialog.revision + 1}")


async def _stands_last(turn: Turn, dialog: Dialog) -> bool:
    """Whether the press was below everything else. Whatever a person says here is followed by something that
    the desk says, so that what the desk has said tells; a question of which nobody knows yet whether it was
    shown comes last once more. A room of many goes on unseen."""
    if not (isinstance(turn.incoming.what, Pressed) and turn.incoming.private):
        return False
    post = await posts.post_in(turn.tx, turn.room, slot(dialog))
    return post is None or not await posts.has_below(turn.tx, post)


async def close_question(turn: Turn, dialog: Dialog, asked: Text, answer: Text | None) -> None:
    """The step's question stays, with the answer and without its buttons; not among others."""
    blocks = (
        (Paragraph(asked, "quiet"), Paragraph(answer, "strong")) if answer else (Paragraph(asked, "quiet"),)
    )
    await _put_away(turn, dialog, Message(blocks))


async def _put_away(turn: Turn, dialog: Dialog, closed: Message) -> None:
    """In a room of many a question that is over is taken away: what came of it shows there anyway."""
    await turn.tell(closed, slot=slot(dialog), retract=not turn.incoming.private)


async def end(turn: Turn, dialog: Dialog) -> None:
    await store.end(turn.tx, dialog.room, dialog.person)


async def leave(turn: Turn) -> None:
    """Whatever was under way here is over; its question loses its buttons."""
    dialog = await store.at(turn.tx, turn.place, turn.person.id)
    if dialog is not None:
        await _put_away(turn, dialog, Message((Paragraph(Words("dialog.left"), "quiet"),)))
        await end(turn, dialog)


async def pressed(turn: Turn, dialog_id: str, revision: str) -> Dialog:
    """The dialog whose button was pressed. Raises UserError for a stale or a stranger's button."""
    dialog = await store.get(turn.tx, DialogId(int(dialog_id)))
    if dialog is None:
        raise UserError("press.over")
    if dialog.person != turn.person.id:
        raise UserError("press.not_yours")
    if dialog.revision != int(revision):
        raise UserError("press.stale")
    return dialog


def slot(dialog: Dialog) -> str:
    """The message that shows the question."""
    return dialog.slot or f"dialog:{dialog.id}:0"
