"""What must agree between the parts of a configuration. Looks at what was written, so that a wrong value
elsewhere hides nothing: anything of a wrong form is passed over here and reported by the model."""

from collections.abc import Callable, Iterator
from typing import Any

from bot.config import duty, values
from bot.config.model import pings_until
from bot.config.written import Lines, Raw
from bot.config.written import items as _items
from bot.config.written import tables as _tables
from core.escalation.model import EMERGENCY
from core.tickets.catalogue import Level

IMPACT = "impact"
"""The question that `ask_impact` adds to a type."""
WHOM = ("agents", "owner", "lead", "space", "on-call")
LEVELS = tuple(Level)
PROMISED = ("first_response", "next_response", "resolution")
MOST_TIMES = 100


def all_problems(raw: Raw) -> Lines:
    """One line for each disagreement."""
    for check in _CHECKS:
        yield from check(raw)


def _twice(said: Iterator[tuple[str, Any]], what: str, *, fold: bool = False) -> Lines:
    """`fold`: names are the same that differ only in case, as people type them."""
    first: dict[str, str] = {}
    for where, value in said:
        if not isinstance(value, str):
            continue
        name = value.strip().casefold() if fold else value.strip()
        if first.setdefault(name, where) != where:
            yield f"{where}: {value!r} is used already by {first[name]}; {what}"


def _names_differ(raw: Raw) -> Lines:
    for key in ("people", "queues", "request_types", "escalations", "calendars", "webhooks", "rotas"):
        named = ((f"{where}.name", item.get("name")) for where, item in _tables(raw, key))
        yield from _twice(named, "each needs a name of its own", fold=key == "rotas")
    for where, item in _tables(raw, "escalations"):
        if item.get("name") == EMERGENCY:
            yield f"{where}.name: {EMERGENCY!r} is how the desk itself calls emergencies; choose another name"
    for where, kind in _tables(raw, "request_types"):
        named = ((f"{at}.name", item.get("name")) for at, item in _tables(kind, "questions", f"{where}."))
        yield from _twice(named, "each question needs a name of its own")


def _identities_differ(raw: Raw) -> Lines:
    people = list(_tables(raw, "people"))
    said = (entry for where, person in people for entry in _items(person, "identities", f"{where}."))
    yield from _twice(said, "an account belongs to one person")


def _queues_exist(raw: Raw) -> Lines:
    known = tuple(queue["name"] for _, queue in _tables(raw, "queues") if isinstance(queue.get("name"), str))
    said = [(f"{where}.queue", kind.get("queue")) for where, kind in _tables(raw, "request_types")]
    for key in ("people", "escalations", "targets", "rotas", "levels"):
        said += [entry for where, item in _tables(raw, key) for entry in _items(item, "queues", f"{where}.")]
    for where, name in said:
        if known and isinstance(name, str) and name not in known:
            guess = values.closest(name, known)
            yield f"{where}: there is no queue {name!r}{guess} (queues: {', '.join(known)})"


def _calendars_exist(raw: Raw) -> Lines:
    named = [item["name"] for _, item in _tables(raw, "calendars") if isinstance(item.get("name"), str)]
    known = ("always", *named)
    for where, item in _tables(raw, "calendars"):
        if item.get("name") == "always":
            yield f"{where}.name: 'always' is the calendar that never closes; choose another name"
    sla = raw.get("sla")
    usual = sla.items() if isinstance(sla, dict) else ()
    said = [(f"sla.{key}", item) for key, item in usual if isinstance(item, dict)]
    for at, rota in _tables(raw, "rotas"):
        said += _tables(rota, "layers", f"{at}.")
    for where, item in [*said, *_tables(raw, "targets"), *_tables(raw, "escalations")]:
        name = item.get("calendar")
        if isinstance(name, str) and name not in known:
            guess = values.closest(name, known)
            yield f"{where}.calendar: there is no calendar {name!r}{guess} (calendars: {', '.join(known)})"


def _days_agree(raw: Raw) -> Lines:
    """A day is either off or not."""
    for at, item in _tables(raw, "calendars"):
        opened = {str(day) for _, day in _items(item, "opened")}
        for where, day in _items(item, "closed", f"{at}."):
            if str(day) in opened:
                yield f"{where}: {str(day)!r} stands in 'opened', too; keep one of them"


def _targets_say_something(raw: Raw) -> Lines:
    for where, item in _tables(raw, "targets"):
        if not any(key in item for key in PROMISED):
            yield f"{where}: names no target; give at least one of {', '.join(PROMISED)}"


def _types_exist(raw: Raw) -> Lines:
    names = (kind.get("name") for _, kind in _tables(raw, "request_types"))
    known = tuple(name for name in names if isinstance(name, str))
    for at, item in _tables(raw, "targets"):
        for where, name in _items(item, "types", f"{at}."):
            if known and isinstance(name, str) and name not in known:
                yield f"{where}: there is no request type {name!r}{values.closest(name, known)}"


def _whom_exists(raw: Raw) -> Lines:
    staff = duty.staff_of(raw)
    hooks = tuple(item["name"] for _, item in _tables(raw, "webhooks") if isinstance(item.get("name"), str))
    for where, item in _tables(raw, "people"):
        if item.get("name") in (*WHOM, *LEVELS):
            yield f"{where}.name: {item['name']!r} has a meaning of its own in escalations; name the person"
    for where, step in _steps(raw):
        whom = step.get("whom")
        if isinstance(whom, str):
            yield from (f"{where}.whom: {line}" for line in _wrong_whom(whom.strip(), staff, hooks))


def _wrong_whom(whom: str, people: tuple[str, ...], hooks: tuple[str, ...]) -> Lines:
    kind, _, rest = whom.partition(" ")
    if kind == "webhook":
        if rest not in hooks:
            known = ", ".join(hooks) or "none: name one under [[webhooks]]"
            yield f"there is no webhook {rest!r}{values.closest(rest, hooks)} (webhooks: {known})"
    elif whom not in (*WHOM, *LEVELS, *people) and (kind, rest in LEVELS) != ("on-call", True):
        guess = values.closest(whom, WHOM + people)
        yield (
            f"{whom!r} must be {', '.join(WHOM)}, L1, L2 or L3, 'on-call L2', 'webhook …' "
            f"or the name of somebody who works here{guess}"
        )


def _steps(raw: Raw) -> Iterator[tuple[str, Raw]]:
    for at, policy in _tables(raw, "escalations"):
        yield from _tables(policy, "steps", f"{at}.")


def _repeats_agree(raw: Raw) -> Lines:
    for where, step in _steps(raw):
        ends = [key for key in ("times", "until") if key in step]
        if "repeat" in step and (not ends or (ends == ["times"] and step["times"] == 1)):
            yield f"{where}.times: must be 2 or more where 'repeat' is given: how often it pings in all"
        elif len(ends) == 2:
            yield f"{where}.until: is given beside 'times'; keep one of them"
        elif "repeat" not in step and ends and step.get("times") != 1:
            yield f"{where}.repeat: is missing; {ends[0]!r} needs to know how long to wait in between"
        elif "repeat" in step and "whom" not in step:
            yield f"{where}.repeat: says how often 'whom' is asked again, and nobody is"
        elif "until" in step:
            yield from _end_agrees(where, step)


def _end_agrees(where: str, step: Raw) -> Lines:
    """It ends after it has begun, and not after hundreds of pings."""
    until, repeat, after, before = (
        values.length(step.get(key)) for key in ("until", "repeat", "after", "before")
    )
    if until is None or repeat is None:
        return
    if after is not None and until <= after:
        yield f"{where}.until: must be later than 'after'; both count from the same moment"
    elif pings_until(until, after, before, repeat) > MOST_TIMES:
        yield f"{where}.until: would make more than {MOST_TIMES} pings; repeat less often, or end earlier"


def _steps_agree(raw: Raw) -> Lines:
    for where, step in _steps(raw):
        times = [key for key in ("after", "before") if key in step]
        if len(times) != 1:
            yield f"{where}.after: give one of 'after' and 'before': when the step comes"
        elif times == ["before"] and step.get("of") not in PROMISED:
            yield f"{where}.before: is for promises, of = {', '.join(PROMISED)}; for others give 'after'"
        if not any(key in step for key in ("whom", "level", "release_after")):
            yield f"{where}.whom: is missing; it says whom the step asks"
        if "release_after" in step and step.get("of") != "no_progress":
            yield f"{where}.release_after: is for of = 'no_progress': an owner who does not answer"
        if "via" in step and "whom" not in step:
            yield f"{where}.via: says through which messenger 'whom' is asked, and nobody is"
        elif "via" in step and str(step["whom"]).partition(" ")[0] in ("space", "webhook"):
            yield f"{where}.via: is for people; {step['whom']!r} is asked where it is"


def _types_agree(raw: Raw) -> Lines:
    for at, kind in _tables(raw, "request_types"):
        if kind.get("ask_impact") is True:
            yield from _impact_can_be_asked(at, kind)
        for where, question in _tables(kind, "questions", f"{at}."):
            options = question.get("options", [])
            if question.get("kind") == "choice" and isinstance(options, list) and len(options) < 2:
                yield f"{where}.options: a question of the kind 'choice' must have at least two options"
            elif question.get("kind") == "text" and options:
                yield f"{where}.kind: must be 'choice' where options are given"


def _impact_can_be_asked(at: str, kind: Raw) -> Lines:
    """Who is affected is one of the four questions of a type."""
    own = list(_tables(kind, "questions", f"{at}."))
    if len(own) > 3:
        yield f"{at}.questions: must be at most 3 where 'ask_impact' asks another one"
    for where, question in own:
        if question.get("name") == IMPACT:
            yield f"{where}.name: must not be {IMPACT!r}; 'ask_impact' asks a question of that name"


_NEEDED: dict[str, dict[str, tuple[str, ...]]] = {
    "telegram": {"polling": ("token",), "webhook": ("token", "webhook_secret")},
    "slack": {"socket": ("bot_token", "app_token"), "http": ("bot_token", "signing_secret")},
}


def _messengers_complete(raw: Raw) -> Lines:
    for section, needed in _NEEDED.items():
        table = raw.get(section)
        keys = {key for each in needed.values() for key in each}
        given = {key for key in keys if isinstance(table, dict) and (key in table or f"{key}_file" in table)}
        if not isinstance(table, dict) or not given:
            continue
        mode = table.get("mode", next(iter(needed)))
        for key in needed.get(mode, ()) if isinstance(mode, str) else ():
            if key not in given:
                yield f"{section}.{key}: is missing; mode {mode!r} needs it (or {key}_file)"
        if (section, mode) == ("telegram", "webhook") and not _public(raw):
            yield "web.public_url: is missing; Telegram's webhook needs the address it shall call"


def _webhooks_signed(raw: Raw) -> Lines:
    for where, hook in _tables(raw, "webhooks"):
        if "secret" not in hook and "secret_file" not in hook:
            yield f"{where}.secret: is missing (or secret_file); calls are signed with it"


def _public(raw: Raw) -> bool:
    web = raw.get("web")
    return isinstance(web, dict) and "public_url" in web


_CHECKS: tuple[Callable[[Raw], Lines], ...] = (
    _names_differ,
    _identities_differ,
    _queues_exist,
    _calendars_exist,
    _days_agree,
    _targets_say_something,
    _types_exist,
    _whom_exists,
    _repeats_agree,
    _steps_agree,
    _types_agree,
    _messengers_complete,
    _webhooks_signed,
    duty.problems,
)
