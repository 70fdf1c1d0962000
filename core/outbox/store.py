"""The tables of parcels and posts."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Boolean,
    Column,
    ColumnElement,
    Index,
    Integer,
    Table,
    and_,
    bindparam,
    case,
    func,
    or_,
    select,
    text,
    type_coerce,
)
from sqlalchemy.engine import Row

from core.database import prune
from core.database.schema import BY_BYTES, Instant, Json, Serial, Text, begins, metadata, serial_key
from core.database.several import Several
from core.database.transaction import Transaction
from core.kernel.ids import Address, MessageId, ParcelId, PersonId, TicketId
from core.leases.model import ALONE
from core.leases.store import held_by, nobody_elses
from core.outbox.model import LEASE, LONGEST, Head, Parcel, Post, Shown, State

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
    Column("urgency", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("fence", Integer, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("lease_until", Instant),
    Column("holder", Text),
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
Index(
    "ix_outbox_slot",
    outbox.c.slot,
    sqlite_where=text(_WAITING),
    postgresql_where=text(_WAITING),
    postgresql_ops={"slot": BY_BYTES},
)
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
    Column("thread", Text),
    Column("slot", Text),
    Column("ticket_id", Serial, index=True),
    Column("message_id", Serial, index=True),
    Column("at", Instant, nullable=False),
)
Index("ix_posts_slot", posts.c.slot, postgresql_ops={"slot": BY_BYTES})
Index("ix_posts_place", posts.c.room, posts.c.remote)
Index("ix_posts_thread", posts.c.room, posts.c.thread)
_IN_PARTS = "parts <> '[]'"
Index("ix_posts_parts", posts.c.room, sqlite_where=text(_IN_PARTS), postgresql_where=text(_IN_PARTS))

_ADD = outbox.insert()
_CHANGE = outbox.update().where(
    text(_WAITING), outbox.c.id == bindparam("parcel"), outbox.c.fence == bindparam("held")
)
_UNSENT = and_(text(_WAITING), outbox.c.state == State.PENDING)
_REPLACEABLE = Several(
    outbox.c.slot, lambda alike: select(outbox.c.slot, outbox.c.lane).where(_UNSENT, alike)
)
_REPLACE = outbox.update().where(
    _UNSENT, outbox.c.slot == bindparam("same_slot"), outbox.c.lane == bindparam("same_lane")
)
_NOW = bindparam("now", type_=Instant)
# An instant that no pause or lease reaches from now was written before the clock was set back: it is over.
# Whatever was tried says why it is tried again, though that may have cost it no try. Where the messenger has
# asked for a longer pause than ours, the pace keeps that.
_TRIED_LATER = and_(outbox.c.error.is_not(None), outbox.c.due_at > bindparam("furthest_pause", type_=Instant))
_DUE = or_(outbox.c.due_at <= _NOW, outbox.c.created_at > _NOW, _TRIED_LATER)
_OVER = or_(
    outbox.c.lease_until <= _NOW,
    outbox.c.lease_until > bindparam("furthest_lease", type_=Instant),
)
_FREE = or_(outbox.c.lease_until.is_(None), and_(_OVER, nobody_elses(outbox.c.holder)))
_OLDEST = (
    select(func.min(outbox.c.id).label("id")).where(text(_WAITING)).group_by(outbox.c.lane).cte("oldest")
)
_ahead = outbox.alias("ahead")
_POSTPONED_LANES = select(_ahead.c.lane).where(
    _ahead.c.id.in_(select(_OLDEST.c.id)),
    _ahead.c.state == State.PENDING,
    _ahead.c.attempts == 0,
    _ahead.c.room.is_(None),
    _ahead.c.due_at > _NOW,
    _ahead.c.created_at <= _NOW,
)
_STANDS = select(posts.c.id).where(posts.c.slot == outbox.c.slot).exists()
_PASSING = (
    select(func.min(outbox.c.id))
    .where(text(_WAITING), outbox.c.lane.in_(_POSTPONED_LANES), _STANDS)
    .group_by(outbox.c.lane)
)
_HEADS = (
    select(
        outbox.c.id,
        outbox.c.lane,
        outbox.c.kind,
        outbox.c.room,
        outbox.c.person_id,
        outbox.c.slot,
        outbox.c.urgency,
        outbox.c.state,
        outbox.c.fence,
        outbox.c.due_at,
        outbox.c.holder,
    )
    .where(outbox.c.id.in_(select(_OLDEST.c.id).union_all(_PASSING)), _DUE, _FREE)
    .order_by(outbox.c.urgency, outbox.c.id)
    .limit(bindparam("limit"))
)
_LEASE = Several(
    outbox.c.id,
    lambda these: (
        outbox.update()
        .where(
            outbox.c.id.in_(
                select(outbox.c.id).where(text(_WAITING), these).with_for_update(skip_locked=True)
            )
        )
        .values(
            state=State.SENDING,
            lease_until=bindparam("until", type_=Instant),
            holder=bindparam("me", type_=Text),
            fence=outbox.c.fence + 1,
        )
        .returning(outbox)
    ),
)
_HELD = select(outbox.c.id).where(
    outbox.c.id == bindparam("parcel"),
    outbox.c.fence == bindparam("held"),
    outbox.c.state == State.SENDING,
)
_POSTPONE = (
    outbox.update().where(outbox.c.id == bindparam("parcel")).values(due_at=bindparam("until", type_=Instant))
)
_AGES = select(outbox.c.id, outbox.c.state, outbox.c.created_at, outbox.c.settled_at)
_LOOSE_POSTS = select(posts.c.id, posts.c.slot, posts.c.at).where(posts.c.ticket_id.is_(None))
_ADD_POST = posts.insert()
_POST_IN = (
    select(posts)
    .where(posts.c.slot == bindparam("slot"), posts.c.room == bindparam("room"))
    .order_by(posts.c.id.desc())
    .limit(1)
)
_FIRST_OF = (
    select(posts)
    .where(posts.c.room == bindparam("room"), posts.c.ticket_id == bindparam("ticket"))
    .order_by(posts.c.id)
    .limit(1)
)
_ROOT_OF = _FIRST_OF.where(posts.c.address == posts.c.room)
_BELOW = (
    select(posts.c.id)
    .where(
        posts.c.room == bindparam("room"),
        posts.c.address == bindparam("address"),
        posts.c.id > bindparam("post"),
    )
    .limit(1)
)
_OF_MESSAGE = select(posts).where(posts.c.message_id == bindparam("message")).order_by(posts.c.id)
_OF_SLOT = select(posts).where(posts.c.slot == bindparam("slot")).order_by(posts.c.id)
_OF_SLOTS = Several(posts.c.slot, lambda alike: select(posts).where(alike).order_by(posts.c.id))
_THREAD_AT = (
    select(posts)
    .where(
        posts.c.room == bindparam("room"),
        or_(
            posts.c.thread == bindparam("thread"),
            and_(posts.c.remote == bindparam("thread"), posts.c.thread.is_(None)),
        ),
        posts.c.slot.startswith("card:"),
    )
    .order_by(posts.c.id)
    .limit(1)
)
_AT = (
    select(posts)
    .where(posts.c.room == bindparam("room"), posts.c.remote == bindparam("remote"))
    .order_by(posts.c.id)
    .limit(1)
)
_HAVING_PART = (
    select(posts)
    .where(
        posts.c.room == bindparam("room"),
        text(_IN_PARTS),
        type_coerce(posts.c.parts, Text).like(bindparam("pattern", type_=Text)),
    )
    .order_by(posts.c.id)
    .limit(1)
)


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
        urgency=row.urgency,
        id=ParcelId(row.id),
        attempts=row.attempts,
        fence=row.fence,
        uncertain=row.state == State.UNCERTAIN,
        taken_from=row.lane,
    )


def post(row: Row[Any]) -> Post:
    return Post(
        row.id,
        row.address,
        row.remote,
        tuple(row.parts),
        row.thread,
        row.slot,
        row.ticket_id,
        row.message_id,
        row.at,
    )


def within(room: str) -> ColumnElement[bool]:
    """What goes to the room or to a thread of it."""
    return or_(outbox.c.room == room, outbox.c.room.startswith(f"{room}#", autoescape=True))


async def put(tx: Transaction, new: Parcel) -> None:
    """Keep a parcel. What was not sent yet in the same slot and lane takes its content instead."""
    tx.later(outbox.name, _put_all, new)


async def _put_all(tx: Transaction, new: list[Parcel]) -> None:
    """All that is put in one turn: one look at what waits in its slots, and one insert."""
    waiting = await _waiting_in(tx, list({each.slot for each in new if each.slot}))
    fresh: dict[object, Parcel] = {}
    for place, each in enumerate(new):
        where = (each.slot, each.lane)
        if where in waiting:
            await tx.execute(_REPLACE, {"same_slot": each.slot, "same_lane": each.lane, **_content(each)})
        elif each.slot and where in fresh:
            fresh[where] = replace(each, person=fresh[where].person, urgency=fresh[where].urgency)
        else:
            fresh[where if each.slot else place] = each
    if fresh:
        await tx.execute(_ADD, [_row(tx, each) for each in fresh.values()])


async def _waiting_in(tx: Transaction, slots: list[str]) -> set[tuple[str, str]]:
    """The slots and lanes of what can take other content still."""
    rows = [row for ask, given in _REPLACEABLE.asks(slots) for row in await tx.all(ask, given)]
    return {(row.slot, row.lane) for row in rows}


def _content(new: Parcel) -> dict[str, Any]:
    """What a parcel takes over that waits in the same slot and lane."""
    return {
        "kind": new.kind,
        "facts": new.facts,
        "retract": new.retract,
        "message_id": new.message,
        "room": new.room,
        "ticket_id": new.ticket,
        "thread": new.thread,
        "only_for": new.only,
    }


async def add(tx: Transaction, new: Parcel) -> None:
    """Keep a parcel, whatever waits in its slot."""
    await tx.execute(_ADD, _row(tx, new))


def _row(tx: Transaction, new: Parcel) -> dict[str, Any]:
    return {
        **_content(new),
        "lane": new.lane,
        "person_id": new.person,
        "slot": new.slot,
        "urgency": new.urgency,
        "state": State.PENDING,
        "attempts": 0,
        "fence": 0,
        "due_at": tx.now,
        "created_at": tx.now,
    }


async def waits(tx: Transaction, like: Parcel) -> bool:
    """Whether something is on its way to the same slot."""
    statement = select(outbox.c.id).where(
        text(_WAITING), outbox.c.slot == like.slot, outbox.c.lane == like.lane
    )
    return await tx.first(statement) is not None


async def heads(tx: Transaction, busy: Collection[str], limit: int, me: str = ALONE) -> list[Head]:
    """The first waiting parcel of each lane that is due and in nobody's hands. Where it was postponed, the
    first that changes what stands already, or takes it back, goes before it."""
    furthest = {"furthest_pause": tx.now + LONGEST, "furthest_lease": tx.now + LEASE}
    rows = await tx.all(_HEADS, {"now": tx.now, **furthest, "limit": limit + len(busy), "me": me})
    heads = [
        Head(
            r.id,
            r.lane,
            r.kind,
            r.room,
            r.person_id,
            r.slot,
            r.urgency,
            r.state,
            r.fence,
            r.due_at,
            ours=me != ALONE and r.holder == me,
        )
        for r in rows
    ]
    return [head for head in heads if head.lane not in busy][:limit]


async def postpone(tx: Transaction, head: Head, until: datetime) -> None:
    """Leave a parcel where it is until then, as `heads` has just found it."""
    await tx.execute(_POSTPONE, {"parcel": head.id, "until": until})


async def hasten(tx: Transaction, person: PersonId) -> int:
    """Whatever waits untried for this person, wherever they read, is due now."""
    untried = and_(outbox.c.state == State.PENDING, outbox.c.room.is_(None), outbox.c.attempts == 0)
    waiting = outbox.update().where(text(_WAITING), outbox.c.person_id == person, untried)
    return await tx.execute(waiting.values(due_at=tx.now))


async def rooms_of(tx: Transaction, slot: str) -> set[str]:
    """The rooms in which the slot stands, or will soon."""
    standing = await tx.all(select(posts.c.room).where(posts.c.slot == slot))
    coming = await tx.all(select(outbox.c.room).where(text(_WAITING), outbox.c.slot == slot))
    return {row.room.partition("#")[0] for row in [*standing, *coming] if row.room}


async def left_behind(tx: Transaction, ticket: TicketId, person: PersonId, room: str) -> list[Parcel]:
    """What this person was to be told of the ticket in a room and has surely not been: what waits, and words
    that were given up. What was to change a message that stands there is not among it."""
    told = and_(
        outbox.c.ticket_id == ticket,
        outbox.c.person_id == person,
        or_(outbox.c.kind == "reply", outbox.c.kind == "shared", outbox.c.kind.startswith("told_")),
        outbox.c.retract.is_(False),
        within(room),
    )
    waiting = select(outbox).where(text(_WAITING), outbox.c.state == State.PENDING, told)
    dead = select(outbox).where(text("state = 'dead'"), outbox.c.kind == "reply", told)
    rows = [*await tx.all(waiting), *await tx.all(dead)]
    found = [parcel(row) for row in sorted(rows, key=lambda row: row.id)]
    return [each for each in found if each.slot is None or await post_in(tx, room, each.slot) is None]


async def forgo(tx: Transaction, slot: str) -> None:
    """What was given up for this slot is not tried again."""
    dead = and_(text("state = 'dead'"), outbox.c.slot == slot)
    await tx.execute(outbox.update().where(dead).values(state=State.DROPPED))


async def lease(tx: Transaction, heads: Sequence[Head], until: datetime, me: str = ALONE) -> list[Parcel]:
    """Take parcels into one's hands, as `heads` has just found them; the hands before hold them no more, and
    nobody knows whether those had shown them already. Those are left out that somebody else took quicker."""
    asks = _LEASE.asks([head.id for head in heads])
    rows = [
        row for ask, these in asks for row in await tx.all(ask, {**these, "until": until, "me": me or None})
    ]
    taken = {row.id: parcel(row) for row in rows}
    return [
        replace(taken[head.id], uncertain=head.state != State.PENDING) for head in heads if head.id in taken
    ]


async def give_back(tx: Transaction, holder: str) -> int:
    """What the holder was sending waits again; ALONE: what nobody is that lives."""
    held = outbox.update().where(
        text(_WAITING), outbox.c.state == State.SENDING, held_by(outbox.c.holder, holder)
    )
    return await tx.execute(held.values(state=State.UNCERTAIN, lease_until=None, holder=None))


async def is_held(tx: Transaction, held: Parcel) -> bool:
    return await tx.first(_HELD, {"parcel": held.id, "held": held.fence}) is not None


def once_more(now: datetime) -> dict[str, Any]:
    """The values of a dead parcel that is tried again. What was tried in vain before may stand there all
    the same: nobody knows what became of the last try."""
    state = case((outbox.c.attempts > 0, State.UNCERTAIN), else_=State.PENDING)
    return {"state": state, "attempts": 0, "due_at": now, "settled_at": None}


async def get(tx: Transaction, parcel_id: ParcelId) -> Parcel:
    """The parcel of this id, which must exist, as it is now."""
    row = await tx.first(select(outbox).where(outbox.c.id == parcel_id))
    assert row is not None
    return parcel(row)


async def change(tx: Transaction, held: Parcel, **values: object) -> bool:
    """Change a parcel that is still in the hands that claimed it, and not settled by them already: where no
    answer came to a commit, they say it again."""
    return bool(await tx.execute(_CHANGE, {"parcel": held.id, "held": held.fence, **values}))


async def add_post(tx: Transaction, sent: Parcel, shown: Shown) -> None:
    values = {
        "address": shown.address,
        "room": shown.address.partition("#")[0],
        "remote": shown.remote,
        "parts": list(shown.parts),
        "thread": shown.thread,
        "slot": sent.slot,
        "ticket_id": sent.ticket,
        "message_id": sent.message,
        "at": tx.now,
    }
    await tx.execute(_ADD_POST, values)


async def post_in(tx: Transaction, room: str, slot: str) -> Post | None:
    """Where a slot stands in a room."""
    return next((post(row) for row in await tx.recall(_POST_IN, {"slot": slot, "room": room})), None)


async def has_below(tx: Transaction, shown: Post) -> bool:
    """Whether anything of ours was shown after it in the same conversation or thread."""
    room = shown.address.partition("#")[0]
    return await tx.first(_BELOW, {"room": room, "address": shown.address, "post": shown.id}) is not None


async def first_of(tx: Transaction, room: str, ticket: TicketId) -> Post | None:
    """The first that was said of a ticket in a room, of what stands there still."""
    row = await tx.first(_FIRST_OF, {"room": room, "ticket": ticket})
    return None if row is None else post(row)


async def root_of(tx: Transaction, room: str, ticket: TicketId) -> Post | None:
    """The first that was said of a ticket in a room and in no thread of it: what follows goes below."""
    row = await tx.first(_ROOT_OF, {"room": room, "ticket": ticket})
    return None if row is None else post(row)


async def threads_of(tx: Transaction, platform: str, tickets: Collection[TicketId]) -> set[Address]:
    """The threads of a messenger in which these tickets are talked about."""
    statement = select(posts.c.address, posts.c.remote).where(
        posts.c.ticket_id.in_(tickets), posts.c.room.startswith(f"{platform}:", autoescape=True)
    )
    rows = [(Address.parse(row.address), row.remote) for row in await tx.all(statement)]
    return {replace(address, thread=address.thread or remote) for address, remote in rows}


async def undelivered(tx: Transaction) -> list[Row[Any]]:
    """Parcels that wait, are in somebody's hands or were given up, oldest first."""
    either = or_(text(_WAITING), text("state = 'dead'"))
    return list(await tx.all(select(outbox).where(either).order_by(outbox.c.id)))


async def posts_of_message(tx: Transaction, message: MessageId) -> list[Post]:
    rows = await tx.all(_OF_MESSAGE, {"message": message})
    return [post(row) for row in rows]


async def posts_of_slot(tx: Transaction, slot: str) -> list[Post]:
    rows = await tx.recall(_OF_SLOT, {"slot": slot})
    return [post(row) for row in rows]


async def posts_of_slots(tx: Transaction, slots: Iterable[str]) -> list[Post]:
    """Where any of these slots stands."""
    asks = _OF_SLOTS.asks([*slots])
    return [post(row) for ask, given in asks for row in await tx.all(ask, given)]


async def posts_beginning(tx: Transaction, slot: str) -> list[Post]:
    """Posts whose slots begin so."""
    rows = await tx.all(select(posts).where(begins(posts.c.slot, slot)).order_by(posts.c.id))
    return [post(row) for row in rows]


async def awaited(tx: Transaction, slot: str, ticket: TicketId) -> bool:
    """Whether something is on its way about the ticket to a slot that begins so."""
    alike = and_(begins(outbox.c.slot, slot), outbox.c.ticket_id == ticket)
    return await tx.first(select(outbox.c.id).where(text(_WAITING), alike).limit(1)) is not None


async def at(tx: Transaction, room: str, remote: str) -> Post | None:
    """What of ours a person points at in a room, by any of its parts."""
    row = await tx.first(_AT, {"room": room, "remote": remote})
    row = row or await tx.first(_HAVING_PART, {"room": room, "pattern": f'%"{remote}"%'})
    return None if row is None else post(row)


async def thread_at(tx: Transaction, room: str, thread: str) -> Post | None:
    """The card in whose thread a person is."""
    row = await tx.first(_THREAD_AT, {"room": room, "thread": thread})
    return None if row is None else post(row)


async def forget_post(tx: Transaction, post_id: int) -> None:
    await tx.execute(posts.delete().where(posts.c.id == post_id))


async def dead(tx: Transaction) -> list[Row[Any]]:
    """Parcels given up, oldest first."""
    return list(await tx.all(select(outbox).where(outbox.c.state == State.DEAD).order_by(outbox.c.id)))


async def forget(tx: Transaction, before: datetime, after: int) -> int | None:
    """Forget parcels that were settled before then, a stretch at a time: see `core.database.prune`."""

    def over(row: Row[Any]) -> bool:
        return row.state in (State.SENT, State.DROPPED) and bool(row.settled_at < before)

    return await prune.forget(tx, _AGES, outbox.c.created_at, before=before, after=after, over=over)


async def forget_posts(tx: Transaction, before: datetime, after: int, *, kept: Collection[str]) -> int | None:
    """Forget where messages of no ticket stand, except in the `kept` slots, a stretch at a time."""

    def over(row: Row[Any]) -> bool:
        return row.slot not in kept

    return await prune.forget(tx, _LOOSE_POSTS, posts.c.at, before=before, after=after, over=over)


async def leave(tx: Transaction, person: PersonId, room: str, home: str) -> None:
    """The room is not this person's any more: what was to reach them there goes to their other `home`, if
    need be at the next try, and their own page there is not kept up."""
    theirs = and_(outbox.c.person_id == person, within(room), outbox.c.only_for.is_(None))
    for unsent in await _unsent(tx, theirs):
        await _readdress(tx, unsent, replace(unsent, room=home))
    page = and_(posts.c.slot == f"home:{person}", posts.c.room.startswith(room, autoescape=True))
    await tx.execute(posts.delete().where(page))


async def hand_over(tx: Transaction, giver: PersonId, to: PersonId) -> None:
    """What is on its way to the one is for the other, and so is the one's own page."""
    for unsent in await _unsent(tx, outbox.c.person_id == giver):
        await _readdress(tx, unsent, replace(unsent, person=to))
    await tx.execute(posts.update().where(posts.c.slot == f"home:{giver}").values(slot=f"home:{to}"))


async def _unsent(tx: Transaction, which: ColumnElement[bool]) -> list[Parcel]:
    """Those of the parcels that wait, are in somebody's hands, or were given up."""
    waiting = await tx.all(select(outbox).where(text(_WAITING), which))
    dead = await tx.all(select(outbox).where(text("state = 'dead'"), which))
    return [parcel(row) for row in [*waiting, *dead]]


async def _readdress(tx: Transaction, unsent: Parcel, to: Parcel) -> None:
    """Let the parcel go where the other does, in the order of what goes there."""
    values = {"room": to.room, "person_id": to.person, "lane": to.lane}
    await tx.execute(outbox.update().where(outbox.c.id == unsent.id).values(**values))
