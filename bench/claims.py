"""Claims a second through the core: `take` with its right, its event and all that follows from it."""

import asyncio
import time
from pathlib import Path
from statistics import fmean

from bench import backlog, floor, rig, statements
from bench.report import Report, Row
from bot.main import House
from core.database.transaction import Transaction
from core.kernel.errors import UserError
from core.kernel.ids import PersonId, TicketId
from core.people import store as people
from core.people.model import Actor, Person, Role
from core.tickets import actions as tickets

AT_ONCE = 16


async def _agents(house: House) -> list[Actor]:
    async def work(tx: Transaction) -> list[Actor]:
        fresh = [_agent(place) for place in range(AT_ONCE)]
        return [Actor(_known(person, await people.add(tx, person)), "web") for person in fresh]

    return await house.database.write(work)


def _agent(place: int) -> Person:
    return Person(PersonId(0), f"Agent {place}", "en", frozenset({Role.AGENT}), ("support",), 100 + place)


def _known(person: Person, number: PersonId) -> Person:
    return Person(number, person.name, person.language, person.roles, person.queues, person.rank)


async def _apart(house: House, agents: list[Actor], numbers: range) -> float:
    """Everybody takes tickets that nobody else wants; claims a second."""

    async def work(place: int) -> None:
        for number in numbers[place::AT_ONCE]:
            await house.desk.run(tickets.take, agents[place], TicketId(number))

    began = time.perf_counter()
    await asyncio.gather(*(work(place) for place in range(AT_ONCE)))
    return len(numbers) / (time.perf_counter() - began)


async def _together(house: House, agents: list[Actor], numbers: range) -> float:
    """Everybody wants each ticket and exactly one gets it; tries a second."""

    async def work(agent: Actor, number: int) -> int:
        try:
            await house.desk.run(tickets.take, agent, TicketId(number))
        except UserError:
            return 0
        return 1

    began = time.perf_counter()
    for number in numbers:
        won = await asyncio.gather(*(work(agent, number) for agent in agents))
        assert sum(won) == 1, f"{sum(won)} people got ticket {number}"
    return len(numbers) * AT_ONCE / (time.perf_counter() - began)


async def measure(place: Path, *, quick: bool) -> Report:
    count = 32 if quick else 1_600
    wanted = count // 10
    last = backlog.FIRST + AT_ONCE + count + wanted
    before = [floor.plain(place / "before.db", count, 1)]
    async with rig.desk(place) as house:
        await backlog.pile(house, 2 * AT_ONCE + count + wanted)
        agents, first = await _agents(house), backlog.FIRST + AT_ONCE
        await _apart(house, agents, range(backlog.FIRST, first))
        cpu = time.process_time()
        apart = await _apart(house, agents, range(first, first + count))
        cpu = time.process_time() - cpu
        with statements.counted(house.database) as noted:
            await _apart(house, agents, range(last, last + AT_ONCE))
        spent = sum(len(each.statements) for each in noted) / AT_ONCE
        together = await _together(house, agents, range(first + count, first + count + wanted))
    bare = fmean([*before, floor.plain(place / "after.db", count, 1)])
    return Report(
        f"Claims, {AT_ONCE} at once",
        (
            Row("core: claims, each of another ticket", apart, "claims/s", bare),
            Row("core: processor time", cpu / count * 1000, "ms/claim"),
            Row("core: statements", spent, "statements/claim"),
            Row(f"core: tries, {AT_ONCE} for each ticket and one winner", together, "tries/s", bare),
            Row("floor: sqlite3 loop, one row and one commit each", bare, "commits/s"),
        ),
    )
