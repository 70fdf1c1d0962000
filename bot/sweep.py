"""The nightly sweep: files nobody needs, and events and parcels that are over for long."""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial

from bot.flows import dialog
from bot.replica import Office, Replica
from core.bursts import store as bursts
from core.database.engine import Database
from core.dialogs import store as dialogs
from core.files import actions as files
from core.files.blobs import Blobs
from core.inbox import store as inbox
from core.kernel.clock import Clock
from core.outbox import store as outbox


class Sweep:
    """Forgets what is over after `keep_for`. What waits, what was given up, what belongs to a ticket and
    what people read on the page is never touched."""

    def __init__(
        self,
        database: Database,
        blobs: Blobs,
        clock: Clock,
        keep_for: timedelta,
        office: Office | None = None,
    ) -> None:
        self._office = office or Replica(database).office("the sweep")
        self._database = database
        self._blobs = blobs
        self._clock = clock
        self._keep_for = keep_for

    async def run(self) -> None:
        """What is in the database is swept by one process, what lies on a machine by each."""
        gone: set[str] = set()
        if self._office.ours:
            sweep = partial(files.sweep, holders=(dialogs.holding, inbox.holding))
            gone = set(await self._database.write(sweep))
            await self._events()
        await self._bytes(gone)

    async def _bytes(self, gone: set[str]) -> None:
        """Delete files that no ticket came of, bytes that no file came of, and old copies of what is kept in
        the database."""
        old = await asyncio.to_thread(self._blobs.before, self._clock.now() - files.LOOSE_FOR)
        copies = self._database.shared
        gone |= old if copies else await self._database.read(lambda tx: files.unknown(tx, old))
        for file_id in gone:
            await asyncio.to_thread(self._blobs.remove, file_id)

    async def _events(self) -> None:
        before = self._clock.now() - self._keep_for
        kept = {dialog.slot(each) for each in await self._database.read(dialogs.all_under_way)}
        for forget in (
            inbox.forget,
            outbox.forget,
            partial(outbox.forget_posts, kept=kept),
            bursts.forget,
        ):
            await self._through(partial(forget, before=before))

    async def _through(self, forget: Callable[..., Awaitable[int | None]]) -> None:
        """Stretch by stretch, each in a transaction of its own, with everybody else in between."""
        after: int | None = 0
        while after is not None:
            after = await self._database.write(partial(forget, after=after))
