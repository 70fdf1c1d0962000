"""The table of bursts: since when, until when and how often something happened in one stretch."""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Column, Integer, Table, bindparam, delete, select

from core.database.schema import Instant, Text, metadata
from core.database.transaction import Transaction

bursts = Table(
    "bursts",
    metadata,
    Column("name", Text, primary_key=True),
    Column("since", Instant, nullable=False),
    Column("last", Instant, nullable=False),
    Column("times", Integer, nullable=False),
)
_NAMED = bursts.c.name == bindparam("burst")
_GET = select(bursts).where(_NAMED)
_CHANGE = bursts.update().where(_NAMED)
_ADD = bursts.insert()


@dataclass(frozen=True, slots=True)
class Burst:
    """A stretch of time in which something happened `times` times, first at `since`. Instants are UTC."""

    since: datetime
    last: datetime
    times: int


async def get(tx: Transaction, name: str) -> Burst | None:
    row = await tx.first(_GET, {"burst": name})
    return None if row is None else Burst(row.since, row.last, row.times)


async def save(tx: Transaction, name: str, burst: Burst) -> None:
    values = {"since": burst.since, "last": burst.last, "times": burst.times}
    if not await tx.execute(_CHANGE, {"burst": name, **values}):
        await tx.execute(_ADD, {"name": name, **values})


async def forget(tx: Transaction, before: datetime, after: int) -> int | None:
    """Forget what has not happened since then. There is one row for everybody who spoke."""
    await tx.execute(delete(bursts).where(bursts.c.last < before))
    return None
