"""A bot that is nothing but an HTTP client, to see the emulated Telegram from the outside."""

import io
import json
from collections.abc import AsyncIterator
from typing import Any

import aiohttp
import pytest

from tests.emulators.telegram import Telegram


class Client:
    """Calls methods and looks at the bare answers."""

    def __init__(self, telegram: Telegram, session: aiohttp.ClientSession) -> None:
        self.telegram = telegram
        self.session = session

    async def call(self, method: str, **values: Any) -> dict[str, Any]:
        """The whole answer, good or bad."""
        url = f"{self.telegram.url}/bot{self.telegram.token}/{method}"
        async with self.session.post(url, json=values) as response:
            told: dict[str, Any] = await response.json()
            assert response.status == (200 if told["ok"] else told["error_code"])
            return told

    async def get(self, method: str, **values: Any) -> Any:
        """The result of a call that must succeed."""
        told = await self.call(method, **values)
        assert told["ok"], told
        return told["result"]

    async def refusal(self, method: str, **values: Any) -> str:
        """The words of a call that must be refused."""
        told = await self.call(method, **values)
        assert not told["ok"], told
        return f"{told['error_code']} {told['description']}"

    async def upload(self, method: str, part: str, data: bytes, name: str = "a.bin", **values: Any) -> Any:
        form = aiohttp.FormData()
        for key, value in values.items():
            form.add_field(key, value if isinstance(value, str) else json.dumps(value))
        form.add_field(part, io.BytesIO(data), filename=name)
        url = f"{self.telegram.url}/bot{self.telegram.token}/{method}"
        async with self.session.post(url, data=form) as response:
            return await response.json()

    async def updates(self, **values: Any) -> list[dict[str, Any]]:
        told: list[dict[str, Any]] = await self.get("getUpdates", **values)
        return told


@pytest.fixture
async def telegram() -> AsyncIterator[Telegram]:
    """Telegram a hundred times as fast, waiting included."""
    async with Telegram(time_scale=0.01) as opened:
        yield opened


@pytest.fixture
async def bot(telegram: Telegram) -> AsyncIterator[Client]:
    async with aiohttp.ClientSession() as session:
        yield Client(telegram, session)
