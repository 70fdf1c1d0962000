"""Where somebody is reached: rules, presence and quiet hours, as pure functions of the clock."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.kernel.ids import Identity
from core.people import reach
from core.people.reach import Account, Hours, Reach, Rule

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
BERLIN = ZoneInfo("Europe/Berlin")
WORKING = Hours(9 * 60, 18 * 60, (0, 1, 2, 3, 4))
NIGHT = Hours(22 * 60, 7 * 60)
SLACK, TELEGRAM, WEB = Identity("slack", "T/U"), Identity("telegram", "7"), Identity("web", "anna")
LONG_AGO = MONDAY - timedelta(days=30)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    return MONDAY + timedelta(days=day, hours=hour, minutes=minute)


def accounts(*identities: Identity, seen_at: datetime = LONG_AGO) -> list[Account]:
    return [Account(identity, seen_at) for identity in identities]


@pytest.mark.parametrize(
    ("now", "covered"),
    [
        (at(0, 8, 59), False),
        (at(0, 9), True),
        (at(4, 17, 59), True),
        (at(4, 18), False),
        (at(5, 12), False),
    ],
)
def test_hours_are_from_their_beginning_up_to_their_end_on_their_days(now: datetime, covered: bool) -> None:
    assert WORKING.cover(now) is covered


def test_hours_past_midnight_belong_to_the_day_they_begin_on() -> None:
    friday = Hours(22 * 60, 7 * 60, (4,))
    assert not friday.cover(at(4, 6))
    assert friday.cover(at(4, 23))
    assert friday.cover(at(5, 6, 59))
    assert not friday.cover(at(5, 7))
    assert not friday.cover(at(5, 23))


@pytest.mark.parametrize(
    ("hours", "now", "over"),
    [
        (NIGHT, at(0, 23, 30), at(1, 7)),
        (NIGHT, at(1, 3), at(1, 7)),
        (NIGHT, at(1, 12), at(1, 12)),
        (WORKING, at(0, 9), at(0, 18)),
        (Hours(0, reach.DAY, (5, 6)), at(5, 4), at(7, 0)),
        (Hours(12 * 60, reach.DAY), at(0, 13), at(1, 0)),
    ],
)
def test_hours_are_over_when_no_hours_follow_at_once(hours: Hours, now: datetime, over: datetime) -> None:
    assert hours.over_at(now) == over


def test_hours_are_those_of_the_clocks_when_these_are_set_forward_and_back() -> None:
    spring = datetime(2026, 3, 29, 1, 30, tzinfo=BERLIN)
    assert Hours(22 * 60, 2 * 60 + 30).over_at(spring) > spring
    assert NIGHT.over_at(spring).astimezone(UTC) == datetime(2026, 3, 29, 5, tzinfo=UTC)
    autumn = datetime(2026, 10, 25, 2, 15, tzinfo=BERLIN, fold=1)
    assert Hours(22 * 60, 2 * 60 + 30).over_at(autumn).astimezone(UTC) == datetime(
        2026, 10, 25, 1, 30, tzinfo=UTC
    )


minutes = st.integers(0, reach.DAY - 1)
hours = st.builds(
    Hours, minutes, st.integers(1, reach.DAY), st.lists(st.integers(0, 6), min_size=1, unique=True).map(tuple)
).filter(lambda each: each.begin != each.end)
moments = st.timedeltas(timedelta(0), timedelta(days=365)).map(lambda span: MONDAY + span)


@given(hours, moments)
def test_what_waits_for_hours_to_end_never_waits_for_the_past_nor_ends_up_in_them(
    span: Hours, moment: datetime
) -> None:
    now = moment.astimezone(BERLIN)
    over = span.over_at(now).astimezone(UTC)
    assert over > moment if span.cover(now) else over == moment
    assert over - moment <= timedelta(days=8)


@given(hours, moments)
def test_rules_survive_being_kept(span: Hours, moment: datetime) -> None:
    rules = Reach((Rule("slack", span), Rule("telegram")), quiet=span)
    assert reach.load(reach.dump(rules)) == rules


def test_no_rules_are_kept_as_none() -> None:
    assert reach.dump(Reach()) is None
    assert reach.load(None) == Reach()


def test_without_rules_it_is_the_account_heard_from_last() -> None:
    assert reach.order(Reach(), accounts(WEB, SLACK, TELEGRAM), at(0, 12)) == [WEB, SLACK, TELEGRAM]


def test_rules_choose_by_the_hour_and_otherwise() -> None:
    rules = Reach((Rule("slack", WORKING), Rule("telegram")))
    assert reach.order(rules, accounts(WEB, TELEGRAM, SLACK), at(0, 12)) == [SLACK, TELEGRAM, WEB]
    assert reach.order(rules, accounts(WEB, SLACK, TELEGRAM), at(0, 20)) == [TELEGRAM, WEB, SLACK]


def test_outside_all_rules_it_is_the_account_heard_from_last() -> None:
    rules = Reach((Rule("slack", WORKING),))
    assert reach.order(rules, accounts(WEB, SLACK), at(5, 12)) == [WEB, SLACK]


def test_whoever_wrote_a_moment_ago_is_reached_there_whatever_the_rules() -> None:
    rules, now = Reach((Rule("slack", WORKING),)), at(0, 12)
    just_now = accounts(WEB, seen_at=now - timedelta(minutes=10))
    earlier = accounts(WEB, seen_at=now - timedelta(minutes=11))
    assert reach.order(rules, [*just_now, *accounts(SLACK)], now)[0] == WEB
    assert reach.order(rules, [*earlier, *accounts(SLACK)], now)[0] == SLACK


def test_quiet_hours_tell_when_they_end() -> None:
    rules = Reach(quiet=NIGHT)
    assert rules.quiet_until(at(0, 23)) == at(1, 7)
    assert rules.quiet_until(at(1, 7)) is None
    assert Reach().quiet_until(at(0, 23)) is None
