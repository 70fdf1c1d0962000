"""What one ticket must have, worked out apart from the code that sets it, and what is found instead."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.escalation.model import Ping
from core.kernel.ids import TicketId
from core.sla.model import Clock, Promises, Target
from core.tickets.model import Status, Ticket

TIMER, CLOCK, PING, OVERDUE, DUTY = "timers", "clocks", "pings", "overdue", "duty"
"""What a finding is about. `overdue`: a timer that should long have fired; `duty`: one that is no ticket's,
which tells who is on call."""
LIMIT = timedelta(minutes=2)
"""So late a timer may fire, and so long a ping may wait to be sent, before it is a finding."""

_DONE = (Status.RESOLVED, Status.CLOSED)
_STANDING = (Status.WAITING, Status.ON_HOLD)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it must be, on one ticket."""

    about: str
    ticket: TicketId
    what: str
    """In one or two words for the log: the kind of timer, the promise, what became of the ping."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A clock with the instants that stand beside it in its row, by which the desk looks for it."""

    clock: Clock
    paused_at: datetime | None
    due_at: datetime
    warn_at: datetime


@dataclass(frozen=True, slots=True)
class LostPing:
    """A ping without an answer that stands nowhere. `state` is that of its newest parcel, if there is any."""

    ping: Ping
    parcel: int | None
    state: str | None


@dataclass(frozen=True, slots=True)
class Known:
    """Everything the tables hold about one ticket that bears on what must happen to it, and when."""

    ticket: Ticket
    timers: tuple[tuple[str, str, datetime], ...]
    """Kind, key and when."""
    clocks: Mapping[Target, Kept]
    quiet_until: datetime | None
    steps: Mapping[str, datetime]
    """By key, when the steps of its policy are due that are still to come."""
    lost: tuple[LostPing, ...] = ()

    def timers_of(self, kind: str) -> list[tuple[str, datetime]]:
        return [(key, due_at) for of_kind, key, due_at in self.timers if of_kind == kind]


@dataclass(frozen=True, slots=True)
class Kinds:
    """The names of the timers, which belong to whoever acts on them."""

    step: str
    quiet_over: str
    close: str
    hold_over: str
    due: str


def findings(
    known: Known, kinds: Kinds, promises: Promises, close_after: timedelta, now: datetime
) -> Iterator[Finding]:
    """Everything that is wrong with the ticket."""
    number = known.ticket.id
    for kind in _wrong_timers(known, kinds, close_after, now):
        yield Finding(TIMER, number, kind)
    for target in _wrong_clocks(known, promises):
        yield Finding(CLOCK, number, target)
    for lost in known.lost:
        yield Finding(PING, number, lost.state or "no parcel")


# ---- timers


def _wrong_timers(known: Known, kinds: Kinds, close_after: timedelta, now: datetime) -> Iterator[str]:
    ticket = known.ticket
    exact = (
        (kinds.step, known.steps),
        (kinds.quiet_over, {"": known.quiet_until} if known.quiet_until else {}),
        (kinds.hold_over, {"": ticket.hold_until} if ticket.hold_until else {}),
    )
    for kind, wanted in exact:
        if Counter(known.timers_of(kind)) != Counter(wanted.items()):
            yield kind
    if not _closes_rightly(ticket, [at for _, at in known.timers_of(kinds.close)], close_after):
        yield kinds.close
    if not _falls_due_rightly(known, [at for _, at in known.timers_of(kinds.due)], now):
        yield kinds.due


def _closes_rightly(ticket: Ticket, closing: list[datetime], close_after: timedelta) -> bool:
    """A resolved ticket is closed `close_after` the last thing that moved it."""
    if ticket.status is not Status.RESOLVED or ticket.resolved_at is None:
        return not closing
    earliest, latest = ticket.resolved_at + close_after, ticket.changed_at + close_after
    return len(closing) == 1 and earliest <= closing[0] <= latest


def _falls_due_rightly(known: Known, set_for: list[datetime], now: datetime) -> bool:
    """The next running promise has a timer; one that has just fallen due may have its own still."""
    running = [kept.due_at for kept in known.clocks.values() if _runs(kept)]
    coming = min((due_at for due_at in running if due_at > now), default=None)
    if not set_for:
        return coming is None
    [first, *others] = set_for
    return not others and first in running and (first <= now or first == coming)


def _runs(kept: Kept) -> bool:
    return kept.clock.met_at is None and kept.paused_at is None


# ---- clocks


def _wrong_clocks(known: Known, promises: Promises) -> Iterator[Target]:
    for target in Target:
        kept = known.clocks.get(target)
        if not (_fits(known, target, kept) and (kept is None or _adds_up(known.ticket, kept, promises))):
            yield target


def _fits(known: Known, target: Target, kept: Kept | None) -> bool:
    """Whether the promise runs, stands still or is over, as the ticket's state demands."""
    ticket, first = known.ticket, known.clocks.get(Target.FIRST)
    done = ticket.status in _DONE
    match target:
        case Target.RESOLUTION:
            wanted, may_be_met = True, done
            must_be_met = done
        case Target.FIRST:
            wanted, must_be_met, may_be_met = True, done or ticket.replied_at is not None, True
        case Target.NEXT:
            wanted = bool(ticket.unanswered_since and first and first.clock.met_at) and not done
            must_be_met = may_be_met = not wanted
    if kept is None:
        return not wanted
    if kept.clock.met_at is not None:
        return may_be_met and kept.paused_at is None
    return not must_be_met and (kept.paused_at is not None) == (ticket.status in _STANDING)


def _adds_up(ticket: Ticket, kept: Kept, promises: Promises) -> bool:
    """Whether the row's instants follow from when it began, how long it stood, and what is promised now."""
    clock = kept.clock
    if kept.paused_at != clock.paused_at or clock.started_at < ticket.created_at:
        return False
    if clock.met_at is not None:
        return True
    promise = promises.of(ticket, clock.target)
    same = (promise.length, promise.calendar.name) == (clock.promise.length, clock.promise.calendar.name)
    return same and (kept.due_at, kept.warn_at) == (clock.due_at, clock.warn_at)
