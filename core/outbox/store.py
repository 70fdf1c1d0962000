"""The tables of parcels and posts."""

from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import Boolean, Column, Index, Integer, Table, Text, func, or_, select, text, update
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, Serial, metadata, serial_key
from core.database.transaction import Transaction
from core.kernel.ids import MessageId, ParcelId, TicketId
from core.outbox.model import Parcel, Post, State

outbox = Table(
    "outbox",
    metadata,
    serial_key(),
    Column("lane", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("facts", Json, nullable=False),
    Column("room", Text),
    Column("person_id", Serial),
    Column("ticket_id", Serial),
    Column("message_id", Serial),
    Column("thread", Boolean, nullable=False),
    Column("slot", Text),
    Column("only_for", Text),
    Column("retract", Boolean, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("error", Text),
    Column("created_at", Instant, nullable=False),
    Column("settled_at", Instant),
    sqlite_autoincrement=True,
)
_WAITING = "state IN ('pending', 'uncertain', 'sending')"
Index(
    "ix_outbox_waiting",
    outbox.c.lane,
    outbox.c.id,
    sqlite_where=text(_WAITING),
    postgresql_where=text(_WAITING),
)
Index("ix_outbox_slot", outbox.c.slot, sqlite_where=text(_WAITING), postgresql_where=text(_WAITING))
Index(
    "ix_outbox_dead",
    outbox.c.id,
    sqlite_where=text("state = 'dead'"),
    postgresql_where=text("state = 'dead'"),
)

posts = Table(
    "posts",
    metadata,
    serial_key(),
    Column("address", Text, nullable=False),
    Column("room", Text, nullable=False),
    Column("remote", Text, nullable=False),
    Column("parts", Json, nullable=False),
    Column("slot", Text, index=True),
    Column("ticket_id", Serial, index=True),
    Column("message_id", Serial, index=True),
    Column("at", Instant, nullable=False),
)
Index("ix_posts_place", posts.c.room, posts.c.remote)


def parcel(row: Row[Any]) -> Parcel:
    return Parcel(
        kind=row.kind,
        facts=row.facts,
        room=row.room,
        person=row.person_id,
        ticket=row.ticket_id,
        message=row.message_id,
        thread=row.thread,
        slot=row.slot,
        only=row.only_for,
        retract=row.retract,
        id=ParcelId(row.id),
        attempts=row.attempts,
        fence=row.fence,
        uncertain=row.state == State.UNCERTAIN,
    )


def post(row: Row[Any]) -> Post:
    return Post(
        row.id, row.address, row.remote, tuple(row.parts), row.slot, row.ticket_id, row.message_id, row.at
    )


async def add(tx: Transaction, new: Parcel, due_at: datetime) -> None:
    await tx.execute(
        outbox.insert().values(
            lane=new.lane,
            kind=new.kind,
            facts=new.facts,
            room=new.room,
            person_id=new.person,
            ticket_id=new.ticket,
            message_id=new.message,
            thread=new.thread,
            slot=new.slot,
            only_for=new.only,
            retract=new.retract,
            state=State.PENDING,
            attempts=0,
            fence=0,
            due_at=due_at,
            created_at=tx.now,
        )
    )


async def replace_waiting(tx: Transaction, new: Parcel) -> bool:
    """Put the newest content into a parcel of the same slot that was not sent yet."""
    return bool(
        await tx.execute(
            update(outbox)
            .where(
                text(_WAITING),
                outbox.c.state == State.PENDING,
                outbox.c.slot == new.slot,
                outbox.c.lane == new.lane,
            )
            .values(kind=new.kind, facts=new.facts, retract=new.retract, message_id=new.message)
        )
    )


async def heads(tx: Transaction, busy: Collection[str], limit: int) -> list[Parcel]:
    """The first waiting parcel of each lane that is due and in nobody's hands."""
    oldest = select(func.min(outbox.c.id)).where(text(_WAITING)).group_by(outbox.c.lane)
    statement = (
        select(outbox)
        .where(
            outbox.c.id.in_(oldest),
            outbox.c.due_at <= tx.now,
            or_(outbox.c.lease_until.is_(None), outbox.c.lease_until <= tx.now),
        )
        .order_by(outbox.c.id)
        .limit(limit + len(busy))
    )
    rows = await tx.all(statement)
    return [parcel(row) for row in rows if row.lane not in busy][:limit]


async def change(tx: Transaction, held: Parcel, **values: object) -> bool:
    """Change a parcel that is still in the hands that claimed it."""
    return bool(
        await tx.execute(
            update(outbox).where(outbox.c.id == held.id, outbox.c.fence == held.fence).values(**values)
        )
    )


async def add_post(tx: Transaction, sent: Parcel, address: str, remote: str, parts: tuple[str, ...]) -> None:
    await tx.execute(
        posts.insert().values(
            address=address,
            room=address.partition("#")[0],
            remote=remote,
            parts=list(parts),
            slot=sent.slot,
            ticket_id=sent.ticket,
            message_id=sent.message,
            at=tx.now,
        )
    )


async def post_in(tx: Transaction, room: str, slot: str) -> Post | None:
    """Where a slot stands in a room."""
    row = await tx.first(
        select(posts).where(posts.c.slot == slot, posts.c.room == room).order_by(posts.c.id.desc()).limit(1)
    )
    return None if row is None else post(row)


async def post_of(tx: Transaction, slot: str, address_like: str) -> Post | None:
    """Where a slot stands in any room whose address begins so."""
    row = await tx.first(
        select(posts)
        .where(posts.c.slot == slot, posts.c.address.startswith(address_like, autoescape=True))
        .order_by(posts.c.id.desc())
        .limit(1)
    )
    return None if row is None else post(row)


async def posts_of_message(tx: Transaction, message: MessageId) -> list[Post]:
    rows = await tx.all(select(posts).where(posts.c.message_id == message).order_by(posts.c.id))
    return [post(row) for row in rows]


async def posts_of_slot(tx: Transaction, slot: str) -> list[Post]:
    rows = await tx.all(select(posts).where(posts.c.slot == slot).order_by(posts.c.id))
    return [post(row) for row in rows]


async def at(tx: Transaction, room: str, remote: str) -> Post | None:
    """What of ours a person points at in a room."""
    row = await tx.first(select(posts).where(posts.c.room == room, posts.c.remote == remote).limit(1))
    return None if row is None else post(row)


async def forget_post(tx: Transaction, post_id: int) -> None:
    await tx.execute(posts.delete().where(posts.c.id == post_id))


async def dead(tx: Transaction) -> list[Row[Any]]:
    """Parcels given up, oldest first."""
    return list(await tx.all(select(outbox).where(outbox.c.state == State.DEAD).order_by(outbox.c.id)))


async def drop_waiting(tx: Transaction, slot: str, ticket: TicketId | None = None) -> int:
    """Do not send what waits in this slot; returns how many parcels that were."""
    statement = update(outbox).where(text(_WAITING), outbox.c.state == State.PENDING, outbox.c.slot == slot)
    if ticket is not None:
        statement = statement.where(outbox.c.ticket_id == ticket)
    return await tx.execute(statement.values(state=State.DROPPED, settled_at=tx.now))
