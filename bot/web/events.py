"""The live stream of a page: what was missed, then what is said as it is said."""

import asyncio
import contextlib
import json

from aiohttp import web

from bot.adapters.webchat import receive
from bot.adapters.webchat.store import Entry
from bot.web import sessions, wording
from bot.web.refusals import Refused
from bot.web.sessions import Seat
from bot.web.settings import SITE, Site
from core.database import bells
from core.kernel.errors import TemporaryError

RECHECK = 5.0
"""A stream that works asks this often, in seconds, whether its person may still listen."""
_AT_ONCE = 20
_PING = b": ping\n\n"
_RETRY = b"retry: 1000\n"
"""After how many milliseconds a page whose stream broke comes again."""


async def events(request: web.Request) -> web.StreamResponse:
    """GET /s/{seat}/events."""
    site = request.app[SITE]
    seat = await sessions.required(request)
    if site.hub.full or site.hub.closed:
        raise Refused(503, "web.later")
    response = web.StreamResponse(
        headers={"Content-Type": "text/event-stream; charset=utf-8", "X-Accel-Buffering": "no"}
    )
    with site.hub.stream() as heard:
        await response.prepare(request)
        stream = Stream(site, seat, response, heard)
        try:
            await stream.run(_last_seen(request))
        except TimeoutError:  # the other side does not read
            if request.transport is not None:
                request.transport.abort()
        except (ConnectionResetError, TemporaryError):
            pass  # the page comes again, and sees what it has missed
    return response


def _last_seen(request: web.Request) -> int:
    given = request.headers.get("Last-Event-ID", "")
    return int(given) if given.isascii() and given.isdigit() and len(given) <= 18 else 0


class Stream:
    """One open page."""

    def __init__(self, site: Site, seat: Seat, response: web.StreamResponse, heard: asyncio.Event) -> None:
        self._site = site
        self._seat = seat
        self._response = response
        self._heard = heard
        self._loop = asyncio.get_running_loop()
        self._checked = self._loop.time()

    async def run(self, after: int) -> None:
        """Send until the page goes away, its session ends, its rooms change or the server stops."""
        settings = self._site.settings
        after = await self._replay(after)
        await self._write(_ready(self._seat))
        while not self._site.hub.closed:
            rang = await bells.wait(self._heard, at_most=settings.ping)
            if self._site.hub.closed or not await self._welcome():
                return
            if not rang:
                await self._write(_PING)
            after = await self._send_since(after)

    async def _replay(self, after: int) -> int:
        if await self._site.hub.knows(after):
            return await self._send_since(after)
        entries, after = await self._site.hub.first(self._seat.identity, self._seat.room_names)
        await self._send(entries)
        return after

    async def _send_since(self, after: int) -> int:
        more = True
        while more and not self._site.hub.closed:
            entries, after, more = await self._site.hub.since(
                self._seat.identity, self._seat.room_names, after
            )
            await self._send(entries)
        return after

    async def _send(self, entries: list[Entry]) -> None:
        now = self._site.clock.now()
        viewer = wording.Viewer(
            self._seat.identity,
            self._seat.session.seat,
            self._seat.language,
            self._site.settings.time_zone,
        )
        for count, entry in enumerate(entries, start=1):
            await self._write(_frame(entry.seq, wording.message(entry, viewer, now)))
            if receive.is_direct(entry.room):
                self._checked = -RECHECK  # what they told the desk may change who they are to it
            if count % _AT_ONCE == 0:
                await asyncio.sleep(0)  # others have a turn

    async def _write(self, frame: bytes) -> None:
        async with asyncio.timeout(self._site.settings.patience):
            await self._response.write(frame)

    async def _welcome(self) -> bool:
        """Whether the person may still listen to the same rooms; asked anew every few seconds."""
        if self._loop.time() - self._checked < min(RECHECK, self._site.settings.ping):
            return True
        self._checked = self._loop.time()
        session = self._seat.session
        seat = await sessions.find(self._site, session.token_hash, session.seat)
        if seat is None:
            return False
        before, self._seat = self._seat, seat
        if (before.room_names, before.language) == (seat.room_names, seat.language):
            return True
        await self._write(_ready(seat))
        return False


def _ready(seat: Seat) -> bytes:
    """The page is up to date; what it was drawn for, so that it can see when that is not so any more."""
    facts = {"rooms": sorted(seat.room_names), "language": seat.language}
    return b"%sevent: ready\ndata: %s\n\n" % (_RETRY, json.dumps(facts).encode())


def _frame(seq: int, message: dict[str, object]) -> bytes:
    return b"id: %d\nevent: message\ndata: %s\n\n" % (seq, json.dumps(message).encode())


async def close(app: web.Application) -> None:
    """Let the streams go before the server stops."""
    with contextlib.suppress(KeyError):
        app[SITE].hub.close()
