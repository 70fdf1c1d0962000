"""The table of the inbox."""

from collections.abc import Collection, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    and_,
    bindparam,
    func,
    or_,
    select,
    text,
    type_coerce,
    union_all,
)
from sqlalchemy.engine import Row

from core.database import prune
from core.database.schema import Instant, Json, Text, insert_new, metadata, serial_key
from core.database.several import Several
from core.database.transaction import Transaction
from core.inbox.model import LONGEST, Event, Letter, State, Waiting
from core.leases.model import ALONE
from core.leases.store import nobody_elses

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
    Column("message", Text, index=True),
    Column("error", Text),
    Column("received_at", Instant, nullable=False),
    Column("handled_at", Instant),
    Column("holder", Text),
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
_NEW = text("state = 'new'")
_ADD = insert_new(inbox)
_CHANGE = inbox.update().where(inbox.c.id == bindparam("letter"))
_CHANGE_NEW = _CHANGE.where(_NEW)
_GIVE_BACK = inbox.update().where(_NEW, inbox.c.holder == bindparam("of")).values(holder=None)
_OLDEST = select(func.min(inbox.c.id)).where(_NEW).group_by(inbox.c.lane)
# What came, or is due, later than any pause from now was written before the clock was set back: it is due.
_NOW = bindparam("now", type_=Instant)
_BEYOND = inbox.c.due_at > bindparam("furthest", type_=Instant)
_DUE = and_(or_(inbox.c.due_at <= _NOW, inbox.c.received_at > _NOW, _BEYOND), nobody_elses(inbox.c.holder))
_LANES = (
    select(inbox.c.lane, inbox.c.due_at, inbox.c.holder)
    .where(inbox.c.id.in_(_OLDEST), _DUE)
    .order_by(inbox.c.id)
    .limit(bindparam("limit"))
)
_WORDS = type_coerce(inbox.c.body, Text).label("body")
_UNHANDLED = union_all(select(_WORDS).where(_NEW), select(_WORDS).where(text("state = 'dead'")))
_AGES = select(inbox.c.id, inbox.c.state, inbox.c.received_at, inbox.c.handled_at)
_TELLS_OF = (
    select(inbox)
    .where(inbox.c.platform == bindparam("platform"), inbox.c.message == bindparam("message"))
    .order_by(inbox.c.id)
    .limit(1)
)
_WAITING = select(inbox).where(_NEW, inbox.c.lane == bindparam("lane")).order_by(inbox.c.id)
_behind = inbox.alias("behind")
_MORE = (
    select(_behind.c.id)
    .where(text("behind.state = 'new'"), _behind.c.lane == inbox.c.lane, _behind.c.id > inbox.c.id)
    .exists()
)
_HEAD = (
    select(inbox, _DUE.label("due"), _MORE.label("more"))
    .where(text("inbox.state = 'new'"), inbox.c.lane == bindparam("lane"))
    .order_by(inbox.c.id)
    .limit(1)
    .with_for_update(skip_locked=True)
)
_KNOWN = Several(
    inbox.c.event_key,
    lambda these: select(inbox.c.event_key).where(
        inbox.c.platform == bindparam("from_platform"), inbox.c.account == bindparam("to_account"), these
    ),
)


def letter(row: Row[Any]) -> Letter:
    return Letter(row.id, row.platform, row.account, row.lane, row.body, row.attempts, row.received_at)


async def add(tx: Transaction, platform: str, account: str, events: Sequence[Event]) -> int:
    """Keep the events that are not known already, in their order; returns how many those are."""
    if len(events) == 1:
        return await tx.execute(_ADD, _row(tx, platform, account, events[0]))
    place, keys = {"from_platform": platform, "to_account": account}, [event.key for event in events]
    known = {
        row.event_key for ask, these in _KNOWN.asks(keys) for row in await tx.all(ask, {**place, **these})
    }
    fresh: dict[str, Event] = {}
    for event in events:
        if event.key not in known:
            fresh.setdefault(event.key, event)
    if fresh:
        await tx.execute(_ADD, [_row(tx, platform, account, event) for event in fresh.values()])
    return len(fresh)


def _row(tx: Transaction, platform: str, account: str, event: Event) -> dict[str, Any]:
    return {
        "platform": platform,
        "account": account,
        "event_key": event.key,
        "lane": f"{platform}/{account}/{event.lane}",
        "body": event.body,
        "message": event.message,
        "state": State.NEW,
        "attempts": 0,
        "due_at": tx.now,
        "received_at": tx.now,
    }


async def lanes(tx: Transaction, limit: int, me: str = ALONE) -> list[Waiting]:
    """Conversations whose oldest waiting event is due and nobody else's, the longest waiting first."""
    rows = await tx.all(_LANES, {**_instants(tx), "limit": limit, "me": me})
    return [Waiting(row.lane, row.due_at, row.holder is not None and row.holder == me) for row in rows]


async def head(tx: Transaction, lane: str, me: str = ALONE) -> Letter | None:
    """The oldest waiting event of a conversation, if it is due and nobody else's."""
    row = await tx.first(_HEAD, {**_instants(tx), "lane": lane, "me": me})
    return None if row is None or not row.due else replace(letter(row), more=bool(row.more))


async def finish(tx: Transaction, letter_id: int) -> bool:
    """The event is handled. False if it was already."""
    values = {"state": State.DONE, "handled_at": tx.now, "error": None}
    return bool(await tx.execute(_CHANGE_NEW, {"letter": letter_id, **values}))


async def hold(tx: Transaction, letter_id: int, me: str) -> None:
    """What the event takes is got outside any transaction; until then it is nobody else's who lives."""
    if me:
        await tx.execute(_CHANGE_NEW, {"letter": letter_id, "holder": me})


async def give_back(tx: Transaction, holder: str) -> int:
    """What the holder was getting something for may be handled by anybody."""
    return await tx.execute(_GIVE_BACK, {"of": holder})


def _instants(tx: Transaction) -> dict[str, datetime]:
    return {"now": tx.now, "furthest": tx.now + LONGEST}


async def tells_of(tx: Transaction, platform: str, message: str) -> Letter | None:
    """The event that told of this message first."""
    row = await tx.first(_TELLS_OF, {"platform": platform, "message": message})
    return None if row is None else letter(row)


async def waiting(tx: Transaction, lane: str, limit: int) -> list[Letter]:
    """The oldest waiting events of a conversation, in order."""
    return [letter(row) for row in await tx.all(_WAITING.limit(limit), {"lane": lane})]


async def change(tx: Transaction, letter_id: int, **values: object) -> int:
    return await tx.execute(_CHANGE, {"letter": letter_id, **values})


async def dead(tx: Transaction) -> list[Row[Any]]:
    """Parked events, oldest first."""
    return list(await tx.all(select(inbox).where(inbox.c.state == State.DEAD).order_by(inbox.c.id)))


async def unhandled(tx: Transaction) -> list[Row[Any]]:
    """Events that wait and events that were given up, oldest first."""
    either = or_(_NEW, text("state = 'dead'"))
    return list(await tx.all(select(inbox).where(either).order_by(inbox.c.id)))


async def holding(tx: Transaction, texts: Collection[str]) -> set[str]:
    """Those of the texts that stand in an event which is not handled yet, or was given up."""
    bodies = [row.body for row in await tx.all(_UNHANDLED)]
    return {each for each in texts if any(each in body for body in bodies)}


async def forget(tx: Transaction, before: datetime, after: int) -> int | None:
    """Forget handled events that came before then, a stretch at a time: see `core.database.prune`."""

    def over(row: Row[Any]) -> bool:
        return bool(row.state == State.DONE and row.handled_at < before)

    return await prune.forget(tx, _AGES, inbox.c.received_at, before=before, after=after, over=over)
