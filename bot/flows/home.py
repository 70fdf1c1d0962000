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
    """The page as things stand now; what can be done about a line stands at that line."""
    blocks = [*await _own(tx, person), *await _shared(tx, person)]
    if person.staff:
        blocks = [*await _work(tx, person), *blocks]
    new = phrases.button(codes.code("n", "new"), "button.new_request")
    return Message(tuple(blocks), ((new,),))


async def _own(tx: Transaction, person: Person) -> list[Block]:
    """Whose turn it is in each of my requests, with what only I can say of them."""
    mine = await queries.of_requester(tx, person.id, limit=SHOWN)
    blocks: list[Block] = [Paragraph(Words("home.own"), "title")]
    if not mine:
        return [*blocks, Paragraph(Words("home.none_own"), "quiet")]
    unrated = [ticket.id for ticket in mine if await _to_be_rated(tx, ticket)]
    for ticket in mine:
        state = Words(f"turn.{ticket.status}")
        blocks.append(Paragraph(_line(ticket, state), choices=_ways(tx, ticket)))
        if ticket.id == max(unrated, default=None):
            blocks.append(Paragraph(Words("home.rate", {"ticket": ticket.id}), choices=_stars(ticket.id)))
    return [*blocks, *await _more(tx, queries.asked_by(person.id), len(mine))]


async def _shared(tx: Transaction, person: Person) -> list[Block]:
    """Whose turn it is in what others share with me."""
    found = await queries.shared(tx, person.id, limit=SHOWN)
    if not found:
        return []
    lines = [Paragraph(_line(ticket, Words(f"turn.{ticket.status}"))) for ticket in found]
    more = await _more(tx, queries.spoken_in_by(person.id), len(found))
    return [Paragraph(Words("list.shared"), "title"), *lines, *more]


def _ways(tx: Transaction, ticket: Ticket) -> tuple[Choice, ...]:
    number = ticket.id
    again = Choice(codes.code("r", "reopen", number), Words("home.reopen", {"ticket": number}))
    if ticket.status is Status.RESOLVED:
        fixed = Words("home.fixed", {"ticket": number})
        return Choice(codes.code("r", "yes", number), fixed, style="primary"), again
    return (again,) if ticket.status is Status.CLOSED and tickets.may_reopen(tx, ticket) else ()


async def _to_be_rated(tx: Transaction, ticket: Ticket) -> bool:
    closed = ticket.status is Status.CLOSED
    return closed and await feedback.asked(tx, ticket.id) and await feedback.stars(tx, ticket.id) is None


def _stars(number: TicketId) -> tuple[Choice, ...]:
    return tuple(Choice(codes.code("r", "rate", number, n), Plain("★" * n)) for n in range(1, 6))


async def _more(tx: Transaction, which: queries.Which, shown: int) -> list[Block]:
    """How many there are, where it is not all of them that are shown."""
    return _part(shown, await queries.count(tx, which) if shown == SHOWN else shown)


def _part(shown: int, total: int) -> list[Block]:
    return [Paragraph(Words("home.part", {"shown": shown, "total": total}), "quiet")] if total > shown else []


async def _work(tx: Transaction, person: Person) -> list[Block]:
    """What is mine to do, what is nobody's yet, and what falls due soon."""
    actor = Actor(person, "desk")
    free = await queries.unowned(tx, actor, limit=SHOWN)
    owned = await queries.owned(tx, person.id, limit=SHOWN)
    return [
        *await _soon(tx, actor),
        *await _list(tx, "home.free", free, take=True),
        *await _more(tx, queries.free(actor), len(free)),
        *await _list(tx, "home.mine", owned),
        *await _more(tx, queries.owned_by(person.id), len(owned)),
    ]


async def _soon(tx: Transaction, actor: Actor) -> list[Block]:
    coming, total = await sla.due_by(tx, queries.waiting(actor), tx.now + SOON, limit=SHOWN)
    if not coming:
        return []
    told = [Paragraph(_line(ticket, At(due_at, "ago"))) for due_at, ticket in coming]
    return [Paragraph(Words("home.soon"), "title"), *told, *_part(len(coming), total)]


async def _list(tx: Transaction, title: str, found: Sequence[Ticket], *, take: bool = False) -> list[Block]:
    lines: list[Block] = [Paragraph(Words(title), "title")]
    if not found:
        return [*lines, Paragraph(Words("home.none"), "quiet")]
    for ticket in found:
        requester = await story.name(tx, ticket.requester)
        line = _line(ticket, phrases.status(ticket.status), requester)
        lines.append(Paragraph(line, choices=(_take(ticket),) if take else ()))
    return lines


def _take(ticket: Ticket) -> Choice:
    return Choice(codes.code("t", "take", ticket.id), Words("button.take_number", {"ticket": ticket.id}))


def _line(ticket: Ticket, *state: Text) -> Text:
    mark = phrases.MARKS[ticket.priority]
    return Several((Plain(f"{mark} #{ticket.id}"), Plain(ticket.title), *state), " · ")
