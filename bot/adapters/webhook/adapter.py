"""Webhooks as a messenger that only listens: each room is the address of a program.

Calls are signed as https://www.standardwebhooks.com says: the id is the same on every try of the same call,
so that a program can tell a repeated one; any answer of 2xx is a yes, 410 is a no for good."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp.web import RouteDef
from standardwebhooks import Webhook as Signature

from bot import i18n
from bot.adapters.port import Door, Features, Health, Posted, Reader
from bot.incoming import Carried, Incoming
from bot.message import Facts, Message, Paragraph, Plain
from core.kernel.clock import Clock
from core.kernel.errors import PermanentError, TemporaryError
from core.kernel.ids import Address, Identity

PLATFORM = "webhook"
TIMEOUT = aiohttp.ClientTimeout(total=15)
"""Seconds; the scheme recommends 15 to 30."""
_LATER = frozenset({408, 425, 429})
"""What a program answers that may take the same call later."""
FEATURES = Features(text_limit=100_000, buttons=0, deletes=False, whispers=False, finds=True)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where a program listens, and the key with which calls to it are signed."""

    name: str
    url: str
    secret: str


class Webhooks:
    """An adapter (see `bot.adapters.port`) for programs."""

    platform = PLATFORM
    features = FEATURES

    def __init__(self, endpoints: Sequence[Endpoint], clock: Clock) -> None:
        self._endpoints = {each.name: each for each in endpoints}
        self._clock = clock
        self._trouble: dict[str, str] = {}

    async def run(self, door: Door) -> None:
        """Programs say nothing by themselves."""
        await asyncio.Event().wait()

    def read(self, body: Mapping[str, Any]) -> Incoming | None:
        return None

    async def learn(self, body: Mapping[str, Any]) -> None:
        """There is nothing to ask."""

    async def post(
        self, to: Address, message: Message, reader: Reader, nonce: str, *, again: bool = False
    ) -> Posted:
        kind = "ticket.ping.answered" if message.over else "ticket.ping"
        await self._call(to.room, f"msg_{nonce}", kind, message, reader)
        return Posted(f"msg_{nonce}")

    async def edit(self, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        """What became of it is a further call; its id follows from what is said."""
        kind = "ticket.ping.answered" if message.over else "ticket.ping"
        told = json.dumps(self._told(message, reader), sort_keys=True).encode()
        number = hashlib.sha256(told).hexdigest()[:16]
        await self._call(to.room, f"{posted.message}_{number}", kind, message, reader)
        return posted

    async def delete(self, to: Address, posted: Posted) -> None:
        """What a program was told cannot be taken back."""

    def _told(self, message: Message, reader: Reader) -> dict[str, str]:
        """Names and values of the desk, and the sentence in the desk's language."""
        now = self._clock.now()
        told: dict[str, str] = {}
        for block in message.blocks:
            if isinstance(block, Facts):
                rows = [(name, value) for name, value in block.rows if isinstance(name, Plain)]
                told |= {name.text: value.text for name, value in rows if isinstance(value, Plain)}
            elif isinstance(block, Paragraph):
                text = i18n.word(block.text, reader.language, time_zone=reader.time_zone, now=now)
                told["text"] = f"{told['text']}\n{text}" if "text" in told else text
        return told

    async def _call(self, name: str, number: str, kind: str, message: Message, reader: Reader) -> None:
        endpoint = self._endpoints.get(name)
        if endpoint is None:
            raise PermanentError(f"there is no webhook {name!r} any more", code="gone")
        now = self._clock.now()
        body = json.dumps(
            {"type": kind, "timestamp": now.isoformat(), "data": self._told(message, reader)},
            ensure_ascii=False,
        )
        headers = {
            "content-type": "application/json",
            "user-agent": "deskbridge",
            "webhook-id": number,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": Signature(endpoint.secret).sign(number, now, body),
        }
        status = await self._answer(endpoint, body, headers)
        self._settle(name, status)

    async def _answer(self, endpoint: Endpoint, body: str, headers: Mapping[str, str]) -> int:
        """The status of the answer. Raises TemporaryError, without the address, where none came."""
        try:
            async with (
                aiohttp.ClientSession(timeout=TIMEOUT) as session,
                session.post(
                    endpoint.url, data=body.encode(), headers=headers, allow_redirects=False
                ) as answer,
            ):
                return answer.status
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            self._trouble[endpoint.name] = type(error).__name__
            raise TemporaryError(
                f"the webhook {endpoint.name} does not answer: {type(error).__name__}", unknown=True
            ) from None

    def _settle(self, name: str, status: int) -> None:
        if 200 <= status < 300:
            self._trouble.pop(name, None)
            return
        self._trouble[name] = f"answers {status}"
        reason = f"the webhook {name} answers {status}"
        if status in _LATER or status >= 500:
            raise TemporaryError(reason)
        raise PermanentError(reason, code="gone" if status == 410 else "refused")

    async def fetch(self, carried: Carried) -> AsyncIterator[bytes]:
        raise PermanentError("programs send no files")
        yield b""

    async def typing(self, to: Address) -> None:
        """Nobody looks."""

    def gap(self, to: Address, *, edit: bool = False) -> timedelta:
        return timedelta(0)

    def direct(self, identity: Identity) -> Address | None:
        return None

    def routes(self) -> Sequence[RouteDef]:
        return ()

    def health(self) -> Health:
        """The desk is well although a program is not."""
        told = ", ".join(f"{name}: {what}" for name, what in self._trouble.items())
        return Health(True, note=f"webhook {told}" if told else "")
