"""Working time, against a clock on the wall that is read minute by minute."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.sla.calendars import Calendar, Pause

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
    assert apia.spans(date(2011, 12, 30)) == []


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


def test_a_calendar_without_working_time_says_so_instead_of_looking_for_ever() -> None:
    closed = Calendar("closed", UTC, ((),) * 7)
    for ask in (lambda: closed.after(datetime.now(UTC), MINUTE), lambda: closed.open_at(datetime.now(UTC))):
        with pytest.raises(ValueError, match="closed"):
            ask()
