"""The tables of dialogs and of what each conversation was last about."""

from collections.abc import Collection
from typing import Any

from sqlalchemy import (
    Column,
    ForeignKey,
    Integer,
    Table,
    UniqueConstraint,
    bindparam,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.engine import Row

from core.database.schema import Instant, Json, Serial, Text, metadata, serial_key
from core.database.transaction import Transaction
from core.dialogs.model import Dialog
from core.kernel.ids import DialogId, PersonId, TicketId

dialogs = Table(
    "dialogs",
    metadata,
    serial_key(),
    Column("room", Text, nullable=False),
    Column("person_id", Serial, ForeignKey("persons.id"), nullable=False, index=True),
    Column("flow", Text, nullable=False),
    Column("step", Text, nullable=False),
    Column("draft", Json, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("slot", Text),
    Column("updated_at", Instant, nullable=False),
    UniqueConstraint("room", "person_id", name="uq_dialogs_place"),
    sqlite_autoincrement=True,
)

talks = Table(
    "talks",
    metadata,
    Column("room", Text, primary_key=True),
    Column("person_id", Serial, primary_key=True, index=True),
    Column("ticket_id", Serial, nullable=False),
    Column("at", Instant, nullable=False),
)

_ROOM, _PERSON = bindparam("room", type_=Text), bindparam("person", type_=Serial)
_AT = select(dialogs).where(dialogs.c.room == _ROOM, dialogs.c.person_id == _PERSON)
_GET = select(dialogs).where(dialogs.c.id == bindparam("dialog"))
_START = dialogs.insert().returning(dialogs)
_SAVE = dialogs.update().where(dialogs.c.id == bindparam("dialog"))
_END = delete(dialogs).where(dialogs.c.room == _ROOM, dialogs.c.person_id == _PERSON)
_ABOUT = select(talks.c.ticket_id).where(talks.c.room == _ROOM, talks.c.person_id == _PERSON)
_TURN = talks.update().where(
    talks.c.room == bindparam("in_room"), talks.c.person_id == bindparam("of_person")
)
_TURN_TO = talks.insert()


def _dialog(row: Row[Any]) -> Dialog:
    return Dialog(row.id, row.room, row.person_id, row.flow, row.step, row.draft, row.revision, row.slot)


async def at(tx: Transaction, room: str, person: PersonId) -> Dialog | None:
    """The dialog this person has under way here."""
    return next((_dialog(row) for row in await tx.recall(_AT, {"room": room, "person": person})), None)


async def newest(tx: Transaction, space: str, person: PersonId) -> Dialog | None:
    """The last dialog of this person to go on in the conversation or in a thread of it."""
    statement = (
        select(dialogs)
        .where(
            dialogs.c.person_id == person,
            or_(dialogs.c.room == space, dialogs.c.room.startswith(f"{space}#", autoescape=True)),
        )
        .order_by(dialogs.c.updated_at.desc(), dialogs.c.id.desc())
        .limit(1)
    )
    row = await tx.first(statement)
    return None if row is None else _dialog(row)


async def get(tx: Transaction, dialog_id: DialogId) -> Dialog | None:
    row = await tx.first(_GET, {"dialog": dialog_id})
    return None if row is None else _dialog(row)


async def start(tx: Transaction, dialog: Dialog) -> Dialog:
    """Begin a dialog; one already under way in the same place gives way."""
    if await at(tx, dialog.room, dialog.person) is not None:
        await end(tx, dialog.room, dialog.person)
    values = {
        "room": dialog.room,
        "person_id": dialog.person,
        "flow": dialog.flow,
        "step": dialog.step,
        "draft": dialog.draft,
        "revision": dialog.revision,
        "slot": dialog.slot,
        "updated_at": tx.now,
    }
    row = await tx.first(_START, values)
    assert row is not None
    return _dialog(row)


async def save(tx: Transaction, dialog: Dialog) -> None:
    where = {"step": dialog.step, "draft": dialog.draft, "revision": dialog.revision, "slot": dialog.slot}
    await tx.execute(_SAVE, {"dialog": dialog.id, "updated_at": tx.now, **where})


async def end(tx: Transaction, room: str, person: PersonId) -> None:
    await tx.execute(_END, {"room": room, "person": person})


async def leave(tx: Transaction, space: str, person: PersonId) -> None:
    """The person is not in this conversation any more, nor in a thread of it: nothing goes on there."""
    for table in (dialogs, talks):
        there = or_(table.c.room == space, table.c.room.startswith(f"{space}#", autoescape=True))
        await tx.execute(delete(table).where(table.c.person_id == person, there))


async def all_under_way(tx: Transaction) -> list[Dialog]:
    return [_dialog(row) for row in await tx.all(select(dialogs).order_by(dialogs.c.id))]


async def rooms_of(tx: Transaction, platform: str) -> list[str]:
    """Where on this platform a dialog is under way."""
    statement = select(dialogs.c.room).where(dialogs.c.room.startswith(f"{platform}:", autoescape=True))
    return [row.room for row in await tx.all(statement)]


async def holding(tx: Transaction, texts: Collection[str]) -> set[str]:
    """Those of the texts that stand in the draft of a dialog under way."""
    drafts = [str(dialog.draft) for dialog in await all_under_way(tx)]
    return {each for each in texts if any(each in draft for draft in drafts)}


async def about(tx: Transaction, room: str, person: PersonId) -> TicketId | None:
    """The ticket last talked about here."""
    found: TicketId | None = await tx.scalar(_ABOUT, {"room": room, "person": person})
    return found


async def turn_to(tx: Transaction, room: str, person: PersonId, ticket: TicketId) -> None:
    """From now on the talk here is about this ticket."""
    about = {"ticket_id": ticket, "at": tx.now}
    if not await tx.execute(_TURN, {"in_room": room, "of_person": person, **about}):
        await tx.execute(_TURN_TO, {"room": room, "person_id": person, **about})


async def hand_over(tx: Transaction, giver: PersonId, to: PersonId) -> None:
    """What the one stood in goes on with the other, who keeps what they have under way in the same place."""
    for table in (dialogs, talks):
        there = select(table.c.room).where(table.c.person_id == to)
        await tx.execute(delete(table).where(table.c.person_id == giver, table.c.room.in_(there)))
        await tx.execute(update(table).where(table.c.person_id == giver).values(person_id=to))
