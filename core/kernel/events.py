"""What has happened, in the past tense: the timeline of a ticket is made of these."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from core.kernel.ids import PersonId, TicketId


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened to a ticket: who did it (None: the desk), when, through which messenger.

    `facts` are plain JSON values, enough to fold the ticket's state from its events alone."""

    ticket: TicketId
    kind: str
    at: datetime
    actor: PersonId | None
    via: str
    facts: Mapping[str, Any] = field(default_factory=dict)
