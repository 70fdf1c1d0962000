"""Short lists: my tickets, the queue, what I am on, what was found, one ticket's state and its story."""

from collections.abc import Sequence

from bot import codes
from bot.flows import elsewhere, emergency, phrases, story
from bot.flows.turn import Turn
from bot.message import At, Choice, Fact, Message, Paragraph, Plain, Several, Text, Words
from core.kernel.errors import UserError
from core.people import store as people
from core.tickets import queries
from core.tickets import store as ticket_store
from core.tickets.model import ACTIVE, Status, Ticket

SHOWN = 20
LONGEST = 40
"""Lines of a page of the timeline."""


async def my(turn: Turn) -> Message:
    """The requester's tickets, with state and whose turn it is."""
    found = await queries.of_requester(turn.tx, turn.person.id, limit=SHOWN + 1)
    shared = await queries.shared(turn.tx, turn.person.id, limit=SHOWN)
    others = [Paragraph(_line(ticket, Words(f"turn.{ticket.status}"))) for ticket in shared]
    if others:
        others.insert(0, Paragraph(Words("list.shared"), "strong"))
    if not found:
        return Message(tuple(others) or (Paragraph(Words("list.none_mine")),))
    title = await _title(turn, "my", queries.asked_by(turn.person.id), len(found))
    lines = [Paragraph(_line(ticket, Words(f"turn.{ticket.status}"))) for ticket in found[:SHOWN]]
    return Message((title, *lines, *others), await elsewhere.rows(turn, *found, numbered=True))


async def _title(turn: Turn, name: str, which: queries.Which, found: int) -> Paragraph:
    """How many there are of these, and how many of them are shown if it is not all."""
    if found <= SHOWN:
        return Paragraph(Words(f"list.{name}", count=found), "strong")
    facts = {"shown": SHOWN, "total": await queries.count(turn.tx, which)}
    return Paragraph(Words(f"list.{name}_part", facts), "strong")


def _line(ticket: Ticket, state: Text) -> Text:
    return Several((Plain(f"#{ticket.id}"), state, Plain(ticket.title)), " · ")


async def status(turn: Turn, ticket: Ticket) -> Message:
    """Where one ticket stands, for whoever may see it."""
    facts: dict[str, Fact] = {"state": Words(f"turn.{ticket.status}"), "since": At(ticket.changed_at, "ago")}
    lines = [
        Paragraph(phrases.heading(ticket), "strong"),
        Paragraph(Words("status.line", facts)),
    ]
    if ticket.owner is not None:
        owner = Plain((await people.get(turn.tx, ticket.owner)).name)
        key = "status.owner" if ticket.status in ACTIVE else "status.agent"
        lines.append(Paragraph(Words(key, {"name": owner})))
    how, hours = await emergency.answer_by(turn.tx, ticket)
    if hours:
        lines.append(Paragraph(Words(f"status.reply_by{how}", hours)))
    urgent = await emergency.rows(turn.tx, turn.actor, ticket)
    if ticket.merged_into is not None:
        lines.append(Paragraph(Words("card.merged", {"into": ticket.merged_into})))
    own = ticket.requester == turn.person.id
    reopen: tuple[tuple[Choice, ...], ...] = (
        ((phrases.button(codes.code("r", "reopen", ticket.id), "button.reopen"),),)
        if own and ticket.status in (Status.RESOLVED, Status.CLOSED) and ticket.merged_into is None
        else ()
    )
    return Message(tuple(lines), (*reopen, *urgent, *await elsewhere.rows(turn, ticket)), ticket=ticket.id)


async def queue(turn: Turn) -> Message:
    found = await queries.queue(turn.tx, turn.actor, limit=SHOWN + 1)
    return await _work_list(turn, found, "queue", queries.waiting(turn.actor), none="list.none_queue")


async def mine(turn: Turn) -> Message:
    found = await queries.owned(turn.tx, turn.person.id, limit=SHOWN + 1)
    return await _work_list(turn, found, "mine", queries.owned_by(turn.person.id), none="list.none_owned")


async def one(turn: Turn, ticket: Ticket) -> Message:
    """The one ticket that was asked for by its number."""
    lines = await work_lines(turn, [ticket])
    title = Paragraph(Words("list.found", count=1), "strong")
    return Message((title, *lines), tuple(take_rows(turn, [ticket])), ticket=ticket.id)


async def _work_list(
    turn: Turn, tickets: Sequence[Ticket], name: str, which: queries.Which, *, none: str
) -> Message:
    if not tickets:
        return Message((Paragraph(Words(none)),))
    title = await _title(turn, name, which, len(tickets))
    shown = tickets[:SHOWN]
    return Message((title, *await work_lines(turn, shown)), tuple(take_rows(turn, shown)))


async def work_lines(turn: Turn, tickets: Sequence[Ticket]) -> list[Paragraph]:
    """A line each: how urgent, which number, where it stands, who is on it, what it is about."""
    lines = []
    for ticket in tickets:
        owner = await story.name(turn.tx, ticket.owner) if ticket.owner else Words("name.nobody")
        state = Several((phrases.status(ticket.status), owner), ", ")
        mark = phrases.MARKS[ticket.priority]
        lines.append(Paragraph(Several((Plain(f"{mark} #{ticket.id}"), state, Plain(ticket.title)), " · ")))
    return lines


def take_rows(turn: Turn, tickets: Sequence[Ticket]) -> list[tuple[Choice, ...]]:
    """Tickets that are nobody's can be taken from the list by whoever serves their queue."""
    free = [
        ticket
        for ticket in tickets
        if ticket.owner is None and ticket.status is Status.NEW and turn.person.serves(ticket.queue)
    ][:6]
    buttons = [
        Choice(codes.code("t", "take", ticket.id), Words("button.take_number", {"ticket": ticket.id}))
        for ticket in free
    ]
    return [tuple(buttons[place : place + 3]) for place in range(0, len(buttons), 3)]


async def timeline(turn: Turn, ticket: Ticket, before: int | None = None) -> Message:
    """What happened to the ticket: when, who, from where; the newest, or those before that place.

    Raises UserError for a place that no page begins at."""
    events = await ticket_store.timeline(turn.tx, ticket.id)
    end = len(events) if before is None else before
    if not 0 < end <= len(events):
        raise UserError("press.stale")
    begin = max(end - LONGEST, 0)
    lines = [Paragraph(phrases.heading(ticket), "strong")]
    for event in events[begin:end]:
        told = await story.line(turn.tx, event.kind, event.actor, event.via, event.facts, whole=True)
        when, where = At(event.at), phrases.via(event.via)
        lines.append(Paragraph(Words("timeline.line", {"at": when, "what": told, "via": where}), "quiet"))
    earlier = phrases.button(codes.code("t", "earlier", ticket.id, begin), "button.earlier")
    return Message(tuple(lines), ((earlier,),) if begin else (), ticket=ticket.id)
