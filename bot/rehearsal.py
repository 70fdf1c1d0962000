"""What a policy would do, before it has to: told as a list, and proved for every hour of a week."""

from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime, timedelta

from bot.adapters.port import Finding
from bot.flows import phrases
from bot.message import At, Fact, Plain, Several, Span, Text, Words
from core.database.transaction import Transaction
from core.escalation.model import Policies, Policy
from core.escalation.rehearsal import Happening, imagined, rehearse
from core.kernel.ids import PersonId
from core.people import store as people
from core.people.model import Members
from core.tickets.catalogue import Catalogue, Priority

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
HOURS = 7 * 24


async def told(
    tx: Transaction, policy: Policy, priority: Priority, queue: str, kind: str, at: datetime
) -> AsyncIterator[Text]:
    """What would happen to such a ticket opened at that instant, one sentence for each thing."""
    facts: dict[str, Fact] = {
        "priority": phrases.priority(priority),
        "queue": Plain(queue),
        "type": Plain(kind),
        "policy": Plain(policy.name),
    }
    yield _line(at, Words("simulate.opened", facts))
    async for each in rehearse(tx, policy, imagined(priority, queue, kind, at)):
        yield _line(each.at, _what(each))
    yield Words("simulate.end")


def _line(at: datetime, what: Text) -> Text:
    return Several((At(at), what), "  ")


def _what(told: Happening) -> Text:
    facts: dict[str, Fact] = {"step": told.place + 1, "time": told.time + 1, "times": told.step.times}
    step = Words("simulate.step_again" if told.step.times > 1 else "simulate.step", facts)
    parts: list[Text] = []
    if told.step.level is not None:
        parts.append(Words("simulate.level", {"level": str(told.level)}))
    if told.step.release:
        parts.append(Words("simulate.release"))
    if told.step.whom:
        names = Several(tuple(Plain(each.name) for each in told.targets), ", ")
        asks = Words("simulate.asks", {"names": names}) if told.targets else Words("simulate.nobody")
        parts.append(asks)
    return Several((step, Plain(" "), Several(tuple(parts), "; "), Plain(".")), "")


async def proof(tx: Transaction, platforms: Collection[str]) -> AsyncIterator[Finding]:
    """For each policy and queue: whether a ticket opened at any hour of the coming week reaches a person."""
    staff = await people.staff(tx)
    if {person.name for person in staff} != tx.rule(Members).staff:
        yield Finding(None, Words("doctor.policy_unknown"))
        return
    reached = {person.id for person in staff if await _reachable(tx, person.id, platforms)}
    for policy in tx.rule(Policies).all:
        for queue in policy.queues or tuple(tx.rule(Catalogue).queues):
            yield await _of(tx, policy, queue, reached)


async def _reachable(tx: Transaction, person: PersonId, platforms: Collection[str]) -> bool:
    """Whether they have an account in a messenger that the desk is connected to."""
    return any(each.platform in platforms for each in await people.identities_of(tx, person))


async def _of(tx: Transaction, policy: Policy, queue: str, reached: Collection[PersonId]) -> Finding:
    opened = [tx.now + hour * HOUR for hour in range(HOURS)]
    waits = [await _wait(tx, policy, queue, at, reached) for at in opened]
    facts: dict[str, Fact] = {"policy": Plain(policy.name), "queue": Plain(queue)}
    silent = [at for at, wait in zip(opened, waits, strict=True) if wait is None]
    if silent:
        return Finding(False, Words("doctor.policy_silent", {**facts, "at": At(silent[0])}, len(silent)))
    longest = max(wait for wait in waits if wait is not None)
    return Finding(True, Words("doctor.policy", {**facts, "span": Span(longest)}))


async def _wait(
    tx: Transaction, policy: Policy, queue: str, at: datetime, reached: Collection[PersonId]
) -> timedelta | None:
    """How long a ticket that is opened then waits for the first person who is asked; None: for ever."""
    kinds = [kind.name for kind in tx.rule(Catalogue).types.values() if kind.queue == queue]
    kind = next(iter(kinds), tx.rule(Catalogue).last.name)
    async for told in rehearse(tx, policy, imagined(policy.priorities[0], queue, kind, at)):
        if any(each.person in reached for each in told.targets):
            return told.at - at
    return None


def chosen(
    policies: Policies, catalogue: Catalogue, policy: str | None, words: str
) -> tuple[Policy, Priority, str, str]:
    """The policy and the ticket that is meant by words like "critical network".

    Raises ValueError that says what is valid."""
    priority, queue, kind = Priority.NORMAL, "", ""
    for word in words.split():
        if word in tuple(Priority):
            priority = Priority(word)
        elif word in catalogue.queues:
            queue = word
        elif word in catalogue.types:
            kind = word
        else:
            raise ValueError(f"{word!r} is no priority, queue or request type. {_valid(catalogue)}")
    kind = kind or next((name for name, each in catalogue.types.items() if each.queue == queue), "")
    kind = kind or catalogue.last.name
    queue = queue or catalogue.types[kind].queue
    found = next((each for each in policies.all if each.name == policy), None)
    if policy is not None and found is None:
        known = ", ".join(each.name for each in policies.all) or "none"
        raise ValueError(f"there is no policy {policy!r}. Valid: {known}")
    found = found or policies.of(imagined(priority, queue, kind, EPOCH))
    if found is None:
        raise ValueError(f"no policy covers tickets of priority {priority} in the queue {queue}")
    return found, priority, queue, kind


def _valid(catalogue: Catalogue) -> str:
    return (
        f"Priorities: {', '.join(Priority)}; queues: {', '.join(catalogue.queues)}; "
        f"request types: {', '.join(catalogue.types)}"
    )
