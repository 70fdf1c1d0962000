"""Block Kit: lines of words as blocks of text, choices as blocks of buttons."""

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from bot.adapters.slack import limits, lines, mrkdwn
from bot.adapters.slack.lines import Line, Word
from bot.adapters.slack.mrkdwn import Json
from bot.message import Choice
from core.kernel import text as texts


@dataclass(frozen=True, slots=True)
class Shown:
    """A block, and the words in it."""

    block: Json
    words: str

    @property
    def size(self) -> int:
        """Characters of its JSON."""
        return lines.size(self.block)


def of_lines(said: Iterable[Line]) -> list[Shown]:
    """As few blocks as show the lines: small print apart from text and quotes, headers by themselves."""
    groups: list[list[Line]] = []
    for line in said:
        if not groups or not _joins(groups[-1], line):
            groups.append([])
        groups[-1].append(line)
    return [_block(group) for group in groups]


def _joins(group: Sequence[Line], line: Line) -> bool:
    if _BLOCKS[group[-1].kind] != _BLOCKS[line.kind] or line.kind == "header":
        return False
    together = "\n".join(each.words for each in [*group, line])
    counted = mrkdwn.escape(together) if line.kind == "quiet" else together
    sizes = sum(lines.size(each.elements) for each in [*group, line])
    return texts.utf16_len(counted) <= limits.TEXT and sizes <= limits.BLOCK


_BLOCKS = {
    "header": "header",
    "quiet": "context",
    "text": "rich_text",
    "quote": "rich_text",
    "pre": "rich_text",
}
_INSIDE = {"text": "rich_text_section", "quote": "rich_text_quote", "pre": "rich_text_preformatted"}


def _block(group: Sequence[Line]) -> Shown:
    words = "\n".join(line.words for line in group)
    match group[0].kind:
        case "header":
            return Shown({"type": "header", "text": mrkdwn.plain(words)}, words)
        case "quiet":
            return Shown({"type": "context", "elements": [mrkdwn.plain(words)]}, words)
    runs = [list(run) for _, run in itertools.groupby(group, key=_alike)]
    inside = [
        {"type": _INSIDE[run[0].kind], "elements": _joined([*run, *_ending(run, after)])}
        for run, after in zip(runs, [*runs[1:], []], strict=True)
    ]
    return Shown({"type": "rich_text", "elements": inside}, words)


def _alike(line: Line) -> tuple[str, int]:
    """What lines of one element have in common; each block of code is its own."""
    return line.kind, id(line) if line.kind == "pre" else 0


def _ending(run: Sequence[Line], after: Sequence[Line]) -> tuple[Line, ...]:
    """Words before a block of code end their line, as Slack's own editor has it."""
    return (Line("text", ""),) if run[0].kind == "text" and after and after[0].kind == "pre" else ()


def _joined(run: Iterable[Line]) -> list[Json]:
    """The lines one below the other; words of one style are one element."""
    elements: list[Json] = []
    for place, line in enumerate(run):
        for element in (*(mrkdwn.rich("\n") if place else ()), *line.elements):
            last = elements[-1] if elements else {}
            if last.get("type") == element["type"] == "text" and last.get("style") == element.get("style"):
                elements[-1] = {**last, "text": last["text"] + element["text"]}
            else:
                elements.append(element)
    return elements


# ---- buttons

Named = tuple[str, Json]
"""A label, and what carries it."""


def of_rows(rows: Sequence[Sequence[Choice]], word: Word, first: int = 0) -> list[Shown]:
    """The choices, their elements numbered from `first`. Slack breaks rows by itself, so they flow as one;
    only the last stands apart, for it says how to go on or back. The rarer choices wait in a menu."""
    main = [[_button(choice, word) for choice in row if not choice.menu] for row in rows]
    main = [row for row in main if row] or [[]]
    main[-1] += _rare([choice for row in rows for choice in row if choice.menu], word)
    flowing = list(itertools.chain.from_iterable(main[:-1]))
    numbers = itertools.count(first)
    shown = []
    for row in (flowing, main[-1]):
        for at in range(0, len(row), limits.BUTTONS):
            some = row[at : at + limits.BUTTONS]
            elements = [{**element, "action_id": f"c{next(numbers)}"} for _, element in some]
            words = " · ".join(label for label, _ in some if label)
            shown.append(Shown({"type": "actions", "elements": elements}, words))
    return shown


def beside(said: Sequence[Shown], choices: Sequence[Choice], word: Word, first: int) -> list[Shown]:
    """A line with its one button at its end; several stand below it."""
    words = "\n".join(each.words for each in said)
    if len(choices) > 1 or not mrkdwn.fits(words, limits.TEXT):
        return [*said, *of_rows([choices], word, first)]
    _, button = _button(choices[0], word)
    accessory = {**button, "action_id": f"c{first}"}
    return [Shown({"type": "section", "text": mrkdwn.plain(words), "accessory": accessory}, words)]


def _button(choice: Choice, word: Word) -> Named:
    label = word(choice.label)
    element: Json = {"type": "button", "text": mrkdwn.line(label, limits.LABEL), "value": choice.code}
    if choice.style != "normal":
        element["style"] = choice.style
    return label, element


def _rare(choices: Sequence[Choice], word: Word) -> list[Named]:
    """A menu of the last few. Those it has no room for are buttons like any: a select menu would hold more,
    but keeps what was chosen, and the same choice cannot be made twice."""
    kept = choices[-limits.OVERFLOW :]
    surplus = [_button(choice, word) for choice in choices[: len(choices) - len(kept)]]
    options = [
        {"text": mrkdwn.line(word(choice.label), limits.LABEL), "value": choice.code} for choice in kept
    ]
    return [*surplus, ("", {"type": "overflow", "options": options})] if options else surplus
