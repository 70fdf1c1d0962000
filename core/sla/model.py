"""Targets and clocks: what is promised for which tickets, and how far a promise has run."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.kernel.ids import TicketId
from core.sla.calendars import Calendar, Pause
from core.tickets.catalogue import Priority
from core.tickets.model import Ticket

ALWAYS = Calendar("always")


class Target(StrEnum):
    FIRST = "first"
    """The first reply after the ticket was opened."""
    NEXT = "next"
    """Every further reply, after the requester wrote again."""
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True)
class Promise:
    """So much time, counted on a calendar."""

    length: timedelta
    calendar: Calendar = ALWAYS


@dataclass(frozen=True, slots=True)
class Rule:
    """What is promised for tickets of these priorities, queues and types; none named: for all of them."""

    promises: Mapping[Target, Promise]
    priorities: tuple[Priority, ...] = ()
    queues: tuple[str, ...] = ()
    types: tuple[str, ...] = ()

    def covers(self, ticket: Ticket) -> bool:
        return (
            (not self.priorities or ticket.priority in self.priorities)
            and (not self.queues or ticket.queue in self.queues)
            and (not self.types or ticket.type in self.types)
        )


@dataclass(frozen=True, slots=True)
class Promises:
    """All rules; for each target the first that covers a ticket and tells of the target counts."""

    rules: tuple[Rule, ...]

    def calendar(self, name: str) -> Calendar:
        """The calendar of this name; around the clock for one that the configuration has dropped."""
        told = (promise.calendar for rule in self.rules for promise in rule.promises.values())
        return next((each for each in told if each.name == name), ALWAYS)

    def of(self, ticket: Ticket, target: Target) -> Promise:
        """Raises LookupError where no rule promises anything; the last rule should cover every ticket."""
        for rule in self.rules:
            if target in rule.promises and rule.covers(ticket):
                return rule.promises[target]
        raise LookupError(f"nothing is promised for #{ticket.id}: {target}")


@dataclass(frozen=True, slots=True)
class Clock:
    """One promise as it runs: since when, when it stood still, and until when it was kept."""

    ticket: TicketId
    target: Target
    started_at: datetime
    promise: Promise
    pauses: tuple[Pause, ...] = field(default=())
    met_at: datetime | None = None

    @property
    def due_at(self) -> datetime:
        """While paused: as if it went on at the instant it was paused."""
        return self.promise.calendar.due(self.started_at, self.promise.length, self.pauses)

    def left_at(self, left: timedelta) -> datetime:
        """When so much of the time is left, or would be; below zero: when it is over by so much."""
        length = max(self.promise.length - left, timedelta(0))
        return self.promise.calendar.due(self.started_at, length, self.pauses)

    @property
    def warn_at(self) -> datetime:
        """When three quarters of the time are gone."""
        return self.left_at(self.promise.length / 4)

    @property
    def paused_at(self) -> datetime | None:
        return self.pauses[-1][0] if self.pauses and self.pauses[-1][1] is None else None

    def paused(self, now: datetime) -> "Clock":
        return self if self.paused_at else replace(self, pauses=(*self.pauses, (now, None)))

    def resumed(self, now: datetime) -> "Clock":
        if self.paused_at is None:
            return self
        *before, (since, _) = self.pauses
        return replace(self, pauses=(*before, (since, now)) if now > since else tuple(before))

    def met(self, now: datetime) -> "Clock":
        return self.resumed(now) if self.met_at else replace(self.resumed(now), met_at=now)

    @property
    def running(self) -> bool:
        return self.met_at is None and self.paused_at is None
