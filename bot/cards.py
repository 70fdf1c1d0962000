"""The card: the one live message of a ticket in a staff space."""

from typing import Literal

from bot import codes
from bot.flows import company, merging, phrases, questions, references, story, work
from bot.flows.forms import form
from bot.message import (
    At,
    Choice,
    Fact,
    Facts,
    Message,
    Paragraph,
    Plain,
    Quote,
    Several,
    Text,
    Words,
)
from core.database.transaction import Transaction
from core.escalation import store as escalation
from core.feedback import store as feedback
from core.files import store as files
from core.kernel import text as texts
from core.kernel.ids import Address
from core.people import store as people
from core.people.model import Members, Person
from core.sla import queries as sla
from core.tickets import store as tickets
from core.tickets.catalogue import Catalogue, Question
from core.tickets.model import Answer, Said, Status, Ticket

QUOTED = 300


async def card(tx: Transaction, ticket: Ticket) -> Message:
    """The ticket as it is now, with what can be done to it now."""
    first = await tickets.first_message(tx, ticket.id)
    blocks = [
        Paragraph(Plain(f"{_mark(ticket)} #{ticket.id} {ticket.title}"), "title"),
        Paragraph(_sort(tx.rule(Catalogue), ticket), "quiet"),
        Paragraph(await _from(tx, ticket), "quiet"),
        Paragraph(await _state(tx, ticket)),
        *await company.lines(tx, ticket),
        *await merging.lines(tx, ticket),
        *await _words(tx, ticket, first),
        *await _where(tx, ticket, first),
        *_answers(tx, ticket),
        *await _notices(tx, ticket),
    ]
    staff = await people.staff(tx)
    return Message(
        tuple(blocks),
        buttons(ticket, staff),
        tone="card",
        ticket=ticket.id,
        over=ticket.status is Status.CLOSED,
    )


def _mark(ticket: Ticket) -> str:
    return {Status.RESOLVED: "✅", Status.CLOSED: "☑️"}.get(ticket.status, phrases.MARKS[ticket.priority])


def _sort(catalogue: Catalogue, ticket: Ticket) -> Text:
    kind = phrases.type_title(catalogue, ticket.type)
    status = phrases.status(ticket.status)
    return Several((phrases.priority(ticket.priority), kind, Plain(ticket.level), status))


async def _from(tx: Transaction, ticket: Ticket) -> Text:
    requester = await people.get(tx, ticket.requester)
    name: Text = Plain(requester.name)
    if await _vip(tx, ticket, requester):
        name = Several((name, Words("card.vip")), " ")
    platform = phrases.via(ticket.home.partition(":")[0])
    return Several((name, platform, At(ticket.created_at)))


async def _vip(tx: Transaction, ticket: Ticket, requester: Person) -> bool:
    """Whether a VIP asks, or has reported it for somebody else."""
    if requester.vip or not any(member.vip for member in tx.rule(Members).all):
        return requester.vip
    return bool((await tickets.opening(tx, ticket.id)).facts.get("vip"))


async def _state(tx: Transaction, ticket: Ticket) -> Text:
    owner = await story.name(tx, ticket.owner) if ticket.owner else Words("name.nobody")
    parts: list[Text] = [Words("card.owner", {"name": owner})]
    clock = await sla.next_due(tx, ticket)
    if clock is not None:
        late = "_late" if clock.due_at <= tx.now else ""
        parts.append(Words(f"card.due_{clock.target}{late}", {"at": At(clock.due_at)}))
    if ticket.status is Status.WAITING:
        parts.append(Words("card.waiting"))
    if ticket.hold_until is not None:
        parts.append(Words("card.hold_until", {"at": At(ticket.hold_until)}))
    return Several(tuple(parts))


async def _words(tx: Transaction, ticket: Ticket, first: Said) -> list[Quote | Paragraph]:
    quoted = texts.shorten(first.text, QUOTED)
    lines: list[Quote | Paragraph] = [] if quoted == ticket.title else [Quote(Plain(quoted))]
    spaces = tx.rule(Catalogue).queue(ticket.queue).spaces
    lines += await references.for_staff(tx, first.text, spaces, ticket.id)
    if count := await _brought(tx, ticket):
        lines.append(Paragraph(Words("card.files", count=count), "quiet"))
    if ticket.resolution and ticket.status in (Status.RESOLVED, Status.CLOSED):
        lines.append(Paragraph(Words("card.resolution", {"text": Plain(ticket.resolution)})))
    return lines


async def _brought(tx: Transaction, ticket: Ticket) -> int:
    """How many files the requester has sent."""
    kept = await files.of_ticket(tx, ticket.id)
    said = await tickets.messages_of(tx, ticket.id) if kept else []
    own = {each.id for each in said if each.kind == "request" and each.withdrawn_at is None}
    return sum(file.message in own for file in kept)


async def _where(tx: Transaction, ticket: Ticket, first: Said) -> list[Paragraph]:
    """Back to the words the ticket was made of, where they were said among others."""
    if first.room is None or first.room == str(Address.parse(ticket.home).space):
        return []
    where = (await tickets.opening(tx, ticket.id)).facts.get("where")
    return [Paragraph(Words("card.said_in", {"where": Plain(where)}))] if where else []


def _answers(tx: Transaction, ticket: Ticket) -> list[Facts]:
    """What was asked and answered; a story is told in full below the card."""
    rows = [(_asked(tx, ticket, answer), _brief(tx, ticket, answer)) for answer in ticket.answers]
    return [Facts(tuple(rows))] if rows else []


def long_answers(tx: Transaction, ticket: Ticket) -> list[Paragraph | Quote]:
    """The answers that are too long for the card, in full."""
    return [
        block
        for answer in ticket.answers
        if len(answer.text) > QUOTED
        for block in (Paragraph(_asked(tx, ticket, answer), "strong"), Quote(Plain(answer.text)))
    ]


def _brief(tx: Transaction, ticket: Ticket, answer: Answer) -> Text:
    if len(answer.text) > QUOTED:
        return Plain(texts.shorten(answer.text, QUOTED))
    return questions.answer_text(_question(tx, ticket, answer), answer)


def _asked(tx: Transaction, ticket: Ticket, answer: Answer) -> Text:
    question = _question(tx, ticket, answer)
    return phrases.titled(question.text) if question else Plain(answer.question)


def _question(tx: Transaction, ticket: Ticket, answer: Answer) -> Question | None:
    kind = tx.rule(Catalogue).types.get(ticket.type)
    known = {question.name: question for question in kind.questions} if kind else {}
    return known.get(answer.question)


async def _notices(tx: Transaction, ticket: Ticket) -> list[Paragraph]:
    """Pings and their answers, a promise or a snooze, the rating."""
    lines = []
    pings = [ping for ping in await escalation.of_ticket(tx, ticket.id) if ping.person is not None]
    if pings:
        newest = {ping.person: ping for ping in pings}
        last = sorted(newest.values(), key=lambda ping: ping.id)[-3:]
        told = [
            Words("card.ping", {"name": await story.name(tx, ping.person), "at": At(ping.sent_at)})
            for ping in last
        ]
        lines.append(Paragraph(Several((Plain("⏰"), Several(tuple(told), ", ")), " "), "quiet"))
    chain = await escalation.chain(tx, ticket.id)
    if chain.quiet_until is not None and ticket.status in (Status.NEW, Status.OPEN):
        facts: dict[str, Fact] = {
            "name": await story.name(tx, chain.quiet_by),
            "at": At(chain.quiet_until),
        }
        lines.append(Paragraph(Words(f"card.{chain.quiet_kind}", facts), "quiet"))
    stars = await feedback.stars(tx, ticket.id)
    if stars is not None:
        lines.append(Paragraph(Words("card.rating", {"stars": stars}), "quiet"))
    return lines


def buttons(ticket: Ticket, staff: list[Person]) -> tuple[tuple[Choice, ...], ...]:
    """What can be done in the ticket's status; the rarer things under "More"."""
    number = ticket.id

    def opening(name: str, *, menu: bool = False) -> Choice:
        return work.form_button(name, f"button.{name}", number, form(name, ticket, staff), menu=menu)

    def plain(verb: str) -> Choice:
        style: Literal["primary", "normal"] = "primary" if verb == "take" else "normal"
        return Choice(codes.code("t", verb, number), Words(f"button.{verb}"), style=style)

    if ticket.merged_into is not None:
        unmerge = Choice(codes.code("g", "unmerge", number), Words("button.unmerge"))
        return ((unmerge, opening("note")),)
    if ticket.status is Status.CLOSED:
        return ((plain("reopen"), opening("note")),)
    if ticket.status is Status.RESOLVED:
        return ((opening("reply"), opening("note"), plain("reopen")),)
    take = () if ticket.owner else (plain("take"),)
    resume = (plain("resume"),) if ticket.status in (Status.WAITING, Status.ON_HOLD) else ()
    wait = () if ticket.status is Status.WAITING else (opening("wait"),)
    main = (*take, opening("reply"), opening("note"), *wait, *resume, opening("resolve"))
    release = (opening("release", menu=True),) if ticket.owner else ()
    rest = ("priority", "pass", "hold", "level", "snooze")
    return (main, (*release, *(opening(name, menu=True) for name in rest)))
