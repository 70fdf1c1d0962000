"""What intake asks: the message of each step, and the summary of everything the ticket will hold."""

from bot.flows import dialog as dialogs
from bot.flows import draft as drafts
from bot.flows import phrases
from bot.flows.dialog import BACK, CANCEL, SKIP
from bot.flows.draft import DESCRIBE, SUMMARY, TYPE, URGENCY, Draft
from bot.flows.turn import Turn
from bot.message import Block, Choice, Facts, Message, Paragraph, Plain, Quote, Text, Words
from core.dialogs.model import Dialog
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.tickets.catalogue import Priority, Question
from core.tickets.model import Answer

SEND, EDIT = "send", "edit"
SHOWN = 1500
"""So much of the description a summary quotes; the ticket gets all of it."""

Rows = list[tuple[Choice, ...]]


def current(turn: Turn, dialog: Dialog, draft: Draft) -> Question:
    found = drafts.questions(draft, turn.catalogue).get(dialog.step)
    if found is None:
        raise UserError("press.stale")
    return found


def asked(turn: Turn, dialog: Dialog, draft: Draft) -> Text:
    """The question of the step alone, as it stays once it is answered."""
    if dialog.step == SUMMARY:
        return Words("intake.summary")
    if dialog.step.startswith("q-"):
        return phrases.titled(current(turn, dialog, draft).text)
    return Words(f"intake.ask_{dialog.step}")


def ask_describe(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    return Message((Paragraph(Words("intake.ask_describe")),), ((_cancel_button(dialog),),))


def ask_type(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    kinds = list(turn.catalogue.types.values())
    choices = [
        dialogs.button(dialog, str(place), phrases.titled(kind.title)) for place, kind in enumerate(kinds)
    ]
    return Message((Paragraph(Words("intake.ask_type")),), (*_in_rows(choices, 3), _footer(dialog, draft)))


def ask_question(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    question = current(turn, dialog, draft)
    choices = [
        dialogs.button(dialog, str(place), phrases.titled(title))
        for place, title in enumerate(question.options)
    ]
    rows = (*_in_rows(choices, 2), _footer(dialog, draft, optional=question.optional))
    return _opening(turn, dialog, draft, phrases.titled(question.text), rows)


def ask_urgency(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
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


def show_summary(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    hint = Paragraph(Words("intake.summary_hint"), "quiet")
    send = dialogs.button(dialog, SEND, Words("button.send"), style="primary")
    edit = dialogs.button(dialog, EDIT, Words("button.edit"))
    blocks = (*summary(turn, draft, Words("intake.summary")), hint)
    return Message(blocks, ((send, edit, _cancel_button(dialog)),))


def summary(turn: Turn, draft: Draft, title: Text) -> tuple[Block, ...]:
    """Everything the ticket will hold."""
    rows: list[tuple[Text, Text]] = [
        (Words("intake.field_type"), phrases.type_title(turn.catalogue, draft.type or ""))
    ]
    if draft.behalf is not None:
        whom = phrases.account(draft.behalf.name, draft.behalf.platforms)
        rows.insert(0, (Words("intake.field_for"), whom))
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


def fields(turn: Turn, draft: Draft) -> dict[str, Text]:
    """What can be changed, by step."""
    titles: dict[str, Text] = {DESCRIBE: Words("intake.field_text"), TYPE: Words("intake.field_type")}
    for step, question in drafts.questions(draft, turn.catalogue).items():
        titles[step] = phrases.titled(question.text)
    if URGENCY in drafts.steps(draft, turn.catalogue):
        titles[URGENCY] = Words("intake.field_urgency")
    return titles


def edit_menu(turn: Turn, dialog: Dialog, draft: Draft) -> Message:
    titles = fields(turn, draft)
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


def begun(draft: Draft) -> frozenset[str]:
    """The steps nobody was asked: the first words were said unasked, and perhaps the type was guessed."""
    return frozenset({DESCRIBE, TYPE} if draft.guessed else {DESCRIBE})


def _footer(dialog: Dialog, draft: Draft, *, optional: bool = False) -> tuple[Choice, ...]:
    """Back, Skip where optional, Cancel."""
    back = [dialogs.button(dialog, BACK, Words("button.back"))] if set(draft.done) - begun(draft) else []
    skip = [dialogs.button(dialog, SKIP, Words("button.skip"))] if optional else []
    return (*back, *skip, _cancel_button(dialog))
