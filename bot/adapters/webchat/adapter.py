"""The web chat as a messenger: its platform is our own database, its events come from our own pages."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from aiohttp.web import RouteDef

from bot.adapters.port import Door, Features, Health, Posted, Reader
from bot.adapters.webchat import receive, store
from bot.incoming import Carried, Edited, Incoming, Pressed, Said, Sender, Submitted
from bot.message import Message
from core.database.engine import Database
from core.database.transaction import Transaction
from core.kernel.errors import PermanentError
from core.kernel.ids import Address, Identity

FEATURES = Features(
    text_limit=100_000,
    buttons=100,
    buttons_in_row=8,
    label_limit=200,
    forms=True,
    file_limit=2_000_000_000,
    finds=True,
)


class Webchat:
    """An adapter (see `bot.adapters.port`) for the people on our own page."""

    platform = receive.PLATFORM
    features = FEATURES

    def __init__(self, database: Database) -> None:
        self._database = database

    async def run(self, door: Door) -> None:
        """Nothing to fetch: the routes of the page put events into the inbox themselves."""
        await asyncio.Event().wait()

    def read(self, body: Mapping[str, Any]) -> Incoming | None:
        identity = Identity.parse(body["identity"])
        room = str(body["room"])
        return Incoming(
            Sender(identity, str(body["name"]), body["language"]),
            Address(self.platform, room, body["thread"]),
            datetime.fromisoformat(body["at"]),
            _what(body),
            private=receive.is_direct(room),
        )

    async def learn(self, body: Mapping[str, Any]) -> None:
        """What is said on the page tells everything by itself."""

    async def post(
        self, to: Address, message: Message, reader: Reader, nonce: str, *, again: bool = False
    ) -> Posted:
        thread = None if to.thread is None else _number(to.thread)

        async def work(tx: Transaction) -> int:
            if thread is not None:
                await _shown(tx, to.room, thread)
            shown = await store.post(
                tx,
                room=to.room,
                thread=thread,
                author=None,
                only_for=reader.only,
                nonce=f"out:{nonce}",
                message=message,
            )
            if shown is None:  # an earlier try had arrived
                shown = await store.by_nonce(tx, f"out:{nonce}")
            assert shown is not None
            return shown

        return Posted(str(await self._database.write(work)))

    async def edit(self, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        message_id = _number(posted.message)

        async def work(tx: Transaction) -> None:
            changed = await store.edit(tx, to.room, message_id, message)
            if not changed and (await _shown(tx, to.room, message_id)).deleted:
                raise PermanentError("the message was taken back", code="gone")

        await self._database.write(work)
        return posted

    async def delete(self, to: Address, posted: Posted) -> None:
        message_id = _number(posted.message)

        async def work(tx: Transaction) -> None:
            await _shown(tx, to.room, message_id)
            await store.delete(tx, message_id)

        await self._database.write(work)

    def fetch(self, carried: Carried) -> AsyncIterator[bytes]:
        """Never needed: what is uploaded on the page is kept before it is said."""
        raise PermanentError("a file of the web chat is kept already", code="gone")

    async def typing(self, to: Address) -> None:
        """The page has answers before it could show this."""

    def gap(self, to: Address, *, edit: bool = False) -> timedelta:
        return timedelta(0)

    def direct(self, identity: Identity) -> Address | None:
        if identity.platform != self.platform or "#" in identity.account:
            return None
        return Address(self.platform, receive.direct_room(identity))

    def routes(self) -> Sequence[RouteDef]:
        """None of its own: `bot.web` serves the page."""
        return ()

    def health(self) -> Health:
        return Health(True)


def _what(body: Mapping[str, Any]) -> Said | Edited | Pressed | Submitted:
    match body["kind"]:
        case "said":
            return Said(
                body["text"],
                body["message"],
                tuple(_carried(file) for file in body["files"]),
                body["reply_to"],
            )
        case "edited":
            return Edited(body["text"], body["message"])
        case "pressed":
            return Pressed(body["code"], body["message"])
        case "submitted":
            return Submitted(body["code"], tuple((name, value) for name, value in body["values"]))
    raise ValueError(f"a web event of an unknown kind: {body['kind']!r}")


def _carried(file: Mapping[str, Any]) -> Carried:
    return Carried(file["id"], file["name"], file["mime"], file["size"], kept=file["id"])


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= 18):
        raise PermanentError(f"{text!r} is no message of the web chat", code="gone")
    return int(text)


async def _shown(tx: Transaction, room: str, message_id: int) -> store.Entry:
    entry = await store.get(tx, message_id)
    if entry is None or entry.room != room:
        raise PermanentError(f"there is no message {message_id} in this room", code="gone")
    return entry
