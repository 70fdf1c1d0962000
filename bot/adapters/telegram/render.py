"""Showing: a message as text with entities, buttons and files. No markup, so nothing can break it."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal

from telegram import MessageEntity, User

from bot import codes, i18n
from bot.adapters import degrade
from bot.adapters.port import Features, Reader
from bot.adapters.telegram import entities, uploads
from bot.message import Attachment, Block, Call, Choice, Facts, Message, Paragraph, Quote, Text, Words
from core.kernel import text as texts

TEXT = 4096
FOLDED = 400
"""Quotes longer than so many UTF-16 units are shown folded."""
Word = Callable[[Text], str]
Style = Literal["bold", "italic", "blockquote", "expandable_blockquote"]
Stretch = tuple[int, int, str]
"""Where something begins that is set apart, how long it is in UTF-16 units, and the type of its entity."""
Keyboard = Mapping[str, Any] | None
"""A `reply_markup` in the Bot API's own words: objects for it cost more than all other rendering."""


@dataclass(frozen=True, slots=True)
class Part:
    """One message of Telegram: text within the limit and its entities, in UTF-16 units."""

    text: str
    entities: tuple[MessageEntity, ...] = ()


@dataclass(frozen=True, slots=True)
class File:
    """A file, and the line that stands in its place where it cannot be shown."""

    file: Attachment
    instead: Part


@dataclass(frozen=True, slots=True)
class Look:
    """A message as Telegram shows it: its parts, the buttons under the last, the files after it."""

    parts: tuple[Part, ...]
    keyboard: Keyboard = None
    files: tuple[File, ...] = ()
    silent: bool = False
    """It makes no sound."""
    previews: bool = True
    """What links lead to is shown below it."""

    def under(self, place: int) -> Keyboard:
        """What stands under this part."""
        return self.keyboard if place == len(self.parts) - 1 else None


@dataclass(slots=True)
class _Writer:
    """Text that grows line by line, remembering which stretch has which style."""

    text: str = ""
    stretches: list[Stretch] = field(default_factory=list)
    called: User | None = None
    """Whose name stands at the very beginning."""

    def call(self, call: Call) -> None:
        """A line with the name of somebody to be notified."""
        accounts = [each.partition(":") for each in call.identities]
        here = next((account for platform, _, account in accounts if platform == "telegram"), None)
        self.line(call.name)
        self.called = None if here is None else User(int(here), call.name, is_bot=False)

    def line(self, words: str, style: Style | None = None) -> None:
        if not words:
            return
        self.text += "\n" if self.text else ""
        start = texts.utf16_len(self.text)
        self.text += str(words)
        if style is not None:
            self.stretches.append((start, texts.utf16_len(words), style))
        self.stretches += [(start + at, length, kind) for at, length, kind in entities.stretches(words)]


def look(message: Message, reader: Reader, now: datetime, features: Features) -> Look:
    """Word the message for its reader and fit it into Telegram's limits; nothing is cut."""

    def word(text: Text) -> str:
        return i18n.word(text, reader.language, time_zone=reader.time_zone, now=now)

    writer = _Writer()
    if message.call is not None:
        writer.call(message.call)
    if message.author is not None and (name := word(message.author)):
        writer.line(_MARKS.get(message.tone, "") + name, "bold")
    aside = _aside(message)
    for block in message.blocks:
        _write(writer, block, word, aside)
    files = tuple(
        File(block, Part(word(_not_shown(block))))
        for block in message.blocks
        if isinstance(block, Attachment)
    )
    return Look(
        _parts(writer),
        _keyboard(message, word, features),
        files,
        silent=message.tone == "event",
        previews=message.tone in _SAID,
    )


_MARKS = {"note": "📝 "}
"""What stands before the name of who says it."""
_SAID = ("request", "reply", "note")
"""People's own words; in what the desk says of them a link needs no picture."""


def _not_shown(file: Attachment) -> Words:
    if file.size > uploads.LIMIT:
        size, limit = -(-file.size // 1_000_000), uploads.LIMIT // 1_000_000
        return Words("file.too_large_to_show", {"name": file.name, "size": size, "limit": limit})
    return Words("file.not_shown", {"name": file.name})


ASIDES = 3
"""With more quiet lines than this a message is a list, and none of them is set in italics."""


def _aside(message: Message) -> Style | None:
    """How a quiet line is set."""
    quiet = [block for block in message.blocks if isinstance(block, Paragraph) and block.style == "quiet"]
    return None if message.tone == "card" or len(quiet) > ASIDES else "italic"


def _write(writer: _Writer, block: Block, word: Word, aside: Style | None) -> None:
    match block:
        case Paragraph(text=text, style=style):
            styles: Mapping[str, Style | None] = {"title": "bold", "strong": "bold", "quiet": aside}
            writer.line(word(text), styles.get(style))
        case Quote(text=text):
            quoted = word(text)
            folded = texts.utf16_len(quoted) > FOLDED
            writer.line(quoted, "expandable_blockquote" if folded else "blockquote")
        case Facts(rows=rows):
            for name, value in rows:
                named = word(name).rstrip(".")
                writer.line(f"{named}{'' if named.endswith(('?', ':')) else ':'} {word(value)}")
        case Attachment():
            pass


def _parts(writer: _Writer) -> tuple[Part, ...]:
    """Split at paragraphs where it is too long; an entity that is cut goes on in the next part."""
    parts: list[Part] = []
    start = 0
    for piece in degrade.pieces(writer.text, TEXT):
        length = texts.utf16_len(piece.body)
        shift = texts.utf16_len(piece.opening)
        shown = tuple(
            MessageEntity(style, max(at - start, 0) + shift, min(at + size, start + length) - max(at, start))
            for at, size, style in writer.stretches
            if at < start + length and at + size > start
        )
        start += length
        if not parts and writer.called is not None:
            name = texts.utf16_len(writer.called.first_name)
            shown = (MessageEntity("text_mention", 0, name, user=writer.called), *shown)
        if piece.body.strip():
            parts.append(Part(piece.opening + piece.body + piece.closing, shown))
    return tuple(parts)


def _keyboard(message: Message, word: Word, features: Features) -> Keyboard:
    if message.asks:
        return {"force_reply": True, "selective": True}
    rows = [part for row in _folded(message) for part in _fitted(row, word, features)]
    shown = [[_button(choice, word(choice.label)) for choice in row] for row in rows]
    return {"inline_keyboard": shown} if shown else None


WIDE = 44
"""Characters that can be read side by side on a phone, two of them around each label; all buttons of a row
are as wide as its longest."""


def _fitted(row: Sequence[Choice], word: Word, features: Features) -> Sequence[Sequence[Choice]]:
    """As many rows as the labels need to be read."""
    longest = max((len(word(choice.label)) + 2 for choice in row), default=1)
    in_row = min(features.buttons_in_row, max(WIDE // longest, 1))
    return degrade.fit_rows([row], replace(features, buttons_in_row=in_row))


def _folded(message: Message) -> Sequence[Sequence[Choice]]:
    """The rarer choices of a card wait behind "More", which opens them in place. Those of what a requester
    said are commands that answer it: a row of buttons under each would cry out."""
    main = [tuple(choice for choice in row if not choice.menu) for row in message.rows]
    rare = [choice for row in message.rows for choice in row if choice.menu]
    if rare and message.tone == "request":
        return [row for row in main if row]
    if not rare or message.ticket is None or message.tone != "card":
        return message.rows
    more = Choice(codes.code("m", message.ticket, int(not message.unfolded)), Words(_MORE[message.unfolded]))
    pairs = [tuple(rare[at : at + 2]) for at in range(0, len(rare), 2)] if message.unfolded else []
    return [*(row for row in main if row), *pairs, (more,)]


_MORE = {False: "button.more", True: "button.less"}


def _button(choice: Choice, label: str) -> Mapping[str, str]:
    button = {"text": label, "callback_data": choice.code}
    return button if choice.style == "normal" else button | {"style": choice.style}
