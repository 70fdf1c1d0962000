"""What happens to timers: set, moved, cancelled, claimed."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from core.database.transaction import Transaction
from core.kernel.ids import TicketId, TimerId
from core.leases.model import ALONE
from core.timers import store
from core.timers.model import LEASE, Timer


async def set_timer(
    tx: Transaction,
    ticket: TicketId,
    kind: str,
    due_at: datetime,
    *,
    key: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """At `due_at`, do what `kind` says; one timer a ticket, kind and key: the newest word counts."""
    await store.remove_keys(tx, ticket, kind, [key])
    await store.add(tx, Timer(TimerId(0), kind, ticket, key, due_at, facts or {}))


async def set_all(tx: Transaction, ticket: TicketId, kind: str, due: Mapping[str, datetime]) -> None:
    """These timers of the kind, by their keys, and no others."""
    known = {timer.key: timer.due_at for timer in await store.of_ticket(tx, ticket, kind)}
    await store.remove_keys(tx, ticket, kind, {key for key in known if due.get(key) != known[key]})
    for key, due_at in due.items():
        if known.get(key) != due_at:
            await store.add(tx, Timer(TimerId(0), kind, ticket, key, due_at))


async def cancel(tx: Transaction, ticket: TicketId, *kinds: str) -> bool:
    """None of these will happen any more. False when none would have happened."""
    return any([await store.remove(tx, ticket, kind) for kind in kinds])


async def claim(tx: Transaction, limit: int, me: str = ALONE) -> list[Timer]:
    """Take due timers into one's hands for LEASE; where others live besides, for as long as this process is
    not taken for dead."""
    found = await store.due(tx, limit, me)
    await store.lease(tx, found, tx.now + LEASE, me)
    return [replace(timer, fence=timer.fence + 1) for timer in found]


async def give_back(tx: Transaction, holder: str) -> int:
    """What a process held while it died is free again; ALONE: what any did that lives no more."""
    return await store.give_back(tx, holder)
