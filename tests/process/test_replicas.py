"""Two real processes on one database of PostgreSQL: one desk, which goes on while one of them dies."""

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Sequence

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
    url = server.create(name := f"pair_{os.getpid()}")
    desks = yard.desk("one", TEAM), yard.desk("other", TEAM)
    for desk in desks:
        desk.environment["DESKBRIDGE_DATABASE__URL"] = url
        desk.environment["DESKBRIDGE_DESK__FILES"] = str(desk.folder / "files")
    await asyncio.gather(*(desk.start() for desk in desks))
    yield desks
    for desk in desks:
        await desk.close()
    server.drop(name)


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


async def pinged(number: int, *people: Person) -> float:
    """Seconds until every step of the policy has asked somebody, once."""
    began = time.monotonic()

    def pings() -> int:
        screens = [each for person in people for each in person.screen.values()]
        return sum(each.tone == "ping" and each.ticket == number for each in screens)

    async with asyncio.timeout(TAKEOVER + 5):
        while pings() < PINGS:
            await asyncio.sleep(0.05)
    return time.monotonic() - began


async def check(desk: Desk, rounds: Sequence[Round], urgent: int) -> None:
    """Everything was said once and every ping asked once."""
    await desk.check_words([word for each in rounds for word in each.words[:6]], tickets=len(rounds))
    answer = await desk.ask("export", "--json")
    tickets = json.loads(answer.stdout)["tickets"]
    pings = [sorted((ping["step"], ping["time"]) for ping in ticket["pings"]) for ticket in tickets]
    assert sorted(pings) == [[]] * (len(rounds) - urgent) + [[(step, 0) for step in range(PINGS)]] * urgent
    assert "no dead letters" in (await desk.ask("dead-letters", "list")).stdout


@pytest.mark.timeout(300)
async def test_two_processes_are_one_desk_that_goes_on_while_one_stands_still_or_dies(
    yard: Yard, pair: tuple[Desk, Desk]
) -> None:
    one, other = pair
    await asyncio.gather(live(one, 2), live(other, 2))
    team = await people(yard, ivan=one, olga=other, anna=other, boris=other, maria=other)
    ivan, olga, *pinged_ones = team
    anna, boris, _ = pinged_ones

    rounds = [Round(ivan, anna, 1), Round(olga, boris, 1)]
    await asyncio.gather(*(each.play() for each in rounds))
    content = b"what lies on the disk of one of them" * 20_000
    file = await ivan.upload(content, "log.txt")
    ivan.desk = other
    assert await ivan.download(file) == content
    ivan.desk = one

    rounds.append(frozen := Round(ivan, anna, 2, pinged_ones))
    card = await frozen.report()
    one.send(signal.SIGSTOP)
    assert await pinged(card.ticket or 0, *pinged_ones) < TAKEOVER
    await live(other, 1)
    one.send(signal.SIGCONT)
    await asyncio.gather(live(one, 2), live(other, 2))
    await frozen.work(card)
    await frozen.end(card)
    assert [(await desk.ready())["ok"] for desk in pair] == [True, True]

    rounds.append(killed := Round(ivan, anna, 3, pinged_ones))
    card = await killed.report()
    one.send(signal.SIGKILL)
    assert await pinged(card.ticket or 0, *pinged_ones) < TAKEOVER
    ivan.desk = other
    await killed.work(card)
    await killed.end(card)
    await check(other, rounds, urgent=2)
    assert await other.stop() == 0
    assert one.oddities == other.oddities == []
