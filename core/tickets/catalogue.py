"""What the desk offers: queues, request types and their questions, as the configuration gives them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

Title = Mapping[str, str]
"""A text by language; never empty."""


class Priority(StrEnum):
    CRITICAL = "critical"
    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


class Impact(StrEnum):
    """For how many it is felt: everybody, several people, one person."""

    HIGH = "high"
    NORMAL = "normal"
    LOW = "low"


Matrix = Mapping[Priority, Mapping[Impact, Priority]]
"""The priority by urgency and impact."""


def _ladder() -> Matrix:
    """A high impact makes it one higher, a low one one lower."""
    steps = list(Priority)

    def step(place: int) -> Priority:
        return steps[min(max(place, 0), len(steps) - 1)]

    return {
        urgency: {impact: step(place + apart) for apart, impact in enumerate(Impact, start=-1)}
        for place, urgency in enumerate(Priority)
    }


LADDER = _ladder()


class Level(StrEnum):
    L1 = "L1"
    L2 = "L2"
    L3 = "L3"


@dataclass(frozen=True, slots=True)
class Question:
    """Something a request type asks. A choice offers `options`; other words are an answer too."""

    name: str
    text: Title
    options: tuple[Title, ...] = ()
    optional: bool = False
    impacts: tuple[Impact, ...] = ()
    """What each option says about who is affected, where it is that which is asked."""


@dataclass(frozen=True, slots=True)
class RequestType:
    """What is asked for. `keywords` (casefolded beginnings of words) let the desk guess it from the text."""

    name: str
    title: Title
    queue: str
    questions: tuple[Question, ...] = ()
    urgency: Priority | None = None
    """Set: nobody is asked how urgent it is."""
    keywords: tuple[str, ...] = ()
    impact: Impact = Impact.NORMAL


@dataclass(frozen=True, slots=True)
class Queue:
    """A team's tickets. `spaces` are the rooms (`slack:T1/C2`) where agents see them."""

    name: str
    title: Title
    spaces: tuple[str, ...]
    language: str
    plain_reply: bool = False
    """Plain text in a staff thread reaches the requester; otherwise it is a note."""


@dataclass(frozen=True, slots=True)
class Emergencies:
    """Whether requesters may raise one: at any hour, or only while nobody is there to answer."""

    enabled: bool = False
    always: bool = False


@dataclass(frozen=True, slots=True)
class Catalogue:
    """Everything the desk offers, and how long a ticket waits for what."""

    queues: Mapping[str, Queue]
    types: Mapping[str, RequestType]
    close_after: timedelta = timedelta(days=3)
    """A resolved ticket nobody objects to is closed after so long."""
    reopen_for: timedelta = timedelta(days=14)
    """A closed ticket can be reopened for so long."""
    rating_every: timedelta = timedelta(days=7)
    """Nobody is asked for a rating more often."""
    flood_after: int = 20
    """More messages from one person in a minute are shown to staff as one line."""
    undo_for: timedelta = timedelta(seconds=10)
    emergencies: Emergencies = field(default_factory=Emergencies)
    matrix: Matrix = field(default_factory=lambda: LADDER)
    by_space: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The queues each space shows."""

    def queue(self, name: str) -> Queue:
        """The queue of this name; the first one for a name the configuration has dropped."""
        return self.queues.get(name) or next(iter(self.queues.values()))

    @property
    def last(self) -> RequestType:
        """The type for what fits no other: the last of the configuration."""
        return list(self.types.values())[-1]

    def guess(self, text: str) -> RequestType | None:
        """The request type whose keywords the text has most of; None if it has none."""
        words = text.casefold().replace("ё", "е").replace("-", " ").split()
        cleaned = [word.strip(".,:;!?\"'()«»") for word in words[:2000]]
        scores = {
            kind.name: sum(word.startswith(kind.keywords) for word in cleaned) for kind in self.types.values()
        }
        best = max(scores, key=lambda name: scores[name], default=None)
        return self.types[best] if best is not None and scores[best] else None
