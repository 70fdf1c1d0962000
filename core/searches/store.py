"""The table of searches: the last one of each person."""

from sqlalchemy import Column, ForeignKey, Table, UniqueConstraint, bindparam, delete, select

from core.database.schema import Instant, Serial, Text, metadata, serial_key
from core.database.transaction import Transaction
from core.kernel.ids import PersonId

searches = Table(
    "searches",
    metadata,
    serial_key(),
    Column("person_id", Serial, ForeignKey("persons.id"), nullable=False),
    Column("words", Text, nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("person_id", name="uq_searches_person"),
    sqlite_autoincrement=True,
)
_OF_PERSON = searches.c.person_id == bindparam("person", type_=Serial)
_FORGET = delete(searches).where(_OF_PERSON)
_KEEP = searches.insert().returning(searches.c.id)
_WORDS = select(searches.c.words).where(_OF_PERSON, searches.c.id == bindparam("search"))


async def keep(tx: Transaction, person: PersonId, words: str) -> int:
    """Remember what was searched for, by a number; what the person searched for before is forgotten."""
    await forget(tx, person)
    return int(await tx.scalar(_KEEP, {"person_id": person, "words": words, "at": tx.now}))


async def forget(tx: Transaction, person: PersonId) -> None:
    """What the person searched for last is forgotten."""
    await tx.execute(_FORGET, {"person": person})


async def words(tx: Transaction, person: PersonId, search: int) -> str | None:
    """What the person's search of this number was for; None if it is not their last."""
    found: str | None = await tx.scalar(_WORDS, {"person": person, "search": search})
    return found
