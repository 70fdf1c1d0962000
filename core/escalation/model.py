"""Policies and the chain of a ticket; when each step is due is a pure function of both."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from core.kernel.ids import PersonId, PingId, TicketId
from core.sla.calendars import Calendar
from core.sla.model import ALWAYS, Clock, Target
from core.tickets.catalogue import Level, Priority
from core.tickets.model import Status, Ticket


class Of(StrEnum):
    """What a step's time is counted from."""

    UNCLAIMED = "unclaimed"
    UNANSWERED = "unanswered"
    UNRESOLVED = "unresolved"
    NO_PROGRESS = "no_progress"
    """It has an owner, and nobody of the desk has done anything about it."""
    FIRST = "first_response"
    NEXT = "next_response"
    RESOLUTION = "resolution"
    """These three: a promise falls due."""


PROMISED: Mapping[Of, Target] = {
    Of.FIRST: Target.FIRST,
    Of.NEXT: Target.NEXT,
    Of.RESOLUTION: Target.RESOLUTION,
}
AGENTS, OWNER, LEAD, SPACE, ON_CALL = "agents", "owner", "lead", "space", "on-call"
"""Whom a step asks. "on-call L2" is whoever is on call for that level, "L2" who works at it, "webhook x" a
program; any other word is a person's name."""
WEBHOOK = "webhook"
SEVERAL_WITHIN = timedelta(seconds=10)
"""What one person is asked within so long is one message."""
EMERGENCY = "emergency"
"""The policy of pings that no policy asked for: the requester says that it cannot wait."""


@dataclass(frozen=True, slots=True)
class Step:
    """After `after` of `of`, ask `whom`; `times` times in all, `repeat` apart.

    `after` is below zero where it is so long before a promise falls due. A step with a `level` hands the
    ticket over to it, one with `release` makes it nobody's; both may ask nobody."""

    after: timedelta
    of: Of
    whom: str = ""
    repeat: timedelta | None = None
    times: int = 1
    via: str | None = None
    """Through which messenger, where whoever is asked has an account there."""
    level: Level | None = None
    release: bool = False

    def raised(self, level: Level) -> Level:
        """The level that a ticket of this level is at after the step: never a lower one."""
        levels = list(Level)
        return max(level, self.level or level, key=levels.index)


@dataclass(frozen=True, slots=True)
class Policy:
    """The steps for tickets of these priorities in these queues (none named: in all)."""

    name: str
    priorities: tuple[Priority, ...]
    queues: tuple[str, ...]
    steps: tuple[Step, ...]
    calendar: Calendar = ALWAYS
    """On which the time of its steps is counted, but for those that wait for a promise: it has its own."""

    def covers(self, ticket: Ticket) -> bool:
        return ticket.priority in self.priorities and (not self.queues or ticket.queue in self.queues)


@dataclass(frozen=True, slots=True)
class Policies:
    """All policies; the first that covers a ticket counts. And how long an answer keeps it quiet."""

    all: tuple[Policy, ...]
    promise_for: timedelta = timedelta(minutes=15)
    snooze_for: timedelta = timedelta(minutes=30)

    def of(self, ticket: Ticket) -> Policy | None:
        return next((policy for policy in self.all if policy.covers(ticket)), None)

    def step_of(self, ping: "Ping") -> Step | None:
        """The step that asked, if the configuration still has it."""
        policy = next((each for each in self.all if each.name == ping.policy), None)
        return policy.steps[ping.step] if policy is not None and ping.step < len(policy.steps) else None


@dataclass(frozen=True, slots=True)
class Chain:
    """Where a ticket's escalation stands: counted anew from `started_at`, silent until `quiet_until`."""

    ticket: TicketId
    started_at: datetime | None = None
    quiet_until: datetime | None = None
    quiet_by: PersonId | None = None
    quiet_kind: str | None = None
    """`promised` or `snoozed`."""


@dataclass(frozen=True, slots=True)
class Ping:
    """One person (or space) asked to act, once; `answer` says what became of it, in one word."""

    id: PingId
    ticket: TicketId
    policy: str
    step: int
    time: int
    base_at: datetime
    due_at: datetime
    person: PersonId | None
    room: str | None
    sent_at: datetime
    answer: str | None = None
    answered_by: PersonId | None = None
    answered_at: datetime | None = None
    answered_via: str | None = None
    together: PingId | None = None
    """The first of those that were asked in one message with it."""

    @property
    def by_program(self) -> bool:
        """Whether a program is asked, not a person."""
        return (self.room or "").startswith(f"{WEBHOOK}:")

    @property
    def shown_as(self) -> str:
        """The slot of the message in which it is asked."""
        return f"ping:{self.together or self.id}"


@dataclass(frozen=True, slots=True)
class Sent:
    """How many times a step has asked, and when it did last."""

    times: int
    last: datetime | None = None


Clocks = Mapping[Target, Clock]
Due = tuple[int, int, datetime, datetime]
"""A step's place, which time it is, from when it is counted, and when it is due."""


def base(ticket: Ticket, chain: Chain, of: Of, clocks: Clocks | None = None) -> datetime | None:
    """From when a step of this kind is counted; None while it does not apply."""
    start = _since(ticket, of, clocks or {})
    if start is None or ticket.status not in (Status.NEW, Status.OPEN):
        return None
    return max(start, chain.started_at or start)


def _since(ticket: Ticket, of: Of, clocks: Clocks) -> datetime | None:
    match of:
        case Of.UNCLAIMED:
            return ticket.unclaimed_since
        case Of.UNANSWERED:
            return ticket.unanswered_since
        case Of.UNRESOLVED:
            return ticket.created_at
        case Of.NO_PROGRESS:
            return ticket.progress_at if ticket.owner is not None else None
    clock = clocks.get(PROMISED[of])
    return clock.started_at if clock is not None and clock.running else None


def plan(
    policy: Policy,
    ticket: Ticket,
    chain: Chain,
    pinged: Mapping[tuple[int, datetime], Sent],
    clocks: Clocks | None = None,
) -> list[Due]:
    """What is still to come: for each step that applies, its next time.

    `pinged` tells of the pings sent already, by step and base. What comes late is not made up for: the next
    time is as long after it as after any other."""
    if chain.quiet_until is not None:
        return []
    coming: list[Due] = []
    for place, step in enumerate(policy.steps):
        start = base(ticket, chain, step.of, clocks)
        if start is None:
            continue
        sent = pinged.get((place, start), Sent(0))
        if sent.times < step.times:
            coming.append((place, sent.times, start, _due(policy, step, start, sent, clocks or {})))
    return coming


def _due(policy: Policy, step: Step, start: datetime, sent: Sent, clocks: Clocks) -> datetime:
    repeat = step.repeat or timedelta(0)
    after = step.after + repeat * sent.times
    if step.of in PROMISED:
        clock = clocks[PROMISED[step.of]]
        calendar, due_at = clock.promise.calendar, max(clock.left_at(-after), start)
    else:
        calendar, due_at = policy.calendar, policy.calendar.after(start, after)
    return due_at if sent.last is None else max(due_at, calendar.after(sent.last, repeat))


def asking(policy: Policy, coming: Iterable[Due]) -> list[Due]:
    """Those of the steps to come that ask somebody and take the ticket from nobody, in order."""
    steps = policy.steps
    asks = (due for due in coming if steps[due[0]].whom and not steps[due[0]].release)
    return sorted(asks, key=lambda due: due[3])


def restarted(policy: Policy | None, ticket: Ticket, now: datetime) -> Chain:
    """A chain that begins anew so that its first step comes at once; what waits for a promise comes when it
    would, or at once if that is over."""
    steps = policy.steps if policy else ()
    told = [each for each in steps if each.of not in PROMISED]
    applying = [each.after for each in told if base(ticket, Chain(ticket.id), each.of) is not None]
    calendar = policy.calendar if policy else ALWAYS
    return Chain(ticket.id, started_at=calendar.ago(now, min(applying, default=timedelta(0))))
