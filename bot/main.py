"""The composition root: settings become a desk, its messengers, its flows, its clockwork and its web."""

import asyncio
import contextlib
import gc
import logging
import os
import signal
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import partial
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

from bot import duty, rules
from bot.adapters.port import Adapter, Health
from bot.adapters.webchat.adapter import Webchat
from bot.audit import EVERY, Audit, beat_if_clean
from bot.config import Settings
from bot.delivery import Delivery
from bot.flows import commands, phrases
from bot.gateways.feeds import Feeds
from bot.gateways.heartbeat import Heartbeat
from bot.message import Words
from bot.metrics import Metrics
from bot.pace import Pace
from bot.replica import Office, Replica
from bot.router import Router
from bot.scheduler import Job, Scheduler
from bot.sweep import Sweep
from bot.watchdog import Watchdog
from bot.web import app as web_app
from bot.web import sessions
from bot.web import store as web_store
from bot.web.settings import Demo, Room, WebSettings
from bot.web.whence import networks
from core.database import engine
from core.database.engine import Database
from core.database.transaction import Transaction
from core.desk import Desk
from core.dialogs import store as dialogs
from core.files.blobs import Blobs
from core.kernel.clock import Clock, WallClock
from core.kernel.ids import Address, Identity
from core.outbox import store as posts
from core.people import linking
from core.people.model import Person
from core.tickets import queries

if TYPE_CHECKING:
    from bot.adapters.telegram.adapter import Telegram

_log = logging.getLogger(__name__)
LOOKED_AFTER = 500
"""So many of the newest tickets have their threads looked through after an outage."""
LINK_FOR = timedelta(days=1)
DRAIN = 5.0
"""Seconds that work under way is given when the desk stops."""


@dataclass(slots=True)
class House:
    """Everything that runs, introduced to each other."""

    settings: Settings
    database: Database
    desk: Desk
    adapters: Mapping[str, Adapter]
    router: Router
    delivery: Delivery
    scheduler: Scheduler
    sweep: Sweep
    blobs: Blobs
    metrics: Metrics
    clock: Clock
    audit: Audit
    feeds: Feeds
    replica: Replica
    told: duty.Told = duty.NOTHING
    """What the feeds told when the rules were made."""
    stopping: bool = False

    async def changed(self) -> None:
        """A feed tells something else by now, or of other days: the desk obeys that from now on."""
        told = await asyncio.to_thread(duty.told, self.settings, self.feeds.raw(), self.clock.now())
        if told != self.told:
            await self.desk.adopt(rules.rules(self.settings, told))
            self.told = told

    def health(self) -> Mapping[str, Health]:
        """Each part, by name, as /readyz tells it."""
        parts = {
            "database": Health(not self.database.trouble, self.database.trouble),
            "router": self.router.health(),
            "delivery": self.delivery.health(),
            "scheduler": self.scheduler.health(),
            "audit": self.audit.health(),
            "replicas": Health(True, note=self.replica.told()),
            **{name: adapter.health() for name, adapter in self.adapters.items()},
        }
        if self.feeds.all:
            parts["feeds"] = Health(True, note="; ".join(self._of_feeds()))
        if self.stopping:
            parts["process"] = Health(False, "stopping")
        self.metrics.ready.set(all(part.ok for part in parts.values()))
        return parts

    def _of_feeds(self) -> list[str]:
        """What is wrong with them. Anybody may read it, so that no title of somebody's calendar is told."""
        unknown = [
            f"rota {name!r}: {len(titles)} title{'s name' if len(titles) > 1 else ' names'} nobody who works "
            "here; `deskbridge doctor` tells them"
            for name, titles in self.told.unknown.items()
        ]
        return [*self.feeds.troubles(), *self.told.troubles, *unknown]


def _version() -> str:
    """What is installed here, as the other processes read it."""
    try:
        return metadata.version("deskbridge")
    except metadata.PackageNotFoundError:
        return ""


def build(
    settings: Settings,
    database: Database,
    clock: Clock,
    *,
    pace: Pace | None = None,
    replica: Replica | None = None,
) -> House:
    """Introduce everybody to everybody; nothing runs yet."""
    replica = replica or Replica(database, _version())
    if database.shared:
        linking.agree(settings.in_common)
    blobs = Blobs(settings.files_dir, settings.web.file_limit, database)
    adapters: dict[str, Adapter] = {"web": Webchat(database)}
    if settings.telegram.token is not None:
        telegram = _telegram(settings, database, clock, blobs, replica.office("the hearing of Telegram"))
        adapters["telegram"] = telegram
        replica.changed.append(telegram.forget)
    if settings.slack.bot_token is not None:
        adapters["slack"] = _slack(settings, database, clock, blobs, replica)
    if settings.webhooks:
        adapters["webhook"] = _webhooks(settings, clock)
    feeds, told = of_feeds(settings, clock)
    desk = Desk(database, rules.rules(settings, told), partial(_direct, adapters), replica.id)
    metrics = Metrics()
    metrics.replicas.set_function(lambda: replica.living)
    language, zone = settings.desk.language, settings.desk.time_zone
    router = Router(
        desk, adapters, blobs, language=language, time_zone=zone, metrics=metrics, replica=replica
    )
    delivery = Delivery(
        desk, adapters, language=language, time_zone=zone, metrics=metrics, pace=pace, replica=replica
    )
    keep_for = timedelta(days=settings.desk.keep_events_days)
    sweep = Sweep(database, blobs, clock, keep_for, replica.office("the sweep"))
    scheduler = Scheduler(desk, clock, metrics, sweep.run)
    auditor = replica.office("the audit")
    audit = Audit(desk, clock, metrics, scheduler.tick, auditor)
    scheduler.add(Job("the audit", EVERY, audit.run_in_turn))
    if settings.heartbeat.url is not None:
        heart = Heartbeat(settings.heartbeat.url.get_secret_value())
        beat = partial(beat_if_clean, audit, heart, metrics)
        scheduler.add(Job("the heartbeat", settings.heartbeat.every, beat, auditor))
    return House(
        settings,
        database,
        desk,
        adapters,
        router,
        delivery,
        scheduler,
        sweep,
        blobs,
        metrics,
        clock,
        audit,
        feeds,
        replica,
        told,
    )


def of_feeds(settings: Settings, clock: Clock) -> tuple[Feeds, duty.Told]:
    """The calendars of others as far as this machine knows them, and what they tell."""
    feeds = Feeds.of(duty.sources(settings), settings.database.folder / "feeds")
    return feeds, duty.told(settings, feeds.raw(), clock.now())


def _direct(adapters: Mapping[str, Adapter], identity: Identity) -> Address | None:
    """The conversation of an account with the desk alone, if it can be named."""
    adapter = adapters.get(identity.platform)
    return adapter.direct(identity) if adapter is not None else None


def _telegram(
    settings: Settings, database: Database, clock: Clock, blobs: Blobs, office: Office
) -> "Telegram":
    """Telegram's client is large: it is loaded only where a token is given."""
    from bot.adapters.telegram.account import Account, MenuEntry
    from bot.adapters.telegram.adapter import Telegram

    telegram = settings.telegram
    assert telegram.token is not None
    entries = commands.offered(emergencies=settings.emergency.enabled)
    account = Account(
        token=telegram.token.get_secret_value(),
        api_url=telegram.api_url.rstrip("/"),
        mode=telegram.mode,
        webhook_url=settings.web.public_url,
        webhook_secret=telegram.webhook_secret.get_secret_value() if telegram.webhook_secret else "",
        staff_rooms=tuple(
            space.room for queue in settings.queues for space in queue.spaces if space.platform == "telegram"
        ),
        menu=(
            *(MenuEntry(each.name, each.help, each.staff) for each in entries),
            MenuEntry("ticket", Words("command.ticket"), crowd=True),
        ),
    )
    return Telegram(account, database=database, clock=clock, path=blobs.here, office=office)


def _slack(settings: Settings, database: Database, clock: Clock, blobs: Blobs, replica: Replica) -> Adapter:
    """Slack's client is large: it is loaded only where a token is given."""
    from bot.adapters.slack.account import Account
    from bot.adapters.slack.adapter import Slack

    slack = settings.slack
    assert slack.bot_token is not None
    account = Account(
        bot_token=slack.bot_token.get_secret_value(),
        app_token=slack.app_token.get_secret_value() if slack.app_token else "",
        signing_secret=slack.signing_secret.get_secret_value() if slack.signing_secret else "",
        api_url=slack.api_url,
        mode=slack.mode,
        staff_rooms=tuple(
            space.room for queue in settings.queues for space in queue.spaces if space.platform == "slack"
        ),
        other_workspaces=slack.other_workspaces,
    )

    async def threads() -> Sequence[Address]:
        return sorted(await database.read(_talked_about), key=str)

    async def _talked_about(tx: Transaction) -> set[Address]:
        """Where a request is on its way, a ticket is open, or may still be reopened."""
        since = tx.now - settings.desk.reopen_for
        tickets = await queries.unclosed(tx, limit=LOOKED_AFTER, since=since)
        asked = {Address.parse(room) for room in await dialogs.rooms_of(tx, "slack")}
        return await posts.threads_of(tx, "slack", tickets) | {each for each in asked if each.thread}

    return Slack(
        account,
        database=database,
        clock=clock,
        path=blobs.here,
        threads=threads,
        office=replica.office("what Slack said meanwhile"),
        mark=replica.mark,
    )


def _webhooks(settings: Settings, clock: Clock) -> Adapter:
    from bot.adapters.webhook.adapter import Endpoint, Webhooks

    endpoints = [
        Endpoint(each.name, each.url.get_secret_value(), each.secret.get_secret_value())
        for each in settings.webhooks
        if each.secret is not None
    ]
    return Webhooks(endpoints, clock)


def web_settings(settings: Settings) -> WebSettings:
    """The web server's share of the settings."""
    demo = None
    if settings.demo:
        web = [person.identities[0] for person in settings.people if person.identities[0].platform == "web"]
        if len(web) >= 2:
            demo = Demo(_identity(web[0]), _identity(web[1]), tuple(_identity(each) for each in web[2:]))
    return WebSettings(
        host=settings.web.host,
        port=settings.web.port,
        public_url=settings.web.address,
        proxies=networks(settings.web.proxies),
        language=settings.desk.language,
        time_zone=settings.desk.time_zone,
        visitors=settings.web.visitors,
        file_limit=settings.web.file_limit,
        demo=demo,
    )


def _identity(identity: Identity) -> Identity:
    return Identity.parse(str(identity))


def rooms_of(settings: Settings) -> Callable[[Person], Sequence[Room]]:
    """The web rooms a person sees besides their own: the spaces of the queues they serve."""
    spaces: dict[str, Room] = {}
    queues: dict[str, list[str]] = {}
    for queue in settings.queues:
        for space in queue.spaces:
            address = Address.parse(str(space))
            if address.platform == "web":
                spaces.setdefault(address.room, Room(address.room, "space", phrases.titled(queue.title)))
                queues.setdefault(address.room, []).append(queue.name)

    def rooms(person: Person) -> Sequence[Room]:
        return [room for name, room in spaces.items() if any(person.serves(queue) for queue in queues[name])]

    return rooms


@contextlib.asynccontextmanager
async def opened(settings: Settings, *, anew: bool = False) -> AsyncIterator[Database]:
    """The database, checked and brought up to date; a file is held by this process alone.

    Raises SetupError in one plain line when that cannot be."""
    place = settings.database.place
    lock = engine.prepare(place, anew=anew)
    database = Database(place)
    try:
        yield database
    finally:
        await database.close()
        lock.release()


async def run(settings: Settings, *, anew: bool = False, say: Callable[[str], None] = print) -> None:
    """Serve until SIGINT or SIGTERM, then stop cleanly within ten seconds. Raises SetupError."""
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(name, stop.set)
    async with opened(settings, anew=anew) as database:
        clock = WallClock()
        house = build(settings, database, clock)
        await house.replica.beat()
        await house.desk.open()
        if not settings.demo:
            await database.write(web_store.end_demo)
        settle_memory()
        await asyncio.to_thread(house.blobs.sweep_parts)
        site = web_app.build(
            web_settings(settings),
            database=database,
            blobs=house.blobs,
            rooms_of=rooms_of(settings),
            health_of=house.health,
            received=house.metrics.received,
            registry=house.metrics.registry,
            clock=clock,
        )
        for adapter in house.adapters.values():
            site.add_routes(adapter.routes())
        serving = await web_app.serve(site)
        try:
            await _announce(house, settings.web.address_at(serving.port), say)
            await _work(house, stop, Watchdog.of(os.environ))
        finally:
            house.stopping = True
            await serving.stop()


GARBAGE = (10_000, 20, 20)
"""So many new objects, and so many searches among younger ones, come before a search for garbage."""


def settle_memory() -> None:
    """What stands at the start stands till the end. To search all of it for garbage again and again would
    make everybody wait a tenth of a second each time; and what comes and goes with every turn need not be
    searched as often as the interpreter would, which takes a fifth of the processor's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*GARBAGE)


async def _work(house: House, stop: asyncio.Event, watchdog: Watchdog) -> None:
    """Everything side by side until told to stop; a part that fails stops the whole, loudly."""
    house.scheduler.start()
    tasks = [
        asyncio.create_task(part, name=name)
        for name, part in (
            ("bells", house.database.hear()),
            ("router", house.router.run()),
            ("delivery", house.delivery.run()),
            ("replicas", house.replica.run()),
            *((name, adapter.run(house.router)) for name, adapter in house.adapters.items()),
            *((("feeds", house.feeds.run(house.changed)),) if house.feeds.all else ()),
            *((("watchdog", watchdog.run(house.scheduler.turning)),) if watchdog.watched else ()),
            ("stop", stop.wait()),
        )
    ]
    watchdog.ready()
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        house.stopping = True
        watchdog.stopping()
        house.scheduler.stop()
        working = [task for task in tasks if task.get_name() not in house.adapters]
        await _end(working)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(DRAIN):
                await house.router.drain()
                await house.delivery.drain()
        await _end(tasks)  # the adapters last: what is under way goes through their connections
        await house.replica.leave()


async def _end(tasks: Sequence[asyncio.Task[object]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


async def _announce(house: House, address: str, say: Callable[[str], None]) -> None:
    say(f"Deskbridge is running: {address}")
    if not house.settings.demo:
        _tell_how_to_get_in(house.settings, say)
        return
    say("  This is the demo desk; its tickets stay in " + str(house.settings.database.place) + ".")
    say("  Open the address for a requester and an agent side by side, or sign in as one of them:")
    for person in house.settings.people:
        identity = _identity(person.identities[0])
        if identity.platform == "web":
            link = await sign_in_link(address, house.database, identity, reusable=True)
            say(f"  {person.name:<16} {', '.join(sorted(person.roles)):<12} {link}")
    say("  Ctrl-C stops it; start it again and everybody goes on where they were.")


def _tell_how_to_get_in(settings: Settings, say: Callable[[str], None]) -> None:
    accounts = (account for person in settings.people for account in person.identities)
    if first := next((account for account in accounts if account.platform == "web"), None):
        config = f" --config {settings.source}" if settings.source != Path("config.toml") else ""
        say(f"  People sign in by a link of their own, which this prints: deskbridge sign-in {first}{config}")


async def sign_in_link(
    address: str, database: Database, identity: Identity, *, reusable: bool = False
) -> str:
    """A link that signs this account in; the token stands after the #, which no server is ever sent."""
    token = await database.write(lambda tx: sessions.issue_link(tx, identity, LINK_FOR, reusable=reusable))
    return f"{address}/sign-in#{token}"
