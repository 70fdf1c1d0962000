"""Telegram as a messenger of the desk: shows messages, fetches files, and hears through poller or webhook."""

import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Any

import aiohttp
from aiohttp import web
from telegram import Bot
from telegram.ext import ExtBot

from bot.adapters.port import ALWAYS, Door, Features, Health, Here, Office, Posted, Reader, Unlearned
from bot.adapters.telegram import faults, hearing, inbound, menus, render, topics, uploads
from bot.adapters.telegram.account import Account
from bot.adapters.telegram.faults import Lost, Moved, NotModified, Threadless
from bot.adapters.telegram.render import Look
from bot.adapters.telegram.request import Request
from bot.adapters.telegram.rooms import Rooms
from bot.adapters.telegram.sending import Begun, Place, Sending
from bot.adapters.telegram.topics import Topics
from bot.incoming import Carried, Incoming
from bot.message import Message, Paragraph, Plain, Several
from core.database.engine import Database
from core.kernel import text as texts
from core.kernel.clock import Clock
from core.kernel.errors import PermanentError, TemporaryError
from core.kernel.ids import Address, Identity

_log = logging.getLogger(__name__)
FEATURES = Features(
    text_limit=render.TEXT,
    buttons=100,
    buttons_in_row=8,
    label_limit=64,
    forms=False,
    file_limit=uploads.LIMIT,
    pace_overall=timedelta(seconds=1 / 30),
    acknowledges=True,
    whispers=False,
    replies=True,
)
PRIVATE_GAP = timedelta(seconds=1)
GROUP_GAP = timedelta(seconds=3)
ALERT = 200
"""Characters an answer to a press may have (Bot API: answerCallbackQuery)."""
FETCH = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=30.0)


class Telegram:
    """An adapter (see `bot.adapters.port`)."""

    platform = inbound.PLATFORM
    features = FEATURES

    def __init__(
        self, account: Account, *, database: Database, clock: Clock, path: Here, office: Office = ALWAYS
    ) -> None:
        self.account = account
        self._clock = clock
        self._request = Request()
        self.bot: Bot = ExtBot(
            account.token,
            base_url=f"{account.api_url}/bot",
            base_file_url=f"{account.api_url}/file/bot",
            request=self._request,
            get_updates_request=self._request,
        )
        self.rooms = Rooms(database, account.staff_rooms)
        self._topics = Topics(self.bot)
        tidy = partial(self._topics.tidy, me=account.me)
        self.hearing = hearing.Hearing(
            account, self.bot, self.rooms.moved, self._offer_menus, kept=tidy, office=office
        )
        self.forget = self._topics.forget
        self._sending = Sending(self.bot, self.rooms, path)

    async def run(self, door: Door) -> None:
        try:
            with suppress(TemporaryError):  # whoever needs to know them asks again
                await self.rooms.load()
            await self.hearing.run(door)
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of every connection."""
        await self._topics.close()
        await self._request.shutdown()

    async def _offer_menus(self) -> None:
        await menus.offer(
            self.bot, self.account, [self.rooms.chat(room) for room in self.account.staff_rooms]
        )

    def routes(self) -> Sequence[web.RouteDef]:
        return self.hearing.routes()

    def health(self) -> Health:
        return self.hearing.health()

    def read(self, body: Mapping[str, Any]) -> Incoming | None:
        self._topics.notice(body)
        incoming = inbound.read(body, self.hearing.me)
        if incoming is None or incoming.private:
            return incoming
        if not (self.rooms.loaded and self.hearing.me.name):
            raise Unlearned("which groups have moved, and by which name the bot is called there")
        chat = incoming.where.room
        room = self.rooms.name(chat)
        if room == chat:
            return incoming
        return inbound.renamed(incoming, room, lambda message: self.rooms.call(chat, message))

    async def learn(self, body: Mapping[str, Any]) -> None:
        """An update from a group does not tell how that was called before it moved, nor who the bot is."""
        await self.rooms.load()
        with faults.translated():
            await self.hearing.meet()

    def direct(self, identity: Identity) -> Address | None:
        return Address(self.platform, identity.account) if identity.platform == self.platform else None

    async def typing(self, to: Address) -> None:
        try:
            with faults.translated():
                await self.bot.send_chat_action(self.rooms.chat(to.room), "typing")
        except (PermanentError, TemporaryError, NotModified, Lost, Threadless, Moved) as error:
            _log.debug("no typing sign: %s", error)

    def gap(self, to: Address, *, edit: bool = False) -> timedelta:
        """One message a second in a private chat, twenty a minute in a group (Bot FAQ: limits), where edits
        count as well."""
        if to.room.startswith("-"):
            return GROUP_GAP
        return timedelta(0) if edit else PRIVATE_GAP

    @asynccontextmanager
    async def _calling(self, to: Address) -> AsyncIterator[None]:
        """A group that has just become a supergroup is followed; the next try finds it. One whose every topic
        is closed to us takes nothing."""
        try:
            yield
        except Moved as moved:
            await self.rooms.moved(to.room, moved.chat)
            raise TemporaryError(str(moved), delay=timedelta(0)) from None
        except Threadless as error:
            raise PermanentError(str(error), code="forbidden") from None

    # ---- showing

    async def post(
        self, to: Address, message: Message, reader: Reader, nonce: str, *, again: bool = False
    ) -> Posted:
        await self.rooms.load()
        look = self._look(message, reader)
        if reader.press is not None and await self._answered(reader.press, look, reader):
            return Posted("")
        if not look.parts and not look.files:
            return Posted("")
        begun = self._sending.begun(str(to.space), nonce) if nonce else Begun()
        async with self._calling(to):
            try:
                return await self._post(to, message, reader, look, begun)
            except Threadless:
                return await self._post_astray(to, message, reader, begun)

    def _look(self, message: Message, reader: Reader) -> Look:
        return render.look(message, reader, self._clock.now(), self.features)

    async def _post(
        self, to: Address, message: Message, reader: Reader, look: Look, begun: Begun, *, astray: bool = False
    ) -> Posted:
        chat = self.rooms.chat(to.room)
        card = message.tone == "card"
        if card and to.thread is None and begun.topic is None:
            begun.topic = await self._topics.open(chat, self._name(message, reader))
        thread = begun.topic or to.thread
        place = Place(to.room, chat, thread, astray, self._answered_message(to.room, message))
        await self._sending.show(place, look, begun)
        own = thread if card and topics.topic(thread) is not None else None
        return self._posted(to.room, chat, begun.sent, own)

    async def _post_astray(self, to: Address, message: Message, reader: Reader, begun: Begun) -> Posted:
        """Its topic is not there: a card gets a new one, anything else says to which ticket it belongs."""
        if message.tone == "card":
            begun.topic = None
            return await self._post(to.space, message, reader, self._look(message, reader), begun)
        numbered = _numbered(message)
        return await self._post(to, message, reader, self._look(numbered, reader), begun, astray=True)

    def _answered_message(self, room: str, message: Message) -> int | None:
        """What it is a reply to in this room, if that is told and still of this chat."""
        return self.rooms.find(room, message.answers.places[0][1]) if message.answers else None

    def _posted(self, room: str, chat: int, sent: Sequence[int], thread: str | None) -> Posted:
        first, *rest = (self.rooms.shown(room, chat, message) for message in sent)
        return Posted(first, tuple(rest), thread)

    async def _answered(self, press: str, look: Look, reader: Reader) -> bool:
        """Answer the press in its little window; what does not fit there, or comes too late, in private.

        False where it must be said in the room after all."""
        words = "\n".join(part.text for part in look.parts)
        fits = texts.utf16_len(words) <= ALERT and look.keyboard is None
        shown = words if fits else ""
        try:
            with faults.translated():
                await self.bot.answer_callback_query(press, shown or None, show_alert=bool(shown))
            in_time = True
        except (PermanentError, Lost, NotModified):
            in_time = False
        return (fits and (in_time or not words)) or await self._whispered(look, reader)

    async def _whispered(self, look: Look, reader: Reader) -> bool:
        home = self.direct(reader.only) if reader.only is not None else None
        if home is None:
            return False
        place = Place(home.room, self.rooms.chat(home.room))
        try:
            await self._sending.show(place, look, Begun())
        except PermanentError:
            return False
        return True

    async def edit(self, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        await self.rooms.load()
        look = self._look(message, reader)
        chat, shown = self.rooms.chat(to.room), self._found(to.room, posted)
        if not look.parts and not look.files:
            return posted
        place = Place(to.room, chat, posted.thread or to.thread)
        async with self._calling(to):
            try:
                left = await self._sending.change(place, shown, look)
            except Threadless:
                left = await self._sending.change(replace(place, astray=True), shown, look)
            except Lost as error:
                raise PermanentError(str(error), code="gone") from None
            if posted.thread is not None:
                name = self._name(message, reader)
                await self._topics.keep(chat, posted.thread, name, closed=message.over)
        return self._posted(to.room, chat, left, posted.thread)

    async def delete(self, to: Address, posted: Posted) -> None:
        await self.rooms.load()
        chat = self.rooms.chat(to.room)
        async with self._calling(to):
            for message in self._found(to.room, posted):
                await self._sending.delete(chat, message)

    def _found(self, room: str, posted: Posted) -> list[int]:
        """The numbers of a message's parts. Raises PermanentError for one of a chat that is no more."""
        found = [self.rooms.find(room, remote) for remote in (posted.message, *posted.parts)]
        if None in found:
            raise PermanentError("the message is in no chat that is still there", code="gone")
        return [number for number in found if number is not None]

    def _name(self, message: Message, reader: Reader) -> str:
        """What the topic of a card is called."""
        titles = [
            block for block in message.blocks if isinstance(block, Paragraph) and block.style == "title"
        ]
        words = "".join(part.text for part in self._look(Message(tuple(titles[:1])), reader).parts)
        return texts.shorten(words or f"#{message.ticket}", topics.NAME)

    # ---- files

    async def fetch(self, carried: Carried) -> AsyncIterator[bytes]:
        """The bytes of a file. Its link holds the token, so the link is used and forgotten here."""
        if carried.too_large:
            raise PermanentError("the file is larger than Telegram hands over", code="too_large")
        with faults.translated():
            file = await self.bot.get_file(carried.key)
        try:
            async with self._request.session.get(str(file.file_path), timeout=FETCH) as answer:
                if answer.status != 200:
                    raise TemporaryError(f"the file could not be fetched ({answer.status})")
                async for chunk in answer.content.iter_chunked(65_536):
                    yield chunk
        except (OSError, aiohttp.ClientError) as error:
            raise TemporaryError(f"the file broke off ({type(error).__name__})") from None


def _numbered(message: Message) -> Message:
    """The same, saying to which ticket it belongs."""
    if message.ticket is None:
        return message
    number = Plain(f"#{message.ticket}")
    author = Several((number, message.author)) if message.author is not None else number
    return replace(message, author=author)
