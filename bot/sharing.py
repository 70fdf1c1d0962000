"""What those read who belong to a ticket besides its requester: colleagues, and staff who watch it."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Literal

from bot.flows import phrases, quoting, references, story
from bot.message import Attachment, Block, Fact, Message, Paragraph, Plain, Quote, Words, spoken
from core.database.transaction import Transaction
from core.files import store as files
from core.kernel import text as texts
from core.kernel.ids import MessageId, PersonId
from core.outbox.model import Parcel
from core.people import store as people
from core.tickets import company, merging
from core.tickets import store as tickets
from core.tickets.model import WATCHER, Said, Ticket

QUOTED = 300
Compose = Callable[[Transaction, Parcel], Awaitable[Message | None]]


async def still_theirs(tx: Transaction, parcel: Parcel) -> bool:
    """Whether whoever it is for belongs to the ticket as it stands now, or need not."""
    if not parcel.facts.get("company") or parcel.ticket is None or parcel.person is None:
        return True
    return await company.belongs(tx, await tickets.get(tx, parcel.ticket), parcel.person)


async def _ticket(tx: Transaction, parcel: Parcel) -> Ticket:
    assert parcel.ticket is not None
    return await tickets.get(tx, parcel.ticket)


def words(said: Said) -> list[Block]:
    """What somebody said, if it was more than files."""
    return [Paragraph(spoken(said.text))] if said.text.strip() else []


async def attachments(tx: Transaction, said: Said) -> list[Block]:
    brought = await files.of_message(tx, said.id)
    return [Attachment(file.id, file.name, file.mime, file.size) for file in brought]


async def _whole(tx: Transaction, said: Said) -> list[Block]:
    edited = [Paragraph(Words("said.edited"), "quiet")] if said.edited_at else []
    return [*words(said), *await attachments(tx, said), *edited]


async def _message(tx: Transaction, parcel: Parcel, *kinds: str) -> Said | None:
    """What somebody said, as long as it stands in this ticket and is of these kinds: never a note."""
    said = await tickets.message(tx, MessageId(parcel.facts["message"]))
    if (
        said is None
        or said.kind not in kinds
        or said.withdrawn_at is not None
        or said.ticket != parcel.ticket
    ):
        return None
    return said


async def _shared(tx: Transaction, parcel: Parcel) -> Message | None:
    """The words of one of them as the others who ask read them."""
    if (said := await _message(tx, parcel, "request")) is None:
        return None
    assert parcel.person is not None
    author = Words("said.colleague", {"name": await story.name(tx, said.author), "ticket": said.ticket})
    named = await references.for_person(tx, said.text, parcel.person, said.ticket)
    answers = await quoting.answered(tx, said, parcel.person)
    blocks = (*await _whole(tx, said), *named)
    return Message(blocks, tone="reply", author=author, ticket=said.ticket, answers=answers)


async def _watched(tx: Transaction, parcel: Parcel) -> Message | None:
    """Words of either side as a watcher reads them."""
    said, ticket = await _message(tx, parcel, "request", "reply"), await _ticket(tx, parcel)
    if said is None or parcel.person is None or not await _watches(tx, parcel, ticket):
        return None
    named = await references.for_person(tx, said.text, parcel.person, said.ticket)
    heading = Paragraph(phrases.heading(ticket), "quiet")
    tone: Literal["reply", "request"] = "reply" if said.kind == "reply" else "request"
    author = await story.name(tx, said.author)
    answers = await quoting.answered(tx, said, parcel.person)
    blocks = (heading, *await _whole(tx, said), *named)
    return Message(blocks, tone=tone, author=author, ticket=ticket.id, answers=answers)


async def _watches(tx: Transaction, parcel: Parcel, ticket: Ticket) -> bool:
    assert parcel.person is not None
    return await company.watches(tx, ticket, await people.get(tx, parcel.person))


async def _watched_event(tx: Transaction, parcel: Parcel) -> Message | None:
    ticket, facts = await _ticket(tx, parcel), parcel.facts
    if not await _watches(tx, parcel, ticket):
        return None
    told = await story.line(tx, facts["event"], facts["actor"], facts["via"], facts)
    heading = Paragraph(phrases.heading(ticket), "quiet")
    return Message((heading, Paragraph(told)), tone="event", ticket=ticket.id)


async def _references(tx: Transaction, parcel: Parcel) -> Message | None:
    """The tickets that a note names, in the space where it was written."""
    said = await tickets.message(tx, MessageId(parcel.facts["message"]))
    if said is None or parcel.room is None:
        return None
    lines = await references.for_staff(tx, said.text, [parcel.room], said.ticket)
    return Message(tuple(lines), tone="event", ticket=said.ticket) if lines else None


# ---- who came and went


async def _facts(tx: Transaction, parcel: Parcel, ticket: Ticket) -> dict[str, Fact]:
    return {
        "name": await story.name(tx, parcel.facts.get("actor")),
        "person": await story.name(tx, parcel.facts.get("person")),
        "requester": await story.name(tx, ticket.requester),
        "ticket": ticket.id,
        "title": Plain(ticket.title),
    }


async def _told_added(tx: Transaction, parcel: Parcel) -> Message | None:
    """To whoever was added: by whom, to what, and how to speak or leave."""
    ticket = await _ticket(tx, parcel)
    assert parcel.person is not None
    facts = await _facts(tx, parcel, ticket)
    if parcel.facts["kind"] == WATCHER:
        watching = await _watches(tx, parcel, ticket)
        return Message((Paragraph(Words("told.watching", facts)),), ticket=ticket.id) if watching else None
    if not await company.belongs(tx, ticket, parcel.person):
        return None
    first = Quote(Plain(texts.shorten((await tickets.first_message(tx, ticket.id)).text, QUOTED)))
    hint = Paragraph(Words("told.added_hint", facts), "quiet")
    return Message((Paragraph(Words("told.added", facts), "strong"), first, hint), ticket=ticket.id)


async def _told_removed(tx: Transaction, parcel: Parcel) -> Message:
    """Only the number: they see the ticket no more."""
    facts: dict[str, Fact] = {"ticket": (await _ticket(tx, parcel)).id}
    return Message((Paragraph(Words("told.removed", facts)),))


async def _told_company(tx: Transaction, parcel: Parcel) -> Message:
    """To the requester, who else reads along or does so no more."""
    ticket = await _ticket(tx, parcel)
    own = parcel.facts.get("actor") == parcel.facts.get("person")
    key = "told.company_left_self" if own else parcel.kind.replace("_", ".", 1)
    return Message((Paragraph(Words(key, await _facts(tx, parcel, ticket))),), ticket=ticket.id)


async def _told_solved(tx: Transaction, parcel: Parcel) -> Message:
    """To a colleague: that it is solved. Whether it is so is the requester's to say."""
    ticket = await _ticket(tx, parcel)
    words = [Quote(Plain(parcel.facts["text"]))] if parcel.facts.get("text") else []
    told = Paragraph(Words("told.resolved", await _facts(tx, parcel, ticket)))
    return Message((told, *words), ticket=ticket.id)


async def _told_merged(tx: Transaction, parcel: Parcel) -> Message:
    """That it goes on as another, or does so no more."""
    ticket = await _ticket(tx, parcel)
    facts = {**await _facts(tx, parcel, ticket), "into": (await merging.standing(tx, ticket)).id}
    return Message((Paragraph(Words(parcel.kind.replace("_", ".", 1), facts)),), ticket=ticket.id)


async def _told_absorbed(tx: Transaction, parcel: Parcel) -> Message | None:
    """To the requester: somebody else asks the same, and they share the ticket now."""
    ticket = await _ticket(tx, parcel)
    if PersonId(parcel.facts["person"]) not in await company.shared_with(tx, ticket):
        return None
    facts = await _facts(tx, parcel, ticket)
    return Message((Paragraph(Words("told.absorbed", facts)),), ticket=ticket.id)


async def whence(tx: Transaction, ticket: Ticket) -> list[Block]:
    """To the requester of a ticket that somebody else made for them: who did, and of which words."""
    opened = await tickets.opening(tx, ticket.id)
    if opened.actor == ticket.requester or opened.actor is None:
        return []
    facts: dict[str, Fact] = {"name": await story.name(tx, opened.actor)}
    told = Words("told.opened_for", facts)
    if split := opened.facts.get("split"):
        told = Words("told.opened_split", {**facts, "ticket": int(split)})
    words = texts.shorten((await tickets.first_message(tx, ticket.id)).text, QUOTED)
    return [Paragraph(told), *([Quote(Plain(words))] if words else [])]


COMPOSERS: Mapping[str, Compose] = {
    "shared": _shared,
    "watched": _watched,
    "watched_event": _watched_event,
    "told_added": _told_added,
    "told_removed": _told_removed,
    "told_company_joined": _told_company,
    "told_company_left": _told_company,
    "told_solved": _told_solved,
    "told_merged": _told_merged,
    "told_unmerged": _told_merged,
    "told_absorbed": _told_absorbed,
    "references": _references,
}
