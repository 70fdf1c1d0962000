"""Any message made to fit a messenger: surplus buttons become a numbered list, a form becomes questions.

Long text is cut by `split`; a label by `fit_label`. Nothing here words, sends or decides.
"""

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.adapters.port import Features
from bot.adapters.split import Piece, pieces, split
from bot.message import Choice, Form, Input, Message, Paragraph, Plain, Quote, Several, Text
from core.kernel import text as texts

__all__ = [
    "Numbered",
    "Piece",
    "Question",
    "Rows",
    "answering",
    "fit",
    "fit_label",
    "fit_rows",
    "form_questions",
    "numbered",
    "pieces",
    "split",
]

Rows = Sequence[Sequence[Choice]]


@dataclass(frozen=True, slots=True)
class Numbered:
    """The buttons that are left, and the list to be told in place of the others.

    `by_number` says which choice a person means who answers with a number of the list.
    """

    rows: tuple[tuple[Choice, ...], ...]
    listed: Text | None = None
    by_number: Mapping[str, Choice] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Question:
    """One field of a form, asked by itself.

    The message carries a button for each option; `values` gives the field's value by a button's code.
    """

    asked: Input
    message: Message
    values: Mapping[str, str]
    last: bool


def answering(message: Message, room: str, features: Features) -> Message:
    """What it answers as it can be shown in this room: as a reply to it, where that is known there, which
    `answers` then tells alone; else as a short quote above the words."""
    answered = message.answers
    if answered is None:
        return message
    here = tuple(each for each in answered.places if each[0] == room) if features.replies else ()
    if here:
        return replace(message, answers=replace(answered, places=here))
    quote = Quote(Several((answered.author, Plain(answered.words)), ": "))
    return replace(message, answers=None, blocks=(quote, *message.blocks))


def fit(message: Message, features: Features) -> tuple[Message, Mapping[str, Choice]]:
    """The message with only the buttons that can be shown, and what the numbers in its list mean."""
    found = numbered(message.rows, features)
    listed = (Paragraph(found.listed),) if found.listed else ()
    rows = fit_rows(found.rows, features)
    return replace(message, blocks=(*message.blocks, *listed), rows=rows), found.by_number


def numbered(rows: Rows, features: Features) -> Numbered:
    """Keep as many buttons as can be shown, those under "More" last; list the others from 1."""
    inner = [choice for row in rows for choice in row]
    by_worth = sorted(range(len(inner)), key=lambda place: inner[place].menu)
    kept = set(by_worth[: max(features.buttons, 0)])
    if len(kept) == len(inner):
        return Numbered(_solid(rows))
    surplus = [choice for place, choice in enumerate(inner) if place not in kept]
    lines: list[Text] = [
        Several((Plain(f"{number}. "), choice.label), between="") for number, choice in enumerate(surplus, 1)
    ]
    by_number = {str(number): choice for number, choice in enumerate(surplus, 1)}
    return Numbered(_only(rows, kept), Several(tuple(lines), between="\n"), by_number)


def _only(rows: Rows, kept: set[int]) -> tuple[tuple[Choice, ...], ...]:
    left, place = [], 0
    for row in rows:
        left.append([choice for at, choice in enumerate(row, place) if at in kept])
        place += len(row)
    return _solid(left)


def _solid(rows: Rows) -> tuple[tuple[Choice, ...], ...]:
    return tuple(tuple(row) for row in rows if row)


def fit_rows(rows: Rows, features: Features) -> tuple[tuple[Choice, ...], ...]:
    """Rows too long for the messenger are broken into rows as even as can be; others stay as they are."""
    return tuple(part for row in rows if row for part in _even(tuple(row), max(features.buttons_in_row, 1)))


def _even(row: tuple[Choice, ...], longest: int) -> list[tuple[Choice, ...]]:
    count = -(-len(row) // longest)
    bounds = [-(-len(row) * place // count) for place in range(count + 1)]
    return [row[start:end] for start, end in itertools.pairwise(bounds)]


def fit_label(label: str, features: Features) -> str:
    """A button's words on one line, as long as the messenger shows."""
    return texts.shorten(label, features.label_limit)


def form_questions(form: Form) -> tuple[Question, ...]:
    """The form's fields one after another; the first is asked under the form's title."""
    return tuple(_question(form, place) for place in range(len(form.fields)))


def _question(form: Form, place: int) -> Question:
    asked = form.fields[place]
    title = (Paragraph(form.title, "title"),) if place == 0 else ()
    hint = (Paragraph(asked.hint, "quiet"),) if asked.hint else ()
    options = {f"{place}.{number}": option for number, option in enumerate(asked.options)}
    rows = tuple((Choice(code, option.label),) for code, option in options.items())
    message = Message((*title, Paragraph(asked.label), *hint), rows)
    values = {code: option.value for code, option in options.items()}
    return Question(asked, message, values, last=place == len(form.fields) - 1)
