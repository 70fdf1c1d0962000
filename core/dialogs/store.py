"""The tables of dialogs and of what each conversation was last about."""

from typing import Any

from sqlalchemy import Column, ForeignKey, Integer, Table, Text, UniqueConstraint, delete, select, update
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, Serial, metadata, serial_key
from core.database.transaction import Transaction
from core.dialogs.model import Dialog
from core.kernel.ids import DialogId, PersonId, TicketId

dialogs = Table(
    "dialogs",
    metadata,
    serial_key(),
    Column("room", Text, nullable=False),
    Column("person_id", Serial, ForeignKey("persons.id"), nullable=False),
    Column("flow", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("draft", Json, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("room", "person_id", name="uq_dialogs_place"),
    sqlite_autoincrement=True,
)

talks = Table(
    "talks",
    metadata,
    Column("room", Text, primary_key=True),
    Column("person_id", Serial, primary_key=True),
    Column("ticket_id", Serial, nullable=False),
    Column("at", Instant, nullable=False),
)


def _dialog(row: Row[Any]) -> Dialog:
    return Dialog(row.id, row.room, row.person_id, row.flow, row.step, row.draft, row.revision)


async def at(tx: Transaction, room: str, person: PersonId) -> Dialog | None:
    """The dialog this person has under way here."""
    row = await tx.first(select(dialogs).where(dialogs.c.room == room, dialogs.c.person_id == person))
    return None if row is None else _dialog(row)


async def get(tx: Transaction, dialog_id: DialogId) -> Dialog | None:
    row = await tx.first(select(dialogs).where(dialogs.c.id == dialog_id))
    return None if row is None else _dialog(row)


async def start(tx: Transaction, dialog: Dialog) -> Dialog:
    """Begin a dialog; one already under way in the same place gives way."""
    await end(tx, dialog.room, dialog.person)
    row = await tx.first(
        dialogs.insert()
        .values(
            room=dialog.room,
            person_id=dialog.person,
            flow=dialog.flow,
            step=dialog.step,
            draft=dialog.draft,
            revision=dialog.revision,
            updated_at=tx.now,
        )
        .returning(dialogs)
    )
    assert row is not None
    return _dialog(row)


async def save(tx: Transaction, dialog: Dialog) -> None:
    await tx.execute(
        update(dialogs)
        .where(dialogs.c.id == dialog.id)
        .values(step=dialog.step, draft=dialog.draft, revision=dialog.revision, updated_at=tx.now)
    )


async def end(tx: Transaction, room: str, person: PersonId) -> None:
    await tx.execute(delete(dialogs).where(dialogs.c.room == room, dialogs.c.person_id == person))


async def about(tx: Transaction, room: str, person: PersonId) -> TicketId | None:
    """The ticket last talked about here."""
    found: TicketId | None = await tx.scalar(
        select(talks.c.ticket_id).where(talks.c.room == room, talks.c.person_id == person)
    )
    return found


async def turn_to(tx: Transaction, room: str, person: PersonId, ticket: TicketId) -> None:
    """From now on the talk here is about this ticket."""
    await tx.execute(delete(talks).where(talks.c.room == room, talks.c.person_id == person))
    await tx.execute(talks.insert().values(room=room, person_id=person, ticket_id=ticket, at=tx.now))
