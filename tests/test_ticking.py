"""The tick goes on whatever becomes of the machine's clock."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from types import SimpleNamespace

import apscheduler.schedulers.base
import pytest

from bot import scheduler as scheduling
from bot.scheduler import Every, Job, Scheduler
from core.kernel.clock import WallClock
from core.kernel.errors import TemporaryError
from core.timers.model import Timer
from tests import town as towns
from tests.town import Town


class Shifted(datetime):
    """A machine's clock that somebody sets."""

    by = timedelta(0)

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
        return datetime.now(tz) + cls.by


@pytest.fixture
async def ticking(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[timedelta], asyncio.Event]]:
    """A scheduler at work. Set its clock by so much, and an event tells when it has ticked twice since."""
    monkeypatch.setattr(apscheduler.schedulers.base, "datetime", Shifted)
    monkeypatch.setattr(scheduling, "datetime", Shifted)
    monkeypatch.setattr(scheduling, "EVERY", 0.05)
    monkeypatch.setattr(Shifted, "by", timedelta(0))
    ticks: list[asyncio.Event] = []

    async with towns.town(tmp_path) as opened:
        house = opened.house

        async def nothing() -> None:
            pass

        class Counting(Scheduler):
            async def tick(self) -> int:
                fired = await super().tick()
                left.append(1)
                if ticks and len(left) >= 2:
                    ticks[-1].set()
                return fired

        left: list[int] = []
        scheduler = Counting(house.desk, WallClock(), house.metrics, nothing)
        scheduler.add(Job("a job", timedelta(hours=1), nothing))
        scheduler.start()

        def leap(span: timedelta) -> asyncio.Event:
            Shifted.by += span
            left.clear()
            ticks.append(asyncio.Event())
            return ticks[-1]

        yield leap
        scheduler.stop()


@pytest.mark.parametrize(
    "span",
    [timedelta(0), timedelta(hours=-1), timedelta(days=1), timedelta(days=36_500), timedelta(days=-900)],
)
async def test_a_clock_that_is_set_stops_no_tick(
    ticking: Callable[[timedelta], asyncio.Event], span: timedelta
) -> None:
    async with asyncio.timeout(20):
        await ticking(timedelta(0)).wait()
        await ticking(span).wait()
        await ticking(-span).wait()


def test_what_was_missed_is_done_once_and_the_rest_in_step() -> None:
    every, now = Every(timedelta(seconds=10)), datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
    assert every.get_next_fire_time(None, now) == now + timedelta(seconds=10)
    assert every.get_next_fire_time(now, now + timedelta(seconds=1)) == now + timedelta(seconds=10)
    late = now + timedelta(days=200)
    assert every.get_next_fire_time(now, late) == late + timedelta(seconds=10)


async def test_a_database_that_refuses_every_tick_does_not_make_the_scheduler_hang(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nothing() -> None:
        pass

    async def refused(limit: int = 0) -> list[Timer]:
        raise TemporaryError("the disk is full")

    scheduler = Scheduler(town.house.desk, WallClock(), town.house.metrics, nothing)
    monkeypatch.setattr(town.house.desk, "claim_timers", refused)
    later = time.monotonic() + 2 * scheduling.DEAF_AFTER
    monkeypatch.setattr(scheduling, "time", SimpleNamespace(monotonic=lambda: later))
    assert not scheduler.turning()
    await scheduler.tick()
    assert (scheduler.turning(), scheduler.health().ok) == (True, False)
