"""What happens to a ticket's clocks: they follow its status, its priority and who spoke last."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from core.database.transaction import Transaction
from core.kernel.events import Event
from core.sla import store
from core.sla.model import Clock, Promises, Target
from core.tickets import store as tickets
from core.tickets.model import Status, Ticket, history, standing

Clocks = dict[Target, Clock]

_PAUSED = (Status.WAITING, Status.ON_HOLD)
_DONE = (Status.RESOLVED, Status.CLOSED)


async def follow(tx: Transaction, ticket: Ticket) -> None:
    """Bring the clocks into line with the ticket as it stands after an event."""
    before = await store.of_ticket(tx, ticket.id)
    await _keep(tx, before, after(tx.rule(Promises), tx.now, ticket, before))


async def recount(tx: Transaction, ticket: Ticket) -> None:
    """A reply was taken back: the clocks go on as if it had never been sent."""
    timeline = await tickets.timeline(tx, ticket.id)
    before = await store.of_ticket(tx, ticket.id)
    await _keep(tx, before, counted(tx.rule(Promises), tx.now, ticket, timeline))


async def renew(tx: Transaction, ticket: Ticket) -> bool:
    """The rules are others: what is not met yet is counted by them from its beginning; what is met stays as
    it was. Whether a due time has changed."""
    promises, due_before = tx.rule(Promises), await store.due_times(tx, ticket.id)
    clocks = await store.of_ticket(tx, ticket.id)
    open_still = (clock for clock in clocks.values() if clock.met_at is None)
    changed = False
    for clock in (replace(each, promise=promises.of(ticket, each.target)) for each in open_still):
        due_at, warn_at = due_before[clock.target]
        if clock != clocks[clock.target] or (clock.due_at, clock.warn_at) != (due_at, warn_at):
            await store.change(tx, clock)
            changed = changed or (clock.due_at, clock.warn_at) != (due_at, warn_at)
    return changed


async def _keep(tx: Transaction, before: Clocks, after: Clocks) -> None:
    for target in before.keys() - after.keys():
        await store.remove(tx, before[target])
    for target, clock in after.items():
        if target not in before:
            await store.add(tx, clock)
        elif before[target] != clock:
            await store.change(tx, clock)


def counted(promises: Promises, now: datetime, ticket: Ticket, timeline: Sequence[Event]) -> Clocks:
    """The clocks as the whole timeline makes them, but for replies that were taken back."""
    clocks = Clocks()
    for event, state in history(standing(timeline)):
        clocks = after(promises, event.at, state, clocks)
    return after(promises, now, ticket, clocks)


def after(promises: Promises, now: datetime, ticket: Ticket, before: Clocks) -> Clocks:
    """The clocks of a ticket right after an event, which has left it so."""

    def start(target: Target) -> Clock:
        return Clock(ticket.id, target, now, promises.of(ticket, target))

    clocks = before or {target: start(target) for target in (Target.RESOLUTION, Target.FIRST)}
    clocks = {**clocks, Target.FIRST: _answered(now, ticket, clocks[Target.FIRST], first=True)}
    if clocks[Target.FIRST].met_at is not None:
        awaiting = clocks.get(Target.NEXT)
        if ticket.unanswered_since and (awaiting is None or awaiting.met_at):
            awaiting = start(Target.NEXT)
        if awaiting is not None:
            clocks[Target.NEXT] = _answered(now, ticket, awaiting, first=False)
    clocks[Target.RESOLUTION] = _resolution(now, ticket, clocks[Target.RESOLUTION])
    return {
        target: clock if clock.met_at else replace(clock, promise=promises.of(ticket, target))
        for target, clock in clocks.items()
    }


def _answered(now: datetime, ticket: Ticket, clock: Clock, *, first: bool) -> Clock:
    if clock.met_at is not None:  # for good, also when the ticket is reopened before there was any answer
        return clock
    answered = ticket.replied_at is not None if first else ticket.unanswered_since is None
    if answered or ticket.status in _DONE:
        return clock.met(now)
    return clock.paused(now) if ticket.status in _PAUSED else clock.resumed(now)


def _resolution(now: datetime, ticket: Ticket, clock: Clock) -> Clock:
    if ticket.status in _DONE:
        return clock if clock.met_at else clock.met(now)
    if clock.met_at is not None:  # reopened: the time it lay resolved does not count
        clock = replace(clock, met_at=None, pauses=(*clock.pauses, (clock.met_at, None)))
    return clock.paused(now) if ticket.status in _PAUSED else clock.resumed(now)
