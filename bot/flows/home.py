"""The desk's own page in a messenger that has one: my requests, and for staff what waits for somebody."""

from collections.abc import Sequence
from datetime import timedelta

from bot import codes
from bot.flows import phrases, story
from bot.flows.turn import Turn
from bot.message import At, Block, Choice, Message, Paragraph, Plain, Several, Text, Words
from core.database.transaction import Transaction
from core.feedback import store as feedback
from core.kernel.ids import TicketId
from core.outbox import actions as outbox
from core.outbox.model import ANSWER, Parcel
from core.people.model import Actor, Person
from core.sla import queries as sla
from core.tickets import actions as tickets
from core.tickets import queries
from core.tickets.model import Status, Ticket

SHOWN = 10
SOON = timedelta(hours=1)
Rows = list[tuple[Choice, ...]]


def slot(person: Person) -> str:
    """The one page of this person in each of their messengers."""
    return f"home:{person.id}"


async def show(turn: Turn) -> None:
    """Bring the page this person looks at up to date."""
    person = turn.person
    await outbox.put(
        turn.tx, Parcel("home", room=turn.place, person=person.id, slot=slot(person), urgency=ANSWER)
    )


async def compose(tx: Transaction, person: Person) -> Message:
    """The page as things stand now."""
    blocks, rows = await _own(tx, person)
    if person.staff:
        more, takes = await _work(tx, person)
        blocks, rows = [*more, *blocks], [*rows, *takes]
    return Message(tuple(blocks), tuple(rows))


async def _own(tx: Transaction, person: Person) -> tuple[list[Block], Rows]:
    """Whose turn it is in each of my requests, with what only I can say of them."""
    mine = await queries.of_requester(tx, person.id, limit=SHOWN)
    rows: Rows = [(phrases.button(codes.code("n", "new"), "button.new_request"),)]
    blocks: list[Block] = [Paragraph(Words("home.own"), "title")]
    if not mine:
        return [*blocks, Paragraph(Words("home.none_own"), "quiet")], rows
    for ticket in mine:
        blocks.append(Paragraph(_line(ticket, Words(f"turn.{ticket.status}"))))
        rows += await _ways(tx, ticket)
    unrated = [ticket.id for ticket in mine if await _to_be_rated(tx, ticket)]
    if unrated:
        rows.append(_stars(max(unrated)))
    return [*blocks, *await _more(tx, queries.asked_by(person.id), len(mine))], rows


async def _ways(tx: Transaction, ticket: Ticket) -> Rows:
    number = ticket.id
    again = Choice(codes.code("r", "reopen", number), Words("home.reopen", {"ticket": number}))
    if ticket.status is Status.RESOLVED:
        yes = Choice(codes.code("r", "yes", number), Words("home.fixed", {"ticket": number}), style="primary")
        return [(yes, again)]
    if ticket.status is not Status.CLOSED:
        return []
    return [(again,)] if tickets.may_reopen(tx, ticket) else []


async def _to_be_rated(tx: Transaction, ticket: Ticket) -> bool:
    closed = ticket.status is Status.CLOSED
    return closed and await feedback.asked(tx, ticket.id) and await feedback.stars(tx, ticket.id) is None


def _stars(number: TicketId) -> tuple[Choice, ...]:
    return tuple(
        Choice(codes.code("r", "rate", number, n), Plain(f"#{number} {'★' * n}")) for n in range(1, 6)
    )


async def _more(tx: Transaction, which: queries.Which, shown: int) -> list[Block]:
    """How many there are, where it is not all of them that are shown."""
    total = await queries.count(tx, which) if shown == SHOWN else shown
    return [Paragraph(Words("home.part", {"shown": shown, "total": total}), "quiet")] if total > shown else []


async def _work(tx: Transaction, person: Person) -> tuple[list[Block], Rows]:
    """What is mine to do, what is nobody's yet, and what falls due soon."""
    actor = Actor(person, "desk")
    active = await queries.queue(tx, actor, limit=4 * SHOWN)
    free = await queries.unowned(tx, actor, limit=SHOWN)
    owned = await queries.owned(tx, person.id, limit=SHOWN)
    blocks = [
        *await _soon(tx, active),
        *await _list(tx, "home.free", free),
        *await _more(tx, queries.free(actor), len(free)),
        *await _list(tx, "home.mine", owned),
        *await _more(tx, queries.owned_by(person.id), len(owned)),
    ]
    takes = [
        Choice(codes.code("t", "take", ticket.id), Words("button.take_number", {"ticket": ticket.id}))
        for ticket in free
    ]
    return blocks, [tuple(takes[at : at + 5]) for at in range(0, len(takes), 5)]


async def _soon(tx: Transaction, active: Sequence[Ticket]) -> list[Block]:
    due = [
        (clock.due_at, ticket) for ticket in active if (clock := await sla.next_due(tx, ticket)) is not None
    ]
    coming = sorted((pair for pair in due if pair[0] <= tx.now + SOON), key=lambda pair: pair[0])
    if not coming:
        return []
    lines: list[Block] = [Paragraph(Words("home.soon"), "title")]
    return lines + [Paragraph(_line(ticket, At(at, "ago"))) for at, ticket in coming[:SHOWN]]


async def _list(tx: Transaction, title: str, found: Sequence[Ticket]) -> list[Block]:
    lines: list[Block] = [Paragraph(Words(title), "title")]
    if not found:
        return [*lines, Paragraph(Words("home.none"), "quiet")]
    for ticket in found:
        owner = await story.name(tx, ticket.requester)
        lines.append(Paragraph(_line(ticket, phrases.status(ticket.status), owner)))
    return lines


def _line(ticket: Ticket, *state: Text) -> Text:
    mark = phrases.MARKS[ticket.priority]
    return Several((Plain(f"{mark} #{ticket.id}"), Plain(ticket.title), *state), " · ")
