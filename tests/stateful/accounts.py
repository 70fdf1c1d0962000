"""The hands and eyes of one account in each messenger, all of them alike."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from tests.emulators.slack import Channel
from tests.emulators.slack import Message as SlackMessage
from tests.emulators.slack import User as SlackUser
from tests.emulators.telegram import User as TelegramUser
from tests.matrix.world import World
from tests.town import Somebody


@dataclass(frozen=True)
class Offered:
    """A button that stands before somebody: what is written on it, and how to press it."""

    label: str
    where: object


class Account(Protocol):
    """Somebody alone with the desk. Every act ends when all that follows of it is done."""

    name: str
    """As `/unlink` and the timeline know it."""

    async def says(self, text: str) -> None:
        """Go on with what is under way, as far as the messenger has such a thing."""
        ...

    async def reports(self, text: str) -> None:
        """Begin something new."""
        ...

    async def commands(self, line: str) -> None:
        """`link ABC`, in whatever way the messenger has for it."""
        ...

    async def edits(self, old: str, new: str) -> None:
        """Change the newest of their own messages with the old words. Raises LookupError without one."""
        ...

    async def presses(self, what: Offered) -> None: ...

    async def offered(self) -> Sequence[Offered]:
        """Every button before them, the newest last."""
        ...

    async def reads(self) -> Sequence[str]:
        """Every message of the desk that stands there now."""
        ...

    async def ever_read(self) -> str:
        """Everything of the desk that has ever stood there."""
        ...


@dataclass
class AtTelegram:
    world: World
    number: int

    @property
    def name(self) -> str:
        return f"telegram:{self.number}"

    @property
    def _self(self) -> TelegramUser:
        return self.world.telegram.users[self.number]

    async def says(self, text: str) -> None:
        await self._self.send(text)
        await self.world.settle()

    async def reports(self, text: str) -> None:
        await self.says(f"/new {text}")

    async def commands(self, line: str) -> None:
        await self.says(f"/{line}")

    async def edits(self, old: str, new: str) -> None:
        mine = [each for each in self._self.chat.messages if each.sender is self._self and old in each.text]
        if not mine:
            raise LookupError(old)
        await self._self.edit(mine[-1], mine[-1].text.replace(old, new))
        await self.world.settle()

    async def presses(self, what: Offered) -> None:
        await self._self.press(what.where, what.label)  # type: ignore[arg-type]
        await self.world.settle()

    async def offered(self) -> Sequence[Offered]:
        there = [each for each in self._self.chat.from_bot if not each.deleted]
        return [Offered(label, each) for each in there for label in each.buttons]

    async def reads(self) -> Sequence[str]:
        return [each.text for each in self._self.chat.from_bot if not each.deleted]

    async def ever_read(self) -> str:
        own = self._self
        told = [text for each in own.chat.history if each.by_bot for text in (*each.edits, each.text)]
        return "\n".join([*told, *(each.text for each in self.world.telegram.answers if each.user is own)])


@dataclass
class AtSlack:
    world: World
    id: str

    @property
    def name(self) -> str:
        return f"slack:{self.world.slack.team}/{self.id}"

    @property
    def _self(self) -> SlackUser:
        return self.world.slack.users[self.id]

    @property
    def _dm(self) -> Channel:
        return self._self.dm

    @property
    def _root(self) -> SlackMessage | None:
        """What was begun last."""
        return next((each for each in reversed(self._dm.messages) if not each.is_reply), None)

    async def says(self, text: str) -> None:
        await self._self.send(text, thread=self._root)
        await self.world.settle()

    async def reports(self, text: str) -> None:
        await self._self.send(text)
        await self.world.settle()

    async def commands(self, line: str) -> None:
        given = await self._self.command(f"/desk {line}")
        await self.world.settle()
        await given.done()

    async def edits(self, old: str, new: str) -> None:
        mine = [each for each in self._dm.messages if each.user is self._self and old in each.shown]
        if not mine:
            raise LookupError(old)
        await self._self.edit(mine[-1], mine[-1].shown.replace(old, new))
        await self.world.settle()

    async def presses(self, what: Offered) -> None:
        pressed = await self._self.press(what.where, what.label)  # type: ignore[arg-type]
        await self.world.settle()
        await pressed.done()

    async def offered(self) -> Sequence[Offered]:
        there = [*self._dm.from_bot, *self._dm.private_to(self._self)]
        return [Offered(label, each) for each in there for label in each.buttons]

    async def reads(self) -> Sequence[str]:
        return [each.shown for each in self._dm.from_bot]

    async def ever_read(self) -> str:
        told = [text for each in self._dm.from_bot for text in (*each.edits, each.shown)]
        return "\n".join([*told, *(each.shown for each in self._dm.private_to(self._self))])


@dataclass
class AtThePage:
    world: World
    account: str

    @property
    def name(self) -> str:
        return f"web:{self.account}"

    @property
    def _self(self) -> Somebody:
        return self.world[self.account]

    async def says(self, text: str) -> None:
        await self._self.say(text)

    async def reports(self, text: str) -> None:
        await self.says(f"/new {text}")

    async def commands(self, line: str) -> None:
        await self.says(f"/{line}")

    async def edits(self, old: str, new: str) -> None:
        mine = [each for each in await self._self.sees() if each.mine and old in each.text]
        if not mine:
            raise LookupError(old)
        await self._self.edit(old, mine[-1].text.replace(old, new))

    async def presses(self, what: Offered) -> None:
        shown, code = what.where  # type: ignore[misc]
        await self._self.press_code(shown, code)

    async def offered(self) -> Sequence[Offered]:
        there = [each for each in await self._self.sees() if not each.mine and not each.deleted]
        return [Offered(label, (each, code)) for each in there for label, code in each.buttons.items()]

    async def reads(self) -> Sequence[str]:
        return [each.text for each in await self._self.sees() if not each.mine and not each.deleted]

    async def ever_read(self) -> str:
        return "\n".join(each.text for each in await self._self.sees() if not each.mine)
