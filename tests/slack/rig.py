"""A desk that speaks Slack: the real SDK and Bolt against Slack on loopback, time turned by hand."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Literal

from aiohttp import web

from bot import config, i18n, main
from bot.message import Words
from bot.pace import Pace
from core.database.engine import Database
from core.database.transaction import Transaction
from core.inbox import store as inbox
from core.kernel.clock import HandClock
from core.kernel.ids import TicketId
from core.outbox import store as outbox
from core.tickets import store as tickets
from core.tickets.model import Ticket
from tests import databases
from tests.emulators.slack import Channel, Interaction, Message, Slack, User, View

TEAM = "T0ACME"
IVAN, ANNA, BORIS, MARIA = "U0501", "U0502", "U0503", "U0504"
PATIENCE = 60.0
Mode = Literal["socket", "http"]

CONFIG = """
[slack]
bot_token = "{bot_token}"
app_token = "{app_token}"
signing_secret = "{signing_secret}"
api_url = "{api_url}"
mode = "{mode}"
{more}

[desk]
rating_every = "0s"
time_zone = "UTC"
language = "{language}"

[[people]]
name = "Anna Smirnova"
identities = ["slack:{team}/U0502"]
roles = ["agent"]
[[people]]
name = "Boris Orlov"
identities = ["slack:{team}/U0503"]
roles = ["agent"]
[[people]]
name = "Maria Sokolova"
identities = ["slack:{team}/U0504"]
roles = ["lead", "admin"]

[[queues]]
name = "support"
title = {{ en = "Support", ru = "Поддержка" }}
spaces = ["slack:{team}/{channel}"]

[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [
  {{ after = "15s", of = "unclaimed", whom = "agents" }},
  {{ after = "30s", of = "unclaimed", whom = "agents" }},
]
"""


@dataclass
class Rig:
    """The desk, Slack, and everybody in it."""

    path: Path
    settings: config.Settings
    slack: Slack
    triage: Channel
    town: Channel
    """A public channel that is nobody's staff space."""
    clock: HandClock
    database: Database
    house: main.House
    mode: Mode = "socket"
    tempo: float = 0.0
    receiving: asyncio.Task[None] | None = None
    site: web.AppRunner | None = None

    @property
    def ivan(self) -> User:
        return self.slack.users[IVAN]

    @property
    def anna(self) -> User:
        return self.slack.users[ANNA]

    @property
    def boris(self) -> User:
        return self.slack.users[BORIS]

    @property
    def maria(self) -> User:
        return self.slack.users[MARIA]

    async def start(self) -> None:
        """Begin to hear."""
        adapter = self.house.adapters["slack"]
        self.receiving = asyncio.create_task(adapter.run(self.house.router))
        if self.mode == "http":
            application = web.Application()
            application.add_routes(adapter.routes())
            self.site = web.AppRunner(application)
            await self.site.setup()
            await web.TCPSite(self.site, "127.0.0.1", 0).start()
            port = self.site.addresses[0][1]
            self.slack.hooks.stamp = lambda: self.clock.now().timestamp()
            await self._hears()
            await self.slack.use_http(f"http://127.0.0.1:{port}/slack/events")
        else:
            self.slack.use_sockets()
            await self.slack.connected(1)
            await self._hears()

    async def _hears(self) -> None:
        adapter = self.house.adapters["slack"]
        await self.slack.until(lambda: adapter.health().ok, 10, "the desk hears Slack")

    async def stop(self) -> None:
        if self.receiving is not None:
            self.receiving.cancel()
            await asyncio.gather(self.receiving, return_exceptions=True)
        if self.site is not None:
            await self.site.cleanup()
            self.site = None

    async def heard(self) -> None:
        """Wait until Slack has nothing left to tell."""
        async with asyncio.timeout(PATIENCE):
            while any(not each.tries for each in self.slack.deliveries.waiting):
                if await self._work():
                    continue
                await asyncio.sleep(0.002)

    async def _work(self) -> bool:
        """One round of what is due now; whether there was anything."""
        self.tempo += 60.0
        before = await self._waiting()
        await self.house.router.catch_up()
        await self.house.delivery.catch_up()
        return await self.house.scheduler.tick() > 0 or before

    async def settle(self) -> None:
        """Let everything happen that is due now; what only waits for its pace need not wait."""
        for _ in range(200):
            await self.heard()
            if not await self._work() and not self.slack.deliveries.waiting and not await self._waiting():
                return
        raise AssertionError("the desk does not come to rest")

    async def _waiting(self) -> bool:
        async def look(tx: Transaction) -> bool:
            return bool(await inbox.lanes(tx, 1) or await outbox.heads(tx, (), 1))

        return await self.database.write(look)

    async def later(self, span: timedelta) -> None:
        self.clock.advance(span)
        await self.settle()

    # ---- what people do

    async def say(self, user: User, text: str, **more: Any) -> Message:
        """Write and let the desk answer."""
        message = await user.send(text, **more)
        await self.settle()
        return message

    async def press(self, user: User, label: str, where: Message | View) -> Interaction:
        """Press the button, or choose the option of a menu, with this label."""
        there = label in where.buttons
        pressed = await (user.press(where, label) if there else user.press(where, "", label))
        await self.settle()
        return await pressed.done()

    async def command(self, user: User, line: str, channel: Channel | None = None) -> Interaction:
        given = await user.command(line, channel=channel)
        await self.settle()
        return await given.done()

    async def shortcut(self, user: User, name: str, message: Message | None = None) -> None:
        used = await user.shortcut(name, message)
        await self.settle()
        await used.done()

    async def fill(self, user: User, values: Mapping[str, str]) -> dict[str, str]:
        """Fill in the form that is open and send it; what it complains of, by field."""
        sending = asyncio.create_task(user.submit(values))
        while not sending.done():
            await self._work()
            await asyncio.sleep(0.002)
        sent = await sending
        await self.settle()
        return sent.errors

    async def react(self, user: User, message: Message, name: str) -> None:
        await user.react(message, name)
        await self.settle()

    async def choose(self, user: User, label: str) -> None:
        """Press the newest button with this label in the direct message."""
        for message in reversed(user.dm.messages):
            if label in message.buttons:
                await self.press(user, label, message)
                return
        raise AssertionError(f"no button {label!r}; there are {[m.buttons for m in user.dm.messages]}")

    # ---- what is to be seen

    async def ticket(self, number: int) -> Ticket:
        return await self.database.read(lambda tx: tickets.get(tx, TicketId(number)))

    def word(self, key: str, language: str = "en", /, **facts: object) -> str:
        """The desk's own words."""
        said = Words(key, facts)  # type: ignore[arg-type]
        return i18n.word(said, language, time_zone="UTC", now=self.clock.now())

    def card(self, number: int) -> Message:
        """The ticket's card in the channel of the agents."""
        sign = re.compile(rf"[🔴🟠🔵⚪✅☑]\ufe0f? #{number} ")
        return [each for each in self.triage.from_bot if sign.match(each.shown)][-1]

    def told(self, number: int) -> str:
        """The words of the ticket's thread."""
        return "\n---\n".join(message.shown for message in self.card(number).replies)

    def heard_by(self, user: User) -> str:
        """All that this person can read in their direct message with the desk."""
        return "\n---\n".join([*user.dm.texts, *(each.shown for each in user.dm.private_to(user))])

    async def report(self, text: str = "VPN drops every ten minutes", *, urgent: bool = False) -> Message:
        """Ivan reports something, in the shortest way; returns the thread's first message."""
        language = self.ivan.locale[:2]
        root = await self.say(self.ivan, text)
        urgency = self.word("urgency.critical" if urgent else "urgency.normal", language)
        skip, send = self.word("button.skip", language), self.word("button.send", language)
        answers = {"en": ("The office", "Only me"), "ru": ("Из офиса", "Только у меня")}[language]
        for label in (*answers, skip, urgency, send):
            await self.choose(self.ivan, label)
        return root

    async def restart(self) -> None:
        """The process ends without a word; another takes up the same file."""
        await self.stop()
        await self.database.close()
        self.database = Database(databases.place(self.path), self.clock)
        self.house = self._build()
        await self.house.desk.open()
        await self.start()

    def _build(self) -> main.House:
        return main.build(self.settings, self.database, self.clock, pace=Pace(lambda: self.tempo))


def words_of(
    slack: Slack, channel: Channel, mode: Mode = "socket", more: str = "", language: str = "en"
) -> str:
    """The configuration."""
    return CONFIG.format(
        bot_token=slack.bot_token,
        app_token=slack.app_token,
        signing_secret=slack.signing_secret,
        api_url=slack.api_url,
        mode=mode,
        more=more,
        language=language,
        team=slack.team,
        channel=channel.id,
    )


@contextlib.asynccontextmanager
async def rig(
    tmp_path: Path, *, mode: Mode = "socket", more: str = "", language: str = "en", **world: Any
) -> AsyncIterator[Rig]:
    """Open a desk and a Slack for it."""
    path = tmp_path / "desk.db"
    clock = HandClock()
    async with Slack(**{"team": TEAM, "clock": clock, "time_scale": 0.01, "patience": 3, **world}) as slack:
        locale = {"en": "en-US", "ru": "ru-RU"}[language]
        ivan = slack.user("Ivan Petrov", id=IVAN, locale=locale)
        staff = [
            slack.user("Anna", id=ANNA, locale=locale),
            slack.user("Boris", id=BORIS, locale=locale),
            slack.user("Maria", id=MARIA, locale=locale),
        ]
        triage = slack.channel("triage", members=staff)
        town = slack.channel("town", members=[ivan, *staff])
        file = tmp_path / "config.toml"
        await asyncio.to_thread(
            file.write_text, words_of(slack, triage, mode, more, language), encoding="utf-8"
        )
        settings = config.load(file, {"DESKBRIDGE_DATABASE__URL": databases.url(path)})
        lock = databases.prepared(path)
        database = Database(databases.place(path), clock)
        opened = Rig(path, settings, slack, triage, town, clock, database, None, mode)  # type: ignore[arg-type]
        opened.house = opened._build()
        await opened.house.desk.open()
        await opened.start()
        try:
            yield opened
        finally:
            await opened.stop()
            await opened.database.close()
            lock.release()
