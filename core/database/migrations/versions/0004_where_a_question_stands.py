"""The message that shows a dialog's question, which the next question may take over."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("dialogs", sa.Column("slot", sa.Text(), nullable=True))
    op.execute("UPDATE dialogs SET slot = 'dialog:' || id || ':' || revision")


def downgrade() -> None:
    """There is no way back: restore the backup taken before the upgrade."""
    raise NotImplementedError("restore a backup instead")
