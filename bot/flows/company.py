"""Several people on one ticket: adding and watching, whom a mention means, reporting for somebody else."""

import hashlib
import re
from collections.abc import Sequence

from bot import codes
from bot.flows import phrases, story, whom
from bot.flows.turn import Turn
from bot.incoming import Said
from bot.message import Choice, Fact, Message, Paragraph, Plain, Several, Text, Words
from core.database.transaction import Transaction
from core.kernel.errors import Forbidden, UserError
from core.kernel.ids import PersonId, TicketId
from core.people import reach
from core.people import store as people
from core.people.model import Person, Right
from core.people.reach import Ways
from core.tickets import company, doors
from core.tickets import store as tickets
from core.tickets.model import COLLEAGUE, WATCHER, Ticket

MENTION = re.compile(r"(?<![\w@/.])@[^\s@]")
OFFERED = 3
"""So many of those whom a note mentions are offered."""
FOR = re.compile(r"(?:for|для)\s+(?=@)", re.IGNORECASE)


def _mentions(turn: Turn) -> whom.Mentions:
    what = turn.incoming.what
    return what.mentions if isinstance(what, Said) else ()


async def add(turn: Turn, ticket: TicketId, rest: str) -> None:
    """`/add 42 @boris`."""
    await doors.allowed(turn.tx, turn.actor, ticket, Right.INVITE)
    found = await whom.known(turn.tx, turn.person, rest, _mentions(turn))
    if found.certain or turn.person.staff:
        await _added(turn, ticket, found.person)
    else:
        await _make_sure(turn, ticket, found.person)


async def _make_sure(turn: Turn, number: TicketId, person: Person) -> None:
    """Anybody can give themselves a name: before a requester shares a ticket they see which account it is."""
    accounts = await people.identities_of(turn.tx, person.id)
    where = Several(tuple(phrases.via(name) for name in sorted({each.platform for each in accounts})), ", ")
    asked = Words("company.sure", {"name": Plain(person.name), "where": where, "ticket": number})
    await turn.tell(Message((Paragraph(asked),), ((_button(number, person),),), tone="hint", ticket=number))


def _button(number: TicketId, person: Person) -> Choice:
    code = codes.code("c", "add", number, person.id, _sign(person))
    return phrases.button(code, "button.add", name=Plain(person.name))


def _sign(person: Person) -> str:
    """Known to whoever knows the name: nobody finds out names by trying numbers."""
    return hashlib.sha256(f"{person.id}:{person.name}".encode()).hexdigest()[:12]


async def _added(turn: Turn, number: TicketId, person: Person) -> None:
    ticket = await company.add(turn.tx, turn.actor, number, person.id)
    kind = (await tickets.participants_of(turn.tx, number))[person.id]
    await _say(turn, f"company.added_{kind}", ticket, person)


async def remove(turn: Turn, number: TicketId, rest: str) -> None:
    """`/remove 42 @boris`."""
    ticket = await doors.allowed(turn.tx, turn.actor, number, Right.INVITE)
    person = (await whom.known(turn.tx, turn.person, rest, _mentions(turn))).person
    await company.remove(turn.tx, turn.actor, number, person.id)
    await _say(turn, "company.removed", ticket, person)


async def watch(turn: Turn, number: TicketId, rest: str) -> None:
    ticket = await company.watch(turn.tx, turn.actor, number)
    await _say(turn, "company.watched", ticket, turn.person)


async def leave(turn: Turn, number: TicketId, rest: str) -> None:
    """Out of a ticket that one was added to, or watches."""
    ticket = await company.remove(turn.tx, turn.actor, number, turn.person.id)
    await _say(turn, "company.gone", ticket, turn.person)


async def _say(turn: Turn, key: str, ticket: Ticket, person: Person) -> None:
    facts: dict[str, Fact] = {"ticket": ticket.id, "title": Plain(ticket.title), "name": Plain(person.name)}
    await turn.tell(Message((Paragraph(Words(key, facts), "quiet"),), tone="hint", ticket=ticket.id))


# ---- mentions in notes


async def offer(turn: Turn, number: TicketId, text: str) -> None:
    """Whom a note of staff mentions can be added with a press."""
    ticket = await doors.seen(turn.tx, turn.actor, number)
    belonging = {ticket.requester, turn.person.id, *await tickets.participants_of(turn.tx, number)}
    new = [person for person in await _mentioned(turn, text) if person.id not in belonging][:OFFERED]
    if not new or ticket.merged_into is not None:
        return
    names = Several(tuple(Plain(person.name) for person in new), ", ")
    rows = tuple((_button(number, person),) for person in new)
    told = Words("company.offer", {"names": names, "ticket": number})
    await turn.tell(Message((Paragraph(told),), rows, tone="hint", ticket=number))


async def _mentioned(turn: Turn, text: str) -> list[Person]:
    """The persons whom the words mention: by account, or by a name that can mean nobody else."""
    mentions = _mentions(turn)
    found = [await people.by_identity(turn.tx, identity) for _, identity in mentions]
    named = {words for words, _ in mentions}
    for at in [each.start() for each in MENTION.finditer(text)]:
        if not any(text.startswith(words, at) for words in named):
            try:
                found.append((await whom.known(turn.tx, turn.person, text[at:])).person)
            except UserError:
                continue
    return list({person.id: person for person in found if person is not None}.values())


async def pressed(turn: Turn, words: Sequence[str]) -> None:
    """A button of these."""
    match list(words):
        case ["add", number, person, sign]:
            await _added(turn, TicketId(int(number)), await _signed(turn, PersonId(int(person)), sign))
        case _:
            raise UserError("press.stale")


async def _signed(turn: Turn, number: PersonId, sign: str) -> Person:
    try:
        shown = await people.as_known(turn.tx, number)
    except LookupError:
        raise UserError("press.stale") from None
    if sign != _sign(shown):
        raise UserError("press.stale")
    return await people.get(turn.tx, number)


# ---- in somebody else's name


async def in_whose_name(turn: Turn, rest: str) -> tuple[PersonId | None, str]:
    """For whom `/new for @ivan …` reports, and what; None: for themselves. Staff alone may."""
    begun = FOR.match(rest)
    if begun is None:
        return None, rest
    if not turn.person.staff:
        raise Forbidden("right.behalf")
    found = await whom.known(turn.tx, turn.person, rest[begun.end() :], _mentions(turn))
    return (None if found.person.id == turn.person.id else found.person.id), found.rest


async def home_of(turn: Turn, person_id: PersonId) -> str:
    """The conversation in which somebody is told of a ticket that others opened for them."""
    person = await people.get(turn.tx, person_id)
    accounts = await people.accounts_of(turn.tx, person.id)
    for identity in reach.order(person.reach, accounts, turn.tx.rule(Ways).local(turn.tx.now)):
        if (home := turn.direct(identity)) is not None:
            return str(home)
    raise UserError("company.unreachable", name=person.name)


async def tell_opened(turn: Turn, ticket: Ticket) -> None:
    """To whoever reported it for somebody else: its number."""
    await _say(turn, "company.opened_for", ticket, await people.get(turn.tx, ticket.requester))


# ---- on the card


async def lines(tx: Transaction, ticket: Ticket) -> list[Paragraph]:
    """Who belongs to the ticket, and who reported it for its requester."""
    present = await tickets.participants_of(tx, ticket.id)
    first = await tickets.first_message(tx, ticket.id)
    told: list[Text] = []
    if first.author != ticket.requester:
        told.append(Words("card.opened_by", {"name": await story.name(tx, first.author)}))
    for kind, key in ((COLLEAGUE, "card.company"), (WATCHER, "card.watchers")):
        names = [await story.name(tx, person) for person, as_what in present.items() if as_what == kind]
        if names:
            told.append(Words(key, {"names": Several(tuple(names), ", ")}))
    return [Paragraph(text, "quiet") for text in told]
