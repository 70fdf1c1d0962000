"""What people do, free of any messenger: they say, press, fill in forms, react, edit, delete and look."""

from dataclasses import dataclass
from datetime import datetime

from core.kernel.ids import Address, Identity


@dataclass(frozen=True, slots=True)
class Sender:
    """Who did it, by the platform's own word; `name` is decoration, `language` a first guess."""

    identity: Identity
    name: str
    language: str | None = None
    automatic: bool = False
    """Another bot or an auto-reply."""


@dataclass(frozen=True, slots=True)
class Carried:
    """A file that came along. `key` is the adapter's own handle for fetching it."""

    key: str
    name: str
    mime: str
    size: int | None = None
    kept: str | None = None
    """The desk's file id, where the bytes are already here."""
    limit: int | None = None
    """Bytes of the largest file the messenger hands over."""

    @property
    def too_large(self) -> bool:
        return self.limit is not None and self.size is not None and self.size > self.limit


@dataclass(frozen=True, slots=True)
class Quoted:
    """A message that somebody points at, which is another's or their own."""

    sender: Sender
    text: str
    message: str
    files: tuple[Carried, ...] = ()
    room: str | None = None
    """Its room, where that is not the one in which it is pointed at."""
    where: str | None = None
    """Where people find it, in a room of many: what the room is called, and a link."""


@dataclass(frozen=True, slots=True)
class Said:
    """Words and files. `message` is the platform's id of this message in its room."""

    text: str
    message: str
    files: tuple[Carried, ...] = ()
    reply_to: str | None = None
    quoted: Quoted | None = None
    """What it replies to, where the platform tells its words."""
    addressed: bool = True
    """False in a room of many where the desk was not spoken to."""
    album: str | None = None
    """Messages of one album belong together; they come one by one, and nothing says which is the last."""
    press: str | None = None
    """The platform's id of a command that is answered where it was given, for its giver alone."""
    mentions: tuple[tuple[str, Identity], ...] = ()
    """Whose accounts are named, each by the words that stand for it in the text."""
    where: str | None = None
    """Where people find it, in a room of many: what the room is called, and a link."""


@dataclass(frozen=True, slots=True)
class Reacted:
    """An emoji put under a message."""

    emoji: str
    message: str
    quoted: Quoted | None = None


@dataclass(frozen=True, slots=True)
class Trouble:
    """Something about a room that whoever runs the desk should know.

    `kind`: removed (the desk was put out of it), returned (it is there again),
    rights (it may not do its work there any more),
    moved (the platform gave the room another id; the desk follows),
    shut_out (the messenger does not let the desk work as it should; `room` says why)."""

    kind: str
    room: str


@dataclass(frozen=True, slots=True)
class Edited:
    """The new words of a message said before."""

    text: str
    message: str


@dataclass(frozen=True, slots=True)
class Deleted:
    """A message said before is gone from where it was said."""

    message: str


@dataclass(frozen=True, slots=True)
class Pressed:
    """A button of one of our messages, by its code."""

    code: str
    message: str | None = None
    press: str | None = None
    """The platform's id of this press, where it wants an answer."""


@dataclass(frozen=True, slots=True)
class Submitted:
    """A form that was filled in; values by field name, already strings."""

    code: str
    values: tuple[tuple[str, str], ...]
    press: str | None = None
    """The platform's id of this submission, where the form stays open until it is answered."""


@dataclass(frozen=True, slots=True)
class Opened:
    """The desk's own page in the messenger was opened; where that is, stands in the event's address."""


What = Said | Edited | Deleted | Pressed | Submitted | Reacted | Trouble | Opened


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing somebody did. `private` is true in a conversation of this person and the desk alone."""

    sender: Sender
    where: Address
    at: datetime
    what: What
    private: bool
