"""What happens to events: accepted, handled, tried again, parked, replayed or discarded."""

from collections.abc import Sequence

from core.database.transaction import Transaction
from core.inbox import store
from core.inbox.model import TRIES, Event, Letter, State, pause
from core.kernel.errors import NotOurs

BELL = "inbox"


async def accept(tx: Transaction, platform: str, account: str, events: Sequence[Event]) -> int:
    """Keep the events that are not known yet; returns how many those are.

    Acknowledge to the platform only once this transaction is committed."""
    fresh = await store.add(tx, platform, account, events)
    if fresh:
        tx.ring(BELL)
    return fresh


async def finish(tx: Transaction, letter: Letter) -> None:
    """The event is handled; commits together with what it did. Raises NotOurs where somebody else has handled
    it, and nothing is done twice."""
    if not await store.finish(tx, letter.id):
        raise NotOurs("the event is handled already")


async def stumble(tx: Transaction, letter: Letter, error: str) -> bool:
    """Handling failed: try again later, or park it after a few tries. True if it is parked now."""
    attempts = letter.attempts + 1
    parked = attempts >= TRIES
    await store.change(
        tx,
        letter.id,
        state=State.DEAD if parked else State.NEW,
        attempts=attempts,
        error=error[:2000],
        due_at=tx.now + pause(attempts),
        holder=None,
    )
    tx.ring(BELL)
    return parked


async def give_back(tx: Transaction, holder: str) -> None:
    """What a process had begun with while it died may be handled by anybody."""
    if await store.give_back(tx, holder):
        tx.ring(BELL)


async def replay(tx: Transaction, letter_id: int) -> bool:
    """Try a parked event once more. False if there is no such parked event."""
    done = await tx.execute(
        store.inbox.update()
        .where(store.inbox.c.id == letter_id, store.inbox.c.state == State.DEAD)
        .values(state=State.NEW, attempts=0, due_at=tx.now)
    )
    tx.ring(BELL)
    return bool(done)


async def discard(tx: Transaction, letter_id: int) -> bool:
    """Give a parked event up. False if there is no such parked event."""
    return bool(
        await tx.execute(
            store.inbox.update()
            .where(store.inbox.c.id == letter_id, store.inbox.c.state == State.DEAD)
            .values(state=State.DONE, handled_at=tx.now)
        )
    )
