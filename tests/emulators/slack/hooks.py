"""HTTP mode: signed requests to the app's addresses."""

import hashlib
import hmac
import json
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

import aiohttp

from tests.emulators.slack.delivery import Delivery, Kind, Outcome

FORM = "application/x-www-form-urlencoded"
AGENT = "Slackbot 1.0 (+https://api.slack.com/robots)"


class Hooks:
    """`urls` are the app's request addresses by kind; `stamp` tells the seconds that are signed, by the
    machine's clock unless a test says otherwise."""

    def __init__(self, patience: Callable[[], float], signing_secret: str, token: str) -> None:
        self._patience = patience
        self._token = token
        self._session: aiohttp.ClientSession | None = None
        self.signing_secret = signing_secret
        self.stamp: Callable[[], float] = time.time
        self.urls: dict[Kind, str] = {}
        self.sent: list[tuple[str, bytes, dict[str, str]]] = []
        """Every request: address, body, headers."""

    async def verify(self, url: str) -> None:
        """Events API: the url_verification handshake that settings make before they take an address."""
        told = {
            "type": "url_verification",
            "token": self._token,
            "challenge": "3eZbrw1aBm2rZgRNFdxV2595E9CY3gmdALWM",
        }
        status, _, body = await self.post(url, json.dumps(told).encode(), "application/json")
        text = body.decode()
        echoed = json.loads(text).get("challenge") if text.startswith("{") else text
        assert status == 200, f"url_verification was answered {status}"
        assert echoed == told["challenge"], f"the challenge was not echoed: {text[:200]!r}"

    async def bring(self, delivery: Delivery, attempt: int, reason: str) -> Outcome:
        """One request; only 2xx in time is taken. Events API: `x-slack-no-retry` ends the tries."""
        body, kind = self.body(delivery)
        more = {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason} if attempt else {}
        try:
            status, headers, answer = await self.post(self.urls[delivery.kind], body, kind, more)
        except TimeoutError:
            return Outcome("http_timeout")
        except aiohttp.TooManyRedirects:
            return Outcome("too_many_redirects")
        except aiohttp.ClientSSLError:
            return Outcome("ssl_error")
        except (aiohttp.ClientError, OSError):
            return Outcome("connection_failed")
        final = headers.get("X-Slack-No-Retry") == "1"
        if not 200 <= status <= 299:
            return Outcome("http_error", status, final=final)
        return Outcome("", status, self._answer(headers.get("Content-Type", ""), answer), final=final)

    def body(self, delivery: Delivery) -> tuple[bytes, str]:
        if delivery.kind == "events_api":
            return json.dumps(delivery.payload).encode(), "application/json"
        if delivery.kind == "interactive":
            return urlencode({"payload": json.dumps(delivery.payload)}).encode(), FORM
        return urlencode(delivery.payload).encode(), FORM

    def signature(self, body: bytes, at: str) -> str:
        """Verifying requests from Slack, version 0."""
        signed = hmac.new(self.signing_secret.encode(), b"v0:" + at.encode() + b":" + body, hashlib.sha256)
        return f"v0={signed.hexdigest()}"

    async def post(
        self, url: str, body: bytes, kind: str, more: dict[str, str] | None = None
    ) -> tuple[int, Any, bytes]:
        """A signed request and what was answered: status, headers, body. `more` headers win."""
        at = str(int(self.stamp()))
        headers = {"Content-Type": kind, "User-Agent": AGENT, "X-Slack-Request-Timestamp": at}
        headers |= {"X-Slack-Signature": self.signature(body, at)} | (more or {})
        self.sent.append((url, body, headers))
        return await self.replay()

    async def replay(self, number: int = -1) -> tuple[int, Any, bytes]:
        """A request of before once more, byte for byte."""
        if self._session is None:
            self._session = aiohttp.ClientSession()
        url, body, headers = self.sent[number]
        patience = aiohttp.ClientTimeout(total=self._patience())
        asked = self._session.post(url, data=body, headers=headers, timeout=patience, max_redirects=2)
        async with asked as response:
            return response.status, response.headers, await response.read()

    def _answer(self, kind: str, body: bytes) -> Any:
        text = body.decode(errors="replace")
        if not text.strip():
            return None
        if kind.startswith("application/json") or text.startswith("{"):
            try:
                return json.loads(text)
            except ValueError:
                return {"text": text}
        return {"text": text}

    async def close(self) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None
