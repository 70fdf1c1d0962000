"""The days and hours that people type, around the ends of years and of what there is."""

from datetime import UTC, datetime

import pytest

from bot.flows import days
from core.kernel.errors import UserError

NOW = datetime(2026, 12, 30, 10, tzinfo=UTC)


@pytest.mark.parametrize("zone", ["Europe/Moscow", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize(
    "words",
    ["31.12.9999", "9999-12-31", "0001-01-01", "31 dec 9999", "9999-12-31 - 9999-12-31", "until 9999-12-31"],
)
def test_a_day_that_no_calendar_reaches_is_not_understood(words: str, zone: str) -> None:
    with pytest.raises(UserError) as caught:
        days.away(words, NOW, zone)
    assert caught.value.key == "days.valid"


@pytest.mark.parametrize("words", ["29 feb", "29 февраля", "29.02."])
def test_the_29th_of_february_is_the_next_one_there_is(words: str) -> None:
    since, until = days.away(words, datetime(2027, 3, 2, tzinfo=UTC), "UTC")
    assert (since, until) == (datetime(2028, 2, 29, tzinfo=UTC), datetime(2028, 3, 1, tzinfo=UTC))
    with pytest.raises(UserError):
        days.away(words, datetime(2026, 3, 2, tzinfo=UTC), "UTC")


@pytest.mark.parametrize("words", ["31 Dec - 2 Jan", "31 дек - 2 янв", "с 31 декабря по 2 января"])
def test_days_may_go_over_the_end_of_the_year(words: str) -> None:
    told = (datetime(2026, 12, 31, tzinfo=UTC), datetime(2027, 1, 3, tzinfo=UTC))
    assert days.away(words, NOW, "UTC") == told


@pytest.mark.parametrize("words", ["tomorrow until 18:00", "завтра до 18:00"])
def test_a_day_may_end_at_an_hour(words: str) -> None:
    told = (datetime(2026, 12, 31, tzinfo=UTC), datetime(2026, 12, 31, 18, tzinfo=UTC))
    assert days.away(words, NOW, "UTC") == told
