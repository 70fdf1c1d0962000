"""The ranks hold, and a breach of any of them is caught: a linter nobody has seen fail is a rumour."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent

BREACHES = [
    ("core/kernel/seeded.py", "import core.database", "core.kernel.seeded -> core.database"),
    ("core/people/seeded.py", "import core.tickets", "core.people.seeded -> core.tickets"),
    ("core/outbox/seeded.py", "import core.inbox", "core.outbox.seeded -> core.inbox"),
    ("core/tickets/seeded.py", "import core.desk", "core.tickets.seeded -> core.desk"),
    ("core/tickets/seeded.py", "from bot import message", "core.tickets.seeded -> bot.message"),
    ("core/tickets/seeded.py", "import sqlalchemy.ext.asyncio", "core.tickets.seeded -> sqlalchemy"),
    ("core/people/seeded.py", "def f():\n    import sqlite3", "core.people.seeded -> sqlite3"),
    ("core/timers/seeded.py", "import apscheduler.triggers", "core.timers.seeded -> apscheduler"),
    ("core/files/seeded.py", "import aiohttp", "core.files.seeded -> aiohttp"),
    ("core/database/seeded.py", "import babel", "core.database.seeded -> babel"),
    ("core/chores/__init__.py", "", "core.chores"),
    ("bot/chores.py", "", "bot.chores"),
    ("bot/incoming.py", "import bot.message", "bot.incoming -> bot.message"),
    ("bot/message.py", "import bot.config", "bot.message -> bot.config"),
    ("bot/config/seeded.py", "import bot.adapters.port", "bot.config.seeded -> bot.adapters.port"),
    ("bot/flows/seeded.py", "import bot.web.app", "bot.flows.seeded -> bot.web.app"),
    ("bot/flows/seeded.py", "import bot.adapters", "bot.flows.seeded -> bot.adapters"),
    ("bot/flows/seeded.py", "import aiohttp.web", "bot.flows.seeded -> aiohttp"),
    ("bot/adapters/seeded.py", "import core.tickets", "bot.adapters.seeded -> core.tickets"),
    ("bot/web/seeded.py", "import sqlalchemy", "bot.web.seeded -> sqlalchemy"),
    ("bot/web/seeded.py", "import apscheduler", "bot.web.seeded -> apscheduler"),
    ("bot/logs.py", "import hypothesis", "bot.logs -> hypothesis"),
    ("bot/message.py", "import pydantic_settings", "bot.message -> pydantic_settings"),
]

Lint = subprocess.CompletedProcess[str]


def lint(tree: Path) -> Lint:
    program = Path(sys.executable).with_name("lint-imports")
    return subprocess.run(
        [program, "--no-cache"], cwd=tree, capture_output=True, text=True, timeout=100, check=False
    )


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    skip = shutil.ignore_patterns("__pycache__")
    for name in ("bot", "core"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def test_the_ranks_hold() -> None:
    result = lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(("place", "line", "named"), BREACHES, ids=[named for *_, named in BREACHES])
def test_a_breach_is_caught(tree: Path, place: str, line: str, named: str) -> None:
    path = tree / place
    path.parent.mkdir(exist_ok=True)
    before = path.read_text("utf-8") if path.exists() else ""
    path.write_text(f"{before}\n{line}\n", "utf-8")
    result = lint(tree)
    assert result.returncode == 1
    assert named in " ".join(result.stdout.split())
