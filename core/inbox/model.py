"""A raw event and where it stands."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any


class State(StrEnum):
    NEW = "new"
    DONE = "done"
    DEAD = "dead"


@dataclass(frozen=True, slots=True)
class Event:
    """An event as a platform told it; `key` tells repeats apart, `lane` keeps the order."""

    key: str
    lane: str
    body: Mapping[str, Any]
    message: str | None = None
    """The room and the message it tells of, where a later event may point at that."""


@dataclass(frozen=True, slots=True)
class Letter:
    """An event in the inbox."""

    id: int
    platform: str
    account: str
    lane: str
    body: Mapping[str, Any]
    attempts: int
    received_at: datetime
    more: bool = False
    """Others wait behind it."""


@dataclass(frozen=True, slots=True)
class Waiting:
    """A conversation whose oldest event is due since then; `ours` if this process has begun with it."""

    lane: str
    since: datetime
    ours: bool = False


TRIES = 4
"""After so many failures an event is parked and its conversation goes on."""
LONGEST = timedelta(seconds=30)
"""The longest pause between two tries."""


def pause(attempts: int) -> timedelta:
    """How long an event waits after its n-th failure."""
    return min(timedelta(seconds=0.25 * 4 ** min(attempts - 1, 10)), LONGEST)
