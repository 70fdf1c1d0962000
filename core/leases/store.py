"""The tables of leases and of the replicas that live."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Integer, Table, bindparam, delete, or_, select
from sqlalchemy.engine import Row

from core.database.schema import Instant, Text, insert_new, metadata
from core.database.transaction import Transaction
from core.leases.model import Lease, Replica

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text),
    Column("fence", Integer, nullable=False),
    Column("until", Instant, nullable=False),
)
replicas = Table(
    "replicas",
    metadata,
    Column("id", Text, primary_key=True),
    Column("version", Text, nullable=False),
    Column("schema", Text, nullable=False),
    Column("beats", Integer, nullable=False),
    Column("beat_at", Instant, nullable=False),
)
_OF = select(leases).where(leases.c.name == bindparam("which")).with_for_update()
_ADD = insert_new(leases)
_CHANGE = leases.update().where(leases.c.name == bindparam("which"), leases.c.fence == bindparam("held"))
_FREE = leases.update().where(leases.c.holder == bindparam("of")).values(holder=None)
_ALL = select(replicas).order_by(replicas.c.id)
_LIVES = select(replicas.c.id).where(replicas.c.id == bindparam("replica"))
_JOIN = replicas.insert()
_BEAT = (
    replicas.update()
    .where(replicas.c.id == bindparam("replica"))
    .values(beats=replicas.c.beats + 1, beat_at=bindparam("at", type_=Instant))
)
_LEAVE = delete(replicas).where(replicas.c.id == bindparam("replica"))


def nobody_elses(holder: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether what is held is held by nobody that lives, or by the parameter `me`. Whoever else lives has it
    for as long as that takes, whatever this machine's clock says of the lease."""
    return or_(holder == bindparam("me"), nobodys(holder))


def nobodys(holder: ColumnElement[str]) -> ColumnElement[bool]:
    """Whether its holder, if it has one, lives no more."""
    return or_(holder.is_(None), holder.not_in(select(replicas.c.id)))


def held_by(column: ColumnElement[str], holder: str) -> ColumnElement[bool]:
    """What this holder has; ALONE: what nobody has that lives."""
    return column == holder if holder else nobodys(column)


def _lease(row: Row[Any]) -> Lease:
    return Lease(row.name, row.holder or "", row.fence, row.until)


async def of(tx: Transaction, name: str) -> Lease | None:
    """Who has it, or had it last; nobody's where the holder is empty."""
    row = await tx.first(_OF, {"which": name})
    return None if row is None else _lease(row)


async def add(tx: Transaction, lease: Lease) -> bool:
    """False if there is one of this name already."""
    values = {"name": lease.name, "holder": lease.holder, "fence": lease.fence, "until": lease.until}
    return bool(await tx.execute(_ADD, values))


async def change(tx: Transaction, before: Lease, **values: object) -> bool:
    """False if it has another fence by now."""
    return bool(await tx.execute(_CHANGE, {"which": before.name, "held": before.fence, **values}))


async def give_back(tx: Transaction, holder: str) -> int:
    """Nothing is this holder's any more."""
    return await tx.execute(_FREE, {"of": holder})


async def all_replicas(tx: Transaction) -> list[Replica]:
    return [Replica(r.id, r.version, r.schema, r.beats, r.beat_at) for r in await tx.all(_ALL)]


async def lives(tx: Transaction, replica: str) -> bool:
    return await tx.first(_LIVES, {"replica": replica}) is not None


async def join(tx: Transaction, replica: Replica) -> None:
    await tx.execute(
        _JOIN,
        {
            "id": replica.id,
            "version": replica.version,
            "schema": replica.schema,
            "beats": replica.beats,
            "beat_at": replica.beat_at,
        },
    )


async def beat(tx: Transaction, replica: str, at: datetime) -> bool:
    """False if it is not known: it was taken for dead."""
    return bool(await tx.execute(_BEAT, {"replica": replica, "at": at}))


async def leave(tx: Transaction, gone: Collection[str]) -> None:
    for each in gone:
        await tx.execute(_LEAVE, {"replica": each})
