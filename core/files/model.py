"""A file kept by the desk."""

from dataclasses import dataclass
from datetime import datetime

from core.kernel.ids import FileId, MessageId, PersonId, TicketId


class FileGone(LookupError, FileNotFoundError):
    """The bytes of a file are nowhere any more."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Bytes that are safely on disk."""

    file_id: FileId
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class File:
    """A file, by whom it was given and to which message of a ticket it belongs, once it does."""

    id: FileId
    name: str
    mime: str
    size: int
    sha256: str
    owner: PersonId
    ticket: TicketId | None
    message: MessageId | None
    at: datetime
