"""Chats: what can be seen in them now, and what has been."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.emulators.telegram.messages import Message, Topic
from tests.emulators.telegram.times import PATIENCE

if TYPE_CHECKING:
    from tests.emulators.telegram.people import User
    from tests.emulators.telegram.world import Telegram


@dataclass(frozen=True)
class Action:
    """A "typing…" the bot showed."""

    action: str
    at: float
    thread: int | None = None


class Chat:
    """A conversation. `messages` is what stands there now, `history` all that ever did."""

    kind = "private"

    def __init__(self, world: "Telegram", number: int) -> None:
        self.world = world
        self.id = number
        self.history: list[Message] = []
        self.actions: list[Action] = []
        self.pinned: list[Message] = []
        self.by_id: dict[int, Message] = {}

    def ids(self) -> Iterator[int]:
        """Telegram: private chats and basic groups number their messages together, a supergroup its own from
        1."""
        return self.world.shared_ids

    @property
    def messages(self) -> list[Message]:
        return [message for message in self.history if not message.deleted]

    @property
    def texts(self) -> list[str]:
        return [message.text for message in self.messages]

    @property
    def last(self) -> Message:
        return self.messages[-1]

    @property
    def from_bot(self) -> list[Message]:
        return [message for message in self.messages if message.by_bot]

    def saying(self, words: str) -> Message:
        """The latest visible message with these words."""
        for message in reversed(self.messages):
            if words in message.text:
                return message
        raise AssertionError(f"nothing with {words!r} in {self.texts}")

    async def sees(self, words: str, seconds: float = PATIENCE) -> Message:
        """Waits (real seconds) until a visible message has these words."""
        await self.world.until(
            lambda: any(words in text for text in self.texts), seconds, f"{words!r} in {self!r}"
        )
        return self.saying(words)

    def find(self, number: int) -> Message | None:
        found = self.by_id.get(number)
        return None if found is None or found.deleted else found

    def add(self, sender: "User | None", **told: Any) -> Message:
        message = Message(self, next(self.ids()), self.world.times.unix(), sender, **told)
        self.history.append(message)
        self.by_id[message.id] = message
        self.world.stir()
        return message

    def tell(self, message: Message, kind: str = "message") -> None:
        """The Bot API server: messages wait in the chat's own queue, a day from their date (or last edit)."""
        since = message.edited_at or message.date
        lives_for = since + 86400 - self.world.times.now()
        self.world.updates.push(kind, message.json(), f"chat:{self.id}", lives_for)

    def hears(self, message: Message) -> bool:
        """Whether the bot is told of it."""
        return True

    def hears_reactions(self) -> bool:
        return True

    def topic(self, number: int) -> Topic | None:
        return None

    def json(self) -> dict[str, Any]:
        raise NotImplementedError

    def __repr__(self) -> str:
        return f"<{self.kind} chat {self.id}>"


class Private(Chat):
    """The conversation of one person and the bot."""

    def __init__(self, world: "Telegram", user: "User") -> None:
        super().__init__(world, user.id)
        self.user = user

    def json(self) -> dict[str, Any]:
        told = {"id": self.id, "type": "private"}
        person = self.user.json()
        return told | {key: person[key] for key in ("first_name", "last_name", "username") if key in person}


def numbers() -> Iterator[int]:
    return itertools.count(1)
