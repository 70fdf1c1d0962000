"""Where somebody sits: a requester's and an agent's hands and eyes in each messenger, all of them alike."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from core.database.transaction import Transaction
from core.files import store as files
from tests.emulators.slack import File as SlackFile
from tests.emulators.slack import Message as SlackMessage
from tests.emulators.slack import User as SlackUser
from tests.emulators.slack.mrkdwn import typed
from tests.emulators.telegram import File as TelegramFile
from tests.emulators.telegram import Message as TelegramMessage
from tests.emulators.telegram import User as TelegramUser
from tests.matrix.world import World
from tests.town import Shown, Somebody

_CARD = r"[🔴🟠🔵⚪✅☑]\ufe0f? #{} "
Files = Mapping[str, bytes]


class Requester(Protocol):
    """Somebody who asks for help, in the conversation of theirs with the desk."""

    name: str

    async def says(self, text: str) -> None:
        """Write, about the request under way if there is one."""
        ...

    async def brings(self, name: str, data: bytes) -> None: ...

    async def presses(self, label: str) -> None: ...

    async def edits(self, old: str, new: str) -> None: ...

    async def reads(self) -> Sequence[str]:
        """Every message that stands there now, in order."""
        ...

    async def ever_read(self) -> str:
        """Everything that has ever stood there."""
        ...

    async def has(self) -> Files:
        """The files the desk has brought."""
        ...


class Agent(Protocol):
    """Somebody who helps, at the ticket's card in their room."""

    name: str

    async def card(self) -> str: ...

    async def thread(self) -> str: ...

    async def presses(self, label: str) -> None:
        """A button of the card, or an entry of its menu."""
        ...

    async def undoes(self, words: str, label: str) -> None:
        """A button below the words in the thread."""
        ...

    async def fills(self, label: str, field: str, words: str) -> None:
        """Press what opens a form of this one field, and send it filled in."""
        ...

    async def notes(self, text: str) -> None:
        """Plain words in the thread."""
        ...

    async def commands(self, name: str, rest: str = "") -> None:
        """`/name` about this ticket, in whatever way the messenger has for it."""
        ...

    async def has(self) -> Files: ...


# ---- web chat


@dataclass
class WebRequester:
    world: World
    name: str = "petr"

    @property
    def _self(self) -> Somebody:
        return self.world[self.name]

    async def says(self, text: str) -> None:
        await self._self.say(text)

    async def brings(self, name: str, data: bytes) -> None:
        await self._self.say("", files=[(name, data)])

    async def presses(self, label: str) -> None:
        await self._self.press(label)

    async def edits(self, old: str, new: str) -> None:
        await self._self.edit(old, new)

    async def _shown(self) -> list[Shown]:
        return [each for each in await self._self.sees() if not each.mine]

    async def reads(self) -> Sequence[str]:
        return [f"{each.author}\n{each.text}" for each in await self._shown() if not each.deleted]

    async def ever_read(self) -> str:
        return "\n".join([each.text for each in await self._self.sees()])

    async def has(self) -> Files:
        return await _kept(self.world, re.findall(r"\[([^\]]+\.\w+)\]", "\n".join(await self.reads())))


async def _kept(world: World, names: Sequence[str]) -> Files:
    """The bytes behind the names of attachments."""

    async def look(tx: Transaction) -> dict[str, str]:
        rows = await tx.all(files.files.select().where(files.files.c.name.in_(names)))
        return {row.name: row.id for row in rows}

    digests = await world.database.read(look)
    return {
        name: await asyncio.to_thread(world.house.blobs.path(digest).read_bytes)
        for name, digest in digests.items()
    }


FIELDS = {"button.reply": "text", "button.wait": "question", "button.resolve": "solution"}


@dataclass
class WebAgent:
    world: World
    language: str
    name: str = "Maria Sokolova"

    @property
    def _self(self) -> Somebody:
        return self.world["maria"]

    async def card(self) -> str:
        return (await self._self.card(1)).text

    async def thread(self) -> str:
        return "\n".join(each.text for each in await self._self.thread(1))

    async def presses(self, label: str) -> None:
        card = await self._self.card(1)
        await self._self.press_code(card, card.buttons[label])

    async def undoes(self, words: str, label: str) -> None:
        below = next(each for each in await self._self.thread(1) if words in each.text and each.buttons)
        await self._self.press_code(below, below.buttons[label])

    async def fills(self, label: str, field: str, words: str) -> None:
        card = await self._self.card(1)
        name = next(each for key, each in FIELDS.items() if self.world.word(key, self.language) == label)
        await self._self.submit(card, card.forms[label], {name: words})

    async def notes(self, text: str) -> None:
        await self._self.say_below(1, text)

    async def commands(self, name: str, rest: str = "") -> None:
        await self._self.say_below(1, f"/{name} {rest}".strip())

    async def has(self) -> Files:
        return await _kept(self.world, re.findall(r"\[([^\]]+\.\w+)\]", await self.thread()))


# ---- Telegram


@dataclass
class TelegramRequester:
    world: World
    name: str = "Ivan Petrov"

    @property
    def _self(self) -> TelegramUser:
        return self.world.telegram.users[501]

    async def says(self, text: str) -> None:
        await self._self.send(text)
        await self.world.settle()

    async def brings(self, name: str, data: bytes) -> None:
        await self._self.send("", document=TelegramFile(name, data))
        await self.world.settle()

    async def presses(self, label: str) -> None:
        message = next(each for each in reversed(self._self.chat.messages) if label in each.buttons)
        await self._self.press(message, label)
        await self.world.settle()

    async def edits(self, old: str, new: str) -> None:
        mine = [each for each in self._self.chat.messages if each.sender is self._self and old in each.text]
        await self._self.edit(mine[-1], new)
        await self.world.settle()

    async def reads(self) -> Sequence[str]:
        return [each.text for each in self._self.chat.from_bot if not each.deleted]

    async def ever_read(self) -> str:
        told = [text for each in self._self.chat.history for text in (*each.edits, each.text)]
        return "\n".join(
            [*told, *(press.text for press in self.world.telegram.answers if press.user is self._self)]
        )

    async def has(self) -> Files:
        return {
            file.name: file.data
            for each in self._self.chat.from_bot
            if not each.deleted
            for file in each.files
        }


@dataclass
class TelegramAgent:
    world: World
    language: str
    name: str = "Boris Orlov"

    @property
    def _self(self) -> TelegramUser:
        return self.world.telegram.users[503]

    @property
    def _card(self) -> TelegramMessage:
        return [each for each in self.world.group.from_bot if re.match(_CARD.format(1), each.text)][-1]

    @property
    def _thread(self) -> list[TelegramMessage]:
        shown = self.world.group.in_topic(self._card.thread or 0)
        return [each for each in shown if each is not self._card and not each.deleted]

    async def card(self) -> str:
        return self._card.text

    async def thread(self) -> str:
        return "\n".join(each.text for each in self._thread)

    async def presses(self, label: str) -> None:
        if label not in self._card.buttons:
            await self._self.press(self._card, self.world.word("button.more", self.language))
            await self.world.settle()
        await self._self.press(self._card, label)
        await self.world.settle()

    async def undoes(self, words: str, label: str) -> None:
        below = next(each for each in self._thread if words in each.text and label in each.buttons)
        await self._self.press(below, label)
        await self.world.settle()

    async def fills(self, label: str, field: str, words: str) -> None:
        await self.presses(label)
        question = next(each for each in reversed(self._thread) if field in each.text)
        await self._self.send(words, chat=self.world.group, reply_to=question)
        await self.world.settle()

    async def notes(self, text: str) -> None:
        await self._self.send(text, chat=self.world.group, thread=self._card.thread)
        await self.world.settle()

    async def commands(self, name: str, rest: str = "") -> None:
        await self.notes(f"/{name} {rest}".strip())

    async def has(self) -> Files:
        return {file.name: file.data for each in self._thread for file in each.files}


# ---- Slack


@dataclass
class SlackRequester:
    world: World
    name: str = "Olga Belova"

    @property
    def _self(self) -> SlackUser:
        return self.world.slack.users["U0505"]

    @property
    def _root(self) -> SlackMessage | None:
        return next((each for each in self._self.dm.messages if each.user is self._self), None)

    async def says(self, text: str) -> None:
        await self._self.send(text, thread=self._root)
        await self.world.settle()

    async def brings(self, name: str, data: bytes) -> None:
        await self._self.send("", thread=self._root, files=[SlackFile(name, data)])
        await self.world.settle()

    async def presses(self, label: str) -> None:
        message = next(each for each in reversed(self._self.dm.messages) if label in each.buttons)
        await pressed_in_slack(self.world, self._self, message, label)

    async def edits(self, old: str, new: str) -> None:
        mine = [each for each in self._self.dm.messages if each.user is self._self and old in each.shown]
        await self._self.edit(mine[-1], new)
        await self.world.settle()

    async def reads(self) -> Sequence[str]:
        return [each.shown for each in self._self.dm.from_bot]

    async def ever_read(self) -> str:
        dm = self._self.dm
        told = [text for each in dm.messages for text in (*each.edits, each.shown)]
        return "\n".join([*told, *(each.shown for each in dm.private_to(self._self))])

    async def has(self) -> Files:
        return {file.name: file.data for each in self._self.dm.from_bot for file in each.files}


async def pressed_in_slack(world: World, user: SlackUser, where: SlackMessage, label: str) -> None:
    there = label in where.buttons
    pressed = await (user.press(where, label) if there else user.press(where, "", label))
    await world.settle()
    await pressed.done()


@dataclass
class SlackAgent:
    world: World
    language: str
    name: str = "Anna Smirnova"

    @property
    def _self(self) -> SlackUser:
        return self.world.slack.users["U0502"]

    @property
    def _card(self) -> SlackMessage:
        return [each for each in self.world.channel.from_bot if re.match(_CARD.format(1), each.shown)][-1]

    async def card(self) -> str:
        return self._card.shown

    async def thread(self) -> str:
        return "\n".join(each.shown for each in self._card.replies)

    async def presses(self, label: str) -> None:
        await pressed_in_slack(self.world, self._self, self._card, label)

    async def undoes(self, words: str, label: str) -> None:
        below = next(each for each in self._card.replies if words in each.shown and label in each.buttons)
        await pressed_in_slack(self.world, self._self, below, label)

    async def fills(self, label: str, field: str, words: str) -> None:
        await self.presses(label)
        sending = asyncio.create_task(self._self.submit({field: words}))
        while not sending.done():
            await self.world.work()
            await asyncio.sleep(0.002)
        assert (await sending).errors == {}
        await self.world.settle()

    async def notes(self, text: str) -> None:
        await self._self.send(text, thread=self._card)
        await self.world.settle()

    async def commands(self, name: str, rest: str = "") -> None:
        given = await self._self.command(f"/desk {name} 1 {typed(rest)}".strip(), channel=self.world.channel)
        await self.world.settle()
        await given.done()

    async def has(self) -> Files:
        return {file.name: file.data for each in self._card.replies for file in each.files}


REQUESTERS: Mapping[str, Callable[[World], Requester]] = {
    "telegram": TelegramRequester,
    "slack": SlackRequester,
    "webchat": WebRequester,
}
AGENTS: Mapping[str, Callable[[World, str], Agent]] = {
    "telegram": TelegramAgent,
    "slack": SlackAgent,
    "webchat": WebAgent,
}
