"""Every adapter and every database, behind one fixture each."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from tests.contract.databases import Stand, on_server, sqlite
from tests.contract.rig import Rig
from tests.contract.slack import slack
from tests.contract.telegram import telegram
from tests.contract.webchat import webchat

RIGS: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Rig]]] = {
    "webchat": webchat,
    "telegram": telegram,
    "slack": slack,
}
STANDS: Mapping[str, Callable[[Path], AbstractAsyncContextManager[Stand]]] = {
    "sqlite": sqlite,
    "postgresql": on_server,
}


@pytest.fixture(params=RIGS)
async def rig(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Rig]:
    """One adapter after the other, connected, with people around it."""
    async with RIGS[request.param](tmp_path) as connected:
        yield connected


@pytest.fixture(params=STANDS)
async def stand(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stand]:
    """One database after the other, open and up to date."""
    async with STANDS[request.param](tmp_path) as opened:
        yield opened
