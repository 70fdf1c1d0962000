"""How often somebody may do something: a bucket of tries for each, filled again with time."""

from collections import OrderedDict


class Pace:
    """At most `burst` tries at once and `per_second` on the long run, for each name apart."""

    def __init__(self, burst: float, per_second: float, *, names: int = 10_000) -> None:
        self._burst = burst
        self._per_second = per_second
        self._names = names
        self._buckets: OrderedDict[str, tuple[float, float]] = OrderedDict()

    def allows(self, name: str, now: float) -> bool:
        """Take one try of this name at the second `now`; False when there is none left."""
        left, at = self._buckets.pop(name, (self._burst, now))
        passed = max(0.0, now - at)  # a clock that was set back takes nothing away
        left = min(self._burst, left + passed * self._per_second)
        allowed = left >= 1
        self._buckets[name] = (left - 1 if allowed else left, now)
        while len(self._buckets) > self._names:
            self._buckets.popitem(last=False)
        return allowed
