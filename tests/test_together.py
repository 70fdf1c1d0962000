"""One desk in three messengers at once: whoever sits where, it is the same ticket."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot import config, main
from bot.message import Words
from bot.pace import Pace
from core.database.engine import Database
from core.database.transaction import Transaction
from core.inbox import store as inbox
from core.kernel.clock import HandClock
from core.kernel.ids import TicketId
from core.outbox import store as outbox
from core.tickets import store as tickets
from core.tickets.model import Status
from tests import databases
from tests.emulators.slack import Channel, Slack
from tests.emulators.slack import User as SlackUser
from tests.emulators.telegram import Telegram
from tests.emulators.telegram.groups import Group
from tests.emulators.telegram.people import User as TelegramUser

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
language = "en"
rating_every = "0s"
[[people]]
name = "Anna Smirnova"
identities = ["slack:T0ACME/U0502"]
roles = ["agent"]
[[people]]
name = "Boris Orlov"
identities = ["telegram:503"]
roles = ["agent"]
[[people]]
name = "Maria Sokolova"
identities = ["web:maria"]
roles = ["lead", "admin"]
[[queues]]
name = "support"
title = {{ en = "Support", ru = "Поддержка" }}
spaces = ["telegram:-1001234567890", "slack:T0ACME/{channel.id}", "web:support"]
"""


@dataclass
class Desk:
    """The desk and its three messengers."""

    telegram: Telegram
    slack: Slack
    group: Group
    channel: Channel
    database: Database
    house: main.House
    tempo: list[float]

    @property
    def ivan(self) -> TelegramUser:
        return self.telegram.users[501]

    @property
    def boris(self) -> TelegramUser:
        return self.telegram.users[503]

    @property
    def anna(self) -> SlackUser:
        return self.slack.users["U0502"]

    @property
    def olga(self) -> SlackUser:
        return self.slack.users["U0505"]

    async def work(self) -> bool:
        self.tempo[0] += 60.0
        waiting = await self.database.write(self._waiting)
        await self.house.router.catch_up()
        await self.house.delivery.catch_up()
        return waiting

    async def _waiting(self, tx: Transaction) -> bool:
        return bool(await inbox.lanes(tx, 1) or await outbox.heads(tx, (), 1))

    async def settle(self) -> None:
        for _ in range(2000):
            told = self.telegram.updates.pending or self.slack.deliveries.waiting
            if not await self.work() and not told:
                return
            await asyncio.sleep(0.002)
        raise AssertionError("the desk does not come to rest")

    async def press(self, label: str) -> None:
        """Ivan presses the newest button with this label."""
        for message in reversed(self.ivan.chat.messages):
            if label in message.buttons:
                await self.ivan.press(message, label)
                await self.settle()
                return
        raise AssertionError(f"no {label!r} among {[each.buttons for each in self.ivan.chat.messages]}")

    async def report(self) -> None:
        """Ivan reports something in Telegram."""
        await self.ivan.send("VPN drops every ten minutes")
        await self.settle()
        for label in ("The office", "Only me", "Skip", "It slows me down", "Send"):
            await self.press(label)

    async def fill(self, user: SlackUser, label: str, text: str) -> None:
        sending = asyncio.create_task(user.submit({label: text}))
        while not sending.done():
            await self.work()
            await asyncio.sleep(0.002)
        assert (await sending).errors == {}
        await self.settle()

    async def status(self) -> Status:
        return (await self.database.read(lambda tx: tickets.get(tx, TicketId(1)))).status


@contextlib.asynccontextmanager
async def opened(tmp_path: Path) -> AsyncIterator[Desk]:
    path, clock, tempo = tmp_path / "desk.db", HandClock(), [0.0]
    async with (
        Telegram(privacy=False) as telegram,
        Slack(team=TEAM, clock=clock, time_scale=0.01, patience=3) as slack,
    ):
        telegram.user(501, "Ivan", language_code="en", started=True)
        group = telegram.group(
            GROUP, "Support", forum=True, members=[telegram.user(503, "Boris", started=True)]
        )
        anna = slack.user("Anna", id="U0502")
        slack.user("Olga", id="U0505")
        channel = slack.channel("triage", members=[anna])
        file = tmp_path / "config.toml"
        words = CONFIG.format(telegram=telegram, slack=slack, channel=channel)
        await asyncio.to_thread(file.write_text, words, encoding="utf-8")
        settings = config.load(file, {"DESKBRIDGE_DATABASE__URL": databases.url(path)})
        lock = databases.prepared(path)
        database = Database(databases.place(path), clock)
        house = main.build(settings, database, clock, pace=Pace(lambda: tempo[0]))
        await house.desk.open()
        hearing = [asyncio.create_task(each.run(house.router)) for each in house.adapters.values()]
        await slack.connected(1)
        await slack.until(lambda: all(part.ok for part in house.health().values()), 10, "all are heard")
        try:
            yield Desk(telegram, slack, group, channel, database, house, tempo)
        finally:
            for task in hearing:
                task.cancel()
            await asyncio.gather(*hearing, return_exceptions=True)
            await database.close()
            lock.release()


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as found:
        yield found


async def test_a_requester_in_telegram_is_served_from_slack_and_from_telegram(desk: Desk) -> None:
    await desk.report()
    card, copy = desk.channel.saying("VPN drops"), desk.group.saying("VPN drops")
    await (await desk.anna.press(card, "Take it")).done()
    await desk.settle()
    assert "Anna Smirnova" in copy.text
    assert "Take it" not in copy.buttons
    assert "Anna Smirnova" in desk.ivan.chat.last.text

    await desk.anna.press(card, "Reply")
    await desk.settle()
    await desk.fill(desk.anna, "The requester reads this", "Which *version*?")
    assert "Which *version*?" in desk.ivan.chat.last.text
    await desk.ivan.send("It is 5.1")
    await desk.settle()
    assert any("It is 5.1" in each.shown for each in card.replies)

    await desk.anna.send("he always forgets", thread=card)
    await desk.settle()
    assert any("he always forgets" in each.text for each in desk.group.messages)
    assert not any("he always forgets" in each.text for each in desk.ivan.chat.history)

    await desk.boris.send("/resolve Reinstalled it", chat=desk.group, thread=copy.thread)
    await desk.settle()
    assert await desk.status() is Status.RESOLVED
    assert card.shown.startswith("✅")
    await desk.press("Yes, it is fixed")
    assert await desk.status() is Status.CLOSED


async def test_of_two_who_take_it_at_once_in_two_messengers_one_wins(desk: Desk) -> None:
    await desk.report()
    card, copy = desk.channel.saying("VPN drops"), desk.group.saying("VPN drops")
    await asyncio.gather(desk.anna.press(card, "Take it"), desk.boris.press(copy, "Take it"))
    await desk.settle()
    owner = "Anna Smirnova" if "Anna Smirnova" in card.shown else "Boris Orlov"
    assert owner in card.shown
    assert owner in copy.text
    alerts = [press.text for press in desk.telegram.answers if press.show_alert]
    whispers = [each.shown for each in desk.channel.private_to(desk.anna)]
    [told] = alerts or whispers
    assert owner in told


def test_the_words_used_here_are_the_desks() -> None:
    from bot import i18n

    now = HandClock().now()
    said = {
        "button.take": "Take it",
        "button.reply": "Reply",
        "form.text": "The requester reads this",
        "button.fixed": "Yes, it is fixed",
        "urgency.normal": "It slows me down",
    }
    assert {key: i18n.word(Words(key), "en", time_zone="UTC", now=now) for key in said} == said
