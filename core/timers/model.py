"""A timer: at `due_at`, the desk does what `kind` says about a ticket."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from core.kernel.ids import TicketId, TimerId

LEASE = timedelta(seconds=30)
"""How long a claimed timer is left to its claimer."""


@dataclass(frozen=True, slots=True)
class Timer:
    """One timer; `fence` grows with every claim, so that a late claimer can be told apart."""

    id: TimerId
    kind: str
    ticket: TicketId
    key: str
    due_at: datetime
    facts: Mapping[str, Any] = field(default_factory=dict)
    fence: int = 0
