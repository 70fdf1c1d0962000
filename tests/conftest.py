"""What every test stands on."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from bot import i18n
from tests import town as towns


@pytest.fixture(autouse=True)
def _every_sentence_is_right() -> Iterator[None]:
    with i18n.strict():
        yield


@pytest.fixture
async def town(tmp_path: Path) -> AsyncIterator[towns.Town]:
    """The demo desk with a hand-turned clock."""
    async with towns.town(tmp_path) as opened:
        yield opened
