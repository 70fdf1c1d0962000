"""Working hours as they are written: `mon-fri 9:00-13:00 14:00-18:00`."""

import re
from datetime import date, datetime

Period = tuple[int, int]
Week = tuple[tuple[Period, ...], ...]

DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_TIME = r"(\d{1,2})(?::(\d{2}))?"
_HOURS = re.compile(rf"{_TIME}-{_TIME}")
_DAYS = re.compile(rf"({'|'.join(DAYS)}|daily)(?:-({'|'.join(DAYS)}))?", re.IGNORECASE)
_VALID = "must be days and hours like 'mon-fri 9:00-13:00 14:00-18:00' or 'sat,sun 22:00-6:00'"
MIDNIGHT = 1440


def read(value: object) -> Week:
    """The periods of each weekday, Monday first, in minutes; hours over midnight go on in the next day.

    Raises ValueError that says what is valid."""
    if not isinstance(value, list | tuple) or not value:
        raise ValueError(f"{_VALID}, in a list")
    week: list[list[Period]] = [[] for _ in DAYS]
    for line in value:
        for day, (begin, end) in _line(line):
            later = (day + 1) % 7
            week[day].append((begin, end if begin < end else MIDNIGHT))
            if end <= begin and end:
                week[later].append((0, end))
    return tuple(_ordered(day) for day in week)


def _line(line: object) -> list[tuple[int, Period]]:
    words = line.split() if isinstance(line, str) else []
    if len(words) < 2:
        raise ValueError(f"{line!r} {_VALID}")
    days = [day for part in words[0].split(",") for day in _days(part, line)]
    return [(day, _period(word, line)) for day in days for word in words[1:]]


def _days(part: str, line: object) -> list[int]:
    found = _DAYS.fullmatch(part)
    if found is None:
        raise ValueError(f"{line!r} {_VALID}")
    if found[1].casefold() == "daily":
        return list(range(7))
    first = DAYS.index(found[1].casefold())
    last = DAYS.index(found[2].casefold()) if found[2] else first
    return [day % 7 for day in range(first, last + 1 + (7 if last < first else 0))]


def _period(word: str, line: object) -> Period:
    found = _HOURS.fullmatch(word)
    if found is None:
        raise ValueError(f"{line!r} {_VALID}")
    begin, end = _minute(found[1], found[2]), _minute(found[3], found[4])
    if begin >= MIDNIGHT or end > MIDNIGHT or begin == end:
        raise ValueError(f"{line!r} {_VALID}, each from 0:00 to 24:00")
    return begin, end


def _minute(hour: str, minute: str | None) -> int:
    told = int(hour) * 60 + int(minute or 0)
    return told if int(minute or 0) < 60 else MIDNIGHT + 1


def _ordered(periods: list[Period]) -> tuple[Period, ...]:
    """In order, with what touches or overlaps in one."""
    joined: list[Period] = []
    for begin, end in sorted(periods):
        if joined and begin <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((begin, end))
    return tuple(joined)


def day(value: object) -> date:
    """A day as `2026-12-31`. Raises ValueError that says what is valid."""
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"{str(value)!r} must be a day like 2026-12-31") from None
