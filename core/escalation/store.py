"""The tables of chains and pings."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Index, Integer, Table, UniqueConstraint, bindparam, delete, select
from sqlalchemy.engine import Row

from core.database.schema import Instant, Serial, Text, insert_new, metadata, serial_key
from core.database.transaction import Transaction
from core.escalation.model import EMERGENCY, Chain, Ping, Sent
from core.kernel.ids import PersonId, PingId, TicketId

chains = Table(
    "chains",
    metadata,
    Column("ticket_id", Serial, ForeignKey("tickets.id"), primary_key=True),
    Column("started_at", Instant),
    Column("quiet_until", Instant),
    Column("quiet_by", Serial),
    Column("quiet_kind", Text),
)

pings = Table(
    "pings",
    metadata,
    serial_key(),
    Column("ticket_id", Serial, ForeignKey("tickets.id"), nullable=False),
    Column("policy", Text, nullable=False),
    Column("step", Integer, nullable=False),
    Column("time", Integer, nullable=False),
    Column("base_at", Instant, nullable=False),
    Column("due_at", Instant, nullable=False),
    Column("target", Text, nullable=False),
    Column("person_id", Serial),
    Column("room", Text),
    Column("sent_at", Instant, nullable=False),
    Column("answer", Text),
    Column("answered_by", Serial),
    Column("answered_at", Instant),
    Column("answered_via", Text),
    Column("together", Serial),
    UniqueConstraint("ticket_id", "policy", "step", "time", "base_at", "target", name="uq_pings_once"),
)

Index("ix_pings_person", pings.c.person_id, pings.c.sent_at)
Index("ix_pings_together", pings.c.together)

_CHAIN = select(chains).where(chains.c.ticket_id == bindparam("ticket"))
_REMOVE_CHAIN = delete(chains).where(chains.c.ticket_id == bindparam("ticket"))
_ADD_CHAIN = chains.insert()
_ADD_PING = insert_new(pings).returning(pings.c.id)
_PING = select(pings).where(pings.c.id == bindparam("ping"))
_OF_TICKET = select(pings).where(pings.c.ticket_id == bindparam("ticket")).order_by(pings.c.id)
_TOGETHER = (
    select(pings)
    .where((pings.c.id == bindparam("first")) | (pings.c.together == bindparam("first")))
    .order_by(pings.c.id)
)
_ASKED_LATELY = (
    select(pings)
    .where(
        pings.c.person_id == bindparam("person"),
        pings.c.answer.is_(None),
        pings.c.together.is_(None),
        pings.c.policy != EMERGENCY,
        pings.c.sent_at >= bindparam("since", type_=Instant),
        pings.c.sent_at <= bindparam("until", type_=Instant),
    )
    .order_by(pings.c.id)
    .limit(1)
)
_ASKED_SINCE = (
    select(pings)
    .where(
        pings.c.person_id == bindparam("person"),
        pings.c.sent_at >= bindparam("since", type_=Instant),
        pings.c.id > bindparam("first"),
        pings.c.answer.is_(None) | (pings.c.answer != "undelivered"),
    )
    .order_by(pings.c.id)
)
_ANSWER = pings.update().where(pings.c.id == bindparam("ping"))


def of_row(row: Row[Any]) -> Ping:
    return Ping(
        row.id,
        row.ticket_id,
        row.policy,
        row.step,
        row.time,
        row.base_at,
        row.due_at,
        row.person_id,
        row.room,
        row.sent_at,
        row.answer,
        row.answered_by,
        row.answered_at,
        row.answered_via,
        row.together,
    )


async def chain(tx: Transaction, ticket: TicketId) -> Chain:
    rows = await tx.recall(_CHAIN, {"ticket": ticket})
    if not rows:
        return Chain(ticket)
    row = rows[0]
    return Chain(ticket, row.started_at, row.quiet_until, row.quiet_by, row.quiet_kind)


async def save_chain(tx: Transaction, state: Chain) -> None:
    values = {
        "ticket_id": state.ticket,
        "started_at": state.started_at,
        "quiet_until": state.quiet_until,
        "quiet_by": state.quiet_by,
        "quiet_kind": state.quiet_kind,
    }
    await tx.execute(_REMOVE_CHAIN, {"ticket": state.ticket})
    await tx.execute(_ADD_CHAIN, values)


async def add_ping(tx: Transaction, new: Ping) -> PingId | None:
    """Keep a ping; None when the same one was sent before."""
    target = f"person:{new.person}" if new.person is not None else f"room:{new.room}"
    values = {
        "ticket_id": new.ticket,
        "policy": new.policy,
        "step": new.step,
        "time": new.time,
        "base_at": new.base_at,
        "due_at": new.due_at,
        "target": target,
        "person_id": new.person,
        "room": new.room,
        "sent_at": new.sent_at,
        "together": new.together,
    }
    number = await tx.scalar(_ADD_PING, values)
    return None if number is None else PingId(number)


async def ping(tx: Transaction, ping_id: PingId) -> Ping | None:
    row = await tx.first(_PING, {"ping": ping_id})
    return None if row is None else of_row(row)


async def together(tx: Transaction, first: PingId) -> list[Ping]:
    """All that was asked in one message, in the order in which it was."""
    return [of_row(row) for row in await tx.all(_TOGETHER, {"first": first})]


async def asked_lately(tx: Transaction, person: PersonId, since: datetime) -> Ping | None:
    """The first of what this person was asked since then and has not answered, but for calls."""
    row = await tx.first(_ASKED_LATELY, {"person": person, "since": since, "until": tx.now})
    return None if row is None else of_row(row)


async def asked_again(tx: Transaction, person: PersonId, asked: Sequence[Ping]) -> Mapping[TicketId, Ping]:
    """The newest ping about each ticket that reached this person in a later message than these."""
    rows = await tx.all(_ASKED_SINCE, {"person": person, "since": asked[0].sent_at, "first": asked[0].id})
    told = asked[0].shown_as
    return {each.ticket: each for each in map(of_row, rows) if each.shown_as != told}


async def of_ticket(tx: Transaction, ticket: TicketId) -> list[Ping]:
    rows = await tx.recall(_OF_TICKET, {"ticket": ticket})
    return [of_row(row) for row in rows]


async def sent(tx: Transaction, ticket: TicketId, policy: str) -> Mapping[tuple[int, datetime], Sent]:
    """How many times each step was sent, and when last, by step and base."""
    mine = [each for each in await of_ticket(tx, ticket) if each.policy == policy]
    times: dict[tuple[int, datetime], set[int]] = {}
    for each in mine:
        times.setdefault((each.step, each.base_at), set()).add(each.time)
    last = {(each.step, each.base_at): each.sent_at for each in mine}
    return {step: Sent(len(found), last[step]) for step, found in times.items()}


async def answer(tx: Transaction, which: Ping, answer_: str, *, by: PersonId | None, via: str) -> None:
    values = {"answer": answer_, "answered_by": by, "answered_at": tx.now, "answered_via": via}
    await tx.execute(_ANSWER, {"ping": which.id, **values})


async def quiet_chains(tx: Transaction, *, limit: int) -> list[Chain]:
    """Every chain that an answer keeps quiet, the first to go on first."""
    quiet = select(chains).where(chains.c.quiet_until > tx.now).order_by(chains.c.quiet_until).limit(limit)
    return [
        Chain(row.ticket_id, row.started_at, row.quiet_until, row.quiet_by, row.quiet_kind)
        for row in await tx.all(quiet)
    ]
