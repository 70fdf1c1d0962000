"""The hearing alone, at Slack on loopback, with a door that can be shut."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from aiohttp import web

from bot.adapters.port import ALWAYS, Office, Raw
from bot.adapters.slack.account import Account
from bot.adapters.slack.client import Client
from bot.adapters.slack.hearing import Hearing
from bot.incoming import Edited, Incoming, Said
from core.database.engine import Database
from core.kernel.clock import WallClock
from core.kernel.errors import TemporaryError
from core.kernel.ids import Address
from tests import databases
from tests.emulators.slack import Channel, Slack


@dataclass
class Inbox:
    """A door that keeps events by their keys, or is shut, or takes its time."""

    kept: dict[str, Raw] = field(default_factory=dict)
    shut: bool = False
    told: int = 0
    quick: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.quick.set()

    async def accept(
        self, platform: str, account: str, events: Sequence[Raw], *, office: Office = ALWAYS
    ) -> int:
        self.told += len(events)
        await self.quick.wait()
        if self.shut:
            raise TemporaryError("the database is away")
        before = len(self.kept)
        for event in events:
            self.kept.setdefault(event.key, event)
        return len(self.kept) - before

    @property
    def last(self) -> Raw:
        return list(self.kept.values())[-1]


@dataclass
class Ear:
    """One hearing at one Slack. `later` is added to the machine's monotonic clock."""

    slack: Slack
    database: Database
    account: Account
    client: Client
    triage: Channel
    town: Channel
    door: Inbox = field(default_factory=Inbox)
    threads: list[Address] = field(default_factory=list)
    office: Office = ALWAYS
    later: float = 0.0
    running: asyncio.Task[None] | None = None
    site: web.AppRunner | None = None

    def __post_init__(self) -> None:
        self.hearing = self._anew()

    def _anew(self) -> Hearing:
        return Hearing(
            self.account,
            self.client,
            self.database,
            WallClock(),
            self._threads,
            self._monotonic,
            office=self.office,
        )

    async def _threads(self) -> Sequence[Address]:
        return self.threads

    def _monotonic(self) -> float:
        return time.monotonic() + self.later

    # ---- running

    async def start(self, sockets: int = 2) -> None:
        """Begin to hear, and wait until it does."""
        self.running = asyncio.create_task(self.hearing.run(self.door))
        if self.account.mode == "http":
            await self.serve()
            await self.slack.until(lambda: self.hearing.health().ok, what="it to know Slack")
        else:
            await self.slack.connected(sockets)

    async def serve(self) -> None:
        """Our own web server, where Slack brings what it has."""
        application = web.Application()
        application.add_routes(self.hearing.routes())
        self.site = web.AppRunner(application)
        await self.site.setup()
        await web.TCPSite(self.site, "127.0.0.1", 0).start()
        await self.slack.use_http(self.url)

    @property
    def url(self) -> str:
        assert self.site is not None
        return f"http://127.0.0.1:{self.site.addresses[0][1]}/slack/events"

    async def stop(self) -> None:
        if self.running is not None:
            self.running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self.running
        if self.site is not None:
            await self.site.cleanup()
        self.running = self.site = None

    async def restart(self) -> None:
        """A new process, that remembers nothing but what is written down."""
        await self.stop()
        self.hearing = self._anew()
        await self.start()

    # ---- what was heard

    async def reads(self) -> list[Incoming]:
        """What all that is kept means."""
        found = []
        for event in list(self.door.kept.values()):
            await self.hearing.learn(event.body)
            if (incoming := self.hearing.read(event.body)) is not None:
                found.append(incoming)
        return found

    async def words(self) -> list[str]:
        return [each.what.text for each in await self.reads() if isinstance(each.what, Said | Edited)]

    async def hears(self, words: str) -> None:
        """Somebody says it, and it is kept and acknowledged."""
        ann = self.slack.user("Ann Lee", id="U0ANN", locale="ru-RU")
        await ann.send(words)
        await self.slack.settled()
        assert words in await self.words()


@contextlib.asynccontextmanager
async def ear(
    path: Path, *, mode: Any = "socket", begin: bool = True, other_workspaces: bool = False, **more: Any
) -> AsyncIterator[Ear]:
    """A hearing at a Slack that is made with `more`."""
    async with Slack(**more) as slack:
        triage, town = slack.channel("triage"), slack.channel("town")
        account = Account(
            slack.bot_token,
            slack.app_token,
            slack.signing_secret,
            slack.api_url,
            mode,
            (f"{slack.team}/{triage.id}",),
            other_workspaces,
        )
        lock = databases.prepared(path / "desk.db")
        database = Database(databases.place(path / "desk.db"))
        opened = Ear(slack, database, account, Client(account.bot_token, account.api_url), triage, town)
        try:
            if begin:
                await opened.start()
            yield opened
        finally:
            await opened.stop()
            await opened.client.close()
            await database.close()
            lock.release()
