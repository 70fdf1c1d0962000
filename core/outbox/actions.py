"""What happens to parcels: put, claimed, settled, tried again, given up, replayed or discarded."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta

from core.database.transaction import Transaction
from core.kernel.ids import ParcelId, PersonId, TicketId
from core.leases.model import ALONE
from core.outbox import store
from core.outbox.model import LEASE, TRIES, Head, Parcel, Post, Shown, State, pause

BELL = "outbox"
LOOKED_AT = 1000
"""So many lanes are looked at when some must wait for their pace."""


async def put(tx: Transaction, parcel: Parcel) -> None:
    """Deliver this once the transaction is committed.

    What still waits in the same slot and lane takes the newest content and keeps its place."""
    tx.ring(BELL)
    await store.put(tx, parcel)


async def claim(
    tx: Transaction,
    busy: frozenset[str],
    limit: int,
    may_go: Callable[[Transaction, Head], Awaitable[bool]],
    me: str = ALONE,
) -> list[Parcel]:
    """Take the first parcel of each free lane that `may_go` now into one's hands for LEASE, or for as long as
    this process lives where others do besides."""
    going: dict[int, Head] = {}
    for look in (2 * limit, LOOKED_AT):
        heads = await store.heads(tx, busy, look, me)
        for head in heads:
            if len(going) < limit and head.id not in going and await may_go(tx, head):
                going[head.id] = head
        if len(going) == limit or len(heads) < look:
            break
    return await store.lease(tx, list(going.values()), tx.now + LEASE, me)


async def settle(tx: Transaction, parcel: Parcel, shown: Shown, before: Post | None) -> bool:
    """The parcel was shown. False if it is in other hands by now."""
    if not await store.change(tx, parcel, state=State.SENT, lease_until=None, settled_at=tx.now, error=None):
        return False
    if before is not None and (before.remote != shown.remote or before.parts != shown.parts):
        await store.forget_post(tx, before.id)
        before = None
    if before is None and shown.remote:  # the answer to a press leaves nothing to edit
        await store.add_post(tx, parcel, shown)
    tx.ring(BELL)
    return True


async def begin_thread(tx: Transaction, parcel: Parcel, shown: Shown, before: Post | None) -> Post | None:
    """A thread was made for the parcel, and it will stand in there: what is said in it belongs to it from now
    on. None if the parcel is in other hands by now, which make another one."""
    if parcel.slot is None or not await store.is_held(tx, parcel):
        return None
    room = shown.address.partition("#")[0]
    found = await store.post_in(tx, room, parcel.slot)
    if found is not None and (found.remote, found.thread) == (shown.remote, shown.thread):
        return found  # the answer to the first time was lost
    if before is not None:
        await store.forget_post(tx, before.id)
    await store.add_post(tx, parcel, shown)
    return await store.post_in(tx, room, parcel.slot)


async def show_again(tx: Transaction, parcel: Parcel) -> None:
    """An earlier try may stand there in older words: they are brought up to date, unless newer ones wait."""
    sent = await store.get(tx, parcel.id)  # where it belongs by now: meanwhile a room may be somebody else's
    if sent.slot and not await store.waits(tx, sent):
        await store.add(tx, sent)


async def retracted(tx: Transaction, parcel: Parcel, post: Post | None) -> None:
    """The parcel's message was taken back, or had never been shown. What is for a person, wherever they
    read, is taken back wherever it stands."""
    tx.ring(BELL)
    if not await store.change(tx, parcel, state=State.SENT, lease_until=None, settled_at=tx.now):
        return
    if post is not None:
        await store.forget_post(tx, post.id)
    if parcel.room is None and parcel.slot and await store.posts_of_slot(tx, parcel.slot):
        await store.add(tx, parcel)


async def drop(tx: Transaction, parcel: Parcel) -> None:
    """There is nothing to show any more."""
    await store.change(tx, parcel, state=State.DROPPED, lease_until=None, settled_at=tx.now)
    tx.ring(BELL)


async def retry(
    tx: Transaction, parcel: Parcel, error: str, *, delay: timedelta | None, unknown: bool, free: bool = False
) -> bool:
    """It did not work this time. True if it is given up now, after too many tries.

    A delay the platform asked for is obeyed and costs no try; nor does one that is `free`, because nothing
    gets through at present."""
    attempts = parcel.attempts + (0 if free or (delay is not None and not unknown) else 1)
    if attempts >= TRIES:
        return await give_up(tx, parcel, error)
    await store.change(
        tx,
        parcel,
        state=State.UNCERTAIN if unknown or parcel.uncertain else State.PENDING,
        attempts=attempts,
        lease_until=None,
        due_at=tx.now + (delay if delay is not None else pause(attempts)),
        error=error[:2000],
    )
    tx.ring(BELL)
    return False


async def try_elsewhere(tx: Transaction, parcel: Parcel, tried: Sequence[str], error: str) -> bool:
    """It cannot be delivered there: it is sent anew to where its reader is reached besides."""
    tx.ring(BELL)
    return await store.change(
        tx,
        parcel,
        state=State.PENDING,
        facts={**parcel.facts, "tried": list(tried)},
        attempts=0,
        lease_until=None,
        due_at=tx.now,
        error=error[:2000],
    )


async def give_up(tx: Transaction, parcel: Parcel, error: str) -> bool:
    """It can never be delivered: a dead letter, and its lane goes on. False if in other hands by now."""
    tx.ring(BELL)
    return await store.change(
        tx, parcel, state=State.DEAD, lease_until=None, settled_at=tx.now, error=error[:2000]
    )


async def replay(tx: Transaction, parcel_id: ParcelId) -> bool:
    """Try a dead parcel once more. False if there is no such dead parcel."""
    tx.ring(BELL)
    return bool(
        await tx.execute(
            store.outbox.update()
            .where(store.outbox.c.id == parcel_id, store.outbox.c.state == State.DEAD)
            .values(**store.once_more(tx.now))
        )
    )


async def revive(tx: Transaction, room: str) -> int:
    """The room can be reached again: what was given up there and in its threads is sent after all."""
    tx.ring(BELL)
    return await tx.execute(
        store.outbox.update()
        .where(store.within(room), store.outbox.c.state == State.DEAD)
        .values(**store.once_more(tx.now))
    )


async def take_back(tx: Transaction, ticket: TicketId, person: PersonId, room: str) -> list[Parcel]:
    """What this person was to be told of the ticket in a room, and has not been, is not told there any more.

    Returns what that is, to be put elsewhere."""
    found = await store.left_behind(tx, ticket, person, room)
    for parcel in found:
        changes = store.outbox.update().where(store.outbox.c.id == parcel.id)
        await tx.execute(changes.values(state=State.DROPPED, settled_at=tx.now))
    return found


async def hasten(tx: Transaction, person: PersonId) -> int:
    """What waits for this person's quiet hours to end need not wait for those any more."""
    tx.ring(BELL)
    return await store.hasten(tx, person)


async def discard(tx: Transaction, parcel_id: ParcelId) -> bool:
    """Give a dead parcel up for good. False if there is no such dead parcel."""
    return bool(
        await tx.execute(
            store.outbox.update()
            .where(store.outbox.c.id == parcel_id, store.outbox.c.state == State.DEAD)
            .values(state=State.DROPPED)
        )
    )


async def give_back(tx: Transaction, holder: str) -> int:
    """What a process held while it died may be sent again; ALONE: what any did that lives no more.

    Its outcome is unknown, so it goes out with the same nonce as an uncertain parcel."""
    tx.ring(BELL)
    return await store.give_back(tx, holder)


async def is_held(tx: Transaction, parcel: Parcel) -> bool:
    """Whether the parcel is still in the hands that claimed it."""
    return await store.is_held(tx, parcel)
