"""Auditing: looked through in stretches that hold up nobody, then mended ticket by ticket."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from core import reactions
from core.audit import queries
from core.audit.model import (
    CLOCK,
    DUTY,
    LIMIT,
    OVERDUE,
    PING,
    TIMER,
    Finding,
    Kinds,
    Known,
    LostPing,
    findings,
)
from core.audit.queries import Place
from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.kernel.ids import ParcelId, TicketId
from core.oncall.duty import NO_TICKET
from core.outbox import store as posts
from core.outbox.model import State
from core.sla import actions as sla
from core.sla import store as clocks
from core.sla.model import Promises
from core.tickets import store as tickets
from core.tickets.catalogue import Catalogue
from core.tickets.model import Status, Ticket
from core.timers import actions as timers

KINDS = Kinds(escalation.STEP, escalation.QUIET_OVER, reactions.CLOSE, reactions.HOLD_OVER, reactions.DUE)
NAMED = 100
"""So many timers that are overdue are counted and named at most."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Some tickets looked at: how many, what was found, and where to go on; None: those were the last."""

    seen: int
    found: tuple[Finding, ...]
    then: Place | None


@dataclass(frozen=True, slots=True)
class Mended:
    """What was wrong with one ticket as it was mended, and what still is."""

    found: tuple[Finding, ...]
    left: tuple[Finding, ...]


async def look(tx: Transaction, after: Place, limit: int) -> Stretch:
    """Check the next `limit` unclosed tickets. Changes nothing."""
    known = await queries.stretch(tx, after, limit, sent_by=tx.now - LIMIT)
    found = tuple(finding for each in known for finding in _findings(tx, each))
    last = known[-1].ticket if len(known) == limit else None
    return Stretch(len(known), found, (last.queue, last.id) if last else None)


async def overdue(tx: Transaction) -> list[Finding]:
    """Timers that should have fired more than LIMIT ago, claimed or not: somebody may claim them in vain."""
    late = await queries.overdue(tx, tx.now - LIMIT, NAMED)
    return [Finding(DUTY if ticket == NO_TICKET else OVERDUE, ticket, kind) for ticket, kind in late]


def _findings(tx: Transaction, known: Known) -> tuple[Finding, ...]:
    close_after = tx.rule(Catalogue).close_after
    return tuple(findings(known, KINDS, tx.rule(Promises), close_after, tx.now))


async def mend(tx: Transaction, numbers: Collection[TicketId]) -> list[Mended]:
    """Look at these tickets again, as they are now, and put right what is wrong with them."""
    return [mended for number in numbers if (mended := await _mend(tx, number)).found]


async def _mend(tx: Transaction, number: TicketId) -> Mended:
    look_again = partial(queries.one, tx, number, sent_by=tx.now - LIMIT)
    known = await look_again()
    found = _findings(tx, known) if known else ()
    if known is None or not found:
        return Mended((), ())
    about = {finding.about for finding in found}
    if CLOCK in about:
        await _mend_clocks(tx, known)
    if about & {CLOCK, TIMER}:
        await _mend_timers(tx, known)
    if PING in about:
        for lost in known.lost:
            await _mend_ping(tx, lost)
    again = await look_again()
    return Mended(found, _findings(tx, again) if again else ())


async def _mend_clocks(tx: Transaction, known: Known) -> None:
    """The clocks are counted anew from the timeline; what their rows said counts for nothing."""
    for kept in known.clocks.values():
        await clocks.remove(tx, kept.clock)
    await sla.recount(tx, known.ticket)


async def _mend_timers(tx: Transaction, known: Known) -> None:
    """Every timer is as it must be, and there is no other."""
    ticket = known.ticket
    await escalation.arrange(tx, ticket)
    lasting = (
        (KINDS.quiet_over, known.quiet_until),
        (KINDS.hold_over, ticket.hold_until),
        (KINDS.close, await _closes_at(tx, ticket)),
    )
    for kind, due_at in lasting:
        if known.timers_of(kind) != ([("", due_at)] if due_at else []):
            await timers.cancel(tx, ticket.id, kind)
            if due_at is not None:
                await timers.set_timer(tx, ticket.id, kind, due_at)
    await timers.cancel(tx, ticket.id, KINDS.due)
    await reactions.await_due(tx, ticket.id)
    await reactions.show_card(tx, ticket)


async def _closes_at(tx: Transaction, ticket: Ticket) -> datetime | None:
    """So long after the last thing that moved a resolved ticket; None for any other."""
    if ticket.status is not Status.RESOLVED:
        return None
    moved = [
        event.at
        for event in await tickets.timeline(tx, ticket.id)
        if reactions.close_later in reactions.REACTIONS[event.kind]
    ]
    return moved[-1] + tx.rule(Catalogue).close_after


async def _mend_ping(tx: Transaction, lost: LostPing) -> None:
    """Send a ping that nothing would send; one that was given up goes to the next person. What waits in the
    outbox is left there: delivery knows what keeps it."""
    if lost.parcel is None or lost.state == State.DROPPED:
        await escalation.show(tx, lost.ping)
    elif lost.state == State.DEAD:
        parcel = await posts.get(tx, ParcelId(lost.parcel))
        await reactions.undeliverable(tx, parcel, "unreachable")
