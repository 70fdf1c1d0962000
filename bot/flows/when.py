"""Reading lengths and instants as people type them: `30m`, `2h`, `14:30`, `tomorrow`, `2026-11-25 09:00`.

An instant is one of the desk's time zone unless it names its own: `2026-11-25T09:00Z`, `…09:00+03:00`.
"""

import re
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from core.kernel.errors import UserError

_UNITS = {
    "s": "seconds", "с": "seconds", "m": "minutes", "м": "minutes", "мин": "minutes", "min": "minutes",
    "h": "hours", "ч": "hours", "d": "days", "д": "days", "w": "weeks", "н": "weeks",
}  # fmt: skip
_LENGTH = re.compile(r"(\d{1,5})\s*([a-zа-я]{1,3})")
_CLOCK = re.compile(r"(\d{1,2})[:.](\d{2})")
_TOMORROW = ("tomorrow", "завтра")
LONGEST = timedelta(days=366)


def length(text: str) -> timedelta:
    """A span such as `30m`, `2h`, `1d`. Raises UserError that gives examples."""
    found = _LENGTH.fullmatch(text.strip().casefold())
    if found is None or found[2] not in _UNITS:
        raise UserError("when.length")
    span = timedelta(**{_UNITS[found[2]]: int(found[1])})
    if not timedelta(0) < span <= LONGEST:
        raise UserError("when.length")
    return span


def instant(text: str, now: datetime, zone: str) -> datetime:
    """A span from now, a time of today, tomorrow, or a date. Raises UserError that gives examples."""
    words = text.strip().casefold().removeprefix("until ").removeprefix("до ").strip()
    try:
        return now + length(words)
    except UserError:
        pass
    local = now.astimezone(ZoneInfo(zone))
    day, _, clock = words.partition(" ")
    if day in _TOMORROW:
        return _at(local + timedelta(days=1), clock or "09:00", now)
    if _CLOCK.fullmatch(words):
        return _at(local, words, now)
    try:
        read = datetime.fromisoformat(words.upper())
        told = read if read.tzinfo else read.replace(tzinfo=ZoneInfo(zone))
        return (
            _at(told, "09:00", now) if "t" not in words and " " not in words else told.astimezone(now.tzinfo)
        )
    except (ValueError, OverflowError):
        raise UserError("when.instant") from None


def _at(day: datetime, clock: str, now: datetime) -> datetime:
    found = _CLOCK.fullmatch(clock.strip())
    if found is None or int(found[1]) > 23 or int(found[2]) > 59:
        raise UserError("when.instant")
    moment = day.replace(hour=int(found[1]), minute=int(found[2]), second=0, microsecond=0)
    return moment.astimezone(now.tzinfo)
