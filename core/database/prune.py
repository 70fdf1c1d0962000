"""Forgetting what is long over, a stretch of a table at a time, so that nobody waits for it."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import Column, delete
from sqlalchemy.engine import Row
from sqlalchemy.sql import Select

from core.database.transaction import Transaction

STRETCH = 100
"""So many rows are looked at in one transaction: two milliseconds or so of the writer's time."""


async def forget(
    tx: Transaction,
    rows: Select[Any],
    came: Column[datetime],
    *,
    before: datetime,
    after: int,
    over: Callable[[Row[Any]], bool],
) -> int | None:
    """Delete those of the next rows above the id `after` that are `over`.

    Rows came in the order of their ids: the first one that `came` not before then ends it. Returns the id
    to go on after; None at the end."""
    table = came.table
    found = await tx.all(rows.where(table.c.id > after).order_by(table.c.id).limit(STRETCH))
    old = [row for row in found if row._mapping[came] < before]
    if gone := [row.id for row in old if over(row)]:
        await tx.execute(delete(table).where(table.c.id.in_(gone)))
    return old[-1].id if len(old) == STRETCH else None
