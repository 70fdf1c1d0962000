"""Learning: what reading an event takes is asked of its platform, while other conversations go on."""

import asyncio
import logging
from collections.abc import Callable, Collection, Mapping
from functools import partial

from bot.adapters.port import Adapter
from core.database.engine import Database
from core.database.transaction import Transaction
from core.inbox import store as inbox
from core.inbox.model import LONGEST, Letter, pause
from core.kernel.errors import TemporaryError

_log = logging.getLogger(__name__)
AT_ONCE = 16
"""Questions to platforms side by side."""
ENOUGH = 3
"""Answers after which an event must be readable: what one of them told may be forgotten right after it, when
a connection to the database was lost and nobody knows what has changed meanwhile."""
HICCUP = 1.0
"""Seconds before a conversation goes on that could not be put off, because nothing can be written now."""


class Learning:
    """Conversations whose next event cannot be read yet. They hold up nobody else."""

    def __init__(self, database: Database, adapters: Mapping[str, Adapter], over: Callable[[], None]) -> None:
        """`over` is called each time a conversation may go on."""
        self._database = database
        self._adapters = adapters
        self._over = over
        self._asking: dict[str, asyncio.Task[None]] = {}
        self._learned: dict[str, list[int]] = {}
        """For each conversation the event, as often as was answered for it."""
        self._tries: dict[str, int] = {}
        self._few = asyncio.Semaphore(AT_ONCE)

    @property
    def lanes(self) -> Collection[str]:
        return self._asking.keys()

    @property
    def under_way(self) -> Collection[asyncio.Task[None]]:
        return self._asking.values()

    def begin(self, lane: str, letter: Letter) -> None:
        """Ask for what the letter takes. Raises ValueError if that has been answered often enough."""
        if self._learned.get(lane, []).count(letter.id) >= ENOUGH:
            raise ValueError("the event cannot be read, whatever the platform is asked")
        task = asyncio.create_task(self._learn(lane, letter))
        self._asking[lane] = task
        task.add_done_callback(partial(self._left, lane))

    def done(self, lane: str) -> None:
        """The event has been handled, or given up."""
        self._learned.pop(lane, None)
        self._tries.pop(lane, None)

    def _left(self, lane: str, _: asyncio.Task[None]) -> None:
        del self._asking[lane]
        self._over()

    async def _learn(self, lane: str, letter: Letter) -> None:
        try:
            async with self._few:
                await self._adapters[letter.platform].learn(letter.body)
        except TemporaryError as error:
            self._tries[lane] = self._tries.get(lane, 0) + 1
            await self._put_off(letter, error, self._tries[lane])
        except Exception as error:  # noqa: BLE001 - the next reading says so, and the event is parked in the end
            _log.error("a platform could not be asked", exc_info=error, extra={"lane": lane})
            self._learned.setdefault(lane, []).append(letter.id)
        else:
            self._learned.setdefault(lane, []).append(letter.id)

    async def _put_off(self, letter: Letter, error: TemporaryError, tries: int) -> None:
        """Not before the platform allows it, or after a pause that grows."""
        wait = min(error.delay if error.delay is not None else pause(tries), LONGEST)
        _log.info("a platform is asked again later: %s", error)

        async def work(tx: Transaction) -> None:
            await inbox.change(tx, letter.id, due_at=tx.now + wait)

        try:
            await self._database.write(work)
        except TemporaryError as trouble:
            _log.warning("it is asked again at once: %s", trouble)
            await asyncio.sleep(HICCUP)
