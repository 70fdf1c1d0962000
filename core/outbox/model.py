"""A parcel to deliver, and a post: something that was delivered and can be edited or taken back."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from core.kernel.ids import MessageId, ParcelId, PersonId, TicketId


class State(StrEnum):
    PENDING = "pending"
    SENDING = "sending"
    UNCERTAIN = "uncertain"
    """It may have arrived although no answer came; it is tried again with the same nonce."""
    SENT = "sent"
    DEAD = "dead"
    DROPPED = "dropped"
    """Not needed any more before it was sent."""


UNSENT = ParcelId(0)
ANSWER, NOTICE, BULK = 0, 1, 2
"""What goes first where a messenger lets only so much through: whoever speaks now is answered first."""
WAITING = (State.PENDING, State.UNCERTAIN)
PING = "ping"
"""The kind of parcel that asks somebody to act now."""
ON_DUTY = "on_duty"
"""The kind of parcel that tells somebody to be on call from now on."""
WAKING = frozenset({PING, ON_DUTY})
"""What nobody's quiet hours hold back."""
LEASE = timedelta(seconds=60)
TRIES = 12
LONGEST = timedelta(seconds=300)
"""The longest pause between two tries, unless the platform asks for a longer one."""


@dataclass(frozen=True, slots=True)
class Parcel:
    """Something to show. `kind` says how to word it and `facts` about what.

    It goes to `room`, or where `person` reads; a `person` with a `room` is the reader there. With `thread`
    it goes below the ticket's card in that room. One `slot` is one message: showing it again edits it.
    `only` keeps it from everybody else in the room. `retract` takes the slot's message back.
    """

    kind: str
    facts: Mapping[str, Any] = field(default_factory=dict)
    room: str | None = None
    person: PersonId | None = None
    ticket: TicketId | None = None
    message: MessageId | None = None
    thread: bool = False
    slot: str | None = None
    only: str | None = None
    retract: bool = False
    urgency: int = NOTICE
    id: ParcelId = UNSENT
    attempts: int = 0
    fence: int = 0
    uncertain: bool = False
    taken_from: str = ""
    """The lane it waited in, once it is in somebody's hands."""

    @property
    def lane(self) -> str:
        """What shares one order of delivery. The answer to a press waits for nothing."""
        if press := self.facts.get("press"):
            return f"press:{press}"
        place = self.room or f"person:{self.person}"
        if self.kind in WAKING and self.room is None:
            return f"{place}|{PING}"  # it waits for nothing that quiet hours hold back
        below = self.thread or self.kind == "card"
        return f"{place}|{self.ticket}" if below and self.ticket else place


@dataclass(frozen=True, slots=True)
class Head:
    """The first waiting parcel of a lane, as much as is needed to choose among them."""

    id: int
    lane: str
    kind: str
    room: str | None
    person: PersonId | None
    slot: str | None
    urgency: int
    state: str
    fence: int
    due_at: datetime
    ours: bool = False
    """Whether it is in the hands of whoever asks, who has lost sight of it: nobody else can send it."""

    @property
    def share(self) -> str:
        """What is sent by one process alone: all that goes to a room, or to a person wherever they read; what
        answers a press."""
        if self.lane.startswith("press:"):
            return self.lane
        return self.room.partition("#")[0] if self.room else f"person:{self.person}"


@dataclass(frozen=True, slots=True)
class Shown:
    """Where a parcel was shown: the conversation, the message's id there, further parts, its own thread."""

    address: str
    remote: str
    parts: tuple[str, ...] = ()
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """Where a delivered parcel stands: in `room` (with its thread), by the platform's message ids."""

    id: int
    address: str
    remote: str
    parts: tuple[str, ...]
    thread: str | None
    slot: str | None
    ticket: TicketId | None
    message: MessageId | None
    at: datetime


def pause(attempts: int) -> timedelta:
    """How long to wait after the n-th failure, unless the platform said it itself."""
    return min(timedelta(seconds=0.5 * 2 ** min(attempts - 1, 20)), LONGEST)
