"""Targets and clocks. For now every clock runs around the clock, every day."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from core.kernel.ids import TicketId
from core.tickets.catalogue import Priority


class Target(StrEnum):
    FIRST = "first"
    """The first reply after the ticket was opened."""
    NEXT = "next"
    """Every further reply, after the requester wrote again."""
    RESOLUTION = "resolution"


@dataclass(frozen=True, slots=True)
class Promises:
    """How long each target takes at most, by priority."""

    lengths: Mapping[Priority, Mapping[Target, timedelta]]

    def length(self, priority: Priority, target: Target) -> timedelta:
        return self.lengths[priority][target]


@dataclass(frozen=True, slots=True)
class Clock:
    """One running promise. It is due when `length` has passed since the start, pauses left out."""

    ticket: TicketId
    target: Target
    started_at: datetime
    length: timedelta
    paused_for: timedelta = timedelta(0)
    paused_at: datetime | None = None
    met_at: datetime | None = None

    @property
    def due_at(self) -> datetime:
        """While paused: as if it went on at the instant it was paused."""
        return self.started_at + self.length + self.paused_for

    def paused(self, now: datetime) -> "Clock":
        return self if self.paused_at else replace(self, paused_at=now)

    def resumed(self, now: datetime) -> "Clock":
        if self.paused_at is None:
            return self
        longer = self.paused_for + max(now - self.paused_at, timedelta(0))
        return replace(self, paused_at=None, paused_for=longer)

    def met(self, now: datetime) -> "Clock":
        return self.resumed(now) if self.met_at else replace(self.resumed(now), met_at=now)

    @property
    def running(self) -> bool:
        return self.met_at is None and self.paused_at is None
