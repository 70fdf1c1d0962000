"""The desk's own timers about being on call: hand-overs, and the alarm before an hour without anybody.

There is one timer of each kind for each rota. It remembers whom the desk has told of last, so that whatever
has changed meanwhile (the hour, a swap, an absence, the configuration) is told once, however late."""

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from core.database.transaction import Transaction
from core.kernel.ids import PersonId, TicketId
from core.oncall import queries
from core.oncall.model import Rota, Shift
from core.outbox import actions as outbox
from core.outbox.model import ON_DUTY, Parcel
from core.people import store as people
from core.people.model import Person
from core.timers import actions as timers
from core.timers import store as timer_store
from core.timers.model import Timer

SHIFT, UNCOVERED = "shift", "uncovered"
NO_TICKET = TicketId(0)
"""Whose timer belongs to the desk itself."""
AHEAD = timedelta(days=8)
"""So far ahead one looks for the next change; there, one looks again."""
LOOK_BACK = timedelta(days=7)
LATE = timedelta(minutes=1)
"""What is told later than this says so."""
ALARMS = (timedelta(days=1), timedelta(hours=1))
"""So long before an hour without anybody that is told, the longer first."""


async def arrange(tx: Transaction) -> None:
    """Set the timers that the rotas want now, and no others."""
    known = await _known(tx)
    found = await queries.every_rota(tx)
    names = {rota.name for rota in found}
    for kind in (SHIFT, UNCOVERED):
        gone = {name for of_kind, name in known if of_kind == kind} - names
        await timer_store.remove_keys(tx, NO_TICKET, kind, gone)
    for rota in found:
        await _await_shift(tx, rota, known.get((SHIFT, rota.name)))
        alarmed = known.get((UNCOVERED, rota.name))
        await _await_gap(tx, rota, _told(alarmed.facts["told"]) if alarmed is not None else [])


async def _known(tx: Transaction) -> dict[tuple[str, str], Timer]:
    return {
        (kind, timer.key): timer
        for kind in (SHIFT, UNCOVERED)
        for timer in await timer_store.of_ticket(tx, NO_TICKET, kind)
    }


async def _set(tx: Transaction, kind: str, rota: Rota, due_at: datetime, facts: Mapping[str, Any]) -> None:
    await timers.set_timer(tx, NO_TICKET, kind, due_at, key=rota.name, facts=facts)


# ---- hand-overs


async def _await_shift(tx: Transaction, rota: Rota, timer: Timer | None) -> None:
    """The next hand-over; at once where somebody else is on call than was told."""
    on_now = await _id(tx, rota.on_call(tx.now))
    told = timer.facts["told"] if timer is not None else on_now
    if told == on_now:
        await _set(tx, SHIFT, rota, _change(rota, tx.now), {"told": told})
    elif timer is None or timer.due_at > tx.now:
        await _set(tx, SHIFT, rota, tx.now, {"told": told})


async def shift(tx: Transaction, timer: Timer) -> None:
    """A shift is over: who comes, who goes and the teams are told, unless nothing has changed after all."""
    rota = await queries.rota(tx, timer.key)
    if rota is None:
        return
    comes, went = await _id(tx, rota.on_call(tx.now)), timer.facts["told"]
    if comes != went:
        await _hand_over(tx, rota, comes, went, max(timer.due_at, _began(rota, tx.now)))
    await _set(tx, SHIFT, rota, _change(rota, tx.now), {"told": comes})


def _change(rota: Rota, now: datetime) -> datetime:
    return rota.until(now) or now + AHEAD


def _began(rota: Rota, now: datetime) -> datetime:
    return rota.shifts(now - LOOK_BACK, now + timedelta(microseconds=1))[-1].since


async def _hand_over(
    tx: Transaction, rota: Rota, comes: PersonId | None, went: PersonId | None, since: datetime
) -> None:
    until = rota.until(tx.now)
    facts = {
        "rota": rota.name,
        "comes": comes,
        "went": went,
        "since": since.isoformat(),
        "until": until and until.isoformat(),
        "late": tx.now - since > LATE,
    }
    if comes is not None:
        await outbox.put(tx, Parcel(ON_DUTY, facts, person=comes))
    if went is not None:
        await outbox.put(tx, Parcel("off_duty", facts, person=went))
    for space in queries.spaces_of(tx, rota):
        await outbox.put(tx, Parcel("hand_over", facts, room=space))


async def _id(tx: Transaction, name: str | None) -> PersonId | None:
    found = await queries.named(tx, [name]) if name is not None else []
    return found[0].id if found else None


# ---- hours without anybody

Told = tuple[int, datetime, datetime]
"""Which of the alarms was given for which time."""


async def _await_gap(tx: Transaction, rota: Rota, told: Sequence[Told]) -> None:
    """The next alarm; and one more look before what lies further ahead comes near."""
    coming = [due for gap in _gaps(rota, tx.now) for _, due in _alarms(gap, told)]
    due_at = max(min(coming, default=tx.now + AHEAD - 2 * ALARMS[0]), tx.now)
    await _set(tx, UNCOVERED, rota, due_at, {"told": _kept(told, tx.now)})


async def uncovered(tx: Transaction, timer: Timer) -> None:
    """Tell those who can mend it of the hours that have nobody, if they still have not."""
    rota = await queries.rota(tx, timer.key)
    if rota is None:
        return
    told = _told(timer.facts["told"])
    for gap in _gaps(rota, tx.now):
        due = [which for which, due_at in _alarms(gap, told) if due_at <= tx.now]
        if due:
            await _alarm(tx, rota, gap)
            told += [(which, gap.since, gap.until) for which in due]
    await _await_gap(tx, rota, told)


async def _alarm(tx: Transaction, rota: Rota, gap: Shift) -> None:
    facts = {"rota": rota.name, "since": gap.since.isoformat(), "until": gap.until.isoformat()}
    for person in await _who_mends(tx, rota):
        await outbox.put(tx, Parcel(UNCOVERED, facts, person=person.id))


async def _who_mends(tx: Transaction, rota: Rota) -> Sequence[Person]:
    leading = [person for person in await people.staff(tx) if queries.leads(tx, rota, person)]
    return leading or await people.admins(tx)


def _gaps(rota: Rota, now: datetime) -> list[Shift]:
    """Times without anybody that are not over, from their true beginning on; one without an end in sight
    ends very late."""
    horizon = now + AHEAD
    gaps = [gap for gap in rota.gaps(now - LOOK_BACK, horizon) if gap.until > now]
    return [gap if gap.until < horizon else Shift(None, gap.since, horizon + 365 * AHEAD) for gap in gaps]


def _alarms(gap: Shift, told: Sequence[Told]) -> list[tuple[int, datetime]]:
    """Which alarms this time still wants, and when. What is part of a time that was told of needs none."""
    return [
        (which, gap.since - before)
        for which, before in enumerate(ALARMS)
        if not any(kind == which and _covers(since, until, gap) for kind, since, until in told)
    ]


def _covers(since: datetime, until: datetime, gap: Shift) -> bool:
    endless = gap.until - gap.since > 2 * AHEAD and until - since > 2 * AHEAD
    return since <= gap.since and (endless or gap.until <= until)


def _told(kept: Sequence[tuple[int, str, str]]) -> list[Told]:
    return [
        (which, datetime.fromisoformat(since), datetime.fromisoformat(until)) for which, since, until in kept
    ]


def _kept(told: Sequence[Told], now: datetime) -> list[tuple[int, str, str]]:
    """What need be remembered still."""
    return [(which, since.isoformat(), until.isoformat()) for which, since, until in told if until > now]
