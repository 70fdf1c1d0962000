"""Groups that became supergroups: a room keeps its name in the desk, whatever Telegram calls it now."""

from sqlalchemy import Column, Table, select

from core.database.schema import Instant, Text, insert_new, metadata
from core.database.transaction import Transaction

moves = Table(
    "telegram_moves",
    metadata,
    Column("new", Text, primary_key=True),
    Column("room", Text, nullable=False),
    Column("at", Instant, nullable=False),
)
_ADD = insert_new(moves)


async def add(tx: Transaction, room: str, new: str) -> None:
    """From now on Telegram calls this room `new`."""
    await tx.execute(_ADD, {"new": new, "room": room, "at": tx.now})


async def all_moves(tx: Transaction) -> dict[str, str]:
    """The room's name in the desk by its newest chat id."""
    return {row.new: row.room for row in await tx.all(select(moves).order_by(moves.c.at))}
