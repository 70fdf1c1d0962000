"""Lengths and instants as people type them, on a desk in Moscow."""

from datetime import UTC, datetime, timedelta

import pytest

from bot.flows import when
from core.kernel.errors import UserError

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ZONE = "Europe/Moscow"
"""Three hours ahead of UTC: it is noon there."""


@pytest.mark.parametrize(
    ("typed", "hour", "minute", "day"),
    [
        ("14:30", 11, 30, 2),
        ("14.30", 11, 30, 2),
        ("until 14:30", 11, 30, 2),
        ("до 14:30", 11, 30, 2),
        ("tomorrow", 6, 0, 3),
        ("завтра 9:15", 6, 15, 3),
        ("2h", 11, 0, 2),
        ("2026-03-04", 6, 0, 4),
        ("2026-03-04 10:00", 7, 0, 4),
        ("2026-03-04T10:00", 7, 0, 4),
        ("2026-03-04T10:00Z", 10, 0, 4),
        ("2026-03-04 10:00z", 10, 0, 4),
        ("2026-03-04T10:00+05:00", 5, 0, 4),
        ("2026-03-04 10:00:00-02:30", 12, 30, 4),
        ("until 2026-03-04T10:00+00:00", 10, 0, 4),
    ],
)
def test_an_instant_is_told_in_the_desk_s_time_zone_unless_it_names_its_own(
    typed: str, hour: int, minute: int, day: int
) -> None:
    assert when.instant(typed, NOW, ZONE) == datetime(2026, 3, day, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "soon",
        "25:00",
        "12:60",
        "2026-13-01",
        "tomorrow 99:00",
        "0001-01-01 00:00",
        "9999-12-31T23:59-12:00",
        "2026-03-04T10:00+99:00",
    ],
)
def test_what_names_no_instant_is_refused_with_examples(typed: str) -> None:
    with pytest.raises(UserError, match=r"when\.instant"):
        when.instant(typed, NOW, ZONE)


@pytest.mark.parametrize(("typed", "minutes"), [("30m", 30), ("2 h", 120), ("1д", 1440), ("90МИН", 90)])
def test_a_length_is_a_number_with_its_unit(typed: str, minutes: int) -> None:
    assert when.length(typed) == timedelta(minutes=minutes)


@pytest.mark.parametrize("typed", ["", "0m", "5", "h", "-3m", "99999w", "3 fortnights"])
def test_what_is_no_length_is_refused_with_examples(typed: str) -> None:
    with pytest.raises(UserError, match=r"when\.length"):
        when.length(typed)
