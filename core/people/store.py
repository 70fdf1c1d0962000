"""The tables of people and their identities."""

from collections.abc import Collection
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    bindparam,
    delete,
    false,
    select,
    text,
    update,
)
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, Names, Serial, Text, metadata, serial_key
from core.database.transaction import Transaction
from core.kernel import text as texts
from core.kernel.ids import Identity, PersonId
from core.people import reach
from core.people.model import Code, Person, Role

persons = Table(
    "persons",
    metadata,
    serial_key(),
    Column("name", Text, nullable=False),
    Column("language", Text, nullable=False),
    Column("roles", Names, nullable=False),
    Column("queues", Names, nullable=False),
    Column("rank", Integer, nullable=False),
    Column("reach", Json),
    Column("created_at", Instant, nullable=False),
    Column("language_chosen", Boolean, nullable=False, server_default=false()),
    Column("folded", Text, nullable=False, server_default="", index=True),
    Column("became", Serial),
    Column("vip", Boolean, nullable=False, server_default=false()),
)
"""`folded`: the name as it is compared."""

_WORKS_HERE = text("rank > 0")
Index("ix_persons_staff", persons.c.rank, sqlite_where=_WORKS_HERE, postgresql_where=_WORKS_HERE)

identities = Table(
    "identities",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("person_id", Serial, ForeignKey("persons.id"), nullable=False, index=True),
    Column("seen_at", Instant, nullable=False),
    Column("linked_at", Instant),
)

link_codes = Table(
    "link_codes",
    metadata,
    Column("identity", Text, primary_key=True),
    Column("room", Text, nullable=False),
    Column("seed", Text, nullable=False),
    Column("code_hash", Text, nullable=False, unique=True),
    Column("over_at", Instant, nullable=False),
    Column("written_by", Text),
)

link_guesses = Table(
    "link_guesses",
    metadata,
    serial_key(),
    Column("identity", Text, nullable=False, index=True),
    Column("at", Instant, nullable=False),
)

_GET = select(persons).where(persons.c.id == bindparam("person"))
_BY_IDENTITY = (
    select(persons)
    .join(identities, identities.c.person_id == persons.c.id)
    .where(identities.c.identity == bindparam("identity"))
)
_STAFF = select(persons).where(_WORKS_HERE).order_by(persons.c.rank)
_IDENTITIES = (
    select(identities.c.identity, identities.c.seen_at)
    .where(identities.c.person_id == bindparam("person"))
    .order_by(identities.c.seen_at.desc(), identities.c.identity)
)
_ADD = persons.insert().returning(persons.c.id)
_ATTACH = identities.insert()
_MOVE = identities.update().where(identities.c.identity == bindparam("account"))
_NEVER = datetime.fromtimestamp(0, UTC)
_SEEN = identities.update().where(identities.c.identity == bindparam("account"))
_LINKED = select(identities.c.identity).where(
    identities.c.person_id == bindparam("person"), identities.c.linked_at.is_not(None)
)
_CODE_FOR = select(link_codes).where(link_codes.c.identity == bindparam("identity"))
_CODE_OF = select(link_codes).where(link_codes.c.code_hash == bindparam("code_hash"))
_CODES_OVER = select(link_codes).where(link_codes.c.over_at <= bindparam("now", type_=Instant))
_GUESSES = (
    select(link_guesses.c.at)
    .where(link_guesses.c.identity == bindparam("identity"))
    .order_by(link_guesses.c.id.desc())
    .limit(bindparam("limit"))
)


def _person(row: Row[Any]) -> Person:
    return Person(
        id=PersonId(row.id),
        name=row.name,
        language=row.language,
        roles=_roles(row.roles),
        queues=row.queues,
        rank=row.rank,
        reach=reach.load(row.reach),
        language_chosen=row.language_chosen,
        vip=row.vip,
    )


@lru_cache(100)
def _roles(names: tuple[str, ...]) -> frozenset[Role]:
    return frozenset(Role(name) for name in names)


async def get(tx: Transaction, person_id: PersonId) -> Person:
    """The person of this id, who must exist; who they proved to be, if somebody the desk knew already."""
    row = await _row(tx, person_id)
    return _person(row) if row.became is None else await get(tx, PersonId(row.became))


async def as_known(tx: Transaction, person_id: PersonId) -> Person:
    """The person of this id, who must exist, as they were known before they proved to be somebody else."""
    return _person(await _row(tx, person_id))


async def _row(tx: Transaction, person_id: PersonId) -> Row[Any]:
    rows = await tx.recall(_GET, {"person": person_id})
    if not rows:
        raise LookupError(f"no person {person_id}")
    return rows[0]


async def become(tx: Transaction, person_id: PersonId, who: PersonId) -> None:
    """The one proved to be the other: whoever means the one from now on means the other."""
    await tx.execute(update(persons).where(persons.c.id == person_id).values(became=who))


async def by_identity(tx: Transaction, identity: Identity) -> Person | None:
    """Whose account this is, if the desk knows it."""
    rows = await tx.recall(_BY_IDENTITY, {"identity": str(identity)})
    return _person(rows[0]) if rows else None


async def staff(tx: Transaction) -> list[Person]:
    """Everybody with a staff role, in the order of the configuration."""
    return [person for row in await tx.recall(_STAFF, {}) if (person := _person(row)).staff]


async def called(tx: Transaction, names: Collection[str]) -> list[Person]:
    """Everybody who has an account and goes by one of the names, folded as the search folds them."""
    reachable = select(identities.c.person_id).where(identities.c.person_id == persons.c.id).exists()
    alike = select(persons).where(persons.c.folded.in_(names), reachable).order_by(persons.c.id)
    return [_person(row) for row in await tx.all(alike)]


async def owners(tx: Transaction) -> dict[Identity, PersonId]:
    """Whose each account is."""
    rows = await tx.all(select(identities.c.identity, identities.c.person_id))
    return {Identity.parse(row.identity): PersonId(row.person_id) for row in rows}


async def admins(tx: Transaction) -> list[Person]:
    """Those who set the desk up; where nobody is named so, the leads, else all staff."""
    everybody = await staff(tx)
    for role in (Role.ADMIN, Role.LEAD):
        if found := [person for person in everybody if role in person.roles]:
            return found
    return everybody


async def identities_of(tx: Transaction, person_id: PersonId) -> list[Identity]:
    """The person's accounts, the one heard from last first."""
    return [account.identity for account in await accounts_of(tx, person_id)]


async def accounts_of(tx: Transaction, person_id: PersonId) -> list[reach.Account]:
    """The person's accounts and when each was heard from, the last one first."""
    rows = await tx.recall(_IDENTITIES, {"person": person_id})
    return [reach.Account(Identity.parse(row.identity), row.seen_at) for row in rows]


async def add(tx: Transaction, person: Person) -> PersonId:
    """Keep a new person; the id of `person` is not looked at."""
    values = {
        "name": person.name,
        "language": person.language,
        "roles": sorted(person.roles),
        "queues": list(person.queues),
        "rank": person.rank,
        "created_at": tx.now,
        "language_chosen": person.language_chosen,
        "vip": person.vip,
        "folded": texts.search_text(person.name),
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
            reach=reach.dump(person.reach),
            language_chosen=person.language_chosen,
            vip=person.vip,
            folded=texts.search_text(person.name),
        )
    )


async def attach(tx: Transaction, identity: Identity, person_id: PersonId, *, linked: bool = False) -> None:
    """Say that this account is this person's; `linked`: because its owner proved it."""
    account = str(identity)
    whose = {"person_id": person_id, "linked_at": tx.now if linked else None}
    if not await tx.execute(_MOVE, {"account": account, **whose}):
        await tx.execute(_ATTACH, {"identity": account, "seen_at": _NEVER, **whose})


async def linked(tx: Transaction, person_id: PersonId) -> frozenset[Identity]:
    """Those of the person's accounts that were joined by their owner."""
    rows = await tx.all(_LINKED, {"person": person_id})
    return frozenset(Identity.parse(row.identity) for row in rows)


async def detach(tx: Transaction, identity: Identity) -> None:
    """This account is nobody's any more; whoever speaks through it next is somebody new."""
    await drop_code(tx, identity)
    await tx.execute(identities.delete().where(identities.c.identity == str(identity)))


async def seen(tx: Transaction, identity: Identity) -> None:
    """Remember that this account was heard from just now."""
    await tx.execute(_SEEN, {"account": str(identity), "seen_at": tx.now})


async def demote_all(tx: Transaction) -> None:
    """Take back everything the configuration gives, before it gives it anew."""
    named = update(persons).where(_WORKS_HERE)
    await tx.execute(named.values(roles=[Role.REQUESTER], queues=[], rank=0, vip=False))


# ---- codes that join accounts


async def keep_code(tx: Transaction, code: Code) -> None:
    """The one code of its account from now on."""
    await drop_code(tx, code.identity)
    values = {"room": code.room, "seed": code.seed, "code_hash": code.hash, "over_at": code.over_at}
    await tx.execute(link_codes.insert().values(identity=str(code.identity), **values))


async def code_for(tx: Transaction, identity: Identity) -> Code | None:
    """The code that was made for this account last."""
    row = await tx.first(_CODE_FOR, {"identity": str(identity)})
    return None if row is None else _code(row)


async def code_of(tx: Transaction, code_hash: str) -> Code | None:
    """The code of this hash."""
    row = await tx.first(_CODE_OF, {"code_hash": code_hash})
    return None if row is None else _code(row)


def _code(row: Row[Any]) -> Code:
    written_by = Identity.parse(row.written_by) if row.written_by else None
    return Code(Identity.parse(row.identity), row.room, row.seed, row.code_hash, row.over_at, written_by)


async def codes_over(tx: Transaction) -> list[Code]:
    """The codes that are good no more, though nobody has used them."""
    return [_code(row) for row in await tx.all(_CODES_OVER, {"now": tx.now})]


async def write_code(tx: Transaction, code: Code, by: Identity) -> None:
    """That account has written the code, and is asked whether it was meant."""
    mine = link_codes.c.identity == str(code.identity)
    await tx.execute(update(link_codes).where(mine).values(written_by=str(by)))


async def drop_code(tx: Transaction, identity: Identity) -> None:
    await tx.execute(delete(link_codes).where(link_codes.c.identity == str(identity)))


async def add_guess(tx: Transaction, identity: Identity, *, forget: datetime) -> None:
    """This account wrote a wrong code just now; those written before `forget` matter no more."""
    await tx.execute(delete(link_guesses).where(link_guesses.c.at < forget))
    await tx.execute(link_guesses.insert().values(identity=str(identity), at=tx.now))


async def guesses(tx: Transaction, identity: Identity, limit: int) -> list[datetime]:
    """When this account wrote a wrong code, the newest first."""
    return [row.at for row in await tx.all(_GUESSES, {"identity": str(identity), "limit": limit})]
