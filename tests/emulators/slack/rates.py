"""Rate limits: how often an app may call."""

import math
from dataclasses import dataclass, field

from tests.emulators.telegram.rates import Bucket


@dataclass
class Rates:
    """Web API: rate limits. Tier 1 to 4: so many calls a minute of each method, sporadic bursts allowed;
    `post`: about one message a second to each channel, short bursts allowed."""

    per_minute: dict[str, int] = field(default_factory=lambda: {"1": 1, "2": 20, "3": 50, "4": 100})
    burst: dict[str, int] = field(default_factory=lambda: {"1": 2, "2": 5, "3": 10, "4": 20})
    post_per_second: float = 1.0
    post_burst: float = 3.0
    buckets: dict[tuple[str, str], Bucket] = field(default_factory=dict)

    def wait(self, now: float, method: str, tier: str, channel: str) -> int:
        """The Retry-After of this call in seconds, 0 when it may pass."""
        key = ("post", channel) if tier == "post" else (method, "")
        bucket = self.buckets.get(key) or self._bucket(key, tier)
        wait = bucket.wait(now, 1)
        if wait > 1e-9:
            return max(1, math.ceil(wait))
        bucket.take(1)
        return 0

    def _bucket(self, key: tuple[str, str], tier: str) -> Bucket:
        if tier == "post":
            self.buckets[key] = Bucket(self.post_burst, self.post_per_second)
        else:
            self.buckets[key] = Bucket(self.burst[tier], self.per_minute[tier] / 60)
        return self.buckets[key]
