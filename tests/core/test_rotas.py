"""Who is on call, against a plain look at every quarter of an hour."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core.oncall.model import Absence, Cover, Layer, Roster, Rota
from core.sla.calendars import Calendar

BERLIN, YORK = ZoneInfo("Europe/Berlin"), ZoneInfo("America/New_York")
START = datetime.fromisoformat("2026-10-19T09:00")
QUARTER = timedelta(minutes=15)
NAMES = ("Anna", "Boris", "Maria")


def local(text: str, zone: ZoneInfo = BERLIN) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=zone).astimezone(UTC)


def weekly(*people: str, hours: Calendar | None = None) -> Layer:
    return Layer(people, START, 7, hours or Calendar("always", BERLIN))


def test_turns_change_at_the_same_hour_of_the_wall_also_when_clocks_change() -> None:
    rota = Rota("L1", (weekly("Anna", "Boris"),))
    assert rota.on_call(local("2026-10-26T08:59")) == "Anna"
    assert rota.on_call(local("2026-10-26T09:00")) == "Boris"
    assert rota.on_call(local("2026-11-02T08:59")) == "Boris"
    assert rota.on_call(local("2026-11-02T09:00")) == "Anna"
    assert rota.on_call(local("2026-10-19T08:59")) is None


def test_shifts_follow_the_sun() -> None:
    day = ((480, 1200),)
    europe = weekly("Anna", hours=Calendar("europe", BERLIN, (day,) * 7))
    america = Layer(("Bob",), START, 7, Calendar("america", YORK, (((840, 1440),),) * 7))
    night = weekly("Nina")
    rota = Rota("L2", (night, europe, america))
    assert rota.on_call(local("2026-11-10T10:00")) == "Anna"
    assert rota.on_call(local("2026-11-10T20:30")) == "Bob"
    assert rota.on_call(local("2026-11-11T07:00")) == "Nina"
    assert rota.uncovered(local("2026-11-09T00:00"), local("2026-11-16T00:00")) == []


def test_who_is_away_is_passed_over_and_a_swap_goes_before_everything() -> None:
    friday = local("2026-10-23T00:00"), local("2026-10-24T00:00")
    rota = Rota(
        "L1",
        (weekly(*NAMES),),
        (Cover("Maria", *friday),),
        (Absence("Anna", local("2026-10-20T00:00"), local("2026-10-22T00:00")),),
    )
    assert rota.on_call(local("2026-10-19T12:00")) == "Anna"
    assert rota.on_call(local("2026-10-20T12:00")) == "Boris"
    assert rota.on_call(local("2026-10-23T12:00")) == "Maria"
    assert rota.on_call(local("2026-10-24T12:00")) == "Anna"


def test_an_hour_without_anybody_is_found() -> None:
    office = Calendar("office", BERLIN, (((540, 1080),),) * 7)
    rota = Rota("L1", (weekly("Anna", hours=office),))
    found = rota.uncovered(local("2026-10-24T12:00"), local("2026-10-25T12:00"))
    assert [(each.since, each.until) for each in found] == [
        (local("2026-10-24T18:00"), local("2026-10-25T09:00"))
    ]


spans = st.tuples(st.integers(0, 900), st.integers(1, 400)).map(
    lambda span: (
        local("2026-10-18T00:00") + span[0] * QUARTER,
        local("2026-10-18T00:00") + sum(span) * QUARTER,
    )
)
layers = st.builds(
    Layer,
    st.permutations(NAMES).flatmap(lambda names: st.integers(1, 3).map(lambda count: tuple(names[:count]))),
    st.sampled_from(
        (START, datetime.fromisoformat("2026-10-20T02:30"), datetime.fromisoformat("2026-10-25T00:00"))
    ),
    st.integers(1, 8),
    st.sampled_from(
        (
            Calendar("always", BERLIN),
            Calendar("night", BERLIN, (((0, 360), (1320, 1440)),) * 7),
            Calendar("york", YORK, (((540, 1020),),) * 5 + ((),) * 2),
        )
    ),
)


@settings(max_examples=80, deadline=None)
@given(
    st.lists(layers, min_size=1, max_size=3).map(tuple),
    st.lists(st.tuples(st.sampled_from(NAMES), spans), max_size=3),
    st.lists(st.tuples(st.sampled_from(NAMES), spans), max_size=3),
)
def test_the_shifts_of_two_weeks_are_what_a_look_at_every_quarter_of_an_hour_tells(
    layers: tuple[Layer, ...],
    covers: list[tuple[str, tuple[datetime, datetime]]],
    absences: list[tuple[str, tuple[datetime, datetime]]],
) -> None:
    rota = Rota(
        "some",
        layers,
        tuple(Cover(name, *span) for name, span in covers),
        tuple(Absence(name, *span) for name, span in absences),
    )
    since, until = local("2026-10-18T00:00"), local("2026-11-01T00:00")
    shifts = rota.shifts(since, until)
    assert [shift.since for shift in shifts] == [since, *(shift.until for shift in shifts[:-1])]
    assert shifts[-1].until == until
    assert all((one.person, one.wanted) != (other.person, other.wanted) for one, other in pairwise(shifts))
    at = since
    for shift in shifts:
        while at < shift.until:
            assert rota.on_call(at) == shift.person, at
            at += QUARTER


@pytest.mark.parametrize("zone", [BERLIN, YORK])
def test_turns_are_counted_alike_from_every_instant(zone: ZoneInfo) -> None:
    layer = Layer(("Anna",), datetime.fromisoformat("2026-10-18T02:30"), 1, Calendar("always", zone))
    for number in range(20):
        begun = layer.turn_at(number)
        assert (layer.turn(begun), layer.turn(begun - timedelta(seconds=1))) == (number, number - 1)


def test_a_roster_counts_the_turn_that_began_later_and_passes_over_who_is_away() -> None:
    week = Cover("Anna", local("2026-10-19T00:00"), local("2026-10-26T00:00"))
    day = Cover("Boris", local("2026-10-21T00:00"), local("2026-10-22T00:00"))
    away = Absence("Boris", local("2026-10-21T12:00"), local("2026-10-23T00:00"))
    rota = Rota("L1", (Roster((week, day)),), absences=(away,))
    assert rota.on_call(local("2026-10-21T11:00")) == "Boris"
    assert rota.on_call(local("2026-10-21T13:00")) == "Anna"
    assert rota.on_call(local("2026-10-26T00:00")) is None
    assert [each.person for each in rota.gaps(local("2026-10-19T00:00"), local("2026-10-27T00:00"))] == [None]


def test_hours_that_no_layer_has_need_nobody() -> None:
    office = Calendar("office", BERLIN, (((540, 1080),),) * 5 + ((),) * 2)
    rota = Rota("L1", (weekly("Anna", hours=office),))
    since, until = local("2026-10-19T00:00"), local("2026-10-26T00:00")
    assert rota.gaps(local("2026-10-19T09:00"), until) == []
    assert len(rota.uncovered(since, until)) == 6


def test_the_end_of_a_shift_is_found_however_far_and_none_where_there_is_none() -> None:
    assert Rota("L1", (weekly("Anna"),)).until(local("2026-10-20T00:00")) is None
    monthly = Layer(("Anna", "Boris"), START, 28, Calendar("always", BERLIN))
    assert Rota("L1", (monthly,)).until(local("2026-10-20T00:00")) == local("2026-11-16T09:00")
