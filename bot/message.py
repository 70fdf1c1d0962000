"""What the desk says, free of any messenger: blocks of text, facts, files, choices and forms.

A message holds keys of the catalogue with facts, or people's own words, never markup, emoji codes or
ids of a messenger. It survives being stored: `to_json` and `from_json` are exact inverses.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from core.kernel import marked
from core.kernel.marked import Mark


@dataclass(frozen=True, slots=True)
class Plain:
    """Somebody's own words, shown literally; where `marks` say so, set apart as their author did."""

    text: str
    marks: tuple[Mark, ...] = ()
    kind: Literal["plain"] = "plain"


@dataclass(frozen=True, slots=True)
class Titled:
    """A text of the configuration, given per language; `by_language` is never empty."""

    by_language: Mapping[str, str]
    kind: Literal["titled"] = "titled"


@dataclass(frozen=True, slots=True)
class At:
    """An instant, told in the reader's time zone. `form`: clock, day, both, or ago; `after` what was told
    just before it, so that the same day is not told twice."""

    instant: datetime
    form: Literal["clock", "day", "both", "ago"] = "both"
    after: datetime | None = None
    kind: Literal["at"] = "at"


@dataclass(frozen=True, slots=True)
class Span:
    """A length of time, told in the reader's language; `working` time without days."""

    length: timedelta
    working: bool = False
    kind: Literal["span"] = "span"


@dataclass(frozen=True, slots=True)
class Typed:
    """A command of the desk's with what may follow it, `/take 42`; told as it is typed in the messenger."""

    text: str
    kind: Literal["typed"] = "typed"


@dataclass(frozen=True, slots=True)
class Words:
    """A sentence of the catalogue. `count` chooses the plural and is also the fact `count`."""

    key: str
    facts: Mapping[str, "Fact"] = field(default_factory=dict)
    count: int | None = None
    kind: Literal["words"] = "words"


@dataclass(frozen=True, slots=True)
class Several:
    """Texts told one after another with `between` (literal) between them."""

    parts: tuple["Text", ...]
    between: str = " · "
    kind: Literal["several"] = "several"


Text = Annotated[Plain | Titled | At | Span | Typed | Words | Several, Field(discriminator="kind")]
Fact = Text | int | str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Lines of text. `style` is a meaning; each messenger shows it in its own manner."""

    text: Text
    style: Literal["normal", "title", "quiet", "strong"] = "normal"
    choices: tuple["Choice", ...] = ()
    """What can be done about it; only the lines of a page of one's own have any."""
    kind: Literal["paragraph"] = "paragraph"


@dataclass(frozen=True, slots=True)
class Quote:
    """Somebody's words, set apart."""

    text: Text
    kind: Literal["quote"] = "quote"


@dataclass(frozen=True, slots=True)
class Facts:
    """Rows of a name and a value."""

    rows: tuple[tuple[Text, Text], ...]
    kind: Literal["facts"] = "facts"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file kept by the desk."""

    file_id: str
    name: str
    mime: str
    size: int
    kind: Literal["attachment"] = "attachment"


Block = Annotated[Paragraph | Quote | Facts | Attachment, Field(discriminator="kind")]


@dataclass(frozen=True, slots=True)
class Option:
    """One possible value of a choice field."""

    value: str
    label: Text


@dataclass(frozen=True, slots=True)
class Input:
    """One field of a form. `kind` text: free words; choice: one of `options`."""

    name: str
    label: Text
    kind: Literal["text", "choice"] = "text"
    required: bool = True
    long: bool = False
    options: tuple[Option, ...] = ()
    hint: Text | None = None
    value: str = ""
    """What stands in it at first."""


@dataclass(frozen=True, slots=True)
class Form:
    """A few fields asked at once where the messenger can, one after another where it cannot."""

    code: str
    title: Text
    fields: tuple[Input, ...]
    submit: Text


@dataclass(frozen=True, slots=True)
class Choice:
    """A button. `code` (at most 60 ASCII bytes) comes back in Pressed; a `form` opens at once instead."""

    code: str
    label: Text
    style: Literal["normal", "primary", "danger"] = "normal"
    menu: bool = False
    """Belongs under "More"."""
    form: Form | None = None


@dataclass(frozen=True, slots=True)
class Call:
    """Somebody whose attention is asked for in a room of many, by whichever of their accounts is there."""

    name: str
    identities: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Answered:
    """What a message answers: whose words, how they begin, and in which rooms they stand as which message."""

    author: Text
    words: str
    places: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Message:
    """One message. `tone` says what it is, `author` for whom it speaks (None: the desk itself)."""

    blocks: tuple[Block, ...]
    rows: tuple[tuple[Choice, ...], ...] = ()
    tone: Literal["say", "card", "request", "reply", "note", "event", "ping", "hint"] = "say"
    author: Text | None = None
    ticket: int | None = None
    call: Call | None = None
    unfolded: bool = False
    """The choices under "More" stand open, where the messenger has no menu for them."""
    over: bool = False
    """A card whose ticket is closed, or a ping that somebody has answered."""
    asks: bool = False
    """Whoever is called answers in words, as a reply to this; `/cancel` does what its one choice does."""
    form: Form | None = None
    """Opens at once for whoever pressed, where there are forms; it takes the place of the form sent in."""
    field: str | None = None
    """The field of the form just sent in that this complains about."""
    answers: Answered | None = None
    """What it replies to."""


_ADAPTER: TypeAdapter[Message] = TypeAdapter(Message)


def to_json(message: Message) -> str:
    """The message as it is stored."""
    return _ADAPTER.dump_json(message, exclude_defaults=False).decode()


def from_json(raw: str | bytes) -> Message:
    """A stored message, exactly as it was said."""
    return _ADAPTER.validate_json(raw)


def say(*texts: "Text | Block", rows: Sequence[Sequence[Choice]] = ()) -> Message:
    """A plain message of paragraphs, with rows of choices."""
    blocks = tuple(
        text if isinstance(text, Paragraph | Quote | Facts | Attachment) else Paragraph(text)
        for text in texts
    )
    return Message(blocks, tuple(tuple(row) for row in rows))


def spoken(text: str) -> Plain:
    """Somebody's own words as they set them."""
    return Plain(str(text), marked.marks_of(text))


def to_facts(message: Message) -> dict[str, object]:
    """The message as plain JSON values, to travel inside a parcel."""
    facts: dict[str, object] = _ADAPTER.dump_python(message, mode="json")
    return facts


def from_facts(facts: object) -> Message:
    """The message that `to_facts` made into plain values."""
    return _ADAPTER.validate_python(facts)
