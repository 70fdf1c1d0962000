"""The page that tells a week of a desk is true."""

from tests.week import week


async def test_a_week_with_two_shifts_a_holiday_and_a_changed_clock_goes_as_it_is_told() -> None:
    assert week.PAGE.read_text(encoding="utf-8") == await week.told()
