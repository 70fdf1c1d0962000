"""Catching up: what was said while nobody heard is read from the history and told as if it had just come."""

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, TypeVar

from bot.adapters.slack import faults
from bot.adapters.slack.account import Account
from bot.adapters.slack.channels import Channels
from bot.adapters.slack.client import Client
from core.kernel.errors import PermanentError, TemporaryError
from core.kernel.ids import Address

_log = logging.getLogger(__name__)
T = TypeVar("T")
Json = Mapping[str, Any]
Place = tuple[str, str | None]
"""A channel, or a thread in it."""
Threads = Callable[[], Awaitable[Sequence[Address]]]
Hear = Callable[[Sequence[Json]], Awaitable[int]]
"""Takes events in the form in which Slack would have brought them; returns how many were news.
Raises TemporaryError."""

MARGIN = timedelta(minutes=1)
"""What came so long before is looked at again: clocks differ."""
PEOPLE = ("U", "W")
"""What the ids of people begin with."""
BESIDE = 300.0
"""Seconds that catching up may take another process."""
PAGE = 200
PAUSE, LONGEST_PAUSE = 1.0, 30.0
"""Seconds until the next try where Slack does not say how long to wait; they double."""


class CatchUp:
    """Reads the threads that are talked in, the rooms of agents, and everybody's direct messages.

    Where the history tells of a thread with new replies, that thread is read too. Slack limits how often it
    may be asked, so this takes its time; what one conversation held is committed before the next is read, and
    one in which somebody goes on talking is read first."""

    def __init__(
        self, account: Account, client: Client, channels: Channels, threads: Threads, hear: Hear
    ) -> None:
        self._account = account
        self._client = client
        self._channels = channels
        self._threads = threads
        self._hear = hear
        self._reading: dict[tuple[datetime, Place], asyncio.Task[None]] = {}

    async def run(self, heard: datetime) -> None:
        """Hear what came after that; returns when all of it is committed."""
        try:
            await self._read_all(heard)
        finally:
            self._forget(heard)

    async def beside(self, heard: datetime, taken_over: Coroutine[Any, Any, None]) -> None:
        """Another process hears what came after that: for a while, or until that is this one's, one that goes
        on talking is read first."""
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(taken_over, BESIDE)
        finally:
            self._forget(heard)

    def _forget(self, heard: datetime) -> None:
        for (since, _), reading in self._reading.items():
            if since == heard:
                reading.cancel()
        self._reading = {
            key: reading for key, reading in self._reading.items() if key[0] != heard and not reading.done()
        }

    async def _read_all(self, heard: datetime) -> None:
        for address in await _patiently(self._threads):
            channel = await self._place(address)
            if channel is not None and address.thread is not None:
                await self.read(heard, (channel, address.thread))
        for room in self._account.staff_rooms:
            await self.read(heard, (room.rpartition("/")[2], None))
        async for direct in self._pages("conversations_list", "channels", types="im"):
            self._channels.direct(str(direct.get("id")), str(direct.get("user")))
            await self.read(heard, (str(direct.get("id")), None))

    async def read(self, heard: datetime, place: Place) -> None:
        """Hear what was said since then in this conversation or thread: once, however many wait for that."""
        if (heard, place) not in self._reading:
            channel, thread = place
            what = (
                self._conversation(heard, channel) if thread is None else self._thread(heard, channel, thread)
            )
            self._reading[heard, place] = asyncio.create_task(what)
        reading = self._reading[heard, place]
        await asyncio.wait([reading])  # whoever waits no longer does not end it for the others
        if not reading.cancelled():
            reading.result()

    async def _place(self, address: Address) -> str | None:
        """The channel of a room, be it somebody's direct messages; None where there is none any more."""
        place = address.room.rpartition("/")[2]
        if not place.startswith(PEOPLE):
            return place
        try:
            return await _patiently(lambda: self._channels.dm(place))
        except PermanentError:
            return None

    async def _conversation(self, heard: datetime, channel: str) -> None:
        """What stands in the channel itself, oldest first, and the threads below it with new replies."""
        since = _since(heard)
        found = [each async for each in self._messages("conversations_history", since, channel=channel)]
        found.reverse()
        await self._tell(channel, found, since)
        for message in found:
            if _at(message, "latest_reply") > since:
                await self.read(heard, (channel, str(message["ts"])))

    async def _thread(self, heard: datetime, channel: str, thread: str) -> None:
        since = _since(heard)
        replies = self._messages("conversations_replies", since, channel=channel, ts=thread)
        await self._tell(channel, [each async for each in replies], since)

    async def _tell(self, channel: str, messages: Sequence[Json], since: float) -> None:
        """A thread's first message always comes along, however old it is."""
        fresh = [message for message in messages if _at(message, "ts") > since]
        events = [event for message in fresh for event in _events(channel, message)]
        if events and (count := await _patiently(lambda: self._hear(events))):
            _log.info("caught up with %d events", count, extra={"channel": channel})

    # ---- asking

    async def _messages(self, method: str, since: float, **asked: Any) -> AsyncIterator[Json]:
        async for message in self._pages(method, "messages", oldest=f"{since:.6f}", **asked):
            yield message

    async def _pages(self, method: str, key: str, **asked: Any) -> AsyncIterator[Json]:
        """What there is, page by page. What Slack refuses to tell, it does not have."""
        cursor = None
        while True:
            try:
                answer = await _patiently(lambda: self._page(method, limit=PAGE, cursor=cursor, **asked))  # noqa: B023
            except PermanentError as error:
                _log.info("what was said meanwhile cannot be read: %s", error, extra=asked)
                return
            for each in answer.get(key) or ():
                yield each
            cursor = (answer.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return

    async def _page(self, method: str, **asked: Any) -> Json:
        with faults.translated():
            answer: Json = (await getattr(self._client.web, method)(**asked)).data
        return answer


def _since(heard: datetime) -> float:
    return (heard - MARGIN).timestamp()


def _events(channel: str, message: Json) -> list[Json]:
    """A message as Slack would have told of it, and that it was edited since."""
    said = {**message, "channel": channel}
    if "edited" not in message:
        return [_wrapped(said)]
    edited = {"type": "message", "subtype": "message_changed", "hidden": True, "channel": channel}
    return [_wrapped(said), _wrapped({**edited, "message": message, "ts": message["edited"]["ts"]})]


def _at(message: Json, name: str) -> float:
    """An instant in seconds since 1970; the beginning of it where there is none."""
    try:
        return float(message.get(name) or 0)
    except (TypeError, ValueError):
        return 0.0


def _wrapped(event: Json) -> Json:
    return {"type": "event_callback", "event": event}


async def no_threads() -> Sequence[Address]:
    """Where nobody tells which threads are talked in."""
    return ()


async def _patiently(act: Callable[[], Awaitable[T]]) -> T:
    """However often it takes. Raises PermanentError."""
    pause = PAUSE
    while True:
        try:
            return await act()
        except TemporaryError as error:
            await asyncio.sleep(pause if error.delay is None else error.delay.total_seconds())
            pause = min(pause * 2, LONGEST_PAUSE)
