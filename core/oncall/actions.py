"""What people arrange about being on call: swaps asked and answered, covers, what is undone; absences."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from core.database.transaction import Transaction
from core.kernel.errors import Forbidden, UserError
from core.kernel.ids import PersonId
from core.oncall import duty, queries, store
from core.oncall.arranged import Arrangement, Span, State, Stretch, all_by, still_to_come
from core.oncall.model import Rota
from core.outbox import actions as outbox
from core.outbox.model import Parcel
from core.people import store as people
from core.people.model import Actor, Person

LONGEST = timedelta(days=366)


async def ask_swap(
    tx: Transaction, actor: Actor, rota: Rota, other: Person, gives: Sequence[Span], takes: Sequence[Span]
) -> Arrangement:
    """Ask `other` to be on call instead of the actor in `gives`, and the other way round in `takes`."""
    person = _person(actor)
    _fits(tx, rota, other)
    if other.id == person.id:
        raise UserError("oncall.with_oneself")
    gives, takes = _to_come(tx, gives), still_to_come(takes, tx.now)
    _is_theirs(rota, person.name, gives)
    _is_theirs(rota, other.name, takes)
    stretches = [Stretch(other.id, person.id, *span) for span in gives]
    stretches += [Stretch(person.id, other.id, *span) for span in takes]
    for each in await store.not_over(tx, tx.now):
        same = (each.rota, each.by, each.stretches) == (rota.name, person.id, tuple(stretches))
        if same and each.state is State.ASKED:
            raise UserError("oncall.asked_already", name=other.name)
    made = await _add(tx, rota, "swap", person, other, stretches, State.ASKED)
    await outbox.put(tx, _question(made))
    return made


def _question(swap: Arrangement) -> Parcel:
    """The question to whoever is asked, which shows later what became of it."""
    return Parcel("swap", {"arrangement": swap.id}, person=swap.other, slot=f"swap:{swap.id}")


async def answer_swap(tx: Transaction, actor: Actor, which: int, *, accepted: bool) -> Arrangement:
    """Whoever was asked says yes or no. Raises UserError where it is too late for either."""
    swap, person = await _still(tx, which, State.ASKED), _person(actor)
    if swap.other != person.id:
        raise Forbidden("oncall.asked_other", name=(await people.get(tx, swap.other)).name)
    answer = (State.MADE if await _holds(tx, swap) else State.VOID) if accepted else State.DECLINED
    swap = await _settle(tx, swap, answer)
    await outbox.put(tx, _question(swap))
    await _tell(tx, swap, actor, but=(person.id,))
    return swap


async def _holds(tx: Transaction, swap: Arrangement) -> bool:
    """Whether those are on call still whom it is about."""
    rota = await queries.rota(tx, swap.rota)
    for each in swap.stretches:
        assert each.instead is not None
        name = (await people.get(tx, each.instead)).name
        if rota is None or not all_by(rota, name, (max(each.since, tx.now), each.until)):
            return False
    return True


async def cover(
    tx: Transaction, actor: Actor, rota: Rota, other: Person, spans: Sequence[Span]
) -> Arrangement:
    """`other` is on call instead of whoever would be. Agents say so of themselves, leads of anybody."""
    person = _person(actor)
    if other.id != person.id and not queries.leads(tx, rota, person):
        raise Forbidden("oncall.leads_only", name=other.name)
    _fits(tx, rota, other)
    staff = {each.name: each.id for each in await people.staff(tx)}
    stretches = [
        Stretch(other.id, staff.get(shift.person) if shift.person else None, shift.since, shift.until)
        for span in _to_come(tx, spans)
        for shift in rota.shifts(*span)
        if shift.person != other.name
    ]
    if not stretches:
        raise UserError("oncall.already", name=other.name)
    made = await _add(tx, rota, "cover", person, other, stretches, State.MADE)
    await _tell(tx, made, actor, but=(person.id,))
    await duty.arrange(tx)
    return made


async def undo(tx: Transaction, actor: Actor, which: int) -> Arrangement:
    """Everything is as if it had not been arranged. Those whom it concerns may, and who leads there."""
    before, person = await _still(tx, which, State.ASKED, State.MADE), _person(actor)
    rota = await queries.rota(tx, before.rota)
    leads = rota is not None and queries.leads(tx, rota, person)
    if person.id not in before.concerned and not leads:
        raise Forbidden("oncall.others")
    after = await _settle(tx, before, State.UNDONE)
    if before.kind == "swap":
        await outbox.put(tx, _question(after))
    if before.state is State.MADE:
        await _tell(tx, after, actor, but=(person.id,))
    return after


async def _still(tx: Transaction, which: int, *states: State) -> Arrangement:
    """Raises UserError for one that is over, or was settled otherwise."""
    found = await store.find(tx, which)
    if found is None or found.state not in states or found.over_at <= tx.now:
        raise UserError("press.over")
    return found


async def _settle(tx: Transaction, which: Arrangement, state: State) -> Arrangement:
    await store.settle(tx, which.id, state)
    await duty.arrange(tx)
    return replace(which, state=state)


async def _add(
    tx: Transaction,
    rota: Rota,
    kind: str,
    by: Person,
    other: Person,
    stretches: Sequence[Stretch],
    state: State,
) -> Arrangement:
    new = Arrangement(0, rota.name, kind, by.id, other.id, tuple(stretches), state, tx.now)
    return replace(new, id=await store.add(tx, new))


async def _tell(tx: Transaction, which: Arrangement, actor: Actor, *, but: Sequence[PersonId]) -> None:
    """Those whom it concerns are told what became of it; the teams too, where it changes who is on call."""
    facts = {"arrangement": which.id, "state": which.state, "actor": actor.person_id}
    for person in which.concerned:
        if person not in but:
            await outbox.put(tx, Parcel("arranged", facts, person=person))
    rota = await queries.rota(tx, which.rota)
    if rota is not None and which.state in (State.MADE, State.UNDONE):
        for space in queries.spaces_of(tx, rota):
            await outbox.put(tx, Parcel("arranged", facts, room=space))


def _person(actor: Actor) -> Person:
    assert actor.person is not None
    return actor.person


def _fits(tx: Transaction, rota: Rota, other: Person) -> None:
    if not queries.serves(tx, rota, other):
        raise UserError("oncall.not_there", name=other.name, rota=rota.name)


def _to_come(tx: Transaction, spans: Sequence[Span]) -> list[Span]:
    left = still_to_come(spans, tx.now)
    if not left:
        raise UserError("oncall.past")
    return left


def _is_theirs(rota: Rota, name: str, spans: Sequence[Span]) -> None:
    if not all(all_by(rota, name, span) for span in spans):
        raise UserError("oncall.not_theirs", name=name, rota=rota.name)


# ---- who is away


async def leave(tx: Transaction, actor: Actor, since: datetime, until: datetime) -> Span:
    """The actor is passed over in that time, from now on at the earliest. Returns what that is."""
    since = max(since, tx.now)
    if until <= since:
        raise UserError("oncall.past")
    if until - tx.now > LONGEST:
        raise UserError("oncall.too_long")
    await store.add_absence(tx, _person(actor).id, since, until)
    await duty.arrange(tx)
    return since, until


async def come_back(tx: Transaction, actor: Actor) -> bool:
    """The actor is here again, and will be. False where they were not to be away."""
    ended = await store.end_absences(tx, _person(actor).id)
    await duty.arrange(tx)
    return bool(ended)
