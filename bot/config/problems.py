"""What is wrong with a configuration, in plain lines: each names a key and says what is valid."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from bot import logs
from bot.config import values
from bot.config.model import PREFIX, Settings
from core.kernel.errors import SetupError

_BARE = re.compile(r"[A-Za-z0-9_-]{1,64}")
_WORDS = {
    "model_type": "must be a table",
    "tuple_type": "must be a list",
    "frozen_set_type": "must be a list",
    "bool_parsing": "must be true or false",
    "bool_type": "must be true or false",
    "int_parsing": "must be a whole number",
    "int_type": "must be a whole number",
    "string_type": "must be a text",
    "string_unicode": "must be valid text",
}


class ConfigError(SetupError):
    """Everything that is wrong with the configuration, one line each, without any secret's value."""

    def __init__(self, problems: Iterable[str]) -> None:
        self.problems = list(problems)
        super().__init__("\n".join(self.problems))


def key_name(loc: tuple[int | str, ...]) -> str:
    """The key as an operator would say it: `queues[1].name`."""
    said = ""
    for part in loc:
        said += f"[{part}]" if isinstance(part, int) else f"{'.' if said else ''}{_bare(part)}"
    return said


def _bare(key: str) -> str:
    return key if _BARE.fullmatch(key) else json.dumps(key[:64])


def table_in(annotation: Any) -> type[BaseModel] | None:
    """The table that a field holds, directly or in a list."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for arg in get_args(annotation) if (found := table_in(arg))), None)


def _table_at(loc: tuple[int | str, ...]) -> type[BaseModel] | None:
    table: type[BaseModel] | None = Settings
    for part in loc:
        if isinstance(part, str):
            field = table.model_fields.get(part) if table else None
            table = table_in(field.annotation) if field else None
    return table


def unknown(key: str, known: tuple[str, ...]) -> str:
    """The words for a key nobody knows."""
    return f"unknown{values.closest(key, known)} (valid here: {', '.join(known)})"


def _worded(error: ErrorDetails) -> str:
    kind, loc = error["type"], error["loc"]
    if kind == "extra_forbidden":
        table = _table_at(loc[:-1])
        return unknown(str(loc[-1]), tuple(table.model_fields) if table else ())
    if kind == "missing":
        return "is missing"
    if kind == "value_error":
        return str(error["ctx"]["error"])
    if kind in ("too_short", "too_long"):
        bound = error["ctx"].get("min_length") or error["ctx"].get("max_length")
        return f"must hold at {'least' if kind == 'too_short' else 'most'} {bound} of them"
    return _WORDS.get(kind, error["msg"].replace("Input should be", "must be"))


def of_values(error: ValidationError, from_environment: frozenset[str]) -> Iterator[str]:
    """One line for each wrong value; says which variable of the environment it came from."""
    details = error.errors(include_url=False, include_input=False)
    wrong_inside = {detail["loc"][:depth] for detail in details for depth in range(len(detail["loc"]))}
    for detail in details:
        if detail["type"] == "too_short" and detail["loc"] in wrong_inside:
            continue  # counted without the items that are wrong themselves
        variable = PREFIX + "__".join(str(part).upper() for part in detail["loc"])
        origin = f" (from {variable})" if variable in from_environment else ""
        yield f"{key_name(detail['loc'])}{origin}: {_worded(detail)}"


def redacted(lines: Iterable[str], secrets: Iterable[str]) -> list[str]:
    """The lines in one-line form, each once, with every known or likely secret struck out."""
    redact = logs.Redactor(secrets)
    return list(dict.fromkeys(logs.one_line(redact(line)) for line in lines))
