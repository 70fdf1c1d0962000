"""Until when Slack was heard: what came after that is asked for when the desk hears again."""

from datetime import datetime

from sqlalchemy import Column, Table, bindparam, select

from core.database.schema import Instant, Text, insert_new, metadata
from core.database.transaction import Transaction

heard = Table(
    "slack_heard",
    metadata,
    Column("team", Text, primary_key=True),
    Column("until", Instant, nullable=False),
)

_ADD = insert_new(heard)
_CHANGE = heard.update().where(heard.c.team == bindparam("of")).values(until=bindparam("until"))
_UNTIL = select(heard.c.until).where(heard.c.team == bindparam("of"))


async def heard_until(tx: Transaction, team: str) -> datetime | None:
    """None where the workspace was never heard."""
    row = await tx.first(_UNTIL, {"of": team})
    return None if row is None else row.until


async def hear_until(tx: Transaction, team: str, until: datetime) -> None:
    """Everything up to this instant has been heard."""
    if not await tx.execute(_CHANGE, {"of": team, "until": until}):
        await tx.execute(_ADD, {"team": team, "until": until})
