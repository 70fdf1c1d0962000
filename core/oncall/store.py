"""The tables of what people arrange among themselves, and of who is away."""

from datetime import datetime
from typing import Any

from sqlalchemy import Column, ForeignKey, Table, bindparam, select
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, Serial, Text, metadata, serial_key
from core.database.transaction import Transaction
from core.kernel.ids import PersonId
from core.oncall.arranged import Arrangement, State, Stretch

arrangements = Table(
    "arrangements",
    metadata,
    serial_key(),
    Column("rota", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("by_id", Serial, ForeignKey("persons.id"), nullable=False),
    Column("other_id", Serial, ForeignKey("persons.id"), nullable=False),
    Column("stretches", Json, nullable=False),
    Column("state", Text, nullable=False),
    Column("made_at", Instant, nullable=False),
    Column("over_at", Instant, nullable=False, index=True),
)

absences = Table(
    "absences",
    metadata,
    serial_key(),
    Column("person_id", Serial, ForeignKey("persons.id"), nullable=False),
    Column("since", Instant, nullable=False),
    Column("until", Instant, nullable=False, index=True),
)

_ADD = arrangements.insert().returning(arrangements.c.id)
_GET = select(arrangements).where(arrangements.c.id == bindparam("which"))
_SETTLE = arrangements.update().where(arrangements.c.id == bindparam("which"))
_AFTER = (
    select(arrangements)
    .where(arrangements.c.over_at > bindparam("instant", type_=Instant))
    .order_by(arrangements.c.id)
)
_ADD_ABSENCE = absences.insert()
_AWAY_AFTER = (
    select(absences)
    .where(absences.c.until > bindparam("instant", type_=Instant))
    .order_by(absences.c.since, absences.c.id)
)
_END_ABSENCE = absences.update().where(
    absences.c.person_id == bindparam("person"), absences.c.until > bindparam("instant", type_=Instant)
)


def _arrangement(row: Row[Any]) -> Arrangement:
    return Arrangement(
        row.id,
        row.rota,
        row.kind,
        PersonId(row.by_id),
        PersonId(row.other_id),
        tuple(_stretch(*each) for each in row.stretches),
        State(row.state),
        row.made_at,
    )


def _stretch(person: int, instead: int | None, since: str, until: str) -> Stretch:
    before = None if instead is None else PersonId(instead)
    return Stretch(PersonId(person), before, datetime.fromisoformat(since), datetime.fromisoformat(until))


async def add(tx: Transaction, new: Arrangement) -> int:
    """Keep a new one; the id of `new` is not looked at."""
    values = {
        "rota": new.rota,
        "kind": new.kind,
        "by_id": new.by,
        "other_id": new.other,
        "stretches": [
            [each.person, each.instead, each.since.isoformat(), each.until.isoformat()]
            for each in new.stretches
        ],
        "state": new.state,
        "made_at": new.made_at,
        "over_at": new.over_at,
    }
    return int(await tx.scalar(_ADD, values))


async def find(tx: Transaction, which: int) -> Arrangement | None:
    row = await tx.first(_GET, {"which": which})
    return None if row is None else _arrangement(row)


async def settle(tx: Transaction, which: int, state: State) -> None:
    await tx.execute(_SETTLE, {"which": which, "state": state})


async def not_over(tx: Transaction, instant: datetime) -> list[Arrangement]:
    """Everything of which something comes after that instant, in the order it was made."""
    return [_arrangement(row) for row in await tx.all(_AFTER, {"instant": instant})]


Away = tuple[PersonId, datetime, datetime]
"""Who is away from when to when."""


async def add_absence(tx: Transaction, person: PersonId, since: datetime, until: datetime) -> None:
    await tx.execute(_ADD_ABSENCE, {"person_id": person, "since": since, "until": until})


async def away_after(tx: Transaction, instant: datetime) -> list[Away]:
    """Every absence that is not over by then, the first to begin first."""
    rows = await tx.all(_AWAY_AFTER, {"instant": instant})
    return [(PersonId(row.person_id), row.since, row.until) for row in rows]


async def end_absences(tx: Transaction, person: PersonId) -> int:
    """This person is here from now on, also where they would have been away later. Returns how many
    absences that ends."""
    return await tx.execute(_END_ABSENCE, {"person": person, "instant": tx.now, "until": tx.now})
