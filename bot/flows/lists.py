"""Short lists: my tickets, the queue, what I am on, what was found, one ticket's state and its story."""

from collections.abc import Sequence

from bot import codes
from bot.flows import phrases, story
from bot.flows.turn import Turn
from bot.message import At, Choice, Fact, Message, Paragraph, Plain, Several, Text, Words
from core.people import store as people
from core.sla import queries as sla
from core.tickets import queries
from core.tickets import store as ticket_store
from core.tickets.model import Status, Ticket

LONGEST = 40


async def my(turn: Turn) -> Message:
    """The requester's tickets, with state and whose turn it is."""
    found = await queries.of_requester(turn.tx, turn.person.id)
    if not found:
        return Message((Paragraph(Words("list.none_mine")),))
    lines = [Paragraph(Words("list.my", count=len(found)), "strong")]
    lines += [Paragraph(_line(ticket, Words(f"turn.{ticket.status}"))) for ticket in found]
    return Message(tuple(lines))


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
        lines.append(Paragraph(Words("status.owner", {"name": owner})))
    if (due := await sla.reply_by(turn.tx, ticket)) is not None:
        lines.append(Paragraph(Words("status.reply_by", {"at": At(due)})))
    own = ticket.requester == turn.person.id
    reopen: tuple[tuple[Choice, ...], ...] = (
        ((phrases.button(codes.code("r", "reopen", ticket.id), "button.reopen"),),)
        if own and ticket.status in (Status.RESOLVED, Status.CLOSED)
        else ()
    )
    return Message(tuple(lines), reopen, ticket=ticket.id)


async def queue(turn: Turn) -> Message:
    return await _work_list(turn, await queries.queue(turn.tx, turn.actor), "list.queue", "list.none_queue")


async def mine(turn: Turn) -> Message:
    return await _work_list(
        turn, await queries.owned(turn.tx, turn.person.id), "list.mine", "list.none_owned"
    )


async def find(turn: Turn, words: str) -> Message:
    return await _work_list(
        turn, await queries.find(turn.tx, turn.actor, words), "list.found", "list.none_found"
    )


async def _work_list(turn: Turn, tickets: Sequence[Ticket], title: str, none: str) -> Message:
    if not tickets:
        return Message((Paragraph(Words(none)),))
    lines = [Paragraph(Words(title, count=len(tickets)), "strong")]
    for ticket in tickets:
        owner = await story.name(turn.tx, ticket.owner) if ticket.owner else Words("name.nobody")
        state = Several((phrases.status(ticket.status), owner), ", ")
        mark = phrases.MARKS[ticket.priority]
        lines.append(Paragraph(Several((Plain(f"{mark} #{ticket.id}"), state, Plain(ticket.title)), " · ")))
    return Message(tuple(lines), tuple(_take_rows(tickets)))


def _take_rows(tickets: Sequence[Ticket]) -> list[tuple[Choice, ...]]:
    """Tickets that are nobody's can be taken from the list."""
    free = [ticket for ticket in tickets if ticket.owner is None and ticket.status is Status.NEW][:6]
    buttons = [
        Choice(codes.code("t", "take", ticket.id), Words("button.take_number", {"ticket": ticket.id}))
        for ticket in free
    ]
    return [tuple(buttons[place : place + 3]) for place in range(0, len(buttons), 3)]


async def timeline(turn: Turn, ticket: Ticket) -> Message:
    """Everything that happened to the ticket: when, who, from where."""
    events = (await ticket_store.timeline(turn.tx, ticket.id))[-LONGEST:]
    lines = [Paragraph(phrases.heading(ticket), "strong")]
    for event in events:
        told = await story.line(turn.tx, event.kind, event.actor, event.via, event.facts)
        when, where = At(event.at), phrases.via(event.via)
        lines.append(Paragraph(Words("timeline.line", {"at": when, "what": told, "via": where}), "quiet"))
    return Message(tuple(lines), ticket=ticket.id)
