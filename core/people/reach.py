"""Where somebody is reached: the messenger by hours and presence, and the hours in which nothing is sent.

Every instant given here is told in the desk's time zone: hours are those of its clocks.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, time, timedelta, tzinfo
from typing import Any

from core.kernel.ids import Identity

DAY = 24 * 60
EVERY_DAY = tuple(range(7))
PRESENT = timedelta(minutes=10)
"""So long somebody is taken to look at the messenger through which they wrote."""


@dataclass(frozen=True, slots=True)
class Hours:
    """Hours of some days, Monday being 0: from `begin` up to `end`, in minutes since midnight. Hours that
    end before they begin go on past midnight, and belong to the day they begin on."""

    begin: int
    end: int
    days: tuple[int, ...] = EVERY_DAY

    def cover(self, now: datetime) -> bool:
        today, minute = now.weekday(), now.hour * 60 + now.minute
        if self.begin < self.end:
            return today in self.days and self.begin <= minute < self.end
        yesterday = (today - 1) % 7
        return (today in self.days and minute >= self.begin) or (yesterday in self.days and minute < self.end)

    def over_at(self, now: datetime) -> datetime:
        """When they are over that cover this instant; `now` itself where none do."""
        instant = now
        for _ in EVERY_DAY:
            if not self.cover(instant):
                break
            instant = self._end_after(instant)
        return instant

    def _end_after(self, now: datetime) -> datetime:
        later = self.end <= now.hour * 60 + now.minute or self.end == DAY
        day = now.date() + timedelta(days=int(later))
        hour, minute = divmod(self.end % DAY, 60)
        return datetime.combine(day, time(hour, minute, fold=now.fold), now.tzinfo)


@dataclass(frozen=True, slots=True)
class Rule:
    """This messenger, in these hours; at any time without hours."""

    platform: str
    hours: Hours | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """What somebody has said of how they want to be reached. Rules are asked in their order."""

    rules: tuple[Rule, ...] = ()
    quiet: Hours | None = None

    def wished(self, now: datetime) -> list[str]:
        """The messengers in which they want to be reached now, the first before the others."""
        return [rule.platform for rule in self.rules if rule.hours is None or rule.hours.cover(now)]

    def quiet_until(self, now: datetime) -> datetime | None:
        """Until when nothing is sent unasked; None outside the quiet hours."""
        return self.quiet.over_at(now) if self.quiet is not None and self.quiet.cover(now) else None


ANYWHERE = Reach()
"""Nothing was said of it: at any hour, through the account heard from last."""


@dataclass(frozen=True, slots=True)
class Account:
    """One account of somebody, and when it was last heard from."""

    identity: Identity
    seen_at: datetime


@dataclass(frozen=True, slots=True)
class Ways:
    """How the desk gets to people: the messengers it is connected to, and by which clocks hours are told."""

    platforms: Collection[str] = ()
    zone: tzinfo = UTC

    def local(self, instant: datetime) -> datetime:
        return instant.astimezone(self.zone)


def order(rules: Reach, accounts: Sequence[Account], now: datetime) -> list[Identity]:
    """The accounts in the order they are tried. Whoever wrote a moment ago is reached there; then the rules
    are asked; where they say nothing, it is the account heard from last. `accounts` come in that order."""
    wished = rules.wished(now)

    def place(account: Account) -> int:
        if now - account.seen_at <= PRESENT:
            return -1
        return wished.index(account.identity.platform) if account.identity.platform in wished else len(wished)

    return [account.identity for account in sorted(accounts, key=place)]


def dump(reach: Reach) -> dict[str, Any] | None:
    """The rules as JSON values; None where there are none."""
    return asdict(reach) if reach != ANYWHERE else None


def load(kept: Mapping[str, Any] | None) -> Reach:
    """What `dump` made."""
    if kept is None:
        return ANYWHERE
    rules = tuple(Rule(each["platform"], _hours(each["hours"])) for each in kept["rules"])
    return Reach(rules, _hours(kept["quiet"]))


def _hours(kept: Mapping[str, Any] | None) -> Hours | None:
    return Hours(kept["begin"], kept["end"], tuple(kept["days"])) if kept else None
