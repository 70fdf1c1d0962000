"""What every test stands on."""

import os
import shutil
from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from bot import i18n
from tests import postgres
from tests import town as towns

IN_MEMORY = Path("/dev/shm")
ROOM = 2_000_000_000
"""Bytes that must be free in memory for the tests to keep their files there."""


def pytest_configure() -> None:
    """Thousands of small desks need no disk: each waits half its time for one. Nothing here is asked to
    survive the loss of power."""
    if os.access(IN_MEMORY, os.W_OK) and shutil.disk_usage(IN_MEMORY).free > ROOM:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(IN_MEMORY))


def pytest_sessionfinish() -> None:
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
def _databases_are_empty() -> Iterator[None]:
    yield
    postgres.clean()


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[towns.Town]:
    """The demo desk with a hand-turned clock."""
    async with towns.town(tmp_path) as opened:
        yield opened
