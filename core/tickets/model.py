"""A ticket, its legal moves as a table, and how its state follows from its events."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any

from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import MessageId, PersonId, TicketId
from core.tickets.catalogue import Level, Priority


class Status(StrEnum):
    """Named by whose turn it is."""

    NEW = "new"
    OPEN = "open"
    WAITING = "waiting"
    ON_HOLD = "on_hold"
    RESOLVED = "resolved"
    CLOSED = "closed"


ACTIVE = (Status.NEW, Status.OPEN, Status.WAITING, Status.ON_HOLD)
"""Work is not done yet."""
UNCLOSED = (*ACTIVE, Status.RESOLVED)

N, O, W, H, R, C = Status  # the table reads better so  # noqa: E741

MOVES: Mapping[str, Mapping[Status, Status]] = {
    "claimed": {N: O, O: O, W: W, H: H},
    "released": {O: N, W: W, H: H},
    "passed": {N: O, O: O, W: W, H: H},
    "said": {N: N, O: O, W: O, H: H, R: O},
    "thanked": {N: N, O: O, W: W, H: H, R: R, C: C},
    "replied": {N: O, O: O, W: W, H: H, R: R},
    "noted": {N: N, O: O, W: W, H: H, R: R, C: C},
    "waited": {O: W, H: W, W: W},
    "held": {N: H, O: H, W: H, H: H},
    "resumed": {W: O, H: O},
    "resolved": {N: R, O: R, W: R, H: R},
    "confirmed": {R: C},
    "reopened": {R: O, C: O},
    "closed": {R: C},
    "prioritised": {N: N, O: O, W: W, H: H, R: R},
    "emergency": {N: N, O: O, W: O, H: O},
    "levelled": {N: N, O: O, W: W, H: H, R: R},
    "progressed": {O: O, W: W, H: H},
    "merged": {N: C, O: C, W: C, H: C, R: C},
    "unmerged": {C: O},
}
"""What may happen in which status, and the status that follows. Other events move nothing; one that takes a
reply back brings back the status that the reply had changed."""


COLLEAGUE, WATCHER = "colleague", "watcher"
"""As what somebody joins a ticket: beside its requester, or of the staff, looking on."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What the requester answered to a question of the type; `option` is the option's place, if one."""

    question: str
    text: str
    option: int | None = None


@dataclass(frozen=True, slots=True)
class Ticket:
    """One request from start to end. Instants are UTC."""

    id: TicketId
    title: str
    type: str
    queue: str
    status: Status
    priority: Priority
    level: Level
    requester: PersonId
    owner: PersonId | None
    home: str
    """The requester's conversation."""
    origin: TicketId | None
    """The closed ticket this one goes on from."""
    answers: tuple[Answer, ...]
    created_at: datetime
    changed_at: datetime
    replied_at: datetime | None = None
    """The first reply."""
    unanswered_since: datetime | None = None
    """Since when the requester waits for an answer."""
    unclaimed_since: datetime | None = None
    progress_at: datetime | None = None
    """When the desk last did anything about it."""
    hold_until: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    resolution: str | None = None
    revision: int = 0
    merged_into: TicketId | None = None
    """The ticket it goes on as."""
    related: tuple[TicketId, ...] = ()


SENT_ON = "~sent"
"""Ends the `remote` of a reply that sent the words of an earlier message on."""
BY_COMMAND = "~command"
"""Ends the `remote` of words that were typed after a command: the desk shows them again, by themselves."""


@dataclass(frozen=True, slots=True)
class Said:
    """A message of a ticket: the requester's words, an agent's reply, or a note for staff alone."""

    id: MessageId
    ticket: TicketId
    kind: str
    """`request`, `reply` or `note`."""
    author: PersonId | None
    via: str
    text: str
    at: datetime
    room: str | None = None
    remote: str | None = None
    edited_at: datetime | None = None
    withdrawn_at: datetime | None = None
    files: tuple[str, ...] = field(default=())
    flood: str | None = None
    """The flood it came in, which staff see as one line."""
    answers: MessageId | None = None
    """The message of the same ticket that it answers."""

    @property
    def read_in(self) -> str | None:
        """The room in whose thread of the ticket everybody has read it as it was said."""
        return None if (self.remote or "").endswith((SENT_ON, BY_COMMAND)) else self.room


_OF_A_MERGED_ONE = ("noted", "unmerged")


def question_slot(ticket: Ticket) -> str:
    """Names the message that asks the requester whether this resolution holds."""
    return f"fixed:{ticket.id}:{ticket.resolved_at.isoformat() if ticket.resolved_at else ''}"


def check(ticket: Ticket, kind: str) -> None:
    """Raises UserError, saying in which status the ticket is, when this may not happen now."""
    moves = MOVES.get(kind)
    if moves is not None and ticket.merged_into is not None and kind not in _OF_A_MERGED_ONE:
        raise UserError("ticket.merged", ticket=ticket.id, into=ticket.merged_into)
    if moves is not None and ticket.status not in moves:
        raise UserError(f"ticket.not_when_{ticket.status}", ticket=ticket.id)


def opened(event: Event) -> Ticket:
    """The ticket that an `opened` event makes."""
    facts = event.facts
    return Ticket(
        id=event.ticket,
        title=facts["title"],
        type=facts["type"],
        queue=facts["queue"],
        status=Status.NEW,
        priority=Priority(facts["priority"]),
        level=Level.L1,
        requester=PersonId(facts["requester"]),
        owner=None,
        home=facts["home"],
        origin=facts.get("origin"),
        answers=tuple(Answer(**answer) for answer in facts["answers"]),
        created_at=event.at,
        changed_at=event.at,
        unanswered_since=event.at,
        unclaimed_since=event.at,
        progress_at=event.at,
    )


_PROGRESS = frozenset(
    {
        "claimed", "released", "passed", "replied", "noted", "waited", "held", "resumed", "resolved",
        "reopened", "prioritised", "requeued", "levelled", "progressed", "unmerged",
    }
)  # fmt: skip
_BY_ITSELF = frozenset({"prioritised", "requeued", "levelled"})
"""What is no progress where the desk does it by itself."""


def is_progress(event: Event) -> bool:
    """Whether the desk has done something about the ticket."""
    return event.kind in _PROGRESS and (event.actor is not None or event.kind not in _BY_ITSELF)


def evolve(ticket: Ticket, event: Event) -> Ticket:
    """The ticket after the event. Pure: the state of a ticket is the fold of its timeline."""
    status = MOVES.get(event.kind, {}).get(ticket.status, ticket.status)
    changes = {"status": status, **_changes(ticket, event)}
    moved = replace(ticket, changed_at=event.at, revision=ticket.revision + 1, **changes)
    if moved.owner is None and moved.status is Status.OPEN:
        moved = replace(moved, status=Status.NEW)
    return replace(moved, **_consequences(ticket, moved, event))


def _changes(ticket: Ticket, event: Event) -> dict[str, Any]:
    match event.kind:
        case "claimed" | "passed" | "inherited":
            return {"owner": PersonId(event.facts["owner"])}
        case "released":
            return {"owner": None}
        case "replied":
            return {"replied_at": ticket.replied_at or event.at, "unanswered_since": None}
        case "said":
            return {"unanswered_since": ticket.unanswered_since or event.at}
        case "held":
            return {"hold_until": _instant(event.facts.get("until"))}
        case "prioritised" | "calmed":
            return {"priority": Priority(event.facts["priority"])}
        case "emergency":
            waits = ticket.unanswered_since or event.at
            return {"priority": Priority(event.facts["priority"]), "unanswered_since": waits}
        case "requeued":
            return {"queue": event.facts["queue"]}
        case "levelled":
            return {"level": Level(event.facts["level"])}
        case "resolved":
            return {"resolved_at": event.at, "resolution": event.facts.get("text") or None}
        case "reopened":
            return {"unanswered_since": event.at}
        case "rehomed" | "parted":
            return {"home": event.facts["home"]}
        case "adopted":
            return {"requester": PersonId(event.facts["requester"])}
        case "merged":
            return {"merged_into": TicketId(event.facts["into"])}
        case "unmerged":
            return {"merged_into": None, "unanswered_since": event.at}
        case "related":
            return {"related": tuple(sorted({*ticket.related, TicketId(event.facts["ticket"])}))}
        case "unrelated":
            return {"related": tuple(each for each in ticket.related if each != event.facts["ticket"])}
        case "withdrawn" if "status" in event.facts:
            restored = {name: _instant(event.facts[name]) for name in _RESTORED}
            return {"status": Status(event.facts["status"]), **restored}
    return {}


_RESTORED = ("replied_at", "unanswered_since", "hold_until")


def _instant(told: str | None) -> datetime | None:
    return datetime.fromisoformat(told) if told else None


def _consequences(before: Ticket, after: Ticket, event: Event) -> dict[str, Any]:
    changed: dict[str, Any] = {"progress_at": event.at} if is_progress(event) else {}
    if after.status is not Status.ON_HOLD:
        changed["hold_until"] = None
    if after.status in ACTIVE:
        changed |= {"resolved_at": None, "closed_at": None}
    if after.status in (Status.RESOLVED, Status.CLOSED):
        changed["unanswered_since"] = None
    if after.status is Status.CLOSED and before.status is not Status.CLOSED:
        changed["closed_at"] = event.at
    unclaimed = after.owner is None and after.status in ACTIVE
    changed["unclaimed_since"] = (before.unclaimed_since or event.at) if unclaimed else None
    return changed


def history(events: Iterable[Event]) -> Iterator[tuple[Event, Ticket]]:
    """Each event of a whole timeline, with the ticket after it."""
    timeline = iter(events)
    first = next(timeline)
    ticket = opened(first)
    yield first, ticket
    for event in timeline:
        ticket = evolve(ticket, event)
        yield event, ticket


def fold(events: Iterable[Event]) -> Ticket:
    """The ticket whose timeline this is, from its first event on."""
    *_, (_, ticket) = history(events)
    return ticket


def standing(timeline: Sequence[Event]) -> list[Event]:
    """The timeline as if replies that were taken back had never been sent, nor waited for an answer."""
    undone = {event.facts["message"] for event in timeline if event.kind == "withdrawn"}
    return [
        event
        for event in timeline
        if event.kind not in ("replied", "waited", "withdrawn") or event.facts.get("message") not in undone
    ]


def restoring(timeline: Sequence[Event], message: MessageId) -> dict[str, Any]:
    """The facts of a `withdrawn` event: the reply, and what is so again without it."""
    last = timeline[-1]
    facts: dict[str, Any] = {"message": message}
    left = fold(standing([*timeline, replace(last, kind="withdrawn", facts=facts)]))
    instants = {name: getattr(left, name) for name in _RESTORED}
    told = {name: instant.isoformat() if instant else None for name, instant in instants.items()}
    return {**facts, "status": left.status, **told}
