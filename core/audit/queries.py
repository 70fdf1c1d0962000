"""Reading what an audit looks at: many tickets in a few statements, in the order of queue and number."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, bindparam, cast, func, literal, select, text, tuple_
from sqlalchemy.sql.base import Executable

from core.audit.model import Kept, Known, LostPing
from core.database.schema import Text
from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.escalation import store as pings
from core.escalation.model import Ping
from core.kernel.ids import TicketId
from core.outbox.model import WAITING, State
from core.outbox.store import outbox, posts
from core.sla import store as clocks
from core.sla.model import Promises, Target
from core.tickets import store as tickets
from core.tickets.model import Ticket
from core.timers.store import timers

Place = tuple[str, int]
"""A queue and a ticket's number: how far an audit has come."""
FIRST: Place = ("", 0)
_ON_ITS_WAY = {str(state) for state in (*WAITING, State.SENDING)}


@dataclass(frozen=True, slots=True)
class _Statements:
    tickets: Executable
    timers: Executable
    clocks: Executable
    chains: Executable
    pings: Executable


def _about(which: Select[Any]) -> _Statements:
    """What is asked about the tickets that `which` names."""
    p = pings.pings.c
    shown_as = literal("ping:") + cast(func.coalesce(p.together, p.id), Text)
    stands = select(posts.c.id).where(posts.c.slot == shown_as).exists()
    return _Statements(
        select(tickets.tickets).where(tickets.tickets.c.id.in_(which)).order_by(_t.queue, _t.id),
        select(timers.c.ticket_id, timers.c.kind, timers.c.key, timers.c.due_at)
        .where(timers.c.ticket_id.in_(which))
        .order_by(timers.c.id),
        select(clocks.clocks).where(clocks.clocks.c.ticket_id.in_(which)),
        select(pings.chains.c.ticket_id, pings.chains.c.quiet_until).where(
            pings.chains.c.ticket_id.in_(which), pings.chains.c.quiet_until.is_not(None)
        ),
        select(pings.pings).where(p.ticket_id.in_(which), p.answer.is_(None), ~stands).order_by(p.id),
    )


_t = tickets.tickets.c
_UNCLOSED = text("status <> 'closed'")  # as the partial indexes are worded
_STRETCH = _about(
    select(_t.id)
    .where(_UNCLOSED, tuple_(_t.queue, _t.id) > tuple_(bindparam("queue"), bindparam("number")))
    .order_by(_t.queue, _t.id)
    .limit(bindparam("limit"))
)
_ONE = _about(select(_t.id).where(_UNCLOSED, _t.id == bindparam("number")))
_OVERDUE = (
    select(timers.c.ticket_id, timers.c.kind)
    .where(timers.c.due_at < bindparam("before", type_=timers.c.due_at.type))
    .order_by(timers.c.due_at, timers.c.id)
    .limit(bindparam("limit"))
)
_PARCEL = (
    select(outbox.c.id, outbox.c.state, outbox.c.created_at)
    .where(outbox.c.slot == bindparam("slot"))
    .order_by(outbox.c.id.desc())
    .limit(1)
)
_WAITING_PARCEL = _PARCEL.where(text("state IN ('pending', 'uncertain', 'sending')"))


async def stretch(tx: Transaction, after: Place, limit: int, *, sent_by: datetime) -> list[Known]:
    """The next unclosed tickets. A ping that still waits is lost if it was to be sent before `sent_by`."""
    place = {"queue": after[0], "number": after[1], "limit": limit}
    return await _known(tx, _STRETCH, place, sent_by)


async def one(tx: Transaction, number: TicketId, *, sent_by: datetime) -> Known | None:
    """The ticket, unless it is closed by now."""
    found = await _known(tx, _ONE, {"number": number}, sent_by)
    return found[0] if found else None


async def overdue(tx: Transaction, before: datetime, limit: int) -> list[tuple[TicketId, str]]:
    """Tickets and kinds of timers that should have fired before then, the oldest first."""
    rows = await tx.all(_OVERDUE, {"before": before, "limit": limit})
    return [(TicketId(row.ticket_id), row.kind) for row in rows]


async def _known(
    tx: Transaction, ask: _Statements, which: Mapping[str, Any], sent_by: datetime
) -> list[Known]:
    found = [tickets.ticket(row) for row in await tx.all(ask.tickets, which)]
    set_for = _grouped(await tx.all(ask.timers, which))
    running = _grouped(await tx.all(ask.clocks, which))
    quiet = {row.ticket_id: row.quiet_until for row in await tx.all(ask.chains, which)}
    unshown = _grouped(await tx.all(ask.pings, which))
    return [
        Known(
            ticket,
            tuple((row.kind, row.key, row.due_at) for row in set_for[ticket.id]),
            _clocks(tx.rule(Promises), running[ticket.id]),
            quiet.get(ticket.id),
            await _steps(tx, ticket),
            await _lost(tx, [pings.of_row(row) for row in unshown[ticket.id]], sent_by),
        )
        for ticket in found
    ]


def _grouped(rows: Iterable[Any]) -> Mapping[int, list[Any]]:
    groups: defaultdict[int, list[Any]] = defaultdict(list)
    for row in rows:
        groups[row.ticket_id].append(row)
    return groups


def _clocks(promises: Promises, rows: Iterable[Any]) -> Mapping[Target, Kept]:
    kept = (Kept(clocks.of_row(row, promises), row.paused_at, row.due_at, row.warn_at) for row in rows)
    return {each.clock.target: each for each in kept}


async def _steps(tx: Transaction, ticket: Ticket) -> Mapping[str, datetime]:
    return {f"{place}.{time}": due_at for place, time, _, due_at in await escalation.coming(tx, ticket)}


async def _lost(tx: Transaction, unshown: list[Ping], sent_by: datetime) -> tuple[LostPing, ...]:
    """Of pings that stand nowhere those that nothing will bring there, or has not for too long."""
    return tuple([lost for ping in unshown if (lost := await _lost_ping(tx, ping, sent_by)) is not None])


async def _lost_ping(tx: Transaction, ping: Ping, sent_by: datetime) -> LostPing | None:
    slot = {"slot": ping.shown_as}
    row = await tx.first(_WAITING_PARCEL, slot) or await tx.first(_PARCEL, slot)
    if row is None:
        return LostPing(ping, None, None)
    waits = row.state in _ON_ITS_WAY and row.created_at >= sent_by
    return None if waits or row.state == State.SENT else LostPing(ping, row.id, row.state)
