"""People who talk to a desk that is killed all the time: in each messenger they do what people do there, wait
until the messenger has taken it, and remember what they said.
"""

import asyncio
import contextlib
import re
from dataclasses import dataclass

from tests.emulators.slack import Channel, Slack
from tests.emulators.slack import Message as SlackMessage
from tests.emulators.slack import User as SlackUser
from tests.emulators.telegram import Group, Telegram
from tests.emulators.telegram import Message as TelegramMessage
from tests.emulators.telegram import User as TelegramUser
from tests.process.person import Person, Shown

PATIENCE = 300.0
"""Seconds until somebody finds that they are not answered."""


# ---- the web chat


@dataclass
class WebRequester:
    person: Person
    copies: bool = False
    _since: int = 0

    @property
    def conversation(self) -> str:
        return f"web:{self.person.direct}"

    def begins(self) -> None:
        self._since = max([0, *self.person.screen])

    def _mine(self, each: Shown) -> bool:
        return each.id > self._since and each.room == self.person.direct

    async def says(self, *texts: str) -> None:
        for text in texts:
            await self.person.say(text)

    async def presses(self, label: str, words: str) -> None:
        await self.person.press(label, lambda each: self._mine(each) and words in each.text)

    async def hears(self, words: str) -> None:
        await self.person.sees(lambda each: self._mine(each) and not each.mine and words in each.text, words)


@dataclass
class WebAgent:
    person: Person
    copies: bool = False

    def begins(self) -> None:
        """A page knows its cards by their words."""

    async def card(self, nonce: str) -> Shown:
        return await self.person.card(nonce)

    def thread(self, card: Shown) -> str:
        return f"web:{card.room}#{card.id}"

    async def is_pinged(self, nonce: str) -> None:
        await self.person.sees(lambda each: each.tone == "ping" and nonce in each.text, f"a ping {nonce}")

    async def takes(self, card: Shown) -> None:
        await self.person.press("Take it", lambda each: each.id == card.id)

    async def says(self, card: Shown, text: str) -> None:
        await self.person.say(text, room=card.room, thread=card.id)

    async def hears(self, card: Shown, words: str) -> None:
        await self.person.sees(
            lambda each: each.thread == card.id and not each.mine and words in each.text, words
        )

    async def resolves(self, card: Shown, words: str) -> None:
        await self.says(card, f"/resolve {words}")


# ---- Telegram


@dataclass
class TelegramRequester:
    telegram: Telegram
    user: TelegramUser
    copies: bool = True

    @property
    def conversation(self) -> str:
        return f"telegram:{self.user.id}"

    def begins(self) -> None:
        """Each trouble is somebody else's."""

    async def says(self, *texts: str) -> None:
        for message in [await self.user.send(text) for text in texts]:
            await confirmed(self.telegram, message)

    async def presses(self, label: str, words: str) -> None:
        def found() -> list[TelegramMessage]:
            return [m for m in self.user.chat.from_bot if words in m.text and label in m.buttons]

        await self.telegram.until(found, PATIENCE, f"{label} under {words}: {self.user.chat.texts[-4:]}")
        await self.user.press(found()[-1], label)

    async def hears(self, words: str) -> None:
        await self.telegram.until(
            lambda: any(words in each.text for each in self.user.chat.from_bot),
            PATIENCE,
            f"{self.user.id} to hear {words}",
        )


async def confirmed(telegram: Telegram, message: TelegramMessage) -> None:
    """Until the desk has moved its offset past the message: it says that it has it."""
    lane = f"chat:{message.chat.id}"

    def waits() -> bool:
        return any(
            each.lane == lane and each.payload.get("message_id") == message.id
            for each in telegram.updates.pending
        )

    await telegram.until(lambda: not waits(), PATIENCE, f"{message} to be taken")


@dataclass
class TelegramAgent:
    telegram: Telegram
    user: TelegramUser
    group: Group
    copies: bool = True
    _since: tuple[int, int] = (0, 0)

    def begins(self) -> None:
        self._since = len(self.group.history), len(self.user.chat.history)

    @property
    def _shown(self) -> list[TelegramMessage]:
        return [m for m in self.group.history[self._since[0] :] if m.by_bot and not m.deleted]

    async def card(self, nonce: str) -> TelegramMessage:
        await self.telegram.until(lambda: self._cards(nonce), PATIENCE, f"the card of {nonce}")
        return self._cards(nonce)[-1]

    def _cards(self, nonce: str) -> list[TelegramMessage]:
        return [m for m in self._shown if nonce in m.text and m.in_topic and m.buttons]

    def thread(self, card: TelegramMessage) -> str:
        return f"telegram:{self.group.id}#{card.thread}"

    async def is_pinged(self, nonce: str) -> None:
        await self.telegram.until(
            lambda: any("⏰" in m.text and nonce in m.text for m in self.user.chat.history[self._since[1] :]),
            PATIENCE,
            f"{self.user.id} to be pinged of {nonce}",
        )

    async def takes(self, card: TelegramMessage) -> None:
        await self.user.press(card, "Take it")

    async def says(self, card: TelegramMessage, text: str) -> None:
        await confirmed(self.telegram, await self.user.send(text, chat=self.group, thread=card.thread))

    async def hears(self, card: TelegramMessage, words: str) -> None:
        await self.telegram.until(
            lambda: any(words in m.text and m.thread == card.thread for m in self._shown),
            PATIENCE,
            f"{words} below {card}",
        )

    async def resolves(self, card: TelegramMessage, words: str) -> None:
        await self.says(card, f"/resolve {words}")


# ---- Slack


@dataclass
class SlackRequester:
    slack: Slack
    user: SlackUser
    copies: bool = False
    _root: SlackMessage | None = None

    @property
    def conversation(self) -> str:
        return f"slack:{self.user.id}"

    def begins(self) -> None:
        """Each trouble is somebody else's."""

    async def says(self, *texts: str) -> None:
        for text in texts:
            message = await self.user.send(text, thread=self._root)
            self._root = self._root or message
            await taken(self.slack, message)

    async def presses(self, label: str, words: str) -> None:
        def found() -> list[SlackMessage]:
            return [m for m in self.user.dm.from_bot if words in m.shown and label in m.buttons]

        await self.slack.until(found, PATIENCE, f"{label} under {words} in {self.user.dm.texts[-4:]}")
        await pressed(self.user, found()[-1], label)

    async def hears(self, words: str) -> None:
        await self.slack.until(
            lambda: any(words in each.shown for each in self.user.dm.from_bot),
            PATIENCE,
            f"{self.user} to hear {words}",
        )


async def taken(slack: Slack, message: SlackMessage) -> None:
    """Until the desk has acknowledged the event that tells of it."""
    lately = slack.deliveries.told[-100:]
    mine = [each for each in lately if each.event.get("ts") == message.ts]
    assert mine
    await slack.until(lambda: all(each.state == "taken" for each in mine), PATIENCE, f"{message} to be taken")


async def pressed(user: SlackUser, message: SlackMessage, label: str) -> None:
    """Press it, and once more where Slack says that nobody was there."""
    async with asyncio.timeout(PATIENCE):
        while label in message.buttons:
            act = await (await user.press(message, label)).done()
            if act.taken:
                return
            await asyncio.sleep(0.05)


@dataclass
class SlackAgent:
    slack: Slack
    user: SlackUser
    channel: Channel
    copies: bool = False
    _since: tuple[int, int] = (0, 0)

    def begins(self) -> None:
        self._since = len(self.channel.history), len(self.user.dm.history)

    async def card(self, nonce: str) -> SlackMessage:
        await self.slack.until(lambda: self._cards(nonce), PATIENCE, f"the card of {nonce}")
        return self._cards(nonce)[-1]

    def _cards(self, nonce: str) -> list[SlackMessage]:
        shown = self.channel.history[self._since[0] :]
        return [m for m in shown if m.by_bot and not m.is_reply and nonce in m.shown]

    def thread(self, card: SlackMessage) -> str:
        return f"slack:{self.channel.id}#{card.ts}"

    async def is_pinged(self, nonce: str) -> None:
        await self.slack.until(
            lambda: any("⏰" in m.shown and nonce in m.shown for m in self.user.dm.history[self._since[1] :]),
            PATIENCE,
            f"{self.user} to be pinged of {nonce}",
        )

    async def takes(self, card: SlackMessage) -> None:
        await pressed(self.user, card, "Take it")

    async def says(self, card: SlackMessage, text: str) -> None:
        await taken(self.slack, await self.user.send(text, thread=card))

    async def hears(self, card: SlackMessage, words: str) -> None:
        await self.slack.until(
            lambda: any(each.by_bot and words in each.shown for each in card.replies),
            PATIENCE,
            f"{words} below {card}",
        )

    async def resolves(self, card: SlackMessage, words: str) -> None:
        """By the command, again and again until the card says so: a second one changes nothing."""
        (number,) = re.findall(r"#(\d+) ", card.shown)
        async with asyncio.timeout(PATIENCE):
            while not re.search(r"resolved|closed", card.shown):
                line = f"/desk resolve {number} {words}"
                act = await (await self.user.command(line, channel=self.channel)).done()
                with contextlib.suppress(AssertionError):
                    patience = 3.0 if act.taken else 0.05
                    await self.slack.until(lambda: re.search(r"resolved|closed", card.shown), patience)
