"""The table of clocks."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Table, bindparam, delete, select
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, Length, Serial, Text, metadata
from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.sla.calendars import Pause
from core.sla.model import Clock, Promise, Promises, Target

clocks = Table(
    "clocks",
    metadata,
    Column("ticket_id", Serial, ForeignKey("tickets.id"), primary_key=True),
    Column("target", Text, primary_key=True),
    Column("started_at", Instant, nullable=False),
    Column("length", Length, nullable=False),
    Column("calendar", Text, nullable=False, server_default="always"),
    Column("pauses", Json, nullable=False, server_default="[]"),
    Column("paused_at", Instant),
    Column("met_at", Instant),
    Column("due_at", Instant, nullable=False),
    Column("warn_at", Instant, nullable=False, server_default="0"),
)
_OF_TICKET = select(clocks).where(clocks.c.ticket_id == bindparam("ticket")).order_by(clocks.c.target)
_REMOVE = delete(clocks).where(
    clocks.c.ticket_id == bindparam("ticket"), clocks.c.target == bindparam("which")
)
_CHANGE = clocks.update().where(
    clocks.c.ticket_id == bindparam("ticket"), clocks.c.target == bindparam("which")
)
_ADD = clocks.insert()


def of_row(row: Row[Any], promises: Promises) -> Clock:
    return Clock(
        row.ticket_id,
        Target(row.target),
        row.started_at,
        Promise(row.length, promises.calendar(row.calendar)),
        tuple(_pause(*pause) for pause in row.pauses),
        row.met_at,
    )


def _pause(since: str, until: str | None) -> Pause:
    return datetime.fromisoformat(since), None if until is None else datetime.fromisoformat(until)


async def of_ticket(tx: Transaction, ticket: TicketId) -> dict[Target, Clock]:
    rows, promises = await tx.recall(_OF_TICKET, {"ticket": ticket}), tx.rule(Promises)
    return {each.target: each for row in rows if (each := of_row(row, promises))}


async def due_times(tx: Transaction, ticket: TicketId) -> dict[Target, tuple[datetime, datetime]]:
    """When each promise of the ticket is due and warned of, as it was counted last."""
    rows = await tx.recall(_OF_TICKET, {"ticket": ticket})
    return {Target(row.target): (row.due_at, row.warn_at) for row in rows}


async def add(tx: Transaction, clock: Clock) -> None:
    """Keep a clock that the ticket did not have."""
    tx.later(clocks.name, _add_all, {"ticket_id": clock.ticket, "target": clock.target, **_values(clock)})


async def _add_all(tx: Transaction, rows: list[dict[str, Any]]) -> None:
    await tx.execute(_ADD, rows)


async def change(tx: Transaction, clock: Clock) -> None:
    """Keep what has changed about a clock."""
    await tx.execute(_CHANGE, {"ticket": clock.ticket, "which": clock.target, **_values(clock)})


def _values(clock: Clock) -> dict[str, Any]:
    return {
        "started_at": clock.started_at,
        "length": clock.promise.length,
        "calendar": clock.promise.calendar.name,
        "pauses": [[since.isoformat(), until and until.isoformat()] for since, until in clock.pauses],
        "paused_at": clock.paused_at,
        "met_at": clock.met_at,
        "due_at": clock.due_at,
        "warn_at": clock.warn_at,
    }


async def remove(tx: Transaction, clock: Clock) -> None:
    await tx.execute(_REMOVE, {"ticket": clock.ticket, "which": clock.target})
