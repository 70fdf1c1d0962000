"""The table of timers: it holds only what is still to come."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, Table, Text, UniqueConstraint, delete, or_, select, update
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, Serial, metadata, serial_key
from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.timers.model import Timer

timers = Table(
    "timers",
    metadata,
    serial_key(),
    Column("kind", Text, nullable=False),
    Column("ticket_id", Serial, nullable=False),
    Column("key", Text, nullable=False),
    Column("due_at", Instant, nullable=False, index=True),
    Column("facts", Json, nullable=False),
    Column("lease_until", Instant),
    Column("fence", Integer, nullable=False, default=0),
    UniqueConstraint("ticket_id", "kind", "key", name="uq_timers_what"),
    sqlite_autoincrement=True,
)


def _timer(row: Row[Any]) -> Timer:
    return Timer(row.id, row.kind, row.ticket_id, row.key, row.due_at, row.facts, row.fence)


async def of_ticket(tx: Transaction, ticket: TicketId, kind: str) -> list[Timer]:
    rows = await tx.all(
        select(timers).where(timers.c.ticket_id == ticket, timers.c.kind == kind).order_by(timers.c.due_at)
    )
    return [_timer(row) for row in rows]


async def add(tx: Transaction, timer: Timer) -> None:
    await tx.execute(
        timers.insert().values(
            kind=timer.kind,
            ticket_id=timer.ticket,
            key=timer.key,
            due_at=timer.due_at,
            facts=timer.facts,
            fence=0,
        )
    )


async def remove(tx: Transaction, ticket: TicketId, kinds: Collection[str], key: str | None = None) -> int:
    statement = delete(timers).where(timers.c.ticket_id == ticket, timers.c.kind.in_(list(kinds)))
    return await tx.execute(statement if key is None else statement.where(timers.c.key == key))


async def due(tx: Transaction, limit: int) -> list[Timer]:
    """Timers that are due and in nobody's hands, the most overdue first."""
    rows = await tx.all(
        select(timers)
        .where(timers.c.due_at <= tx.now, or_(timers.c.lease_until.is_(None), timers.c.lease_until <= tx.now))
        .order_by(timers.c.due_at, timers.c.id)
        .limit(limit)
    )
    return [_timer(row) for row in rows]


async def lease(tx: Transaction, timer: Timer, until: datetime) -> None:
    await tx.execute(
        update(timers).where(timers.c.id == timer.id).values(lease_until=until, fence=timers.c.fence + 1)
    )


async def take(tx: Transaction, timer: Timer) -> bool:
    """Remove a claimed timer; False if it was cancelled, moved or claimed by another since."""
    return bool(
        await tx.execute(delete(timers).where(timers.c.id == timer.id, timers.c.fence == timer.fence))
    )


async def next_due(tx: Transaction) -> datetime | None:
    """When the next timer is due."""
    instant: datetime | None = await tx.scalar(select(timers.c.due_at).order_by(timers.c.due_at).limit(1))
    return instant
