"""The table of the rules that tickets were counted by last."""

from sqlalchemy import Column, Table, bindparam, select

from core.database.schema import Text, insert_new, metadata
from core.database.transaction import Transaction

counted = Table(
    "counted",
    metadata,
    Column("what", Text, primary_key=True),
    Column("digest", Text, nullable=False),
)

_DIGEST = select(counted.c.digest).where(counted.c.what == bindparam("which"))
_ADD = insert_new(counted)
_CHANGE = counted.update().where(counted.c.what == bindparam("which"))


async def digest(tx: Transaction, what: str) -> str | None:
    """By which rules this was counted last; None before the first time."""
    told: str | None = await tx.scalar(_DIGEST, {"which": what})
    return told


async def save(tx: Transaction, what: str, told: str) -> None:
    """Everything is counted by these rules now."""
    if not await tx.execute(_CHANGE, {"which": what, "digest": told}):
        await tx.execute(_ADD, {"what": what, "digest": told})
