"""Sending: the parts of a message one after another, each marked, so that none is ever shown twice."""

import logging
from collections import OrderedDict
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from operator import itemgetter
from typing import Any

import aiohttp

from bot.adapters.port import Here
from bot.adapters.slack import faults
from bot.adapters.slack.client import Client
from bot.adapters.slack.render import File, Look, Part
from core.kernel.clock import Clock
from core.kernel.errors import PermanentError, TemporaryError

_log = logging.getLogger(__name__)
MARK = "deskbridge_message"
"""The type of the metadata that carries our nonce (docs.slack.dev: message metadata)."""
REMEMBERED = 2000
"""So many of the last messages are known by their nonce."""
FILE = "file:"
"""How the desk calls a file's message: Slack tells the file's id at once, the message's only later."""
LOOKED_BACK = timedelta(days=1)
PAGE, PAGES = 200, 10
UPLOAD = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=60.0)


@dataclass(slots=True)
class Begun:
    """What already stands there of a message: the ids of its texts and of its files, by their number."""

    texts: dict[int, str] = field(default_factory=dict)
    files: dict[int, str] = field(default_factory=dict)

    def add(self, other: "Begun") -> None:
        self.texts |= other.texts
        self.files |= other.files

    @property
    def ids(self) -> list[str]:
        """In the order in which they are shown."""
        return [shown[at] for shown in (self.texts, self.files) for at in sorted(shown)]


@dataclass(frozen=True, slots=True)
class Place:
    """Where something goes."""

    channel: str
    thread: str | None = None


class Sending:
    """What Slack's methods are called with."""

    def __init__(self, client: Client, path: Here, clock: Clock) -> None:
        self._client = client
        self._path = path
        self._clock = clock
        self._begun: OrderedDict[str, Begun] = OrderedDict()

    async def show(self, place: Place, look: Look, nonce: str, *, again: bool) -> list[str]:
        """Show what is not shown yet; returns the parts' ids in order. `again`: Slack is asked first what of
        it stands there, for an answer may have been lost."""
        begun = self._remembered(nonce)
        if again:
            begun.add(await self._found(place, nonce, look.files))
        for at, part in enumerate(look.parts):
            if at not in begun.texts:
                begun.texts[at] = await self._text(place, part, _mark(nonce, part=at))
        for at, file in enumerate(look.files):
            if at not in begun.files:
                begun.files[at] = await self._file(place, file, _mark(nonce, file=at))
        return begun.ids

    def _remembered(self, nonce: str) -> Begun:
        if not nonce:
            return Begun()
        found = self._begun.setdefault(nonce, Begun())
        self._begun.move_to_end(nonce)
        while len(self._begun) > REMEMBERED:
            self._begun.popitem(last=False)
        return found

    async def _text(self, place: Place, part: Part, mark: Mapping[str, Any] | None) -> str:
        with faults.translated():
            answer = await self._client.web.chat_postMessage(
                channel=place.channel,
                text=part.text,
                blocks=part.blocks,
                thread_ts=place.thread,
                metadata=dict(mark) if mark else None,
                unfurl_links=False,
                unfurl_media=False,
            )
        return str(answer["ts"])

    # ---- what may stand there already

    async def _found(self, place: Place, nonce: str, files: Sequence[File] = ()) -> Begun:
        """What of a message stands there. Files carry no mark of ours: they are those that were shared after
        its first words, and nothing else is sent in between."""
        found = Begun()
        shared: list[tuple[float, Mapping[str, Any]]] = []
        async for message in self._recent(place):
            mark = message.get("metadata") or {}
            told = mark.get("event_payload") or {}
            if mark.get("event_type") == MARK and told.get("nonce") == nonce:
                if "file" in told:
                    found.files[int(told["file"])] = str(message["ts"])
                else:
                    found.texts[int(told["part"])] = str(message["ts"])
            elif message.get("bot_id"):
                shared += [(float(message["ts"]), file) for file in message.get("files", ())]
        begun = float(found.texts.get(0, "inf"))
        after = [file for at, file in sorted(shared, key=itemgetter(0)) if at > begun]
        for number, file in enumerate(files):
            same = (each for each in after if _is(each, file))
            if number not in found.files and (shown := next(same, None)) is not None:
                found.files[number] = f"{FILE}{shown['id']}"
                after.remove(shown)
        return found

    async def _recent(self, place: Place) -> AsyncIterator[Mapping[str, Any]]:
        """What was said there of late, page by page, the metadata with it."""
        oldest = f"{(self._clock.now() - LOOKED_BACK).timestamp():.6f}"
        cursor: str | None = None
        for _ in range(PAGES):
            with faults.translated():
                answer = await self._page(place, oldest, cursor)
            for message in answer.get("messages", ()):
                yield message
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return

    async def _page(self, place: Place, oldest: str, cursor: str | None) -> Any:
        web = self._client.web
        asked: Any = {"limit": PAGE, "cursor": cursor, "include_all_metadata": True}
        if place.thread is None:
            return await web.conversations_history(channel=place.channel, oldest=oldest, **asked)
        return await web.conversations_replies(channel=place.channel, ts=place.thread, oldest=oldest, **asked)

    # ---- files

    async def _file(self, place: Place, shown: File, mark: Mapping[str, Any] | None) -> str:
        """The file; else a line that it could not be shown, and why."""
        try:
            return f"{FILE}{await self._upload(place, shown)}"
        except PermanentError as error:
            if error.code not in ("refused", "too_large"):
                raise
            _log.info("a file was refused: %s", error)
        return await self._text(place, shown.instead, mark)

    async def _upload(self, place: Place, shown: File) -> str:
        """Streamed to where Slack says, then shared (docs.slack.dev: working with files)."""
        file, web = shown.file, self._client.web
        with faults.translated():
            ticket = await web.files_getUploadURLExternal(filename=file.name, length=file.size)
        try:
            with (await self._path(file.file_id)).open("rb") as handle:
                length = {"Content-Length": str(file.size)}
                async with self._client.session.post(
                    ticket["upload_url"], data=handle, headers=length, timeout=UPLOAD
                ) as answer:
                    if answer.status != 200:
                        raise TemporaryError(f"the file could not be handed over ({answer.status})")
        except (aiohttp.ClientError, TimeoutError) as error:
            raise TemporaryError(f"the file could not be handed over ({type(error).__name__})") from None
        except FileNotFoundError:
            raise PermanentError("the file is not kept any more", code="refused") from None
        with faults.translated():
            await web.files_completeUploadExternal(
                files=[{"id": ticket["file_id"], "title": file.name}],
                channel_id=place.channel,
                thread_ts=place.thread,
            )
        return str(ticket["file_id"])

    # ---- changing

    async def change(self, place: Place, shown: Sequence[str], look: Look) -> list[str]:
        """Make what was shown look so: parts are edited, added at the end, or taken away; files stay. Parts
        that are added are marked too: an earlier try may have added them.

        Raises PermanentError with the code `gone` when one of them can not be edited any more."""
        texts = [each for each in shown if not each.startswith(FILE)]
        files = [each for each in shown if each.startswith(FILE)]
        standing = dict(enumerate(texts))
        if len(look.parts) > len(texts):
            standing = (await self._found(place, shown[0])).texts | standing
        kept = []
        for at, part in enumerate(look.parts):
            if at in standing:
                await self._edit(place.channel, standing[at], part)
                kept.append(standing[at])
            else:
                kept.append(await self._text(place, part, _mark(shown[0], part=at)))
        for message in texts[len(look.parts) :]:
            await self.delete(place.channel, message)
        return [*kept, *files]

    async def _edit(self, channel: str, message: str, part: Part) -> None:
        with faults.translated():
            await self._client.web.chat_update(
                channel=channel, ts=message, text=part.text, blocks=part.blocks
            )

    async def delete(self, channel: str, message: str) -> None:
        """Take a message away; one that is gone already is left so."""
        try:
            with faults.translated():
                if message.startswith(FILE):
                    await self._client.web.files_delete(file=message.removeprefix(FILE))
                else:
                    await self._client.web.chat_delete(channel=channel, ts=message)
        except PermanentError as error:
            if error.code != "gone":
                raise
            _log.info("a message could not be deleted: %s", error)

    # ---- for one person's eyes

    async def whisper(
        self, place: Place, user: str, look: Look, nonce: str, respond_url: str | None = None
    ) -> None:
        """Show it to this person alone, nothing of it again that an earlier try is known to have shown.

        Raises PermanentError where that cannot be done there."""
        begun = self._remembered(nonce)
        for at, part in enumerate(look.parts):
            if at in begun.texts:
                continue
            if respond_url is None or not await self._respond(respond_url, part):
                with faults.translated():
                    await self._client.web.chat_postEphemeral(
                        channel=place.channel,
                        user=user,
                        text=part.text,
                        blocks=part.blocks,
                        thread_ts=place.thread,
                    )
            begun.texts[at] = ""

    async def _respond(self, url: str, part: Part) -> bool:
        """Answer where the command was given; False where the address is used up or gone."""
        body = {
            "response_type": "ephemeral",
            "replace_original": False,
            "text": part.text,
            "blocks": list(part.blocks),
        }
        with suppress(aiohttp.ClientError, OSError, ValueError):
            async with self._client.session.post(url, json=body) as answer:
                return answer.status == 200
        return False


def _mark(nonce: str, **piece: int) -> dict[str, Any] | None:
    return {"event_type": MARK, "event_payload": {"nonce": nonce, **piece}} if nonce else None


def _is(told: Mapping[str, Any], file: File) -> bool:
    """Whether Slack tells of this file."""
    return (told.get("name"), told.get("size")) == (file.file.name, file.file.size)
