"""Promises are counted on calendars; a clock knows each of its pauses, not only how long they were."""

import json
from datetime import UTC, datetime, timedelta

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def upgrade() -> None:
    op.add_column("clocks", sa.Column("calendar", sa.Text(), nullable=False, server_default="always"))
    op.add_column("clocks", sa.Column("pauses", sa.Text(), nullable=False, server_default="[]"))
    op.add_column("clocks", sa.Column("warn_at", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("UPDATE clocks SET warn_at = due_at - length / 4")
    _put_pauses_together()
    op.drop_column("clocks", "paused_for")
    op.create_table(
        "counted",
        sa.Column("what", sa.Text(), nullable=False),
        sa.Column("digest", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("what", name=op.f("pk_counted")),
    )
    op.add_column("persons", sa.Column("vip", sa.Boolean(), nullable=False, server_default=sa.false()))


def _put_pauses_together() -> None:
    """What a clock has stood still so far is one pause after its beginning: it is due when it was."""
    connection = op.get_bind()
    paused = sa.text(
        "SELECT ticket_id, target, started_at, paused_for, paused_at FROM clocks"
        " WHERE paused_for > 0 OR paused_at IS NOT NULL"
    )
    for ticket, target, started_at, paused_for, paused_at in connection.execute(paused).fetchall():
        pauses: list[tuple[str, str | None]] = []
        if paused_for:
            pauses.append((_told(started_at), _told(started_at + paused_for)))
        if paused_at is not None:
            pauses.append((_told(paused_at), None))
        connection.execute(
            sa.text("UPDATE clocks SET pauses = :pauses WHERE ticket_id = :ticket AND target = :target"),
            {"pauses": json.dumps(pauses), "ticket": ticket, "target": target},
        )


def _told(microseconds: int) -> str:
    return (_EPOCH + timedelta(microseconds=microseconds)).isoformat()


def downgrade() -> None:
    """There is no way back: restore the backup taken before the upgrade."""
    raise NotImplementedError("restore a backup instead")
