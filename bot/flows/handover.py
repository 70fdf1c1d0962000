"""What is said when a shift begins or ends, and before an hour in which nobody is on call."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from bot.flows import phrases, shifts, story
from bot.message import At, Fact, Message, Paragraph, Plain, Several, Span, Text, Typed, Words
from core.database.transaction import Transaction
from core.escalation import store as escalation
from core.oncall import queries
from core.oncall.model import Rota
from core.outbox.model import ON_DUTY, Parcel
from core.people import store as people
from core.sla import queries as sla
from core.tickets import queries as tickets
from core.tickets import store as ticket_store
from core.tickets.catalogue import Catalogue
from core.tickets.model import ACTIVE, Ticket

MOST = 10
"""Lines of each kind."""
LOOKED_AT = 200
INSTANT = timedelta(seconds=1)


async def begins(tx: Transaction, parcel: Parcel) -> Message:
    """To whoever comes on call: until when, from whom, and what they take over."""
    facts = await _facts(tx, parcel)
    whence = "_from" if "before" in facts else ""
    told = Words(f"duty.begins{whence}{_open(facts)}", facts)
    work = await _work(tx, parcel) or [Paragraph(Words("duty.nothing"), "quiet")]
    return Message((Paragraph(told, "strong"), *_late(tx, parcel), *work))


async def ends(tx: Transaction, parcel: Parcel) -> Message:
    """To whoever goes: that it is over, who has it now, and what was handed over."""
    facts = await _facts(tx, parcel)
    told = Words("duty.ends" if "name" in facts else "duty.ends_nobody", facts)
    return Message((Paragraph(told, "strong"), *_late(tx, parcel), *await _work(tx, parcel)))


async def line(tx: Transaction, parcel: Parcel) -> Message:
    """To the teams: who is on call from now on, with what is under way."""
    facts = await _facts(tx, parcel)
    whom = "" if "name" in facts else "_nobody"
    told = Words(f"duty.line{whom}{_open(facts)}", facts)
    return Message((Paragraph(told), *_late(tx, parcel), *await _work(tx, parcel)), tone="event")


def _open(facts: Mapping[str, Fact]) -> str:
    return "" if "until" in facts else "_open"


async def _facts(tx: Transaction, parcel: Parcel) -> dict[str, Fact]:
    told = parcel.facts
    facts: dict[str, Fact] = {"rota": Plain(told["rota"])}
    if told["until"] is not None:
        facts["until"] = At(datetime.fromisoformat(told["until"]))
    for key, fact in (("comes", "name"), ("went", "before")):
        if told[key] is not None:
            facts[fact] = await story.name(tx, told[key])
    return facts


def _late(tx: Transaction, parcel: Parcel) -> list[Paragraph]:
    if not parcel.facts["late"]:
        return []
    since = datetime.fromisoformat(parcel.facts["since"])
    return [Paragraph(Words("duty.late", {"since": At(since), "span": Span(tx.now - since)}), "quiet")]


# ---- what is handed over


async def _work(tx: Transaction, parcel: Parcel) -> list[Paragraph]:
    """Open critical and high tickets, promises made, snoozes and holds that end during the shift: of the
    queues that the reader, or the room, sees."""
    rota = await queries.rota(tx, parcel.facts["rota"])
    if rota is None:
        return []
    queues = await _queues(tx, rota, parcel)
    until = parcel.facts["until"]
    end = datetime.fromisoformat(until) if until else tx.now + shifts.WEEK
    pressing = await tickets.pressing(tx, queues, limit=MOST + 1)
    lines = [Paragraph(await _ticket(tx, each), "quiet") for each in pressing[:MOST]]
    if len(pressing) > MOST:
        lines.append(Paragraph(Words("duty.more_pressing"), "quiet"))
    if lines:
        lines.insert(0, Paragraph(Words("duty.pressing"), "strong"))
    lines += await _quiet(tx, queues, end)
    for held in await tickets.held_until(tx, queues, end, limit=MOST):
        until_when = Words("card.hold_until", {"at": At(held.hold_until or end)})
        lines.append(Paragraph(_of(held, until_when), "quiet"))
    return lines


async def _queues(tx: Transaction, rota: Rota, parcel: Parcel) -> Sequence[str]:
    served = queries.queues_of(tx, rota)
    if parcel.room is not None:
        return [queue for queue in served if queue in tx.rule(Catalogue).by_space.get(parcel.room, ())]
    assert parcel.person is not None
    person = await people.get(tx, parcel.person)
    return [queue for queue in served if person.serves(queue)]


async def _ticket(tx: Transaction, ticket: Ticket) -> Text:
    owner: Fact = await story.name(tx, ticket.owner) if ticket.owner else Words("name.nobody")
    told: list[Text] = [
        Several((Plain(phrases.MARKS[ticket.priority]), phrases.heading(ticket)), " "),
        Words("card.owner", {"name": owner}),
    ]
    clock = await sla.next_due(tx, ticket)
    if clock is not None:
        late = "_late" if clock.due_at <= tx.now - INSTANT else ""
        told.append(Words(f"card.due_{clock.target}{late}", {"at": At(clock.due_at)}))
    return Several(tuple(told), " · ")


async def _quiet(tx: Transaction, queues: Sequence[str], end: datetime) -> list[Paragraph]:
    """ "On it" until …, and what is snoozed until a time of the shift."""
    lines: list[Paragraph] = []
    for chain in await escalation.quiet_chains(tx, limit=LOOKED_AT):
        ticket = await ticket_store.get(tx, chain.ticket)
        if ticket.queue not in queues or ticket.status not in ACTIVE or chain.quiet_until is None:
            continue
        if chain.quiet_kind == "promised" or chain.quiet_until <= end:
            facts: dict[str, Fact] = {
                "name": await story.name(tx, chain.quiet_by),
                "at": At(chain.quiet_until),
            }
            key = "card.promised" if chain.quiet_kind == "promised" else "card.snoozed"
            lines.append(Paragraph(_of(ticket, Words(key, facts)), "quiet"))
    return lines[: 2 * MOST]


def _of(ticket: Ticket, what: Text) -> Text:
    return Several((phrases.heading(ticket), what), " · ")


# ---- the alarm


async def uncovered(tx: Transaction, parcel: Parcel) -> Message | None:
    """Which hours have nobody, and how to mend it; nothing once somebody has them."""
    rota = await queries.rota(tx, parcel.facts["rota"])
    since, until = (datetime.fromisoformat(parcel.facts[key]) for key in ("since", "until"))
    begin = max(since, tx.now)
    end = min(until, begin + shifts.SIGHT)
    left = rota.gaps(begin, end) if rota is not None and begin < end else []
    if rota is None or not left:
        return None
    facts: dict[str, Fact] = {"rota": shifts.title(rota), "since": At(left[0].since)}
    told = Words("duty.uncovered", {**facts, "until": At(left[-1].until)})
    if left[-1].until == end < until:
        told = Words("duty.uncovered_open", facts)
    when = shifts.typed(tx, left[0].since, left[-1].until)
    how: dict[str, Fact] = {
        "take": Typed(f"/oncall take {rota.name} {when}"),
        "cover": Typed(f"/oncall cover {rota.name} {when} @boris"),
    }
    return Message((Paragraph(told, "strong"), Paragraph(Words("duty.mend", how), "quiet")))


COMPOSERS = {
    ON_DUTY: begins,
    "off_duty": ends,
    "hand_over": line,
    "uncovered": uncovered,
    "swap": shifts.question,
    "arranged": shifts.arranged,
}
