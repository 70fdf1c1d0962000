"""This process among others on the same database: it lives, has offices, and knows what is its own share."""

import asyncio
import hashlib
import logging
import secrets
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from functools import partial

from core import replicas
from core.database import engine, migrate
from core.database.bells import wait
from core.database.engine import Database
from core.database.transaction import Transaction
from core.kernel.errors import NotOurs, SetupError, TemporaryError
from core.leases import actions as leases
from core.leases.model import ALONE, EVERY, SILENT, Lease, Watch
from core.leases.model import Replica as Written

_log = logging.getLogger(__name__)
_NEVER = datetime.fromtimestamp(0, UTC)
AFTER_TROUBLE = 1.0
"""Seconds until a beat is tried again."""
AT = "@"
"""Stands between what only one process can answer and that process's name."""


class Office:
    """Something that one process at a time does for all of them."""

    def __init__(self, name: str, replica: "Replica") -> None:
        self.name = name
        self.wanted = True
        """Whether this process is fit for it."""
        self._replica = replica
        self._lease: Lease | None = None
        self._sure_until = 0.0
        self._changed = asyncio.Event()

    @property
    def ours(self) -> bool:
        """Whether it is surely this process's now: nobody else can have taken it yet."""
        if not self._replica.begun:
            return True
        return self._lease is not None and self._replica.monotonic() < self._sure_until

    async def wait(self) -> None:
        """Returns as soon as it is ours."""
        while not self.ours:
            self._changed.clear()
            await self._changed.wait()

    async def check(self, tx: Transaction) -> None:
        """Raises NotOurs where it is another's by now, so that nothing of the transaction holds."""
        if not self._replica.begun:
            return
        if self._lease is None:
            raise NotOurs(f"{self.name} is another process's by now")
        await leases.check(tx, self._lease)

    def told(self, lease: Lease | None, sure_until: float) -> None:
        if (lease is None) != (self._lease is None):
            _log.info("%s is %s now", self.name, "another process's" if lease is None else "this process's")
        self._lease, self._sure_until = lease, sure_until
        self._changed.set()


class Replica:
    """One of those that serve the database. Where it is not shared, this process is the only one: it owns
    everything and writes nothing down."""

    def __init__(
        self, database: Database, version: str = "", monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self.id = secrets.token_hex(6) if database.shared else ALONE
        self.monotonic = monotonic
        self._database = database
        self._version = version
        self._offices: dict[str, Office] = {}
        self._watch = Watch()
        self._living: tuple[Written, ...] = ()
        self._upgraded = False
        self.begun = False
        """Whether it has said that it lives; until then it believes to be the only one."""
        self._heard = database.bells.listen(leases.BELL)
        self.changed: list[Callable[[], None]] = []
        """Called each time that others live than before: what is whose has changed."""

    @property
    def alone(self) -> bool:
        return self.id == ALONE

    @property
    def mark(self) -> str:
        """Ends the name of what only this process can answer."""
        return "" if self.alone else f"{AT}{self.id}"

    @property
    def living(self) -> int:
        """How many processes serve the database."""
        return max(len(self._living), 1)

    @property
    def others(self) -> tuple[str, ...]:
        """The newest schemas that the other processes know."""
        return tuple(each.schema for each in self._living if each.id != self.id)

    def told(self) -> str:
        """How many there are, in words for whoever runs the desk."""
        if self.alone:
            return "the only process"
        mine = ", ".join(name for name, office in self._offices.items() if office.ours)
        return f"{self.living} live; this is {self.id}" + (f" and does {mine}" if mine else "")

    def office(self, name: str) -> Office:
        return self._offices.setdefault(name, Office(name, self))

    def owns(self, what: str) -> bool:
        """Whether this is the process's own share, as far as it knows who lives. What only one process can
        answer, is that one's while it lives."""
        names = [each.id for each in self._living]
        if not self.begun:
            return True
        _, at, named = what.rpartition(AT)
        if at and named in names:
            return named == self.id
        return max(names, key=partial(_weight, what)) == self.id

    async def run(self) -> None:
        """Say that it lives, until cancelled."""
        if self.alone:
            await asyncio.Event().wait()
        upgrading: asyncio.Task[None] | None = None
        try:
            while True:
                pause = EVERY.total_seconds()
                if upgrading is not None and upgrading.done():
                    upgrading.result()
                try:
                    await self.beat()
                    if not self._upgraded and not any(schema < migrate.HEAD for schema in self.others):
                        # Beside the beats: it may take longer than the others would wait.
                        self._upgraded = True
                        upgrading = asyncio.create_task(self._end_the_upgrade())
                except TemporaryError as error:
                    _log.warning("this process cannot say that it lives: %s", error)
                    pause = AFTER_TROUBLE
                await wait(self._heard, at_most=pause)
        finally:
            if upgrading is not None:
                upgrading.cancel()

    async def _end_the_upgrade(self) -> None:
        """Once nobody older lives, what they still needed is taken away from the schema."""
        try:
            await asyncio.to_thread(engine.prepare, self._database.place)
        except SetupError as error:
            _log.error("the upgrade could not be ended: %s", error)

    async def beat(self) -> None:
        """Say that it lives, and take over from whoever is dead. Raises TemporaryError."""
        if self.alone:
            return
        silent = await self._beat(())
        if silent:
            await self._beat(silent)

    async def _beat(self, silent: Sequence[Written]) -> list[Written]:
        """Those that have been silent for too long."""
        began = self.monotonic()
        work = partial(
            replicas.beat,
            me=Written(self.id, self._version, migrate.HEAD, 0, _NEVER),
            silent=silent,
            wanted={name: office.wanted for name, office in self._offices.items()},
        )
        found = await self._database.write(work, urgent=True)
        if not found.known and self.begun:
            _log.warning("this process was taken for dead; what it held has gone to others")
        self.begun = True
        for name, lease in found.held.items():
            self._offices[name].told(lease, began + SILENT.total_seconds())
        self._learn(found.living)
        dead = self._watch.silent(found.living, began)
        return [each for each in found.living if each.id in dead and each.id != self.id]

    def _learn(self, living: tuple[Written, ...]) -> None:
        before, self._living = {each.id for each in self._living}, living
        if before != {each.id for each in living}:
            _log.info("processes that serve the database: %d", len(living))
            for call in self.changed:
                call()

    async def leave(self) -> None:
        """A clean end: what it held is free at once."""
        if self.alone:
            return
        try:
            await self._database.write(partial(replicas.leave, gone=self.id))
        except TemporaryError as error:
            _log.warning("the others will find out that this process is gone: %s", error)


def _weight(what: str, name: str) -> bytes:
    return hashlib.blake2b(f"{name} {what}".encode(errors="surrogatepass"), digest_size=8).digest()
