"""The client's HTTP layer over aiohttp: one pool of connections, files streamed, the token in no message."""

import asyncio
import json
from typing import Any

import aiohttp
from telegram._utils.defaultvalue import DefaultValue
from telegram.error import NetworkError, TelegramError, TimedOut
from telegram.request import BaseRequest, RequestData

CONNECT = 10.0
"""Seconds in which a connection must stand."""
CONNECTIONS = 256
"""More than poller, delivery and fetching of files ever need at once: none of them waits for the others."""


class Unsent(NetworkError):
    """The request never reached the server: to repeat it cannot double anything."""


class Request(BaseRequest):
    """What `telegram.Bot` sends its requests with."""

    def __init__(self, *, connections: int = CONNECTIONS, read_timeout: float = 15.0) -> None:
        self._connections = connections
        self._read_timeout = read_timeout
        self._session: aiohttp.ClientSession | None = None

    @property
    def read_timeout(self) -> float:
        return self._read_timeout

    @property
    def session(self) -> aiohttp.ClientSession:
        """The pool, which files are fetched through as well."""
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=self._connections)
            self._session = aiohttp.ClientSession(connector=connector)
        return self._session

    async def initialize(self) -> None:
        """Nothing to open: the pool opens with the first request."""

    async def shutdown(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    @staticmethod
    def parse_json_payload(payload: bytes) -> dict[str, Any]:
        """The answer. Raises TelegramError, which repeats nothing of it, for what is none."""
        try:
            answer = json.loads(payload.decode(errors="replace"))
        except (ValueError, RecursionError):
            raise TelegramError("the answer is no JSON") from None
        if not isinstance(answer, dict) or not ("result" in answer or answer.get("ok") is False):
            raise TelegramError("the answer is none of the Bot API's")
        return answer

    async def do_request(
        self,
        url: str,
        method: str,
        request_data: RequestData | None = None,
        read_timeout: Any = None,
        write_timeout: Any = None,
        connect_timeout: Any = None,
        pool_timeout: Any = None,
    ) -> tuple[int, bytes]:
        """One request. Raises Unsent when no connection came about, TimedOut or NetworkError after that."""
        patience = _seconds(read_timeout, self._read_timeout)
        timeout = aiohttp.ClientTimeout(total=None, sock_connect=CONNECT, sock_read=patience)
        try:
            async with self.session.request(method, url, timeout=timeout, **_content(request_data)) as answer:
                return _outcome(answer.status, await answer.read())
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unsent(f"no connection ({type(error).__name__})") from None
        except (TimeoutError, asyncio.TimeoutError):  # noqa: UP041 - one and the same since 3.11
            raise TimedOut("no answer in time") from None
        except (aiohttp.ClientError, OSError) as error:
            raise NetworkError(f"the connection broke ({type(error).__name__})") from None


def _outcome(status: int, body: bytes) -> tuple[int, bytes]:
    """A refusal counts as one even where something in between has made its status 200."""
    if status == 200 and b'"ok":false' in body[:100].replace(b" ", b""):
        return 500, body
    if status >= 300 and not body.lstrip().startswith(b"{"):
        return status, b'{"ok":false}'  # some gateway's page: the status says all there is to know
    return status, body


def _seconds(given: Any, otherwise: float) -> float:
    value = DefaultValue.get_value(given)
    return otherwise if value is None else float(value)


def _content(data: RequestData | None) -> dict[str, Any]:
    if data is None:
        return {}
    if not data.contains_files:
        return {"json": data.parameters}
    form = aiohttp.FormData(quote_fields=False)
    for name, value in data.json_parameters.items():
        form.add_field(name, value)
    for name, (filename, content, mime) in data.multipart_data.items():
        form.add_field(name, content, filename=filename, content_type=mime)
    return {"data": form}
