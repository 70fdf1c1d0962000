"""A few kills while people talk in all three messengers; `make kills` does it a thousand times."""

from pathlib import Path

import pytest

from tests import postgres
from tests.faults.fleet import COMMITS, schedule
from tests.faults.run import Plan, run
from tests.faults.server import OWN

SEED, KILLS, SHARED_KILLS = 7, 4, 5
OLD = 12.0, 13.0
"""Seconds: a process needs ten to bury another."""


@pytest.mark.timeout(600)
async def test_killed_again_and_again_nothing_is_lost_doubled_or_out_of_order(tmp_path: Path) -> None:
    verdict = await run(Plan(KILLS, SEED), tmp_path / "desk")
    assert [str(finding) for finding in verdict.findings] == [], verdict
    assert verdict.kills == KILLS
    assert verdict.cases >= 6
    assert verdict.said >= 30


@pytest.mark.timeout(600)
async def test_two_processes_killed_again_and_again_on_a_failing_server_lose_and_double_nothing(
    tmp_path: Path,
) -> None:
    postgres.needed()
    verdict = await run(Plan(SHARED_KILLS, SEED, OWN, processes=2, old=OLD), tmp_path / "desk")
    assert [str(finding) for finding in verdict.findings] == [], verdict
    assert verdict.kills == SHARED_KILLS
    assert verdict.troubles
    assert verdict.cases >= 6
    assert verdict.said >= 30


def test_the_same_seed_kills_at_the_same_places() -> None:
    assert schedule(100, 7) == schedule(100, 7) != schedule(100, 8)
    assert schedule(100, 7)[:50] == schedule(50, 7)


def test_every_commit_is_died_at_right_before_it_and_right_after() -> None:
    commits = {death.commit for death in schedule(4 * COMMITS, 7)} - {""}
    assert commits == {f"{number}{side}" for number in range(1, COMMITS + 1) for side in ("", "+")}
