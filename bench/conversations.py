"""Events handled per second end to end: said, committed, handled, worded, shown and settled."""

import asyncio
import time
from functools import partial
from pathlib import Path

import sqlalchemy

from bench import floor, process, rig, statements
from bench.report import Report, Row
from bot.adapters.webchat import receive, store
from bot.adapters.webchat.receive import Speaker
from bot.adapters.webchat.store import Entry
from bot.main import House
from core.database.bells import wait
from core.kernel.ids import Identity

PRESSES = ("0", "0", "normal", "send")
"""What a requester answers after the first words; each is one event."""
EVENTS = 1 + len(PRESSES)
BUSY = sqlalchemy.text(
    "SELECT EXISTS (SELECT 1 FROM inbox WHERE state = 'new')"
    " OR EXISTS (SELECT 1 FROM outbox WHERE state IN ('pending', 'uncertain', 'sending'))"
)


class Ear:
    """Hears what the desk says in every room, as the page's server does: one look for all of them."""

    def __init__(self, house: House) -> None:
        self._database = house.database
        self._rooms: dict[str, asyncio.Queue[Entry]] = {}

    def room(self, name: str) -> asyncio.Queue[Entry]:
        return self._rooms.setdefault(name, asyncio.Queue())

    async def listen(self) -> None:
        heard, top = self._database.bells.listen(store.BELL), 0
        while True:
            await wait(heard, at_most=1)
            while fresh := await self._database.read(partial(store.changed, after=top, limit=500)):
                top = fresh[-1].seq
                for entry in fresh:
                    if entry.author is None and entry.room in self._rooms:
                        self._rooms[entry.room].put_nowait(entry)


async def converse(house: House, ear: Ear, account: str) -> None:
    """One requester from the first words to the number of the ticket."""
    identity = Identity("web", account)
    room = receive.direct_room(identity)
    speaker, heard = Speaker(identity, account, "en", {room}), ear.room(room)
    words = "The VPN drops every ten minutes and I have to sign in anew each time."
    say = partial(receive.said, speaker=speaker, key="0", room=room, thread=None, text=words)
    await house.database.write(say)
    for number, choice in enumerate(PRESSES, start=1):
        message, code = await _button(heard, choice)
        press = partial(
            receive.pressed, speaker=speaker, key=str(number), room=room, message_id=message, code=code
        )
        await house.database.write(press)
    while (await heard.get()).message.ticket is None:
        pass


async def _button(heard: asyncio.Queue[Entry], choice: str) -> tuple[int, str]:
    while True:
        entry = await heard.get()
        for code in (each.code for row in entry.message.rows for each in row):
            if code.startswith("d.") and code.endswith(f".{choice}"):
                return entry.id, code


async def _rest(house: House) -> None:
    """Until nothing waits any more."""
    settled = house.database.bells.listen("outbox")

    while await house.database.read(lambda tx: tx.scalar(BUSY)):
        await wait(settled, at_most=0.2)


async def crowd(house: House, names: list[str]) -> float:
    """Everybody at once; returns the seconds until the last message is settled."""
    ear = Ear(house)
    listening = asyncio.create_task(ear.listen())
    began = time.perf_counter()
    await asyncio.gather(*(converse(house, ear, name) for name in names))
    await _rest(house)
    took = time.perf_counter() - began
    listening.cancel()
    return took


async def measure(place: Path, *, quick: bool) -> Report:
    people = 10 if quick else 200
    async with rig.desk(place) as house, rig.at_work(house):
        await crowd(house, [f"warm{n}" for n in range(5)])
        before = await floor.count(house.database)
        cpu = time.process_time()
        took = await crowd(house, [f"guest{n}" for n in range(people)])
        cpu, memory = time.process_time() - cpu, process.peak()
        after = await floor.count(house.database)
        with statements.counted(house.database) as noted:
            await crowd(house, [f"counted{n}" for n in range(people // 10)])
        spent = sum(len(each.statements) for each in noted) / (people // 10) * people
    events = people * EVENTS
    rows = round((sum(after.values()) - sum(before.values())) / events)
    shown = after["outbox"] - before["outbox"]
    bare = floor.plain(place / "plain.db", events, rows)
    library = await floor.library(place / "library.db", events, rows)
    return Report(
        f"End to end: {people} conversations side by side, {EVENTS} events each, {rows} rows an event",
        (
            Row("desk: events handled, answers settled", events / took, "events/s", bare),
            Row("desk: messages shown", shown / took, "messages/s"),
            Row("desk: messages in and out", (events + shown) / took, "messages/s"),
            Row("desk and its guests: processor time", cpu / events * 1000, "ms/event"),
            Row("desk and its guests: statements", spent / events, "statements/event"),
            Row("desk and its guests: resident memory at its peak", memory, "MB"),
            Row("SQLAlchemy + aiosqlite, one transaction an event, writing alone", library, "events/s", bare),
            Row("floor: sqlite3 loop, one transaction an event, writing alone", bare, "events/s"),
        ),
    )
