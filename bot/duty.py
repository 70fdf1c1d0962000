"""Who is on call and when nobody works, as the configuration and its feeds tell it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

from bot.config import Settings
from bot.config.model import Layer as ConfiguredLayer
from bot.config.model import Person
from bot.config.model import Rota as ConfiguredRota
from bot.gateways import ical
from core.oncall.model import Cover, Layer, OnCall, Roster, Rota, Team
from core.people.model import Role
from core.sla.calendars import Calendar


@dataclass(frozen=True, slots=True)
class Told:
    """What the feeds tell: turns by rota, days off by calendar; and what they say that nobody understands."""

    turns: Mapping[str, tuple[ical.Turn, ...]] = field(default_factory=dict)
    days: Mapping[str, frozenset[date]] = field(default_factory=dict)
    troubles: tuple[str, ...] = ()
    unknown: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """By rota, the titles of events that name nobody who works here."""


NOTHING = Told()


def sources(settings: Settings) -> dict[str, str]:
    """Every feed, and how it is spoken of."""
    found = {each.ical: f"calendar {each.name!r}" for each in settings.calendars if each.ical}
    return found | {each.ical: f"rota {each.name!r}" for each in settings.rotas if each.ical}


def told(settings: Settings, raw: Mapping[str, bytes], now: datetime) -> Told:
    """What the feeds that could be read tell around this day."""
    today, staff = now.astimezone(UTC).date(), _accounts(settings)
    turns: dict[str, tuple[ical.Turn, ...]] = {}
    days: dict[str, frozenset[date]] = {}
    unknown: dict[str, tuple[str, ...]] = {}
    troubles: list[str] = []
    for calendar in settings.calendars:
        if calendar.ical is not None and calendar.ical in raw:
            try:
                days[calendar.name] = ical.days(ical.read(raw[calendar.ical]), today)
            except ical.Unreadable as error:
                troubles.append(f"calendar {calendar.name!r}: {error}")
    for rota in settings.rotas:
        if rota.ical is not None and rota.ical in raw:
            try:
                found = ical.turns(ical.read(raw[rota.ical]), _zone(settings, rota), today, staff)
                turns[rota.name], unknown[rota.name] = found.known, found.unknown
            except ical.Unreadable as error:
                troubles.append(f"rota {rota.name!r}: {error}")
    return Told(turns, days, tuple(troubles), {name: each for name, each in unknown.items() if each})


def _accounts(settings: Settings) -> dict[str, tuple[str, ...]]:
    """Who may be on call, and by which names of the web chat they are known."""
    return {
        person.name: tuple(each.account for each in person.identities if each.platform == "web")
        for person in settings.people
        if _works(person)
    }


def _works(person: Person) -> bool:
    return person.roles != {Role.REQUESTER}


def _zone(settings: Settings, rota: ConfiguredRota) -> ZoneInfo:
    return ZoneInfo(rota.time_zone or settings.desk.time_zone)


def on_call(settings: Settings, feeds: Told, calendars: Mapping[str, Calendar]) -> OnCall:
    """The rotas and levels."""
    rotas = tuple(
        Rota(
            rota.name,
            (
                *_roster(rota, feeds),
                *(_layer(each, _zone(settings, rota), calendars) for each in rota.layers),
            ),
            queues=rota.queues,
            level=rota.level,
        )
        for rota in settings.rotas
    )
    return OnCall(rotas, tuple(Team(each.level, each.people, each.queues) for each in settings.levels))


def _roster(rota: ConfiguredRota, feeds: Told) -> tuple[Roster, ...]:
    if rota.ical is None:
        return ()
    turns = feeds.turns.get(rota.name, ())
    return (Roster(tuple(Cover(each.person, each.since, each.until) for each in turns)),)


def _layer(told: ConfiguredLayer, zone: ZoneInfo, calendars: Mapping[str, Calendar]) -> Layer:
    own = ZoneInfo(told.time_zone) if told.time_zone else zone
    hours = calendars[told.calendar] if told.calendar else Calendar("rota", own, told.hours)
    return Layer(told.people, told.starts, told.turn, hours)
