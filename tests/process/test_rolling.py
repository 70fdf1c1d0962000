"""A rolling upgrade: two processes of this version give way to the next one, while people keep writing."""

import asyncio
import contextlib
import json
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests import postgres
from tests.faults.proxy import Proxy
from tests.process import next_version
from tests.process.conftest import Yard
from tests.process.desk import TEAM, Desk
from tests.process.person import Person

WRITERS = ("ivan", "olga", "kira", "lena")
EVERY = 0.5
"""Seconds between two messages of one person: eight a second, all together."""
ACKNOWLEDGED = 3.0
BEATS = 5.0
"""Seconds in which each process looks twice at who else lives."""
SETTLED = 15.0
MORE = "".join(
    f'\n[[people]]\nname = "{name.title()}"\nidentities = ["web:{name}"]\n' for name in WRITERS[2:]
)
NAME = "rolling"


@dataclass
class Writer:
    """Somebody with a ticket who goes on to tell of it."""

    person: Person
    number: int = 0
    said: list[str] = field(default_factory=list)
    longest: float = 0.0

    def word(self) -> str:
        self.number += 1
        self.said.append(f"{self.person.account}-{self.number}.")
        return self.said[-1]

    async def report(self) -> None:
        me = self.person
        await me.say(f"VPN is down {self.word()}")
        await me.press("Office", lambda each: "Where are you?" in each.text)
        await me.press("It can wait", lambda each: "How badly" in each.text)
        await me.press("Send")
        await me.hears("is with the team")

    async def write(self) -> None:
        """One message after the other, without end; each is acknowledged before the next is said."""
        while True:
            began = time.monotonic()
            await self.person.say(f"still {self.word()}")
            took = time.monotonic() - began
            self.longest = max(self.longest, took)
            await asyncio.sleep(max(0.0, EVERY - took))


class Rollout:
    """Two places for processes behind one address, and what the database is like."""

    def __init__(self, yard: Yard, url: str, front: Proxy, new: Path, desks: list[Desk]) -> None:
        self._yard = yard
        self._url = url
        self._new = new
        self.front = front
        self.desks = desks

    def desk(self, name: str, port: int | None = None, *, new: bool = False) -> Desk:
        made = self._yard.desk(name, TEAM + MORE, port)
        made.environment["DESKBRIDGE_DATABASE__URL"] = self._url
        made.environment["DESKBRIDGE_DESK__FILES"] = str(made.folder / "files")
        if new:
            made.environment["PYTHONPATH"] = str(self._new)
        return made

    async def replace(self, place: int) -> None:
        """Stop the process at this place, and start the next version there."""
        old = self.desks[place]
        assert await old.stop() == 0
        self.desks[place] = self.desk(f"new-{place}", old.port, new=True)
        await self.desks[place].start()

    async def has(self, table: str, column: str) -> bool:
        asked = f"SELECT count(*) FROM information_schema.columns WHERE table_name = '{table}'"
        told = await asyncio.to_thread(postgres.shared().sql, f"{asked} AND column_name = '{column}'", NAME)
        return told == "1"


@pytest.fixture
async def rollout(yard: Yard, tmp_path: Path) -> AsyncIterator[Rollout]:
    server = postgres.shared()
    made = Rollout(yard, server.create(NAME), Proxy(), next_version.made(tmp_path / "next"), [])
    made.desks += [made.desk("one"), made.desk("other")]
    async with Proxy(*(desk.port for desk in made.desks)) as made.front:
        await made.desks[0].start()
        await made.desks[1].start()
        yield made
        for desk in made.desks:
            await desk.close()
    server.drop(NAME)


@dataclass(frozen=True)
class Front:
    """The one address."""

    base: str


async def signed_in(yard: Yard, rollout: Rollout, *accounts: str) -> list[Person]:
    people = await yard.signed_in(rollout.desks[0], *accounts)
    for person in people:
        person.desk = Front(rollout.front.url)
    return people


@contextlib.asynccontextmanager
async def writing(writers: list[Writer]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(each.write()) for each in writers]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        done = await asyncio.gather(*tasks, return_exceptions=True)
    assert [each for each in done if not isinstance(each, asyncio.CancelledError)] == []


async def check(desk: Desk, writers: list[Writer]) -> None:
    """Every word stands in the ticket of who has said it, once, and in order; the last one of each may not
    have been sent."""
    told = await desk.ask("export", "--json")
    assert told.returncode == 0, told.stderr
    tickets = json.loads(told.stdout)["tickets"]
    kept = sorted([m["text"].split()[-1] for m in ticket["messages"]] for ticket in tickets)
    sure = sorted(each.said[:-1] for each in writers)
    assert [words[: len(said)] for words, said in zip(kept, sure, strict=True)] == sure
    assert all(len(words) - len(said) <= 1 for words, said in zip(kept, sure, strict=True))
    assert "no dead letters" in (await desk.ask("dead-letters", "list")).stdout


async def read_once(agent: Person, writers: list[Writer]) -> None:
    """The agent reads what each has said last, and has read all of it once."""
    for each in writers:
        await agent.hears(f"{each.said[-2]}")
    shown = " ".join(f"{each.text} " for each in agent.screen.values() if not each.deleted and each.thread)
    words = [word for each in writers for word in each.said[1:-1]]
    assert {word: shown.count(word) for word in words if shown.count(word) != 1} == {}


@pytest.mark.timeout(300)
async def test_a_rolling_upgrade_loses_doubles_and_delays_nothing(yard: Yard, rollout: Rollout) -> None:
    anna, *people = await signed_in(yard, rollout, "anna", *WRITERS)
    writers = [Writer(person) for person in people]
    await asyncio.gather(*(each.report() for each in writers))
    old = list(rollout.desks)
    async with writing(writers):
        await rollout.replace(0)
        assert await rollout.has("tickets", "colour")
        await asyncio.sleep(BEATS)
        assert await rollout.has("replicas", "version"), "an older process needs it still"
        assert (await old[1].ready())["ok"]
        await rollout.replace(1)
        async with asyncio.timeout(SETTLED):
            while await rollout.has("replicas", "version"):
                await asyncio.sleep(0.1)
        await asyncio.sleep(4 * EVERY)

    assert max(each.longest for each in writers) < ACKNOWLEDGED
    await read_once(anna, writers)
    await check(rollout.desks[0], writers)
    late = rollout.desk("late")
    await late.launch()
    assert await late.wait() == 2
    assert late.errors.count("\n") == 1
    assert f"newer Deskbridge (schema {next_version.POST})" in late.errors
    assert [await desk.stop() for desk in rollout.desks] == [0, 0]
    assert [line for desk in [*old, *rollout.desks, late] for line in desk.oddities] == []
