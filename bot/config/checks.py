"""What must agree between the parts of a configuration. Looks at what was written, so that a wrong value
elsewhere hides nothing: anything of a wrong form is passed over here and reported by the model."""

from collections.abc import Callable, Iterator
from typing import Any

from bot.config import values

Raw = dict[str, Any]
Lines = Iterator[str]

IMPACT = "impact"
"""The question that `ask_impact` adds to a type."""
WHOM = ("agents", "owner", "lead", "space")


def all_problems(raw: Raw) -> Lines:
    """One line for each disagreement."""
    for check in _CHECKS:
        yield from check(raw)


def _items(table: Raw, key: str, at: str = "") -> Iterator[tuple[str, Any]]:
    found = table.get(key)
    if isinstance(found, list):
        yield from ((f"{at}{key}[{place}]", item) for place, item in enumerate(found))


def _tables(table: Raw, key: str, at: str = "") -> Iterator[tuple[str, Raw]]:
    return ((where, item) for where, item in _items(table, key, at) if isinstance(item, dict))


def _twice(said: Iterator[tuple[str, Any]], what: str) -> Lines:
    first: dict[str, str] = {}
    for where, value in said:
        if isinstance(value, str) and first.setdefault(value.strip(), where) != where:
            yield f"{where}: {value!r} is used already by {first[value.strip()]}; {what}"


def _names_differ(raw: Raw) -> Lines:
    for key in ("people", "queues", "request_types", "escalations", "calendars"):
        named = ((f"{where}.name", item.get("name")) for where, item in _tables(raw, key))
        yield from _twice(named, "each needs a name of its own")
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
    for key in ("people", "escalations", "targets"):
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
    for where, item in [*said, *_tables(raw, "targets")]:
        name = item.get("calendar")
        if isinstance(name, str) and name not in known:
            guess = values.closest(name, known)
            yield f"{where}.calendar: there is no calendar {name!r}{guess} (calendars: {', '.join(known)})"


def _types_exist(raw: Raw) -> Lines:
    names = (kind.get("name") for _, kind in _tables(raw, "request_types"))
    known = tuple(name for name in names if isinstance(name, str))
    for at, item in _tables(raw, "targets"):
        for where, name in _items(item, "types", f"{at}."):
            if known and isinstance(name, str) and name not in known:
                yield f"{where}: there is no request type {name!r}{values.closest(name, known)}"


def _whom_exists(raw: Raw) -> Lines:
    people = tuple(item["name"] for _, item in _tables(raw, "people") if isinstance(item.get("name"), str))
    for where, item in _tables(raw, "people"):
        if item.get("name") in WHOM:
            yield f"{where}.name: {item['name']!r} has a meaning of its own in escalations; name the person"
    for at, policy in _tables(raw, "escalations"):
        for where, step in _tables(policy, "steps", f"{at}."):
            whom = step.get("whom")
            if isinstance(whom, str) and whom not in WHOM and whom not in people:
                guess = values.closest(whom, WHOM + people)
                yield f"{where}.whom: {whom!r} must be {', '.join(WHOM)} or the name of a person{guess}"


def _repeats_agree(raw: Raw) -> Lines:
    for at, policy in _tables(raw, "escalations"):
        for where, step in _tables(policy, "steps", f"{at}."):
            if "repeat" in step and step.get("times", 1) == 1:
                yield f"{where}.times: must be 2 or more where 'repeat' is given: how often it pings in all"
            elif "repeat" not in step and step.get("times", 1) != 1:
                yield f"{where}.repeat: is missing; 'times' needs to know how long to wait in between"


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


def _public(raw: Raw) -> bool:
    web = raw.get("web")
    return isinstance(web, dict) and "public_url" in web


_CHECKS: tuple[Callable[[Raw], Lines], ...] = (
    _names_differ,
    _identities_differ,
    _queues_exist,
    _calendars_exist,
    _types_exist,
    _whom_exists,
    _repeats_agree,
    _types_agree,
    _messengers_complete,
)
