"""Hearing: what Slack brings is committed to the inbox first; only then Slack is told that we have it."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from aiohttp import web
from slack_bolt.response import BoltResponse

from bot.adapters.port import ALWAYS, Door, Health, Office, Raw
from bot.adapters.slack import envelope, faults, http, inbound, manifest, store
from bot.adapters.slack.account import Account, Me
from bot.adapters.slack.catchup import CatchUp, Threads, no_threads
from bot.adapters.slack.channels import DIRECT, Channels
from bot.adapters.slack.client import Client
from bot.adapters.slack.envelope import Json
from bot.adapters.slack.files import Files
from bot.adapters.slack.inbound import PLATFORM, Known
from bot.adapters.slack.known import Lacking
from bot.adapters.slack.people import People
from bot.adapters.slack.presses import Presses
from bot.adapters.slack.reading import SLACKBOT
from bot.adapters.slack.sockets import FIRST_PAUSE, LONGEST_PAUSE, Sockets
from bot.adapters.slack.taking import Taking, later
from bot.incoming import Incoming
from core.database.engine import Database
from core.database.transaction import Transaction
from core.kernel.clock import Clock
from core.kernel.errors import NotOurs, TemporaryError

_log = logging.getLogger(__name__)
HICCUP = 5.0
"""Seconds in which trouble that has only begun may still pass by itself."""
WATCH, MEET = 10.0, 30.0
"""Seconds between two looks at how we stand with Slack, and between two questions whether it knows us."""
LONG = timedelta(minutes=1)
"""After an outage shorter than this Slack itself brings all events once more; after a longer one they are
fetched, for its further tries come late, and the last after some six minutes (docs.slack.dev: Events API)."""
FIRST = 1.0
"""Seconds, of the three that Slack gives, in which what was missed of a conversation is read before what is
said in it now is committed. Where that takes longer their order is given up."""
SILENCE, LOOK_ANYWAY = timedelta(minutes=5), timedelta(hours=1)
"""Over HTTP nothing tells quiet from a way that is cut. What Slack could not bring it brings again for some
six minutes, so after a longer silence what may have been missed is read: as soon as something comes, or each
hour."""
KEPT_BACK = LONG.total_seconds() + 10
"""Seconds after which what Slack kept back, because there was too much of it, can be fetched."""
_HEARING = frozenset(("sockets", "inbox"))
"""Parts without which nothing is heard."""
NOT_YET = "not connected yet"
TROUBLE = "trouble"
"""The kind of an event that tells of the desk's own trouble with Slack."""


@dataclass(frozen=True, slots=True)
class _Trouble:
    since: float
    words: str
    mendable: bool


class Hearing:
    """Hears through sockets or over HTTP; always tells truly whether it does."""

    def __init__(
        self,
        account: Account,
        client: Client,
        database: Database,
        clock: Clock,
        threads: Threads = no_threads,
        monotonic: Callable[[], float] = time.monotonic,
        *,
        office: Office = ALWAYS,
        mark: str = "",
    ) -> None:
        """`threads` tells which threads are talked in: they are read after an outage. Every process hears;
        whoever has the `office` knows until when nothing was missed, and reads what was. `mark` names what
        only this process can answer."""
        self._office = office
        self._looks_after = False
        self.presses = Presses(monotonic, mark)
        self.people = People(client, monotonic)
        self.channels = Channels(client)
        self._files = Files(client)
        self._account = account
        self._client = client
        self._database = database
        self._clock = clock
        self._monotonic = monotonic
        self._me: Me | None = None
        self._door: Door | None = None
        self._taking: Taking | None = None
        self._catch_up = CatchUp(account, client, self.channels, threads, self._hear_again)
        self._deaf_from: datetime | None = None
        self._catching_up: datetime | None = None
        self._whole_to = clock.now()
        self._hears, self._look = asyncio.Event(), asyncio.Event()
        self._missing: tuple[str, ...] = ()
        self._met_at = monotonic()
        self._told_of: set[str] = set()
        self._troubles = self._unmet()

    @property
    def me(self) -> Me:
        """Who we are in which workspace. Raises Lacking before Slack was asked."""
        if self._me is None:
            raise Lacking("who we are", self._meet)
        return self._me

    # ---- reading

    def read(self, body: Json) -> Incoming | None:
        """See `bot.adapters.port.Adapter.read`."""
        if body.get("kind") == TROUBLE:
            at = datetime.fromtimestamp(body["at"], UTC)
            return inbound.shut_out(self._account.staff_rooms, at, str(body["payload"]["words"]))
        staff, others = self._account.staff_rooms, self._account.other_workspaces
        return inbound.read(body, Known(self.me, self.people, self.channels, self._files, staff, others))

    async def learn(self, body: Json) -> None:
        """See `bot.adapters.port.Adapter.learn`."""
        while True:
            try:
                self.read(body)
            except Lacking as lacking:
                await lacking.learn()
            except ValueError:
                return  # whoever reads it next is told so
            else:
                return

    # ---- being there

    async def run(self, door: Door) -> None:
        self._door = door
        self._troubles = self._unmet()
        await self._patiently(self._meet)
        await self._patiently(self._remember)
        self._looks_after = self._office.ours
        client = self._client.web
        self._taking = Taking(client, self.me, self.presses, self._clock, self._keep)
        self._recovered("account")
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self._watch())
                group.create_task(self._follow())
                if self._account.mode == "socket":
                    sockets = Sockets(self._account.app_token, client, self._take, self._connected)
                    group.create_task(sockets.run())
                else:
                    self._hears.set()
        finally:
            self._taking = None

    async def _patiently(self, step: Callable[[], Awaitable[None]]) -> None:
        """Until the step is done, however often it fails: never a hot loop, never giving up."""
        pause = 0.0
        while True:
            try:
                await step()
                return
            except Exception as fault:  # noqa: BLE001 - no answer, however odd, may end the hearing
                self._stumbled("account", fault)
                await self._look_after()
                pause = max(min(max(pause * 2, FIRST_PAUSE), LONGEST_PAUSE), faults.asked(fault))
            await asyncio.sleep(pause)

    async def _meet(self) -> None:
        with faults.translated():
            answer = await self._client.web.auth_test()
            team, user, bot, name = (str(answer[key]) for key in ("team_id", "user_id", "bot_id", "user"))
            self._me = Me(team, user, bot, name, str(answer.get("url") or ""))
            given = answer.headers.get("x-oauth-scopes")
        has = {scope.strip() for scope in given.split(",")} if given else set(manifest.SCOPES)
        self._missing = tuple(scope for scope in manifest.SCOPES if scope not in has)
        self._met_at = self._monotonic()

    async def _remember(self) -> None:
        """Until when it was heard before this process."""
        self._deaf_from = await self._database.read(lambda tx: store.heard_until(tx, self.me.team))

    async def _watch(self) -> None:
        """Look whether Slack still knows us; remember until when we heard."""
        while True:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._look.wait(), WATCH)
            asked, now = self._look.is_set(), self._monotonic()
            self._look.clear()
            try:
                if asked or "account" in self._troubles or now - self._met_at >= MEET:
                    await self._meet()
                    self._recovered("account")
            except Exception as fault:  # noqa: BLE001 - no answer, however odd, may end the hearing
                self._stumbled("account", fault)
            await self._look_after()

    async def _look_after(self) -> None:
        """What is to be written down about how we stand with Slack."""
        try:
            await self._tell()
            await self._note()
        except NotOurs:
            self._looks_after = False
        except TemporaryError as error:
            self._stumbled("inbox", error)

    async def _note(self) -> None:
        """All that came up to now, over HTTP up to the last time that anything came, was heard, unless there
        is something to catch up with."""
        if "inbox" in self._troubles and self._door is not None and self._me is not None:
            await self._door.accept(PLATFORM, self.me.team, [])  # nothing: whether it can be kept again
            self._kept_again()
        await self._take_over()
        if self._troubles or self._catching_up or self._deaf_from is not None or not self._looks_after:
            return
        if self._account.mode == "socket":
            self._whole_to = self._clock.now()
        elif self._clock.now() - self._whole_to >= LOOK_ANYWAY:
            self._look_back()
            return
        team, until = self.me.team, self._whole_to

        async def note(tx: Transaction) -> None:
            await self._office.check(tx)
            await store.hear_until(tx, team, until)

        await self._database.write(note)

    async def _take_over(self) -> None:
        """Whoever begins to look after what was missed goes on where the one before has left it."""
        before, self._looks_after = self._looks_after, self._office.ours
        if before or not self._looks_after or self._me is None:
            return
        team = self._me.team
        until = await self._database.read(lambda tx: store.heard_until(tx, team))
        if until is not None and self._is_long(until):
            self._deaf_from = min(until, self._deaf_from or until)
            self._hears.set()

    def _came(self) -> None:
        """Something was brought: whatever was not, since the last time, is read if that is long ago."""
        now = self._clock.now()
        if now - self._whole_to >= SILENCE:
            self._look_back()
        self._whole_to = now

    def _look_back(self) -> None:
        self._deaf_from = min(self._whole_to, self._deaf_from or self._whole_to)
        self._hears.set()

    # ---- trouble

    def _unmet(self) -> dict[str, _Trouble]:
        parts = ("account", "sockets") if self._account.mode == "socket" else ("account",)
        return dict.fromkeys(parts, _Trouble(self._monotonic() - HICCUP, NOT_YET, mendable=False))

    def health(self) -> Health:
        now = self._monotonic()
        worst = min(self._troubles.values(), key=lambda trouble: trouble.since, default=None)
        if worst is not None:
            lasting = now - worst.since
            return Health(lasting < HICCUP, f"slack: {worst.words} (for {lasting:.0f} s)")
        return Health(True, note=f"slack: {self._lacks}" if self._missing else "")

    @property
    def _lacks(self) -> str:
        return f"the app lacks the scopes {', '.join(self._missing)}: install it again"

    def _stumbled(self, part: str, fault: Exception) -> None:
        words, before = faults.named(fault), self._troubles.get(part)
        if before is None or before.words != words:
            _log.warning("slack does not answer as it should: %s", words)
        since = before.since if before is not None else self._monotonic()
        self._troubles[part] = _Trouble(since, words, faults.mendable(fault))
        if part in _HEARING:
            self._missed()

    def _missed(self) -> None:
        """From now on something may be said that is not heard."""
        self._deaf_from = self._deaf_from or self._clock.now()

    def _recovered(self, part: str) -> None:
        before = self._troubles.pop(part, None)
        if before is not None and before.words != NOT_YET:
            _log.info("slack answers as it should again")

    def _connected(self, fault: Exception | None) -> None:
        """There is a connection again, or there is none, and why."""
        if fault is not None:
            self._stumbled("sockets", fault)
            return
        self._recovered("sockets")
        self._hears.set()

    async def _tell(self) -> None:
        """Whoever runs the desk learns once a day what only they can mend, by whatever messenger is left."""
        now, at = self._monotonic(), self._clock.now()
        wrong = [each for each in self._troubles.values() if each.mendable and now - each.since >= HICCUP]
        for words in [each.words for each in wrong] + ([self._lacks] if self._missing else []):
            key = f"{TROUBLE}:{at:%Y-%m-%d}:{words}"
            if key in self._told_of or not self._account.staff_rooms or self._door is None:
                continue
            room = self._account.staff_rooms[0]
            body = {"kind": TROUBLE, "payload": {"words": words}, "at": at.timestamp(), "press": None}
            await self._door.accept(PLATFORM, room.partition("/")[0], [Raw(key, room, body)])
            self._told_of.add(key)

    # ---- catching up

    async def _follow(self) -> None:
        """Each time it hears again after a while, read what was said meanwhile."""
        while True:
            await self._hears.wait()
            self._hears.clear()
            since = self._deaf_from
            if since is None or self._troubles.keys() & _HEARING:
                continue
            self._deaf_from = None
            if (begun := self._clock.now()) - since < LONG:
                continue
            self._catching_up = since
            try:
                if not self._office.ours:
                    await self._catch_up.beside(since, self._office.wait())
                    continue
                await self._catch_up.run(since)
                self._whole_to = max(self._whole_to, begun)
            except Exception as fault:  # noqa: BLE001 - no answer, however odd, may end the hearing
                _log.warning("catching up failed: %s", faults.named(fault))
                self._deaf_from = since
                self._hears.set()
                await asyncio.sleep(LONGEST_PAUSE)
            finally:
                self._catching_up = None

    async def _missed_first(self, payload: Json) -> None:
        """What was missed where somebody says something now is kept before it, if Slack tells it soon."""
        outages = [since for since in (self._catching_up, self._deaf_from) if since and self._is_long(since)]
        if not outages or not envelope.of_concern(payload, self.me):
            return
        with suppress(*envelope.ODD):
            if (place := envelope.place_of(payload)) is not None:
                reading = asyncio.gather(*(self._catch_up.read(since, place) for since in outages))
                await asyncio.wait_for(reading, FIRST)

    def _is_long(self, since: datetime) -> bool:
        return self._clock.now() - since >= LONG

    async def _hear_again(self, payloads: Sequence[Json]) -> int:
        """What the history tells, like all that comes."""
        me, at = self.me, self._clock.now().timestamp()
        events = [
            envelope.raw(payload, me, at, envelope.key(payload))
            for payload in payloads
            if envelope.of_concern(payload, me)
        ]
        assert self._door is not None
        return await self._door.accept(PLATFORM, me.team, events) if events else 0

    # ---- what comes

    def routes(self) -> list[web.RouteDef]:
        """Where Slack brings everything, if it does."""
        return [web.post(manifest.ROUTE, self._brought)] if self._account.mode == "http" else []

    async def _brought(self, request: web.Request) -> web.Response:
        """Committed first, and only then 200."""
        now = self._clock.now().timestamp()
        payload = await http.brought(request, self._account.signing_secret, now)
        if isinstance(payload, web.Response):
            return payload
        self._came()
        return http.answer(await self._take(payload))

    async def _take(self, payload: dict[str, Any]) -> BoltResponse:
        if self._taking is None:
            return later()
        with suppress(*envelope.ODD):
            self._notice(payload)
        await self._missed_first(payload)
        return await self._taking.take(payload)

    def _notice(self, payload: Json) -> None:
        """What concerns the hearing itself."""
        event = payload.get("event") or {}
        match event.get("type") or payload.get("type"):
            case "user_change":
                self.people.changed(event["user"])
                if event["user"].get("deleted"):
                    self.channels.left(event["user"]["id"])
            case "tokens_revoked" | "app_uninstalled":
                self._look.set()
            case "app_rate_limited":
                asyncio.get_running_loop().call_later(KEPT_BACK, self._kept_back, self._clock.now())
            case "message" | "app_home_opened" if str(event["channel"]).startswith(DIRECT):
                if "bot_id" not in event and event["user"] != SLACKBOT:
                    self.channels.direct(event["channel"], event["user"])

    def _kept_back(self, since: datetime) -> None:
        """Slack brought nothing for a while, because there was too much of it."""
        self._deaf_from = min(since, self._deaf_from or since)
        self._hears.set()

    async def _keep(self, event: Raw) -> int:
        assert self._door is not None
        try:
            fresh = await self._door.accept(PLATFORM, self.me.team, [event])
        except TemporaryError as error:
            self._stumbled("inbox", error)
            raise
        self._kept_again()
        return fresh

    def _kept_again(self) -> None:
        if "inbox" in self._troubles:
            self._recovered("inbox")
            self._hears.set()
