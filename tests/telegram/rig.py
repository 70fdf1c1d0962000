"""A desk that speaks Telegram: the real client against the Bot API on loopback, time turned by hand."""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

from bot import config, i18n, main
from bot.adapters.telegram import hearing
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
from tests.emulators.telegram.chats import Chat
from tests.emulators.telegram.groups import Group
from tests.emulators.telegram.messages import Message
from tests.emulators.telegram.people import User
from tests.emulators.telegram.world import TOKEN, Telegram

GROUP = -1001234567890
IVAN, ANNA, BORIS, MARIA = 501, 502, 503, 504
PATIENCE = 60.0

CONFIG = f"""
[telegram]
token = "{TOKEN}"
api_url = "{{url}}"
{{more}}

[desk]
rating_every = "0s"
time_zone = "UTC"
language = "{{language}}"

[[people]]
name = "Anna Smirnova"
identities = ["telegram:{ANNA}"]
roles = ["agent"]
[[people]]
name = "Boris Orlov"
identities = ["telegram:{BORIS}"]
roles = ["agent"]
[[people]]
name = "Maria Sokolova"
identities = ["telegram:{MARIA}"]
roles = ["lead", "admin"]

[[queues]]
name = "support"
title = {{{{ en = "Support", ru = "Поддержка" }}}}
spaces = ["telegram:{GROUP}"]

[[escalations]]
name = "urgent"
priorities = ["critical"]
steps = [
  {{{{ after = "15s", of = "unclaimed", whom = "agents" }}}},
  {{{{ after = "30s", of = "unclaimed", whom = "agents" }}}},
]
"""


@dataclass
class Rig:
    """The desk, Telegram, and everybody in it."""

    path: Path
    settings: config.Settings
    telegram: Telegram
    group: Group
    clock: HandClock
    database: Database
    house: main.House
    tempo: float = 0.0
    receiving: asyncio.Task[None] | None = None
    extra: dict[str, object] = field(default_factory=dict)

    @property
    def ivan(self) -> User:
        return self.telegram.users[IVAN]

    @property
    def anna(self) -> User:
        return self.telegram.users[ANNA]

    @property
    def boris(self) -> User:
        return self.telegram.users[BORIS]

    @property
    def maria(self) -> User:
        return self.telegram.users[MARIA]

    def start(self) -> None:
        """Begin to hear."""
        self.receiving = asyncio.create_task(self.house.adapters["telegram"].run(self.house.router))

    async def stop(self) -> None:
        if self.receiving is not None:
            self.receiving.cancel()
            await asyncio.gather(self.receiving, return_exceptions=True)
        await self.house.adapters["telegram"].close()  # type: ignore[attr-defined]

    async def heard(self) -> None:
        """Wait until the bot has confirmed every update."""
        async with asyncio.timeout(PATIENCE):
            while self.telegram.updates.pending:
                await asyncio.sleep(0.002)

    async def settle(self, *, waiting_too: bool = True) -> None:
        """Let everything happen that is due now; what only waits for its pace need not wait."""
        await self.heard()
        for _ in range(200):
            self.tempo += 60.0
            await self.house.router.catch_up()
            await self.house.delivery.catch_up()
            fired = await self.house.scheduler.tick()
            if not fired and not self.telegram.updates.pending and not await self._waiting():
                return
            await self.heard()
        raise AssertionError("the desk does not come to rest")

    async def _waiting(self) -> bool:
        async def look(tx: Transaction) -> bool:
            return bool(await inbox.lanes(tx, 1) or await outbox.heads(tx, (), 1))

        return await self.database.write(look)

    async def later(self, span: timedelta) -> None:
        self.clock.advance(span)
        await self.settle()

    async def say(self, user: User, text: str, **more: object) -> Message:
        """Write and let the desk answer."""
        message = await user.send(text, **more)  # type: ignore[arg-type]
        await self.settle()
        return message

    async def press(self, user: User, label: str, chat: Chat | None = None) -> None:
        """Press the newest button with this label in a chat."""
        for message in reversed((chat or user.chat).messages):
            if not message.deleted and message.markup is not None and label in labels(message):
                await user.press(message, label)
                await self.settle()
                return
        raise AssertionError(
            f"no button {label!r}; there are {[labels(m) for m in (chat or user.chat).messages]}"
        )

    async def ticket(self, number: int) -> Ticket:
        return await self.database.read(lambda tx: tickets.get(tx, TicketId(number)))

    def word(self, key: str, language: str, /, **facts: object) -> str:
        """The desk's own words."""
        said = Words(key, facts)  # type: ignore[arg-type]
        return i18n.word(said, language, time_zone="UTC", now=self.clock.now())

    def card(self, number: int) -> Message:
        """The ticket's card in the group."""
        cards = [
            each for each in self.group.from_bot if re.match(rf"[🔴🟠🔵⚪✅☑]\ufe0f? #{number} ", each.text)
        ]
        return cards[-1]

    def below(self, number: int) -> dict[str, Any]:
        """How somebody writes in the ticket's thread: in its topic, or as an answer to its card."""
        card = self.card(number)
        return {"chat": self.group, "thread": card.thread} if card.in_topic else self.answer(card)

    def answer(self, message: Message) -> dict[str, Any]:
        """How somebody answers a message of the group."""
        return {"chat": self.group, "reply_to": message}

    def thread(self, number: int) -> list[Message]:
        """What stands in the ticket's thread now, without its card."""
        card = self.card(number)
        shown = self.group.in_topic(card.thread or 0) if card.in_topic else _chain(self.group, card)
        return [message for message in shown if message is not card and not message.deleted]

    def told(self, number: int) -> str:
        """The words of the ticket's thread."""
        return "\n---\n".join(message.text for message in self.thread(number))

    async def react(self, user: User, message: Message, *emojis: str) -> None:
        await user.react(message, *emojis)
        await self.settle()

    async def report(self, text: str = "VPN drops every ten minutes", *, urgent: bool = False) -> None:
        """Ivan reports something, in the shortest way."""
        language = self.ivan.language_code or "en"
        await self.say(self.ivan, text)
        urgency = self.word("urgency.critical" if urgent else "urgency.normal", language)
        skip, send = self.word("button.skip", language), self.word("button.send", language)
        answers = {"en": ("The office", "Only me"), "ru": ("Из офиса", "Только у меня")}[language]
        for label in (*answers, skip, urgency, send):
            await self.press(self.ivan, label)

    async def restart(self, *, deaf: bool = False) -> None:
        """The process ends without a word; another takes up the same file, and hears unless it is `deaf`."""
        await self.stop()
        await self.database.close()
        self.database = Database(databases.place(self.path), self.clock)
        self.house = self._build()
        await self.house.desk.open()
        if not deaf:
            self.start()

    async def kept_unhandled(self) -> None:
        """What waits at Telegram comes into the inbox, and nothing is done with it."""
        waiting = [hearing.raw(update.json()) for update in self.telegram.updates.pending]
        await self.house.router.accept("telegram", str(self.telegram.bot.id), waiting)

    def _build(self) -> main.House:
        return main.build(self.settings, self.database, self.clock, pace=Pace(lambda: self.tempo))


def _chain(group: Group, card: Message) -> list[Message]:
    """A message and all that answers it, and what answers that."""
    chain = [card]
    for message in group.messages:
        if message.reply_to in chain:
            chain.append(message)
    return chain


def labels(message: Message) -> list[str]:
    """The buttons under a message."""
    keyboard = (message.markup or {}).get("inline_keyboard", [])
    return [button["text"] for row in keyboard for button in row]


def words_of(url: str, more: str = "", language: str = "en", room: int = GROUP) -> str:
    """The configuration."""
    return CONFIG.format(url=url, more=more, language=language).replace(str(GROUP), str(room))


@contextlib.asynccontextmanager
async def rig(
    tmp_path: Path, *, forum: bool = True, more: str = "", language: str = "en", room: int = GROUP
) -> AsyncIterator[Rig]:
    """Open a desk and a Telegram for it."""
    path = tmp_path / "desk.db"
    clock = HandClock()
    async with Telegram(privacy=False) as telegram:
        people = [
            telegram.user(ANNA, "Anna", started=True),
            telegram.user(BORIS, "Boris", started=True),
            telegram.user(MARIA, "Maria", started=True),
        ]
        telegram.user(IVAN, "Ivan", last_name="Petrov", language_code=language, started=True)
        group = telegram.group(room, "Support team", forum=forum, members=people)
        file = tmp_path / "config.toml"
        await asyncio.to_thread(
            file.write_text, words_of(telegram.url, more, language, room), encoding="utf-8"
        )
        settings = config.load(file, {"DESKBRIDGE_DATABASE__URL": databases.url(path)})
        lock = databases.prepared(path)
        database = Database(databases.place(path), clock)
        opened = Rig(path, settings, telegram, group, clock, database, None)  # type: ignore[arg-type]
        opened.house = opened._build()
        await opened.house.desk.open()
        opened.start()
        try:
            yield opened
        finally:
            await opened.stop()
            await opened.database.close()
            lock.release()
