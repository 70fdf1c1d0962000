"""Which message of a ticket another one answers: told by where they stand, never by their words."""

from core.database.transaction import Transaction
from core.kernel.ids import MessageId, PersonId
from core.outbox import store as posts
from core.people import store as people
from core.tickets import company, store
from core.tickets.model import BY_COMMAND, SENT_ON, Said

_COPIES = ("said", "reply", "shared", "watched")
"""How the slots of a message's copies begin; its number follows."""


async def standing_at(tx: Transaction, room: str, remote: str) -> Said | None:
    """The message of a ticket that somebody points at: said there, or shown there."""
    if (source := await store.message_at(tx, room, remote)) is not None:
        return source
    post = await posts.at(tx, room, remote)
    kind, _sign, rest = (post.slot or "").partition(":") if post is not None else ("", "", "")
    number = rest.partition(":")[0]
    return await store.message(tx, MessageId(int(number))) if kind in _COPIES and number.isdecimal() else None


async def note(tx: Transaction, since: int, room: str, remote: str) -> None:
    """What was kept after the message `since` answers what stands there, as far as both are of one ticket."""
    target = await standing_at(tx, room, remote)
    if target is None:
        return
    for said in await store.messages_after(tx, since):
        if said.ticket == target.ticket and said.id != target.id:
            await store.change_message(tx, said.id, answers_id=target.id)


async def answered(tx: Transaction, said: Said, reader: PersonId | None) -> Said | None:
    """What it answers as that stands now, for the eyes of a reader; None: of staff, where they work on it.

    None where that need not be told, for it was said just before, and where it must not: a quote shows
    nobody what they were not shown when it was said."""
    if said.answers is None or said.withdrawn_at is not None:
        return None
    target = await store.message(tx, said.answers)
    if target is None or target.ticket != said.ticket or target.withdrawn_at is not None:
        return None
    if reader is not None and not await _known(tx, target, reader):
        return None
    before = await store.message_before(tx, said, notes=reader is None)
    return None if before == target.id else target


async def _known(tx: Transaction, said: Said, reader: PersonId) -> bool:
    """Whether somebody who reads in private was shown these words, or may look at them: notes are nowhere
    but where staff work."""
    if said.kind == "note":
        return False
    ticket = await store.get(tx, said.ticket)
    if reader in (ticket.requester, said.author):
        return True
    if await company.watches(tx, ticket, await people.get(tx, reader)):
        return True
    if said.id == (await store.first_message(tx, ticket.id)).id:
        return await company.introduced(tx, ticket.id, reader)
    return said.flood is None and await company.was_shown(tx, ticket, said.id, reader)


async def places(tx: Transaction, said: Said) -> dict[str, str]:
    """In which rooms it stands, as which message: where it was said, as a copy, or as the ticket's card."""
    slots = [f"{kind}:{said.id}" for kind in ("said", "reply")]
    if said.id == (await store.first_message(tx, said.ticket)).id:
        slots = [f"card:{said.ticket}", *slots]
    shown = [post for slot in slots for post in await posts.posts_of_slot(tx, slot)]
    for kind in ("reply", "shared", "watched"):
        shown += await posts.posts_beginning(tx, f"{kind}:{said.id}:")
    found = {post.address.partition("#")[0]: post.remote for post in shown}
    if not said.room or not said.remote:
        return found
    if said.remote.endswith(BY_COMMAND):
        return {said.room: said.remote.removesuffix(BY_COMMAND)} | found
    return found | {said.room: said.remote.removesuffix(SENT_ON)}
