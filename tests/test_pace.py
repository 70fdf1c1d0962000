"""Pacing between two messages of one room."""

from datetime import timedelta

from bot.pace import Pace

SECOND = timedelta(seconds=1)


def test_a_room_waits_its_gap_and_no_other_room_waits_with_it() -> None:
    now = 100.0
    pace = Pace(lambda: now)
    assert pace.take({"telegram:1": SECOND})
    assert not pace.take({"telegram:1": SECOND})
    assert pace.take({"telegram:2": SECOND})
    now = 101.0
    assert pace.take({"telegram:1": SECOND})


def test_the_next_free_room_is_told_and_free_rooms_are_forgotten() -> None:
    now = 0.0
    pace = Pace(lambda: now)
    assert pace.soonest(5.0) == 5.0
    pace.take({"telegram:1": SECOND})
    assert pace.soonest(5.0) == 1.0
    now = 2.0
    assert pace.soonest(5.0) == 5.0


def test_a_messenger_without_a_pace_is_never_held_back() -> None:
    pace = Pace(lambda: 0.0)
    assert all(pace.take({"web:u-ivan": timedelta(0)}) for _ in range(100))


def test_a_room_that_must_wait_uses_up_nothing_of_its_messenger() -> None:
    pace = Pace(lambda: 0.0)
    assert pace.take({"telegram": SECOND, "telegram:1": SECOND})
    pace = Pace(lambda: 0.0)
    pace.hold("telegram:1", SECOND)
    assert not pace.take({"telegram": SECOND, "telegram:1": SECOND})
    assert pace.take({"telegram": SECOND, "telegram:2": SECOND})
