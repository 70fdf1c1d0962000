"""Instants and lengths of time as people say them."""

import logging
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from babel import dates

from bot.i18n import catalogue

_log = logging.getLogger(__name__)

_Sizes = tuple[tuple[str, int], ...]
_SIZES: _Sizes = (("days", 86_400), ("hours", 3_600), ("minutes", 60), ("seconds", 1))
_NOW = timedelta(seconds=1)


def at(
    instant: datetime,
    form: Literal["clock", "day", "both"],
    language: str,
    zone: str,
    now: datetime,
    after: datetime | None = None,
) -> str:
    """`14:30`, `22 November`, or both: only the clock today and on the day of `after`, which was told before
    it; `Mon 23 Nov, 09:00` on another day."""
    local, today = _local(instant, zone), _local(now, zone)
    known = today if after is None else _local(after, zone)
    if form == "clock" or (form == "both" and local.date() == known.date()):
        return _shown(local, "HH:mm", language)
    year = "" if local.year == today.year else " y"
    pattern = f"d MMMM{year}" if form == "day" else f"EEE d MMM{year}, HH:mm"
    return _shown(local, pattern, language)


def ago(instant: datetime, language: str, now: datetime) -> str:
    """`25 min ago`; `in 25 min` for what is still to come."""
    passed = now - instant
    if abs(passed) < _NOW:
        return catalogue.sentence("ago.now", language)
    told = catalogue.sentence("ago.past" if passed > timedelta(0) else "ago.future", language)
    return told.replace("{span}", _length(passed, language, "ago"))


def span(length: timedelta, language: str, *, working: bool = False) -> str:
    """`25 min`, `1 h 20 min`: at most two units, the second only where it matters; `working` without days."""
    return _length(length, language, "span", _SIZES[1:] if working else _SIZES)


def _length(length: timedelta, language: str, group: str, sizes: _Sizes = _SIZES) -> str:
    units = _units(abs(length), sizes) or [("seconds", 0)]
    return " ".join(
        catalogue.sentence(f"{group}.{name}", language, number).replace("{count}", str(number))
        for name, number in units
    )


def _units(length: timedelta, sizes: _Sizes) -> list[tuple[str, int]]:
    seconds = length.total_seconds()
    step = next(size for least, size in _STEPS if seconds >= least)
    left = int(seconds / step + 0.5) * step
    units = []
    for name, size in sizes:
        number, left = divmod(left, size)
        if number:
            units.append((name, number))
    return units


_STEPS = ((10 * 86_400, 86_400), (86_400, 3_600), (120, 60), (0, 1))
"""How exactly a length is told: from how many seconds on, to how many seconds it is rounded."""


def _shown(local: datetime, pattern: str, language: str) -> str:
    locale = language if language in catalogue.languages else catalogue.FALLBACK
    return dates.format_datetime(local, pattern, locale=locale)


def _local(instant: datetime, zone: str) -> datetime:
    try:
        return instant.astimezone(_zone(zone)).replace(tzinfo=None)
    except OverflowError:
        return instant.replace(tzinfo=None)


@lru_cache(maxsize=1000)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        _log.warning("no such time zone, telling UTC instead", extra={"time_zone": name})
        return UTC
