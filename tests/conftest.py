"""What every test stands on."""

from collections.abc import AsyncIterator, Generator, Iterator
from pathlib import Path

import pytest

from bot import i18n
from tests import town as towns


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


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[towns.Town]:
    """The demo desk with a hand-turned clock."""
    async with towns.town(tmp_path) as opened:
        yield opened
