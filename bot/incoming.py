"""What people do, free of any messenger: they say, press, fill in forms, react and edit."""

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


@dataclass(frozen=True, slots=True)
class Said:
    """Words and files. `message` is the platform's id of this message in its room."""

    text: str
    message: str
    files: tuple[Carried, ...] = ()
    reply_to: str | None = None
    album: str | None = None
    """Messages of one album belong together; they come one by one, and nothing says which is the last."""


@dataclass(frozen=True, slots=True)
class Reacted:
    """An emoji put under a message."""

    emoji: str
    message: str


@dataclass(frozen=True, slots=True)
class Edited:
    """The new words of a message said before."""

    text: str
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


@dataclass(frozen=True, slots=True)
class Incoming:
    """One thing somebody did. `private` is true in a conversation of this person and the desk alone."""

    sender: Sender
    where: Address
    at: datetime
    what: Said | Edited | Pressed | Submitted | Reacted
    private: bool
