"""Several processes on one database: each says that it lives, and whoever lives takes over from the dead."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass

from core.database.transaction import Transaction
from core.inbox import actions as inbox
from core.leases import actions as leases
from core.leases import store
from core.leases.model import HOLD, Lease, Replica
from core.outbox import actions as outbox
from core.timers import actions as timers


@dataclass(frozen=True, slots=True)
class Beat:
    """What a process learns when it says that it lives."""

    known: bool
    """False at first, and once it was taken for dead: nothing that it held then is its own."""
    living: tuple[Replica, ...]
    held: Mapping[str, Lease | None]
    """The offices asked for; None for those that are another's."""


async def beat(tx: Transaction, me: Replica, silent: Collection[Replica], wanted: Mapping[str, bool]) -> Beat:
    """Say that one lives, bury those that are `silent` still, and take or renew the offices that are
    `wanted`; the others are let go."""
    for each in await store.all_replicas(tx):
        if each.id != me.id and any((each.id, each.beats) == (one.id, one.beats) for one in silent):
            await leave(tx, each.id)
    known = await leases.beat(tx, me)
    held = {name: await _office(tx, name, me.id, wanted=want) for name, want in wanted.items()}
    return Beat(known, tuple(await store.all_replicas(tx)), held)


async def _office(tx: Transaction, name: str, me: str, *, wanted: bool) -> Lease | None:
    if wanted:
        return await leases.take(tx, name, me, HOLD)
    found = await store.of(tx, name)
    if found is not None and found.holder == me:
        await leases.let_go(tx, found)
    return None


async def leave(tx: Transaction, gone: str) -> None:
    """This process is no more: what it held is free."""
    await timers.give_back(tx, gone)
    await outbox.give_back(tx, gone)
    await inbox.give_back(tx, gone)
    await leases.leave(tx, gone)
