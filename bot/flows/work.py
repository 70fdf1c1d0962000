"""An agent at work: buttons of cards and pings, words in a thread, forms asked one field at a time."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from bot import codes
from bot.flows import company, forms, lists, phrases
from bot.flows import dialog as dialogs
from bot.flows.dialog import CANCEL, SKIP, Heard
from bot.flows.turn import Turn
from bot.incoming import Pressed
from bot.message import At, Call, Choice, Fact, Form, Input, Message, Paragraph, Plain, Words
from core.dialogs.model import Dialog
from core.escalation import actions as escalation
from core.escalation import store as pings
from core.escalation.model import Policies
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import MessageId, PingId, TicketId
from core.outbox import actions as outbox
from core.outbox import store as posts
from core.outbox.model import ANSWER, Parcel
from core.people.model import Right
from core.tickets import actions as tickets
from core.tickets import doors
from core.tickets import store as ticket_store

FORM = "form"
WAITS = timedelta(minutes=15)
"""Alone with the desk, the next words answer a form's question for so long; later they are like any."""


async def said(turn: Turn, heard: Heard, reply_to: str | None) -> None:
    """Plain words in a ticket's thread: a note, unless they answer the requester or the queue says so."""
    assert turn.about is not None
    ticket = await doors.seen(turn.tx, turn.actor, turn.about)
    source = (turn.room, heard.message) if heard.message else None
    answers = reply_to is not None and await _is_request(turn, reply_to)
    act = tickets.reply if answers or turn.catalogue.queue(ticket.queue).plain_reply else tickets.note
    await act(turn.tx, turn.actor, ticket.id, heard.text, file_ids=heard.files, source=source)
    if act is not tickets.note:
        return
    await company.offer(turn, ticket.id, heard.text)
    if ticket.merged_into is not None:
        facts: dict[str, Fact] = {"ticket": ticket.id, "into": ticket.merged_into}
        await turn.tell(Message((Paragraph(Words("note.on_merged", facts), "quiet"),), tone="hint"))


async def _is_request(turn: Turn, remote: str) -> bool:
    """Whether that message of the room shows the requester's own words."""
    post = await posts.at(turn.tx, turn.room, remote)
    if post is None or post.slot is None or not post.slot.startswith("said:"):
        return False
    message = await ticket_store.message(turn.tx, MessageId(int(post.slot.removeprefix("said:"))))
    return message is not None and message.kind == "request"


async def pressed(turn: Turn, words: Sequence[str]) -> None:
    """A button of a card or a ping."""
    match list(words):
        case ["take", number]:
            await take(turn, TicketId(int(number)))
        case ["onit", number]:
            await promise(turn, TicketId(int(number)))
        case ["snooze", number]:
            await snooze(turn, TicketId(int(number)))
        case ["still", number]:
            await still(turn, TicketId(int(number)))
        case ["resume", number]:
            await tickets.resume(turn.tx, turn.actor, TicketId(int(number)))
        case ["reopen", number]:
            await tickets.reopen(turn.tx, turn.actor, TicketId(int(number)))
        case ["earlier", number, place]:
            ticket = await doors.allowed(turn.tx, turn.actor, TicketId(int(number)), Right.WORK)
            await turn.tell(await lists.timeline(turn, ticket, before=int(place)))
        case ["undo", number, message]:
            await tickets.withdraw(turn.tx, turn.actor, TicketId(int(number)), MessageId(int(message)))
        case _:
            raise UserError("press.stale")


async def take(turn: Turn, number: TicketId) -> None:
    """Take it; in a private conversation the person is told so, a card and a ping show it by themselves."""
    ticket = await tickets.take(turn.tx, turn.actor, number)
    if turn.incoming.private and not await _shows_at_ping(turn):
        done = Words("work.taken", {"ticket": number, "title": Plain(ticket.title)})
        await turn.tell(Message((Paragraph(done),), ticket=number))


async def promise(turn: Turn, number: TicketId) -> None:
    until = await escalation.promise(turn.tx, turn.actor, number)
    await _quiet(turn, "work.promised", number, until)


async def snooze(turn: Turn, number: TicketId, length: timedelta | None = None) -> None:
    until = await escalation.snooze(turn.tx, turn.actor, number, length)
    wanted = turn.tx.now + (length or turn.tx.rule(Policies).snooze_for)
    await _quiet(turn, "work.snoozed_capped" if until < wanted else "work.snoozed", number, until)


async def still(turn: Turn, number: TicketId) -> None:
    await escalation.still_working(turn.tx, turn.actor, number)
    if not await _shows_at_ping(turn):
        told = Paragraph(Words("work.still", {"ticket": number}))
        await turn.tell(Message((told,), tone="hint", ticket=number))


async def _quiet(turn: Turn, key: str, number: TicketId, until: datetime) -> None:
    if await _shows_at_ping(turn):
        return
    text = Words(key, {"ticket": number, "until": At(until)})
    await turn.tell(Message((Paragraph(text),), tone="hint", ticket=number))


async def _shows_at_ping(turn: Turn) -> bool:
    """Whether it was done by a press at a ping, which now tells it."""
    what = turn.incoming.what
    if not isinstance(what, Pressed) or what.message is None:
        return False
    post = await posts.at(turn.tx, turn.room, what.message)
    kind, _, rest = (post.slot if post and post.slot else "").partition(":")
    asked = await pings.together(turn.tx, PingId(int(rest.partition(":")[0]))) if kind == "ping" else []
    answers = [(ping.answered_by, ping.answered_at) for ping in asked]
    return (turn.person.id, turn.tx.now) in answers


async def unfold(turn: Turn, number: TicketId, *, unfolded: bool) -> None:
    """Open or close the card's rarer choices where they are pressed."""
    await doors.allowed(turn.tx, turn.actor, number, Right.WORK)
    if turn.room not in turn.catalogue.by_space:
        raise UserError("press.stale")
    slot, facts = f"card:{number}", {"unfolded": unfolded}
    await outbox.put(turn.tx, Parcel("card", facts, room=turn.room, ticket=number, slot=slot, urgency=ANSWER))


# ---- forms


async def submitted(turn: Turn, words: Sequence[str], values: Sequence[tuple[str, str]]) -> None:
    """A form came back filled in."""
    match list(words):
        case [name, number] if codes.is_number(number):
            filled = {key: texts.clean(value) for key, value in values}
            await forms.submit(turn, name, TicketId(int(number)), filled)
        case _:
            raise UserError("press.stale")


async def open_form(turn: Turn, words: Sequence[str]) -> None:
    """A form's button: it opens for whoever pressed, or its fields are asked one after another."""
    match list(words):
        case [name, number] if name in forms.FORMS and codes.is_number(number):
            ticket = await doors.allowed(turn.tx, turn.actor, TicketId(int(number)), Right.WORK)
            if turn.forms and turn.press is not None:
                await turn.tell(Message((), form=await forms.build(turn, name, ticket), ticket=ticket.id))
                return
            until = (turn.tx.now + WAITS).isoformat()
            draft = {"name": name, "ticket": int(number), "values": {}, "until": until}
            dialog = await dialogs.begin(turn, FORM, FORM, draft)
            await _ask_field(turn, dialog)
        case _:
            raise UserError("press.stale")


async def _form(turn: Turn, dialog: Dialog) -> Form:
    ticket = await doors.seen(turn.tx, turn.actor, TicketId(dialog.draft["ticket"]))
    return await forms.build(turn, dialog.draft["name"], ticket)


def _open_field(form: Form, dialog: Dialog) -> Input | None:
    return next((field for field in form.fields if field.name not in dialog.draft["values"]), None)


async def _ask_field(turn: Turn, dialog: Dialog) -> None:
    form = await _form(turn, dialog)
    field = _open_field(form, dialog)
    if field is None:
        await dialogs.end(turn, dialog)
        number = TicketId(dialog.draft["ticket"])
        await forms.submit(turn, dialog.draft["name"], number, dialog.draft["values"])
        return
    words = not turn.incoming.private and not field.options
    options = [
        (dialogs.button(dialog, str(place), option.label),) for place, option in enumerate(field.options)
    ]
    skip = () if field.required else (dialogs.button(dialog, SKIP, Words("button.skip")),)
    last: tuple[Choice, ...] = (*skip, dialogs.button(dialog, CANCEL, Words("button.cancel")))
    hint = [Paragraph(field.hint, "quiet")] if field.hint else []
    how = [Paragraph(Words("form.answer_this"), "quiet")] if words else []
    question = Message(
        (Paragraph(form.title, "strong"), Paragraph(field.label), *hint, *how),
        (*options, last),
        call=Call(turn.person.name, (str(turn.incoming.sender.identity),)) if words else None,
        asks=words and field.required,
    )
    await dialogs.ask(turn, dialog, question)


async def answers(turn: Turn, dialog: Dialog, reply_to: str | None) -> bool:
    """Whether what was just said answers the dialog's question. That of a form wants a reply to it among
    others, where most words are for colleagues; alone with the desk the next words will do, for a while."""
    if dialog.flow != FORM:
        return True
    asked = await posts.post_in(turn.tx, turn.room, dialogs.slot(dialog)) if reply_to else None
    if asked is not None and asked.remote == reply_to:
        return True
    until = dialog.draft.get("until")
    return turn.incoming.private and (until is None or turn.tx.now < datetime.fromisoformat(until))


async def remind(turn: Turn, dialog: Dialog) -> None:
    """Words in the thread stayed a note, though a question of their author's waits there."""
    told = Message((Paragraph(Words("form.waits"), "quiet"),), tone="hint")
    await turn.tell(told, slot=f"waits:{dialog.id}")


async def hear_form(turn: Turn, dialog: Dialog, heard: Heard) -> None:
    """One field was answered."""
    form = await _form(turn, dialog)
    field = _open_field(form, dialog)
    if heard.choice == CANCEL or field is None:
        await dialogs.close_question(turn, dialog, Words("form.cancelled"), None)
        await dialogs.end(turn, dialog)
        return
    value, shown = heard.text, phrases.literal(heard.text)
    if heard.choice == SKIP:
        value, shown = "", Words("dialog.skipped")
    elif heard.choice is not None and not field.options:
        raise UserError("press.stale")
    elif field.options:
        option = _option(field, heard)
        value, shown = field.options[option].value, field.options[option].label
    values = {**dialog.draft["values"], field.name: value}
    if values.keys() >= {each.name for each in form.fields}:
        await dialogs.close_question(turn, dialog, field.label, shown)
    else:
        dialog = await dialogs.answered(turn, dialog, field.label, shown)
    moved = await dialogs.move(turn, dialog, FORM, {**dialog.draft, "values": values})
    await _ask_field(replace(turn, files=heard.files), moved)


def _option(field: Input, heard: Heard) -> int:
    said = (
        heard.choice
        if heard.choice is not None
        else str(int(heard.text) - 1)
        if heard.text.isdecimal()
        else ""
    )
    if not said.isdecimal() or int(said) >= len(field.options):
        raise UserError("form.choose")
    return int(said)


def form_button(name: str, key: str, ticket: TicketId, form: Form | None, *, menu: bool = False) -> Choice:
    """A button that opens a form."""
    return Choice(codes.code("f", name, ticket), Words(key), menu=menu, form=form)
