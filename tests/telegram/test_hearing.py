"""Polling: nothing is confirmed before it is kept, no trouble ends the hearing, health tells the truth."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pytest
from aiohttp.abc import AbstractResolver, ResolveResult
from telegram.ext import ExtBot

from bot.adapters.port import ALWAYS, Office, Raw
from bot.adapters.telegram import hearing, menus
from bot.adapters.telegram.account import Account
from bot.adapters.telegram.hearing import Hearing
from bot.adapters.telegram.request import Request
from core.kernel.errors import TemporaryError
from tests.emulators.telegram import Telegram, User
from tests.emulators.telegram.faults import Kind

IVAN = 501


@dataclass
class Inbox:
    """A door that keeps events by their keys, or is shut."""

    kept: dict[str, Raw] = field(default_factory=dict)
    shut: bool = False
    told: int = 0
    slow: asyncio.Event = field(default_factory=asyncio.Event)

    async def accept(
        self, platform: str, account: str, events: Sequence[Raw], *, office: Office = ALWAYS
    ) -> int:
        self.told += len(events)
        await self.slow.wait()
        if self.shut:
            raise TemporaryError("the database is away")
        before = len(self.kept)
        self.kept |= {event.key: event for event in events}
        return len(self.kept) - before

    @property
    def texts(self) -> list[str]:
        return [event.body["message"]["text"] for event in self.kept.values()]


@dataclass
class Ear:
    """One poller at one Telegram, with a monotonic clock that is turned by hand."""

    telegram: Telegram
    account: Account
    request: Request = field(default_factory=Request)
    door: Inbox = field(default_factory=Inbox)
    office: Office = ALWAYS
    now: float = 0.0
    pauses: list[float] = field(default_factory=list)
    """How long it has rested, in order. Here a second of that takes a hundredth."""

    def __post_init__(self) -> None:
        self.door.slow.set()
        base = f"{self.account.api_url}/bot"
        bot = ExtBot(
            self.account.token, base_url=base, request=self.request, get_updates_request=self.request
        )
        self.bot = bot
        self.hearing = Hearing(
            self.account,
            bot,
            self._moved,
            self._settle,
            lambda: self.now,
            self._pause,
            office=self.office,
        )
        self.moves: list[tuple[str, str]] = []

    async def _moved(self, old: str, new: str) -> None:
        self.moves.append((old, new))

    async def _settle(self) -> None:
        await menus.offer(self.bot, self.account, [])

    async def _pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        await asyncio.sleep(seconds / 100)

    @property
    def ivan(self) -> User:
        return self.telegram.user(IVAN, "Ivan", started=True)

    async def hears(self, text: str) -> None:
        """Somebody says it, and it is kept and confirmed."""
        await self.ivan.send(text)
        await self.telegram.until(lambda: text in self.door.texts, what=f"{text!r} to be kept")
        await self.telegram.settled()


@contextlib.asynccontextmanager
async def ear(**more: Any) -> AsyncIterator[Ear]:
    async with Telegram() as telegram:
        given = {"token": telegram.token, "api_url": telegram.url, **more}
        opened = Ear(telegram, Account(**given))
        running = asyncio.create_task(opened.hearing.run(opened.door))
        try:
            yield opened
        finally:
            running.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await running
            await opened.request.shutdown()


# ---- the offset


async def test_an_update_is_not_confirmed_before_it_is_kept() -> None:
    async with ear() as one:
        await one.hears("first")
        one.door.slow.clear()
        await one.ivan.send("second")
        await one.telegram.until(lambda: one.door.told == 2)
        await one.bot.get_me()  # time enough to confirm it
        assert [update.payload["text"] for update in one.telegram.updates.pending] == ["second"]
        assert one.telegram.updates.offset == one.telegram.updates.told[0].id + 1
        one.door.slow.set()
        await one.telegram.settled()
        assert one.door.texts == ["first", "second"]


async def test_while_the_database_is_away_nothing_is_confirmed_and_afterwards_all_is_kept() -> None:
    async with ear() as one:
        await one.hears("before")
        one.door.shut = True
        for number in range(5):
            await one.ivan.send(f"meanwhile {number}")
        await one.telegram.until(lambda: one.door.told > 10, what="several tries")
        assert len(one.telegram.updates.pending) == 5
        one.now += hearing.HICCUP
        assert not one.hearing.health().ok
        assert "the database is away" in one.hearing.health().detail
        one.door.shut = False
        await one.telegram.settled()
        assert one.door.texts == ["before", *(f"meanwhile {number}" for number in range(5))]
        assert one.hearing.health().ok


async def test_a_batch_whose_confirmation_was_lost_is_told_again_and_counts_once() -> None:
    async with ear() as one:
        await one.hears("before")
        one.telegram.fail("getUpdates", "cut before", 3)
        await one.ivan.send("once")
        await one.telegram.until(lambda: "once" in one.door.texts)
        await one.telegram.settled()
        assert one.door.texts == ["before", "once"]


async def test_numbers_that_start_again_lower_after_a_quiet_week_are_heard() -> None:
    async with ear() as one:
        await one.hears("before the holidays")
        one.telegram.updates.reset_ids(to=17)
        await one.hears("after the holidays")
        await one.hears("and on")
        assert len(one.door.kept) == 3
        one.telegram.updates.reset_ids(to=2_000_000_000)
        await one.hears("after the next holidays")


async def test_a_number_that_meets_one_of_long_ago_is_another_update() -> None:
    async with ear() as one:
        for text in ("first", "second", "third"):
            await one.hears(text)
        one.telegram.updates.reset_ids(to=one.telegram.updates.told[0].id)
        await one.hears("fourth")
        assert one.door.texts == ["first", "second", "third", "fourth"]


# ---- trouble

KINDS: tuple[Kind, ...] = (
    "400",
    "401",
    "403",
    "404",
    "409",
    "429",
    "500",
    "502 html",
    "503 empty",
    "200 not ok",
    "not json",
    "truncated",
    "cut before",
    "cut after",
)


@pytest.mark.parametrize("kind", KINDS)
async def test_it_hears_again_by_itself_after(kind: Kind, monkeypatch: pytest.MonkeyPatch) -> None:
    if kind in ("truncated", "cut after"):
        monkeypatch.setattr(hearing, "LONG_POLL", 0)  # such an answer ends a wait; nobody waits for it here
    async with ear() as one:
        await one.hears("before")
        await one.telegram.until(lambda: hearing.LONG_POLL == 0 or one.telegram.polling.listening)
        fault = one.telegram.fail("getUpdates", kind, -1, retry_after=1)
        await one.ivan.send("during")  # ends the long poll that began before the trouble
        await one.telegram.until(lambda: one.telegram.calls[-1].fault == kind)
        await one.telegram.until(lambda: one.hearing.health().detail)
        one.now += hearing.DEAF_AFTER + 1
        told = one.hearing.health()
        assert not told.ok
        assert told.detail.startswith("telegram deaf for 29 s: ")
        assert one.telegram.token not in told.detail
        assert "<html>" not in told.detail
        fault.times = 1
        await one.hears("after")
        assert one.hearing.health() == hearing.Health(True)
        assert one.door.texts == ["before", "during", "after"]


@pytest.mark.parametrize("method", ["getMe", "deleteWebhook", "setMyCommands"])
async def test_trouble_while_it_connects_only_delays_it(method: str) -> None:
    async with Telegram() as telegram:
        for kind in KINDS:
            if kind != "429":
                telegram.fail(method, kind)
        opened = Ear(telegram, Account(telegram.token, telegram.url))
        running = asyncio.create_task(opened.hearing.run(opened.door))
        await opened.hears("hello")
        running.cancel()
        await opened.request.shutdown()


async def test_a_server_that_went_away_is_heard_when_it_is_back() -> None:
    async with ear() as one:
        await one.hears("before")
        await one.telegram.go_down()
        await one.telegram.until(lambda: one.hearing.health().detail)
        await one.telegram.come_back()
        await one.hears("after")


class Nowhere(AbstractResolver):
    """A name server that knows nobody."""

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        raise OSError("no such name")

    async def close(self) -> None:
        pass


async def test_a_name_that_cannot_be_found_is_asked_for_again_and_told() -> None:
    async with ear(api_url="http://telegram.invalid") as one:
        connector = aiohttp.TCPConnector(resolver=Nowhere())
        one.request._session = aiohttp.ClientSession(connector=connector)
        await one.telegram.until(lambda: len(one.pauses) > 2)
        one.now = hearing.DEAF_AFTER + 1
        assert "no connection (ClientConnectorDNSError)" in one.hearing.health().detail


async def test_a_server_that_never_answers_is_given_up_and_asked_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hearing, "PATIENCE", 0.2)
    async with ear() as one:
        await one.hears("before")
        one.telegram.fail("getUpdates", "hang before", 2)
        await one.ivan.send("during")
        await one.telegram.until(lambda: "during" in one.door.texts)
        await one.telegram.until(lambda: "no answer in time" in one.hearing.health().detail)
        one.telegram.heal()
        monkeypatch.setattr(hearing, "PATIENCE", 25.0)
        await one.hears("after")


@pytest.mark.parametrize("kind", ["401", "409", "500", "200 not ok", "cut before"])
async def test_trouble_that_lasts_makes_no_hot_loop(kind: Kind) -> None:
    async with ear() as one:
        await one.hears("before")
        one.telegram.fail("getUpdates", kind, -1)
        await one.ivan.send("during")
        await one.telegram.until(lambda: len(one.pauses) >= 7)
        assert one.pauses[:7] == [0.5, 1, 2, 4, 8, 10, 10]


async def test_something_that_answers_at_once_instead_of_waiting_makes_no_hot_loop(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(hearing, "LONG_POLL", 0.01)
    async with ear() as one:
        await one.hears("before")
        await one.telegram.until(lambda: len(one.pauses) >= 5)
        assert len(one.telegram.called("getUpdates")) <= len(one.pauses) + 3
        assert set(one.pauses) == {hearing.FIRST_PAUSE}
        await one.hears("after")


async def test_a_second_poller_is_named_and_once_it_is_gone_all_is_heard() -> None:
    async with ear() as one:
        await one.hears("before")
        await one.telegram.until(lambda: one.telegram.polling.listening)
        async with aiohttp.ClientSession() as http:
            url = f"{one.telegram.url}/bot{one.telegram.token}/getUpdates"
            other = asyncio.create_task(http.post(url, json={"timeout": 50}))
            await one.telegram.until(lambda: "another program polls" in one.hearing.health().detail)
            await one.hears("in between")
            (await other).close()
        await one.hears("after")
        assert one.hearing.health().ok


# ---- what one update may do


@pytest.mark.parametrize(
    "kind_and_payload",
    [
        ("message", {}),
        ("message", {"from": {"id": 5}, "text": "no chat"}),
        ("message", "words"),
        ("message", None),
        ("message", {"chat": 7, "message_id": {}}),
        ("callback_query", {"id": "1"}),
        ("callback_query", []),
        ("message_reaction", {"chat": None}),
        ("my_chat_member", 5),
        ("something_new", {"deep": [[]]}),
    ],
)
async def test_a_malformed_update_is_kept_like_any_other_and_the_batch_goes_on(
    kind_and_payload: tuple[str, Any],
) -> None:
    kind, payload = kind_and_payload
    async with ear() as one:
        one.telegram.updates.allow([kind, "message"])
        await one.ivan.send("before")
        broken = one.telegram.updates.push(kind, payload, "odd", 86400)
        await one.ivan.send("after")
        await one.telegram.until(lambda: len(one.door.kept) == 3)
        await one.telegram.settled()
        assert broken is not None
        assert [event.body["update_id"] for event in one.door.kept.values()] == [
            update.id for update in one.telegram.updates.told
        ]


async def test_a_first_hiccup_is_told_but_is_no_alarm() -> None:
    async with ear() as one:
        await one.hears("before")
        await one.telegram.until(lambda: one.telegram.polling.listening)
        one.telegram.fail("getUpdates", "502 html", 1)
        await one.ivan.send("during")
        await one.telegram.until(lambda: one.hearing.health().detail)
        assert one.hearing.health() == hearing.Health(True, "telegram: Bad Gateway (502)")
        one.now += hearing.HICCUP
        assert not one.hearing.health().ok
        await one.hears("after")
        assert one.hearing.health() == hearing.Health(True)


async def test_nothing_is_well_before_it_has_connected() -> None:
    async with ear(token="1:AAAAAAAAAAAAAAAA") as one:
        await one.telegram.until(lambda: one.telegram.called("getMe"))
        told = one.hearing.health()
        assert not told.ok
        assert told.detail.startswith("telegram deaf for 0 s")
