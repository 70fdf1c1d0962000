"""Messengers in memory: what stands in their rooms, whatever the desk believes, and what goes wrong there.

A `Platform` belongs to no process and keeps the truth. Each process has an `Adapter` to it (see
`bot.adapters.port`): a call travels there, is done or not, and its answer travels back or is lost.
"""

import asyncio
import re
from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, Any

from bot.adapters.port import Door, Features, Health, Posted, Reader, Unlearned
from bot.incoming import Carried, Edited, Incoming, Pressed, Said, Sender, Submitted, What
from bot.message import Message
from core.kernel.errors import PermanentError, TemporaryError
from core.kernel.ids import Address, Identity
from tests.simulation.loop import Loop, Process

if TYPE_CHECKING:
    from tests.simulation.world import World

NONCE = re.compile(r"\bn\d+x\b")
PATIENCE = 30.0
"""Seconds after which an adapter waits no longer for an answer."""
NEVER = "never"
POISON = "poison"
"""The kind of an event that cannot be read."""
SPACES = {"web": "support", "telegram": "-100", "slack": "T0/C1"}
"""Where staff see every ticket."""

FEATURES = {
    "web": Features(text_limit=100_000, label_limit=200, forms=True, finds=True),
    "telegram": Features(
        pace_overall=timedelta(seconds=1 / 30), acknowledges=True, whispers=False, replies=True
    ),
    "slack": Features(
        text_limit=3000, buttons_in_row=5, forms=True, acknowledges=True, threads=True, finds=True
    ),
}


def nonces(message: Message) -> list[str]:
    """The marked words in it, the buttons and their forms apart."""
    return NONCE.findall(repr((message.blocks, message.answers)))


@dataclass(eq=False)
class Standing:
    """A message of the desk as it stands in a room."""

    id: str
    room: str
    thread: str | None
    nonce: str
    message: Message
    only: Identity | None
    at: float
    deleted: bool = False
    changes: int = 0


@dataclass(eq=False)
class Call:
    """One try to show something: by whom, and whether anybody knows what became of it."""

    process: Process
    stops: int
    nonce: str
    began: float = 0.0
    done: bool = False
    lost: bool = False
    """The answer is."""

    @property
    def doubtful(self) -> bool:
        """Whether it was done, and yet the desk may have good reason to try it again."""
        return self.done and (self.lost or not self.process.alive or self.process.stops > self.stops)


@dataclass(frozen=True)
class Weather:
    """How likely each trouble is."""

    busy: float = 0.0
    later: float = 0.0
    unanswered: float = 0.0
    lost: float = 0.0
    slow: float = 0.0

    def draw(self, lot: float) -> str:
        for name in ("busy", "later", "unanswered", "lost", "slow"):
            lot -= getattr(self, name)
            if lot < 0:
                return name
        return "ok"


CALM = Weather()


@dataclass
class Platform:
    """One messenger."""

    name: str
    world: "World"
    features: Features = field(init=False)
    rooms: dict[str, list[Standing]] = field(default_factory=lambda: defaultdict(list))
    calls: dict[str, list[Call]] = field(default_factory=lambda: defaultdict(list))
    copies: dict[str, int] = field(default_factory=lambda: defaultdict(int))
    shown_first: dict[str, int] = field(default_factory=dict)
    """By nonce, the place among everything that was shown first."""
    forms: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    """Codes of the forms that were opened before somebody."""
    weather: Weather = CALM
    away: bool = False
    blocked: set[str] = field(default_factory=set)
    serial: int = 100

    def __post_init__(self) -> None:
        self.features = FEATURES[self.name]

    @property
    def loop(self) -> Loop:
        return self.world.loop

    def number(self) -> str:
        self.serial += 1
        return str(self.serial)

    def visible(self, room: str) -> list[Standing]:
        return [each for each in self.rooms[room] if not each.deleted]

    # ---- what the desk does

    def _find(self, room: str, message: str) -> Standing:
        for each in reversed(self.rooms[room]):
            if each.id == message and not each.deleted:
                return each
        raise PermanentError("it is gone", code="gone")

    def _reachable(self, room: str) -> None:
        if room in self.blocked:
            self.world.note("blocked", self.name)
            raise PermanentError(NEVER, code="blocked")

    def post(self, call: Call, to: Address, message: Message, reader: Reader) -> Posted:
        self._reachable(to.room)
        self.world.overheard(self, to, reader, message)
        if reader.press is not None and self.features.acknowledges:
            if message.form is not None and reader.only is not None:
                self.forms[reader.only.account].append(message.form.code)
            return Posted("")
        if self.name == "slack" and reader.only is not None and to.room.rpartition("/")[2][:1] == "C":
            return Posted("")
        if not message.blocks:
            return Posted("")
        standing = next((each for each in self.rooms[to.room] if each.nonce == call.nonce), None)
        if standing is not None and self.features.finds:
            return self._told(standing)
        if standing is not None and any(each.done and not each.doubtful for each in self.calls[call.nonce]):
            self.world.fail(f"{self.name}: {call.nonce} was shown again though it had been answered")
        return self._told(self._put_up(call, to, message, reader))

    def _put_up(self, call: Call, to: Address, message: Message, reader: Reader) -> Standing:
        topic = self.name == "telegram" and message.tone == "card" and to.thread is None
        thread = f"t{self.number()}" if topic else to.thread
        only = reader.only if self.features.whispers else None
        shown = Standing(self.number(), to.room, thread, call.nonce, message, only, self.loop.time())
        call.done = True
        if message.tone == "ping" and message.rows and call.nonce:
            self.world.asked(call)
        self.rooms[to.room].append(shown)
        self.copies[call.nonce] += 1
        self.shown_first.setdefault(call.nonce, len(self.shown_first))
        self.world.note("shown", self.name, to.room, call.nonce, shown.id)
        return shown

    def _told(self, standing: Standing) -> Posted:
        topic = self.name == "telegram" and standing.message.tone == "card"
        return Posted(standing.id, (), standing.thread if topic else None)

    def edit(self, call: Call, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        self._reachable(to.room)
        self.world.overheard(self, to, reader, message)
        shown = self._find(to.room, posted.message)
        shown.message = message
        shown.changes += 1
        self.world.note("edited", self.name, to.room, shown.id)
        return posted

    def delete(self, call: Call, to: Address, posted: Posted) -> None:
        for each in self.rooms[to.room]:
            if each.id == posted.message:
                each.deleted = True
        self.world.note("deleted", self.name, to.room, posted.message)

    def learn(self, call: Call, body: Mapping[str, Any]) -> None:
        """Who somebody is, is told to whoever asks."""

    # ---- how it is reached

    def carry(self, call: Call, act: Callable[[Call], Any], answer: asyncio.Future[Any]) -> None:
        """The request travels; what comes of it is drawn now, so that it hangs on nothing else."""
        outcome = "away" if self.away else self.weather.draw(self.world.chance.random())
        if outcome != "ok":
            self.world.note(outcome, self.name)
        there = self.world.chance.uniform(0.005, 0.1)
        back = there + (self.world.chance.uniform(1, PATIENCE - 1) if outcome == "slow" else 0.0)
        self.loop.outside(there, self._arrived, call, act, answer, outcome, back)

    def _arrived(
        self, call: Call, act: Callable[[Call], Any], answer: asyncio.Future[Any], outcome: str, back: float
    ) -> None:
        match outcome:
            case "busy" | "away":
                failure: Exception = TemporaryError("busy")
            case "later":
                span = timedelta(seconds=self.world.chance.choice((1, 3, 7, 40)))
                failure = TemporaryError("slow down", delay=span)
            case "lost":
                failure, back = TemporaryError("no answer", unknown=True), PATIENCE
            case _:
                try:
                    told = act(call)
                except PermanentError as error:
                    failure = error
                else:
                    if outcome != "unanswered":
                        self.loop.outside(back, _answer, answer, told, None)
                        return
                    call.lost = True
                    failure, back = TemporaryError("no answer", unknown=True), PATIENCE
        self.loop.outside(back, _answer, answer, None, failure)


def _answer(answer: asyncio.Future[Any], told: Any, failure: Exception | None) -> None:
    if answer.done():
        return
    if failure is None:
        answer.set_result(told)
    else:
        answer.set_exception(failure)


class Adapter:
    """What one process knows of a platform."""

    def __init__(self, platform: Platform, process: Process) -> None:
        self.platform = platform.name
        self.features = platform.features
        self._there = platform
        self._process = process
        self._known: set[str] = set()

    async def _call(self, act: Callable[[Call], Any], nonce: str = "") -> Any:
        call = Call(self._process, self._process.stops, nonce, self._there.loop.time())
        if nonce:
            self._there.calls[nonce].append(call)
        answer = self._there.loop.create_future()
        self._there.carry(call, act, answer)
        return await answer

    async def post(
        self, to: Address, message: Message, reader: Reader, nonce: str, *, again: bool = False
    ) -> Posted:
        act = partial(self._there.post, to=to, message=message, reader=reader)
        return await self._call(act, nonce)  # type: ignore[no-any-return]

    async def edit(self, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        act = partial(self._there.edit, to=to, posted=posted, message=message, reader=reader)
        return await self._call(act)  # type: ignore[no-any-return]

    async def delete(self, to: Address, posted: Posted) -> None:
        await self._call(partial(self._there.delete, to=to, posted=posted))

    async def learn(self, body: Mapping[str, Any]) -> None:
        await self._call(partial(self._there.learn, body=body))
        self._known.add(body["who"])

    def read(self, body: Mapping[str, Any]) -> Incoming | None:
        if self.platform == "slack" and body["who"] not in self._known:
            raise Unlearned("who that is")
        sender = Sender(Identity(self.platform, body["who"]), body["name"], "en")
        where = Address(self.platform, body["room"], body["thread"])
        return Incoming(
            sender, where, datetime.fromisoformat(body["at"]), _what(body), private=body["private"]
        )

    def direct(self, identity: Identity) -> Address | None:
        if identity.platform != self.platform:
            return None
        return Address(self.platform, direct_room(identity))

    def gap(self, to: Address, *, edit: bool = False) -> timedelta:
        """Everybody acts faster here than anywhere else; so messengers take more."""
        group = to.room == SPACES[self.platform]
        if edit and not (group and self.platform == "telegram"):
            return timedelta(0)
        return timedelta(0) if self.platform == "web" else timedelta(seconds=0.2 if group else 0.05)

    def health(self) -> Health:
        return Health(not self._there.away, "it cannot be reached" if self._there.away else "")

    async def typing(self, to: Address) -> None:
        """Nobody looks at that here."""

    async def run(self, door: Door) -> None:
        raise NotImplementedError

    def fetch(self, carried: Carried) -> AsyncIterator[bytes]:
        raise NotImplementedError

    def routes(self) -> Sequence[Any]:
        return ()


def direct_room(identity: Identity) -> str:
    return f"u-{identity.account}" if identity.platform == "web" else identity.account


def _what(body: Mapping[str, Any]) -> What:
    match body["kind"]:
        case "said":
            return Said(body["text"], body["message"], reply_to=body["reply_to"], addressed=body["private"])
        case "edited":
            return Edited(body["text"], body["message"])
        case "pressed":
            return Pressed(body["code"], body["message"], body["press"])
    return Submitted(body["code"], tuple((name, value) for name, value in body["values"]), body["press"])
