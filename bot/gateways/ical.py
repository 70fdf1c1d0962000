"""iCalendar: what the events of a feed mean, recurrence, time zones and changed clocks included.

A feed is looked at within a window around today: so many days of a rota, so many years of days off."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from itertools import islice
from typing import TYPE_CHECKING, Any

from core.kernel import text as texts

if TYPE_CHECKING:
    import icalendar

BEFORE, AFTER = timedelta(days=8), timedelta(days=120)
"""Of a rota's feed this is read, counted from today."""
YEARS = (-1, 3)
"""Of a calendar's feed these years are read, counted from this one."""
MOST = 5000
"""So many events of a feed are read."""
LOOKS = (timedelta(days=8), timedelta(days=64), timedelta(days=512))
"""How far one looks at first, and then: whoever has too many events is found out before all are made."""
DAY = timedelta(days=1)
RARE = frozenset({"DAILY", "WEEKLY", "MONTHLY", "YEARLY"})
SANE = range(1900, 2200)
"""The years that events are in."""


class Unreadable(Exception):
    """It is no calendar."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Who is on call from when to when."""

    person: str
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True)
class Turns:
    """The turns of a feed, and what its events call those whom nobody here is called."""

    known: tuple[Turn, ...] = ()
    unknown: tuple[str, ...] = ()


def read(raw: bytes) -> "icalendar.Calendar":
    """The calendar that these bytes are, without events that mean nothing. Raises Unreadable."""
    import icalendar  # it is large: it is loaded only where there is a feed

    try:
        found = icalendar.Calendar.from_ical(raw)
    except Exception as error:  # noqa: BLE001 - whatever a stranger's words make the parser raise
        raise Unreadable(f"it is no calendar: {type(error).__name__}") from None
    if not isinstance(found, icalendar.Calendar) or found.name != "VCALENDAR":
        raise Unreadable("it is no calendar")
    if sum(part.name == "VEVENT" for part in found.subcomponents) > MOST:
        raise Unreadable(f"it has more than {MOST} events")
    found.subcomponents = [part for part in found.subcomponents if _sound(part)]
    return found


def turns(
    calendar: "icalendar.Calendar", zone: tzinfo, today: date, accounts: Mapping[str, Sequence[str]]
) -> Turns:
    """Who is on call. `accounts`: the names of those who may be, each with further names they go by. Events
    without a time zone, and whole days, are those of `zone`. Raises Unreadable."""
    begin, end = (_midnight(day, zone) for day in (today - BEFORE, today + AFTER))
    known: list[Turn] = []
    unknown: dict[str, None] = {}
    for event in _events(calendar, begin, end):
        since, until = _instant(event["DTSTART"].dt, zone), _instant(_end(event), zone)
        if since >= until:
            continue
        if (person := _who(event, accounts)) is not None:
            known.append(Turn(person, since, until))
        else:
            unknown[texts.shorten(_summary(event) or "?", 60)] = None
    return Turns(tuple(sorted(known, key=lambda turn: (turn.since, turn.until))), tuple(unknown))


def days(calendar: "icalendar.Calendar", today: date) -> frozenset[date]:
    """The days of its whole-day events. Raises Unreadable."""
    begin, end = (datetime(today.year + years, 1, 1, tzinfo=UTC) for years in (YEARS[0], YEARS[1] + 1))
    found: set[date] = set()
    for event in _events(calendar, begin, end):
        first, last = event["DTSTART"].dt, _end(event)
        if not isinstance(first, datetime) and not isinstance(last, datetime):
            found |= {first + number * DAY for number in range(min((last - first).days, 366))}
    return frozenset(found)


def _events(calendar: "icalendar.Calendar", begin: datetime, end: datetime) -> Iterator[Any]:
    """Every event that is in that window, but for those called off and those that cannot be read."""
    import recurring_ical_events  # type: ignore[import-untyped]

    found: dict[tuple[str, ...], Any] = {}
    try:
        query = recurring_ical_events.of(calendar, skip_bad_series=True)
        for since, until in _looks(begin, end):
            near = [event for event in query.between(since, until) if _goes_on(event)]
            found |= {_which(event): event for event in near}
            if len(found) >= MOST:
                break
    except Exception as error:  # noqa: BLE001 - whatever a stranger's words make the library raise
        raise Unreadable(f"an event of it cannot be read: {type(error).__name__}") from None
    yield from islice(found.values(), MOST)


def _looks(begin: datetime, end: datetime) -> Iterator[tuple[datetime, datetime]]:
    """The window in a few parts, each wider than the one before."""
    for length in (*LOOKS, end - begin):
        then = min(begin + length, end)
        if begin < then:
            yield begin, then
        begin = then


def _which(event: Any) -> tuple[str, ...]:
    """The same for an event that is seen in two parts of the window."""
    return str(event.get("UID", "")), _summary(event), str(event["DTSTART"].dt), str(_end(event))


def _sound(part: Any) -> bool:
    """Whether it is no event, or one that can be read. Raises Unreadable for one that would never end."""
    if part.name != "VEVENT":
        return True
    try:
        hasty, sane = _hasty(part), _end(part).year in SANE and part["DTSTART"].dt.year in SANE
        _summary(part)
    except Exception:  # noqa: BLE001 - whatever a stranger's words make the parser raise
        return False
    if hasty:
        raise Unreadable("an event of it repeats more often than once a day")
    return sane


def _goes_on(event: Any) -> bool:
    return str(event.get("STATUS", "")).upper() != "CANCELLED"


def _hasty(event: Any) -> bool:
    """Whether it repeats so often that looking for a day of it takes for ever."""
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        often = {str(each).upper() for each in rule.get("FREQ", [])} - RARE
        if often or "BYMINUTE" in rule or "BYSECOND" in rule:
            return True
    return False


def _end(event: Any) -> date | datetime:
    start: date | datetime = event["DTSTART"].dt
    if "DTEND" in event:
        end: date | datetime = event["DTEND"].dt
        return end
    if "DURATION" in event:
        length: timedelta = event["DURATION"].dt
        return start + length
    return start if isinstance(start, datetime) else start + DAY


def _midnight(day: date, zone: tzinfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)


def _instant(told: date | datetime, zone: tzinfo) -> datetime:
    if not isinstance(told, datetime):
        return _midnight(told, zone)
    return (told if told.tzinfo else told.replace(tzinfo=zone)).astimezone(UTC)


# ---- who is meant


def _summary(event: Any) -> str:
    return str(event.get("SUMMARY", "")).strip()


def _who(event: Any, accounts: Mapping[str, Sequence[str]]) -> str | None:
    """The one of them whom the title names first, else the first of the guests whom the desk knows."""
    guests = event.get("ATTENDEE", [])
    said = [_summary(event)]
    for guest in guests if isinstance(guests, list) else [guests]:
        said.append(str(getattr(guest, "params", {}).get("CN", "")))
        said.append(re.sub(r"^mailto:", "", str(guest), flags=re.IGNORECASE).partition("@")[0])
    return next((name for words in said if (name := _named(words, accounts)) is not None), None)


def _named(words: str, accounts: Mapping[str, Sequence[str]]) -> str | None:
    """Whose whole name stands in the words, or whose first name or account that nobody else has."""
    folded = f" {_folded(words)} "
    if not folded.strip():
        return None
    whole = [(place, name) for name in accounts if (place := folded.find(f" {_folded(name)} ")) >= 0]
    if whole:
        return min(whole)[1]
    found: list[tuple[int, str]] = []
    for name, also in accounts.items():
        short = {_folded(name).partition(" ")[0], *(_folded(each) for each in also)} - {""}
        found += [(place, name) for each in short if (place := folded.find(f" {each} ")) >= 0]
    first = min(found, default=(0, None))
    alike = {name for place, name in found if place == first[0]}
    return first[1] if len(alike) == 1 else None


def _folded(words: str) -> str:
    """The words alone, as they are compared."""
    return " ".join(re.findall(r"\w+", texts.search_text(words).replace("_", " ")))
