"""The settings as the core wants them: members, catalogue, promises, policies, and ways to people."""

from collections.abc import Container, Iterator, Mapping
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from bot import duty
from bot.config import Settings
from bot.config.checks import IMPACT
from bot.config.model import Calendar as ConfiguredCalendar
from bot.config.model import RequestType as ConfiguredType
from bot.config.model import SpecialTargets, Targets
from bot.config.model import Step as ConfiguredStep
from bot.i18n import in_every_language
from core.desk import Rules
from core.escalation.model import PROMISED, Policies, Policy, Step
from core.kernel.ids import Identity
from core.people.model import Member, Members
from core.people.reach import Ways
from core.sla.calendars import DAY, FURTHEST, Calendar, DaysOff
from core.sla.model import ALWAYS, Promise, Promises, Rule, Target
from core.tickets.catalogue import Catalogue, Emergencies, Impact, Priority, Question, Queue, RequestType


def rules(settings: Settings, feeds: duty.Told = duty.NOTHING) -> Rules:
    """Everything the configuration tells the core, with what its feeds tell."""
    calendars = _calendars(settings, feeds)
    return Rules(
        _members(settings),
        _catalogue(settings),
        _promises(settings, calendars),
        _policies(settings, calendars),
        _ways(settings),
        duty.on_call(settings, feeds, calendars),
    )


def _members(settings: Settings) -> Members:
    return Members(
        tuple(
            Member(
                name=person.name,
                identities=tuple(Identity.parse(str(identity)) for identity in person.identities),
                roles=person.roles,
                queues=person.queues,
                language=person.language,
                vip=person.vip,
            )
            for person in settings.people
        )
    )


def _catalogue(settings: Settings) -> Catalogue:
    queues = {
        queue.name: Queue(
            queue.name,
            queue.title,
            tuple(str(space) for space in queue.spaces),
            queue.language,
            plain_reply=queue.plain_text == "reply",
        )
        for queue in settings.queues
    }
    types = {
        kind.name: RequestType(
            kind.name,
            kind.title,
            kind.queue,
            _questions(kind),
            kind.urgency,
            kind.keywords,
            kind.impact,
        )
        for kind in settings.request_types
    }
    spaces: dict[str, tuple[str, ...]] = {}
    for queue in queues.values():
        for space in queue.spaces:
            spaces[space] = (*spaces.get(space, ()), queue.name)
    return Catalogue(
        queues,
        types,
        close_after=settings.desk.close_after,
        reopen_for=settings.desk.reopen_for,
        rating_every=settings.desk.rating_every,
        flood_after=settings.desk.flood_after,
        emergencies=Emergencies(settings.emergency.enabled, settings.emergency.hours == "always"),
        matrix={urgency: getattr(settings.priorities.matrix, urgency) for urgency in Priority},
        by_space=spaces,
    )


def _questions(kind: ConfiguredType) -> tuple[Question, ...]:
    """Those of the type; after what must be answered, and before what need not be, who is affected."""
    own = [Question(each.name, each.text, each.options, each.optional) for each in kind.questions]
    if kind.ask_impact:
        who = ("intake.only_me", "intake.several", "intake.everybody")
        options, impacts = tuple(map(in_every_language, who)), tuple(reversed(Impact))
        asked = Question(IMPACT, in_every_language("intake.ask_impact"), options, impacts=impacts)
        needed = [place for place, each in enumerate(own, start=1) if not each.optional]
        own.insert(max(needed, default=0), asked)
    return tuple(own)


def _promises(settings: Settings, calendars: Mapping[str, Calendar]) -> Promises:

    def promises(targets: Targets | SpecialTargets) -> dict[Target, Promise]:
        told = {
            Target.FIRST: targets.first_response,
            Target.NEXT: targets.next_response,
            Target.RESOLUTION: targets.resolution,
        }
        calendar = calendars[targets.calendar]
        return {target: Promise(length, calendar) for target, length in told.items() if length}

    special = (Rule(promises(each), each.priorities, each.queues, each.types) for each in settings.targets)
    usual = (Rule(promises(getattr(settings.sla, each)), (each,)) for each in Priority)
    return Promises((*special, *usual))


def _calendars(settings: Settings, feeds: duty.Told) -> dict[str, Calendar]:
    zone = settings.desk.time_zone
    return {ALWAYS.name: ALWAYS} | {
        each.name: _calendar(each, zone, feeds.days.get(each.name, frozenset()))
        for each in settings.calendars
    }


def _calendar(told: ConfiguredCalendar, zone: str, days: frozenset[date]) -> Calendar:
    public = _public(told.holidays) if told.holidays else frozenset[date]()
    closed = DaysOff(public, frozenset(told.closed), frozenset(told.opened), days)
    return Calendar(told.name, ZoneInfo(told.time_zone or zone), told.hours, closed)


def _public(where: str) -> Container[date]:
    """The public holidays of a country, or of a part of one."""
    import holidays

    country, _, part = where.partition("-")
    found: Container[date] = holidays.country_holidays(country, subdiv=part or None)
    return found


def unkeepable(settings: Settings, now: datetime) -> Iterator[str]:
    """What would never fall due, for its calendar has too little working time; one line for each."""
    calendars = _calendars(settings, duty.NOTHING)
    for where, length, name in _counted(settings):
        if length < FURTHEST * DAY <= calendars[name].after(now, length) - now:
            yield f"{where}: is not over within five years; the calendar {name!r} has too few hours"


def _counted(settings: Settings) -> Iterator[tuple[str, timedelta, str]]:
    """Each length of time that is counted on a calendar, with the name of its key."""
    usual = ((f"sla.{each}", getattr(settings.sla, each)) for each in Priority)
    special = ((f"targets[{place}]", each) for place, each in enumerate(settings.targets))
    for where, targets in (*usual, *special):
        for key in ("first_response", "next_response", "resolution"):
            if length := getattr(targets, key):
                yield f"{where}.{key}", length, targets.calendar
    for at, policy in enumerate(settings.escalations):
        for place, told in enumerate(policy.steps):
            for step in _steps(told):
                length = step.after + (step.repeat or timedelta(0)) * (step.times - 1)
                if step.of not in PROMISED:
                    yield f"escalations[{at}].steps[{place}].after", length, policy.calendar


def _policies(settings: Settings, calendars: Mapping[str, Calendar]) -> Policies:
    return Policies(
        tuple(
            Policy(
                policy.name,
                policy.priorities,
                policy.queues,
                tuple(step for told in policy.steps for step in _steps(told)),
                calendars[policy.calendar],
            )
            for policy in settings.escalations
        )
    )


def _steps(told: ConfiguredStep) -> Iterator[Step]:
    """What a configured step is: the question, and what is done where it has no answer."""
    after = -told.before if told.before is not None else told.after or timedelta(0)
    if told.whom or told.level:
        whom, times = told.whom or "", told.times_in_all
        yield Step(after, told.of, whom, told.repeat, times, told.via, told.level)
    if told.release_after is not None:
        yield Step(after + told.release_after, told.of, release=True)


def _ways(settings: Settings) -> Ways:
    connected = {
        "web": True,
        "telegram": settings.telegram.token is not None,
        "slack": settings.slack.bot_token is not None,
    }
    platforms = tuple(platform for platform, is_so in connected.items() if is_so)
    return Ways(platforms, ZoneInfo(settings.desk.time_zone))
