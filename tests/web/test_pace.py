"""How often somebody may do something."""

from bot.web.pace import Pace


def test_a_bucket_is_emptied_by_tries_and_filled_by_time() -> None:
    pace = Pace(burst=2, per_second=1)
    assert [pace.allows("ivan", 100.0) for _ in range(3)] == [True, True, False]
    assert pace.allows("anna", 100.0)
    assert pace.allows("ivan", 101.0)


def test_a_clock_that_is_set_back_locks_nobody_out() -> None:
    pace = Pace(burst=2, per_second=1)
    assert pace.allows("ivan", 7200.0)
    assert pace.allows("ivan", 3600.0)
    assert not pace.allows("ivan", 3600.0)
    assert pace.allows("ivan", 3601.0)
