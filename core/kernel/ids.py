"""Names of things: small typed ids, identities of people and addresses of conversations."""

import re
import secrets
from dataclasses import dataclass
from typing import NewType

PersonId = NewType("PersonId", int)
TicketId = NewType("TicketId", int)
MessageId = NewType("MessageId", int)
FileId = NewType("FileId", str)
DialogId = NewType("DialogId", int)
ParcelId = NewType("ParcelId", int)
PingId = NewType("PingId", int)
TimerId = NewType("TimerId", int)

_IDENTITY = re.compile(r"[a-z][a-z0-9]*:[^\s:][^\s]*")


@dataclass(frozen=True, slots=True)
class Identity:
    """One account of a person in one messenger, by the platform's immutable id: `telegram:123`."""

    platform: str
    account: str

    def __str__(self) -> str:
        return f"{self.platform}:{self.account}"

    @classmethod
    def parse(cls, text: str) -> "Identity":
        """Read `platform:account`; raises ValueError that says what is valid."""
        if not _IDENTITY.fullmatch(text):
            raise ValueError(f"{text!r} is not platform:account, for example web:anna or telegram:123")
        platform, account = text.split(":", 1)
        return cls(platform, account)


@dataclass(frozen=True, slots=True)
class Address:
    """A conversation: a room of a messenger, or one thread in it. Written `web:desk` or `web:desk#7`."""

    platform: str
    room: str
    thread: str | None = None

    def __str__(self) -> str:
        return f"{self.platform}:{self.room}" + (f"#{self.thread}" if self.thread else "")

    @property
    def space(self) -> "Address":
        """The room itself, without the thread."""
        return Address(self.platform, self.room)

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read what `str` wrote; raises ValueError that says what is valid."""
        if not _IDENTITY.fullmatch(text):
            raise ValueError(f"{text!r} is not platform:room, for example web:desk or telegram:-100123")
        platform, rest = text.split(":", 1)
        room, _, thread = rest.partition("#")
        return cls(platform, room, thread or None)


def new_token(bits: int = 128) -> str:
    """An unguessable word for URLs and cookies."""
    return secrets.token_urlsafe(bits // 8)
