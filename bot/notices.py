"""Everything the desk says unasked, in one place: a parcel's kind and facts become a message."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Literal

from bot import cards, codes, message, pings, sharing
from bot.flows import (
    elsewhere,
    emergency,
    flood,
    handover,
    home,
    linking,
    merging,
    phrases,
    quoting,
    references,
    story,
)
from bot.message import (
    At,
    Block,
    Choice,
    Fact,
    Message,
    Paragraph,
    Plain,
    Quote,
    Words,
)
from core.database.transaction import Transaction
from core.kernel.ids import Identity, MessageId
from core.outbox import store as posts
from core.outbox.model import Parcel
from core.people import store as people
from core.tickets import store as tickets
from core.tickets.catalogue import Catalogue
from core.tickets.model import Said, Status, Ticket, question_slot

_TONES: Mapping[str, Literal["request", "reply", "note"]] = {
    "request": "request",
    "reply": "reply",
    "note": "note",
}
INSTANT = timedelta(seconds=1)
Compose = Callable[[Transaction, Parcel], Awaitable[Message | None]]


async def compose(tx: Transaction, parcel: Parcel) -> Message | None:
    """The message as things stand now; None when there is nothing to tell any more."""
    return await COMPOSERS[parcel.kind](tx, parcel) if await sharing.still_theirs(tx, parcel) else None


async def _ticket(tx: Transaction, parcel: Parcel) -> Ticket:
    assert parcel.ticket is not None
    return await tickets.get(tx, parcel.ticket)


async def _message(tx: Transaction, parcel: Parcel) -> Message:
    return message.from_facts(parcel.facts["message"])


async def _stands(tx: Transaction, parcel: Parcel) -> bool:
    """Whether the message was shown before, or may have been though no answer came."""
    return parcel.uncertain or bool(await posts.posts_of_slot(tx, parcel.slot or ""))


async def _card(tx: Transaction, parcel: Parcel) -> Message:
    card = await cards.card(tx, await _ticket(tx, parcel))
    return replace(card, unfolded=bool(parcel.facts.get("unfolded")))


async def _acknowledgement(tx: Transaction, parcel: Parcel) -> Message:
    """Nothing to say: the messenger only wants to know that the press was heard."""
    return Message(())


async def _event(tx: Transaction, parcel: Parcel) -> Message:
    facts = parcel.facts
    told = await story.line(tx, facts["event"], facts["actor"], facts["via"], facts)
    return Message((Paragraph(told, "quiet"),), tone="event", ticket=parcel.ticket)


async def _undelivered(tx: Transaction, parcel: Parcel) -> Message | None:
    """What did not get through to the requester, and through which messengers it still can."""
    ticket, which = await _ticket(tx, parcel), (parcel.facts["at"], parcel.facts["message"])
    found = [each for each in await tickets.timeline(tx, ticket.id) if each.kind == "undelivered"]
    event = next((each for each in found if (each.at.isoformat(), each.facts["message"]) == which), None)
    if event is None:
        return None
    told = await story.line(tx, event.kind, event.actor, event.via, event.facts)
    rows = await elsewhere.ways_left(tx, ticket, event)
    return Message((Paragraph(told, "quiet"),), rows, tone="event", ticket=ticket.id)


# ---- what people said, across


async def _said(tx: Transaction, parcel: Parcel) -> Message | None:
    """A message of the ticket as staff see it; a reply says whether it has arrived."""
    said = await tickets.message(tx, MessageId(parcel.facts["message"]))
    if said is None:
        return None
    author = await story.name(tx, said.author)
    told = [*sharing.words(said), *await _answers(tx, said), *await sharing.attachments(tx, said)]
    read = _stands_there(said, parcel)
    blocks: list[Block] = [*([] if read else told), *_marks(said)]
    answers = None if read else await quoting.answered(tx, said, None)
    if said.withdrawn_at is None and parcel.room is not None:
        blocks += await references.for_staff(tx, said.text, [parcel.room], said.ticket)
    tone = _TONES[said.kind]
    rows: tuple[tuple[Choice, ...], ...] = ()
    if said.kind == "request" and said.withdrawn_at is None and await merging.may_split(tx, said):
        code = codes.code("g", "split", said.ticket, said.id)
        rows = ((Choice(code, Words("button.split"), menu=True),),)
    if said.kind == "reply" and said.withdrawn_at is None:
        blocks.append(Paragraph(Words(await _how_far(tx, said)), "quiet"))
        if tx.now <= said.at + tx.rule(Catalogue).undo_for:
            rows = ((Choice(codes.code("t", "undo", said.ticket, said.id), Words("button.undo")),),)
    return Message(tuple(blocks), rows, tone=tone, author=author, ticket=said.ticket, answers=answers)


async def _how_far(tx: Transaction, reply: Said) -> str:
    """Whether a reply has come to the requester."""
    if await posts.posts_of_message(tx, reply.id):
        return "said.delivered"
    events = await tickets.timeline(tx, reply.ticket)
    failed = any(each.kind == "undelivered" and each.facts["message"] == reply.id for each in events)
    return "said.undelivered" if failed else "said.on_its_way"


def _stands_there(said: Said, parcel: Parcel) -> bool:
    """Whether everybody there has read the words already: the reply was said in that very thread."""
    return said.kind == "reply" and said.read_in == parcel.room


async def _answers(tx: Transaction, said: Said) -> list[Paragraph | Quote]:
    """The answers that came with a ticket's first words, where the card has no room for them."""
    answers = cards.long_answers(tx, await tickets.get(tx, said.ticket)) if said.kind == "request" else []
    opening = answers and (await tickets.first_message(tx, said.ticket)).id == said.id
    return answers if opening else []


def _marks(said: Said) -> list[Block]:
    if said.withdrawn_at is not None:
        return [Paragraph(Words("said.withdrawn" if said.kind == "reply" else "said.moved"), "quiet")]
    return [Paragraph(Words("said.edited"), "quiet")] if said.edited_at else []


async def _reply(tx: Transaction, parcel: Parcel) -> Message | None:
    """An agent's words as the requester reads them."""
    said = await tickets.message(tx, MessageId(parcel.facts["message"]))
    if said is None or said.kind != "reply":
        return None
    if said.withdrawn_at is not None:  # what may stand there must be found before it can be taken back
        return Message((Paragraph(Plain("…")),), tone="reply") if await _stands(tx, parcel) else None
    assert parcel.person is not None
    named = await references.for_person(tx, said.text, parcel.person, said.ticket)
    blocks: tuple[Block, ...] = (*sharing.words(said), *await sharing.attachments(tx, said), *named)
    author = Words("said.agent", {"name": await story.name(tx, said.author), "ticket": said.ticket})
    answers = await quoting.answered(tx, said, parcel.person)
    return Message(blocks, tone="reply", author=author, ticket=said.ticket, answers=answers)


# ---- what the requester is told


async def _told_opened(tx: Transaction, parcel: Parcel) -> Message:
    ticket = await _ticket(tx, parcel)
    queue = phrases.titled(tx.rule(Catalogue).queue(ticket.queue).title)
    facts: dict[str, Fact] = {"ticket": ticket.id, "title": Plain(ticket.title), "queue": queue}
    how, hours = await emergency.answer_by(tx, ticket)
    promise = Paragraph(Words(f"told.opened{how}", {**facts, **hours}), "strong")
    whence, rows = await sharing.whence(tx, ticket), await emergency.rows_for(tx, parcel.person, ticket)
    hint = Paragraph(Words("told.opened_hint"), "quiet")
    blocks = (promise, *whence, *await emergency.hint(tx, ticket, rows), hint)
    return Message(blocks, rows, ticket=ticket.id)


async def _told(tx: Transaction, parcel: Parcel) -> Message:
    """Something that happened, in plain words."""
    ticket = await _ticket(tx, parcel)
    facts: dict[str, Fact] = {
        "ticket": ticket.id,
        "title": Plain(ticket.title),
        "name": await story.name(tx, parcel.facts.get("actor")),
    }
    if owner := parcel.facts.get("owner"):
        facts["owner"] = await story.name(tx, owner)
    key = parcel.kind.replace("_", ".", 1)
    if to := parcel.facts.get("home"):
        facts["home"] = phrases.via(to.partition(":")[0])
    if until := parcel.facts.get("until"):
        facts["until"] = At(datetime.fromisoformat(until))
        key += "_until"
    return Message((Paragraph(Words(key, facts)),), ticket=ticket.id)


async def _told_waited(tx: Transaction, parcel: Parcel) -> Message | None:
    """Nothing, where a question has just been asked in words."""
    return None if parcel.facts.get("asked") else await _told(tx, parcel)


async def _told_resolved(tx: Transaction, parcel: Parcel) -> Message | None:
    """That it is solved, with the question whether it is; without it once that is settled."""
    ticket = await _ticket(tx, parcel)
    assert parcel.slot is not None
    told = [
        each for each in await tickets.timeline(tx, ticket.id) if parcel.slot.endswith(each.at.isoformat())
    ]
    event = next((each for each in reversed(told) if each.kind == "resolved"), None)
    if event is None:
        return None
    facts: dict[str, Fact] = {
        "ticket": ticket.id,
        "title": Plain(ticket.title),
        "name": await story.name(tx, event.actor),
    }
    words: list[Block] = [Quote(Plain(event.facts["text"]))] if event.facts.get("text") else []
    if ticket.status is not Status.RESOLVED or parcel.slot != question_slot(ticket):
        settled = Message((Paragraph(Words("told.resolved", facts), "quiet"), *words), ticket=ticket.id)
        return settled if await _stands(tx, parcel) else None
    yes = Choice(codes.code("r", "yes", ticket.id), Words("button.fixed"), style="primary")
    no = Choice(codes.code("r", "no", ticket.id), Words("button.not_fixed"))
    blocks = (
        Paragraph(Words("told.resolved", facts)),
        *words,
        Paragraph(Words("told.is_it_fixed"), "strong"),
    )
    return Message(blocks, ((yes, no),), ticket=ticket.id)


async def _told_handed(tx: Transaction, parcel: Parcel) -> Message:
    """To whom a ticket was passed, or to whose level: by whom, and with which words."""
    ticket = await _ticket(tx, parcel)
    facts: dict[str, Fact] = {
        "name": await story.name(tx, parcel.facts["actor"]),
        "ticket": ticket.id,
        "title": Plain(ticket.title),
    }
    if level := parcel.facts.get("level"):
        facts["level"] = str(level)
    words = [Quote(Plain(parcel.facts["text"]))] if parcel.facts["text"] else []
    return Message((Paragraph(Words(parcel.kind.replace("_", ".", 1), facts)), *words), ticket=ticket.id)


async def _low_rating(tx: Transaction, parcel: Parcel) -> Message:
    ticket = await _ticket(tx, parcel)
    facts: dict[str, Fact] = {
        "stars": parcel.facts["stars"],
        "name": await story.name(tx, ticket.requester),
        "title": Plain(ticket.title),
        "ticket": ticket.id,
    }
    return Message((Paragraph(Words("told.low_rating", facts)),), tone="ping", ticket=ticket.id)


async def _trouble(tx: Transaction, parcel: Parcel) -> Message:
    facts: dict[str, Fact] = {"title": Plain(parcel.facts["title"]), "room": parcel.facts["room"]}
    return Message((Paragraph(Words(f"trouble.{parcel.facts['kind']}", facts)),), tone="ping")


async def _audit(tx: Transaction, parcel: Parcel) -> Message:
    """What the auditor found, for those who run the desk."""
    facts: dict[str, Fact] = {"tickets": Plain(", ".join(f"#{each}" for each in parcel.facts["tickets"]))}
    told = Words(f"audit.{parcel.facts['key']}", facts, parcel.facts["count"] or None)
    return Message((Paragraph(told),), tone="ping")


async def _write_me(tx: Transaction, parcel: Parcel) -> Message:
    assert parcel.person is not None
    name = Plain((await people.get(tx, parcel.person)).name)
    return Message((Paragraph(Words("crowd.write_me", {"name": name})),))


async def _parked(tx: Transaction, parcel: Parcel) -> Message:
    return Message((Paragraph(Words("told.parked")),))


async def _link_code(tx: Transaction, parcel: Parcel) -> Message:
    return await linking.code(tx, Identity.parse(parcel.facts["identity"]), parcel.facts["hash"])


async def _home(tx: Transaction, parcel: Parcel) -> Message:
    assert parcel.person is not None
    return await home.compose(tx, await people.get(tx, parcel.person))


COMPOSERS: Mapping[str, Compose] = {
    **sharing.COMPOSERS,
    **handover.COMPOSERS,
    "home": _home,
    "message": _message,
    "acknowledgement": _acknowledgement,
    "card": _card,
    "event": _event,
    "flood": flood.line,
    "said": _said,
    "reply": _reply,
    "told_opened": _told_opened,
    "told_emergency": emergency.told,
    "told_claimed": _told,
    "told_passed": _told,
    "told_waited": _told_waited,
    "told_handed": _told_handed,
    "told_levelled": _told_handed,
    "told_held": _told,
    "told_reopened": _told,
    "told_rehomed": _told,
    "told_moved_on": _told,
    "undelivered": _undelivered,
    "told_resolved": _told_resolved,
    "told_parked": _parked,
    "ping": pings.compose,
    "low_rating": _low_rating,
    "trouble": _trouble,
    "audit": _audit,
    "write_me": _write_me,
    "link_code": _link_code,
}
