"""Persons, their roles and rights, and the actor on whose behalf something is done."""

from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from core.kernel.ids import Identity, PersonId
from core.people.reach import ANYWHERE, Reach


class Role(StrEnum):
    REQUESTER = "requester"
    AGENT = "agent"
    LEAD = "lead"
    ADMIN = "admin"


STAFF = frozenset({Role.AGENT, Role.LEAD, Role.ADMIN})


@dataclass(frozen=True, slots=True)
class Person:
    """A human. `queues` are the teams they serve (agents and leads); admins serve all."""

    id: PersonId
    name: str
    language: str
    roles: frozenset[Role]
    queues: tuple[str, ...] = ()
    rank: int = 0
    """The place in the configuration: who is asked first."""
    reach: Reach = ANYWHERE
    """Where and when they want to be reached."""
    language_chosen: bool = False
    """They said themselves in which language they are spoken to."""
    vip: bool = False
    """What they report, or is reported for them, is one priority higher."""

    @property
    def staff(self) -> bool:
        return bool(self.roles & STAFF)

    def serves(self, queue: str) -> bool:
        """Whether this person works in the queue."""
        return Role.ADMIN in self.roles or (self.staff and queue in self.queues)

    def leads(self, queue: str) -> bool:
        """Whether this person leads the queue."""
        return Role.ADMIN in self.roles or (Role.LEAD in self.roles and queue in self.queues)


@dataclass(frozen=True, slots=True)
class Member:
    """A person the configuration names."""

    name: str
    identities: tuple[Identity, ...]
    roles: frozenset[Role]
    queues: tuple[str, ...]
    language: str
    vip: bool = False


@dataclass(frozen=True, slots=True)
class Members:
    """Everybody the configuration names, in its order."""

    all: tuple[Member, ...] = field(default=())

    @property
    def staff(self) -> frozenset[str]:
        """The names of those who work here."""
        return frozenset(member.name for member in self.all if member.roles & STAFF)

    def names(self, identity: Identity) -> bool:
        """Whether the configuration says whose account this is."""
        return any(identity in member.identities for member in self.all)


@dataclass(frozen=True, slots=True)
class Code:
    """A one-time code that was made for an account and shown in `room`, where it stands until it is used or
    over. By itself only its hash is kept."""

    identity: Identity
    room: str
    seed: str
    hash: str
    over_at: datetime
    written_by: Identity | None = None
    """The account that wrote it and is asked whether that was meant."""


@dataclass(frozen=True, slots=True)
class Actor:
    """Who does something and through which messenger; `person` is None for the desk itself."""

    person: Person | None
    via: str

    @property
    def person_id(self) -> PersonId | None:
        return self.person.id if self.person else None


DESK = Actor(None, "desk")
"""The desk acting by itself: timers, automatic steps."""


class Right(StrEnum):
    """What may be done to a ticket."""

    SEE = "see"
    SPEAK = "speak"
    JUDGE = "judge"
    """Confirm, reopen or rate as the requester."""
    INVITE = "invite"
    """Say who else belongs to it."""
    WORK = "work"
    """Everything an agent does: take, reply, note, change, resolve."""


def may(
    actor: Actor, right: Right, *, requester: PersonId, queue: str, company: Collection[PersonId] = ()
) -> bool:
    """The one place that decides who may do what to a ticket of this requester in this queue.

    `company`: the requester's colleagues, who see it and speak, and judge nothing."""
    person = actor.person
    if person is None:
        return True
    own = person.id == requester
    if right is Right.WORK:
        return person.serves(queue)
    if right is Right.SEE or right is Right.SPEAK:
        return own or person.id in company or person.serves(queue)
    if right is Right.INVITE:
        return own or person.serves(queue)
    return own
