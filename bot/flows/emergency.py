"""It cannot wait: whoever asks is told whom that calls, and confirms; for a minute it can wait after all."""

from collections.abc import Sequence
from datetime import datetime

from bot import codes
from bot.flows import phrases, story
from bot.flows.turn import Turn
from bot.incoming import Pressed
from bot.message import At, Choice, Fact, Message, Paragraph, Plain, Several, Text, Words
from core.database.transaction import Transaction
from core.kernel.errors import UserError
from core.kernel.events import Event
from core.kernel.ids import PersonId, TicketId
from core.oncall import queries as oncall
from core.outbox import store as posts
from core.outbox.model import Parcel
from core.people import store as people
from core.people.model import Actor
from core.sla import queries as sla
from core.tickets import doors, emergencies
from core.tickets import store as tickets
from core.tickets.catalogue import Catalogue
from core.tickets.model import Ticket

Rows = tuple[tuple[Choice, ...], ...]


async def rows(tx: Transaction, actor: Actor, ticket: Ticket) -> Rows:
    """The button, where and while it is offered to them."""
    rule = tx.rule(Catalogue).emergencies
    if not rule.enabled or not await emergencies.possible(tx, actor, ticket):
        return ()
    if not rule.always and not await sla.closed(tx, ticket):
        return ()
    return ((Choice(codes.code("e", "ask", ticket.id), Words("button.emergency")),),)


async def rows_for(tx: Transaction, person: PersonId | None, ticket: Ticket) -> Rows:
    """The same for whom a parcel goes to."""
    if person is None or not tx.rule(Catalogue).emergencies.enabled:
        return ()
    return await rows(tx, Actor(await people.get(tx, person), "desk"), ticket)


async def command(turn: Turn, number: TicketId, rest: str) -> None:
    await _ask(turn, number)


async def pressed(turn: Turn, words: Sequence[str]) -> None:
    """The button, an answer to the question, or the way back."""
    match list(words):
        case ["ask", number]:
            await _ask(turn, TicketId(int(number)))
        case ["yes", number]:
            await _raise(turn, TicketId(int(number)))
        case ["no", number]:
            ticket = await doors.seen(turn.tx, turn.actor, TicketId(int(number)))
            await _settle(turn, ticket, "emergency.not_raised")
        case ["calm", number]:
            await emergencies.calm(turn.tx, turn.actor, TicketId(int(number)))
        case _:
            raise UserError("press.stale")


async def _ask(turn: Turn, number: TicketId) -> None:
    ticket = await _checked(turn, number)
    yes = Choice(codes.code("e", "yes", number), Words("button.call"), style="primary")
    no = Choice(codes.code("e", "no", number), Words("button.no"))
    question = (Paragraph(phrases.heading(ticket), "quiet"), Paragraph(await _question(turn.tx, ticket)))
    there = await turn.beside(ticket)
    slot = f"emergency?:{number}:{turn.tx.now.isoformat()}"
    await there.tell(Message(question, ((yes, no),), ticket=number), slot=slot)


async def _question(tx: Transaction, ticket: Ticket) -> Text:
    """Whom it calls, by name where somebody is on call."""
    ready = await oncall.on_call(tx, ticket.queue, ticket.level)
    return Words(
        "emergency.ask" if ready else "emergency.ask_team", _called(tx, ticket, [p.name for p in ready])
    )


def _called(tx: Transaction, ticket: Ticket, names: Sequence[str]) -> dict[str, Fact]:
    team = phrases.titled(tx.rule(Catalogue).queue(ticket.queue).title)
    return {"names": Several(tuple(map(Plain, names)), ", "), "queue": team, "ticket": ticket.id}


async def _checked(turn: Turn, number: TicketId) -> Ticket:
    """The ticket. Raises UserError where no emergency can be raised now."""
    rule = turn.catalogue.emergencies
    if not rule.enabled:
        raise UserError("emergency.off")
    ticket = await emergencies.check(turn.tx, turn.actor, number)
    if not rule.always and not await sla.closed(turn.tx, ticket):
        clock = await sla.reply_clock(turn.tx, ticket)
        if clock is not None:
            raise UserError("emergency.open", at=clock.due_at)
        raise UserError("emergency.open_now")
    return ticket


async def _raise(turn: Turn, number: TicketId) -> None:
    ticket = await _checked(turn, number)
    await _settle(turn, ticket, "button.call")
    await emergencies.raise_emergency(turn.tx, turn.actor, number)


async def _settle(turn: Turn, ticket: Ticket, key: str) -> None:
    """The question stays with its answer and without its buttons."""
    what = turn.incoming.what
    asked = what.message if isinstance(what, Pressed) else None
    post = await posts.at(turn.tx, turn.room, asked) if asked is not None else None
    if post is None or post.slot is None:
        return
    question = await _question(turn.tx, ticket)
    closed = (Paragraph(question, "quiet"), Paragraph(Words(key), "strong"))
    await turn.tell(Message(closed, ticket=ticket.id), slot=post.slot)


async def told(tx: Transaction, parcel: Parcel) -> Message | None:
    """To those who ask: who is called, with the way back for a minute; then that it was taken back."""
    assert parcel.ticket is not None
    ticket = await tickets.get(tx, parcel.ticket)
    timeline = await tickets.timeline(tx, ticket.id)
    place = next((at for at, each in enumerate(timeline) if _is_it(each, parcel)), None)
    if place is None:
        return None
    event = timeline[place]
    after = [each for each in timeline[place + 1 :] if each.kind in ("emergency", "calmed")]
    names = parcel.facts["names"]
    facts = {**_called(tx, ticket, names), "name": await story.name(tx, event.actor)}
    if after and after[0].kind == "calmed":
        facts["priority"] = phrases.priority(after[0].facts["priority"])
        return Message((Paragraph(Words("told.calmed", facts)),), ticket=ticket.id)
    lines = [Paragraph(Words("told.emergency" if names else "told.emergency_team", facts), "strong")]
    if event.actor != parcel.person:
        lines.insert(0, Paragraph(Words("told.emergency_by", facts)))
    calm = Choice(codes.code("e", "calm", ticket.id), Words("button.calm"))
    undo = event.actor == parcel.person and tx.now <= emergencies.until(event) and not after
    return Message(tuple(lines), ((calm,),) if undo else (), ticket=ticket.id)


def _is_it(event: Event, parcel: Parcel) -> bool:
    return event.kind == "emergency" and event.at == datetime.fromisoformat(parcel.facts["at"])


async def hint(tx: Transaction, ticket: Ticket, offered: Rows) -> list[Paragraph]:
    """How to raise one, where the desk is closed and it is offered."""
    if not offered or not await sla.closed(tx, ticket):
        return []
    return [Paragraph(Words("told.emergency_hint", {"ticket": ticket.id}), "quiet")]


async def answer_by(tx: Transaction, ticket: Ticket) -> tuple[str, dict[str, Fact]]:
    """How the sentence that tells by when somebody answers goes on in its key, and its facts: nothing where
    nobody waits; in working time, or when that begins, where it is not always."""
    clock = await sla.reply_clock(tx, ticket)
    if clock is None:
        return "_undated", {}
    calendar, facts = clock.promise.calendar, {"at": At(clock.due_at)}
    if calendar.week is None:
        return "", {**facts}
    if calendar.is_open(tx.now):
        return "_hours", {**facts}
    return "_closed", {**facts, "opens": At(calendar.open_at(tx.now))}
