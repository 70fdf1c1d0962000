"""A server that sorts by the rules of a language finds slots by their bytes."""

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
part = "pre"


def upgrade() -> None:
    if op.get_bind().dialect.name != "postgresql":
        return
    waiting = sa.text("state IN ('pending', 'uncertain', 'sending')")
    for name, table, where in (("ix_posts_slot", "posts", None), ("ix_outbox_slot", "outbox", waiting)):
        op.drop_index(name, table)
        op.create_index(
            name, table, ["slot"], postgresql_where=where, postgresql_ops={"slot": "text_pattern_ops"}
        )


def downgrade() -> None:
    """There is no way back: restore the backup taken before the upgrade."""
    raise NotImplementedError("restore a backup instead")
