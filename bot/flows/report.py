"""A whole report in one form, in a messenger where forms open: what happened, then what its type asks."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from bot import codes
from bot.flows import company, intake, phrases, questions
from bot.flows import draft as drafts
from bot.flows.draft import DESCRIBE, TYPE, URGENCY, Behalf, Draft
from bot.flows.turn import Turn
from bot.message import Form, Input, Message, Option, Text, Words
from core.dialogs import store as dialogs
from core.dialogs.model import Dialog
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import DialogId, PersonId
from core.tickets import store as ticket_store
from core.tickets.catalogue import Priority, Question
from core.tickets.model import Answer

FLOW = "report"
FIRST, REST = "first", "rest"
KIND = "kind"
"""The field of the guessed type; one left empty before may stay so in a field of the same name."""
WAITING = 5
"""So many first forms of a person may wait for their second."""
Values = Mapping[str, str]


async def begin(turn: Turn, text: str = "", behalf: Behalf | None = None) -> None:
    """Open the form; `behalf`: in whose name. Raises UserError where none can open."""
    if not turn.forms or turn.press is None:
        raise UserError("press.stale")
    home = turn.direct(turn.incoming.sender.identity)
    if home is not None and not turn.incoming.private:
        turn = replace(turn, incoming=replace(turn.incoming, where=home, private=True), about=None)
    await turn.tell(Message((), form=_first(turn, text, behalf)))


def _first(turn: Turn, text: str, behalf: Behalf | None) -> Form:
    whose = None if behalf is None else _whose(behalf)
    fields = (
        Input("text", Words("form.report_text"), long=True, value=text, hint=whose),
        Input(
            "type",
            Words("intake.field_type"),
            "choice",
            required=False,
            options=_kinds(turn),
            hint=Words("form.report_type_hint"),
        ),
    )
    code = codes.code("n", FIRST, *([behalf.person] if behalf else []))
    return Form(code, Words("form.report_title"), fields, Words("form.report_next"))


def _whose(behalf: Behalf) -> Text:
    return Words("form.report_for", {"name": phrases.account(behalf.name, behalf.platforms)})


async def submitted(turn: Turn, words: Sequence[str], values: Sequence[tuple[str, str]]) -> None:
    """One of the two forms came back. Raises UserError naming the field that is not right."""
    filled = {name: texts.clean(value).strip() for name, value in values}
    match list(words):
        case ["first"]:
            await _described(turn, filled)
        case ["first", behalf] if codes.is_number(behalf) and turn.person.staff:
            await _described(turn, filled, await company.behalf(turn, PersonId(int(behalf))))
        case ["rest", key]:
            await _answered(turn, key, filled)
        case _:
            raise UserError("press.stale")


async def _described(turn: Turn, values: Values, behalf: Behalf | None = None) -> None:
    draft = replace(_draft(turn, values), behalf=behalf)
    if not _asked(turn, draft):
        await _send(turn, draft)
        return
    waiting = await _waiting(turn)
    key = str(max(map(int, waiting), default=0) + 1)
    await _ask_rest(turn, {**waiting, key: drafts.dump(draft)}, key, draft)


async def _waiting(turn: Turn) -> dict[str, Any]:
    """The reports of this person whose second form is open somewhere, by a number of their own."""
    under_way = await dialogs.at(turn.tx, _place(turn), turn.person.id)
    return dict(under_way.draft) if under_way is not None else {}


async def _keep(turn: Turn, waiting: Mapping[str, Any]) -> None:
    newest = dict(list(waiting.items())[-WAITING:])
    fresh = Dialog(DialogId(0), _place(turn), turn.person.id, FLOW, REST, newest, 0)
    await dialogs.start(turn.tx, fresh)


async def _ask_rest(turn: Turn, waiting: Mapping[str, Any], key: str, draft: Draft) -> None:
    await _keep(turn, waiting)
    title, fields = phrases.type_title(turn.catalogue, draft.type or ""), _rest(turn, draft)
    form = Form(codes.code("n", REST, key), title, fields, Words("button.send"))
    await turn.tell(Message((), form=form))


def _draft(turn: Turn, values: Values) -> Draft:
    text, chosen = values.get("text", ""), values.get("type", "")
    if not text:
        raise UserError("form.missing", field="text")
    if chosen and chosen not in turn.catalogue.types:
        raise UserError("form.choose", field="type")
    draft = Draft().with_words(text, None).finished(DESCRIBE).finished(TYPE)
    if chosen:
        return replace(draft, type=chosen)
    guessed = turn.catalogue.guess(text)
    return replace(draft, type=guessed.name if guessed else turn.catalogue.last.name, guessed=True)


def _rest(turn: Turn, draft: Draft) -> tuple[Input, ...]:
    """What is asked of the type; one that was guessed can be put right."""
    if not draft.guessed:
        return _asked(turn, draft)
    kind = Input(KIND, Words("intake.field_type"), "choice", options=_kinds(turn), value=draft.type or "")
    return (kind, *_asked(turn, draft))


def _kinds(turn: Turn) -> tuple[Option, ...]:
    return tuple(Option(kind.name, phrases.titled(kind.title)) for kind in turn.catalogue.types.values())


def _asked(turn: Turn, draft: Draft) -> tuple[Input, ...]:
    asked = [_question(each) for each in drafts.questions(draft, turn.catalogue).values()]
    if URGENCY in drafts.steps(draft, turn.catalogue):
        options = tuple(Option(each, Words(f"urgency.{each}")) for each in Priority)
        asked.append(Input(URGENCY, Words("intake.ask_urgency"), "choice", options=options))
    return tuple(asked)


def _question(question: Question) -> Input:
    label, required = phrases.titled(question.text), not question.optional
    if not question.options:
        return Input(f"q-{question.name}", label, required=required, long=True)
    options = tuple(Option(str(at), phrases.titled(title)) for at, title in enumerate(question.options))
    return Input(f"q-{question.name}", label, "choice", required=required, options=options)


async def _answered(turn: Turn, key: str, values: Values) -> None:
    waiting = await _waiting(turn)
    if key not in waiting:
        raise UserError("press.over")
    draft = drafts.fitted(drafts.load(waiting.pop(key)), turn.catalogue)
    if draft.type is None:
        raise UserError("press.over")
    chosen = values.get(KIND, draft.type)
    if chosen not in turn.catalogue.types:
        raise UserError("form.choose", field=KIND)
    if chosen != draft.type:
        draft = replace(draft, type=chosen)
        if _asked(turn, draft):
            await _ask_rest(turn, {**waiting, key: drafts.dump(draft)}, key, draft)
            return
    for step, question in drafts.questions(draft, turn.catalogue).items():
        answer = _answer(step, question, values.get(step, ""))
        draft = draft.with_answer(answer, question.name)
    if URGENCY in drafts.steps(draft, turn.catalogue):
        urgency = values.get(URGENCY, "")
        if urgency not in tuple(Priority):
            raise UserError("form.choose", field=URGENCY)
        draft = replace(draft, priority=Priority(urgency))
    await _keep(turn, waiting)
    await _send(turn, draft)


def _answer(step: str, question: Question, value: str) -> Answer | None:
    if not value:
        if question.optional:
            return None
        raise UserError("form.missing", field=step)
    if not question.options:
        return Answer(question.name, value, None)
    if not codes.is_number(value) or int(value) >= len(question.options):
        raise UserError("form.choose", field=step)
    return Answer(question.name, next(iter(question.options[int(value)].values())), int(value))


def _place(turn: Turn) -> str:
    """Where first forms wait for their second: beside whatever is said in the same conversation."""
    return f"{turn.room}~{FLOW}"


async def _send(turn: Turn, draft: Draft) -> None:
    """The ticket is opened; what was sent stands above all that will be said of it."""
    number = await ticket_store.next_number(turn.tx)
    sent = questions.summary(turn, draft, Words("intake.sent"))
    await turn.tell(Message(sent, ticket=number))
    await intake.open_ticket(turn, draft, number)
