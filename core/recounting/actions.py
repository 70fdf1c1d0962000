"""Counting tickets under way by the rules of today, some at a time."""

from functools import partial

from core import reactions
from core.database.engine import Database
from core.database.transaction import Transaction
from core.escalation.model import Policies
from core.kernel.ids import TicketId
from core.recounting import model, store
from core.sla.model import Promises
from core.tickets import queries
from core.tickets import store as tickets

RULES = "rules"
STRETCH = 200
"""So many tickets are counted in one transaction."""


async def recount(database: Database) -> int:
    """Let the rules the database holds now decide about every ticket that is not closed, unless they did
    before. Returns how many tickets are due at another time by them.

    What is counted stays counted if the process ends in the middle: the next one looks at all of them again
    and changes the rest."""
    told = await database.read(_digest)
    if told is None:
        return 0
    last, changed = TicketId(0), 0
    while (done := await database.write(partial(_stretch, after=last))) is not None:
        last, changed = done[0], changed + done[1]
    await database.write(lambda tx: store.save(tx, RULES, told))
    return changed


async def is_counted(tx: Transaction) -> bool:
    """Whether the tickets are counted by the rules of this process, and not by another one's."""
    return await _digest(tx) is None


async def _digest(tx: Transaction) -> str | None:
    """What the rules are, if they are others than those counted by last."""
    told = model.digest(tx.rule(Promises), tx.rule(Policies), tx.now)
    return None if await store.digest(tx, RULES) == told else told


async def _stretch(tx: Transaction, after: TicketId) -> tuple[TicketId, int] | None:
    """The next tickets in order: the last of them, and how many have changed; None when there are no more."""
    found = await queries.unclosed_after(tx, after, limit=STRETCH)
    changed = [number for number in found if await reactions.recount(tx, await tickets.get(tx, number))]
    return (found[-1], len(changed)) if found else None
