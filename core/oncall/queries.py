"""Looking at who is on call."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.database.transaction import Transaction
from core.kernel.ids import PersonId
from core.oncall import store
from core.oncall.arranged import State
from core.oncall.model import Absence, Cover, OnCall, Rota
from core.people import store as people
from core.people.model import Person
from core.tickets.catalogue import Catalogue, Level

LOOK_BACK = timedelta(days=8)
"""What people had arranged is known for so long after it was over."""

LOOK_AHEAD = timedelta(days=14)


async def rotas(tx: Transaction, queue: str, level: Level | None = None) -> list[Rota]:
    """The rotas for this queue and level, with what people have arranged among themselves."""
    return await _arranged(tx, tx.rule(OnCall).of(queue, level))


async def every_rota(tx: Transaction) -> list[Rota]:
    """All of them, in the configuration's order, with what people have arranged among themselves."""
    return await _arranged(tx, tx.rule(OnCall).rotas)


async def rota(tx: Transaction, name: str) -> Rota | None:
    """The rota of this name, with what people have arranged; None for one the configuration has dropped."""
    known = [each for each in tx.rule(OnCall).rotas if each.name == name]
    return next(iter(await _arranged(tx, known)), None)


async def _arranged(tx: Transaction, found: Sequence[Rota]) -> list[Rota]:
    if not found:
        return []
    staff = {person.id: person.name for person in await people.staff(tx)}
    away = tuple(
        Absence(staff[person], since, until)
        for person, since, until in await store.away_after(tx, tx.now - LOOK_BACK)
        if person in staff
    )
    made = [each for each in await store.not_over(tx, tx.now - LOOK_BACK) if each.state is State.MADE]
    covers = {
        each.name: tuple(
            Cover(staff[stretch.person], stretch.since, stretch.until)
            for arrangement in made
            if arrangement.rota == each.name
            for stretch in arrangement.stretches
            if stretch.person in staff
        )
        for each in found
    }
    return [replace(each, covers=covers[each.name], absences=away) for each in found]


async def on_call(
    tx: Transaction, queue: str, level: Level | None = None, at: datetime | None = None
) -> list[Person]:
    """Who is on call for this queue and level, now or at that instant; each once, in the rotas' order."""
    names = [each.on_call(at or tx.now) for each in await rotas(tx, queue, level)]
    return await named(tx, [name for name in names if name is not None])


async def on_call_at(tx: Transaction, queue: str, level: Level) -> list[Person]:
    """Who is on call now by a rota of this level alone."""
    mine = [rota for rota in await rotas(tx, queue, level) if rota.level is level]
    return await named(tx, [name for rota in mine if (name := rota.on_call(tx.now)) is not None])


async def at_level(tx: Transaction, queue: str, level: Level) -> list[Person]:
    """Who works at this level of the queue, in the configuration's order."""
    return await named(tx, tx.rule(OnCall).at_level(queue, level))


async def away(tx: Transaction, at: datetime | None = None) -> set[PersonId]:
    """Who has said to be away, now or at that instant."""
    instant = at or tx.now
    return {
        person for person, since, until in await store.away_after(tx, instant) if since <= instant < until
    }


async def named(tx: Transaction, names: list[str]) -> list[Person]:
    """The staff of these names, in this order, each once."""
    staff = {person.name: person for person in await people.staff(tx)}
    return [staff[name] for name in dict.fromkeys(names) if name in staff]


async def until(tx: Transaction, queue: str, person: PersonId) -> datetime | None:
    """Until when this person is on call for the queue; None where they are not."""
    name = (await people.get(tx, person)).name
    ends = []
    for rota in await rotas(tx, queue):
        if rota.on_call(tx.now) == name:
            ends.append(rota.shifts(tx.now, tx.now + LOOK_AHEAD)[0].until)
    return max(ends, default=None)


def queues_of(tx: Transaction, which: Rota) -> tuple[str, ...]:
    """The queues it is for."""
    known = tuple(tx.rule(Catalogue).queues)
    return tuple(queue for queue in which.queues if queue in known) if which.queues else known


def spaces_of(tx: Transaction, which: Rota) -> tuple[str, ...]:
    """The rooms where the teams of its queues see their tickets, each once."""
    catalogue = tx.rule(Catalogue)
    rooms = (space for queue in queues_of(tx, which) for space in catalogue.queue(queue).spaces)
    return tuple(dict.fromkeys(rooms))


def leads(tx: Transaction, which: Rota, person: Person) -> bool:
    """Whether this person may say who is on call there."""
    return any(person.leads(queue) for queue in queues_of(tx, which))


def serves(tx: Transaction, which: Rota, person: Person) -> bool:
    """Whether this person works in one of its queues."""
    return any(person.serves(queue) for queue in queues_of(tx, which))
