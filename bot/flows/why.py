"""`/why 42`: how each due time of a ticket came about, and what would become of it."""

from collections.abc import Sequence
from datetime import timedelta

from bot.flows import phrases, weighing
from bot.flows.turn import Turn
from bot.message import At, Fact, Message, Paragraph, Plain, Span, Text, Words
from core.kernel.ids import TicketId
from core.people.model import Right
from core.sla import explain
from core.sla.explain import Working
from core.sla.model import Clock, Promises
from core.tickets import doors
from core.tickets.catalogue import Priority
from core.tickets.model import Ticket


async def explained(turn: Turn, number: TicketId, rest: str) -> None:
    """Each promise with its working: since when, what took no time, how much is left, when it is due."""
    ticket = await doors.allowed(turn.tx, turn.actor, number, Right.WORK)
    lines = [Paragraph(phrases.heading(ticket), "strong"), Paragraph(await weighing.why(turn, ticket))]
    found = await explain.workings(turn.tx, ticket)
    for working in found:
        lines += _lines(turn, working)
    lines += _what_if(turn, ticket, [each for each in found if each.clock.met_at is None])
    await turn.tell(Message(tuple(lines), ticket=ticket.id))


def _lines(turn: Turn, working: Working) -> list[Paragraph]:
    clock = working.clock
    facts: dict[str, Fact] = {
        "target": Words(f"why.{clock.target}"),
        "length": _time(clock.promise.length, clock),
        "calendar": _calendar(clock.promise.calendar.name),
        "since": At(clock.started_at),
    }
    lines = [Paragraph(Words("why.promise", facts), "strong")]
    for since, over, taken in working.pauses:
        told: dict[str, Fact] = {"since": At(since), "span": _time(taken, clock)}
        key = "why.paused" if over is None else "why.pause"
        lines.append(
            Paragraph(Words(key, told | ({"until": At(over, after=since)} if over else {})), "quiet")
        )
    return [*lines, Paragraph(_state(turn, working), "quiet")]


def _time(length: timedelta, clock: Clock) -> Span:
    return Span(length, working=clock.promise.calendar.name != "always")


def _calendar(name: str) -> Text:
    return Words("why.always") if name == "always" else Words("why.calendar", {"name": Plain(name)})


def _state(turn: Turn, working: Working) -> Words:
    clock = working.clock
    facts: dict[str, Fact] = {
        "spent": _time(working.spent, clock),
        "left": _time(abs(working.left), clock),
    }
    late = "_late" if working.left < timedelta(0) else ""
    if clock.met_at is not None:
        return Words(f"why.met{late}", {**facts, "at": At(clock.met_at)})
    if clock.paused_at is not None:
        return Words(f"why.stands{late}", facts)
    return Words(f"why.due{late}", {**facts, "at": At(clock.due_at)})


def _what_if(turn: Turn, ticket: Ticket, open_still: Sequence[Working]) -> list[Paragraph]:
    """If it waited for the requester, and with each other priority."""
    if not open_still:
        return []
    next_due = min(open_still, key=lambda working: working.clock.due_at)
    lines = [Paragraph(Words("why.if"), "strong")]
    if next_due.clock.paused_at is None and next_due.left > timedelta(0):
        lines.append(
            Paragraph(Words("why.if_waiting", {"left": _time(next_due.left, next_due.clock)}), "quiet")
        )
    for priority in Priority:
        if priority is not ticket.priority:
            due = explain.as_priority(turn.tx.rule(Promises), ticket, next_due.clock, priority)
            told: dict[str, Fact] = {"priority": phrases.priority(priority), "at": At(due)}
            lines.append(Paragraph(Words("why.if_priority", told), "quiet"))
    return lines
