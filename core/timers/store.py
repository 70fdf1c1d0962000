"""The table of timers: it holds only what is still to come."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Integer, Table, UniqueConstraint, and_, bindparam, delete, or_, select
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, Serial, Text, metadata, serial_key
from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.leases.store import held_by, nobody_elses
from core.timers.model import LEASE, Timer

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
    Column("holder", Text),
    UniqueConstraint("ticket_id", "kind", "key", name="uq_timers_what"),
    sqlite_autoincrement=True,
)
_NOW = bindparam("now", type_=Instant)
_ADD = timers.insert()
_OF_TICKET = (
    select(timers).where(timers.c.ticket_id == bindparam("ticket")).order_by(timers.c.due_at, timers.c.id)
)
_REMOVE = delete(timers).where(
    timers.c.ticket_id == bindparam("ticket"), timers.c.kind == bindparam("of_kind")
)
_REMOVE_KEY = _REMOVE.where(timers.c.key == bindparam("of_key"))
_OVER = or_(
    timers.c.lease_until <= _NOW,
    timers.c.lease_until > bindparam("furthest", type_=Instant),  # the clock was set back since
)
_FREE = or_(timers.c.lease_until.is_(None), and_(_OVER, nobody_elses(timers.c.holder)))
_DUE = (
    select(timers)
    .where(timers.c.due_at <= _NOW, _FREE)
    .order_by(timers.c.due_at, timers.c.id)
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_LEASE = timers.update().where(timers.c.id == bindparam("timer"))
_TAKE = delete(timers).where(timers.c.id == bindparam("timer"), timers.c.fence == bindparam("held"))


def _timer(row: Row[Any]) -> Timer:
    return Timer(row.id, row.kind, row.ticket_id, row.key, row.due_at, row.facts, row.fence)


async def of_ticket(tx: Transaction, ticket: TicketId, kind: str) -> list[Timer]:
    """The ticket's timers of this kind, the earliest first."""
    rows = await tx.recall(_OF_TICKET, {"ticket": ticket})
    return [_timer(row) for row in rows if row.kind == kind]


async def add(tx: Transaction, timer: Timer) -> None:
    values = {
        "kind": timer.kind,
        "ticket_id": timer.ticket,
        "key": timer.key,
        "due_at": timer.due_at,
        "facts": timer.facts,
        "fence": 0,
    }
    tx.later(timers.name, _add_all, values)


async def _add_all(tx: Transaction, rows: list[dict[str, Any]]) -> None:
    await tx.execute(_ADD, rows)


async def remove(tx: Transaction, ticket: TicketId, kind: str) -> int:
    """Remove every timer of this kind; returns how many those were."""
    if not await of_ticket(tx, ticket, kind):
        return 0
    return await tx.execute(_REMOVE, {"ticket": ticket, "of_kind": kind})


async def remove_keys(tx: Transaction, ticket: TicketId, kind: str, keys: Collection[str]) -> None:
    """Remove those of the timers of this kind that have one of the keys."""
    there = [timer.key for timer in await of_ticket(tx, ticket, kind)]
    gone = [{"ticket": ticket, "of_kind": kind, "of_key": key} for key in there if key in keys]
    if gone:
        await tx.execute(_REMOVE_KEY, gone)


async def due(tx: Transaction, limit: int, me: str) -> list[Timer]:
    """Timers that are due and in nobody's hands, the most overdue first."""
    values = {"now": tx.now, "furthest": tx.now + LEASE, "limit": limit, "me": me}
    rows = await tx.all(_DUE, values)
    return [_timer(row) for row in rows]


async def lease(tx: Transaction, found: Collection[Timer], until: datetime, me: str) -> None:
    """Take timers into one's hands, as one has just found them."""
    rows = [
        {"timer": each.id, "lease_until": until, "fence": each.fence + 1, "holder": me or None}
        for each in found
    ]
    if rows:
        await tx.execute(_LEASE, rows)


async def give_back(tx: Transaction, holder: str) -> int:
    """What the holder has is free again; ALONE: what nobody has that lives."""
    held = timers.update().where(timers.c.lease_until.is_not(None), held_by(timers.c.holder, holder))
    return await tx.execute(held.values(lease_until=None, holder=None, fence=timers.c.fence + 1))


async def take(tx: Transaction, timer: Timer) -> bool:
    """Remove a claimed timer; False if it was cancelled, moved or claimed by another since."""
    return bool(await tx.execute(_TAKE, {"timer": timer.id, "held": timer.fence}))


async def next_due(tx: Transaction) -> datetime | None:
    """When the next timer is due."""
    instant: datetime | None = await tx.scalar(select(timers.c.due_at).order_by(timers.c.due_at).limit(1))
    return instant
