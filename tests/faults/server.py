"""The PostgreSQL server of a kill run, the line to it, and what goes wrong with both."""

import asyncio
import contextlib
import random
import re
import signal
import subprocess
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

from core.database.bells import wait
from tests import postgres
from tests.faults.proxy import Proxy
from tests.process.desk import Desk

OWN = "postgresql"
"""Asks for a server of the run's own."""
REST = 4.0, 12.0
"""Seconds between two troubles: in most of the time all is well but for the kills."""
LASTS = 0.5, 4.0
"""Seconds that the server is slow, silent or away."""
STANDS_STILL = 1.0, 12.0
"""Seconds that a process is stopped: up to longer than the others wait before they bury it."""
AFTERWARDS = 10.0
"""So many seconds after a trouble a start may still fail of it."""
_HEX = re.compile(r"\\\\x((?:[0-9a-f]{2})+)")


@dataclass
class Server:
    """Where the desks' processes find the database, and how it is asked beside them."""

    url: str
    """Through the line that can be bad."""
    direct: str
    line: Proxy
    own: postgres.Postgres | None
    """Where it is the run's own, and may be killed."""
    told: Callable[[], None] = lambda: None
    """Called for everything that may cost an answer."""
    names: list[str] = field(default_factory=list)
    """The troubles so far."""
    _bad_until: float = 0.0

    def troubled(self) -> bool:
        """Whether it is, or was a moment ago, out of reach."""
        return asyncio.get_running_loop().time() < self._bad_until

    def dump(self) -> str:
        """Everything that is kept, also what is kept as bytes."""
        told = _told(postgres.needed() / "pg_dump", "--dbname", _plain(self.direct))
        words = told.decode("latin-1")
        bytes_ = (bytes.fromhex(found).decode("latin-1") for found in _HEX.findall(words))
        return words + "\n".join(bytes_)

    def ask(self, words: str) -> None:
        """A statement beside the desk, while the server answers."""
        _told(
            postgres.needed() / "psql", "--no-psqlrc", "--quiet",
            "--dbname", _plain(self.direct), "--command", words,
        )  # fmt: skip

    # ---- what goes wrong

    async def suffer(self, desks: Sequence[Desk], seed: int, over: asyncio.Event) -> None:
        """One trouble after the other until it is `over`; then everything is well."""
        dice = random.Random(f"troubles {seed}")
        troubles: list[tuple[str, Callable[[], Awaitable[None]]]] = [
            ("sessions ended", self._end_sessions),
            ("cut", self._cut),
            ("slow", lambda: self._while(lambda: self.line.latency(0.05, 0.1), dice)),
            ("silent", lambda: self._while(self.line.mute, dice)),
            ("refusing", lambda: self._refuse(dice)),
            ("stopped", lambda: self._stop(dice.choice(desks), dice.uniform(*STANDS_STILL))),
        ]
        if self.own is not None:
            troubles.append(("restarted", self._restart))
        try:
            while not await wait(over, at_most=dice.uniform(*REST)):
                name, trouble = dice.choice(troubles)
                await self._through(name, trouble)
        finally:
            await self.line.restore()

    async def _through(self, name: str, trouble: Callable[[], Awaitable[None]]) -> None:
        if name != "stopped":
            self._bad_until = float("inf")
        try:
            await trouble()
        finally:
            if name != "stopped":
                self._bad_until = asyncio.get_running_loop().time() + AFTERWARDS
            self.names.append(name)
            self.told()

    async def _end_sessions(self) -> None:
        await asyncio.to_thread(
            self.ask,
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()",
        )

    async def _cut(self) -> None:
        self.line.cut()

    async def _while(self, begin: Callable[[], None], dice: random.Random) -> None:
        begin()
        await asyncio.sleep(dice.uniform(*LASTS))
        await self.line.restore()

    async def _refuse(self, dice: random.Random) -> None:
        await self.line.refuse()
        self.line.cut()
        await asyncio.sleep(dice.uniform(*LASTS))
        await self.line.restore()

    async def _restart(self) -> None:
        assert self.own is not None
        await asyncio.to_thread(self.own.stop, "immediate")
        await asyncio.to_thread(self.own.start)

    async def _stop(self, desk: Desk, seconds: float) -> None:
        """It stands still and goes on, unless it dies meanwhile."""
        pid = desk.pid
        desk.send(signal.SIGSTOP)
        try:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await desk.gone()
        finally:
            if desk.alive and desk.pid == pid:
                desk.send(signal.SIGCONT)


def _told(*words: str | Path) -> bytes:
    """What one of the server's programs prints."""
    return subprocess.run(words, capture_output=True, check=True, timeout=300).stdout


def _plain(url: str) -> str:
    """The same for the server's own programs."""
    return url.replace("postgresql+asyncpg:", "postgresql:", 1)


@contextlib.asynccontextmanager
async def server(database: str) -> AsyncIterator[Server]:
    """A server of one's own where `database` is OWN; else the one that its url names, through a line that can
    be bad."""
    async with AsyncExitStack() as stack:
        own = stack.enter_context(postgres.another(durable=True)) if database == OWN else None
        direct = own.create("desk") if own else database
        found = urlsplit(direct)
        host = found.hostname or "127.0.0.1"
        line = await stack.enter_async_context(Proxy(found.port or 5432, host=host))
        who = found.netloc.rpartition("@")
        through = urlunsplit(found._replace(netloc=f"{who[0]}{who[1]}127.0.0.1:{line.port}"))
        yield Server(through, direct, line, own)
