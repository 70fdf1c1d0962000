"""Intake: from the first words to a ticket. A table of steps, each with what it asks and what it hears."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypedDict

from bot import codes
from bot.flows import company, phrases, questions
from bot.flows import dialog as dialogs
from bot.flows import draft as drafts
from bot.flows.dialog import BACK, CANCEL, SKIP, Heard
from bot.flows.draft import DESCRIBE, SUMMARY, TYPE, URGENCY, Draft
from bot.flows.questions import EDIT, SEND
from bot.flows.turn import Turn
from bot.i18n import in_every_language
from bot.message import Choice, Message, Paragraph, Plain, Text, Words
from core.dialogs import store as dialog_store
from core.dialogs.model import Dialog
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import TicketId
from core.tickets import actions as tickets
from core.tickets import company as companies
from core.tickets import priorities
from core.tickets import store as ticket_store
from core.tickets.actions import Source
from core.tickets.catalogue import Priority
from core.tickets.model import Answer
from core.tickets.priorities import Weight

FLOW = "intake"
Rows = Sequence[tuple[Choice, ...]]


async def start(turn: Turn, draft: Draft, also: Rows = (), *, slot: str | None = None) -> None:
    """Begin with what was said already; nothing is asked that is known. `also`: the tickets under way that
    it may have been meant for; `slot`: the message that the first question takes over."""
    dialog = await dialogs.begin(turn, FLOW, DESCRIBE, drafts.dump(draft), slot=slot)
    await _go_on(turn, dialog, _described(turn, draft), also)


def _described(turn: Turn, draft: Draft) -> Draft:
    """After words were added: the description is done, and the type guessed if it is not known."""
    if not draft.texts:
        return draft
    described = draft.finished(DESCRIBE)
    if described.type is None and (kind := turn.catalogue.guess(described.text)) is not None:
        return replace(described, type=kind.name, guessed=True).finished(TYPE)
    return described


async def _go_on(turn: Turn, dialog: Dialog, draft: Draft, also: Rows = ()) -> None:
    step = drafts.next_step(draft, turn.catalogue)
    moved = await dialogs.move(turn, dialog, step, drafts.dump(draft))
    question = _question(turn, moved, draft)
    if also:
        *rows, last = question.rows
        told = (*question.blocks, Paragraph(Words("talk.or_into"), "quiet"))
        question = replace(question, blocks=told, rows=(*rows, *also, last))
    await dialogs.ask(turn, moved, question)


async def hear(turn: Turn, dialog: Dialog, heard: Heard) -> None:
    """The person did something at the step they stand at."""
    draft = drafts.fitted(drafts.load(dialog.draft), turn.catalogue)
    if heard.files:
        draft = replace(draft, files=(*draft.files, *heard.files))
    if heard.choice == CANCEL:
        await _cancel(turn, dialog, draft)
    elif dialog.step not in drafts.steps(draft, turn.catalogue):  # the configuration has changed since
        dialog = await dialogs.answered(turn, dialog, Words("intake.added"), None)
        await _go_on(turn, dialog, draft.with_words(heard.text, None) if heard.text.strip() else draft)
    elif heard.choice is not None and heard.choice not in _offered(turn, dialog, draft):
        raise UserError("press.stale")
    elif heard.choice == BACK:
        await _back(turn, dialog, draft)
    elif heard.choice is None and not heard.text.strip():
        await _only_files(turn, dialog, draft, len(heard.files))
    else:
        await _STEPS[dialog.step.partition("-")[0]].hear(turn, dialog, draft, heard)


def _offered(turn: Turn, dialog: Dialog, draft: Draft) -> set[str]:
    """What can be pressed at this step. A question that cannot be skipped says so itself."""
    shown = [_question(turn, dialog, draft)]
    if dialog.step == SUMMARY:
        shown.append(questions.edit_menu(turn, dialog, draft))
    pressable = {codes.parts(each.code)[-1] for message in shown for row in message.rows for each in row}
    return pressable | {SKIP} if dialog.step.startswith("q-") else pressable


async def _only_files(turn: Turn, dialog: Dialog, draft: Draft, count: int) -> None:
    await dialog_store.save(turn.tx, replace(dialog, draft=drafts.dump(draft)))
    if count:
        thanks = Paragraph(Words("intake.files_taken", count=count), "quiet")
        await turn.tell(Message((thanks,)), slot=None)
    if dialog.step == SUMMARY:
        await _answered(turn, dialog, draft, None)


async def _cancel(turn: Turn, dialog: Dialog, draft: Draft) -> None:
    await dialogs.close_question(turn, dialog, Words("intake.cancelled"), None)
    await dialogs.end(turn, dialog)


async def _back(turn: Turn, dialog: Dialog, draft: Draft) -> None:
    """To the question before; one that was put by itself, to be changed, is left as it was."""
    order = drafts.steps(draft, turn.catalogue)
    here = order.index(dialog.step)
    earlier = [step for step in order[:here] if step in draft.done and step not in questions.begun(draft)]
    if earlier:
        draft = draft.undone(earlier[-1])
    elif set(order[here:]) & set(draft.done):
        draft = draft.finished(dialog.step)
    await _answered(turn, dialog, draft, Words("button.back"))


async def _answered(turn: Turn, dialog: Dialog, draft: Draft, answer: Text | None) -> None:
    """The next question is put, in the place of this one or below it and its answer."""
    asked = questions.asked(turn, dialog, drafts.load(dialog.draft))
    await _go_on(turn, await dialogs.answered(turn, dialog, asked, answer), draft)


async def _add_words(turn: Turn, dialog: Dialog, draft: Draft, heard: Heard) -> None:
    """Further words at a step that asks for none: they belong to the description."""
    grown = _described(turn, draft.with_words(heard.text, source(turn, heard)))
    await _answered(turn, dialog, grown, Words("intake.added"))


def with_more(turn: Turn, draft: Draft, heard: Heard) -> Draft:
    """The draft with what was said now, words and files."""
    grown = replace(draft, files=(*draft.files, *heard.files))
    return grown.with_words(heard.text, source(turn, heard)) if heard.text.strip() else grown


def source(turn: Turn, heard: Heard) -> Source | None:
    """Where these words were said."""
    return (turn.room, heard.message) if heard.message else None


def began_with(dialog: Dialog, where: Source) -> bool:
    """Whether that message is part of what may become a request."""
    draft = drafts.inside(dialog.draft)
    return draft is not None and where in draft.sources


async def edited(turn: Turn, dialog: Dialog, where: Source, text: str) -> None:
    """Words of the description are others now, where they were said: one that `began_with` knows."""
    before = drafts.inside(dialog.draft)
    assert before is not None
    draft = before.reworded(where, text)
    if draft == before or not text.strip():
        return
    changed = replace(dialog, draft=drafts.put_inside(dialog.draft, draft))
    await dialog_store.save(turn.tx, changed)
    if dialog.flow == FLOW and dialog.step == SUMMARY:
        await dialogs.ask(turn, changed, _question(turn, changed, draft))


def _question(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    return _STEPS[dialog.step.partition("-")[0]].show(turn, dialog, draft)


# ---- the steps


async def _hear_type(turn: Turn, dialog: Dialog, draft: Draft, heard: Heard) -> None:
    kinds = list(turn.catalogue.types)
    named = picked(heard, [kind.title for kind in turn.catalogue.types.values()])
    if named is None:
        await _add_words(turn, dialog, draft, heard)
        return
    name = kinds[named]
    if name != draft.type:
        draft = replace(draft.without_questions().undone(URGENCY), type=name, priority=None)
    draft = replace(draft, guessed=False).finished(TYPE)
    await _answered(turn, dialog, draft, phrases.type_title(turn.catalogue, name))


async def _hear_question(turn: Turn, dialog: Dialog, draft: Draft, heard: Heard) -> None:
    question = questions.current(turn, dialog, draft)
    if heard.choice == TYPE:
        await _answered(turn, dialog, draft.undone(TYPE), Words("intake.other_type"))
        return
    if heard.choice == SKIP:
        if not question.optional:
            raise UserError("intake.not_optional")
        draft = draft.with_answer(None, question.name).finished(dialog.step)
        await _answered(turn, dialog, draft, Words("dialog.skipped"))
        return
    place = picked(heard, question.options)
    shown = phrases.titled(question.options[place]) if place is not None else Plain(heard.text)
    said = heard.text if place is None else next(iter(question.options[place].values()))
    draft = draft.with_answer(Answer(question.name, said, place), question.name).finished(dialog.step)
    await _answered(turn, dialog, draft, shown)


async def _hear_urgency(turn: Turn, dialog: Dialog, draft: Draft, heard: Heard) -> None:
    if heard.choice == TYPE:
        await _answered(turn, dialog, draft.undone(TYPE), Words("intake.other_type"))
    elif (priority := _urgency(heard)) is not None:
        draft = replace(draft, priority=priority).finished(URGENCY)
        await _answered(turn, dialog, draft, Words(f"urgency.{priority}"))
    else:
        await _add_words(turn, dialog, draft, heard)


def _urgency(heard: Heard) -> Priority | None:
    """How urgent it is, pressed or named in words or by number."""
    if heard.choice is not None:
        return Priority(heard.choice) if heard.choice in tuple(Priority) else None
    place = picked(heard, [in_every_language(f"urgency.{each}") for each in Priority])
    return None if place is None else list(Priority)[place]


async def _hear_summary(turn: Turn, dialog: Dialog, draft: Draft, heard: Heard) -> None:
    if heard.choice == SEND:
        await _send(turn, dialog, draft)
    elif heard.choice == EDIT:
        answered = await dialogs.answered(turn, dialog, Words("intake.editing"), None)
        moved = await dialogs.move(turn, answered, SUMMARY, drafts.dump(draft))
        await dialogs.ask(turn, moved, questions.edit_menu(turn, moved, draft))
    elif heard.choice is not None:
        await _change(turn, dialog, draft, heard.choice)
    else:
        await _add_words(turn, dialog, draft, heard)


async def _change(turn: Turn, dialog: Dialog, draft: Draft, step: str) -> None:
    """One thing is to be asked again; SUMMARY: nothing after all."""
    chosen = questions.fields(turn, draft).get(step, Words("button.back"))
    answered = await dialogs.answered(turn, dialog, Words("intake.what_to_edit"), chosen)
    if step == DESCRIBE:
        draft = replace(draft, texts=(), sources=())
    await _go_on(turn, answered, draft.undone(step))


async def _send(turn: Turn, dialog: Dialog, draft: Draft) -> None:
    number = await ticket_store.next_number(turn.tx)
    await turn.tell(Message(questions.summary(turn, draft, Words("intake.sent"))), slot=dialogs.slot(dialog))
    await dialogs.end(turn, dialog)
    if draft.moved is not None:
        await tickets.move_away(turn.tx, turn.actor, *draft.moved, number)
    await open_ticket(turn, draft, number)
    if draft.behalf is None:
        await dialog_store.turn_to(turn.tx, turn.place, turn.person.id, number)


class _Request(TypedDict):
    """What a ticket begins with, whoever opens it."""

    number: TicketId
    type_name: str
    text: str
    priority: Weight
    answers: Sequence[Answer]
    file_ids: Sequence[str]
    source: Source | None
    origin: TicketId | None


async def open_ticket(turn: Turn, draft: Draft, number: TicketId) -> None:
    """What was gathered becomes a ticket, whose talk goes on where its requester is."""
    kind = turn.catalogue.types[draft.type or ""]
    request: _Request = {
        "number": number,
        "type_name": kind.name,
        "text": draft.text,
        "priority": priorities.weight(kind, draft.priority, draft.answers),
        "answers": draft.answers,
        "file_ids": draft.files,
        "source": draft.source,
        "origin": draft.origin,
    }
    if draft.behalf is None:
        await tickets.open_ticket(turn.tx, turn.actor, home=turn.place, **request)
        return
    person = draft.behalf.person
    home = await company.home_of(turn, person)
    ticket = await companies.open_for(turn.tx, turn.actor, person, home=home, **request)
    await company.tell_opened(turn, ticket)


def picked(heard: Heard, options: "tuple[Mapping[str, str], ...] | list[Mapping[str, str]]") -> int | None:
    """Which option was pressed, or named in words or by number."""
    if heard.choice is not None:
        return int(heard.choice) if heard.choice.isdecimal() and int(heard.choice) < len(options) else None
    said = texts.search_text(heard.text)
    for place, title in enumerate(options):
        if said == str(place + 1) or said in {texts.search_text(word) for word in title.values()}:
            return place
    return None


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table: what it shows and what it makes of the answer."""

    show: Callable[[Turn, Dialog, Draft], Message]
    hear: Callable[[Turn, Dialog, Draft, Heard], Awaitable[None]]


_STEPS: Mapping[str, Step] = {
    DESCRIBE: Step(questions.ask_describe, _add_words),
    TYPE: Step(questions.ask_type, _hear_type),
    "q": Step(questions.ask_question, _hear_question),
    URGENCY: Step(questions.ask_urgency, _hear_urgency),
    SUMMARY: Step(questions.show_summary, _hear_summary),
}
