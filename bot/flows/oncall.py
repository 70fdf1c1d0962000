"""`/oncall` and `/away`: who is on call, swaps, covers and absences, from any messenger."""

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime

from bot import codes
from bot.flows import days, phrases, shifts, whom
from bot.flows.days import Meant
from bot.flows.turn import Turn
from bot.incoming import Said
from bot.message import At, Fact, Message, Paragraph, Plain, Typed, Words
from core.kernel.errors import UserError
from core.kernel.ids import TicketId
from core.oncall import actions, queries, store
from core.oncall.arranged import Arrangement, Span, State, shifts_of
from core.oncall.model import Rota
from core.people.model import Person

_WITH = re.compile(r"(?:with|с|со)\s+", re.IGNORECASE)
_FOR = re.compile(r"(?:in\s+return\s+for|for|за|взамен\s+на|на)\s+", re.IGNORECASE)
_OFF = frozenset({"off", "no", "none", "back", "cancel", "нет", "выкл", "вернулся", "вернулась", "отмена"})


async def command(turn: Turn, _: TicketId, rest: str) -> None:
    """Who is on call, or what is to be arranged about it."""
    word, _blank, more = rest.partition(" ")
    if not rest:
        await turn.tell(await shifts.page(turn))
    elif (act := _ACTS.get(word.casefold())) is not None:
        await act(turn, more.strip())
    else:
        raise UserError("oncall.valid")


# ---- swaps


async def _swap(turn: Turn, text: str) -> None:
    """`friday with @boris for monday`, also with the rota's name before it."""
    rotas, text = _named(await queries.every_rota(turn.tx), text)
    meant, text = _stretch(turn, text)
    other, text = await _person(turn, _WITH.sub("", text, count=1))
    if meant is None:
        meant, text = _stretch(turn, text)
    back, text = _stretch(turn, _FOR.sub("", text, count=1)) if text else (None, "")
    if meant is None or text:
        raise UserError("oncall.swap_valid")
    rota = _the_one([each for each in rotas if _own(each, turn.person, meant)], rotas, meant)
    takes = _own(rota, other, back) if back is not None else []
    if back is not None and not takes:
        raise UserError("oncall.not_theirs", name=other.name, rota=rota.name)
    made = await actions.ask_swap(turn.tx, turn.actor, rota, other, _own(rota, turn.person, meant), takes)
    await turn.tell(await shifts.asked(turn.tx, made))


def _own(rota: Rota, person: Person, meant: Meant) -> list[Span]:
    """What this person has of what is meant."""
    return [span for span, name in _parts(rota, meant) if name == person.name]


def _parts(rota: Rota, meant: Meant) -> list[tuple[Span, str | None]]:
    """Who is on call in what is meant; hours that were named are taken as they are."""
    if meant.whole:
        found = shifts_of(rota, meant.since, meant.until)
    else:
        found = rota.shifts(meant.since, meant.until)
    return [((each.since, each.until), each.person) for each in found if each.wanted]


def _the_one(mine: Sequence[Rota], rotas: Sequence[Rota], meant: Meant) -> Rota:
    """The one rota that is meant by whoever has a shift in it then."""
    if len(mine) == 1:
        return mine[0]
    if mine:
        raise UserError("oncall.which", rotas=_listed(mine), example="/oncall swap")
    raise UserError("oncall.not_yours", since=meant.since) if rotas else UserError("oncall.none")


def _listed(rotas: Sequence[Rota]) -> str:
    return ", ".join(rota.name for rota in rotas)


def _named(rotas: list[Rota], text: str) -> tuple[list[Rota], str]:
    """The rotas that may be meant, and the words after the name of one."""
    for rota in sorted(rotas, key=lambda each: -len(each.name)):
        begun = text[: len(rota.name)].casefold() == rota.name.casefold()
        if begun and not text[len(rota.name) : len(rota.name) + 1].isalnum():
            return [rota], text[len(rota.name) :].strip(" ,:")
    return rotas, text


def _stretch(turn: Turn, text: str) -> tuple[Meant | None, str]:
    meant, rest = days.stretch(text, turn.tx.now, turn.time_zone)
    if meant is not None and meant.until <= turn.tx.now:
        raise UserError("oncall.past")
    return meant, rest


async def _person(turn: Turn, text: str) -> tuple[Person, str]:
    if not text:
        raise UserError("oncall.swap_valid")
    what = turn.incoming.what
    mentions = what.mentions if isinstance(what, Said) else ()
    queue = turn.person.queues[0] if turn.person.queues else ""
    return await whom.named(turn.tx, queue, text, mentions)


# ---- covers


async def _cover(turn: Turn, text: str) -> None:
    """`friday 18:00-22:00 @boris`, also with the rota's name before it; without a name: oneself."""
    rotas, text = _named(await queries.every_rota(turn.tx), text)
    meant, text = _stretch(turn, text)
    other, text = await _person(turn, _WITH.sub("", text, count=1)) if text else (turn.person, "")
    if meant is None and text:
        meant, text = _stretch(turn, text)
    if meant is None or text:
        raise UserError("oncall.cover_valid")
    rota, spans = _to_cover(turn, rotas, other, meant)
    await _covered(turn, rota, other, spans)


async def _covered(turn: Turn, rota: Rota, other: Person, spans: Sequence[Span]) -> None:
    made = await actions.cover(turn.tx, turn.actor, rota, other, spans)
    await turn.tell(await shifts.told(turn.tx, made, made.state, turn.person.id, own=True))


def _to_cover(turn: Turn, rotas: Sequence[Rota], other: Person, meant: Meant) -> tuple[Rota, list[Span]]:
    """The rota in which there is something to cover then, one without anybody before the others."""
    known = [each for each in rotas if queries.serves(turn.tx, each, other)] or list(rotas)
    if not known:
        raise UserError("oncall.none")
    parts = {rota.name: _parts(rota, meant) for rota in known}
    wanting = [rota for rota in known if any(name != other.name for _, name in parts[rota.name])]
    empty = [rota for rota in wanting if any(name is None for _, name in parts[rota.name])]
    if not wanting:
        raise UserError("oncall.already", name=other.name)
    if len(empty or wanting) > 1:
        raise UserError("oncall.which", rotas=_listed(empty or wanting), example="/oncall cover")
    rota = (empty or wanting)[0]
    return rota, [span for span, name in parts[rota.name] if name != other.name]


async def _take(turn: Turn, text: str) -> None:
    """`/oncall take friday`; alone: from now on, until the shift that is running ends."""
    rotas, rest = _named(await queries.every_rota(turn.tx), text)
    if rest:
        await _cover(turn, text)
        return
    served = [each for each in rotas if queries.serves(turn.tx, each, turn.person)]
    running = [each for each in served if each.on_call(turn.tx.now) != turn.person.name]
    if len(running) > 1:
        raise UserError("oncall.which", rotas=_listed(running), example="/oncall take")
    until = running[0].until(turn.tx.now) if running else None
    if until is None:
        raise UserError("oncall.cover_valid")
    await _covered(turn, running[0], turn.person, [(turn.tx.now, until)])


# ---- undoing


async def _cancel(turn: Turn, text: str) -> None:
    """What is arranged and can be undone; with a day, what was arranged for it."""
    meant, rest = _stretch(turn, text)
    if rest:
        raise UserError("oncall.cancel_valid")
    mine = await _undoable(turn, meant)
    if len(mine) == 1 and meant is not None:
        await _undo(turn, mine[0].id)
        return
    if not mine:
        raise UserError("oncall.nothing_arranged")
    lines: list[Paragraph] = []
    rows = []
    for each in mine:
        lines += await shifts.lines(turn.tx, each)
        since = At(min(part.since for part in each.stretches), "day")
        code = codes.code("v", "undo", each.id)
        rows.append((phrases.button(code, "button.undo_shift", rota=Plain(each.rota), at=since),))
    await turn.tell(Message((Paragraph(Words("oncall.arranged"), "strong"), *lines), tuple(rows)))


async def _undoable(turn: Turn, meant: Meant | None) -> list[Arrangement]:
    leading = {
        each.name for each in await queries.every_rota(turn.tx) if queries.leads(turn.tx, each, turn.person)
    }
    found = [
        each
        for each in await store.not_over(turn.tx, turn.tx.now)
        if each.state in (State.ASKED, State.MADE)
        and (turn.person.id in each.concerned or (each.rota in leading and each.state is State.MADE))
    ]
    return [each for each in found if meant is None or _touches(each, meant)][:10]


def _touches(which: Arrangement, meant: Meant) -> bool:
    return any(each.since < meant.until and meant.since < each.until for each in which.stretches)


async def _undo(turn: Turn, which: int) -> None:
    undone = await actions.undo(turn.tx, turn.actor, which)
    await turn.tell(await shifts.told(turn.tx, undone, undone.state, turn.person.id, own=True))


async def pressed(turn: Turn, words: Sequence[str]) -> None:
    """A button of a request or of what was arranged."""
    match list(words):
        case ["accept", which]:
            await actions.answer_swap(turn.tx, turn.actor, int(which), accepted=True)
        case ["decline", which]:
            await actions.answer_swap(turn.tx, turn.actor, int(which), accepted=False)
        case ["undo", which]:
            await _undo(turn, int(which))
        case _:
            raise UserError("press.stale")


_ACTS: Mapping[str, Callable[[Turn, str], Awaitable[None]]] = {
    **dict.fromkeys(("swap", "exchange", "обмен", "поменять", "поменяться", "обменять", "меняю"), _swap),
    **dict.fromkeys(("cover", "replace", "подмена", "подменить", "замена", "заменить"), _cover),
    **dict.fromkeys(("take", "беру", "возьму", "взять"), _take),
    **dict.fromkeys(("cancel", "undo", "отмена", "отменить"), _cancel),
}


# ---- away


async def away(turn: Turn, _: TicketId, rest: str) -> None:
    """When this person is away; `off`: they are here again."""
    if not rest:
        await turn.tell(await shifts.absences(turn))
    elif rest.casefold() in _OFF:
        back = await actions.come_back(turn.tx, turn.actor)
        await turn.tell(phrases.hint(Words("away.back" if back else "away.not_away")))
    else:
        await _leave(turn, *days.away(rest, turn.tx.now, turn.time_zone))


async def _leave(turn: Turn, since: datetime, until: datetime) -> None:
    before = {each.name: each for each in await queries.every_rota(turn.tx)}
    since, until = await actions.leave(turn.tx, turn.actor, since, until)
    facts: dict[str, Fact] = {"since": At(since), "until": At(until), "off": Typed("/away off")}
    lines = [Paragraph(Words("away.done", facts))]
    for rota in await queries.every_rota(turn.tx):
        lines += await shifts.instead(turn, before[rota.name], rota, (since, until))
    await turn.tell(Message(tuple(lines)))
