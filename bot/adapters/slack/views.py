"""Views: a form as a modal, what it complains about, and the Home tab."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from bot.adapters.port import Reader
from bot.adapters.slack import blocks, limits, lines, mrkdwn
from bot.adapters.slack.blocks import Shown
from bot.adapters.slack.lines import Word
from bot.adapters.slack.mrkdwn import Json
from bot.message import Block, Choice, Form, Input, Message, Option, Paragraph, Quote, Words
from core.kernel import text as texts

PIECE = "~"
"""Between a field's name and the number of a further input, where what stands in it takes several."""


def modal(form: Form, reader: Reader, now: datetime, where: str) -> Json:
    """The form as a view for `views.open`. `where` comes back with what was filled in.

    What was filled in stands in the view's state under the field's name, twice: `values[name][name]`."""
    word = lines.wording(reader, now)
    title = word(form.title)
    shown = [] if mrkdwn.fits(title, limits.VIEW_TITLE) else _told(title, bold=True)
    for place, field in enumerate(form.fields):
        shown += _field(field, word, first=place == 0)
    return {
        "type": "modal",
        "callback_id": form.code,
        "private_metadata": where,
        "title": mrkdwn.line(title, limits.VIEW_TITLE),
        "submit": mrkdwn.line(word(form.submit), limits.VIEW_TITLE),
        "close": mrkdwn.line(word(Words("button.cancel")), limits.VIEW_TITLE),
        "blocks": shown,
    }


def _told(words: str, *, bold: bool = False) -> list[Json]:
    return _blocks(blocks.of_lines(lines.prose(words, bold=bold)))


def _field(field: Input, word: Word, *, first: bool) -> list[Json]:
    """The field, below what is too long to stand at it."""
    label, hint = word(field.label), word(field.hint) if field.hint else ""
    if field.kind == "choice" and not field.options:
        return _told(f"{label} —")
    above = [words for words in (label, hint) if not mrkdwn.fits(words, limits.INPUT_LABEL)]
    begun, *more = _pieces(field.value) if field.kind == "text" else [field.value]
    block = _input(field.name, label, _element(replace(field, value=begun), word, first=first))
    block["optional"] = not field.required
    if hint:
        block["hint"] = mrkdwn.line(hint, limits.INPUT_LABEL)
    full = blocks.of_lines(lines.in_full((option.label for option in field.options), word))
    rest = [
        _input(f"{field.name}{PIECE}{number}", f"… {label}", _element(replace(field, value=piece), word))
        for number, piece in enumerate(more)
    ]
    return [*(told for words in above for told in _told(words)), *_blocks(full), block, *rest]


def _input(name: str, label: str, element: Json) -> dict[str, Any]:
    return {
        "type": "input",
        "block_id": name,
        "label": mrkdwn.line(label, limits.INPUT_LABEL),
        "element": {"action_id": name, **element},
        "optional": True,
    }


def _pieces(value: str) -> list[str]:
    """What stands in a field at first, in as many inputs as it takes."""
    pieces, start = [], 0
    while texts.utf16_len(value[start:]) > limits.INPUT:
        reach = texts.reach(value, start, limits.INPUT)
        end = texts.boundary(value, start, reach)
        pieces.append(value[start : end if end > start else reach])
        start += len(pieces[-1])
    return [*pieces, value[start:]]


def whole(values: Iterable[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """The values of the fields, where one may have taken several inputs."""
    fields: dict[str, str] = {}
    for name, value in values:
        field = name.partition(PIECE)[0]
        fields[field] = fields.get(field, "") + value
    return tuple(fields.items())


def _element(field: Input, word: Word, *, first: bool = False) -> Json:
    """What the field is filled in with; whoever has opened the form can type at once."""
    if field.kind == "text":
        size = {"multiline": field.long, "max_length": limits.INPUT}
        begun = {"initial_value": field.value} if field.value else {}
        return {"type": "plain_text_input", **size, **begun, "focus_on_load": first}
    options = field.options
    chosen = [_option(option, word) for option in options if option.value == field.value]
    menu = {"type": "static_select", **({"initial_option": chosen[0]} if chosen else {})}
    if len(options) <= limits.OPTIONS:
        return {**menu, "options": [_option(option, word) for option in options]}
    groups = [options[at : at + limits.OPTIONS] for at in range(0, len(options), limits.OPTIONS)]
    return {**menu, "option_groups": [_group(group, word) for group in groups]}


def _group(options: Sequence[Option], word: Word) -> Json:
    """Options under the names of the first and the last."""
    label = f"{word(options[0].label)} – {word(options[-1].label)}"
    return {
        "label": mrkdwn.line(label, limits.LABEL),
        "options": [_option(option, word) for option in options],
    }


def _option(option: Option, word: Word) -> Json:
    return {"text": mrkdwn.line(word(option.label), limits.LABEL), "value": option.value}


def errors(message: Message, reader: Reader, now: datetime, fields: Sequence[str]) -> Json:
    """The answer to a submission that keeps the modal open and says what is wrong, at one of its `fields`,
    of which there is one at least: the one the message names, else the first. What was typed stands there."""
    wrong = tuple(block for block in message.blocks if not isinstance(block, Quote))
    said = lines.of_message(replace(message, blocks=wrong), lines.wording(reader, now))
    field = message.field if message.field in fields else fields[0]
    return {"response_action": "errors", "errors": {field: "\n".join(line.words for line in said)}}


def home(message: Message, reader: Reader, now: datetime) -> Json:
    """The message as a view for `views.publish`. The first row of buttons stands at the top, the others
    at the end, each by itself, and what can be done about a line at that line; words that are more than a
    view takes end with `…`."""
    word = lines.wording(reader, now)
    rows: list[Shown] = []
    count = 0
    for row in message.rows:
        rows += blocks.of_rows([row], word, count)
        count += len(row)
    said: list[Shown] = []
    for choices, run in itertools.groupby(message.blocks, key=_choices):
        told = blocks.of_lines(lines.of_message(replace(message, blocks=tuple(run)), word, headed=True))
        said += blocks.beside(told, choices, word, count) if choices else told
        count += len(choices)
    between = _fitting(said, limits.VIEW_BLOCKS - len(rows))
    return {"type": "home", "blocks": [*_blocks(rows[:1]), *between, *_blocks(rows[1:])]}


def _choices(block: Block) -> tuple[Choice, ...]:
    return block.choices if isinstance(block, Paragraph) else ()


def _fitting(said: Sequence[Shown], room: int) -> list[Json]:
    sizes = list(itertools.accumulate(each.size for each in said))
    kept = _blocks([each for each, size in zip(said, sizes, strict=True) if size <= limits.VIEW])
    if len(kept) == len(said) <= room:
        return kept
    return [*kept[: room - 1], {"type": "context", "elements": [mrkdwn.plain("…")]}]


def _blocks(shown: Iterable[Shown]) -> list[Json]:
    return [each.block for each in shown]
