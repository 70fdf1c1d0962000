"""What every test stands on."""

import os
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from bot import i18n
from bot.config.model import Database as Configured
from tests import databases, kept, postgres, twice
from tests import town as towns

# Made-up examples are the same in every usual run: who changes something is told of that alone. A deep run
# (DESKBRIDGE_TEST_STEPS) looks elsewhere each time.
settings.register_profile("usual", derandomize=True)
settings.load_profile("default" if os.environ.get("DESKBRIDGE_TEST_STEPS") else "usual")

IN_MEMORY = Path("/dev/shm")
ROOM = 2_000_000_000
"""Bytes that must be free in memory for the tests to keep their files there."""


def need_no_disk() -> None:
    """Thousands of small desks wait half their time for one. Nothing here is asked to survive the loss of
    power."""
    if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


def pytest_configure(config: pytest.Config) -> None:
    """Workers that share the tests share a server of PostgreSQL as well."""
    config.addinivalue_line("markers", "both: runs on SQLite and on PostgreSQL, though it is slow")
    config.addinivalue_line("markers", "sqlite: is about a file")
    need_no_disk()
    if config.getoption("numprocesses", None) and twice.chosen() != "sqlite" and postgres.binaries():
        postgres.begin()


def pytest_report_header() -> list[str]:
    wish = twice.chosen()
    alone = not databases.CHOSEN and wish == "sqlite"
    return [twice.HINT if alone else f"databases: {wish}"]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    twice.divide(metafunc)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    twice.alternate(items)


def pytest_unconfigure() -> None:
    kept.end()
    postgres.end()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """What a test wrote may hold anything; what one process tells another of it must be text."""
    report = yield
    report.sections = [
        (name, text.encode(errors="backslashreplace").decode()) for name, text in report.sections
    ]
    return report


@pytest.fixture(autouse=True)
def _every_sentence_is_right() -> Iterator[None]:
    with i18n.strict():
        yield


@pytest.fixture(autouse=True)
def stands_on(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """On which database the test's desks stand; what it used is empty afterwards."""
    kind: str = getattr(request, "param", databases.KINDS[0])
    if kind == databases.KINDS[0]:
        with kept.statements():
            yield kind
    else:
        postgres.needed()
        monkeypatch.setattr(databases, "ON_SERVER", True)
        monkeypatch.setattr(Configured, "folder", property(databases.folder))
        with kept.sessions():
            yield kind
    kept.clean()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[towns.Town]:
    """The demo desk with a hand-turned clock."""
    async with towns.town(tmp_path) as opened:
        yield opened
