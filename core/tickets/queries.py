"""Looking at tickets: every question carries the scope of whoever asks."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, case, false, func, not_, or_, select, true

from core.database.transaction import Transaction
from core.files import store as files
from core.files.model import File
from core.kernel import text as texts
from core.kernel.ids import PersonId, TicketId
from core.people import store as people
from core.people.model import Actor, Right, Role, may
from core.tickets import doors, store
from core.tickets.catalogue import Priority
from core.tickets.model import ACTIVE, COLLEAGUE, UNCLOSED, Status, Ticket

Which = ColumnElement[bool]
"""Some of the tickets, as a condition inside the query."""
LONGEST_NUMBER = 9
"""Digits of a ticket's number."""
_URGENT_FIRST = case({each: place for place, each in enumerate(Priority)}, value=store.tickets.c.priority)


def scope(actor: Actor) -> Which:
    """The tickets the actor may see."""
    person = actor.person
    if person is None or Role.ADMIN in person.roles:
        return true()
    served = store.tickets.c.queue.in_(person.queues) if person.staff else false()
    return or_(store.tickets.c.requester_id == person.id, served, shared_with(person.id))


def shared_with(person: PersonId) -> Which:
    """Tickets of others that this person sees and speaks in."""
    c = store.participants.c
    joined = select(c.ticket_id).where(c.person_id == person, c.kind == COLLEAGUE)
    return store.tickets.c.id.in_(joined)


async def _list(tx: Transaction, which: Which, *, limit: int) -> list[Ticket]:
    statement = select(store.tickets).where(which).order_by(_URGENT_FIRST, store.tickets.c.id).limit(limit)
    return [store.ticket(row) for row in await tx.all(statement)]


def _status(*which: Status) -> Which:
    return store.tickets.c.status.in_([str(each) for each in which])


_UNCLOSED_OF = (
    select(store.tickets)
    .where(store.tickets.c.requester_id == bindparam("requester"), _status(*UNCLOSED))
    .order_by(store.tickets.c.id.desc())
)


_UNCLOSED_SHARED = (
    select(store.tickets)
    .where(
        store.tickets.c.id.in_(
            select(store.participants.c.ticket_id).where(
                store.participants.c.person_id == bindparam("person"), store.participants.c.kind == COLLEAGUE
            )
        ),
        _status(*UNCLOSED),
    )
    .order_by(store.tickets.c.id.desc())
)
_ABSORBED = (
    select(store.tickets.c.id)
    .where(store.tickets.c.merged_into == bindparam("into"))
    .order_by(store.tickets.c.id)
)
_UNCLOSED_AFTER = (
    select(store.tickets.c.id)
    .where(store.tickets.c.id > bindparam("number"), store.tickets.c.status != "closed")
    .order_by(store.tickets.c.id)
    .limit(bindparam("limit"))
)


def waiting(actor: Actor) -> Which:
    """Active tickets of the queues the actor serves."""
    person = actor.person
    if person is None or not person.staff:
        return false()
    served = true() if Role.ADMIN in person.roles else store.tickets.c.queue.in_(person.queues)
    return and_(served, _status(*ACTIVE))


def free(actor: Actor) -> Which:
    """New tickets of the queues the actor serves that nobody is on."""
    return and_(waiting(actor), _status(Status.NEW), store.tickets.c.owner_id.is_(None))


def owned_by(owner: PersonId) -> Which:
    """Active tickets this person is on."""
    return and_(store.tickets.c.owner_id == owner, _status(*ACTIVE))


def asked_by(requester: PersonId) -> Which:
    """Every ticket of this requester."""
    return store.tickets.c.requester_id == requester


def holding(actor: Actor, words: str, *also: Which) -> Which:
    """Tickets the actor may see that hold every one of the words, or have the number that the words are.

    `also`: and of which all of this is true."""
    wanted = texts.search_text(words).split()[:20]
    has = and_(true(), *(store.tickets.c.search.contains(word, autoescape=True) for word in wanted))
    return and_(scope(actor), or_(has, store.tickets.c.id == _number(words)), *also)


def on(owner: PersonId) -> Which:
    """Tickets this person is on, or was when they ended."""
    return store.tickets.c.owner_id == owner


def unclaimed() -> Which:
    """Active tickets that nobody is on."""
    return and_(store.tickets.c.owner_id.is_(None), _status(*ACTIVE))


def asked_by_any(requesters: Collection[PersonId]) -> Which:
    """Tickets of any of these requesters."""
    return store.tickets.c.requester_id.in_(list(requesters))


def of_type(name: str) -> Which:
    return store.tickets.c.type == name


def spoken_in_by(person: PersonId) -> Which:
    """Tickets of others that this person speaks in and that were not merged."""
    return and_(shared_with(person), store.tickets.c.merged_into.is_(None))


def in_status(which: Status) -> Which:
    return _status(which)


def in_queue(name: str) -> Which:
    return store.tickets.c.queue == name


async def requesters_called(tx: Transaction, actor: Actor, name: str) -> list[PersonId]:
    """Whoever asked for something the actor may see, and in whose name each of these words begins one."""
    wanted = texts.search_text(name).split()
    if not wanted:
        return []
    persons = people.persons.c
    asking = select(store.tickets.c.requester_id).where(scope(actor))
    alike = (
        select(persons.id, persons.name)
        .where(persons.folded.contains(wanted[0], autoescape=True), persons.id.in_(asking))
        .order_by(persons.id)
    )
    return [PersonId(row.id) for row in await tx.all(alike) if _begin(wanted, row.name)]


def _begin(wanted: Sequence[str], name: str) -> bool:
    """Whether each of the words begins a word of the name."""
    words = texts.search_text(name).split()
    return all(any(word.startswith(each) for word in words) for each in wanted)


def _number(words: str) -> int:
    digits = words.strip().removeprefix("#")
    return int(digits) if digits.isdecimal() and len(digits) <= LONGEST_NUMBER else 0


async def count(tx: Transaction, which: Which) -> int:
    """How many tickets there are of these."""
    return int(await tx.scalar(select(func.count()).select_from(store.tickets).where(which)))


async def queue(tx: Transaction, actor: Actor, *, limit: int = 20) -> list[Ticket]:
    """Active tickets of the queues the actor serves, the most urgent first."""
    return await _list(tx, waiting(actor), limit=limit)


async def unowned(tx: Transaction, actor: Actor, *, limit: int = 20) -> list[Ticket]:
    """Those that nobody is on, the most urgent first."""
    return await _list(tx, free(actor), limit=limit)


async def owned(tx: Transaction, owner: PersonId, *, limit: int = 20) -> list[Ticket]:
    """Tickets this person is on, the most urgent first."""
    return await _list(tx, owned_by(owner), limit=limit)


async def of_requester(tx: Transaction, requester: PersonId, *, limit: int = 20) -> list[Ticket]:
    """This person's tickets: those under way first, then the newest."""
    c = store.tickets.c
    statement = (
        select(store.tickets)
        .where(asked_by(requester))
        .order_by(case((c.status == "closed", 1), else_=0), c.id.desc())
        .limit(limit)
    )
    return [store.ticket(row) for row in await tx.all(statement)]


async def unclosed_of(tx: Transaction, requester: PersonId) -> list[Ticket]:
    """This person's tickets that are not closed, the newest first."""
    return [store.ticket(row) for row in await tx.recall(_UNCLOSED_OF, {"requester": requester})]


async def unclosed_shared(tx: Transaction, person: PersonId) -> list[Ticket]:
    """Tickets of others that this person speaks in and that are not closed, the newest first."""
    return [store.ticket(row) for row in await tx.recall(_UNCLOSED_SHARED, {"person": person})]


async def shared(tx: Transaction, person: PersonId, *, limit: int = 20) -> list[Ticket]:
    """Tickets of others that this person speaks in and that were not merged: the newest first."""
    statement = select(store.tickets).where(spoken_in_by(person)).order_by(store.tickets.c.id.desc())
    return [store.ticket(row) for row in await tx.all(statement.limit(limit))]


async def absorbed(tx: Transaction, into: TicketId) -> list[TicketId]:
    """The tickets that go on as this one."""
    return [TicketId(row.id) for row in await tx.recall(_ABSORBED, {"into": into})]


async def unclosed(tx: Transaction, *, limit: int, since: datetime) -> list[TicketId]:
    """The newest tickets that are not closed, or were not before that."""
    c = store.tickets.c
    going = or_(_status(*UNCLOSED), c.closed_at >= since)
    statement = select(c.id).where(going).order_by(c.id.desc()).limit(limit)
    return [TicketId(row.id) for row in await tx.all(statement)]


async def unclosed_after(tx: Transaction, number: TicketId, *, limit: int) -> list[TicketId]:
    """The next tickets in order that are not closed."""
    rows = await tx.all(_UNCLOSED_AFTER, {"number": number, "limit": limit})
    return [TicketId(row.id) for row in rows]


async def find(
    tx: Transaction,
    actor: Actor,
    words: str,
    *also: Which,
    limit: int = 10,
    below: TicketId | None = None,
) -> list[Ticket]:
    """What `holding` says: first the one of that number, then the newest; `below`: those that come after
    the one of this number."""
    c = store.tickets.c
    named = c.id == _number(words)
    after = and_(c.id < below, not_(named)) if below is not None else true()
    order = case((named, 0), else_=1), c.id.desc()
    statement = select(store.tickets).where(holding(actor, words, *also), after).order_by(*order).limit(limit)
    return [store.ticket(row) for row in await tx.all(statement)]


async def stranded(tx: Transaction, queues: Collection[str]) -> list[TicketId]:
    """Tickets under way whose queue is none of these."""
    c = store.tickets.c
    statement = select(c.id).where(c.queue.not_in(list(queues)), _status(*UNCLOSED)).order_by(c.id)
    return [row.id for row in await tx.all(statement)]


async def all_ids(tx: Transaction) -> Sequence[TicketId]:
    """Every ticket's number, in order."""
    return [row.id for row in await tx.all(select(store.tickets.c.id).order_by(store.tickets.c.id))]


async def file_for(tx: Transaction, actor: Actor, file_id: str) -> File:
    """A file, if the actor may have it: their own, or one of a ticket they see (a note's: staff alone).

    Raises LookupError, the same for one that is hidden and one that does not exist."""
    file = await files.get(tx, file_id)
    if file is None:
        raise LookupError("no such file")
    if file.owner == actor.person_id:
        return file
    ticket = await store.find(tx, file.ticket) if file.ticket else None
    said = await store.message(tx, file.message) if file.message else None
    if ticket is None or said is None:
        raise LookupError("no such file")
    right = Right.WORK if said.kind == "note" or said.withdrawn_at else Right.SEE
    company = await doors.colleagues(tx, ticket.id)
    if not may(actor, right, requester=ticket.requester, queue=ticket.queue, company=company):
        raise LookupError("no such file")
    return file


async def every_of(tx: Transaction, requester: PersonId) -> list[Ticket]:
    """All of this person's tickets, the oldest first."""
    statement = select(store.tickets).where(asked_by(requester)).order_by(store.tickets.c.id)
    return [store.ticket(row) for row in await tx.all(statement)]


async def pressing(tx: Transaction, queues: Collection[str], *, limit: int) -> list[Ticket]:
    """Active critical and high tickets of these queues, the most urgent first."""
    c = store.tickets.c
    urgent = c.priority.in_([str(Priority.CRITICAL), str(Priority.HIGH)])
    return await _list(tx, and_(c.queue.in_(list(queues)), urgent, _status(*ACTIVE)), limit=limit)


async def held_until(
    tx: Transaction, queues: Collection[str], instant: datetime, *, limit: int
) -> list[Ticket]:
    """Tickets of these queues that are on hold until a time that comes by then, the first to come first."""
    c = store.tickets.c
    waiting = and_(c.queue.in_(list(queues)), _status(Status.ON_HOLD), c.hold_until <= instant)
    statement = select(store.tickets).where(waiting).order_by(c.hold_until, c.id).limit(limit)
    return [store.ticket(row) for row in await tx.all(statement)]
