"""Two real processes on one database of PostgreSQL: one desk, which goes on while one of them dies."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests import postgres
from tests.process.conftest import Yard
from tests.process.conversation import Round
from tests.process.desk import TEAM, Desk
from tests.process.person import Person

TAKEOVER = 15.0
PINGS = 3


@pytest.fixture
async def pair(yard: Yard) -> AsyncIterator[tuple[Desk, Desk]]:
    """Two processes that share nothing but the database."""
    server = postgres.shared()
    url = server.create("pair")
    desks = yard.desk("one", TEAM), yard.desk("other", TEAM)
    for desk in desks:
        desk.environment["DESKBRIDGE_DATABASE__URL"] = url
        desk.environment["DESKBRIDGE_DESK__FILES"] = str(desk.folder / "files")
    await asyncio.gather(*(desk.start() for desk in desks))
    yield desks
    for desk in desks:
        await desk.close()
    server.drop("pair")


async def told(desk: Desk) -> str:
    """What a process knows of the others."""
    found: str = (await desk.ready())["components"]["replicas"]["detail"]
    return found


async def live(desk: Desk, number: int) -> None:
    async with asyncio.timeout(TAKEOVER):
        while f"{number} live" not in await told(desk):
            await asyncio.sleep(0.1)


async def people(yard: Yard, **desks: Desk) -> list[Person]:
    return [(await yard.signed_in(desk, account))[0] for account, desk in desks.items()]


async def pinged(*people: Person) -> float:
    """Seconds until every step of the policy has asked somebody, once."""
    began = time.monotonic()
    async with asyncio.timeout(TAKEOVER + 5):
        while sum(each.tone == "ping" for person in people for each in person.screen.values()) < PINGS:
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def pings_of(desk: Desk) -> list[tuple[Any, ...]]:
    answer = await desk.ask("export", "--json")
    assert answer.returncode == 0, answer.stderr
    (ticket,) = json.loads(answer.stdout)["tickets"]
    return sorted((ping["policy"], ping["step"], ping["time"]) for ping in ticket["pings"])


async def test_two_processes_are_one_desk(yard: Yard, pair: tuple[Desk, Desk]) -> None:
    one, other = pair
    await asyncio.gather(live(one, 2), live(other, 2))
    ivan, olga, anna, boris = await people(yard, ivan=one, olga=other, anna=other, boris=one)
    rounds = [Round(ivan, anna, 1), Round(olga, boris, 1)]
    await asyncio.gather(*(each.play() for each in rounds))
    file = await ivan.upload(b"what was lying at one of them" * 20_000, "log.txt")
    ivan.desk = other
    assert await ivan.download(file) == b"what was lying at one of them" * 20_000
    await one.check_words([word for each in rounds for word in each.words[:6]], tickets=2)
    assert await one.stop() == 0
    await live(other, 1)
    assert one.oddities == other.oddities == []


async def test_when_one_is_killed_the_other_goes_on_in_time(yard: Yard, pair: tuple[Desk, Desk]) -> None:
    one, other = pair
    ivan, anna, boris, maria = await people(yard, ivan=one, anna=other, boris=other, maria=other)
    talk = Round(ivan, anna, 1, (anna, boris, maria))
    card = await talk.report()
    one.send(signal.SIGKILL)
    assert await pinged(anna, boris, maria) < TAKEOVER
    ivan.desk = other
    await talk.work(card)
    await talk.end(card)
    await live(other, 1)
    await other.check_words(talk.words[:6], tickets=1)
    assert await pings_of(other) == [("quick", step, 0) for step in range(PINGS)]
    assert (await other.ready())["ok"]
    assert other.oddities == []


async def test_one_that_stood_still_and_wakes_up_harms_nothing(yard: Yard, pair: tuple[Desk, Desk]) -> None:
    one, other = pair
    ivan, anna, boris, maria = await people(yard, ivan=one, anna=other, boris=other, maria=other)
    talk = Round(ivan, anna, 1, (anna, boris, maria))
    card = await talk.report()
    one.send(signal.SIGSTOP)
    assert await pinged(anna, boris, maria) < TAKEOVER
    await live(other, 1)
    one.send(signal.SIGCONT)
    await live(other, 2)
    await live(one, 2)
    await talk.work(card)
    await talk.end(card)
    await other.check_words(talk.words[:6], tickets=1)
    assert await pings_of(other) == [("quick", step, 0) for step in range(PINGS)]
    assert all((await desk.ready())["ok"] for desk in pair)
    assert one.oddities == other.oddities == []
