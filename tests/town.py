"""A whole desk on a file with a hand-turned clock, and people who talk to it through the web chat."""

import contextlib
import itertools
import tempfile
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, partial
from pathlib import Path
from typing import Any

from bot import config, main
from bot.adapters.webchat import receive, store
from bot.adapters.webchat.adapter import Webchat
from bot.message import Attachment
from bot.web import wording
from bot.web.settings import Room
from core.database import engine
from core.database.engine import Database
from core.database.transaction import Transaction
from core.files import actions as files
from core.inbox import store as inbox
from core.kernel.clock import HandClock
from core.kernel.ids import Identity, TicketId
from core.outbox import store as outbox
from core.people import actions as people_actions
from core.people import store as people
from core.people.model import Person
from core.tickets import store as tickets
from core.tickets.model import Ticket
from tests import databases

_keys = itertools.count(1)


@dataclass(frozen=True)
class Shown:
    """A message as somebody sees it now."""

    id: int
    thread: int | None
    text: str
    buttons: Mapping[str, str]
    forms: Mapping[str, str]
    tone: str
    mine: bool
    only: bool
    ticket: int | None
    deleted: bool
    seq: int = 0
    """Grows whenever the message changes."""
    author: str = ""
    room: str = ""

    def __contains__(self, words: str) -> bool:
        return words in self.text


@dataclass
class Somebody:
    """A person at the web chat."""

    town: "Town"
    account: str
    seen: int = 0

    @property
    def identity(self) -> Identity:
        return Identity("web", self.account)

    @property
    def direct(self) -> str:
        return receive.direct_room(self.identity)

    async def _speaker(self) -> receive.Speaker:
        person = await self.town.database.read(lambda tx: people.by_identity(tx, self.identity))
        language = person.language if person else self.town.settings.desk.language
        name = person.name if person else self.account
        rooms = [self.direct, *(room.room for room in self.town.rooms(person))] if person else [self.direct]
        return receive.Speaker(self.identity, name, language, frozenset(rooms))

    async def say(
        self,
        text: str,
        *,
        room: str | None = None,
        thread: int | None = None,
        key: str = "",
        reply_to: int | None = None,
        files: Sequence[tuple[str, bytes]] = (),
        settle: bool = True,
    ) -> "Somebody":
        """Write, and let the desk do all that follows, unless it is not to `settle`."""
        speaker = await self._speaker()
        act = partial(
            receive.said,
            speaker=speaker,
            key=key or f"k{next(_keys)}",
            room=room or self.direct,
            thread=thread,
            text=text,
            files=[await self._upload(name, body) for name, body in files],
            reply_to=reply_to,
        )
        with contextlib.suppress(receive.Repeated):
            await self.town.database.write(act)
        if settle:
            await self.town.settle()
        return self

    async def say_below(self, number: int, text: str, **more: Any) -> "Somebody":
        """Write in the ticket's thread."""
        card = await self.card(number)
        room = await self.town.database.read(partial(self.town.room_of, message_id=card.id))
        return await self.say(text, room=room, thread=card.id, **more)

    async def _upload(self, name: str, body: bytes) -> Attachment:
        async def chunks() -> AsyncIterator[bytes]:
            yield body

        async def own(tx: Transaction) -> Attachment:
            person = await people_actions.meet(tx, self.identity, name=self.account, language="en")
            file = await files.add(tx, kept, name=name, mime="application/octet-stream", owner=person.id)
            return Attachment(file.id, file.name, file.mime, file.size)

        kept = await self.town.house.blobs.keep(chunks())
        return await self.town.database.write(own)

    async def edit(self, old: str, new: str) -> "Somebody":
        """Change the newest of their own messages that holds the old words."""
        shown = next(each for each in reversed(await self.sees()) if each.mine and old in each.text)
        room = await self.town.database.read(partial(self.town.room_of, message_id=shown.id))
        act = partial(
            receive.edited,
            speaker=await self._speaker(),
            key=f"k{next(_keys)}",
            room=room,
            message_id=shown.id,
            text=new,
        )
        await self.town.database.write(act)
        await self.town.settle()
        return self

    async def press(self, label: str, *, key: str = "", settle: bool = True) -> "Somebody":
        """Press the newest button with this label."""
        for shown in reversed(await self.sees()):
            if label in shown.buttons:
                await self.press_code(shown, shown.buttons[label], key=key, settle=settle)
                return self
        raise AssertionError(f"{self.account} sees no button {label!r}")

    async def press_code(self, shown: Shown, code: str, *, key: str = "", settle: bool = True) -> None:
        speaker = await self._speaker()
        room = await self.town.database.read(lambda tx: self.town.room_of(tx, shown.id))
        act = partial(
            receive.pressed,
            speaker=speaker,
            key=key or f"k{next(_keys)}",
            room=room,
            message_id=shown.id,
            code=code,
        )
        with contextlib.suppress(receive.Repeated):
            await self.town.database.write(act)
        if settle:
            await self.town.settle()

    async def fill(self, label: str, **values: str) -> "Somebody":
        """Open the newest form behind this button and send it filled in."""
        for shown in reversed(await self.sees()):
            if label in shown.forms:
                await self.submit(shown, shown.forms[label], values)
                return self
        raise AssertionError(f"{self.account} sees no form {label!r}")

    async def submit(self, shown: Shown, code: str, values: Mapping[str, str]) -> None:
        """Send a form that was opened at a message."""
        act = partial(
            receive.submitted,
            speaker=await self._speaker(),
            key=f"k{next(_keys)}",
            room=await self.town.database.read(partial(self.town.room_of, message_id=shown.id)),
            thread=shown.thread or shown.id,
            code=code,
            values=values,
        )
        await self.town.database.write(act)
        await self.town.settle()

    async def sees(self) -> list[Shown]:
        """Everything on this person's screen, in their language."""
        speaker = await self._speaker()

        async def look(tx: Transaction) -> list[Shown]:
            viewer = wording.Viewer(self.identity, self.account, speaker.language, self.town.zone)
            entries = await store.recent(tx, self.identity, speaker.rooms, 10_000)
            return [
                _shown(wording.message(entry, viewer, tx.now))
                for entry in sorted(entries, key=lambda entry: entry.id)
            ]

        return await self.town.database.read(look)

    async def hears(self) -> list[Shown]:
        """What has come to this person's own conversation since they last listened."""
        everything = [
            shown
            for shown in await self.sees()
            if shown.thread is None and not shown.mine and shown.tone != "card"
        ]
        fresh = [shown for shown in everything if shown.id > self.seen]
        self.seen = max([self.seen, *(shown.id for shown in everything)])
        return fresh

    async def last(self) -> Shown:
        """The newest message to this person."""
        return [shown for shown in await self.sees() if not shown.mine and not shown.deleted][-1]

    async def card(self, number: int) -> Shown:
        """The ticket's card."""
        return next(shown for shown in await self.sees() if shown.tone == "card" and shown.ticket == number)

    async def thread(self, number: int) -> list[Shown]:
        """What stands below the ticket's card."""
        card = await self.card(number)
        return [shown for shown in await self.sees() if shown.thread == card.id and not shown.deleted]


def _named(name: str) -> str:
    """The name of a fact, told in one line with it; a question has its own sign."""
    return name if name.endswith(("?", ":", ".")) else f"{name}:"


def _shown(message: Mapping[str, Any]) -> Shown:
    lines: list[str] = []
    for block in message["blocks"]:
        match block["kind"]:
            case "facts":
                lines += [f"{_named(name)} {value}" for name, value in block["rows"]]
            case "attachment":
                lines.append(f"[{block['name']}]")
            case _:
                lines.append(block["text"])
    choices = [choice for row in message["rows"] for choice in row]
    return Shown(
        id=message["id"],
        thread=message["thread"],
        text="\n".join(lines),
        buttons={choice["label"]: choice["code"] for choice in choices},
        forms={choice["label"]: choice["form"]["code"] for choice in choices if choice["form"]},
        tone=message["tone"],
        mine=message["mine"],
        only=message["only"],
        ticket=message["ticket"],
        deleted=message["deleted"],
        seq=message["seq"],
        author=message["author"]["name"],
        room=message["room"],
    )


@dataclass
class Town:
    """The desk and everybody around it."""

    path: Path
    settings: config.Settings
    clock: HandClock
    database: Database
    house: main.House
    folk: dict[str, Somebody] = field(default_factory=dict)
    zone: str = "UTC"
    """In which everybody reads the time."""

    def __getitem__(self, account: str) -> Somebody:
        return self.folk.setdefault(account, Somebody(self, account))

    def rooms(self, person: Person) -> Sequence[Room]:
        """The rooms a person sees besides their own."""
        return main.rooms_of(self.settings)(person)

    async def room_of(self, tx: Transaction, message_id: int) -> str:
        found = await store.get(tx, message_id)
        assert found is not None
        return found.room

    async def settle(self) -> None:
        """Let everything happen that is due now."""
        for _ in range(50):
            await self.house.router.catch_up()
            await self.house.delivery.catch_up()
            fired = await self.house.scheduler.tick()
            if not fired and not await self.waiting():
                return
        raise AssertionError("the desk does not come to rest")

    async def waiting(self) -> bool:
        """Whether anything is due now."""

        async def look(tx: Transaction) -> bool:
            return bool(await inbox.lanes(tx, 1) or await outbox.heads(tx, (), 1))

        return await self.database.write(look)

    async def waiting_lanes(self) -> list[str]:
        """Whose share it is what is due now, by the names of that."""

        async def look(tx: Transaction) -> list[str]:
            lanes = [each.lane for each in await inbox.lanes(tx, 100)]
            return lanes + [each.share for each in await outbox.heads(tx, (), 100)]

        return await self.database.read(look)

    async def later(self, span: timedelta, *, step: timedelta | None = None) -> None:
        """Let time go by, looking in every `step`."""
        left = span
        while left > timedelta(0):
            leap = min(step or span, left)
            self.clock.advance(leap)
            left -= leap
            await self.settle()

    async def ticket(self, number: int) -> Ticket:
        return await self.database.read(lambda tx: tickets.get(tx, TicketId(number)))

    async def restart(self, toml: str | None = None) -> None:
        """The process ends without a word, and another one takes up the same file, or other settings."""
        await self.database.close()
        if toml is not None:
            self.settings = _settings(self.path.parent, toml)
        self.database = Database(databases.place(self.path), self.clock)
        self.house = main.build(self.settings, self.database, self.clock)
        await self.house.desk.open()


DEMO = ""


def _settings(folder: Path, toml: str) -> config.Settings:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "config.toml"
    file.write_text(toml, encoding="utf-8")
    return config.load(file, {"DESKBRIDGE_DATABASE__URL": databases.url(folder / "desk.db")})


@cache
def _migrated() -> bytes:
    """A database of the newest schema with nothing in it, made once."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "desk.db"
        engine.prepare(path).release()
        return path.read_bytes()


@contextlib.asynccontextmanager
async def town(tmp_path: Path, toml: str = DEMO, clock: HandClock | None = None) -> AsyncIterator[Town]:
    """Open a desk in a folder; without `toml` it is the demo's."""
    settings = _settings(tmp_path, toml)
    path, clock = tmp_path / "desk.db", clock or HandClock()
    if not databases.ON_SERVER and not path.exists():
        path.write_bytes(_migrated())
    lock = databases.prepared(path)
    database = Database(databases.place(path), clock)
    opened = Town(path, settings, clock, database, main.build(settings, database, clock))
    await opened.house.desk.open()
    try:
        yield opened
    finally:
        await opened.database.close()
        lock.release()


__all__ = ["Somebody", "Town", "Webchat", "town"]
