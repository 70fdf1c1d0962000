"""Sending: the parts of a message one after another, from where an earlier try broke off."""

import logging
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from telegram import Bot, LinkPreviewOptions, ReplyParameters

from bot.adapters.port import Here
from bot.adapters.telegram import faults, topics, uploads
from bot.adapters.telegram.faults import Lost, NotModified
from bot.adapters.telegram.render import File, Keyboard, Look, Part
from bot.adapters.telegram.rooms import Rooms
from core.kernel import text as texts
from core.kernel.errors import PermanentError

_log = logging.getLogger(__name__)
REMEMBERED = 2000
"""So many of the last messages are known by their nonce."""


@dataclass(slots=True)
class Begun:
    """What already stands there of a message: Telegram knows no nonce, so this process remembers it."""

    topic: str | None = None
    sent: list[int] = field(default_factory=list)
    together: bool = False
    """The words are the caption of the first file."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where in which chat something goes. `astray`: not into its topic, which is closed to us. `answers`: the
    message there that it is a reply to."""

    room: str
    chat: int
    thread: str | None = None
    astray: bool = False
    answers: int | None = None


class Sending:
    """What Telegram's methods are called with."""

    def __init__(self, bot: Bot, rooms: Rooms, path: Here) -> None:
        self._bot = bot
        self._rooms = rooms
        self._path = path
        self._begun: OrderedDict[tuple[str, str], Begun] = OrderedDict()

    def begun(self, room: str, nonce: str) -> Begun:
        """What an earlier try of the same message has shown."""
        found = self._begun.setdefault((room, nonce), Begun())
        self._begun.move_to_end((room, nonce))
        while len(self._begun) > REMEMBERED:
            self._begun.popitem(last=False)
        return found

    async def show(self, place: Place, look: Look, begun: Begun) -> None:
        """Show what is not shown yet. Raises Threadless when its topic is closed to us."""
        below = self._below(place) | ({"disable_notification": True} if look.silent else {})
        manner = below | self._reply(place)
        preview = _preview(look)
        if not begun.sent and _fits_together(look):
            number = await self._together(place.chat, look, manner)
            begun.sent += [] if number is None else [number]
            begun.together = number is not None
        parts = () if begun.together else look.parts
        for at, part in enumerate(parts):
            if at >= len(begun.sent):
                first = manner if at == 0 else below
                begun.sent.append(await self._text(place.chat, part, look.under(at), first | preview))
        for at, file in enumerate(look.files, len(parts)):
            if at >= len(begun.sent):
                begun.sent.append(await self._file(place.chat, file, below if at else manner))

    async def _text(self, chat: int, part: Part, keyboard: Keyboard, manner: dict[str, Any]) -> int:
        shown = {"chat_id": chat, "text": part.text, "reply_markup": keyboard}
        message = await self._worded("sendMessage", shown | manner, part)
        return int(message["message_id"])

    async def _worded(self, method: str, values: dict[str, Any], part: Part) -> Any:
        """With its entities; where Telegram takes none of them, the plain words: none are lost to markup."""
        try:
            return await self._call(method, values | {"entities": part.entities})
        except PermanentError as error:
            if error.code != "refused" or not part.entities:
                raise
            _log.warning("a text was refused and goes without its entities: %s", error)
        return await self._call(method, values)

    async def _call(self, method: str, values: dict[str, Any]) -> Any:
        """The answer as it came: to make objects of a message costs more than to send it."""
        with faults.translated():
            return await self._bot.do_api_request(method, api_kwargs=values)

    async def _together(self, chat: int, look: Look, manner: dict[str, Any]) -> int | None:
        """The words as the caption of the first file; None where they do not go so."""
        part, file = look.parts[0], look.files[0].file
        caption = {"caption": part.text, "caption_entities": part.entities}
        try:
            with faults.translated():
                return await uploads.send(
                    self._bot, self._path, file, chat, manner | caption, as_=uploads.kind(file)
                )
        except PermanentError as error:
            if error.code not in ("refused", "too_large"):
                raise
            _log.info("words and file go apart: %s", error)
        except FileNotFoundError:
            pass
        return None

    async def _file(self, chat: int, shown: File, manner: dict[str, Any]) -> int:
        """The file; else as a plain document; else a line that it could not be shown, and why."""
        file = shown.file
        kind = uploads.kind(file)
        tries = [] if file.size > uploads.LIMIT else [kind, *(["document"] if kind != "document" else [])]
        for as_ in tries:
            try:
                with faults.translated():
                    return await uploads.send(self._bot, self._path, file, chat, manner, as_=as_)
            except PermanentError as error:
                if error.code not in ("refused", "too_large"):
                    raise
                _log.info("a file was refused as %s: %s", as_, error)
            except FileNotFoundError:
                _log.error("a file is not on disk any more: %s", file.file_id)
                break
        return await self._text(chat, shown.instead, None, manner)

    async def change(self, place: Place, shown: Sequence[int], look: Look) -> list[int]:
        """Make what was shown look so: parts are edited, added at the end, or taken away.

        Raises Lost when one of them is not there any more."""
        words = shown[: max(len(shown) - len(look.files), 0)]
        files = shown[len(words) :]
        if files and not words and await self._caption(place.chat, files[0], look):
            return list(files)
        for at, (message, part) in enumerate(zip(words, look.parts, strict=False)):
            await self._edit(place.chat, message, part, look.under(at), _preview(look))
        for message in words[len(look.parts) :]:
            await self.delete(place.chat, message)
        begun = Begun(sent=list(words[: len(look.parts)]))
        await self.show(place, replace(look, files=()), begun)
        return [*begun.sent, *files]

    async def _edit(
        self, chat: int, message: int, part: Part, keyboard: Keyboard, preview: dict[str, Any]
    ) -> None:
        shown = {"chat_id": chat, "text": part.text, "reply_markup": keyboard, "message_id": message}
        try:
            await self._worded("editMessageText", shown | preview, part)
        except NotModified:
            pass

    async def _caption(self, chat: int, message: int, look: Look) -> bool:
        """Put the words below the first file; none where they do not fit there. Whether all is said now."""
        together = _fits_together(look)
        part = look.parts[0] if together else Part("")
        if uploads.kind(look.files[0].file) not in uploads.CAPTIONED:
            return False
        shown = {"chat_id": chat, "message_id": message, "caption": part.text}
        try:
            await self._call("editMessageCaption", shown | {"caption_entities": part.entities})
        except NotModified:
            pass
        except PermanentError as error:
            if error.code != "refused":
                raise
            return False
        return together

    async def delete(self, chat: int, message: int) -> None:
        """Take a message away; one that is gone, or too old to be taken, is left."""
        try:
            with faults.translated():
                await self._bot.delete_message(chat, message)
        except Lost as error:
            _log.info("a message could not be deleted: %s", error)

    def _reply(self, place: Place) -> dict[str, Any]:
        """As a reply to what it answers; where that is gone, by itself."""
        if place.answers is None:
            return {}
        return {"reply_parameters": ReplyParameters(place.answers, allow_sending_without_reply=True)}

    def _below(self, place: Place) -> dict[str, Any]:
        """In the topic, or as a reply to the card; astray, as a reply to what once opened the topic."""
        if place.thread is None:
            return {}
        number = topics.topic(place.thread)
        if number is not None and not place.astray:
            return {"message_thread_id": number}
        root = number or self._rooms.find(place.room, place.thread)
        if root is None:
            return {}
        return {"reply_parameters": ReplyParameters(root, allow_sending_without_reply=True)}


def _fits_together(look: Look) -> bool:
    """Whether the words can be the caption of the first file: one message rather than two."""
    if len(look.parts) != 1 or not look.files or look.keyboard is not None:
        return False
    file, length = look.files[0].file, texts.utf16_len(look.parts[0].text)
    return (
        length <= uploads.CAPTION and file.size <= uploads.LIMIT and uploads.kind(file) in uploads.CAPTIONED
    )


_NONE = LinkPreviewOptions(is_disabled=True)


def _preview(look: Look) -> dict[str, Any]:
    return {} if look.previews else {"link_preview_options": _NONE}
