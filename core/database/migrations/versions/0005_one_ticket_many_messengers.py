"""One ticket in many messengers: accounts that their owner joined, searches, bursts."""

import sqlalchemy as sa
from alembic import op

from core.kernel import text as texts

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

SERIAL = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    company_and_merging()
    where_people_are_reached()
    linked_accounts()
    searches_and_bursts()
    words_across()
    names_as_they_are_compared()


def linked_accounts() -> None:
    op.add_column(
        "persons", sa.Column("language_chosen", sa.Boolean(), nullable=False, server_default=sa.false())
    )
    op.add_column("persons", sa.Column("became", SERIAL, nullable=True))
    op.add_column("identities", sa.Column("linked_at", sa.BigInteger(), nullable=True))
    op.create_table(
        "link_codes",
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("room", sa.Text(), nullable=False),
        sa.Column("seed", sa.Text(), nullable=False),
        sa.Column("code_hash", sa.Text(), nullable=False),
        sa.Column("over_at", sa.BigInteger(), nullable=False),
        sa.Column("written_by", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("identity", name=op.f("pk_link_codes")),
        sa.UniqueConstraint("code_hash", name=op.f("uq_link_codes_code_hash")),
    )
    op.create_table(
        "link_guesses",
        sa.Column(
            "id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False
        ),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_link_guesses")),
    )
    op.create_index(op.f("ix_link_guesses_identity"), "link_guesses", ["identity"])
    op.create_index(op.f("ix_messages_author_id"), "messages", ["author_id"])
    op.create_index(op.f("ix_files_owner_id"), "files", ["owner_id"])
    op.create_index(op.f("ix_dialogs_person_id"), "dialogs", ["person_id"])
    op.create_index(op.f("ix_talks_person_id"), "talks", ["person_id"])


def searches_and_bursts() -> None:
    op.create_table(
        "searches",
        sa.Column("id", SERIAL, autoincrement=True, nullable=False),
        sa.Column("person_id", SERIAL, nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["person_id"], ["persons.id"], name=op.f("fk_searches_person_id_persons")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_searches")),
        sa.UniqueConstraint("person_id", name="uq_searches_person"),
        sqlite_autoincrement=True,
    )
    op.create_table(
        "bursts",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("last", sa.BigInteger(), nullable=False),
        sa.Column("times", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_bursts")),
    )
    op.add_column("messages", sa.Column("flood", sa.Text(), nullable=True))


def words_across() -> None:
    op.add_column("messages", sa.Column("marks", sa.Text(), nullable=True))
    op.add_column("messages", sa.Column("answers_id", SERIAL, nullable=True))
    op.create_index(op.f("ix_messages_answers_id"), "messages", ["answers_id"])


def names_as_they_are_compared() -> None:
    op.add_column("persons", sa.Column("folded", sa.Text(), nullable=False, server_default=""))
    op.create_index(op.f("ix_persons_folded"), "persons", ["folded"])
    persons = sa.table("persons", sa.column("id"), sa.column("name"), sa.column("folded"))
    fold = persons.update().where(persons.c.id == sa.bindparam("person"))
    for person, name in op.get_bind().execute(sa.select(persons.c.id, persons.c.name)).all():
        op.get_bind().execute(fold, {"person": person, "folded": texts.search_text(name)})


def where_people_are_reached() -> None:
    op.add_column("persons", sa.Column("reach", sa.Text(), nullable=True))


def company_and_merging() -> None:
    op.create_table(
        "participants",
        sa.Column("ticket_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("person_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["person_id"], ["persons.id"], name=op.f("fk_participants_person_id_persons")
        ),
        sa.ForeignKeyConstraint(
            ["ticket_id"], ["tickets.id"], name=op.f("fk_participants_ticket_id_tickets")
        ),
        sa.PrimaryKeyConstraint("ticket_id", "person_id", name=op.f("pk_participants")),
    )
    op.create_index("ix_participants_person", "participants", ["person_id", "ticket_id"])
    serial = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
    op.add_column("tickets", sa.Column("merged_into", serial, nullable=True))
    op.add_column("tickets", sa.Column("related", sa.Text(), server_default="[]", nullable=False))
    op.create_index("ix_tickets_merged", "tickets", ["merged_into"])
    closed = sa.text("status = 'closed'")
    op.create_index(
        "ix_tickets_closed_owner",
        "tickets",
        ["owner_id", "id"],
        sqlite_where=closed,
        postgresql_where=closed,
    )


def downgrade() -> None:
    """There is no way back: restore the backup taken before the upgrade."""
    raise NotImplementedError("restore a backup instead")
