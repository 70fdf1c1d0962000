"""Working time, against a clock on the wall that is read minute by minute."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sla.calendars import FURTHEST, Calendar, Pause

MINUTE = timedelta(minutes=1)
ZONES = (
    "UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns",
    "Europe/Moscow", "Pacific/Apia", "Africa/Casablanca", "America/Sao_Paulo",
)  # fmt: skip
CHANGES = (
    date(2026, 3, 29), date(2026, 10, 25), date(2026, 3, 8), date(2026, 11, 1), date(2026, 4, 5),
    date(2026, 10, 4), date(2026, 6, 1), date(2026, 12, 31),
)  # fmt: skip
"""Days on which clocks are changed somewhere, and some others."""
OFFICE = ((540, 1080),)


def office(zone: str = "Europe/Berlin", *holidays: date) -> Calendar:
    return Calendar("office", ZoneInfo(zone), (OFFICE,) * 5 + ((),) * 2, frozenset(holidays))


def local(zone: str, text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone), fold=fold).astimezone(UTC)


# ---- a clock on the wall


class Wall:
    """Which minutes are working time, told by looking at a clock that nobody turns back within a day."""

    def __init__(self, calendar: Calendar, day: date) -> None:
        self.calendar = calendar
        self.now = datetime(day.year, day.month, day.day, tzinfo=UTC) - timedelta(days=2)
        self.day, self.latest = date.min, -1

    def working(self) -> bool:
        shown = self.now.astimezone(self.calendar.zone)
        minute = shown.hour * 60 + shown.minute
        self.latest = minute if shown.date() != self.day else max(self.latest, minute)
        self.day = shown.date()
        self.now += MINUTE
        week = self.calendar.week
        if week is None:
            return True
        if self.day in self.calendar.holidays:
            return False
        return any(begin <= self.latest < end for begin, end in week[self.day.weekday()])


def minutes(calendar: Calendar, day: date, days: int = 6) -> tuple[datetime, list[bool]]:
    """Working or not, minute by minute, from two days before `day`."""
    wall = Wall(calendar, day)
    start = wall.now
    return start, [wall.working() for _ in range(days * 1440)]


def periods(cuts: list[int]) -> tuple[tuple[int, int], ...]:
    ordered = sorted(set(cuts))
    return tuple(zip(ordered[::2], ordered[1::2], strict=False))


weeks = st.lists(
    st.lists(st.integers(0, 48).map(lambda half: half * 30), max_size=6).map(periods), min_size=7, max_size=7
).map(tuple)
calendars = st.builds(
    Calendar,
    st.just("some"),
    st.sampled_from(ZONES).map(ZoneInfo),
    weeks,
    st.sets(st.sampled_from(CHANGES), max_size=2).map(frozenset),
)


@settings(max_examples=60, deadline=None)
@given(calendars, st.sampled_from(CHANGES), st.integers(0, 8639), st.integers(0, 8639))
def test_working_time_between_two_instants_is_what_the_wall_shows(
    calendar: Calendar, day: date, one: int, other: int
) -> None:
    start, working = minutes(calendar, day)
    told = calendar.between(start + one * MINUTE, start + other * MINUTE)
    assert told == sum(working[one:other]) * MINUTE


@settings(max_examples=60, deadline=None)
@given(calendars, st.sampled_from(CHANGES), st.integers(0, 4000), st.integers(1, 600))
def test_a_promise_is_due_when_the_wall_has_shown_so_much_working_time(
    calendar: Calendar, day: date, begin: int, length: int
) -> None:
    start, working = minutes(calendar, day)
    left, place = length, begin
    while place < len(working) and left:
        left -= working[place]
        place += 1
    if not left:
        assert calendar.after(start + begin * MINUTE, length * MINUTE) == start + place * MINUTE


@settings(max_examples=60, deadline=None)
@given(
    calendars,
    st.sampled_from(CHANGES),
    st.lists(st.integers(0, 5000), min_size=1, max_size=9, unique=True).map(sorted),
    st.integers(1, 400),
)
def test_pauses_take_nothing_of_a_promise(
    calendar: Calendar, day: date, turns: list[int], length: int
) -> None:
    start, working = minutes(calendar, day)
    begin, *rest = turns
    pauses: list[Pause] = [
        (start + paused * MINUTE, start + resumed * MINUTE)
        for paused, resumed in zip(rest[::2], rest[1::2], strict=False)
    ]
    stands = {
        minute
        for paused, resumed in zip(rest[::2], rest[1::2], strict=False)
        for minute in range(paused, resumed)
    }
    left, place = length, begin
    while place < len(working) and left:
        left -= working[place] and place not in stands
        place += 1
    if not left:
        due = calendar.due(start + begin * MINUTE, length * MINUTE, pauses)
        assert due == start + place * MINUTE
        assert calendar.spent(start + begin * MINUTE, due, pauses) == length * MINUTE


# ---- days that go wrong elsewhere


@pytest.mark.parametrize(
    ("zone", "begun", "hours", "due"),
    [
        ("Europe/Berlin", "2026-03-27T16:00", 4, "2026-03-30T11:00"),  # a weekend with the change in it
        ("Europe/Berlin", "2026-10-23T17:30", 1, "2026-10-26T09:30"),
        ("America/New_York", "2026-11-20T08:00", 9, "2026-11-20T18:00"),  # before opening
        ("Asia/Kolkata", "2026-06-05T18:00", 1, "2026-06-08T10:00"),  # at the end of Friday
        ("Europe/Moscow", "2026-05-29T12:00", 60, "2026-06-09T09:00"),
    ],
)
def test_office_hours_are_those_of_the_wall(zone: str, begun: str, hours: int, due: str) -> None:
    told = office(zone).after(local(zone, begun), timedelta(hours=hours))
    assert told <= local(zone, due)
    assert office(zone).between(told, local(zone, due)) == timedelta(0)


def test_a_night_shift_is_as_long_as_the_night_really_was() -> None:
    night = Calendar("night", ZoneInfo("Europe/Berlin"), (((0, 360), (1320, 1440)),) * 7)
    evening = local("Europe/Berlin", "2026-03-28T22:00")
    assert night.between(evening, local("Europe/Berlin", "2026-03-29T06:00")) == timedelta(hours=7)
    evening = local("Europe/Berlin", "2026-10-24T22:00")
    assert night.between(evening, local("Europe/Berlin", "2026-10-25T06:00")) == timedelta(hours=9)


def test_a_day_that_a_country_left_out_has_no_working_time() -> None:
    apia = Calendar("apia", ZoneInfo("Pacific/Apia"), (OFFICE,) * 7)
    assert apia.spans(date(2011, 12, 30)) == ()


def test_lunch_holidays_and_around_the_clock() -> None:
    zone = ZoneInfo("Europe/Moscow")
    lunch = Calendar(
        "lunch", zone, (((540, 780), (840, 1080)),) * 5 + ((),) * 2, frozenset({date(2026, 6, 12)})
    )
    begun = local("Europe/Moscow", "2026-06-11T12:30")
    assert lunch.after(begun, timedelta(hours=1)) == local("Europe/Moscow", "2026-06-11T14:30")
    assert lunch.after(begun, timedelta(hours=5)) == local("Europe/Moscow", "2026-06-15T09:30")
    assert lunch.open_at(local("Europe/Moscow", "2026-06-12T10:00")) == local(
        "Europe/Moscow", "2026-06-15T09:00"
    )
    assert not lunch.is_open(local("Europe/Moscow", "2026-06-11T13:30"))
    always = Calendar("always")
    assert always.after(begun, timedelta(days=3)) == begun + timedelta(days=3)
    assert always.is_open(begun)


def test_where_there_is_too_little_working_time_it_counts_as_in_five_years_and_nothing_fails() -> None:
    now, furthest = datetime(2026, 3, 2, 9, 0, tzinfo=UTC), timedelta(days=FURTHEST)
    closed = Calendar("closed", UTC, ((),) * 7)
    assert closed.after(now, MINUTE) == closed.open_at(now) == now + furthest
    assert closed.ago(now, MINUTE) == now - furthest
    assert closed.due(now, MINUTE, [(now, None)]) == now + furthest
    rare = Calendar("rare", UTC, (((540, 541),), *((),) * 6))
    lengths = [number * MINUTE for number in (1, 2, 100, 200, 300, 400)]
    dues = [rare.after(now, length) for length in lengths]
    assert dues == sorted(dues)
    assert dues[1] == now + timedelta(days=7, minutes=1)
    assert dues[-1] == now + furthest


def test_what_several_threads_ask_about_a_year_for_the_first_time_has_its_holidays() -> None:
    """As `holidays` does it: a year is known from when it begins to be worked out."""

    class Slow(dict[date, str]):
        def __init__(self) -> None:
            super().__init__()
            self.years: set[int] = set()

        def __contains__(self, day: object) -> bool:
            assert isinstance(day, date)
            if day.year not in self.years:
                self.years.add(day.year)
                begun.set()
                asked.wait(0.2)
                self[date(day.year, 1, 1)] = "New Year"
            return super().__contains__(day)

    begun, asked = threading.Event(), threading.Event()
    calendar = Calendar("office", UTC, (OFFICE,) * 7, Slow())
    new_year = date(2027, 1, 1)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(calendar.spans, new_year)
        begun.wait(5)
        second = threads.submit(calendar.spans, new_year)
        assert (first.result(), second.result()) == ((), ())


# ---- worked out by hand

ALL_DAY = (((0, 1440),),) * 7
NIGHT = (((0, 360), (1320, 1440)),) * 7
SUNDAY_AT_TWO = ((),) * 6 + (((120, 180),),)
WEEKDAYS = (OFFICE,) * 5 + ((),) * 2
BY_HAND = (
    # a day of the calendar is shorter or longer than 24 hours; around the clock counts the hours that pass
    ("Europe/Berlin", None, (), "2026-03-28T12:00", "24h", "2026-03-29T13:00"),
    ("Europe/Berlin", None, (), "2026-10-24T12:00", "24h", "2026-10-25T11:00"),
    ("America/New_York", None, (), "2026-03-07T12:00", "24h", "2026-03-08T13:00"),
    ("America/New_York", None, (), "2026-10-31T12:00", "24h", "2026-11-01T11:00"),
    ("Australia/Lord_Howe", None, (), "2026-10-03T12:00", "24h", "2026-10-04T12:30"),  # half an hour
    ("Australia/Lord_Howe", None, (), "2026-04-04T12:00", "24h", "2026-04-05T11:30"),
    ("Europe/Moscow", None, (), "2014-10-25T12:00", "24h", "2014-10-26T11:00"),  # the last change for good
    ("Africa/Casablanca", None, (), "2026-02-14T12:00", "24h", "2026-02-15T11:00"),  # Ramadan begins
    ("Africa/Casablanca", None, (), "2026-03-21T12:00", "24h", "2026-03-22T13:00"),  # and is over
    ("Asia/Kathmandu", None, (), "2026-03-28T12:00", "24h", "2026-03-29T12:00"),  # never
    # clocks change at midnight: the day begins at one, or has 23:00 twice
    ("America/Sao_Paulo", ALL_DAY, (), "2018-11-03T23:30", "1h", "2018-11-04T01:30"),
    ("America/Sao_Paulo", ALL_DAY, (), "2019-02-16T22:30", "3h", "2019-02-17T00:30"),
    ("America/Sao_Paulo", NIGHT, (), "2019-02-16T22:00", "3h", "2019-02-17T00:00"),
    # a night shift over the change
    ("America/New_York", NIGHT, (), "2026-03-07T22:00", "7h", "2026-03-08T06:00"),
    ("America/New_York", NIGHT, (), "2026-10-31T22:00", "9h", "2026-11-01T06:00"),
    ("Australia/Lord_Howe", NIGHT, (), "2026-10-03T22:00", "7h", "2026-10-04T05:30"),
    ("Australia/Lord_Howe", NIGHT, (), "2026-04-04T22:00", "8h", "2026-04-05T05:30"),
    # hours that are left out count for nothing, hours that come twice count twice
    ("Europe/Berlin", SUNDAY_AT_TWO, (), "2026-03-22T02:30", "1h", "2026-04-05T02:30"),
    ("Europe/Berlin", SUNDAY_AT_TWO, (), "2026-10-25T02:00", "2h", "2026-10-25T03:00"),
    # a weekend with the change in it is a weekend
    ("America/New_York", WEEKDAYS, (), "2026-03-06T17:00", "2h", "2026-03-09T10:00"),
    ("Europe/Berlin", WEEKDAYS, (), "2026-10-23T17:00", "2h", "2026-10-26T10:00"),
    ("Asia/Kathmandu", WEEKDAYS, (), "2026-06-05T17:45", "30m", "2026-06-08T09:15"),
    # holidays: Easter, Thanksgiving, a Friday off, a Monday after the change
    ("Europe/Berlin", WEEKDAYS, ("2026-04-03", "2026-04-06"), "2026-04-02T17:00", "2h", "2026-04-07T10:00"),
    ("America/New_York", WEEKDAYS, ("2026-11-26",), "2026-11-25T17:30", "1h", "2026-11-27T09:30"),
    ("Europe/Moscow", WEEKDAYS, ("2026-06-12",), "2026-06-11T17:00", "2h", "2026-06-15T10:00"),
    ("Europe/Berlin", WEEKDAYS, ("2026-03-30",), "2026-03-27T17:00", "2h", "2026-03-31T10:00"),
    # one holiday is over at midnight there, not here
    ("America/Sao_Paulo", ALL_DAY, ("2018-11-04",), "2018-11-03T23:30", "1h", "2018-11-05T00:30"),
    ("Asia/Kathmandu", ALL_DAY, ("2026-06-07",), "2026-06-06T23:30", "1h", "2026-06-08T00:30"),
)


@pytest.mark.parametrize(("zone", "week", "holidays", "begun", "length", "due"), BY_HAND)
def test_due_times_worked_out_by_hand(
    zone: str, week: Any, holidays: tuple[str, ...], begun: str, length: str, due: str
) -> None:
    off = frozenset(date.fromisoformat(day) for day in holidays)
    calendar = Calendar("by hand", ZoneInfo(zone), week, off)
    unit = {"h": timedelta(hours=1), "m": MINUTE}[length[-1]]
    told = calendar.after(local(zone, begun), int(length[:-1]) * unit)
    assert told.astimezone(ZoneInfo(zone)).replace(tzinfo=None) == datetime.fromisoformat(due)
    assert calendar.between(local(zone, begun), told) == int(length[:-1]) * unit
