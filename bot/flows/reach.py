"""`/reach`: in which messenger somebody is reached at which hours, and when they are left alone."""

import re
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from bot import codes
from bot.flows import phrases
from bot.flows.elsewhere import go_on, send_through
from bot.flows.turn import Turn
from bot.message import At, Choice, Fact, Message, Paragraph, Plain, Several, Text, Typed, Words
from core.kernel.errors import UserError
from core.kernel.ids import Identity, MessageId, TicketId
from core.outbox import actions as outbox
from core.people import actions as people_actions
from core.people import reach
from core.people import store as people
from core.people.reach import ANYWHERE, DAY, EVERY_DAY, Hours, Reach, Rule, Ways

MOST = 10
"""Rules of one person."""
_MESSENGERS = {
    "slack": "slack", "слак": "slack", "слаке": "slack", "слэк": "slack", "слэке": "slack",
    "telegram": "telegram", "tg": "telegram", "тг": "telegram",
    "телеграм": "telegram", "телеграме": "telegram", "телеграмм": "telegram", "телеграмме": "telegram",
    "web": "web", "webchat": "web", "веб": "web", "вебе": "web", "сайт": "web", "сайте": "web",
}  # fmt: skip
_OTHERWISE = frozenset({"otherwise", "else", "иначе", "остальное"})
_QUIET = frozenset({"quiet", "тихо", "тишина"})
_NEVER = frozenset({"off", "none", "no", "never", "clear", "нет", "выкл", "никогда", "сброс"})
_FILLERS = frozenset({"in", "on", "at", "the", "and", "в", "во", "на", "по", "и"})
_DAYS = {
    name: day
    for day, names in enumerate(
        (
            "mon monday пн понедельник", "tue tuesday вт вторник", "wed wednesday ср среда",
            "thu thursday чт четверг", "fri friday пт пятница", "sat saturday сб суббота",
            "sun sunday вс воскресенье",
        )
    )
    for name in names.split()
}  # fmt: skip
_GROUPS = {
    "weekdays": (0, 1, 2, 3, 4), "будни": (0, 1, 2, 3, 4), "будням": (0, 1, 2, 3, 4),
    "weekend": (5, 6), "weekends": (5, 6), "выходные": (5, 6), "выходным": (5, 6),
    "daily": EVERY_DAY, "ежедневно": EVERY_DAY,
}  # fmt: skip
_FROM_TO = re.compile(r"\b(?:from|с)\s+(\S+)\s+(?:to|till|until|до)\s+(\S+)")
_HOURS = re.compile(r"(\d{1,2})(?:[:.](\d{2}))?-(\d{1,2})(?:[:.](\d{2}))?")


async def command(turn: Turn, _: TicketId, rest: str) -> None:
    """Show how this person is reached, after changing it if something was said of it."""
    if rest:
        turn = await _change(turn, await _told(turn, rest))
    await turn.tell(await _page(turn))


async def pressed(turn: Turn, words: Sequence[str]) -> None:
    """A button that has to do with where somebody is reached, or a ticket goes on."""
    match list(words):
        case ["clear", "rules"]:
            await turn.tell(await _page(await _change(turn, replace(turn.person.reach, rules=()))))
        case ["clear", "quiet"]:
            await turn.tell(await _page(await _change(turn, replace(turn.person.reach, quiet=None))))
        case ["go", number, platform]:
            await go_on(turn, TicketId(int(number)), platform)
        case ["through", number, message, platform]:
            await send_through(turn, TicketId(int(number)), MessageId(int(message)), platform)
        case _:
            raise UserError("press.stale")


async def _change(turn: Turn, wishes: Reach) -> Turn:
    person = await people_actions.prefer(turn.tx, turn.person, wishes)
    await outbox.hasten(turn.tx, person.id)
    return replace(turn, person=person)


# ---- what was typed


async def _told(turn: Turn, rest: str) -> Reach:
    """The wishes as they are from now on: the rules anew if any was told, the quiet hours if they were."""
    wishes, rules = turn.person.reach, list[Rule]()
    text = re.sub(r"\s*[-–—]\s*", "-", _FROM_TO.sub(r"\1-\2", rest.casefold().replace("веб-чат", "веб")))
    if text.strip() in _NEVER:
        return ANYWHERE
    for words in _clauses(text):
        if words[0] in _QUIET:
            wishes = replace(wishes, quiet=_quiet(turn, words[1:]))
        else:
            rules.append(await _rule(turn, words))
    if len(rules) > MOST:
        raise _invalid()
    return replace(wishes, rules=tuple(rules)) if rules else wishes


def _clauses(text: str) -> list[list[str]]:
    """The words of each rule, told apart by commas or by where the next messenger begins."""
    clauses = []
    for part in re.split(r"[,;]", text):
        words = [word for word in part.split() if word not in _FILLERS]
        named = [place for place, word in enumerate(words) if word in _MESSENGERS]
        cuts = [place - (words[place - 1] in _OTHERWISE) for place in named[1:]]
        clauses += [words[start:end] for start, end in pairwise([0, *cuts, len(words)])]
    if not all(clauses):
        raise _invalid()
    return clauses


async def _rule(turn: Turn, words: Sequence[str]) -> Rule:
    """`slack 9-18`, `9-18 in slack`, `otherwise telegram`, `telegram otherwise`."""
    named = [word for word in words if word in _MESSENGERS]
    hours = [word for word in words if word not in _MESSENGERS and word not in _OTHERWISE]
    otherwise = len(named) + len(hours) < len(words)
    if len(named) != 1 or (otherwise and hours):
        raise _invalid()
    return Rule(await _own(turn, named[0]), _hours(hours) if hours else None)


def _invalid() -> UserError:
    return UserError("reach.valid")


async def _own(turn: Turn, word: str) -> str:
    """The messenger of this name, in which they must have an account."""
    platform = _MESSENGERS[word]
    own = dict.fromkeys(each.platform for each in await _reachable(turn))
    if platform not in own:
        known = phrases.listed(f"via.{each}" for each in own)
        raise UserError("reach.no_account", via=platform, own=known, command="/link")
    return platform


async def _reachable(turn: Turn) -> list[Identity]:
    """The accounts through which the desk can write to them."""
    found = await people.identities_of(turn.tx, turn.person.id)
    return [identity for identity in found if turn.direct(identity) is not None]


def _quiet(turn: Turn, words: Sequence[str]) -> Hours | None:
    if not turn.person.staff:
        raise UserError("reach.quiet_staff")
    if len(words) == 1 and words[0] in _NEVER:
        return None
    hours = _hours(words)
    if hours == Hours(0, DAY):
        raise _invalid()
    return hours


def _hours(words: Sequence[str]) -> Hours:
    """`9-18 mon-fri`: hours, days, or both. Raises UserError that gives examples."""
    begin, end, days, timed = 0, DAY, set[int](), False
    for word in words:
        if (found := _HOURS.fullmatch(word)) is not None and not timed:
            begin, end, timed = _minute(found[1], found[2]), _minute(found[3], found[4]), True
        else:
            days |= _days(word)
    if begin in (end, DAY) or not words:
        raise _invalid()
    return Hours(begin, end or DAY, tuple(sorted(days)) or EVERY_DAY)


def _minute(hour: str, minute: str | None) -> int:
    instant = int(hour) * 60 + int(minute or 0)
    if instant > DAY or int(minute or 0) > 59:
        raise _invalid()
    return instant


def _days(word: str) -> set[int]:
    if word in _GROUPS:
        return set(_GROUPS[word])
    first, _, last = word.partition("-")
    if first not in _DAYS or (last or first) not in _DAYS:
        raise _invalid()
    begin, end = _DAYS[first], _DAYS[last or first]
    return {(begin + more) % 7 for more in range((end - begin) % 7 + 1)}


# ---- what is shown


async def _page(turn: Turn) -> Message:
    wishes, ways = turn.person.reach, turn.tx.rule(Ways)
    lines = [Paragraph(Words("reach.title"), "strong"), *map(Paragraph, _rules(wishes.rules))]
    if wishes.quiet is not None:
        lines.append(Paragraph(Words("reach.quiet", {"hours": _span(wishes.quiet)})))
    if wishes.rules or wishes.quiet:
        clock: dict[str, Fact] = {"zone": Plain(turn.time_zone), "at": At(turn.tx.now, "clock")}
        lines.append(Paragraph(Words("reach.clock", clock), "quiet"))
    accounts = await people.accounts_of(turn.tx, turn.person.id)
    known = await _reachable(turn)
    ordered = [each for each in reach.order(wishes, accounts, ways.local(turn.tx.now)) if each in known]
    if len({each.platform for each in known}) > 1:
        lines.append(Paragraph(Words("reach.now", {"via": phrases.via(ordered[0].platform)}), "quiet"))
        lines.append(Paragraph(Words("reach.how"), "quiet"))
    else:
        lines.append(Paragraph(Words("reach.link", {"command": Typed("/link")}), "quiet"))
    if turn.person.staff:
        lines.append(Paragraph(Words("reach.how_quiet"), "quiet"))
    return Message(tuple(lines), _buttons(wishes))


def _rules(rules: Sequence[Rule]) -> list[Text]:
    if not rules:
        return [Words("reach.anywhere")]
    told: list[Text] = []
    for place, rule in enumerate(rules):
        via = phrases.via(rule.platform)
        if rule.hours is not None:
            told.append(Words("reach.rule", {"via": via, "hours": _span(rule.hours)}))
        else:
            told.append(Words("reach.otherwise" if place else "reach.always", {"via": via}))
    return told


def _span(hours: Hours) -> Text:
    """`9:00–18:00, Mon–Fri`."""
    if (hours.begin, hours.end) == (0, DAY):
        return _week(hours.days)
    clock = Plain(f"{_clock(hours.begin)}–{_clock(hours.end)}")
    return Several((clock, _week(hours.days)), ", ")


def _clock(minutes: int) -> str:
    return f"{minutes // 60}:{minutes % 60:02}"


def _week(days: tuple[int, ...]) -> Text:
    """The days, those that follow each other as one stretch."""
    if days == EVERY_DAY:
        return Words("days.daily")
    names = [Words(f"days.{day}") for day in days]
    if len(days) > 2 and days == tuple(range(days[0], days[-1] + 1)):
        return Several((names[0], names[-1]), "–")
    return Several(tuple(names), ", ")


def _buttons(wishes: Reach) -> tuple[tuple[Choice, ...], ...]:
    clear = []
    if wishes.rules:
        clear.append(phrases.button(codes.code("w", "clear", "rules"), "button.clear_rules"))
    if wishes.quiet is not None:
        clear.append(phrases.button(codes.code("w", "clear", "quiet"), "button.clear_quiet"))
    return (tuple(clear),) if clear else ()
