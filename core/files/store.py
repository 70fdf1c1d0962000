"""The table of files."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Column, ForeignKey, Integer, LargeBinary, Table, bindparam, select, update
from sqlalchemy.engine import Row

from core.database.schema import Instant, Serial, Text, insert_new, metadata
from core.database.transaction import Transaction
from core.files.model import File
from core.kernel.ids import FileId, MessageId, PersonId, TicketId

files = Table(
    "files",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("mime", Text, nullable=False),
    Column("size", BigInteger, nullable=False),
    Column("sha256", Text, nullable=False),
    Column("owner_id", Serial, ForeignKey("persons.id"), nullable=False, index=True),
    Column("ticket_id", Serial, index=True),
    Column("message_id", Serial, index=True),
    Column("place", Integer, nullable=False),
    Column("at", Instant, nullable=False),
)
file_parts = Table(
    "file_parts",
    metadata,
    Column("file_id", Text, primary_key=True),
    Column("place", Integer, primary_key=True),
    Column("bytes", LargeBinary, nullable=False),
    Column("at", Instant, nullable=False),
)
"""The bytes of files, where several processes share nothing but the database."""
_ADD_PART = insert_new(file_parts)
_PART = select(file_parts.c.bytes).where(
    file_parts.c.file_id == bindparam("file"), file_parts.c.place == bindparam("at_place")
)
_OF_TICKET = (
    select(files)
    .where(files.c.ticket_id == bindparam("ticket"))
    .order_by(files.c.message_id, files.c.place, files.c.id)
)
_OF_MESSAGE = (
    select(files).where(files.c.message_id == bindparam("message")).order_by(files.c.place, files.c.id)
)
_ATTACH = (
    update(files)
    .where(files.c.id == bindparam("file"), files.c.ticket_id.is_(None))
    .values(ticket_id=bindparam("ticket"), message_id=bindparam("message"), place=bindparam("at_place"))
)


def _file(row: Row[Any]) -> File:
    return File(
        row.id, row.name, row.mime, row.size, row.sha256, row.owner_id, row.ticket_id, row.message_id, row.at
    )


async def add(tx: Transaction, file: File) -> None:
    await tx.execute(
        files.insert().values(
            id=file.id,
            name=file.name,
            mime=file.mime,
            size=file.size,
            sha256=file.sha256,
            owner_id=file.owner,
            place=0,
            at=file.at,
        )
    )


async def get(tx: Transaction, file_id: str) -> File | None:
    row = await tx.first(select(files).where(files.c.id == file_id))
    return None if row is None else _file(row)


async def of_owner(tx: Transaction, owner: PersonId, ids: Iterable[str]) -> list[File]:
    """Those of the files that this person gave, in the order asked for."""
    wanted = list(ids)
    rows = await tx.all(select(files).where(files.c.id.in_(wanted), files.c.owner_id == owner))
    return sorted((_file(row) for row in rows), key=lambda file: wanted.index(file.id))


async def of_ticket(tx: Transaction, ticket: TicketId) -> list[File]:
    rows = await tx.all(_OF_TICKET, {"ticket": ticket})
    return [_file(row) for row in rows]


async def of_message(tx: Transaction, message: MessageId) -> list[File]:
    rows = await tx.all(_OF_MESSAGE, {"message": message})
    return [_file(row) for row in rows]


async def attach(tx: Transaction, ids: Iterable[FileId], ticket: TicketId, message: MessageId) -> None:
    """The files now belong to this message of this ticket, in this order."""
    for place, file_id in enumerate(ids):
        owner = {"ticket": ticket, "message": message, "at_place": place}
        await tx.execute(_ATTACH, {"file": file_id, **owner})


async def release(tx: Transaction, message: MessageId) -> None:
    """The message's files belong to no ticket any more, and may be given to another."""
    await tx.execute(
        update(files).where(files.c.message_id == message).values(ticket_id=None, message_id=None)
    )


async def loose(tx: Transaction, before: datetime) -> list[FileId]:
    """Files given before then that no ticket owns."""
    rows = await tx.all(select(files.c.id).where(files.c.ticket_id.is_(None), files.c.at < before))
    return [row.id for row in rows]


async def forget(tx: Transaction, ids: Iterable[FileId]) -> None:
    gone = list(ids)
    await tx.execute(files.delete().where(files.c.id.in_(gone)))
    await tx.execute(file_parts.delete().where(file_parts.c.file_id.in_(gone)))


async def forget_parts(tx: Transaction, before: datetime) -> None:
    """Forget bytes that came before then and that no file came of."""
    orphaned = file_parts.c.file_id.not_in(select(files.c.id))
    await tx.execute(file_parts.delete().where(file_parts.c.at < before, orphaned))


async def add_part(tx: Transaction, file_id: str, place: int, piece: bytes) -> None:
    await tx.execute(_ADD_PART, {"file_id": file_id, "place": place, "bytes": piece, "at": tx.now})


async def part(tx: Transaction, file_id: str, place: int) -> bytes | None:
    """The bytes of a file from this place on; None after the last."""
    found: bytes | None = await tx.scalar(_PART, {"file": file_id, "at_place": place})
    return found


async def hand_over(tx: Transaction, giver: PersonId, to: PersonId) -> None:
    """What the one gave counts as given by the other."""
    await tx.execute(update(files).where(files.c.owner_id == giver).values(owner_id=to))
