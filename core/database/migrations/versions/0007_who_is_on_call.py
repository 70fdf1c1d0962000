"""What people arrange among themselves about being on call, and who is away."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    op.create_table(
        "arrangements",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("rota", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("by_id", SERIAL, nullable=False),
        sa.Column("other_id", SERIAL, nullable=False),
        sa.Column("stretches", sa.Text(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("made_at", sa.BigInteger(), nullable=False),
        sa.Column("over_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["by_id"], ["persons.id"], name="fk_arrangements_by_id_persons"),
        sa.ForeignKeyConstraint(["other_id"], ["persons.id"], name="fk_arrangements_other_id_persons"),
        sa.PrimaryKeyConstraint("id", name="pk_arrangements"),
    )
    op.create_index("ix_arrangements_over_at", "arrangements", ["over_at"])
    op.create_table(
        "absences",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("person_id", SERIAL, nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("until", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name="fk_absences_person_id_persons"),
        sa.PrimaryKeyConstraint("id", name="pk_absences"),
    )
    op.create_index("ix_absences_until", "absences", ["until"])


def downgrade() -> None:
    """There is no way back: restore the backup taken before the upgrade."""
    raise NotImplementedError("restore a backup instead")
