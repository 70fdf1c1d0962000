"""Pings that were asked in one message know each other; a ticket knows when the desk last did something."""

import sqlalchemy as sa
from alembic import op

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_PROGRESS = """
UPDATE tickets SET progress_at = (
    SELECT max(at) FROM events WHERE events.ticket_id = tickets.id AND (
        kind IN ('opened', 'claimed', 'released', 'passed', 'replied', 'noted', 'waited', 'held', 'resumed', 'resolved', 'reopened', 'unmerged')
        OR (kind IN ('prioritised', 'requeued', 'levelled') AND actor_id IS NOT NULL)
    )
)
"""


def upgrade() -> None:
    op.add_column("pings", sa.Column("together", SERIAL))
    op.create_index("ix_pings_person", "pings", ["person_id", "sent_at"])
    op.create_index("ix_pings_together", "pings", ["together"])
    op.add_column("tickets", sa.Column("progress_at", sa.BigInteger()))
    op.execute(_PROGRESS)


def downgrade() -> None:
    """There is no way back: restore the backup taken before the upgrade."""
    raise NotImplementedError("restore a backup instead")
