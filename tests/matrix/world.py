"""One desk in all three messengers at once, on a clock that is turned by hand."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

from bot import config, i18n, main
from bot.message import Fact, Words
from bot.pace import Pace
from core.database.engine import Database
from core.kernel.clock import HandClock
from tests import databases
from tests.emulators.slack import Channel, Slack
from tests.emulators.telegram import Telegram
from tests.emulators.telegram.groups import Group
from tests.town import Town

GROUP, TEAM = -1001234567890, "T0ACME"
CONFIG = """
[telegram]
token = "{telegram.token}"
api_url = "{telegram.url}"
[slack]
bot_token = "{slack.bot_token}"
app_token = "{slack.app_token}"
api_url = "{slack.api_url}"
[desk]
time_zone = "UTC"
language = "{language}"
rating_every = "0s"
[[people]]
name = "Anna Smirnova"
identities = ["slack:T0ACME/U0502"]
roles = ["agent"]
languages = ["{language}"]
[[people]]
name = "Boris Orlov"
identities = ["telegram:503"]
roles = ["agent"]
languages = ["{language}"]
[[people]]
name = "Maria Sokolova"
identities = ["web:maria"]
roles = ["agent"]
languages = ["{language}"]
[[queues]]
name = "support"
title = {{ en = "Support", ru = "Поддержка" }}
spaces = ["telegram:-1001234567890", "slack:T0ACME/{channel.id}", "web:support"]
"""


@dataclass
class World(Town):
    """The desk, its three messengers and everybody in them."""

    telegram: Telegram = field(kw_only=True)
    slack: Slack = field(kw_only=True)
    group: Group = field(kw_only=True)
    channel: Channel = field(kw_only=True)
    tempo: list[float] = field(kw_only=True)
    hearing: list[asyncio.Task[None]] = field(default_factory=list)

    async def open(self) -> None:
        """The process begins, and hears all three."""
        await self.house.desk.open()
        self.hearing = [
            asyncio.create_task(each.run(self.house.router)) for each in self.house.adapters.values()
        ]
        await self.slack.connected(1)
        await self.slack.until(
            lambda: all(part.ok for part in self.house.health().values()), 10, "all are heard"
        )

    async def end(self) -> None:
        """The process ends without a word."""
        for task in self.hearing:
            task.cancel()
        await asyncio.gather(*self.hearing, return_exceptions=True)
        await self.database.close()

    async def restart(self, toml: str | None = None) -> None:
        """Another process takes up the same file."""
        assert toml is None
        await self.end()
        self.database = Database(databases.place(self.path), self.clock)
        self.house = _build(self.settings, self.database, self.clock, self.tempo)
        await self.open()

    async def work(self) -> bool:
        """One round of what is due now; whether there was anything."""
        self.tempo[0] += 60.0
        before = await self.waiting()
        await self.house.router.catch_up()
        await self.house.delivery.catch_up()
        return bool(await self.house.scheduler.tick()) or before

    async def settle(self) -> None:
        """Let everything happen that is due now, in all of them."""
        for _ in range(2000):
            told = bool(self.telegram.updates.pending or self.slack.deliveries.waiting)
            if not await self.work() and not told:
                return
            await asyncio.sleep(0.002)
        raise AssertionError("the desk does not come to rest")

    def word(self, key: str, language: str = "en", /, **facts: Fact) -> str:
        """The desk's own words."""
        return i18n.word(Words(key, facts), language, time_zone="UTC", now=self.clock.now())


@contextlib.asynccontextmanager
async def world(tmp_path: Path, language: str = "en", more: str = "") -> AsyncIterator[World]:
    """Open the desk; everybody speaks the language."""
    path, clock, tempo = tmp_path / "desk.db", HandClock(), [0.0]
    async with (
        Telegram(privacy=False) as telegram,
        Slack(team=TEAM, clock=clock, time_scale=0.01, patience=3) as slack,
    ):
        telegram.user(501, "Ivan", last_name="Petrov", language_code=language, started=True)
        boris = telegram.user(503, "Boris", started=True)
        group = telegram.group(GROUP, "Support", forum=True, members=[boris])
        locale = {"en": "en-US", "ru": "ru-RU"}[language]
        anna = slack.user("Anna", id="U0502", locale=locale)
        slack.user("Olga Belova", id="U0505", locale=locale)
        channel = slack.channel("triage", members=[anna])
        file = tmp_path / "config.toml"
        words = CONFIG.format(telegram=telegram, slack=slack, channel=channel, language=language)
        await asyncio.to_thread(file.write_text, words + more, encoding="utf-8")
        settings = config.load(file, {"DESKBRIDGE_DATABASE__URL": databases.url(path)})
        lock = databases.prepared(path)
        database = Database(databases.place(path), clock)
        house = _build(settings, database, clock, tempo)
        opened = World(
            path,
            settings,
            clock,
            database,
            house,
            telegram=telegram,
            slack=slack,
            group=group,
            channel=channel,
            tempo=tempo,
        )
        await opened.open()
        try:
            yield opened
        finally:
            await opened.end()
            lock.release()


def _build(settings: config.Settings, database: Database, clock: HandClock, tempo: list[float]) -> main.House:
    return main.build(settings, database, clock, pace=Pace(lambda: tempo[0]))
