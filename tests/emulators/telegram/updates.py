"""The bot's queue of updates: numbered, kept until confirmed or too old."""

import itertools
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.emulators.telegram.times import Times

WEEK = 7 * 86400
FIRST = 100_000_001
DEFAULT_OFF = {"chat_member", "message_reaction", "message_reaction_count"}
"""Bot API: getUpdates. What is told only when `allowed_updates` lists it."""


@dataclass(frozen=True)
class Update:
    id: int
    kind: str
    payload: dict[str, Any]
    lane: str
    expires_at: float

    def json(self) -> dict[str, Any]:
        return {"update_id": self.id, self.kind: self.payload}


class Updates:
    """`pending` is what the bot has not confirmed, `told` everything that was ever put here, `offset` the
    last one it confirmed up to."""

    def __init__(self, times: Times, seed: int = 0) -> None:
        self._times = times
        self._random = random.Random(seed)
        self._next = FIRST
        self._latest = times.now()
        self._waiting: dict[int, Update] = {}
        self._lanes: dict[str, dict[int, Update]] = {}
        self._soonest = float("inf")
        self._handed: set[int] = set()
        self.told: list[Update] = []
        self.expired: list[Update] = []
        self.offset = 0
        self.allowed: set[str] | None = None
        self.on_push: Callable[[Update], None] = lambda update: None

    @property
    def pending(self) -> list[Update]:
        self._expire()
        return list(self._waiting.values())

    @property
    def lanes(self) -> list[str]:
        return list(self._lanes)

    def allow(self, kinds: list[str] | None) -> None:
        """Bot API: allowed_updates. Not given: as before. Empty: all but the three that must be asked for. It
        does not touch updates from before the call."""
        if kinds is not None:
            self.allowed = {kind.lower() for kind in kinds} or None

    def wants(self, kind: str) -> bool:
        return kind not in DEFAULT_OFF if self.allowed is None else kind in self.allowed

    def push(self, kind: str, payload: dict[str, Any], lane: str, lives_for: float) -> Update | None:
        """The Bot API server: an update of a kind nobody asked for is dropped, not kept for later."""
        now = self._times.now()
        if not self.wants(kind) or lives_for <= 0:
            return None
        if now - self._latest > WEEK:
            self.reset_ids()
        self._latest = now
        update = Update(self._next, kind, payload, lane, now + lives_for)
        self._next += 1
        self._waiting[update.id] = update
        self._lanes.setdefault(lane, {})[update.id] = update
        self._soonest = min(self._soonest, update.expires_at)
        self.told.append(update)
        self.on_push(update)
        return update

    def reset_ids(self, to: int | None = None) -> None:
        """Bot API: Update. After a week without updates the next identifier is random: it may be lower."""
        self._expire()
        unseen = [update for update in self._waiting.values() if update.id not in self._handed]
        assert not unseen, f"these would be lost: {unseen}"
        self.clear()
        self._next = to if to is not None else self._random.randint(1, 2**30)

    def take(self, offset: int, limit: int) -> list[Update]:
        """Bot API: getUpdates. An offset forgets all updates before it for good, a negative one all but the
        last so many; one beyond the queue's end is no confirmation (TDLib: TQueue), the queue is told from
        its head."""
        if offset < 0:
            self._forget(list(self._waiting)[:offset])
        elif 0 < offset <= self._next:
            self.offset = offset
            self._forget([number for number in self._waiting if number < offset])
        self._expire()
        batch = list(itertools.islice(self._waiting.values(), limit))
        self._handed.update(update.id for update in batch)
        return batch

    def _forget(self, numbers: list[int]) -> None:
        for number in numbers:
            self.drop(self._waiting[number])

    def drop(self, update: Update) -> None:
        self._handed.discard(update.id)
        if self._waiting.pop(update.id, None) is None:
            return
        lane = self._lanes[update.lane]
        del lane[update.id]
        if not lane:
            del self._lanes[update.lane]

    def clear(self) -> None:
        """Bot API: drop_pending_updates."""
        self._forget(list(self._waiting))

    def front(self, lane: str) -> Update | None:
        """The first update of a lane: what a webhook is told next."""
        self._expire()
        return next(iter(self._lanes.get(lane, {}).values()), None)

    def _expire(self) -> None:
        now = self._times.now()
        if now < self._soonest:
            return
        for update in [one for one in self._waiting.values() if one.expires_at <= now]:
            self.expired.append(update)
            self.drop(update)
        self._soonest = min((one.expires_at for one in self._waiting.values()), default=float("inf"))
