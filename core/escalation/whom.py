"""Whom a step asks, at the instant it is due."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.database.transaction import Transaction
from core.escalation import model, store
from core.escalation.model import Step
from core.kernel.ids import PersonId
from core.oncall import queries as oncall
from core.people import store as people
from core.people.model import Person, Role
from core.people.reach import Ways
from core.tickets.catalogue import Catalogue, Level
from core.tickets.model import Ticket


@dataclass(frozen=True, slots=True)
class Target:
    """A person or a room, with the name to say."""

    name: str
    person: PersonId | None = None
    room: str | None = None


async def targets(
    tx: Transaction,
    ticket: Ticket,
    step: Step,
    base_at: datetime,
    at: datetime | None = None,
    asked_before: Sequence[PersonId | None] | None = None,
) -> list[Target]:
    """Whom this step of the ticket's policy asks, now or at that instant; nobody only if the desk has no
    staff at all. `asked_before`: who was asked since `base_at`, where that is not what has happened.

    Who is on call is asked at any hour. Of all others those who are away, or whose quiet hours it is, are
    not: then it is the next of the agents, else the leads, and the team's spaces while everybody wants to be
    left alone."""
    if step.whom == model.SPACE:
        return _spaces(tx, ticket)
    if program := _program(step.whom):
        return [Target(program, room=f"{model.WEBHOOK}:{program}")]
    at = at or tx.now
    if asked_before is None:
        pinged = await store.of_ticket(tx, ticket.id)
        asked_before = [ping.person for ping in pinged if ping.base_at >= base_at]
    if on_duty := await _on_call(tx, ticket, step.whom, at):
        return _all(on_duty)
    staff = await people.staff(tx)
    asked = await _asked(tx, ticket, step, asked_before, staff, at)
    if not asked:
        return []
    if awake := await _ready(tx, asked, at):
        return _all(awake)
    serving = [person for person in await _ready(tx, staff, at) if person.serves(ticket.queue)]
    agents = [person for person in serving if Role.AGENT in person.roles]
    return _all(_next(agents, asked_before) or serving) or _spaces(tx, ticket)


async def urgently(tx: Transaction, ticket: Ticket, *, otherwise: bool = False) -> list[Target]:
    """Who is called where it cannot wait: those on call; `otherwise`, or where nobody is, the leads."""
    called = [] if otherwise else await oncall.on_call(tx, ticket.queue, ticket.level)
    serving = [person for person in await people.staff(tx) if person.serves(ticket.queue)]
    leads = [person for person in serving if person.leads(ticket.queue)]
    return _all(called or leads or serving)


def _program(whom: str) -> str:
    kind, _, name = whom.partition(" ")
    return name if kind == model.WEBHOOK else ""


async def _on_call(tx: Transaction, ticket: Ticket, whom: str, at: datetime) -> list[Person]:
    """Who is on call for the level that is named, or else for the ticket's."""
    kind, _, level = whom.partition(" ")
    if kind != model.ON_CALL:
        return []
    return await oncall.on_call(tx, ticket.queue, Level(level) if level else ticket.level, at)


def _spaces(tx: Transaction, ticket: Ticket) -> list[Target]:
    return [Target(space, room=space) for space in tx.rule(Catalogue).queue(ticket.queue).spaces]


async def _ready(tx: Transaction, persons: Iterable[Person], at: datetime) -> list[Person]:
    """Those of them who are not away, and whom quiet hours do not keep from being asked then."""
    wall, away = tx.rule(Ways).local(at), await oncall.away(tx, at)
    return [each for each in persons if each.id not in away and each.reach.quiet_until(wall) is None]


async def _asked(
    tx: Transaction,
    ticket: Ticket,
    step: Step,
    asked_before: Sequence[PersonId | None],
    staff: list[Person],
    at: datetime,
) -> list[Person]:
    """Whom the step names, whatever the hour."""
    serving = [person for person in staff if person.serves(ticket.queue)]
    leads = [person for person in serving if person.leads(ticket.queue)]
    match step.whom:
        case model.LEAD:
            return leads or serving
        case model.OWNER if ticket.owner in {person.id for person in serving}:
            return [person for person in serving if person.id == ticket.owner]
    named = [person for person in staff if person.name == step.whom]
    if named:
        return named
    team = await _team(tx, ticket, step.whom, serving)
    return _next(await _ready(tx, team, at) or team, asked_before)


async def _team(tx: Transaction, ticket: Ticket, whom: str, serving: list[Person]) -> list[Person]:
    """Those who work at the level that is named, or else at the ticket's; all agents where that says nothing.

    Nobody where the step names somebody who does not work here any more."""
    kind, _, told = whom.partition(" ")
    level = told if kind == model.ON_CALL else whom
    if level not in tuple(Level) and whom not in (model.AGENTS, model.OWNER, model.ON_CALL):
        return []
    at_level = await oncall.at_level(
        tx, ticket.queue, Level(level) if level in tuple(Level) else ticket.level
    )
    return at_level or [person for person in serving if Role.AGENT in person.roles] or serving


def _next(agents: Sequence[Person], asked_before: Sequence[PersonId | None]) -> list[Person]:
    """The agent asked least, in the order of the configuration."""
    return [min(agents, key=lambda person: asked_before.count(person.id))] if agents else []


def _all(persons: Iterable[Person]) -> list[Target]:
    return [Target(person.name, person=person.id) for person in persons]
