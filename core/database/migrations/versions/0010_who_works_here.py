"""Who works here is found without looking at everybody who ever wrote."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None
part = "pre"


def upgrade() -> None:
    staff = sa.text("rank > 0")
    op.create_index("ix_persons_staff", "persons", ["rank"], sqlite_where=staff, postgresql_where=staff)


def downgrade() -> None:
    """There is no way back: restore the backup taken before the upgrade."""
    raise NotImplementedError("restore a backup instead")
