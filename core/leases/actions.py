"""What happens to leases and replicas: taken, renewed, let go, checked; joined, beaten, left."""

from dataclasses import replace
from datetime import timedelta

from core.database.transaction import Transaction
from core.kernel.errors import NotOurs
from core.leases import store
from core.leases.model import Lease, Replica

BELL = "leases"
"""Rings when something that was held is free."""


async def take(tx: Transaction, name: str, holder: str, for_: timedelta) -> Lease | None:
    """The lease, for so long from now; None while it is somebody else's who lives.

    Whoever has it already keeps the fence. One that is over for longer than anybody may hold it from now was
    written before the clock was set back, and is over too."""
    found = await store.of(tx, name)
    if found is None:
        fresh = Lease(name, holder, 1, tx.now + for_)
        return fresh if await store.add(tx, fresh) else None
    if found.holder == holder:
        return await renew(tx, found, for_)
    if found.holder and tx.now < found.until <= tx.now + for_ and await store.lives(tx, found.holder):
        return None
    taken = Lease(name, holder, found.fence + 1, tx.now + for_)
    await store.change(tx, found, holder=holder, fence=taken.fence, until=taken.until)
    return taken


async def renew(tx: Transaction, lease: Lease, for_: timedelta) -> Lease:
    """The same for so long from now. Raises NotOurs when somebody else has it."""
    await check(tx, lease)
    renewed = replace(lease, until=tx.now + for_)
    await store.change(tx, lease, until=renewed.until)
    return renewed


async def check(tx: Transaction, lease: Lease) -> None:
    """Raises NotOurs when the lease has gone to somebody else, so that nothing of the transaction holds."""
    found = await store.of(tx, lease.name)
    if found is None or (found.holder, found.fence) != (lease.holder, lease.fence):
        raise NotOurs(f"{lease.name} is another process's by now")


async def let_go(tx: Transaction, lease: Lease) -> None:
    """Anybody may have it at once. One that has gone to somebody else stays theirs."""
    found = await store.of(tx, lease.name)
    if found is not None and (found.holder, found.fence) == (lease.holder, lease.fence):
        await store.change(tx, lease, holder=None)
        tx.ring(BELL)


async def beat(tx: Transaction, me: Replica) -> bool:
    """Say that this process lives. False if it was not known: it has just come, or was taken for dead, and
    nothing that it held is its own."""
    if await store.beat(tx, me.id, tx.now):
        return True
    await store.join(tx, replace(me, beats=1, beat_at=tx.now))
    return False


async def leave(tx: Transaction, *gone: str) -> None:
    """These processes are no more, and hold no lease."""
    for each in gone:
        await store.give_back(tx, each)
    await store.leave(tx, gone)
    tx.ring(BELL)
