"""Looking at who is on call."""

from datetime import datetime, timedelta

from core.database.transaction import Transaction
from core.kernel.ids import PersonId
from core.oncall.model import OnCall, Rota
from core.people import store as people
from core.people.model import Person
from core.tickets.catalogue import Level

LOOK_AHEAD = timedelta(days=14)


async def rotas(tx: Transaction, queue: str, level: Level | None = None) -> list[Rota]:
    """The rotas for this queue and level, with what people have arranged among themselves."""
    return tx.rule(OnCall).of(queue, level)


async def on_call(
    tx: Transaction, queue: str, level: Level | None = None, at: datetime | None = None
) -> list[Person]:
    """Who is on call for this queue and level, now or at that instant; each once, in the rotas' order."""
    names = [rota.on_call(at or tx.now) for rota in await rotas(tx, queue, level)]
    return await named(tx, [name for name in names if name is not None])


async def at_level(tx: Transaction, queue: str, level: Level) -> list[Person]:
    """Who works at this level of the queue, in the configuration's order."""
    return await named(tx, tx.rule(OnCall).at_level(queue, level))


async def named(tx: Transaction, names: list[str]) -> list[Person]:
    """The staff of these names, in this order, each once."""
    staff = {person.name: person for person in await people.staff(tx)}
    return [staff[name] for name in dict.fromkeys(names) if name in staff]


async def away(tx: Transaction, at: datetime) -> set[PersonId]:
    """Who is away then."""
    return set()


async def until(tx: Transaction, queue: str, person: PersonId) -> datetime | None:
    """Until when this person is on call for the queue; None where they are not."""
    name = (await people.get(tx, person)).name
    ends = []
    for rota in await rotas(tx, queue):
        if rota.on_call(tx.now) == name:
            ends.append(rota.shifts(tx.now, tx.now + LOOK_AHEAD)[0].until)
    return max(ends, default=None)
