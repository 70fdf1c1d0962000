"""The typed client of Slack's Web API, over one pool of connections that files are streamed through too."""

import logging

import aiohttp
from slack_sdk.web.async_client import AsyncWebClient

PATIENCE, CONNECT = 30, 10.0
"""Seconds in which Slack must have answered, and a connection must stand."""
SILENT = logging.getLogger("slack_sdk.silent")
"""The libraries' own log lines hold addresses with secrets and what people said: none is written."""
SILENT.setLevel(logging.CRITICAL + 1)


class Client:
    """Opens with its first use in a running loop. Nothing is repeated behind our back: the SDK's own second
    try of a broken connection posts a message twice."""

    def __init__(self, token: str, api_url: str) -> None:
        self._token = token
        self.api_url = f"{api_url.rstrip('/')}/"
        self._web: AsyncWebClient | None = None
        self._session: aiohttp.ClientSession | None = None

    @property
    def session(self) -> aiohttp.ClientSession:
        if self._session is None:
            timeout = aiohttp.ClientTimeout(total=PATIENCE, sock_connect=CONNECT)
            connector = aiohttp.TCPConnector(limit=64)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout)
        return self._session

    @property
    def web(self) -> AsyncWebClient:
        if self._web is None:
            self._web = AsyncWebClient(
                self._token, self.api_url, PATIENCE, session=self.session, retry_handlers=[], logger=SILENT
            )
        return self._web

    def bearer(self) -> dict[str, str]:
        """The header that private files are fetched with."""
        return {"Authorization": f"Bearer {self._token}"}

    async def close(self) -> None:
        """Let go of every connection."""
        if self._session is not None:
            await self._session.close()
        self._session = self._web = None
