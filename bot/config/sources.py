"""Where a configuration comes from: defaults, the demo, the file, the environment, files of secrets."""

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic_settings import EnvSettingsSource, SettingsError

from bot.config import problems, values
from bot.config.model import PREFIX, Settings

Raw = dict[str, Any]

DEFAULT_FILE = Path("config.toml")
_HERE = Path(__file__).parent
_IGNORED = f"{PREFIX}TEST_"
_STAFF = {"agent", "lead", "admin"}


def merge(under: Raw, over: Raw) -> Raw:
    """Tables laid over tables, key by key; anything else of `over` replaces what is under it."""
    both = {
        key: merge(under[key], value)
        if isinstance(value, dict) and isinstance(under.get(key), dict)
        else value
        for key, value in over.items()
    }
    return {**under, **both}


def chosen(path: Path | None) -> Path | None:
    """The file to read: the one named, else ./config.toml if it is there."""
    return path or (DEFAULT_FILE if os.path.lexists(DEFAULT_FILE) else None)


def read_file(path: Path) -> tuple[Raw, list[str]]:
    """What a file holds, and what keeps it from being read."""
    try:
        raw = tomllib.loads(path.read_bytes().decode("utf-8"))
    except FileNotFoundError:
        return {}, [f"{path}: there is no such file; name one that exists, or start without --config"]
    except tomllib.TOMLDecodeError as error:
        what, where, place = str(error).partition(" (at ")
        place = place.rstrip(")").replace("end of document", "the end of the file") if where else "some place"
        return {}, [f"{path}: is not valid TOML at {place}: {what}"]
    except UnicodeDecodeError:
        return {}, [f"{path}: is not valid TOML: it must be a text in UTF-8"]
    except (OSError, RecursionError, ValueError) as error:
        return {}, [f"{path}: cannot be read: {getattr(error, 'strerror', None) or type(error).__name__}"]
    odd = [key for key in raw if key.startswith("_")]
    lines = [
        f"{problems.key_name((key,))}: {problems.unknown(key, tuple(Settings.model_fields))}" for key in odd
    ]
    return {key: value for key, value in raw.items() if key not in odd}, lines


def variables(table: type[BaseModel] = Settings, prefix: str = PREFIX) -> Iterator[str]:
    """Every variable of the environment that means something: the single values, not the lists of tables."""
    for name, field in table.model_fields.items():
        inner = problems.table_in(field.annotation)
        if inner is None:
            yield prefix + name.upper()
        elif field.annotation is not None and inner is field.annotation:
            yield from variables(inner, f"{prefix}{name.upper()}__")


def read_environment(environ: Mapping[str, str]) -> tuple[Raw, frozenset[str], list[str]]:
    """What the environment sets, by which variables, and those nobody knows."""
    known = tuple(variables())
    ours = [n for n in environ if n.upper().startswith(PREFIX) and not n.startswith(_IGNORED)]
    lines = [f"{name}: {_unknown_variable(name, known)}" for name in sorted(ours) if name not in known]
    found: Raw = {}
    for name in sorted(frozenset(ours) & frozenset(known)):
        source = EnvSettingsSource(Settings)
        source.env_vars = {name.lower(): environ[name]}
        try:
            found = merge(found, source())
        except SettingsError:
            lines.append(f'{name}: must be a table in JSON, like {{"high": "critical", "normal": "high", …}}')
    return found, frozenset(ours) & frozenset(known), lines


def _unknown_variable(name: str, known: tuple[str, ...]) -> str:
    key = name.upper().removeprefix(PREFIX).lower().split("__")[0]
    if key in Settings.model_fields and not any(v.startswith(f"{PREFIX}{key.upper()}__") for v in known):
        return f"unknown variable; [[{key}]] can be given in the file only"
    guess = difflib.get_close_matches(
        name.upper().removeprefix(PREFIX), [v.removeprefix(PREFIX) for v in known]
    )
    said = (
        f"did you mean {PREFIX}{guess[0]}?" if guess else f"valid are {PREFIX}SECTION__KEY, like {known[1]}"
    )
    return f"unknown variable; {said}"


def read_secrets(raw: Raw) -> tuple[Raw, list[str]]:
    """`raw` with the secrets that are kept in files of their own, and what is wrong with those files."""
    filled, lines = dict(raw), list[str]()
    for section, keys in _secret_keys().items():
        told = raw.get(section)
        if isinstance(told, dict):
            filled[section] = _with_secrets(told, keys, section, lines)
        elif isinstance(told, list):
            filled[section] = [
                _with_secrets(item, keys, f"{section}[{place}]", lines) if isinstance(item, dict) else item
                for place, item in enumerate(told)
            ]
    return filled, lines


def _with_secrets(table: Raw, keys: Sequence[str], where: str, lines: list[str]) -> Raw:
    found: Raw = {}
    for key in keys:
        if not isinstance(named := table.get(f"{key}_file"), str):
            continue
        if key in table:
            lines.append(f"{where}.{key}: is given twice, here and in {key}_file; keep one of them")
            continue
        try:
            found[key] = _read_secret(Path(named))
        except (OSError, ValueError) as error:
            why = getattr(error, "strerror", None) or str(error)
            lines.append(f"{where}.{key}_file: the file cannot be used: {why}")
    return {**table, **found}


def _secret_keys() -> dict[str, list[str]]:
    """The keys of each section that may be kept in files of their own."""
    found: dict[str, list[str]] = {}
    for section, field in Settings.model_fields.items():
        table = problems.table_in(field.annotation)
        keys = [key for key in table.model_fields if f"{key}_file" in table.model_fields] if table else []
        if keys:
            found[section] = keys
    return found


def _read_secret(path: Path) -> str:
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise ValueError("it is not a file")
    if status.st_mode & 0o066:
        raise ValueError(f"other users may read or change it; run: chmod 600 {path}")
    text = path.read_text("utf-8").strip() if status.st_size <= 65_536 else ""
    if not text:
        raise ValueError("it is empty" if status.st_size <= 65_536 else "it is too large for a secret")
    return text


def secret_values(raw: Raw) -> list[str]:
    """What must never be shown, from whatever place it came."""
    found = [
        table[key]
        for section, keys in _secret_keys().items()
        for table in _all_tables(raw.get(section))
        for key in (*keys, *_NEVER_SHOWN)
        if key in table and (key in keys or section == "webhooks")
    ]
    database = raw.get("database")
    url = database.get("url") if isinstance(database, dict) else None
    password = re.match(r"[^/]*//[^:@/]*:([^@/]+)@", url) if isinstance(url, str) else None
    words = [*found, *([password[1]] if password else [])]
    return [word.get_secret_value() if isinstance(word, SecretStr) else str(word) for word in words]


_NEVER_SHOWN = ("url",)
"""Of webhooks: many an address holds a key."""


def _all_tables(told: Any) -> list[Raw]:
    tables = told if isinstance(told, list) else [told]
    return [each for each in tables if isinstance(each, dict)]


def defaults() -> Raw:
    """What a desk is where the configuration says nothing."""
    return deepcopy(_shipped("defaults.toml"))


@cache
def _shipped(name: str) -> Raw:
    return tomllib.loads((_HERE / name).read_text("utf-8"))


def lay_under(raw: Raw) -> tuple[Raw, bool]:
    """`raw` with the defaults under it; without people the demo's as well. Says whether it is the demo."""
    if raw.get("people"):
        return merge(defaults(), raw), False
    demo = deepcopy(_shipped("demo.toml"))
    named = {key: value for key, value in raw.items() if key != "people"}
    if "queues" in raw:
        demo = {"people": demo["people"]}
    return merge(merge(defaults(), demo), named), True


def fill_in(raw: Raw) -> Raw:
    """What follows from the rest where it was left out: who serves what, in which language, where."""
    queues = [q["name"] for q in tables(raw, "queues") if values.is_name(q.get("name"))]
    desk = raw.get("desk")
    language = desk.get("language", "en") if isinstance(desk, dict) else "en"
    language = language if language in values.LANGUAGES else "en"
    for queue in tables(raw, "queues"):
        name = queue["name"] if values.is_name(queue.get("name")) else "support"
        _default(queue, title=name, spaces=[f"web:{name}"], language=language)
    for person in tables(raw, "people"):
        roles = person.get("roles")
        staff = isinstance(roles, list) and any(role in _STAFF for role in roles if isinstance(role, str))
        _default(person, queues=queues if staff else [], languages=[language])
    for kind in tables(raw, "request_types"):
        named = kind.get("name")
        _default(kind, queue=named if named in queues else next(iter(queues), "support"))
        for question in tables(kind, "questions"):
            _default(question, kind="choice" if question.get("options") else "text")
    for policy in tables(raw, "escalations"):
        _default(policy, queues=queues or ["support"])
    return raw


def tables(raw: Raw, key: str) -> list[Raw]:
    """The tables of a list, whatever else stands in it."""
    found = raw.get(key)
    return [item for item in found if isinstance(item, dict)] if isinstance(found, list) else []


def _default(table: Raw, **left_out: Any) -> None:
    for key, value in left_out.items():
        table.setdefault(key, value)
