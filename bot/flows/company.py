"""Several people on one ticket: adding and watching, whom a mention means, reporting for somebody else."""

import hashlib
import re
from collections.abc import Sequence

from bot import codes
from bot.flows import phrases, story, whom
from bot.flows.draft import Behalf
from bot.flows.turn import Turn
from bot.flows.whom import Found
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

MENTION = re.compile(r"(?<![\w@/.])@[^\s@]+(?:\s+[^\s@]+)?")
"""An @ and the next two words, of which the second may tell two people of one first name apart."""
OFFERED = 3
"""So many of those whom a note mentions are offered."""
LOOKED_UP = 5
"""So many names that follow an @ are looked up in a note; code is full of signs that mean nobody."""
FOR = re.compile(r"(?:for|для)\s+(?=@)", re.IGNORECASE)


def _mentions(turn: Turn) -> whom.Mentions:
    what = turn.incoming.what
    return what.mentions if isinstance(what, Said) else ()


async def add(turn: Turn, ticket: TicketId, rest: str) -> None:
    """`/add 42 @boris`."""
    await doors.allowed(turn.tx, turn.actor, ticket, Right.INVITE)
    found = await whom.known(turn.tx, turn.person, rest, _mentions(turn))
    if found.certain:
        await _added(turn, ticket, found.person)
    else:
        await _make_sure(turn, ticket, found.person)


async def _make_sure(turn: Turn, number: TicketId, person: Person) -> None:
    """Anybody can give themselves a name: before a ticket is shared it is said which account that is."""
    where = Several(tuple(phrases.via(each) for each in await _platforms(turn, person.id)), ", ")
    asked = Words("company.sure", {"name": Plain(person.name), "where": where, "ticket": number})
    button = _button(number, person, Plain(person.name))
    await turn.tell(Message((Paragraph(asked),), ((button,),), tone="hint", ticket=number))


async def _platforms(turn: Turn, person: PersonId) -> tuple[str, ...]:
    """The messengers where they have an account."""
    return tuple(sorted({each.platform for each in await people.identities_of(turn.tx, person)}))


def _button(number: TicketId, person: Person, name: Text) -> Choice:
    code = codes.code("c", "add", number, person.id, _sign(person))
    return phrases.button(code, "button.add", name=name)


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
    new = [found for found in await _mentioned(turn, text) if found.person.id not in belonging][:OFFERED]
    if not new or ticket.merged_into is not None:
        return
    named = [(found.person, await _shown(turn, found)) for found in new]
    names = Several(tuple(name for _, name in named), ", ")
    rows = tuple((_button(number, person, name),) for person, name in named)
    told = [Paragraph(Words("company.offer", {"names": names, "ticket": number}))]
    if not all(found.certain for found in new):
        told.append(Paragraph(Words("company.self_named"), "quiet"))
    await turn.tell(Message(tuple(told), rows, tone="hint", ticket=number))


async def _shown(turn: Turn, found: Found) -> Text:
    """The name, and where they write if it is one that anybody can give themselves."""
    if found.certain:
        return Plain(found.person.name)
    return phrases.account(found.person.name, await _platforms(turn, found.person.id))


async def _mentioned(turn: Turn, text: str) -> list[Found]:
    """Whom the words mention: by account, or by a name that can mean nobody else."""
    mentions = _mentions(turn)
    known = [await people.by_identity(turn.tx, identity) for _, identity in mentions]
    found = [Found(person, "", True) for person in known if person is not None]
    for name in _names(text, [words for words, _ in mentions]):
        try:
            found.append(await whom.known(turn.tx, turn.person, name))
        except UserError:
            continue
    return list({each.person.id: each for each in sorted(found, key=lambda each: each.certain)}.values())


def _names(text: str, mentioned: Sequence[str]) -> list[str]:
    """What begins with an @ and stands for no account: the first few, each with the words that follow."""
    names: dict[str, str] = {}
    for found in MENTION.finditer(text):
        if not text.startswith(tuple(mentioned), found.start()):
            names.setdefault(found[0], text[found.start() :])
    return list(names.values())[:LOOKED_UP]


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


async def in_whose_name(turn: Turn, rest: str) -> tuple[Behalf | None, str]:
    """For whom `/new for @ivan …` reports, and what; None: for themselves. Staff alone may.

    Perhaps somebody else calls themselves that: before it is sent it must be shown for whom it is."""
    begun = FOR.match(rest)
    if begun is None:
        return None, rest
    if not turn.person.staff:
        raise Forbidden("right.behalf")
    found = await whom.known(turn.tx, turn.person, rest[begun.end() :], _mentions(turn))
    own = found.person.id == turn.person.id
    return None if own else await behalf(turn, found.person.id), found.rest


async def behalf(turn: Turn, person: PersonId) -> Behalf:
    """In whose name it is, as it is shown."""
    return Behalf(person, (await people.get(turn.tx, person)).name, await _platforms(turn, person))


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
