"""The table of the inbox."""

from typing import Any

from sqlalchemy import Column, Index, Integer, Table, Text, UniqueConstraint, func, select, text, update
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, metadata, serial_key
from core.database.transaction import Transaction
from core.inbox.model import Letter, State

inbox = Table(
    "inbox",
    metadata,
    serial_key(),
    Column("platform", Text, nullable=False),
    Column("account", Text, nullable=False),
    Column("event_key", Text, nullable=False),
    Column("lane", Text, nullable=False),
    Column("body", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False, default=0),
    Column("due_at", Instant, nullable=False),
    Column("error", Text),
    Column("received_at", Instant, nullable=False),
    Column("handled_at", Instant),
    UniqueConstraint("platform", "account", "event_key", name="uq_inbox_event"),
)
Index(
    "ix_inbox_waiting",
    inbox.c.lane,
    inbox.c.id,
    sqlite_where=text("state = 'new'"),
    postgresql_where=text("state = 'new'"),
)
Index(
    "ix_inbox_dead",
    inbox.c.id,
    sqlite_where=text("state = 'dead'"),
    postgresql_where=text("state = 'dead'"),
)
NEW = text("state = 'new'")


def letter(row: Row[Any]) -> Letter:
    return Letter(row.id, row.platform, row.account, row.lane, row.body, row.attempts, row.received_at)


async def lanes(tx: Transaction, limit: int) -> list[str]:
    """Conversations whose oldest waiting event is due, the longest waiting first."""
    oldest = select(func.min(inbox.c.id)).where(NEW).group_by(inbox.c.lane)
    rows = await tx.all(
        select(inbox.c.lane)
        .where(inbox.c.id.in_(oldest), inbox.c.due_at <= tx.now)
        .order_by(inbox.c.id)
        .limit(limit)
    )
    return [row.lane for row in rows]


async def head(tx: Transaction, lane: str) -> Letter | None:
    """The oldest waiting event of a conversation, if it is due."""
    row = await tx.first(select(inbox).where(NEW, inbox.c.lane == lane).order_by(inbox.c.id).limit(1))
    return None if row is None or row.due_at > tx.now else letter(row)


async def change(tx: Transaction, letter_id: int, **values: object) -> int:
    return await tx.execute(update(inbox).where(inbox.c.id == letter_id).values(**values))


async def dead(tx: Transaction) -> list[Row[Any]]:
    """Parked events, oldest first."""
    return list(await tx.all(select(inbox).where(inbox.c.state == State.DEAD).order_by(inbox.c.id)))
