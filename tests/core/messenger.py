"""A messenger that keeps what it was asked to show, and answers as it is told to."""

from collections import defaultdict, deque
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from bot.adapters.port import Door, Features, Health, Posted, Reader
from bot.incoming import Carried, Incoming, Said, Sender
from bot.message import Message, Paragraph, Plain
from bot.pace import Pace
from core.inbox import actions as inbox
from core.inbox.model import Event
from core.kernel.ids import Address, Identity
from tests.town import Town


@dataclass(frozen=True)
class Asked:
    """One call: what was asked, where, with which words."""

    verb: str
    room: str
    text: str
    nonce: str = ""
    message: Message = field(default_factory=partial(Message, ()))


class Messenger:
    """`answers` holds, by room, what the next calls raise (None: nothing)."""

    platform = "fake"
    features = Features()

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answers: dict[str, deque[Exception | None]] = defaultdict(deque)
        self.absent: set[str] = set()
        self.always: dict[str, Exception] = {}

    def rooms(self) -> list[str]:
        return [each.room for each in self.asked]

    def texts(self, room: str) -> list[str]:
        return [each.text for each in self.asked if each.room == room]

    def nonces(self, room: str) -> list[str]:
        return [each.nonce for each in self.asked if each.room == room]

    def _ask(self, verb: str, to: Address, message: Message, nonce: str = "") -> None:
        self.asked.append(Asked(verb, to.room, words(message), nonce, message))
        if to.room in self.always:
            raise self.always[to.room]
        answer = self.answers[to.room].popleft() if self.answers[to.room] else None
        if answer is not None:
            raise answer

    async def post(
        self, to: Address, message: Message, reader: Reader, nonce: str, *, again: bool = False
    ) -> Posted:
        self._ask("post", to, message, nonce)
        return Posted(f"m{len(self.asked)}")

    async def edit(self, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        self._ask("edit", to, message)
        return posted

    async def delete(self, to: Address, posted: Posted) -> None:
        self._ask("delete", to, Message(()))

    def direct(self, identity: Identity) -> Address | None:
        if identity.platform != self.platform or identity.account in self.absent:
            return None
        return Address(self.platform, identity.account)

    def gap(self, to: Address, *, edit: bool = False) -> timedelta:
        return timedelta(0)

    def read(self, body: Mapping[str, Any]) -> Incoming | None:
        """`poison` cannot be read; any other words are said in the sender's own room."""
        if body["text"] == "poison":
            raise ValueError("not a message of this messenger")
        sender = Sender(Identity(self.platform, body["who"]), body["who"], "en")
        where = Address(self.platform, body["who"])
        at = datetime(2026, 3, 2)  # noqa: DTZ001
        return Incoming(sender, where, at, Said(body["text"], body["key"]), private=True)

    def fetch(self, carried: Carried) -> AsyncIterator[bytes]:
        raise NotImplementedError

    async def run(self, door: Door) -> None:
        raise NotImplementedError

    async def typing(self, to: Address) -> None:
        return None

    def routes(self) -> Sequence[Any]:
        return ()

    def health(self) -> Health:
        return Health(True)


def words(message: Message) -> str:
    """The plain words of a message, and the keys of the others."""
    told = []
    for block in message.blocks:
        text = block.text if isinstance(block, Paragraph) else None
        told.append(text.text if isinstance(text, Plain) else getattr(text, "key", ""))
    return " ".join(told)


def move_in(town: Town) -> Messenger:
    """The messenger joins the town."""
    messenger = Messenger()
    town.house.adapters["fake"] = messenger  # type: ignore[index]
    town.house.delivery._pace = Pace(lambda: town.clock.now().timestamp())
    return messenger


async def hear(town: Town, who: str, *texts: str) -> int:
    """These words reach the inbox, each with its own words as its key."""
    events = [
        Event(f"{who}:{text}", who, {"who": who, "text": text, "key": f"{who}:{text}"}) for text in texts
    ]
    return await town.database.write(lambda tx: inbox.accept(tx, "fake", "bot", events))
