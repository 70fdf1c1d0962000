"""A conversation in progress."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.kernel.ids import DialogId, PersonId


@dataclass(frozen=True, slots=True)
class Dialog:
    """A person in a flow, at a step, with what was gathered so far.

    `revision` grows with each step, so that a button of an older step can be told apart."""

    id: DialogId
    room: str
    person: PersonId
    flow: str
    step: str
    draft: Mapping[str, Any]
    revision: int
    slot: str | None = None
    """The message that shows its question; None: the one it began with."""
