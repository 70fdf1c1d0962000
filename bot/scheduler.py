"""APScheduler as the tick: every second, what is due is done. The database decides what that is."""

import asyncio
import contextlib
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from apscheduler.schedulers.asyncio import AsyncIOScheduler  # type: ignore[import-untyped]
from apscheduler.triggers.base import BaseTrigger  # type: ignore[import-untyped]

from bot.adapters.port import Health
from bot.metrics import Metrics
from core.desk import Desk
from core.kernel.clock import Clock
from core.kernel.errors import TemporaryError
from core.timers.model import Timer

_log = logging.getLogger(__name__)
EVERY = 1.0
"""Seconds between two ticks."""
DEAF_AFTER = 15.0
"""Seconds without a finished tick after which the scheduler counts as hung."""
AT_ONCE = 100
NIGHTLY = timedelta(hours=6)


@dataclass(frozen=True, slots=True)
class Job:
    """Something done again and again, never several at a time. `name` is what the log calls it."""

    name: str
    every: timedelta
    run: Callable[[], Awaitable[object]]


class Every(BaseTrigger):  # type: ignore[misc]
    """Again and again, so far apart. What was missed is done once, however long the clock has leapt: the
    library's own would go through every missed time, half a minute of them for half a year."""

    def __init__(self, length: timedelta) -> None:
        self._length = length

    def get_next_fire_time(self, before: datetime | None, now: datetime) -> datetime:
        following = (before or now) + self._length
        return following if following > now else now + self._length


class Scheduler:
    """Ticks. A late, missed or doubled tick loses and doubles nothing: a timer is a row, claimed by lease."""

    def __init__(
        self, desk: Desk, clock: Clock, metrics: Metrics, nightly: Callable[[], Awaitable[None]]
    ) -> None:
        self._desk = desk
        self._clock = clock
        self._metrics = metrics
        self._nightly = nightly
        self._jobs: list[Job] = []
        self._ticked: datetime | None = None
        self._moved = time.monotonic()
        """When it last got on, by a clock that nobody sets."""
        self._trouble = ""
        self._claimed: list[Timer] = []
        """Timers in hand that the database could not let fire yet; the next tick tries them first."""
        self._apscheduler = AsyncIOScheduler(timezone="UTC")
        self._wall = datetime.now(UTC)
        self._watch: asyncio.TimerHandle | None = None

    def add(self, job: Job) -> None:
        """Do this too, from the start on."""
        self._jobs.append(job)

    def start(self) -> None:
        """Begin to tick, at once; late ticks run once, never several at a time."""
        options = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
        self._got_on()
        now = self._clock.now()
        ticks = Every(timedelta(seconds=EVERY))
        self._apscheduler.add_job(self._tick_run, ticks, next_run_time=now, **options)
        self._apscheduler.add_job(self._nightly_run, Every(NIGHTLY), **options)
        for job in self._jobs:
            self._apscheduler.add_job(self._job_run, Every(job.every), [job], **options)
        self._apscheduler.start()
        self._wall = datetime.now(UTC)
        self._heed_the_clock()

    def stop(self) -> None:
        """No further tick; one that is running is cancelled, and its claims run out by themselves."""
        if self._watch is not None:
            self._watch.cancel()
        if self._apscheduler.running:
            self._apscheduler.shutdown(wait=False)

    def _heed_the_clock(self) -> None:
        """Where the machine's clock was set back, the library would wait until it is as late again as it was:
        its times are set back with it."""
        now = datetime.now(UTC)
        if now < self._wall:
            for job in self._apscheduler.get_jobs():
                job.modify(next_run_time=job.next_run_time - (self._wall - now))
        self._wall = now
        self._watch = asyncio.get_running_loop().call_later(EVERY, self._heed_the_clock)

    def health(self) -> Health:
        if self._trouble:
            return Health(False, self._trouble)
        silent = (self._clock.now() - self._ticked).total_seconds() if self._ticked else 0.0
        return Health(silent < DEAF_AFTER, f"no tick for {silent:.0f} s" if silent >= DEAF_AFTER else "")

    def turning(self) -> bool:
        """Whether it gets on, be it that the database refuses every tick: a start anew mends a scheduler that
        hangs, and no database."""
        return time.monotonic() - self._moved < DEAF_AFTER

    async def tick(self) -> int:
        """Do everything that is due now; returns how many timers fired."""
        fired = 0
        try:
            while timers := self._claimed or await self._desk.claim_timers(AT_ONCE):
                self._claimed = timers
                results = await asyncio.gather(*(self._fire(timer) for timer in timers))
                self._claimed = []
                fired += sum(results)
                self._got_on()
            self._trouble = ""
        except TemporaryError as error:
            self._trouble = str(error)
        self._got_on()
        return fired

    def _got_on(self) -> None:
        """A tick is over, or a part of a long one."""
        self._ticked, self._moved = self._clock.now(), time.monotonic()

    async def _tick_run(self) -> None:
        with contextlib.suppress(asyncio.CancelledError):  # the desk stops
            await self.tick()

    async def _fire(self, timer: Timer) -> bool:
        try:
            done = await self._desk.fire(timer)
        except TemporaryError:
            raise
        except Exception:  # noqa: BLE001 - one timer's fault must not keep the others waiting; its lease runs out
            _log.exception("a timer failed", extra={"timer": timer.kind, "ticket": timer.ticket})
            return False
        if done:
            late = (self._clock.now() - timer.due_at).total_seconds()
            self._metrics.fired(timer.kind, late)
        return done

    async def _job_run(self, job: Job) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await job.run()
        except TemporaryError as error:
            _log.warning("%s is put off: %s", job.name, error)
        except Exception:  # noqa: BLE001 - the next time may be better, and whoever waits for this one notices
            _log.exception("%s failed", job.name)

    async def _nightly_run(self) -> None:
        try:
            with contextlib.suppress(asyncio.CancelledError):
                await self._nightly()
        except TemporaryError as error:
            _log.warning("the sweep is put off: %s", error)
