"""The promise of an adapter: what the desk may ask of a messenger, and what it may rely on.

An adapter translates and connects; it decides nothing. Receiving: it commits each raw event through the
`Door` before it acknowledges it to the platform. Sending: it shows one message and tells what became of it.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Protocol

from aiohttp.web import RouteDef

from bot.incoming import Carried, Incoming
from bot.message import Message, Text
from core.database.transaction import Transaction
from core.kernel.ids import Address, Identity

Here = Callable[[str], Awaitable[Path]]
"""Brings the bytes of a file of ours to this machine's disk and says where they lie. Raises LookupError for a
file whose bytes are gone, TemporaryError, and OSError."""


@dataclass(frozen=True, slots=True)
class Features:
    """What a messenger can show, as data. Sizes of text are in UTF-16 units."""

    text_limit: int = 4000
    buttons: int = 100
    buttons_in_row: int = 8
    label_limit: int = 64
    forms: bool = False
    edits: bool = True
    deletes: bool = True
    file_limit: int = 50_000_000
    """Bytes of the largest file it takes from us."""
    pace_overall: timedelta = timedelta(0)
    """The least time between any two messages."""
    acknowledges: bool = False
    """Every press wants an answer, be it an empty one."""
    whispers: bool = True
    """Something can be shown to one person alone in a room of others."""
    threads: bool = False
    """In a private conversation every request is a thread of its own."""
    replies: bool = False
    """A message can be shown as the answer to another one of its room."""
    finds: bool = False
    """What may have been posted is found again by its nonce, so that it is never shown twice."""


@dataclass(frozen=True, slots=True)
class Raw:
    """One event as the platform told it. `key` is unique per platform and account: the same event told
    twice has the same key. `lane` names the conversation whose order must hold."""

    key: str
    lane: str
    body: Mapping[str, Any]
    message: str | None = None
    """The room and id of the message it tells of, so that a later event can point at it."""


class Office(Protocol):
    """Something that one process at a time does for all that serve the same desk."""

    @property
    def ours(self) -> bool:
        """Whether this is the process that does it."""
        ...

    async def wait(self) -> None:
        """Returns as soon as it is."""
        ...

    async def check(self, tx: Transaction) -> None:
        """Raises NotOurs where another one does it by now, so that nothing of the transaction holds."""
        ...


class Always:
    """The office of whoever is the only process."""

    ours = True

    async def wait(self) -> None: ...

    async def check(self, tx: Transaction) -> None: ...


ALWAYS: Office = Always()


class Door(Protocol):
    """The way in."""

    async def accept(
        self, platform: str, account: str, events: Sequence[Raw], *, office: Office = ALWAYS
    ) -> int:
        """Commit the events to the inbox; returns how many were new. Only then may they be acknowledged.

        Raises TemporaryError when the database cannot take them, and NotOurs where they are brought by way of
        an `office` that is another process's: do not acknowledge."""
        ...


@dataclass(frozen=True, slots=True)
class Reader:
    """For whose eyes a message is worded."""

    language: str
    time_zone: str
    only: Identity | None = None
    """Shown to this person alone, though the room has others."""
    press: str | None = None
    """The press this answers, by the platform's id; an empty message only acknowledges it."""


@dataclass(frozen=True, slots=True)
class Posted:
    """Where the message stands now: its id in the room, the first where it took several."""

    message: str
    parts: tuple[str, ...] = ()
    thread: str | None = None
    """Its thread, where that is not named by the message itself."""


@dataclass(frozen=True, slots=True)
class Health:
    """One line for /readyz: `ok`, and otherwise in plain words what is wrong."""

    ok: bool
    detail: str = ""
    note: str = ""
    """What is missing though everything gets through."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `deskbridge doctor`: found right, or what to do."""

    ok: bool | None
    """None where nobody could look."""
    text: Text


class Unlearned(Exception):
    """Reading an event takes something that the platform has not been asked for yet: a name, the words
    that an emoji was put under. `Adapter.learn` asks."""


class Adapter(Protocol):
    """One messenger. Each sending method raises TemporaryError (try again), PermanentError (do not)."""

    platform: str
    features: Features

    async def run(self, door: Door) -> None:
        """Receive until cancelled. Never returns by itself while the messenger can be heard."""
        ...

    def read(self, body: Mapping[str, Any]) -> Incoming | None:
        """What the raw event means; None for one that is of no concern to a help desk.

        Raises ValueError or KeyError for a body that is not of the platform's form, and Unlearned where
        `learn` must be called first."""
        ...

    async def learn(self, body: Mapping[str, Any]) -> None:
        """Ask the platform for what reading this event takes; then it can be read. Raises TemporaryError."""
        ...

    async def post(
        self, to: Address, message: Message, reader: Reader, nonce: str, *, again: bool = False
    ) -> Posted:
        """Show a new message. `nonce` is the same on every try of the same message; `again`: an earlier try
        may stand there, though no answer said so.

        Where it takes a thread that had to be made, nothing stands in that yet: `Posted.message` is empty,
        and the same is to be posted there once the thread is written down."""
        ...

    async def edit(self, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        """Replace a message shown before; equal content is not an error."""
        ...

    async def delete(self, to: Address, posted: Posted) -> None:
        """Take a message back; one that is already gone is not an error."""
        ...

    def fetch(self, carried: Carried) -> AsyncIterator[bytes]:
        """The bytes of a file that came along."""
        ...

    async def typing(self, to: Address) -> None:
        """Show, if the messenger can, that the desk is at work; never raises."""
        ...

    def gap(self, to: Address, *, edit: bool = False) -> timedelta:
        """The least time between two messages in this room; `edit`: before one is edited."""
        ...

    def direct(self, identity: Identity) -> Address | None:
        """The conversation of this person with the desk alone, if it can be named beforehand."""
        ...

    def routes(self) -> Sequence[RouteDef]:
        """What the messenger brings to our web server, if it does."""
        ...

    def health(self) -> Health: ...
