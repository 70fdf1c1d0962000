"""Intake: from the first words to a ticket. A table of steps, each with what it asks and what it hears."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace

from bot.flows import dialog as dialogs
from bot.flows import draft as drafts
from bot.flows import phrases
from bot.flows.dialog import BACK, CANCEL, SKIP, Heard
from bot.flows.draft import DESCRIBE, SUMMARY, TYPE, URGENCY, Draft
from bot.flows.turn import Turn
from bot.message import Block, Choice, Facts, Message, Paragraph, Plain, Quote, Text, Words
from core.dialogs import store as dialog_store
from core.dialogs.model import Dialog
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.tickets import actions as tickets
from core.tickets.catalogue import Priority, Question
from core.tickets.model import Answer

FLOW = "intake"
SEND, EDIT = "send", "edit"
SHOWN = 1500
"""So much of the description a summary quotes; the ticket gets all of it."""

Rows = list[tuple[Choice, ...]]


async def start(turn: Turn, draft: Draft) -> None:
    """Begin with what was said already; nothing is asked that is known."""
    dialog = await dialogs.begin(turn, FLOW, DESCRIBE, drafts.dump(draft))
    await _go_on(turn, dialog, _described(turn, draft))


def _described(turn: Turn, draft: Draft) -> Draft:
    """After words were added: the description is done, and the type guessed if it is not known."""
    if not draft.texts:
        return draft
    described = draft.finished(DESCRIBE)
    if described.type is None and (kind := turn.catalogue.guess(described.text)) is not None:
        return replace(described, type=kind.name, guessed=True).finished(TYPE)
    return described


async def _go_on(turn: Turn, dialog: Dialog, draft: Draft) -> None:
    step = drafts.next_step(draft, turn.catalogue)
    moved = await dialogs.move(turn, dialog, step, drafts.dump(draft))
    await dialogs.ask(turn, moved, _question(turn, moved, draft))


async def hear(turn: Turn, dialog: Dialog, heard: Heard) -> None:
    """The person did something at the step they stand at."""
    draft = drafts.load(dialog.draft)
    if heard.files:
        draft = replace(draft, files=(*draft.files, *heard.files))
    if heard.choice == CANCEL:
        await _cancel(turn, dialog, draft)
    elif heard.choice == BACK:
        await _back(turn, dialog, draft)
    elif heard.choice is None and not heard.text.strip():
        await _only_files(turn, dialog, draft, len(heard.files))
    else:
        await _STEPS[dialog.step.partition("-")[0]].hear(turn, dialog, draft, heard)


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
    if draft.done:
        draft = replace(draft, done=draft.done[:-1])
    await _answered(turn, dialog, draft, Words("button.back"))


async def _answered(turn: Turn, dialog: Dialog, draft: Draft, answer: Text | None) -> None:
    """The question stays with its answer, and the next one is put."""
    before = drafts.load(dialog.draft)
    await dialogs.close_question(turn, dialog, _asked(turn, dialog, before), answer)
    await _go_on(turn, dialog, draft)


async def _add_words(turn: Turn, dialog: Dialog, draft: Draft, heard: Heard) -> None:
    """Further words at a step that asks for none: they belong to the description."""
    source = draft.source or ((turn.room, heard.message) if heard.message else None)
    grown = _described(turn, replace(draft, texts=(*draft.texts, heard.text), source=source))
    await _answered(turn, dialog, grown, Words("intake.added"))


# ---- the steps


async def _hear_type(turn: Turn, dialog: Dialog, draft: Draft, heard: Heard) -> None:
    kinds = list(turn.catalogue.types)
    named = _picked(heard, [kind.title for kind in turn.catalogue.types.values()])
    if named is None:
        await _add_words(turn, dialog, draft, heard)
        return
    name = kinds[named]
    if name != draft.type:
        kept = tuple(step for step in draft.done if not step.startswith(("q-", URGENCY)))
        draft = replace(draft, type=name, answers=(), priority=None, done=kept)
    draft = replace(draft, guessed=False).finished(TYPE)
    await _answered(turn, dialog, draft, phrases.type_title(turn.catalogue, name))


async def _hear_question(turn: Turn, dialog: Dialog, draft: Draft, heard: Heard) -> None:
    question = _current(turn, dialog, draft)
    if heard.choice == TYPE:
        await _answered(turn, dialog, draft.undone(TYPE), Words("intake.other_type"))
        return
    if heard.choice == SKIP:
        if not question.optional:
            raise UserError("intake.not_optional")
        await _answered(
            turn, dialog, draft.with_answer(None, question.name).finished(dialog.step), Words("button.skip")
        )
        return
    place = _picked(heard, question.options)
    if place is None and heard.choice is not None:
        raise UserError("press.stale")
    shown = phrases.titled(question.options[place]) if place is not None else Plain(heard.text)
    said = heard.text if place is None else next(iter(question.options[place].values()))
    draft = draft.with_answer(Answer(question.name, said, place), question.name).finished(dialog.step)
    await _answered(turn, dialog, draft, shown)


async def _hear_urgency(turn: Turn, dialog: Dialog, draft: Draft, heard: Heard) -> None:
    if heard.choice == TYPE:
        await _answered(turn, dialog, draft.undone(TYPE), Words("intake.other_type"))
    elif heard.choice in tuple(Priority):
        draft = replace(draft, priority=Priority(heard.choice)).finished(URGENCY)
        await _answered(turn, dialog, draft, Words(f"urgency.{heard.choice}"))
    else:
        await _add_words(turn, dialog, draft, heard)


async def _hear_summary(turn: Turn, dialog: Dialog, draft: Draft, heard: Heard) -> None:
    if heard.choice == SEND:
        await _send(turn, dialog, draft)
    elif heard.choice == EDIT:
        moved = await dialogs.move(turn, dialog, SUMMARY, drafts.dump(draft))
        await turn.tell(Message((Paragraph(Words("intake.editing"), "quiet"),)), slot=dialogs.slot(dialog))
        await dialogs.ask(turn, moved, _edit_menu(turn, moved, draft))
    elif heard.choice == SUMMARY:
        await _answered(turn, dialog, draft, Words("button.back"))
    elif heard.choice == DESCRIBE:
        await _answered(turn, dialog, replace(draft, texts=()).undone(DESCRIBE), Words("intake.field_text"))
    elif heard.choice is not None:
        await _answered(turn, dialog, draft.undone(heard.choice), None)
    else:
        await _add_words(turn, dialog, draft, heard)


async def _send(turn: Turn, dialog: Dialog, draft: Draft) -> None:
    kind = turn.catalogue.types[draft.type or ""]
    await turn.tell(Message(_summary(turn, draft, Words("intake.sent"))), slot=dialogs.slot(dialog))
    await dialogs.end(turn, dialog)
    ticket = await tickets.open_ticket(
        turn.tx,
        turn.actor,
        type_name=kind.name,
        text=draft.text,
        priority=kind.urgency or draft.priority or Priority.NORMAL,
        home=turn.room,
        answers=draft.answers,
        file_ids=draft.files,
        source=draft.source,
        origin=draft.origin,
    )
    if draft.moved is not None:
        await tickets.move_away(turn.tx, turn.actor, draft.moved[0], draft.moved[1], ticket.id)
    await dialog_store.turn_to(turn.tx, turn.room, turn.person.id, ticket.id)


def _current(turn: Turn, dialog: Dialog, draft: Draft) -> Question:
    found = drafts.questions(draft, turn.catalogue).get(dialog.step)
    if found is None:
        raise UserError("press.stale")
    return found


def _picked(heard: Heard, options: "tuple[Mapping[str, str], ...] | list[Mapping[str, str]]") -> int | None:
    """Which option was pressed, or named in words or by number."""
    if heard.choice is not None:
        return int(heard.choice) if heard.choice.isdecimal() and int(heard.choice) < len(options) else None
    said = texts.search_text(heard.text)
    for place, title in enumerate(options):
        if said == str(place + 1) or said in {texts.search_text(word) for word in title.values()}:
            return place
    return None


# ---- what is asked


def _asked(turn: Turn, dialog: Dialog, draft: Draft) -> Text:
    """The question of the step alone, as it stays once it is answered."""
    if dialog.step == SUMMARY:
        return Words("intake.summary")
    if dialog.step.startswith("q-"):
        return phrases.titled(_current(turn, dialog, draft).text)
    return Words(f"intake.ask_{dialog.step}")


def _question(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    return _STEPS[dialog.step.partition("-")[0]].show(turn, dialog, draft)


def _ask_describe(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    return Message((Paragraph(Words("intake.ask_describe")),), ((_cancel_button(dialog),),))


def _ask_type(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    kinds = list(turn.catalogue.types.values())
    choices = [
        dialogs.button(dialog, str(place), phrases.titled(kind.title)) for place, kind in enumerate(kinds)
    ]
    return Message((Paragraph(Words("intake.ask_type")),), (*_in_rows(choices, 3), _footer(dialog, draft)))


def _ask_question(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    question = _current(turn, dialog, draft)
    choices = [
        dialogs.button(dialog, str(place), phrases.titled(title))
        for place, title in enumerate(question.options)
    ]
    rows = (*_in_rows(choices, 2), _footer(dialog, draft, optional=question.optional))
    return _opening(turn, dialog, draft, phrases.titled(question.text), rows)


def _ask_urgency(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    choices = [dialogs.button(dialog, each, Words(f"urgency.{each}")) for each in Priority]
    rows = (*_in_rows(choices, 1), _footer(dialog, draft))
    return _opening(turn, dialog, draft, Words("intake.ask_urgency"), rows)


def _opening(
    turn: Turn, dialog: Dialog, draft: Draft, question: Text, rows: tuple[tuple[Choice, ...], ...]
) -> Message:
    """The first question also says what was understood, other types one tap away."""
    first = not any(step.startswith(("q-", URGENCY)) for step in draft.done)
    if not (draft.guessed and first and draft.type):
        return Message((Paragraph(question),), rows)
    understood = Words("intake.understood", {"type": phrases.type_title(turn.catalogue, draft.type)})
    other = dialogs.button(dialog, TYPE, Words("button.other_type"))
    return Message((Paragraph(understood), Paragraph(question)), (*rows[:-1], (other, *rows[-1])))


def _show_summary(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    hint = Paragraph(Words("intake.summary_hint"), "quiet")
    send = dialogs.button(dialog, SEND, Words("button.send"), style="primary")
    edit = dialogs.button(dialog, EDIT, Words("button.edit"))
    blocks = (*_summary(turn, draft, Words("intake.summary")), hint)
    return Message(blocks, ((send, edit, _cancel_button(dialog)),))


def _summary(turn: Turn, draft: Draft, title: Text) -> tuple[Block, ...]:
    """Everything the ticket will hold."""
    rows: list[tuple[Text, Text]] = [
        (Words("intake.field_type"), phrases.type_title(turn.catalogue, draft.type or ""))
    ]
    for question in drafts.questions(draft, turn.catalogue).values():
        for answer in draft.answers:
            if answer.question == question.name:
                rows.append((phrases.titled(question.text), answer_text(question, answer)))
    kind = turn.catalogue.types.get(draft.type or "")
    urgency = (kind.urgency if kind else None) or draft.priority or Priority.NORMAL
    rows.append((Words("intake.field_urgency"), Words(f"urgency.{urgency}")))
    if draft.files:
        rows.append((Words("intake.field_files"), Words("intake.files", count=len(draft.files))))
    language: Text = Words(f"language.{turn.person.language}")
    rows.append((Words("intake.field_language"), language))
    shown = draft.text if len(draft.text) <= SHOWN else texts.shorten(draft.text, SHOWN)
    return (Paragraph(title, "title"), Quote(Plain(shown)), Facts(tuple(rows)))


def _edit_menu(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    titles: dict[str, Text] = {DESCRIBE: Words("intake.field_text"), TYPE: Words("intake.field_type")}
    for step, question in drafts.questions(draft, turn.catalogue).items():
        titles[step] = phrases.titled(question.text)
    if URGENCY in drafts.steps(draft, turn.catalogue):
        titles[URGENCY] = Words("intake.field_urgency")
    rows: Rows = [(dialogs.button(dialog, step, title),) for step, title in titles.items()]
    rows.append((dialogs.button(dialog, SUMMARY, Words("button.back")), _cancel_button(dialog)))
    return Message((Paragraph(Words("intake.what_to_edit")),), tuple(rows))


def answer_text(question: Question | None, answer: Answer) -> Text:
    """What was answered, in the reader's language where it was one of the options."""
    if question is not None and answer.option is not None and answer.option < len(question.options):
        return phrases.titled(question.options[answer.option])
    return Plain(answer.text)


def _in_rows(choices: list[Choice], width: int) -> Rows:
    return [tuple(choices[place : place + width]) for place in range(0, len(choices), width)]


def _cancel_button(dialog: Dialog) -> Choice:
    return dialogs.button(dialog, CANCEL, Words("button.cancel"))


def _footer(dialog: Dialog, draft: Draft, *, optional: bool = False) -> tuple[Choice, ...]:
    """Back, Skip where optional, Cancel."""
    begun = {DESCRIBE, TYPE} if draft.guessed else {DESCRIBE}
    back = [dialogs.button(dialog, BACK, Words("button.back"))] if set(draft.done) - begun else []
    skip = [dialogs.button(dialog, SKIP, Words("button.skip"))] if optional else []
    return (*back, *skip, _cancel_button(dialog))


@dataclass(frozen=True, slots=True)
class Step:
    """One row of the table: what it shows and what it makes of the answer."""

    show: Callable[[Turn, Dialog, Draft], Message]
    hear: Callable[[Turn, Dialog, Draft, Heard], Awaitable[None]]


_STEPS: Mapping[str, Step] = {
    DESCRIBE: Step(_ask_describe, _add_words),
    TYPE: Step(_ask_type, _hear_type),
    "q": Step(_ask_question, _hear_question),
    URGENCY: Step(_ask_urgency, _hear_urgency),
    SUMMARY: Step(_show_summary, _hear_summary),
}
