"""A message as lines of words, each small enough for one block of Slack."""

import itertools
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from bot import i18n
from bot.adapters import degrade
from bot.adapters.port import Reader
from bot.adapters.slack import limits, manifest, mrkdwn
from bot.adapters.slack.mrkdwn import Json
from bot.message import Attachment, Block, Facts, Message, Paragraph, Quote, Text
from core.kernel import marked
from core.kernel import text as texts

Word = Callable[[Text], str]
Kind = Literal["header", "quiet", "text", "quote", "pre"]
MARKS = {"request": "📨", "reply": "↩️", "note": "📝"}
"""By tone, before the name of whoever speaks."""


@dataclass(frozen=True, slots=True)
class Line:
    """Words that stand by themselves. `elements` are the same as rich text, which headers and small print are
    not."""

    kind: Kind
    words: str
    elements: tuple[Json, ...] = ()


def size(value: object) -> int:
    """Characters of its JSON."""
    return len(json.dumps(value, ensure_ascii=False))


def wording(reader: Reader, now: datetime) -> Word:
    """How texts are worded for this reader."""
    return lambda text: i18n.word(
        text, reader.language, time_zone=reader.time_zone, now=now, root=f"/{manifest.ROOT} "
    )


def of_message(message: Message, word: Word, *, headed: bool = False) -> list[Line]:
    """What the message says. Titles are headers where `headed`, and on the card of a ticket under way."""
    headed = headed or (message.tone == "card" and not message.over)
    found: list[Line] = []
    if message.author is not None:
        found += prose(f"{MARKS.get(message.tone, '')} {word(message.author)}".strip(), bold=True)
    for block in message.blocks:
        found += _of_block(block, word, headed=headed)
    return found


def _of_block(block: Block, word: Word, *, headed: bool) -> Iterable[Line]:
    match block:
        case Paragraph(text=text, style=style):
            return _paragraph(word(text), style, headed=headed)
        case Quote(text=text):
            return prose(word(text), kind="quote")
        case Facts(rows=rows):
            return itertools.chain.from_iterable(_fact(word(name), word(value)) for name, value in rows)
        case Attachment():
            return ()


def _paragraph(words: str, style: str, *, headed: bool) -> Iterable[Line]:
    if style == "title" and headed and mrkdwn.fits(words, limits.HEADER):
        kind: Kind = "header"
    elif style == "quiet" and texts.utf16_len(words) <= limits.QUIET:
        kind = "quiet"
    else:
        return prose(words, bold=style in ("title", "strong"))
    return [Line(kind, " ".join(words.split()) if kind == "header" else words)] if words.strip() else ()


def prose(words: str, *, kind: Kind = "text", bold: bool = False) -> Iterator[Line]:
    """The words as lines of rich text, as many as they need."""
    for each, stretch in _stretches(words) if kind == "text" else [(kind, words)]:
        pieces = degrade.pieces(stretch, limits.TEXT)
        for place, piece in enumerate(pieces):
            part = piece.shown
            part = part.lstrip("\n") if place or stretch is words else part
            part = part.rstrip("\n") if piece is not pieces[-1] or stretch is words else part
            if piece.body.strip():
                rich = mrkdwn.literal(part) if each == "pre" else mrkdwn.rich(part, bold=bold)
                yield Line(each, str(part), rich)


def _stretches(words: str) -> Iterator[tuple[Kind, str]]:
    """Blocks of code, as long as they have their lines for themselves, and the words between them."""
    at = 0
    for mark in marked.marks_of(words):
        begins = mark.start == 0 or words[mark.start - 1] == "\n"
        ends = mark.end == len(words) or words[mark.end] == "\n"
        if mark.kind == "pre" and begins and ends:
            if at < mark.start:
                yield "text", words[at : mark.start - 1]
            yield "pre", words[mark.start : mark.end]
            at = mark.end + 1
    if at < len(words):
        yield "text", words[at:] if at else words


def _fact(name: str, value: str) -> Iterator[Line]:
    """`Name: value`; a question, or a whole sentence, has its own sign."""
    named = name if name.endswith(("?", ":", ".")) else f"{name}:"
    whole = f"{named} {value}"
    if texts.utf16_len(whole) > limits.TEXT:
        yield from prose(named, bold=True)
        yield from prose(value)
    else:
        yield Line("text", whole, (*mrkdwn.rich(named, bold=True), *mrkdwn.rich(f" {value}")))


def in_full(labels: Iterable[Text], word: Word) -> Iterator[Line]:
    """The labels that are too long for a button or an option."""
    for label in labels:
        if not mrkdwn.fits(word(label), limits.LABEL):
            yield from prose(f"• {word(label)}")
