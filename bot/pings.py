"""Pings: who is asked to act reads why now, what to do, and what comes next; later, what became of it."""

from collections.abc import Mapping, Sequence
from datetime import timedelta

from bot import codes
from bot.flows import phrases, story, work
from bot.flows.forms import form
from bot.message import (
    At,
    Block,
    Call,
    Choice,
    Fact,
    Facts,
    Message,
    Paragraph,
    Plain,
    Several,
    Span,
    Text,
    Words,
)
from core.database.transaction import Transaction
from core.escalation import actions as escalation
from core.escalation import store, whom
from core.escalation.model import EMERGENCY, Of, Ping, Policies
from core.kernel.ids import PersonId, PingId, TicketId
from core.oncall import queries as oncall
from core.outbox import store as posts
from core.outbox.model import Parcel
from core.people import store as people
from core.sla import queries as sla
from core.tickets import store as tickets
from core.tickets.catalogue import Catalogue, Priority
from core.tickets.model import Ticket

INSTANT = timedelta(seconds=1)
LATE = timedelta(minutes=1)
"""What comes later than that says so."""
LINES = 10
"""So many tickets are told of in one message; of more it says how many."""
ACTED_ON = 6
"""So many of them have buttons."""
Rows = tuple[tuple[Choice, ...], ...]


async def compose(tx: Transaction, parcel: Parcel) -> Message | None:
    """What somebody is asked, about one ticket or about several at once, as things stand now."""
    asked = await store.together(tx, PingId(parcel.facts["ping"]))
    call = parcel.facts.get("call")
    if call is not None:
        asked = [each for each in asked if each.ticket == parcel.ticket]
    if not asked:
        return None
    still = [each for each in asked if each.answer is None or (call and each.answer == "undelivered")]
    if not still and not (parcel.uncertain or await posts.posts_of_slot(tx, parcel.slot or "")):
        return None
    if asked[0].by_program:
        return await _for_program(tx, asked[0])
    again = await _asked_again(tx, parcel, asked)
    if len({each.ticket for each in asked}) > 1:
        return await _several(tx, asked, again)
    if not still or asked[-1].ticket in again:
        return await _over(tx, asked[-1], again.get(asked[-1].ticket))
    return await _one(tx, still, await _called(tx, call))


async def _asked_again(tx: Transaction, parcel: Parcel, asked: Sequence[Ping]) -> Mapping[TicketId, Ping]:
    """About which of the tickets a later message asks the same person, once this one has been read."""
    person = asked[0].person
    if person is None or "call" in parcel.facts or not await posts.posts_of_slot(tx, parcel.slot or ""):
        return {}
    return await store.asked_again(tx, person, asked)


async def _called(tx: Transaction, person: int | None) -> Call | None:
    if person is None:
        return None
    named = await people.get(tx, PersonId(person))
    return Call(named.name, tuple(str(each) for each in await people.identities_of(tx, named.id)))


# ---- about one ticket


async def _one(tx: Transaction, asked: Sequence[Ping], call: Call | None) -> Message:
    ping = next((each for each in asked if each.policy == EMERGENCY), asked[-1])
    ticket = await tickets.get(tx, ping.ticket)
    blocks: list[Block] = [
        Paragraph(Several((Plain("⏰"), phrases.heading(ticket)), " "), "strong"),
        Paragraph(await _why(tx, ticket, ping)),
    ]
    late = max(each.sent_at - each.due_at for each in asked)
    if late > LATE:
        blocks.append(Paragraph(Words("ping.late", {"span": Span(late)}), "strong"))
    if asks := await _question(tx, ticket, ping):
        blocks.append(Paragraph(asks, "strong"))
    told = [await _on_call(tx, ticket, ping), await _next(tx, ticket, ping.person)]
    if any(told):
        blocks.append(Paragraph(Several(tuple(each for each in told if each), " "), "quiet"))
    rows = await _rows(tx, ticket, _asks(tx, ping))
    return Message(tuple(blocks), rows, tone="ping", ticket=ticket.id, call=call)


def _asks(tx: Transaction, ping: Ping) -> Of | None:
    step = tx.rule(Policies).step_of(ping)
    return step.of if step is not None else None


async def _rows(tx: Transaction, ticket: Ticket, of: Of | None = None, done: str | None = None) -> Rows:
    """What can be done about it, but for what has just been `done`."""
    staff = await people.staff(tx)
    number = ticket.id
    first = [Choice(codes.code("t", "take", number), Words("button.take"), style="primary")]
    if ticket.owner is not None:
        first = []
        if of is Of.NO_PROGRESS:
            still = Choice(codes.code("t", "still", number), Words("button.still"), style="primary")
            release = work.form_button("release", "button.release", number, form("release", ticket, staff))
            first = [still, release]
    quiet = {
        "promised": phrases.button(codes.code("t", "onit", number), "button.onit"),
        "snoozed": phrases.button(codes.code("t", "snooze", number), "button.snooze_now"),
    }
    left = [choice for kind, choice in quiet.items() if kind != done and of is not Of.NO_PROGRESS]
    to = work.form_button("pass", "button.pass", number, form("pass", ticket, staff))
    return ((*first, *left, to),)


async def _why(tx: Transaction, ticket: Ticket, ping: Ping) -> Text:
    """How pressing it is, how long it has waited, and what falls due."""
    reasons: list[Text] = [phrases.priority(ticket.priority)]
    if ticket.unclaimed_since is not None:
        reasons.append(_since("unclaimed", tx.now - ticket.unclaimed_since))
    elif _asks(tx, ping) is Of.NO_PROGRESS and ticket.progress_at is not None:
        reasons.append(_since("no_progress", tx.now - ticket.progress_at))
    elif ticket.unanswered_since is not None:
        reasons.append(_since("unanswered", tx.now - ticket.unanswered_since))
    clock = await sla.next_due(tx, ticket)
    if clock is not None:
        late = "_late" if clock.due_at <= tx.now - INSTANT else ""
        reasons.append(_since(f"due_{clock.target}{late}", abs(clock.due_at - tx.now)))
    return Several(tuple(reasons), ", ")


def _since(what: str, length: timedelta) -> Words:
    """For how long it has been so, or until it will; what is so only just now has no length."""
    return Words(f"ping.{what}", {"span": Span(length)}) if length >= INSTANT else Words(f"ping.{what}_now")


async def _question(tx: Transaction, ticket: Ticket, ping: Ping) -> Words | None:
    if ping.policy == EMERGENCY:
        return Words("ping.emergency", {"name": await story.name(tx, ticket.requester)})
    asks_owner = ticket.owner is not None and ping.person == ticket.owner
    return Words("ping.still") if _asks(tx, ping) is Of.NO_PROGRESS and asks_owner else None


async def _on_call(tx: Transaction, ticket: Ticket, ping: Ping) -> Words | None:
    """Why it is this person who is asked: they are on call, and until when."""
    if ping.person is None:
        return None
    until = await oncall.until(tx, ticket.queue, ping.person)
    if until is None:
        return None
    queue = phrases.titled(tx.rule(Catalogue).queue(ticket.queue).title)
    if until - tx.now >= oncall.LOOK_AHEAD:
        return Words("ping.on_call_always", {"queue": queue})
    return Words("ping.on_call", {"queue": queue, "at": At(until)})


async def _next(tx: Transaction, ticket: Ticket, reader: PersonId | None) -> Words | None:
    """What happens if nobody does anything; whoever reads it is not named to themselves."""
    coming = sorted(await escalation.coming(tx, ticket), key=lambda due: due[3])
    policy = tx.rule(Policies).of(ticket)
    if not coming or policy is None:
        return None
    due, step = coming[0], policy.steps[coming[0][0]]
    facts: dict[str, Fact] = {"at": At(due[3])}
    if step.release:
        return Words("ping.next_release", facts)
    if not step.whom:
        return Words("ping.next_level", {**facts, "level": str(step.level)})
    found = [each for each in await whom.targets(tx, ticket, step, due[2], due[3]) if each.person]
    if [each.person for each in found] == [reader]:
        return Words("ping.next_you", facts)
    names = Several(tuple(Plain(each.name) for each in found), ", ") if found else None
    return Words("ping.next_who", {**facts, "names": names}) if names else Words("ping.next", facts)


async def _over(tx: Transaction, ping: Ping, again: Ping | None) -> Message:
    """Who did what, and what is left to do; or that it was asked again."""
    ticket = await tickets.get(tx, ping.ticket)
    rows: Rows = ()
    chain = await store.chain(tx, ticket.id)
    if again is None and chain.quiet_until is not None and chain.quiet_kind == ping.answer:
        rows = await _rows(tx, ticket, done=ping.answer)
    heading = Several((Plain("⏰"), phrases.heading(ticket)), " ")
    blocks = (Paragraph(heading, "quiet"), Paragraph(await _what_became(tx, ping, again), "quiet"))
    return Message(blocks, rows, tone="ping", ticket=ticket.id, over=True)


async def _what_became(tx: Transaction, ping: Ping, again: Ping | None = None) -> Words:
    if ping.answer is None and again is not None:
        return Words("ping.again", {"at": At(again.sent_at, "clock")})
    facts: dict[str, Fact] = {
        "name": await story.name(tx, ping.answered_by),
        "at": At(ping.answered_at) if ping.answered_at else Plain(""),
        "via": phrases.via(ping.answered_via or "desk"),
    }
    chain = await store.chain(tx, ping.ticket)
    if chain.quiet_until is not None and chain.quiet_kind == ping.answer:
        return Words(f"ping.{ping.answer}_until", {**facts, "until": At(chain.quiet_until)})
    if ping.answer == "released" and ping.answered_by is None:
        return Words("ping.released_by_itself", facts)
    return Words(f"ping.{ping.answer}", facts)


# ---- about several at once


async def _several(tx: Transaction, asked: Sequence[Ping], again: Mapping[TicketId, Ping]) -> Message:
    """One line for each ticket, the open and pressing ones first and with what can be done at once."""
    last = {ping.ticket: ping for ping in asked}
    unanswered = [ping for ping in last.values() if ping.answer is None]
    still = await _pressing_first(tx, [ping for ping in unanswered if ping.ticket not in again])
    rest = [ping for ping in last.values() if ping.answer is not None or ping.ticket in again]
    over = Words("ping.several_again" if unanswered else "ping.several_over")
    heading = Words("ping.several", count=len(still)) if still else over
    blocks: list[Block] = [Paragraph(Several((Plain("⏰"), heading), " "), "strong")]
    for ping in still[:LINES]:
        blocks.append(Paragraph(await _line(tx, ping, await _why_of(tx, ping))))
    if len(still) > LINES:
        blocks.append(Paragraph(Words("ping.several_more", count=len(still) - LINES), "quiet"))
    for ping in rest[: max(LINES - len(still), 0)]:
        blocks.append(
            Paragraph(await _line(tx, ping, await _what_became(tx, ping, again.get(ping.ticket))), "quiet")
        )
    rows = [await _acts(tx, ping) for ping in still[:ACTED_ON]]
    return Message(tuple(blocks), tuple(rows), tone="ping", over=not still)


async def _pressing_first(tx: Transaction, asked: Sequence[Ping]) -> list[Ping]:
    priorities = [(await tickets.get(tx, ping.ticket)).priority for ping in asked]
    order = list(Priority)
    ranked = sorted(zip(priorities, asked, strict=True), key=lambda each: order.index(each[0]))
    return [ping for _, ping in ranked]


async def _line(tx: Transaction, ping: Ping, told: Text) -> Text:
    ticket = await tickets.get(tx, ping.ticket)
    heading = Several((Plain(phrases.MARKS[ticket.priority]), phrases.heading(ticket)), " ")
    return Several((heading, told), ": ")


async def _why_of(tx: Transaction, ping: Ping) -> Text:
    return await _why(tx, await tickets.get(tx, ping.ticket), ping)


async def _acts(tx: Transaction, ping: Ping) -> tuple[Choice, ...]:
    ticket = await tickets.get(tx, ping.ticket)
    number = ticket.id
    named: dict[str, Fact] = {"ticket": number}
    on_it = Choice(codes.code("t", "onit", number), Words("button.onit_number", named))
    if _asks(tx, ping) is Of.NO_PROGRESS and ticket.owner is not None:
        return (Choice(codes.code("t", "still", number), Words("button.still_number", named)),)
    if ticket.owner is not None:
        return (on_it,)
    take = Choice(codes.code("t", "take", number), Words("button.take_number", named), style="primary")
    return (take, on_it)


# ---- for programs


async def _for_program(tx: Transaction, ping: Ping) -> Message:
    """What a program is told: names and values of the desk, and a sentence for whoever reads it."""
    ticket = await tickets.get(tx, ping.ticket)
    step = tx.rule(Policies).step_of(ping)
    values = {
        "answer": ping.answer or "",
        "created_at": ticket.created_at.isoformat(),
        "level": ticket.level,
        "of": step.of if step is not None else EMERGENCY,
        "owner": (await people.get(tx, ticket.owner)).name if ticket.owner else "",
        "policy": ping.policy,
        "priority": ticket.priority,
        "queue": ticket.queue,
        "status": ticket.status,
        "ticket": str(ticket.id),
        "title": ticket.title,
        "type": ticket.type,
    }
    told = await (_why(tx, ticket, ping) if ping.answer is None else _what_became(tx, ping))
    sentence = Several((phrases.heading(ticket), told), ": ")
    rows = tuple((Plain(name), Plain(str(value))) for name, value in values.items())
    over = ping.answer is not None
    return Message((Paragraph(sentence), Facts(rows)), tone="ping", ticket=ticket.id, over=over)
