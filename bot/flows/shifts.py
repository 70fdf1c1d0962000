"""How shifts are told: the page of `/oncall`, what people arranged, and who stands in for somebody away."""

from datetime import datetime, timedelta

from bot import codes
from bot.flows import phrases, story
from bot.flows.turn import Turn
from bot.message import At, Choice, Fact, Message, Paragraph, Plain, Several, Text, Typed, Words
from core.database.transaction import Transaction
from core.kernel.ids import PersonId
from core.oncall import queries, store
from core.oncall.arranged import Arrangement, Span, State, Stretch
from core.oncall.model import Rota, Shift
from core.outbox.model import Parcel
from core.people import store as people
from core.people.reach import Ways

WEEK, SIGHT = timedelta(days=7), timedelta(days=21)
"""What is shown, and how far one looks for the end of what is."""
MOST = 21
"""Shifts of one rota that are shown."""


def span(since: datetime, until: datetime) -> Text:
    """`Mon 23 Nov, 09:00 – Tue 24 Nov, 09:00`, within one day `Mon 23 Nov, 09:00 – 18:00`."""
    return Several((At(since), At(until, after=since)), " – ")


def typed(tx: Transaction, since: datetime, until: datetime) -> str:
    """The time as it is typed, in the desk's time zone."""
    begin, end = (tx.rule(Ways).local(each) for each in (since, until))
    return f"{begin:%Y-%m-%d %H:%M} - {end:%Y-%m-%d %H:%M}"


# ---- the page


async def page(turn: Turn) -> Message:
    """Who is on call now for each rota until when, who is next, and the shifts of the coming week."""
    rotas = await queries.every_rota(turn.tx)
    if not rotas:
        return phrases.hint(Words("oncall.none"))
    lines: list[Paragraph] = []
    for rota in rotas:
        lines += _rota(rota, turn.tx.now)
    lines += [Paragraph(text, "quiet") for text in await _who_is_away(turn.tx)]
    return Message((*lines, Paragraph(Words("oncall.how"), "quiet")))


def _rota(rota: Rota, now: datetime) -> list[Paragraph]:
    shifts = rota.shifts(now, now + SIGHT)
    coming = [each for each in shifts[1:] if each.since < now + WEEK and (each.person or each.wanted)]
    lines = [Paragraph(_now(rota, shifts[0], now), "strong")]
    lines += [Paragraph(_line(each, now + SIGHT), "quiet") for each in coming[:MOST]]
    if len(coming) > MOST:
        lines.append(Paragraph(Words("oncall.more", count=len(coming) - MOST), "quiet"))
    if not coming and (until := rota.until(now)) is not None:
        facts: dict[str, Fact] = {"name": _name(rota.on_call(until)), "since": At(until)}
        lines.append(Paragraph(Words("oncall.next", facts), "quiet"))
    return lines


def title(rota: Rota) -> Text:
    return Several((Plain(rota.name), Plain(rota.level)), " · ") if rota.level else Plain(rota.name)


def _now(rota: Rota, shift: Shift, now: datetime) -> Words:
    until = rota.until(now)
    facts: dict[str, Fact] = {"rota": title(rota)}
    key = "oncall.now"
    if shift.person is None:
        key += "_gap" if shift.wanted else "_nobody"
    else:
        facts["name"] = Plain(shift.person)
    return Words(key, {**facts, "until": At(until)}) if until else Words(f"{key}_open", facts)


def _line(shift: Shift, horizon: datetime) -> Text:
    facts: dict[str, Fact] = {"name": _name(shift.person)}
    if shift.until >= horizon:
        facts["since"] = At(shift.since)
        return Words("oncall.gap_from" if shift.gap else "oncall.shift_from", facts)
    facts["span"] = span(shift.since, shift.until)
    return Words("oncall.gap" if shift.gap else "oncall.shift", facts)


def _name(person: str | None) -> Text:
    return Plain(person) if person is not None else Words("name.nobody")


async def _who_is_away(tx: Transaction) -> list[Text]:
    staff = {person.id: person.name for person in await people.staff(tx)}
    return [
        Words("oncall.away", {"name": Plain(staff[person]), "span": span(since, until)})
        for person, since, until in await store.away_after(tx, tx.now)
        if person in staff and since < tx.now + WEEK
    ]


# ---- what was arranged


async def lines(tx: Transaction, which: Arrangement) -> list[Paragraph]:
    """Who is on call instead of whom, line by line."""
    return [Paragraph(await _stretch(tx, each)) for each in which.stretches]


async def _stretch(tx: Transaction, each: Stretch) -> Words:
    facts: dict[str, Fact] = {
        "name": await story.name(tx, each.person),
        "span": span(each.since, each.until),
    }
    if each.instead is None:
        return Words("oncall.stretch_free", facts)
    return Words("oncall.stretch", {**facts, "instead": await story.name(tx, each.instead)})


async def told(
    tx: Transaction, which: Arrangement, state: str, actor: PersonId | None, *, own: bool = False
) -> Message:
    """What became of an arrangement, with a way back for those whom it concerns; `own`: to whoever did it."""
    facts: dict[str, Fact] = {"name": await story.name(tx, actor), "rota": Plain(which.rota)}
    key = f"oncall.{'own' if own else 'told'}_{which.kind}_{state}"
    blocks = (Paragraph(Words(key, facts), "strong"), *await lines(tx, which))
    undo = state == State.MADE and await _lasts(tx, which.id)
    return Message(blocks, ((_undo(which.id, "button.undo"),),) if undo else ())


async def _lasts(tx: Transaction, which: int) -> bool:
    found = await store.find(tx, which)
    return found is not None and found.state is State.MADE and found.over_at > tx.now


def _undo(which: int, key: str) -> Choice:
    return phrases.button(codes.code("v", "undo", which), key)


async def asked(tx: Transaction, swap: Arrangement) -> Message:
    """To whoever asked: whom, for what, and how to withdraw it."""
    facts: dict[str, Fact] = {"name": await story.name(tx, swap.other), "rota": Plain(swap.rota)}
    blocks = (Paragraph(Words("oncall.asked", facts), "strong"), *await lines(tx, swap))
    return Message(blocks, ((_undo(swap.id, "button.withdraw_swap"),),))


async def question(tx: Transaction, parcel: Parcel) -> Message | None:
    """The request as whoever is asked reads it, and later what became of it."""
    swap = await store.find(tx, parcel.facts["arrangement"])
    if swap is None:
        return None
    facts: dict[str, Fact] = {"name": await story.name(tx, swap.by), "rota": Plain(swap.rota)}
    told_lines = await lines(tx, swap)
    if swap.state is not State.ASKED:
        blocks = (Paragraph(Words(f"oncall.swap_{swap.state}", facts), "strong"), *told_lines)
        lasts = await _lasts(tx, swap.id)
        return Message(blocks, ((_undo(swap.id, "button.undo"),),) if lasts else ())
    yes = Choice(codes.code("v", "accept", swap.id), Words("button.accept_swap"), style="primary")
    no = phrases.button(codes.code("v", "decline", swap.id), "button.decline_swap")
    return Message((Paragraph(Words("oncall.question", facts), "strong"), *told_lines), ((yes, no),))


async def arranged(tx: Transaction, parcel: Parcel) -> Message | None:
    """What became of an arrangement, to those whom it concerns and to the teams."""
    which = await store.find(tx, parcel.facts["arrangement"])
    if which is None:
        return None
    message = await told(tx, which, parcel.facts["state"], parcel.facts["actor"])
    return message if parcel.room is None else Message(message.blocks, tone="event")


# ---- who is away


async def absences(turn: Turn) -> Message:
    """When this person is away, and how that is said."""
    mine = [
        (since, until)
        for person, since, until in await store.away_after(turn.tx, turn.tx.now)
        if person == turn.person.id
    ]
    lines = [Paragraph(Words("away.mine", {"span": span(*each)})) for each in mine]
    return Message((*(lines or [Paragraph(Words("away.none"))]), Paragraph(Words("away.how"), "quiet")))


async def instead(turn: Turn, before: Rota, after: Rota, when: Span) -> list[Paragraph]:
    """Who stands in for this person in a rota while they are away; hours without anybody stand out."""
    mine = [each for each in before.shifts(*when) if each.person == turn.person.name]
    lines = []
    for shift in mine[:MOST]:
        for each in after.shifts(shift.since, shift.until):
            facts: dict[str, Fact] = {"rota": Plain(after.name), "span": span(each.since, each.until)}
            if each.person is None:
                facts["take"] = Typed(f"/oncall take {after.name} {typed(turn.tx, each.since, each.until)}")
                lines.append(Paragraph(Words("away.gap", facts), "strong"))
            else:
                lines.append(Paragraph(Words("away.instead", {**facts, "name": Plain(each.person)}), "quiet"))
    return lines
