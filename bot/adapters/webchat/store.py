"""The tables of the web chat: the transcript, which is its platform, and who is signed in to look at it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

from sqlalchemy import BigInteger, Boolean, Column, Index, Table, bindparam, func, or_, select
from sqlalchemy.engine import Row
from sqlalchemy.sql import Select
from sqlalchemy.sql.elements import ColumnElement

from bot import message as messages
from core.database.schema import Instant, Serial, Text, insert_new, metadata, serial_key
from core.database.transaction import Transaction
from core.kernel.ids import Identity

BELL = "web"

web_messages = Table(
    "web_messages",
    metadata,
    serial_key(),
    Column("seq", BigInteger, nullable=False, unique=True),
    Column("room", Text, nullable=False),
    Column("thread", Serial),
    Column("author", Text),
    Column("only_for", Text),
    Column("nonce", Text, unique=True),
    Column("tone", Text, nullable=False),
    Column("body", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("edited_at", Instant),
    Column("deleted", Boolean, nullable=False),
    Index("ix_web_messages_room_seq", "room", "seq"),
)

web_sessions = Table(
    "web_sessions",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("identity", Text, nullable=False, index=True),
    Column("seat", Text, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
)

web_links = Table(
    "web_links",
    metadata,
    Column("token_hash", Text, primary_key=True),
    Column("identity", Text, nullable=False),
    Column("reusable", Boolean, nullable=False),
    Column("expires_at", Instant, nullable=False, index=True),
    Column("used_at", Instant),
)

_LAST_SEQ = select(func.coalesce(func.max(web_messages.c.seq), 0))
_NEXT_SEQ = _LAST_SEQ.scalar_subquery() + 1
_BY_NONCE = select(web_messages.c.id).where(web_messages.c.nonce == bindparam("nonce"))
_POST = insert_new(web_messages).values(seq=_NEXT_SEQ).returning(web_messages.c.id)
_CHANGE = web_messages.update().where(web_messages.c.id == bindparam("message")).values(seq=_NEXT_SEQ)
_EDIT = _CHANGE.where(
    web_messages.c.body != bindparam("same"),
    web_messages.c.room == bindparam("in_room"),
    web_messages.c.deleted.is_(False),
)
_GET = select(web_messages).where(web_messages.c.id == bindparam("message"))
_CHANGED = (
    select(web_messages)
    .where(web_messages.c.seq > bindparam("after"))
    .order_by(web_messages.c.seq)
    .limit(bindparam("limit"))
)


@dataclass(frozen=True, slots=True)
class Entry:
    """A message of the transcript as it stands now. `author` None: the desk said it."""

    id: int
    seq: int
    room: str
    thread: int | None
    author: str | None
    only_for: str | None
    message: messages.Message
    created_at: datetime
    edited: bool
    deleted: bool

    def shown_to(self, identity: Identity) -> bool:
        """Whether this account may see it, where it may see the room."""
        return self.only_for is None or self.only_for == str(identity)


def _entry(row: Row[Any]) -> Entry:
    return Entry(
        id=row.id,
        seq=row.seq,
        room=row.room,
        thread=row.thread,
        author=row.author,
        only_for=row.only_for,
        message=messages.from_json(row.body),
        created_at=row.created_at,
        edited=row.edited_at is not None,
        deleted=row.deleted,
    )


async def last_seq(tx: Transaction) -> int:
    """The number of the newest change; 0 before the first."""
    return cast(int, await tx.scalar(_LAST_SEQ))


async def by_nonce(tx: Transaction, nonce: str) -> int | None:
    """The message that was posted under this nonce, if it was."""
    return cast("int | None", await tx.scalar(_BY_NONCE, {"nonce": nonce}))


async def post(
    tx: Transaction,
    *,
    room: str,
    thread: int | None,
    author: Identity | None,
    only_for: Identity | None,
    nonce: str,
    message: messages.Message,
) -> int | None:
    """Append a message and return its id; None when one stands there under this nonce."""
    values = {
        "room": room,
        "thread": thread,
        "author": str(author) if author else None,
        "only_for": str(only_for) if only_for else None,
        "nonce": nonce,
        "tone": message.tone,
        "body": messages.to_json(message),
        "created_at": tx.now,
        "deleted": False,
    }
    fresh = cast("int | None", await tx.scalar(_POST, values))
    if fresh is not None:
        tx.ring(BELL)
    return fresh


async def edit(tx: Transaction, room: str, message_id: int, message: messages.Message) -> bool:
    """Replace what a message of the room says. False where nothing changes: it says the same already, was
    taken back, or never stood there."""
    body = messages.to_json(message)
    values = {"tone": message.tone, "body": body, "edited_at": tx.now}
    changed = await tx.execute(_EDIT, {"message": message_id, "in_room": room, "same": body, **values})
    if changed:
        tx.ring(BELL)
    return bool(changed)


async def delete(tx: Transaction, message_id: int) -> None:
    """Take a message back; nothing of what it said is kept."""
    entry = await get(tx, message_id)
    if entry is not None and not entry.deleted:
        empty = messages.Message((), tone=entry.message.tone, ticket=entry.message.ticket)
        values = {"deleted": True, "body": messages.to_json(empty)}
        await tx.execute(_CHANGE, {"message": message_id, **values})
        tx.ring(BELL)


async def get(tx: Transaction, message_id: int) -> Entry | None:
    """The message of this id, whoever may see it."""
    row = await tx.first(_GET, {"message": message_id})
    return None if row is None else _entry(row)


async def changed(tx: Transaction, after: int, limit: int) -> list[Entry]:
    """What was said or changed after that number, in every room, the earliest first."""
    return [_entry(row) for row in await tx.all(_CHANGED, {"after": after, "limit": limit})]


async def replay(
    tx: Transaction, viewer: Identity, rooms: Collection[str], after: int, limit: int
) -> list[Entry]:
    """What `viewer` missed in the rooms after that number, the earliest first."""
    rows = await tx.all(
        _visible(viewer, rooms).where(web_messages.c.seq > after).order_by(web_messages.c.seq).limit(limit)
    )
    return [_entry(row) for row in rows]


async def recent(tx: Transaction, viewer: Identity, rooms: Collection[str], limit: int) -> list[Entry]:
    """The newest messages of the rooms and, however old, the newest cards, in the order of change."""
    alive = _visible(viewer, rooms).where(web_messages.c.deleted.is_(False))
    newest = alive.order_by(web_messages.c.seq.desc()).limit(limit)
    cards = alive.where(web_messages.c.tone == "card").order_by(web_messages.c.seq.desc()).limit(limit)
    rows = {row.id: row for row in [*await tx.all(newest), *await tx.all(cards)]}
    return [_entry(row) for row in sorted(rows.values(), key=lambda row: row.seq)]


def _visible(viewer: Identity, rooms: Collection[str]) -> Select[Any]:
    mine: ColumnElement[bool] = or_(web_messages.c.only_for.is_(None), web_messages.c.only_for == str(viewer))
    return select(web_messages).where(web_messages.c.room.in_(list(rooms)), mine)
