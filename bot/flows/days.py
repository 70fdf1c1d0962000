"""Reading the days and hours that people type: `friday`, `26 Nov`, `mon-wed`, `пятницу 18:00-22:00`.

Days and hours are those of the desk's time zone. A weekday is the next one, today included; a date without
a year is the next one, too."""

import re
from calendar import isleap
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot.flows import when
from core.kernel.errors import UserError
from core.sla.calendars import DAY, instant_of

MIDNIGHT = 24 * 60
LONGEST = timedelta(days=366)
_NEAR = {
    "today": 0, "сегодня": 0, "tomorrow": 1, "завтра": 1, "послезавтра": 2,
}  # fmt: skip
_WEEK = {
    name: day
    for day, names in enumerate(
        (
            "mon monday пн понедельник понедельника понедельнику",
            "tue tues tuesday вт вторник вторника вторнику",
            "wed wednesday ср среда среду среды среде",
            "thu thurs thursday чт четверг четверга четвергу",
            "fri friday пт пятница пятницу пятницы пятнице",
            "sat saturday сб суббота субботу субботы субботе",
            "sun sunday вс воскресенье воскресенья воскресенью",
        )
    )
    for name in names.split()
}  # fmt: skip
_MONTHS = {
    name: month
    for month, names in enumerate(
        (
            "jan january янв января", "feb february фев февраля", "mar march мар марта",
            "apr april апр апреля", "may мая май", "jun june июн июня", "jul july июл июля",
            "aug august авг августа", "sep sept september сен сент сентября", "oct october окт октября",
            "nov november ноя нояб ноября", "dec december дек декабря",
        ),
        start=1,
    )
    for name in names.split()
}  # fmt: skip


def _any_of(names: dict[str, int]) -> str:
    return "|".join(sorted(names, key=len, reverse=True))


_DAY = re.compile(
    rf"(?:(?P<near>{_any_of(_NEAR)})|(?P<week>{_any_of(_WEEK)})|(?P<iso>\d{{4}}-\d{{2}}-\d{{2}})"
    rf"|(?P<day>\d{{1,2}})\s+(?P<month>{_any_of(_MONTHS)})\.?(?:\s+(?P<year>\d{{4}}))?"
    rf"|(?P<month2>{_any_of(_MONTHS)})\.?\s+(?P<day2>\d{{1,2}})(?:,?\s+(?P<year2>\d{{4}}))?"
    rf"|(?P<day3>\d{{1,2}})\.(?P<month3>\d{{1,2}})\.(?P<year3>\d{{4}})?)(?!\w)",
    re.IGNORECASE,
)
_CLOCK = re.compile(r"(?:at\s+|в\s+)?(\d{1,2})[:.](\d{2})(?![\w.])", re.IGNORECASE)
_HOURS = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?\s*[-–—]\s*(\d{1,2})(?:[:.](\d{2}))?(?![\w.:-])")
_FILLER = re.compile(r"(?:on|from|в|во|на|с|со)\s+", re.IGNORECASE)
_TO = re.compile(r"\s*[-–—]\s*|\s*\b(?:to|till|until|through|по|до)\s+", re.IGNORECASE)
_UNTIL = re.compile(r"(?:until|till|до)\s+", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Meant:
    """From when to when; `whole`: days alone were named, without hours."""

    since: datetime
    until: datetime
    whole: bool


def invalid() -> UserError:
    return UserError("days.valid")


def stretch(text: str, now: datetime, zone: str) -> tuple[Meant | None, str]:
    """The days and hours that the words begin with, and the words after them; None where they begin with
    something else. Raises UserError for a day or an hour that there is not, or one too far away."""
    return _Reader(text, now, ZoneInfo(zone)).stretch()


def away(text: str, now: datetime, zone: str) -> tuple[datetime, datetime]:
    """How long somebody is away: `friday`, `24 Dec - 2 Jan`, `until monday`, `2d`. Until a day means until
    it begins. Raises UserError that gives examples."""
    reader = _Reader(text, now, ZoneInfo(zone))
    if reader.skip(_UNTIL) and (end := reader.end()) is not None and reader.over:
        return now, end
    meant, rest = stretch(text, now, zone)
    if meant is not None and not rest:
        return meant.since, meant.until
    try:
        return now, when.instant(text, now, zone)
    except UserError:
        raise invalid() from None


class _Reader:
    """Goes through the words from their beginning."""

    def __init__(self, text: str, now: datetime, zone: ZoneInfo) -> None:
        self._text, self._now, self._zone = text, now, zone
        self._place = 0
        self._today = now.astimezone(zone).date()

    @property
    def over(self) -> bool:
        return not self._text[self._place :].strip(" ,.!")

    def skip(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        found = pattern.match(self._text, self._place)
        if found is not None:
            self._place = found.end()
        return found

    def stretch(self) -> tuple[Meant | None, str]:
        self.skip(_FILLER)
        first = self._day(self._today)
        if first is None and not _HOURS.match(self._text, self._place):
            return None, self._text
        day = first or self._today
        self._blank()
        if (hours := self.skip(_HOURS)) is not None:
            begin, end = _minute(hours[1], hours[2]), _minute(hours[3], hours[4])
            return self._told(day, begin, day if begin < end else day + DAY, end, whole=False)
        clock = self._clock()
        last, until = self._last(day)
        if clock is None and until is None:
            return self._told(day, 0, last, MIDNIGHT, whole=True)
        return self._told(day, clock or 0, last, MIDNIGHT if until is None else until, whole=False)

    def _last(self, first: date) -> tuple[date, int | None]:
        """The day and perhaps the hour at which it ends: those of the beginning where none are told."""
        before = self._place
        if self.skip(_TO) is None:
            return first, None
        last = self._day(first)
        self._blank()
        clock = self._clock()
        if last is None and clock is None:
            self._place = before
        return last or first, clock

    def _told(self, first: date, begin: int, last: date, end: int, *, whole: bool) -> tuple[Meant, str]:
        since, until = instant_of(self._zone, first, begin), instant_of(self._zone, last, end)
        if since >= until or until - self._now > LONGEST:
            raise invalid()
        return Meant(since, until, whole), self._text[self._place :].strip(" ,")

    def end(self) -> datetime | None:
        """Until when, as an instant: a day ends what goes before it. A weekday is one after today."""
        day = self._day(self._today, after=1)
        if day is None:
            return None
        self._blank()
        return instant_of(self._zone, day, self._clock() or 0)

    def _blank(self) -> None:
        self.skip(re.compile(r"[\s,]*"))

    def _clock(self) -> int | None:
        found = self.skip(_CLOCK)
        self._blank() if found else None
        return _minute(found[1], found[2]) if found else None

    def _day(self, first: date, *, after: int = 0) -> date | None:
        """The next such day, `first` included, or at the earliest so many days `after` it."""
        found = self.skip(_DAY)
        if found is None:
            return None
        if near := found["near"]:
            return self._today + _NEAR[near.casefold()] * DAY
        if week := found["week"]:
            since = first + after * DAY
            return since + (_WEEK[week.casefold()] - since.weekday()) % 7 * DAY
        return _date(found, first)


def _date(found: re.Match[str], first: date) -> date:
    if found["iso"]:
        return _real(lambda: date.fromisoformat(found["iso"]))
    day = int(found["day"] or found["day2"] or found["day3"])
    named = found["month"] or found["month2"]
    month = _MONTHS[named.casefold()] if named else int(found["month3"])
    if year := found["year"] or found["year2"] or found["year3"]:
        return _real(lambda: date(int(year), month, day))
    if (month, day) == (2, 29) and not isleap(first.year):
        return _real(lambda: date(first.year + 1, month, day))
    this = _real(lambda: date(first.year, month, day))
    return this if this >= first else _real(lambda: date(first.year + 1, month, day))


def _real(make: Callable[[], date]) -> date:
    """The day, if there is one within living memory."""
    try:
        made = make()
    except ValueError:
        raise invalid() from None
    if not 2000 <= made.year <= 2200:
        raise invalid()
    return made


def _minute(hour: str, minute: str | None) -> int:
    told = int(hour) * 60 + int(minute or 0)
    if told > MIDNIGHT or int(minute or 0) > 59:
        raise invalid()
    return told
