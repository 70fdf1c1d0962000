"""Pacing between two messages of one room."""

from datetime import timedelta

from bot.pace import MARGIN, Pace

SECOND = timedelta(seconds=1)


def test_a_room_waits_its_gap_and_no_other_room_waits_with_it() -> None:
    now = 100.0
    pace = Pace(lambda: now)
    assert pace.take({"telegram:1": SECOND}, "lane")
    pace.arrived("lane")
    assert not pace.take({"telegram:1": SECOND}, "lane")
    assert pace.take({"telegram:2": SECOND}, "other")
    now = 101.0 + MARGIN
    assert pace.take({"telegram:1": SECOND}, "lane")


def test_it_is_told_when_the_first_that_was_refused_may_be_written_to() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    pace.take({"telegram:1": SECOND}, "lane")
    pace.arrived("lane")
    pace.hold("telegram:2", 3 * SECOND)
    assert pace.soonest(5.0) == 5.0, "nobody waits"
    assert not pace.take({"telegram:2": SECOND}, "lane")
    assert not pace.take({"telegram:1": SECOND}, "lane")
    assert pace.soonest(5.0) == 1.0 + MARGIN
    assert pace.soonest(5.0) == 5.0, "they were told"


def test_a_messenger_without_a_pace_is_never_held_back() -> None:
    pace = Pace(lambda: 0.0)
    assert all(pace.take({"web:u-ivan": timedelta(0)}, "lane") for _ in range(100))


def test_a_room_that_must_wait_uses_up_nothing_of_its_messenger() -> None:
    pace = Pace(lambda: 0.0)
    assert pace.take({"telegram": SECOND, "telegram:1": SECOND}, "lane")
    pace = Pace(lambda: 0.0)
    pace.hold("telegram:1", SECOND)
    assert not pace.take({"telegram": SECOND, "telegram:1": SECOND}, "lane")
    assert pace.take({"telegram": SECOND, "telegram:2": SECOND}, "lane")
