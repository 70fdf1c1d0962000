"""Flood control: how fast a bot may write."""

import math
from dataclasses import dataclass, field

_SENDS = (
    "sendmessage sendphoto senddocument sendvoice sendvideo sendanimation sendaudio sendvideonote",
    "sendsticker sendlocation sendcontact sendmediagroup sendvenue sendpoll senddice",
    "forwardmessage copymessage",
)
SENDS = frozenset(name for row in _SENDS for name in row.split())
EDITS = frozenset({"editmessagetext", "editmessagecaption", "editmessagereplymarkup", "editmessagemedia"})


@dataclass
class Bucket:
    """So many at once, refilled evenly."""

    room: float
    per_second: float
    held: float = -1.0
    at: float = 0.0

    def wait(self, now: float, cost: float) -> float:
        """Seconds until `cost` may pass; 0 means now. Takes nothing."""
        if self.held < 0:
            self.held, self.at = self.room, now
        self.held = min(self.room, self.held + max(0.0, now - self.at) * self.per_second)
        self.at = now
        return max(0.0, (min(cost, self.room) - self.held) / self.per_second)

    def take(self, cost: float) -> None:
        self.held -= cost


@dataclass
class Rates:
    """Bots FAQ: about one message a second to one chat (short bursts pass), 20 a minute to one group, 30 a
    second in all. Edits in a group count as well; albums count each of their messages."""

    private_per_second: float = 1.0
    private_burst: float = 3.0
    group_per_minute: float = 20.0
    group_burst: float = 20.0
    overall_per_second: float = 30.0
    overall_burst: float = 30.0
    chats: dict[int, Bucket] = field(default_factory=dict)
    overall: Bucket | None = None

    def wait(self, now: float, method: str, chat: int, cost: int = 1) -> int:
        """The retry_after of this call, 0 when it may pass."""
        counts = method in SENDS or (chat < 0 and method in EDITS)
        if not counts:
            return 0
        if self.overall is None:
            self.overall = Bucket(self.overall_burst, self.overall_per_second)
        bucket = self.chats.get(chat) or self._bucket(chat)
        wait = max(bucket.wait(now, cost), self.overall.wait(now, cost))
        if wait > 1e-9:
            return max(1, math.ceil(wait))
        bucket.take(cost)
        self.overall.take(cost)
        return 0

    def _bucket(self, chat: int) -> Bucket:
        if chat < 0:
            self.chats[chat] = Bucket(self.group_burst, self.group_per_minute / 60)
        else:
            self.chats[chat] = Bucket(self.private_burst, self.private_per_second)
        return self.chats[chat]
