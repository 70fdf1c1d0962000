"""The table of clocks."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Table, Text, bindparam, delete, select
from sqlalchemy.engine import Row

from core.database.schema import Instant, Length, Serial, metadata
from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.sla.model import Clock, Target

clocks = Table(
    "clocks",
    metadata,
    Column("ticket_id", Serial, ForeignKey("tickets.id"), primary_key=True),
    Column("target", Text, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("length", Length, nullable=False),
    Column("paused_for", Length, nullable=False),
    Column("paused_at", Instant),
    Column("met_at", Instant),
    Column("due_at", Instant, nullable=False),
)
_OF_TICKET = select(clocks).where(clocks.c.ticket_id == bindparam("ticket"))
_REMOVE = delete(clocks).where(
    clocks.c.ticket_id == bindparam("ticket"), clocks.c.target == bindparam("which")
)
_ADD = clocks.insert()


def _clock(row: Row[Any]) -> Clock:
    return Clock(
        row.ticket_id,
        Target(row.target),
        row.started_at,
        row.length,
        row.paused_for,
        row.paused_at,
        row.met_at,
    )


async def of_ticket(tx: Transaction, ticket: TicketId) -> dict[Target, Clock]:
    rows = await tx.all(_OF_TICKET, {"ticket": ticket})
    return {clock.target: clock for row in rows if (clock := _clock(row))}


async def save(tx: Transaction, clock: Clock) -> None:
    values = {
        "ticket_id": clock.ticket,
        "target": clock.target,
        "started_at": clock.started_at,
        "length": clock.length,
        "paused_for": clock.paused_for,
        "paused_at": clock.paused_at,
        "met_at": clock.met_at,
        "due_at": clock.due_at,
    }
    await remove(tx, clock)
    await tx.execute(_ADD, values)


async def remove(tx: Transaction, clock: Clock) -> None:
    await tx.execute(_REMOVE, {"ticket": clock.ticket, "which": clock.target})
