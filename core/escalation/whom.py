"""Whom a step asks, at the instant it is due."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from core.database.transaction import Transaction
from core.escalation import model, store
from core.escalation.model import Step
from core.kernel.ids import PersonId
from core.people import store as people
from core.people.model import Person, Role
from core.people.reach import Ways
from core.tickets.catalogue import Catalogue
from core.tickets.model import Ticket


@dataclass(frozen=True, slots=True)
class Target:
    """A person or a room, with the name to say."""

    name: str
    person: PersonId | None = None
    room: str | None = None


async def targets(tx: Transaction, ticket: Ticket, step: Step, base_at: datetime) -> list[Target]:
    """Whom this step of the ticket's policy asks; nobody only if the desk has no staff at all.

    Whose quiet hours it is are not asked: then it is the next of the agents, else the leads, and the team's
    spaces while everybody wants to be left alone."""
    if step.whom == model.SPACE:
        return _spaces(tx, ticket)
    staff = await people.staff(tx)
    asked = await _asked(tx, ticket, step, base_at, staff)
    if not asked:
        return []
    if awake := _awake(tx, asked):
        return _all(awake)
    serving = [person for person in _awake(tx, staff) if person.serves(ticket.queue)]
    agents = [person for person in serving if Role.AGENT in person.roles]
    return _all(await _next(tx, ticket, agents, base_at) or serving) or _spaces(tx, ticket)


def _spaces(tx: Transaction, ticket: Ticket) -> list[Target]:
    return [Target(space, room=space) for space in tx.rule(Catalogue).queue(ticket.queue).spaces]


def _awake(tx: Transaction, persons: Iterable[Person]) -> list[Person]:
    """Those of them whom quiet hours do not keep from being asked now."""
    now = tx.rule(Ways).local(tx.now)
    return [person for person in persons if person.reach.quiet_until(now) is None]


async def _asked(
    tx: Transaction, ticket: Ticket, step: Step, base_at: datetime, staff: list[Person]
) -> list[Person]:
    """Whom the step names, whatever the hour."""
    serving = [person for person in staff if person.serves(ticket.queue)]
    leads = [person for person in serving if person.leads(ticket.queue)]
    agents = [person for person in serving if Role.AGENT in person.roles] or serving
    match step.whom:
        case model.LEAD:
            return leads or serving
        case model.OWNER if ticket.owner in {person.id for person in serving}:
            return [person for person in serving if person.id == ticket.owner]
        case model.AGENTS | model.OWNER:
            return await _next(tx, ticket, _awake(tx, agents) or agents, base_at)
        case name:
            return [person for person in staff if person.name == name]


async def _next(tx: Transaction, ticket: Ticket, agents: list[Person], base_at: datetime) -> list[Person]:
    """The agent asked least since `base_at`, in the order of the configuration."""
    if not agents:
        return []
    pinged = [ping for ping in await store.of_ticket(tx, ticket.id) if ping.base_at >= base_at]
    asked = [ping.person for ping in pinged]
    return [min(agents, key=lambda person: asked.count(person.id))]


def _all(persons: Iterable[Person]) -> list[Target]:
    return [Target(person.name, person=person.id) for person in persons]
