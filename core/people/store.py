"""The tables of people and their identities."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, bindparam, select, update
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, Serial, metadata, serial_key
from core.database.transaction import Transaction
from core.kernel.ids import Identity, PersonId
from core.people.model import Person, Role

persons = Table(
    "persons",
    metadata,
    serial_key(),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("roles", Json, nullable=False),
    Column("queues", Json, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("created_at", Instant, nullable=False),
)

identities = Table(
    "identities",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("person_id", Serial, ForeignKey("persons.id"), nullable=False, index=True),
    Column("seen_at", Instant, nullable=False),
)
_GET = select(persons).where(persons.c.id == bindparam("person"))
_BY_IDENTITY = (
    select(persons)
    .join(identities, identities.c.person_id == persons.c.id)
    .where(identities.c.identity == bindparam("identity"))
)
_STAFF = select(persons).where(persons.c.rank > 0).order_by(persons.c.rank)
_IDENTITIES = (
    select(identities.c.identity)
    .where(identities.c.person_id == bindparam("person"))
    .order_by(identities.c.seen_at.desc(), identities.c.identity)
)
_ADD = persons.insert().returning(persons.c.id)
_ATTACH = identities.insert()
_MOVE = identities.update().where(identities.c.identity == bindparam("account"))
_SEEN = identities.update().where(identities.c.identity == bindparam("account"))


def _person(row: Row[Any]) -> Person:
    return Person(
        id=PersonId(row.id),
        name=row.name,
        language=row.language,
        roles=frozenset(Role(role) for role in row.roles),
        queues=tuple(row.queues),
        rank=row.rank,
    )


async def get(tx: Transaction, person_id: PersonId) -> Person:
    """The person of this id, who must exist."""
    row = await tx.first(_GET, {"person": person_id})
    if row is None:
        raise LookupError(f"no person {person_id}")
    return _person(row)


async def by_identity(tx: Transaction, identity: Identity) -> Person | None:
    """Whose account this is, if the desk knows it."""
    row = await tx.first(_BY_IDENTITY, {"identity": str(identity)})
    return None if row is None else _person(row)


async def staff(tx: Transaction) -> list[Person]:
    """Everybody with a staff role, in the order of the configuration."""
    return [person for row in await tx.all(_STAFF) if (person := _person(row)).staff]


async def admins(tx: Transaction) -> list[Person]:
    """Those who set the desk up; where nobody is named so, the leads, else all staff."""
    everybody = await staff(tx)
    for role in (Role.ADMIN, Role.LEAD):
        if found := [person for person in everybody if role in person.roles]:
            return found
    return everybody


async def identities_of(tx: Transaction, person_id: PersonId) -> list[Identity]:
    """The person's accounts, the one heard from last first."""
    rows = await tx.all(_IDENTITIES, {"person": person_id})
    return [Identity.parse(row.identity) for row in rows]


async def add(tx: Transaction, person: Person) -> PersonId:
    """Keep a new person; the id of `person` is not looked at."""
    values = {
        "name": person.name,
        "language": person.language,
        "roles": sorted(person.roles),
        "queues": list(person.queues),
        "rank": person.rank,
        "created_at": tx.now,
    }
    return PersonId(await tx.scalar(_ADD, values))


async def save(tx: Transaction, person: Person) -> None:
    """Keep what has changed about a person."""
    await tx.execute(
        update(persons)
        .where(persons.c.id == person.id)
        .values(
            name=person.name,
            language=person.language,
            roles=sorted(person.roles),
            queues=list(person.queues),
            rank=person.rank,
        )
    )


async def attach(tx: Transaction, identity: Identity, person_id: PersonId) -> None:
    """Say that this account is this person's."""
    account = str(identity)
    if not await tx.execute(_MOVE, {"account": account, "person_id": person_id}):
        await tx.execute(_ATTACH, {"identity": account, "person_id": person_id, "seen_at": tx.now})


async def detach(tx: Transaction, identity: Identity) -> None:
    """This account is nobody's any more; whoever speaks through it next is somebody new."""
    await tx.execute(identities.delete().where(identities.c.identity == str(identity)))


async def seen(tx: Transaction, identity: Identity) -> None:
    """Remember that this account was heard from just now."""
    await tx.execute(_SEEN, {"account": str(identity), "seen_at": tx.now})


async def demote_all(tx: Transaction) -> None:
    """Take every staff role back, before the configuration gives them anew."""
    await tx.execute(
        update(persons).where(persons.c.rank > 0).values(roles=[Role.REQUESTER], queues=[], rank=0)
    )
