"""The auditor at work: passes over all unclosed tickets, mending, alarming, vouching for the desk."""

import asyncio
import logging
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from bot.adapters.port import Health
from bot.gateways.heartbeat import Heartbeat
from bot.metrics import Metrics
from bot.replica import Office, Replica
from core.audit import actions, queries
from core.audit.model import Finding
from core.database.transaction import Transaction
from core.desk import Desk
from core.kernel.clock import Clock
from core.kernel.ids import TicketId
from core.leases.model import ALONE
from core.oncall.duty import NO_TICKET
from core.outbox import actions as outbox
from core.outbox import store as posts
from core.outbox.model import Parcel
from core.people import store as people
from core.recounting import actions as recounting

_log = logging.getLogger(__name__)
EVERY = timedelta(minutes=3)
STRETCH = 500
"""Tickets looked at in one go, beside everybody else's work."""
MENDED_TOGETHER = 20
"""Tickets mended in one transaction."""
ALARM_EVERY = timedelta(hours=1)
LOGGED = 20
"""So many findings of one pass stand in the log, each on its line."""
NAMED = 10
"""So many tickets an alarm names."""
STALE = timedelta(minutes=10)
"""For so long a clean pass vouches for the desk, and for twice the time that it took."""
MISSED = timedelta(minutes=15)


@dataclass(slots=True)
class Verdict:
    """What one pass over all tickets came to."""

    seen: int = 0
    found: list[Finding] = field(default_factory=list)
    left: list[Finding] = field(default_factory=list)
    """What could not be put right."""


class Audit:
    """Checks every unclosed ticket, puts right what is wrong, and tells those who run the desk.

    `tick` does everything that is due: what is late after it is stuck."""

    def __init__(
        self,
        desk: Desk,
        clock: Clock,
        metrics: Metrics,
        tick: Callable[[], Awaitable[object]],
        office: Office | None = None,
    ) -> None:
        self._office = office or Replica(desk.database).office("the audit")
        self._desk = desk
        self._clock = clock
        self._metrics = metrics
        self._tick = tick
        self._began = clock.now()
        self._last: Verdict | None = None
        self._finished: datetime | None = None
        self._took = timedelta(0)
        self._clean = False
        self._told: dict[str, datetime] = {}

    async def run_in_turn(self) -> None:
        """One pass, where that is this process's office. One whose rules are not those by which the tickets
        were counted, because its configuration or its feeds are older, leaves that to another."""
        alone = self._desk.me == ALONE
        self._office.wanted = alone or await self._desk.database.survey(recounting.is_counted)
        if self._office.ours and self._office.wanted:
            await self.run()

    async def run(self) -> Verdict:
        """One pass; and another one at once where all that was found could be put right."""
        verdict = await self._pass()
        again = await self._pass() if verdict.found and not verdict.left else verdict
        self._clean = not again.found
        self._last, self._finished = verdict, self._clock.now()
        self._metrics.audited(self._finished, clean=self._clean)
        return verdict

    @property
    def vouches(self) -> bool:
        """Whether the newest pass was clean, or the one after it had put right everything, and is not old."""
        if self._finished is None or not self._clean or not self._office.ours:
            return False
        return abs(self._clock.now() - self._finished) <= max(STALE, self._took * 2)

    def health(self) -> Health:
        """Always well, for nothing hangs on it; the note says what it found."""
        if not self._office.ours:
            return Health(True, note="another process audits")
        now = self._clock.now()
        silent = now - (self._finished or self._began)
        if silent > max(MISSED, self._took * 2):
            return Health(True, note=f"no audit for {silent.total_seconds() / 60:.0f} min")
        if self._last is None or self._finished is None:
            return Health(True, note="not audited yet")
        return Health(
            True, note=f"{_told(self._last)} at {self._finished:%H:%M} UTC, {self._last.seen} tickets"
        )

    async def _pass(self) -> Verdict:
        await self._tick()
        verdict, began = Verdict(), time.perf_counter()
        place: queries.Place | None = queries.FIRST
        while place is not None:
            started = time.perf_counter()
            async with self._desk.rules_hold:
                stretch = await self._desk.database.survey(partial(actions.look, after=place, limit=STRETCH))
                verdict.seen += stretch.seen
                await self._mend(verdict, {finding.ticket for finding in stretch.found})
            if (place := stretch.then) is not None:  # half of the time is everybody else's
                await asyncio.sleep(time.perf_counter() - started)
        late = await self._desk.database.survey(actions.overdue)
        verdict.found += late
        verdict.left += late
        self._took = timedelta(seconds=time.perf_counter() - began)
        await self._report(verdict)
        return verdict

    async def _mend(self, verdict: Verdict, wrong: Iterable[TicketId]) -> None:
        left = sorted(wrong)
        while left:
            some, left = left[:MENDED_TOGETHER], left[MENDED_TOGETHER:]
            for mended in await self._desk.database.write(partial(actions.mend, numbers=some)):
                verdict.found += mended.found
                verdict.left += mended.left

    async def _report(self, verdict: Verdict) -> None:
        self._metrics.audit_pass(
            verdict.seen,
            self._took.total_seconds(),
            found=Counter(finding.about for finding in verdict.found),
            left=Counter(finding.about for finding in verdict.left),
        )
        for finding in verdict.found[:LOGGED]:
            mended = finding not in verdict.left
            facts = {"ticket": finding.ticket, "about": finding.about, "what": finding.what, "mended": mended}
            _log.warning("the audit found something wrong", extra=facts)
        left = set(verdict.left)
        await self._alarm("", [finding for finding in verdict.found if finding not in left])
        await self._alarm("_left", verdict.left)

    async def _alarm(self, ending: str, found: list[Finding]) -> None:
        """Those who run the desk are told, of each kind of thing once an hour."""
        now = self._clock.now()
        for about in sorted({finding.about for finding in found}):
            key = f"{about}{ending}"
            if (last := self._told.get(key)) is not None and abs(now - last) < ALARM_EVERY:
                continue
            numbers = sorted({finding.ticket for finding in found if finding.about == about} - {NO_TICKET})
            await self._desk.database.write(partial(_alarm, key=key, numbers=numbers))
            self._told[key] = now


async def beat_if_clean(audit: Audit, heart: Heartbeat, metrics: Metrics) -> None:
    """Call the address elsewhere, unless the auditor found what is not settled, or is silent."""
    if audit.vouches:
        metrics.beat(taken=await heart.send())


def _told(verdict: Verdict) -> str:
    """The verdict in a few words."""
    if verdict.left:
        kinds = ", ".join(sorted({finding.about for finding in verdict.left}))
        return f"{len(verdict.left)} findings left: {kinds}"
    return f"{len(verdict.found)} findings put right" if verdict.found else "clean"


async def _alarm(tx: Transaction, key: str, numbers: list[TicketId]) -> None:
    """A restart within the hour does not tell it again."""
    facts = {"key": key, "tickets": numbers[:NAMED], "count": len(numbers)}
    for person in await people.admins(tx):
        slot = f"audit:{key}:{person.id}:{tx.now:%Y-%m-%dT%H}"
        if not await posts.posts_of_slot(tx, slot):
            await outbox.put(tx, Parcel("audit", facts, person=person.id, slot=slot))
