"""What has been said lately, read from the tables once for all open streams."""

import asyncio
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager

from bot.adapters.webchat import store
from core.database.engine import Database
from core.database.transaction import Transaction
from core.kernel.ids import Identity

KEPT = 300
"""Changes held in memory; a stream further behind reads the tables itself."""
BATCH = 200
FIRST = 500
"""Messages shown to somebody who has just opened the page."""
STREAMS = 2000


class Hub:
    """The one ear at the bell of the web chat, and the streams that are open."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._heard = database.bells.listen(store.BELL)
        self._lately: deque[store.Entry] = deque()
        self._floor = self._top = -1
        self._reading = asyncio.Lock()
        self._streams: set[asyncio.Event] = set()
        self.closed = False

    @property
    def full(self) -> bool:
        return len(self._streams) >= STREAMS

    @property
    def streams(self) -> int:
        return len(self._streams)

    @contextmanager
    def stream(self) -> Iterator[asyncio.Event]:
        """An event that is set whenever there may be something new, and at the end."""
        heard = self._database.bells.listen(store.BELL)
        self._streams.add(heard)
        try:
            yield heard
        finally:
            self._streams.discard(heard)
            self._database.bells.ignore(heard)

    def close(self) -> None:
        """Let every stream end now."""
        self.closed = True
        for heard in self._streams:
            heard.set()

    async def first(self, viewer: Identity, rooms: Collection[str]) -> tuple[list[store.Entry], int]:
        """What somebody sees who comes without history, and up to which change that is."""

        async def work(tx: Transaction) -> tuple[list[store.Entry], int]:
            return await store.recent(tx, viewer, rooms, FIRST), await store.last_seq(tx)

        return await self._database.read(work)

    async def knows(self, after: int) -> bool:
        """Whether this is the number of a change that has happened."""
        await self._catch_up()
        return 0 < after <= self._top

    async def since(
        self, viewer: Identity, rooms: Collection[str], after: int
    ) -> tuple[list[store.Entry], int, bool]:
        """What `viewer` missed after a change, up to which change that is, and whether there is more."""
        await self._catch_up()
        if after >= self._floor:
            return self._from_memory(viewer, rooms, after), max(after, self._top), False
        top = self._top

        async def work(tx: Transaction) -> list[store.Entry]:
            return await store.replay(tx, viewer, rooms, after, BATCH)

        missed = await self._database.read(work)
        more = len(missed) == BATCH
        return missed, missed[-1].seq if more else max([top, *(entry.seq for entry in missed)]), more

    def _from_memory(self, viewer: Identity, rooms: Collection[str], after: int) -> list[store.Entry]:
        fresh: dict[int, store.Entry] = {}  # of a message changed twice only the newest state
        for entry in reversed(self._lately):
            if entry.seq <= after:
                break
            if entry.room in rooms and entry.shown_to(viewer):
                fresh.setdefault(entry.id, entry)
        return list(fresh.values())[::-1]

    async def _catch_up(self) -> None:
        async with self._reading:
            if self._top < 0:
                self._floor = self._top = await self._database.read(store.last_seq)
            while self._heard.is_set():
                self._heard.clear()
                try:
                    await self._read_on()
                except BaseException:
                    self._heard.set()
                    raise

    async def _read_on(self) -> None:
        async def work(tx: Transaction) -> list[store.Entry]:
            return await store.changed(tx, self._top, BATCH)

        while fresh := await self._database.read(work):
            self._top = fresh[-1].seq
            self._lately.extend(fresh)
            while len(self._lately) > KEPT:
                self._floor = self._lately.popleft().seq
            if len(fresh) < BATCH:
                break
