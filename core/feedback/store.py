"""The table of ratings."""

from datetime import datetime

from sqlalchemy import Column, ForeignKey, Integer, Table, bindparam, delete, func, select, update

from core.database.schema import Instant, Serial, Text, metadata
from core.database.transaction import Transaction
from core.kernel.ids import PersonId, TicketId

ratings = Table(
    "ratings",
    metadata,
    Column("ticket_id", Serial, ForeignKey("tickets.id"), primary_key=True),
    Column("person_id", Serial, ForeignKey("persons.id"), nullable=False, index=True),
    Column("asked_at", Instant, nullable=False),
    Column("stars", Integer),
    Column("comment", Text),
    Column("rated_at", Instant),
)
_STARS = select(ratings.c.stars).where(ratings.c.ticket_id == bindparam("ticket"))


async def stars(tx: Transaction, ticket: TicketId) -> int | None:
    found: int | None = await tx.scalar(_STARS, {"ticket": ticket})
    return found


async def asked(tx: Transaction, ticket: TicketId) -> bool:
    return (await tx.scalar(select(ratings.c.asked_at).where(ratings.c.ticket_id == ticket))) is not None


async def last_asked(tx: Transaction, person: PersonId) -> datetime | None:
    statement = select(func.max(ratings.c.asked_at, type_=Instant())).where(ratings.c.person_id == person)
    found: datetime | None = await tx.scalar(statement)
    return found


async def ask(tx: Transaction, ticket: TicketId, person: PersonId) -> None:
    await tx.execute(delete(ratings).where(ratings.c.ticket_id == ticket))
    await tx.execute(ratings.insert().values(ticket_id=ticket, person_id=person, asked_at=tx.now))


async def change(tx: Transaction, ticket: TicketId, **values: object) -> None:
    await tx.execute(update(ratings).where(ratings.c.ticket_id == ticket).values(**values))


async def hand_over(tx: Transaction, giver: PersonId, to: PersonId) -> None:
    """What the one was asked and answered counts as asked of the other."""
    await tx.execute(update(ratings).where(ratings.c.person_id == giver).values(person_id=to))
