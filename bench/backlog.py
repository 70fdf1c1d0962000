"""Many open tickets at once, as rows: what a desk looks like that has been in use for long."""

from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Text, TextClause, bindparam, text

from bot.main import House
from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.kernel.ids import Identity, PersonId, TicketId
from core.people import actions as people
from core.reactions import DUE
from core.sla.model import Promises, Target
from core.tickets import store as tickets
from core.tickets.catalogue import Priority

FIRST = 1_000_000
"""The lowest number of a ticket made here; the desk's own count stays far below it."""
CHUNK = 50_000
FAR = timedelta(days=30)
EPOCH = datetime.fromisoformat("1970-01-01T00:00+00:00")
MICROSECOND = timedelta(microseconds=1)

_NUMBERS = (
    "WITH RECURSIVE n(i) AS (SELECT :first UNION ALL SELECT i + 1 FROM n WHERE i + 1 < :last),"
    " t(i, at) AS (SELECT i, :at + (i - :begun) * :gap FROM n) "
)
_WORDS = ("target", "kind", "key")


def _typed(words: str) -> TextClause:
    """The statement with the types of its parameters, which a server wants to know."""
    bare = text(words)
    types = {name: Text if name in _WORDS else BigInteger for name in bare._bindparams}
    return bare.bindparams(*(bindparam(name, type_=kind) for name, kind in types.items()))


_TICKETS = _typed(
    "INSERT INTO tickets (id, title, type, queue, status, priority, level, requester_id, home, answers,"
    f" created_at, changed_at, unanswered_since, unclaimed_since, revision, search) {_NUMBERS}"
    "SELECT i, 'The VPN drops every ten minutes', 'network', 'support', 'new', 'normal', 'L1', :person,"
    " 'web:u-pile', '[]', at, at, at, at, 0, 'the vpn drops every ten minutes' FROM t"
)
_MESSAGES = _typed(
    f"INSERT INTO messages (ticket_id, kind, author_id, via, text, at) {_NUMBERS}"
    "SELECT i, 'request', :person, 'web', 'The VPN drops every ten minutes', at FROM t"
)
_CLOCKS = _typed(
    f"INSERT INTO clocks (ticket_id, target, started_at, length, due_at, warn_at) {_NUMBERS}"
    "SELECT i, :target, at, :length, at + :length, at + :length * 3 / 4 FROM t"
)
_TIMERS = _typed(
    f'INSERT INTO timers (kind, ticket_id, "key", due_at, facts, fence) {_NUMBERS}'
    "SELECT :kind, i, :key, at + :after, '{}', 0 FROM t"
)


async def pile(
    house: House,
    count: int,
    *,
    at: datetime | None = None,
    gap: timedelta = timedelta(seconds=1),
    begin: int = FIRST,
) -> None:
    """Add so many open tickets with the clocks and the timers that they must have, `gap` apart from `at` on:
    without it in a month, so that nothing of theirs is due before."""

    async def requester(tx: Transaction) -> PersonId:
        return (await people.meet(tx, Identity("web", "pile"), name="Pile", language="en")).id

    person = await house.database.write(requester)
    for first in range(begin, begin + count, CHUNK):
        last = min(first + CHUNK, begin + count)

        async def work(tx: Transaction, first: int = first, last: int = last) -> None:
            since = (at or tx.now + FAR) - EPOCH
            spread = {"first": first, "last": last, "begun": begin, "gap": gap // MICROSECOND}
            await _add(tx, {**spread, "at": since // MICROSECOND}, TicketId(first), person)

        await house.database.write(work)


async def _add(tx: Transaction, numbers: dict[str, int], sample: TicketId, person: PersonId) -> None:
    await tx.execute(_TICKETS, {**numbers, "person": person})
    await tx.execute(_MESSAGES, {**numbers, "person": person})
    ticket = await tickets.get(tx, sample)
    assert ticket.priority is Priority.NORMAL
    for target in (Target.FIRST, Target.RESOLUTION):
        length = tx.rule(Promises).of(ticket, target).length // MICROSECOND
        await tx.execute(_CLOCKS, {**numbers, "target": str(target), "length": length})
    first = tx.rule(Promises).of(ticket, Target.FIRST).length
    steps = {f"{place}.{time}": due for place, time, _, due in await escalation.coming(tx, ticket)}
    since = ticket.created_at
    rows = [(DUE, "", first), *((escalation.STEP, key, due - since) for key, due in steps.items())]
    for kind, key, after in rows:
        values = {"kind": kind, "key": key, "after": after // MICROSECOND}
        await tx.execute(_TIMERS, {**numbers, **values})
