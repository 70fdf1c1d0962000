"""Searching the tickets: words and filters, in any language of the desk; what is found, page by page."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot import codes
from bot.flows import lists, phrases, story, work
from bot.flows.forms import form
from bot.flows.turn import Turn
from bot.i18n import in_every_language
from bot.incoming import Said
from bot.message import Choice, Message, Paragraph, Plain, Quote, Several, Words
from core.kernel import text as texts
from core.kernel.errors import UserError
from core.kernel.ids import Identity, PersonId, TicketId
from core.people import store as people
from core.people.model import Right
from core.searches import store as searches
from core.sla import queries as sla
from core.tickets import doors, queries
from core.tickets import store as ticket_store
from core.tickets.model import ACTIVE, Status, Ticket

SHOWN = lists.SHOWN
IN_A_ROW = 5
QUOTED = 300

_PART = re.compile(r'(?:([^\W\d_]+):(?![/\\]))?(?:"([^"]*)"|«([^»]*)»|“([^”]*)”|(\S+))')
_FLAGS = {
    "mine": "mine", "мои": "mine",
    "unclaimed": "unclaimed", "ничьи": "unclaimed", "свободные": "unclaimed",
    "breaching": "breaching", "просроченные": "breaching", "горящие": "breaching",
}  # fmt: skip
_KEYS = {
    "from": "from", "от": "from",
    "type": "type", "тип": "type",
    "status": "status", "статус": "status",
    "queue": "queue", "очередь": "queue",
}  # fmt: skip
_STATUSES: Mapping[Status, str] = {
    Status.NEW: "new, новая, новые",
    Status.OPEN: "open, в работе, работа",
    Status.WAITING: "waiting, ждёт, ждут, ждёт ответа",
    Status.ON_HOLD: "on_hold, hold, отложена, отложенные",
    Status.RESOLVED: "resolved, решена, решённые",
    Status.CLOSED: "closed, закрыта, закрытые",
}
_ME = ("me", "меня")


@dataclass(frozen=True, slots=True)
class Sought:
    """What is looked for: words, and what else must be true."""

    words: str
    filters: tuple[queries.Which, ...]


async def find(turn: Turn, rest: str) -> None:
    """The first page of what holds the words and fits the filters.

    Raises UserError, saying what is valid, for a filter that is none and when nothing is looked for."""
    asked = _named(turn, rest)
    sought = await _sought(turn, asked)
    if not (texts.search_text(sought.words) or sought.filters):
        raise UserError("list.find_valid")
    search = await searches.keep(turn.tx, turn.person.id, asked)
    await turn.tell(await _page(turn, search, sought))


async def pressed(turn: Turn, words: Sequence[str]) -> None:
    """A button of what was found."""
    match list(words):
        case ["more", search, below, shown]:
            asked = await searches.words(turn.tx, turn.person.id, int(search))
            if asked is None:
                raise UserError("press.stale")
            sought = await _sought(turn, asked)
            await turn.tell(await _page(turn, int(search), sought, TicketId(int(below)), int(shown)))
        case ["open", number]:
            await turn.tell(await _opened(turn, TicketId(int(number))))
        case ["timeline", number]:
            ticket = await doors.allowed(turn.tx, turn.actor, TicketId(int(number)), Right.WORK)
            await turn.tell(await lists.timeline(turn, ticket))
        case _:
            raise UserError("press.stale")


# ---- reading


def _named(turn: Turn, rest: str) -> str:
    """The words, with accounts in place of the mentions that stand for them."""
    what = turn.incoming.what
    for words, identity in what.mentions if isinstance(what, Said) else ():
        rest = rest.replace(f":{words}", f":{identity}")
    return rest


async def _sought(turn: Turn, asked: str) -> Sought:
    words: list[str] = []
    filters: list[queries.Which] = []
    for key, *quoted, bare in _PART.findall(asked):
        value = "".join(quoted) or bare
        if key:
            filters.append(await _filter(turn, key, value))
        elif bare and (flag := _FLAGS.get(bare.casefold())):
            filters.append(_flag(turn, flag))
        else:
            words.append(value)
    return Sought(" ".join(words), tuple(filters))


def _flag(turn: Turn, flag: str) -> queries.Which:
    match flag:
        case "mine":
            return queries.on(turn.person.id)
        case "unclaimed":
            return queries.unclaimed()
    return sla.breaching(turn.tx.now)


async def _filter(turn: Turn, key: str, value: str) -> queries.Which:
    match _KEYS.get(key.casefold()):
        case "from":
            return queries.asked_by_any(await _requesters(turn, value))
        case "type":
            titles = {name: kind.title for name, kind in turn.catalogue.types.items()}
            return queries.of_type(_choice(titles, value, key="find.no_type"))
        case "queue":
            served = {
                name: queue.title for name, queue in turn.catalogue.queues.items() if turn.person.serves(name)
            }
            return queries.in_queue(_choice(served, value, key="find.no_queue"))
        case "status":
            return queries.in_status(_status(value))
    raise UserError("find.no_filter", filter=f"{key}:")


async def _requesters(turn: Turn, value: str) -> list[PersonId]:
    """Whoever goes by that name or has that account; nobody for one who is not known."""
    if value.casefold() in _ME:
        return [turn.person.id]
    try:
        person = await people.by_identity(turn.tx, Identity.parse(value))
    except ValueError:
        return await queries.requesters_called(turn.tx, turn.actor, value.removeprefix("@"))
    return [person.id] if person else []


def _choice(known: Mapping[str, Mapping[str, str]], value: str, *, key: str) -> str:
    """The one of the configuration's things that is meant by its name, or by how a title of it begins."""
    wanted = texts.search_text(value)
    for name in known:
        if wanted and wanted == texts.search_text(name):
            return name
    fitting = [
        name
        for name, title in known.items()
        if wanted and any(texts.search_text(each).startswith(wanted) for each in title.values())
    ]
    if len(fitting) != 1:
        raise UserError(key, value=value, names=", ".join(known))
    return fitting[0]


def _status(value: str) -> Status:
    wanted = texts.search_text(value)
    for status, words in _STATUSES.items():
        titles = in_every_language(f"status.{status}").values()
        if wanted in [texts.search_text(word) for word in (*words.split(", "), *titles)]:
            return status
    names = phrases.listed(f"status.{status}" for status in Status)
    raise UserError("find.no_status", value=value, names=names)


# ---- showing


async def _page(
    turn: Turn, search: int, sought: Sought, below: TicketId | None = None, before: int = 0
) -> Message:
    """A page of what is found; `before`: so many were shown before those `below` that number."""
    found = await queries.find(
        turn.tx, turn.actor, sought.words, *sought.filters, limit=SHOWN + 1, below=below
    )
    if not found:
        return Message((Paragraph(Words("list.none_found" if not before else "find.no_more")),))
    shown, more = found[:SHOWN], len(found) > SHOWN
    title = await _title(turn, sought, before, len(shown), more=more)
    rows = [*lists.take_rows(turn, shown), *_open_rows(shown)]
    if more:
        code = codes.code("s", "more", search, shown[-1].id, before + len(shown))
        rows.append((phrases.button(code, "button.more_found"),))
    hint = Paragraph(Words("find.hint"), "quiet")
    return Message((title, *await lists.work_lines(turn, shown), hint), tuple(rows))


async def _title(turn: Turn, sought: Sought, before: int, shown: int, *, more: bool) -> Paragraph:
    if not (before or more):
        return Paragraph(Words("list.found", count=shown), "strong")
    which = queries.holding(turn.actor, sought.words, *sought.filters)
    total = max(await queries.count(turn.tx, which), before + shown)
    if not before:
        return Paragraph(Words("list.found_part", {"shown": shown, "total": total}), "strong")
    facts = {"first": before + 1, "last": before + shown, "total": total}
    return Paragraph(Words("find.page", facts), "strong")


def _open_rows(tickets: Sequence[Ticket]) -> list[tuple[Choice, ...]]:
    buttons = [Choice(codes.code("s", "open", ticket.id), Plain(f"#{ticket.id}")) for ticket in tickets]
    return [tuple(buttons[place : place + IN_A_ROW]) for place in range(0, len(buttons), IN_A_ROW)]


async def _opened(turn: Turn, number: TicketId) -> Message:
    """One ticket as whoever works in its queue needs it; to anybody else, what a requester is told of it."""
    ticket = await doors.seen(turn.tx, turn.actor, number)
    told = await lists.status(turn, ticket)
    if not turn.person.serves(ticket.queue):
        return told
    requester = await story.name(turn.tx, ticket.requester)
    heading, *rest = told.blocks
    sort = (phrases.priority(ticket.priority), phrases.status(ticket.status), requester)
    first = await ticket_store.first_message(turn.tx, ticket.id)
    words = Quote(Plain(texts.shorten(first.text, QUOTED)))
    blocks = (heading, Paragraph(Several(sort), "quiet"), words, *rest)
    return Message(blocks, await _what_can_be_done(turn, ticket), ticket=ticket.id)


async def _what_can_be_done(turn: Turn, ticket: Ticket) -> tuple[tuple[Choice, ...], ...]:
    number = ticket.id
    timeline = phrases.button(codes.code("s", "timeline", number), "button.timeline")
    staff = await people.staff(turn.tx)
    names = ("reply", "note", "resolve") if ticket.status in ACTIVE else ("note",)
    forms = tuple(
        work.form_button(name, f"button.{name}", number, form(name, ticket, staff)) for name in names
    )
    take = lists.take_rows(turn, [ticket])
    return (*take, (*forms, timeline))
