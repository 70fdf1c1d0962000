"""Telegram as a messenger of the desk: shows messages, fetches files, and hears through poller or webhook."""

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

from aiohttp import web
from telegram import Bot, InputFile, ReplyParameters
from telegram.ext import ExtBot

from bot.adapters.port import Door, Features, Health, Posted, Reader
from bot.adapters.telegram import faults, hearing, inbound, render, store
from bot.adapters.telegram.account import Account
from bot.adapters.telegram.faults import Lost, NotModified
from bot.adapters.telegram.render import Look, Part
from bot.adapters.telegram.request import Request
from bot.incoming import Carried, Incoming
from bot.message import Attachment, Message, Paragraph
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
    file_limit=50_000_000,
    pace_overall=timedelta(seconds=1 / 30),
    acknowledges=True,
)
PRIVATE_GAP = timedelta(seconds=1)
GROUP_GAP = timedelta(seconds=3)
ALERT = 200
"""Characters an answer to a press may have (Bot API: answerCallbackQuery)."""
PHOTO = 10_000_000
TOPIC_NAME = 128


class Telegram:
    """An adapter (see `bot.adapters.port`)."""

    platform = inbound.PLATFORM
    features = FEATURES

    def __init__(
        self, account: Account, *, database: Database, clock: Clock, path: Callable[[str], Path]
    ) -> None:
        self.account = account
        self._database = database
        self._clock = clock
        self._path = path
        self._request = Request()
        self.bot: Bot = ExtBot(
            account.token,
            base_url=f"{account.api_url}/bot",
            base_file_url=f"{account.api_url}/file/bot",
            request=self._request,
            get_updates_request=self._request,
        )
        self.hearing = hearing.Hearing(account, self.bot, self._moved)
        self._rooms: dict[str, str] = {}
        self._forums: dict[int, bool] = {}
        self._topics: dict[tuple[int, int], tuple[str, bool]] = {}

    async def run(self, door: Door) -> None:
        self._rooms = await self._database.write(store.all_moves)
        try:
            await self.hearing.run(door)
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of every connection."""
        await self._request.shutdown()

    def routes(self) -> Sequence[web.RouteDef]:
        return self.hearing.routes()

    def health(self) -> Health:
        return self.hearing.health()

    def read(self, body: Mapping[str, Any]) -> Incoming | None:
        incoming = inbound.read(body, self.hearing.me)
        if incoming is None:
            return None
        where = incoming.where
        known = self._rooms.get(where.room)
        return incoming if known is None else inbound.elsewhere(incoming, known)

    def direct(self, identity: Identity) -> Address | None:
        return Address(self.platform, identity.account) if identity.platform == self.platform else None

    async def typing(self, to: Address) -> None:
        try:
            with faults.translated():
                await self.bot.send_chat_action(self._chat(to), "typing")
        except (PermanentError, TemporaryError, NotModified, Lost) as error:
            _log.debug("no typing sign: %s", error)

    def gap(self, to: Address) -> timedelta:
        """One message a second in a private chat, twenty a minute in a group (Bot FAQ: limits)."""
        return GROUP_GAP if to.room.startswith("-") else PRIVATE_GAP

    # ---- showing

    async def post(self, to: Address, message: Message, reader: Reader, nonce: str) -> Posted:
        look = render.look(message, reader, self._clock.now(), self.features)
        if reader.press is not None and (answered := await self._answer(reader.press, look)):
            return answered
        if not look.parts and not look.files:
            return Posted("")
        thread = to.thread
        with faults.translated():
            topic = await self._topic_for(to, message, reader)
            thread = topic or thread
            sent = await self._send_all(self._chat(to), thread, look)
        return Posted(sent[0], tuple(sent[1:]), topic)

    async def _answer(self, press: str, look: Look) -> Posted | None:
        """Answer the press in its little window; None when the words do not fit there or it is too late."""
        words = "\n".join(part.text for part in look.parts)
        if texts.utf16_len(words) > ALERT or look.keyboard is not None:
            words, fits = "", False
        else:
            fits = True
        try:
            with faults.translated():
                await self.bot.answer_callback_query(press, words or None, show_alert=bool(words))
        except (PermanentError, Lost, NotModified):
            return Posted("") if not look.parts else None
        return Posted("") if fits else None

    async def _send_all(self, chat: int, thread: str | None, look: Look) -> list[str]:
        sent: list[str] = []
        for place, part in enumerate(look.parts):
            last = place == len(look.parts) - 1
            sent.append(await self._send(chat, thread, part, look.keyboard if last else None))
        for file in look.files:
            sent.append(await self._send_file(chat, thread, file))
        return sent

    async def _send(self, chat: int, thread: str | None, part: Part, keyboard: Any) -> str:
        message = await self.bot.send_message(
            chat, part.text, entities=part.entities, reply_markup=keyboard, **_below(thread)
        )
        return str(message.message_id)

    async def _send_file(self, chat: int, thread: str | None, file: Attachment) -> str:
        if file.size > self.features.file_limit:
            note = f"📎 {file.name}: {file.size // 1_000_000} MB > {self.features.file_limit // 1_000_000} MB"
            return await self._send(chat, thread, Part(note), None)
        handle = await asyncio.to_thread(self._path(file.file_id).open, "rb")
        try:
            content = InputFile(handle, filename=file.name, read_file_handle=False)
            photo = file.mime in ("image/jpeg", "image/png") and file.size <= PHOTO
            below = _below(thread)
            if photo:
                return str((await self.bot.send_photo(chat, content, **below)).message_id)
            return str((await self.bot.send_document(chat, content, **below)).message_id)
        finally:
            handle.close()

    async def edit(self, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        look = render.look(message, reader, self._clock.now(), self.features)
        chat = self._chat(to)
        try:
            await self._edit_parts(chat, (posted.message, *posted.parts), look)
        except Lost:
            return await self.post(to, message, reader, "")
        if posted.thread is not None:
            await self._keep_topic(chat, posted.thread, message, reader)
        return posted

    async def _edit_parts(self, chat: int, ids: tuple[str, ...], look: Look) -> None:
        """Texts change in place. What it grew by, or lost, is rare: then the last part holds the rest."""
        count = len(ids) - len(look.files)
        for place, (remote, part) in enumerate(zip(ids[: max(count, 1)], look.parts, strict=False)):
            keyboard = look.keyboard if place == len(look.parts) - 1 else None
            try:
                with faults.translated():
                    await self.bot.edit_message_text(
                        part.text,
                        chat_id=chat,
                        message_id=int(remote),
                        entities=part.entities,
                        reply_markup=keyboard,
                    )
            except NotModified:
                pass
        if len(look.parts) > max(count, 1):
            raise Lost("it takes more messages now")

    async def delete(self, to: Address, posted: Posted) -> None:
        for remote in (posted.message, *posted.parts):
            try:
                with faults.translated():
                    await self.bot.delete_message(self._chat(to), int(remote))
            except Lost:
                _log.info("a message was gone or too old to delete")

    async def fetch(self, carried: Carried) -> AsyncIterator[bytes]:
        """The bytes of a file. Its link holds the token, so the link is used and forgotten here."""
        with faults.translated():
            file = await self.bot.get_file(carried.key)
        try:
            async with self._request.session.get(str(file.file_path)) as answer:
                if answer.status != 200:
                    raise TemporaryError(f"the file could not be fetched ({answer.status})")
                async for chunk in answer.content.iter_chunked(65_536):
                    yield chunk
        except OSError as error:
            raise TemporaryError(f"the file broke off ({type(error).__name__})") from None

    # ---- rooms and topics

    def _chat(self, to: Address) -> int:
        """The newest chat id of a room."""
        newest = [new for new, room in self._rooms.items() if room == to.room]
        return int(newest[-1] if newest else to.room)

    async def _moved(self, old: str, new: str) -> None:
        room = self._rooms.get(old, old)
        await self._database.write(lambda tx: store.add(tx, room, new))
        self._rooms[new] = room

    async def _topic_for(self, to: Address, message: Message, reader: Reader) -> str | None:
        """A new topic for a card, where the group has topics and the bot may make them."""
        if message.tone != "card" or to.thread is not None or not await self._forum(self._chat(to)):
            return None
        name = self._topic_name(message, reader)
        try:
            with faults.translated():
                topic = await self.bot.create_forum_topic(self._chat(to), name)
        except PermanentError:
            return None
        self._topics[self._chat(to), topic.message_thread_id] = (name, False)
        return f"t{topic.message_thread_id}"

    async def _forum(self, chat: int) -> bool:
        if chat not in self._forums:
            found = await self.bot.get_chat(chat)
            self._forums[chat] = bool(found.is_forum)
        return self._forums[chat]

    def forget_forum(self, chat: int) -> None:
        """Ask again whether the group has topics."""
        self._forums.pop(chat, None)

    def _topic_name(self, message: Message, reader: Reader) -> str:
        title = next(
            block for block in message.blocks if isinstance(block, Paragraph) and block.style == "title"
        )
        words = render.look(Message((title,)), reader, self._clock.now(), self.features).parts[0].text
        return texts.shorten(words, TOPIC_NAME)

    async def _keep_topic(self, chat: int, thread: str, message: Message, reader: Reader) -> None:
        """The topic is called as the card is, and closed with its ticket."""
        number, name = int(thread.removeprefix("t")), self._topic_name(message, reader)
        before = self._topics.get((chat, number))
        if before == (name, message.over):
            return
        try:
            with faults.translated():
                if before is None or before[0] != name:
                    await self.bot.edit_forum_topic(chat, number, name=name)
                if before is None or before[1] != message.over:
                    act = self.bot.close_forum_topic if message.over else self.bot.reopen_forum_topic
                    await act(chat, number)
        except (PermanentError, NotModified, Lost) as error:
            _log.info("a topic could not be kept: %s", error)
        self._topics[chat, number] = (name, message.over)


def _below(thread: str | None) -> dict[str, Any]:
    """In the topic, or as a reply to the card."""
    if thread is None:
        return {}
    if thread.startswith("t"):
        return {"message_thread_id": int(thread.removeprefix("t"))}
    return {"reply_parameters": ReplyParameters(int(thread), allow_sending_without_reply=True)}
