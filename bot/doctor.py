"""`deskbridge doctor`: what is right and what is missing, one line each, with what to do about it."""

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Iterator

from bot import duty, i18n, main, rehearsal, rules
from bot.adapters.port import Finding
from bot.config import Settings
from bot.message import Fact, Plain, Text, Words
from core.database.engine import Database
from core.database.transaction import Transaction
from core.desk import Desk
from core.kernel.clock import WallClock
from core.people import store as people
from core.people.model import Role

SIGNS = {True: "✓", False: "✗", None: "–"}


async def examine(settings: Settings, database: Database) -> AsyncIterator[Finding]:
    """Everything, in the order one would mend it."""
    yield Finding(True, Words("doctor.database", {"path": Plain(str(settings.database.place))}))
    yield Finding(True, Words("doctor.time_zone", {"zone": Plain(settings.desk.time_zone)}))
    for finding in of_people(settings):
        yield finding
    for finding in await database.read(lambda tx: not_known_yet(tx, settings)):
        yield finding
    house = main.build(settings, database, WallClock())
    async for finding in _feeds(settings, house):
        yield finding
    platforms = frozenset(house.adapters)
    for finding in await database.read(lambda tx: _proof(tx, platforms)):
        yield finding
    async for finding in _telegram(settings, house):
        yield finding
    async for finding in _slack(settings, house):
        yield finding


async def _proof(tx: Transaction, platforms: Collection[str]) -> list[Finding]:
    return [finding async for finding in rehearsal.proof(tx, platforms)]


async def _feeds(settings: Settings, house: main.House) -> AsyncIterator[Finding]:
    """Whether the calendars of others can be read, and whom they mean. Nothing of the desk is changed."""
    if not house.feeds.all:
        return
    await house.feeds.fetch()
    told = await asyncio.to_thread(duty.told, settings, house.feeds.raw(), house.clock.now())
    Desk(house.database, rules.rules(settings, told), lambda _: None)  # what is proved goes by them
    for feed in house.feeds.all.values():
        facts: dict[str, Fact] = {"feed": Plain(feed.label), "why": Plain(feed.trouble)}
        key = "doctor.feed_trouble" if feed.trouble else "doctor.feed"
        yield Finding(not feed.trouble, Words(key, facts))
    for trouble in told.troubles:
        yield Finding(False, Plain(trouble))
    for rota, titles in told.unknown.items():
        names = Plain(", ".join(titles[:10]))
        yield Finding(False, Words("doctor.feed_unknown", {"rota": Plain(rota), "names": names}))


async def _telegram(settings: Settings, house: main.House) -> AsyncIterator[Finding]:
    if "telegram" in house.adapters:
        from bot.adapters.telegram import doctor as telegram
        from bot.adapters.telegram.adapter import Telegram

        adapter = house.adapters["telegram"]
        assert isinstance(adapter, Telegram)
        await adapter.rooms.load()
        async for finding in telegram.examine(adapter, _accounts(settings, "telegram")):
            yield finding
        await adapter.close()


async def _slack(settings: Settings, house: main.House) -> AsyncIterator[Finding]:
    if "slack" in house.adapters:
        from bot.adapters.slack import doctor as slack
        from bot.adapters.slack.adapter import Slack

        adapter = house.adapters["slack"]
        assert isinstance(adapter, Slack)
        token = settings.slack.config_token
        config_token = token.get_secret_value() if token else None
        async for finding in slack.examine(adapter, _accounts(settings, "slack"), config_token):
            yield finding
        await adapter.close()


def _accounts(settings: Settings, platform: str) -> dict[str, str]:
    """Whom pings may be for, with their accounts."""
    return {
        person.name: identity.account
        for person in settings.people
        if person.roles != {Role.REQUESTER}
        for identity in person.identities
        if identity.platform == platform
    }


def of_people(settings: Settings) -> Iterator[Finding]:
    """Every queue needs somebody who works in it."""
    for queue in settings.queues:
        serving = [
            person
            for person in settings.people
            if Role.ADMIN in person.roles
            or (person.roles != {Role.REQUESTER} and queue.name in person.queues)
        ]
        key = "doctor.queue" if serving else "doctor.queue_empty"
        yield Finding(bool(serving), Words(key, {"queue": Plain(queue.name)}, len(serving)))


async def not_known_yet(tx: Transaction, settings: Settings) -> list[Finding]:
    """Those who work here by the configuration, and whom the desk has not taken over from it."""
    known = {person.name for person in await people.staff(tx)}
    names = [each.name for each in settings.people if each.roles != {Role.REQUESTER}]
    missing = ", ".join(name for name in names if name not in known)
    return [Finding(None, Words("doctor.not_known_yet", {"names": Plain(missing)}))] if missing else []


async def report(settings: Settings, database: Database, say: Callable[[str], None]) -> bool:
    """Print the findings; true if all is right."""
    right = True
    async for finding in examine(settings, database):
        say(worded(settings, finding))
        right = right and finding.ok is not False
    return right


def worded(settings: Settings, finding: Finding) -> str:
    """A finding as one line, in the desk's language."""
    return f"{SIGNS[finding.ok]} {in_words(settings, finding.text)}"


def in_words(settings: Settings, text: Text) -> str:
    """A text in the desk's language, its times in the desk's zone."""
    desk, now = settings.desk, WallClock().now()
    return i18n.word(text, desk.language, time_zone=desk.time_zone, now=now)
