"""The tables of tickets, their messages and their timeline."""

from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    UniqueConstraint,
    bindparam,
    func,
    select,
    text,
    update,
)
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, Serial, Text, metadata, serial_key
from core.database.transaction import Transaction
from core.kernel import marked
from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import MessageId, PersonId, TicketId
from core.tickets import model
from core.tickets.catalogue import Level, Priority
from core.tickets.model import Answer, Said, Status, Ticket

counters = Table(
    "counters",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", Serial, nullable=False),
)

tickets = Table(
    "tickets",
    metadata,
    Column("id", Serial, primary_key=True, autoincrement=False),
    Column("title", Text, nullable=False),
    Column("type", Text, nullable=False),
    Column("queue", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("priority", Text, nullable=False),
    Column("level", Text, nullable=False),
    Column("requester_id", Serial, ForeignKey("persons.id"), nullable=False),
    Column("owner_id", Serial, ForeignKey("persons.id")),
    Column("home", Text, nullable=False),
    Column("origin_id", Serial),
    Column("answers", Json, nullable=False),
    Column("created_at", Instant, nullable=False),
    Column("changed_at", Instant, nullable=False),
    Column("replied_at", Instant),
    Column("unanswered_since", Instant),
    Column("unclaimed_since", Instant),
    Column("progress_at", Instant),
    Column("hold_until", Instant),
    Column("resolved_at", Instant),
    Column("closed_at", Instant),
    Column("resolution", Text),
    Column("revision", Integer, nullable=False),
    Column("search", Text, nullable=False),
    Column("merged_into", Serial),
    Column("related", Json, nullable=False, server_default="[]"),
)
Index("ix_tickets_merged", tickets.c.merged_into)
FLOOD_PAGE = 40
"""So many messages of a flood are read at a time."""
_UNCLOSED = text("status <> 'closed'")
Index("ix_tickets_requester", tickets.c.requester_id, tickets.c.id)
Index(
    "ix_tickets_unclosed_queue",
    tickets.c.queue,
    tickets.c.id,
    sqlite_where=_UNCLOSED,
    postgresql_where=_UNCLOSED,
)
Index(
    "ix_tickets_unclosed_owner",
    tickets.c.owner_id,
    tickets.c.id,
    sqlite_where=_UNCLOSED,
    postgresql_where=_UNCLOSED,
)
_CLOSED = text("status = 'closed'")
Index(
    "ix_tickets_closed_owner",
    tickets.c.owner_id,
    tickets.c.id,
    sqlite_where=_CLOSED,
    postgresql_where=_CLOSED,
)

messages = Table(
    "messages",
    metadata,
    serial_key(),
    Column("ticket_id", Serial, ForeignKey("tickets.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("author_id", Serial, ForeignKey("persons.id"), index=True),
    Column("via", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("room", Text),
    Column("remote", Text),
    Column("edited_at", Instant),
    Column("withdrawn_at", Instant),
    Column("flood", Text),
    Column("marks", Json),
    Column("answers_id", Serial, index=True),
    UniqueConstraint("room", "remote", name="uq_messages_source"),
)

participants = Table(
    "participants",
    metadata,
    Column("ticket_id", Serial, ForeignKey("tickets.id"), primary_key=True),
    Column("person_id", Serial, ForeignKey("persons.id"), primary_key=True),
    Column("kind", Text, nullable=False),
)
Index("ix_participants_person", participants.c.person_id, participants.c.ticket_id)

events = Table(
    "events",
    metadata,
    serial_key(),
    Column("ticket_id", Serial, ForeignKey("tickets.id"), nullable=False, index=True),
    Column("kind", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("actor_id", Serial, ForeignKey("persons.id")),
    Column("via", Text, nullable=False),
    Column("facts", Json, nullable=False),
)

_COUNT = (
    counters.update()
    .where(counters.c.name == "ticket")
    .values(value=counters.c.value + 1)
    .returning(counters.c.value)
)
_GET = select(tickets).where(tickets.c.id == bindparam("ticket"))
_ADD = tickets.insert()
_CHANGE = tickets.update().where(tickets.c.id == bindparam("ticket"))
_GROW = _CHANGE.values(search=tickets.c.search + " " + bindparam("more", type_=Text))
_ADD_EVENT = events.insert()
_TIMELINE = select(events).where(events.c.ticket_id == bindparam("ticket")).order_by(events.c.id)
_OPENING = _TIMELINE.limit(1)
_ADD_MESSAGE = messages.insert().returning(messages.c.id)
_MESSAGE = select(messages).where(messages.c.id == bindparam("message"))
_MESSAGE_AT = select(messages).where(
    messages.c.room == bindparam("room"), messages.c.remote == bindparam("remote")
)
_MESSAGES = select(messages).where(messages.c.ticket_id == bindparam("ticket")).order_by(messages.c.id)
_FIRST_MESSAGE = _MESSAGES.limit(1)
_PARTICIPANTS = (
    select(participants)
    .where(participants.c.ticket_id == bindparam("ticket"))
    .order_by(participants.c.person_id)
)
_JOIN = participants.insert()
_LEAVE = participants.delete().where(
    participants.c.ticket_id == bindparam("ticket"), participants.c.person_id == bindparam("person")
)


def ticket(row: Row[Any]) -> Ticket:
    return Ticket(
        id=TicketId(row.id),
        title=row.title,
        type=row.type,
        queue=row.queue,
        status=Status(row.status),
        priority=Priority(row.priority),
        level=Level(row.level),
        requester=PersonId(row.requester_id),
        owner=row.owner_id,
        home=row.home,
        origin=row.origin_id,
        answers=tuple(Answer(**answer) for answer in row.answers),
        created_at=row.created_at,
        changed_at=row.changed_at,
        replied_at=row.replied_at,
        unanswered_since=row.unanswered_since,
        unclaimed_since=row.unclaimed_since,
        progress_at=row.progress_at,
        hold_until=row.hold_until,
        resolved_at=row.resolved_at,
        closed_at=row.closed_at,
        resolution=row.resolution,
        revision=row.revision,
        merged_into=row.merged_into,
        related=tuple(row.related),
    )


def _values(state: Ticket) -> dict[str, Any]:
    return {
        "title": state.title,
        "type": state.type,
        "queue": state.queue,
        "status": state.status,
        "priority": state.priority,
        "level": state.level,
        "requester_id": state.requester,
        "owner_id": state.owner,
        "home": state.home,
        "origin_id": state.origin,
        "answers": [asdict(answer) for answer in state.answers],
        "created_at": state.created_at,
        "changed_at": state.changed_at,
        "replied_at": state.replied_at,
        "unanswered_since": state.unanswered_since,
        "unclaimed_since": state.unclaimed_since,
        "progress_at": state.progress_at,
        "hold_until": state.hold_until,
        "resolved_at": state.resolved_at,
        "closed_at": state.closed_at,
        "resolution": state.resolution,
        "revision": state.revision,
        "merged_into": state.merged_into,
        "related": list(state.related),
    }


async def next_number(tx: Transaction) -> TicketId:
    """The next ticket number; a transaction that is rolled back gives it back."""
    number = await tx.scalar(_COUNT)
    if number is None:
        number = 1
        await tx.execute(counters.insert().values(name="ticket", value=1))
    return TicketId(number)


async def find(tx: Transaction, ticket_id: TicketId) -> Ticket | None:
    return next((ticket(row) for row in await tx.recall(_GET, {"ticket": ticket_id})), None)


async def get(tx: Transaction, ticket_id: TicketId) -> Ticket:
    """The ticket of this number. Raises UserError when there is none."""
    if (found := await find(tx, ticket_id)) is None:
        raise UserError("ticket.unknown", ticket=ticket_id)
    return found


async def insert(tx: Transaction, event: Event, search: str) -> Ticket:
    """Keep the ticket that an `opened` event makes; `announce` the event once its first words are kept."""
    fresh = model.opened(event)
    await tx.execute(_ADD, {"id": fresh.id, "search": search, **_values(fresh)})
    return fresh


async def announce(tx: Transaction, event: Event, state: Ticket) -> None:
    """Write down the event that made the ticket what it is, and let what follows happen."""
    await _write(tx, event)
    await tx.react(event, state)


async def apply(tx: Transaction, state: Ticket, event: Event, words: str = "") -> Ticket:
    """Change the ticket by the event, write the event down, and let what follows happen. From now on it is
    found by these `words` too.

    The one way a ticket changes. Raises UserError when it may not happen in its status."""
    model.check(state, event.kind)
    changed = model.evolve(state, event)
    values = {"ticket": state.id, **_values(changed)}
    await tx.execute(_GROW if words else _CHANGE, {**values, "more": words} if words else values)
    await announce(tx, event, changed)
    return changed


async def _write(tx: Transaction, event: Event) -> None:
    values = {
        "ticket_id": event.ticket,
        "kind": event.kind,
        "at": event.at,
        "actor_id": event.actor,
        "via": event.via,
        "facts": dict(event.facts),
    }
    await tx.execute(_ADD_EVENT, values)


async def timeline(tx: Transaction, ticket_id: TicketId) -> list[Event]:
    """Everything that happened to the ticket, in order."""
    rows = await tx.all(_TIMELINE, {"ticket": ticket_id})
    return [_event(row) for row in rows]


async def count_events(tx: Transaction, kind: str, person: PersonId, since: datetime) -> int:
    """How many events of this kind somebody caused after then, in tickets that are theirs or shared."""
    theirs = select(tickets.c.id).where(tickets.c.requester_id == person)
    shared = select(participants.c.ticket_id).where(participants.c.person_id == person)
    c = events.c
    mine = (c.ticket_id.in_(theirs.union(shared)), c.actor_id == person, c.kind == kind, c.at > since)
    return int(await tx.scalar(select(func.count()).select_from(events).where(*mine)))


async def opening(tx: Transaction, ticket_id: TicketId) -> Event:
    """The first event of the ticket."""
    row = await tx.first(_OPENING, {"ticket": ticket_id})
    assert row is not None
    return _event(row)


def _event(row: Row[Any]) -> Event:
    return Event(row.ticket_id, row.kind, row.at, row.actor_id, row.via, row.facts)


def said(row: Row[Any]) -> Said:
    return Said(
        row.id,
        row.ticket_id,
        row.kind,
        row.author_id,
        row.via,
        marked.from_json(row.text, row.marks),
        row.at,
        row.room,
        row.remote,
        row.edited_at,
        row.withdrawn_at,
        flood=row.flood,
        answers=row.answers_id,
    )


async def add_message(tx: Transaction, new: Said) -> MessageId:
    values = {
        "ticket_id": new.ticket,
        "kind": new.kind,
        "author_id": new.author,
        "via": new.via,
        "text": str(new.text),
        "marks": marked.to_json(new.text),
        "at": new.at,
        "room": new.room,
        "remote": new.remote,
        "flood": new.flood,
    }
    return MessageId(await tx.scalar(_ADD_MESSAGE, values))


async def message(tx: Transaction, message_id: MessageId) -> Said | None:
    return next((said(row) for row in await tx.recall(_MESSAGE, {"message": message_id})), None)


async def message_at(tx: Transaction, room: str, remote: str) -> Said | None:
    """The ticket's message that was said as this message of a room."""
    row = await tx.first(_MESSAGE_AT, {"room": room, "remote": remote})
    return None if row is None else said(row)


async def first_message(tx: Transaction, ticket_id: TicketId) -> Said:
    """What opened the ticket."""
    rows = await tx.recall(_FIRST_MESSAGE, {"ticket": ticket_id})
    return said(rows[0])


async def messages_of(tx: Transaction, ticket_id: TicketId) -> list[Said]:
    rows = await tx.all(_MESSAGES, {"ticket": ticket_id})
    return [said(row) for row in rows]


async def flooding(tx: Transaction, ticket_id: TicketId, flood: str, after: int = 0) -> list[Said]:
    """What came in this flood after that message and was not withdrawn, in order."""
    c = messages.c
    came = c.ticket_id == ticket_id, c.flood == flood, c.withdrawn_at.is_(None), c.id > after
    return [said(row) for row in await tx.all(select(messages).where(*came).order_by(c.id).limit(FLOOD_PAGE))]


async def flooded(tx: Transaction, ticket_id: TicketId, flood: str) -> int:
    """How much came in this flood and was not withdrawn."""
    c = messages.c
    came = c.ticket_id == ticket_id, c.flood == flood, c.withdrawn_at.is_(None)
    return int(await tx.scalar(select(func.count()).select_from(messages).where(*came)))


async def newest_message(tx: Transaction) -> int:
    """The id of the message that was kept last; 0 before any."""
    return int(await tx.scalar(select(func.coalesce(func.max(messages.c.id), 0))))


async def messages_after(tx: Transaction, message_id: int) -> list[Said]:
    """What was kept since."""
    rows = await tx.all(select(messages).where(messages.c.id > message_id).order_by(messages.c.id))
    return [said(row) for row in rows]


async def message_before(tx: Transaction, said: Said, *, notes: bool) -> MessageId | None:
    """The message of its ticket that stands directly before it; `notes`: for eyes that see these too."""
    c = messages.c
    seen = [c.ticket_id == said.ticket, c.id < said.id, c.withdrawn_at.is_(None)]
    seen += [] if notes else [c.kind != "note"]
    row = await tx.first(select(c.id).where(*seen).order_by(c.id.desc()).limit(1))
    return None if row is None else MessageId(row.id)


async def answers_to(tx: Transaction, message_id: MessageId) -> list[Said]:
    """The messages that answer this one and were not withdrawn."""
    c = messages.c
    answering = c.answers_id == message_id, c.withdrawn_at.is_(None)
    return [said(row) for row in await tx.all(select(messages).where(*answering).order_by(c.id))]


async def change_message(tx: Transaction, message_id: MessageId, **values: object) -> None:
    await tx.execute(update(messages).where(messages.c.id == message_id).values(**values))


async def set_search(tx: Transaction, ticket_id: TicketId, words: str) -> None:
    """Let the ticket be found by these words alone."""
    await tx.execute(update(tickets).where(tickets.c.id == ticket_id).values(search=words))


async def add_search(tx: Transaction, ticket_id: TicketId, words: str) -> None:
    """Let the ticket be found by these words too."""
    await tx.execute(_GROW, {"ticket": ticket_id, "more": words})


async def participants_of(tx: Transaction, ticket_id: TicketId) -> dict[PersonId, str]:
    """Who belongs to the ticket besides requester and owner, and as what."""
    rows = await tx.recall(_PARTICIPANTS, {"ticket": ticket_id})
    return {PersonId(row.person_id): row.kind for row in rows}


async def joined_by(tx: Transaction, person: PersonId) -> list[TicketId]:
    """The tickets this person belongs to besides."""
    c = participants.c
    rows = await tx.all(select(c.ticket_id).where(c.person_id == person).order_by(c.ticket_id))
    return [TicketId(row.ticket_id) for row in rows]


async def join(tx: Transaction, ticket_id: TicketId, person: PersonId, kind: str) -> None:
    await tx.execute(_JOIN, {"ticket_id": ticket_id, "person_id": person, "kind": kind})


async def leave(tx: Transaction, ticket_id: TicketId, person: PersonId) -> None:
    await tx.execute(_LEAVE, {"ticket": ticket_id, "person": person})


async def owned_by(tx: Transaction, person: PersonId) -> list[TicketId]:
    """The tickets this person is on, or was when they ended."""
    of_them = select(tickets.c.id).where(tickets.c.owner_id == person)
    rows = [*await tx.all(of_them.where(_UNCLOSED)), *await tx.all(of_them.where(_CLOSED))]
    return sorted(TicketId(row.id) for row in rows)


async def hand_over(tx: Transaction, giver: PersonId, to: PersonId) -> None:
    """The one's messages are the other's."""
    await tx.execute(update(messages).where(messages.c.author_id == giver).values(author_id=to))
