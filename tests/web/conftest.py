"""The server of each test."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from bot.web.settings import WebSettings
from tests.web import rig as rigs

Rigs = Callable[[WebSettings], AbstractAsyncContextManager[rigs.Rig]]


@pytest.fixture
async def rig(tmp_path: Path) -> AsyncIterator[rigs.Rig]:
    async with rigs.rig(tmp_path) as made:
        yield made


@pytest.fixture
def rig_with(tmp_path: Path) -> Rigs:
    """A server with other settings."""
    return lambda settings: rigs.rig(tmp_path, settings)
