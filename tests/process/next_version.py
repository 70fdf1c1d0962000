"""A next version of the program, made up: what a release after this one may do to the schema, and does.

Its `pre` part adds a column to the tickets, which it reads and writes from then on; its `post` part drops a
column that this version reads every two seconds, so that whoever of this version lived by then would tell.
"""

import shutil
from pathlib import Path

from core.database.migrate import HEAD

ROOT = Path(__file__).parent.parent.parent
PRE, POST = f"{int(HEAD) + 1:04}", f"{int(HEAD) + 2:04}"
SCRIPT = '''"""Made up."""

import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None
part = "{part}"


def upgrade() -> None:
    {does}
'''
COLOUR = "'blue'"
_CHANGES = {
    "core/database/migrate.py": ((f'HEAD = "{HEAD}"', f'HEAD = "{POST}"'),),
    "core/tickets/store.py": (
        (
            '    Column("level", Text, nullable=False),\n',
            '    Column("level", Text, nullable=False),\n'
            f'    Column("colour", Text, nullable=False, server_default=text("{COLOUR}")),\n',
        ),
        ("from sqlalchemy import (", "from sqlalchemy import (\n    text,"),
    ),
    "core/leases/store.py": (
        ('    Column("version", Text, nullable=False),\n', ""),
        ('            "version": replica.version,\n', ""),
        ("Replica(r.id, r.version, r.schema", 'Replica(r.id, "", r.schema'),
    ),
}


def made(folder: Path) -> Path:
    """Where it is to be imported from."""
    for package in ("bot", "core"):
        shutil.copytree(ROOT / package, folder / package, ignore=shutil.ignore_patterns("__pycache__"))
    for name, changes in _CHANGES.items():
        file = folder / name
        words = file.read_text(encoding="utf-8")
        for old, new in changes:
            assert words.count(old) == 1, f"{name} has changed: {old!r}"
            words = words.replace(old, new)
        file.write_text(words, encoding="utf-8")
    colour = f'sa.Column("colour", sa.Text(), nullable=False, server_default=sa.text("{COLOUR}"))'
    _write(folder, PRE, HEAD, "pre", f'op.add_column("tickets", {colour})')
    _write(folder, POST, PRE, "post", 'op.drop_column("replicas", "version")')
    return folder


def _write(folder: Path, revision: str, before: str, part: str, does: str) -> None:
    script = SCRIPT.format(revision=revision, before=before, part=part, does=does)
    versions = folder / "core/database/migrations/versions"
    (versions / f"{revision}_made_up.py").write_text(script, encoding="utf-8")
