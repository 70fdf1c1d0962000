"""What quiet hours hold back: whatever is said to a member of staff unasked, but no ping, no edit, and not
that their shift begins."""

from datetime import datetime

from core.database.transaction import Transaction
from core.outbox import store
from core.outbox.model import ANSWER, WAKING, Head
from core.people import store as people
from core.people.reach import Ways


async def until(tx: Transaction, head: Head) -> datetime | None:
    """Until when the parcel must wait for its reader's quiet hours to end; None if it may go."""
    if head.room is not None or head.person is None or head.urgency == ANSWER or head.kind in WAKING:
        return None
    person = await people.get(tx, head.person)
    quiet = person.reach.quiet_until(tx.rule(Ways).local(tx.now)) if person.staff else None
    if quiet is None or head.slot is None:
        return quiet
    return None if await store.posts_of_slot(tx, head.slot) else quiet
