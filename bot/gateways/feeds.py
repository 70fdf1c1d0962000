"""Feeds: calendars of others, by file or by address, fetched now and then and kept beside the database.

A feed that cannot be read stays as it was when it could be; why, stands in /readyz and in the log. An address
is never told: whoever knows it may read what is there."""

import asyncio
import hashlib
import json
import logging
import os
import stat
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from bot.gateways import ical
from bot.gateways.ical import Unreadable
from core.kernel.errors import TemporaryError

_log = logging.getLogger(__name__)
EVERY, LOOK = 3600.0, 60.0
"""Seconds between two fetches of an address, and between two looks at a file."""
AGAIN = 300.0
"""Seconds after a failure until the address is asked again."""
LONGEST, LARGEST = 20.0, 1_000_000
"""Seconds and bytes that a feed may take."""
Changed = Callable[[], Awaitable[None]]


@dataclass(slots=True)
class Feed:
    """One feed. `label` is how the configuration names it, without its address."""

    source: str
    label: str
    raw: bytes | None = None
    etag: str = ""
    trouble: str = ""
    stamp: tuple[int, int] | None = None
    """When a file was changed last, and its size."""

    @property
    def remote(self) -> bool:
        return "://" in self.source


@dataclass(slots=True)
class Feeds:
    """All feeds of the configuration; `folder` keeps the last good copies of those by address."""

    folder: Path
    all: dict[str, Feed] = field(default_factory=dict)

    @classmethod
    def of(cls, sources: Mapping[str, str], folder: Path) -> "Feeds":
        """The feeds by their sources, each with its label, as far as they are known on this machine."""
        feeds = cls(folder, {source: Feed(source, label) for source, label in sources.items()})
        for feed in feeds.all.values():
            feeds._recall(feed) if feed.remote else feeds._look(feed)
        return feeds

    def raw(self) -> dict[str, bytes]:
        """What is known of each, by its source."""
        return {source: feed.raw for source, feed in self.all.items() if feed.raw is not None}

    def troubles(self) -> list[str]:
        """What is wrong, feed by feed."""
        return [f"{feed.label}: {feed.trouble}" for feed in self.all.values() if feed.trouble]

    async def run(self, changed: Changed) -> None:
        """Keep them up to date until cancelled. `changed` is called when one says something new, and now and
        then besides, since what they say of the days around today is another thing tomorrow."""
        fetch_in, news = 0.0, True
        while True:
            news = await asyncio.to_thread(self.look) or news
            if fetch_in <= 0:
                await self.fetch()
                failed = any(feed.trouble for feed in self.all.values() if feed.remote)
                fetch_in, news = AGAIN if failed else EVERY, True
            try:
                if news:
                    await changed()
                news = False
            except TemporaryError as error:
                _log.warning("what a calendar says cannot be followed yet: %s", error)
            await asyncio.sleep(LOOK)
            fetch_in -= LOOK

    def look(self) -> bool:
        """Read the files that were changed. True if any was."""
        looked = [self._look(feed) for feed in self.all.values() if not feed.remote]
        return any(looked)

    async def fetch(self) -> bool:
        """Ask every address. True if any has something new."""
        remote = [feed for feed in self.all.values() if feed.remote]
        if not remote:
            return False
        timeout = aiohttp.ClientTimeout(total=LONGEST)
        async with aiohttp.ClientSession(timeout=timeout) as session:
            return any(await asyncio.gather(*(self._fetch(session, feed) for feed in remote)))

    # ---- files

    def _look(self, feed: Feed) -> bool:
        path = Path(feed.source)
        try:
            status = path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp == feed.stamp:
                return False
            feed.stamp = stamp
            if not stat.S_ISREG(status.st_mode):
                raise Unreadable("it is no file")
            if status.st_size > LARGEST:
                raise Unreadable("it is larger than 1 MB")
            return self._take(feed, path.read_bytes())
        except OSError as error:
            feed.stamp = None
            return self._fail(feed, f"the file cannot be read: {error.strerror or type(error).__name__}")
        except Unreadable as error:
            return self._fail(feed, str(error))

    # ---- addresses

    async def _fetch(self, session: aiohttp.ClientSession, feed: Feed) -> bool:
        try:
            headers = {"If-None-Match": feed.etag} if feed.etag and feed.raw is not None else {}
            async with session.get(feed.source, headers=headers) as answer:
                if answer.status == 304:
                    feed.trouble = ""
                    return False
                if answer.status != 200:
                    raise Unreadable(f"the server answers {answer.status}")
                raw = await _body(answer)
                etag = answer.headers.get("ETag", "")
            fresh = await asyncio.to_thread(self._take, feed, raw)
            feed.etag = etag
            await asyncio.to_thread(self._keep, feed)
        except Unreadable as error:
            return self._fail(feed, str(error))
        except (aiohttp.ClientError, TimeoutError, OSError, ValueError) as error:
            return self._fail(feed, f"it cannot be fetched: {type(error).__name__}")
        return fresh

    def _take(self, feed: Feed, raw: bytes) -> bool:
        """Take over what was read, if it is a calendar."""
        ical.read(raw)
        fresh, feed.raw, feed.trouble = raw != feed.raw, raw, ""
        return fresh

    def _fail(self, feed: Feed, why: str) -> bool:
        if why != feed.trouble:
            _log.warning("a calendar cannot be read", extra={"feed": feed.label, "why": why})
        feed.trouble = why
        return False

    # ---- what is kept

    def _place(self, feed: Feed) -> Path:
        return self.folder / f"{hashlib.sha256(feed.source.encode()).hexdigest()[:32]}.json"

    def _keep(self, feed: Feed) -> None:
        assert feed.raw is not None
        place = self._place(feed)
        place.parent.mkdir(parents=True, exist_ok=True)
        beside = place.with_suffix(".new")
        kept = json.dumps({"etag": feed.etag, "raw": feed.raw.decode("latin-1")})
        beside.write_text(kept, "utf-8")
        beside.chmod(0o600)
        os.replace(beside, place)

    def _recall(self, feed: Feed) -> None:
        """The last good copy; a damaged one is as good as none."""
        try:
            kept = json.loads(self._place(feed).read_text("utf-8"))
            self._take(feed, kept["raw"].encode("latin-1"))
            feed.etag = str(kept["etag"])
        except FileNotFoundError:
            feed.trouble = "it was not read yet"
        except (OSError, ValueError, KeyError, TypeError, AttributeError, Unreadable):
            feed.trouble = "its kept copy cannot be read"


async def _body(answer: aiohttp.ClientResponse) -> bytes:
    """The whole of it. Raises Unreadable where that is too much."""
    raw = bytearray()
    async for piece in answer.content.iter_chunked(65_536):
        raw += piece
        if len(raw) > LARGEST:
            raise Unreadable("it is larger than 1 MB")
    return bytes(raw)
