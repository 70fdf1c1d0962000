"""Why a ticket has its priority: urgency × impact by the matrix, one higher for a VIP, or somebody's word."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from core.database.transaction import Transaction
from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import PersonId
from core.people.model import Actor, Right
from core.tickets import store
from core.tickets.catalogue import Catalogue, Impact, Priority, RequestType
from core.tickets.doors import needs, record
from core.tickets.model import Answer, Ticket


@dataclass(frozen=True, slots=True)
class Weight:
    """How urgent it is, and for how many."""

    urgency: Priority
    impact: Impact


def weight(kind: RequestType, urgency: Priority | None, answers: Sequence[Answer] = ()) -> Weight:
    """What is known of a request of this type. The type's own urgency goes before the one that was told; an
    answer about who is affected can raise the type's impact and not lower it."""
    asked = {question.name: question for question in kind.questions}
    told = [
        asked[answer.question].impacts[answer.option]
        for answer in answers
        if answer.option is not None
        and answer.question in asked
        and answer.option < len(asked[answer.question].impacts)
    ]
    highest = min((kind.impact, *told), key=list(Impact).index)
    return Weight(kind.urgency or urgency or Priority.NORMAL, highest)


def weigh(catalogue: Catalogue, of: Weight, *, vip: bool) -> Priority:
    """What the matrix says, one higher for a VIP and never above critical."""
    ladder, said = list(Priority), catalogue.matrix[of.urgency][of.impact]
    return ladder[max(ladder.index(said) - 1, 0)] if vip else said


def facts(catalogue: Catalogue, given: Priority | Weight, *, vip: bool) -> dict[str, Any]:
    """What an `opened` event tells of the priority: with its reasons, where it was weighed."""
    if isinstance(given, Priority):
        return {"priority": given}
    found = {"priority": weigh(catalogue, given, vip=vip), "urgency": given.urgency, "impact": given.impact}
    return {**found, **({"vip": True} if vip else {})}


@dataclass(frozen=True, slots=True)
class Reasons:
    """Why a ticket has its priority now. `how`: `given` as it was reported, `weighed` by the matrix,
    `affected` so anew after somebody said for how many it is, `set` by hand, or an `emergency`."""

    weight: Weight
    vip: bool = False
    how: str = "given"
    by: PersonId | None = None
    text: str = ""
    before: "Reasons | None" = None
    """What counted until the emergency."""


def reasons(timeline: Iterable[Event]) -> Reasons:
    """What the priority follows from after these events, of which the first opens the ticket."""
    first, *rest = timeline
    found = _opened(first)
    for event in rest:
        found = _after(found, event)
    return found


def _opened(event: Event) -> Reasons:
    told = event.facts
    if "urgency" not in told:
        return Reasons(Weight(Priority(told["priority"]), Impact.NORMAL))
    return Reasons(
        Weight(Priority(told["urgency"]), Impact(told["impact"])), bool(told.get("vip")), "weighed"
    )


def _after(found: Reasons, event: Event) -> Reasons:
    """Whoever sets the priority by hand says how urgent it is, whatever it was weighed by before."""
    told = event.facts
    match event.kind:
        case "prioritised" if "impact" in told:
            again = replace(found.weight, impact=Impact(told["impact"]))
            return replace(found, weight=again, how="affected", by=event.actor, text=told.get("text", ""))
        case "prioritised":
            by_hand = Weight(Priority(told["priority"]), Impact.NORMAL)
            return Reasons(by_hand, how="set", by=event.actor, text=told.get("text", ""))
        case "emergency":
            most = Weight(Priority.CRITICAL, Impact.NORMAL)
            return Reasons(most, how="emergency", by=event.actor, before=found)
        case "calmed" if found.before is not None:
            return found.before
    return found


@needs(Right.WORK)
async def affect(tx: Transaction, actor: Actor, ticket: Ticket, impact: Impact, reason: str = "") -> Ticket:
    """It is felt so widely: the matrix says the priority anew, and the reason is kept.

    Raises UserError where that changes nothing."""
    known = reasons(await store.timeline(tx, ticket.id))
    priority = weigh(tx.rule(Catalogue), replace(known.weight, impact=impact), vip=known.vip)
    if priority is ticket.priority:
        raise UserError("impact.same", ticket=ticket.id)
    told = {"priority": priority, "before": ticket.priority, "text": reason, "impact": impact}
    return await record(tx, actor, ticket, "prioritised", told)
