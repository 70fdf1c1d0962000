"""The kinds of value a configuration holds: each reader takes what was written and says what is valid."""

import difflib
import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit, urlunsplit
from zoneinfo import ZoneInfoNotFoundError, available_timezones

import tzlocal
from pydantic import AfterValidator, BeforeValidator, Field

from bot.config import hours
from core.tickets import catalogue

LANGUAGES = ("en", "ru")

_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_PART = re.compile(r"(\d{1,9})([wdhms])")
_SPAN = re.compile(rf"(?:{_PART.pattern})+")
_SIZE = re.compile(r"(\d{1,12})\s*([KMG]?B)")
_HOST = re.compile(r"[A-Za-z0-9._:%-]{1,255}")
_UNITS = {"w": "weeks", "d": "days", "h": "hours", "m": "minutes", "s": "seconds"}
_BYTES = {"B": 1, "KB": 1_000, "MB": 1_000_000, "GB": 1_000_000_000}
_LONGEST = timedelta(days=3660)
_SQLITE = re.compile(r"sqlite(?:\+aiosqlite)?:///(?P<path>.+)")
_POSTGRESQL = re.compile(r"postgres(?:ql)?(?:\+\w+)?://")
_SERVER = re.compile(
    r"postgres(?:ql)?(?:\+asyncpg)?://(?P<rest>(?:[^/?#]*@)?(?P<hosts>[^/?#@]*)/[^/?#\s]+(?:\?[^#\s]*)?)"
)


def local_zone() -> str:
    """This machine's time zone by its IANA name; UTC where it has none."""
    try:
        name = tzlocal.get_localzone_name()
    except (ZoneInfoNotFoundError, LookupError, ValueError, OSError):
        return "UTC"
    return name if name in _zones() else "UTC"


@cache
def _zones() -> frozenset[str]:
    """Every time zone this machine knows; to look takes a while."""
    return frozenset(available_timezones())


def closest(word: str, known: tuple[str, ...] | frozenset[str]) -> str:
    """`; did you mean …?` for a word that is nearly one of `known`, else nothing."""
    found = difflib.get_close_matches(word, sorted(known), n=1, cutoff=0.6)
    return f"; did you mean {found[0]!r}?" if found else ""


def shown(value: object) -> str:
    value = str(value) if isinstance(value, date) else value
    return repr(value) if len(repr(value)) <= 80 else f"{repr(value)[:77]}…"


def is_name(value: object) -> bool:
    return isinstance(value, str) and bool(_NAME.fullmatch(value))


def _name(value: object) -> str:
    if isinstance(value, str) and is_name(value):
        return value
    raise ValueError(f"{shown(value)} must be 1-32 of a-z, 0-9, - and _, beginning with a letter or digit")


def _line_reader(longest: int) -> Callable[[object], str]:
    def check(value: object) -> str:
        if not isinstance(value, str) or not value.strip() or len(value) > longest or not value.isprintable():
            raise ValueError(f"must be one line of 1-{longest} characters")
        return value.strip()

    return check


def _folded(keyword: str) -> str:
    return keyword.casefold().replace("ё", "е")


def _host(value: object) -> str:
    if isinstance(value, str) and _HOST.fullmatch(value):
        return value
    raise ValueError("must be a host name or address, like 127.0.0.1, or 0.0.0.0 for every network")


def _path(value: object) -> object:
    if isinstance(value, Path) or (isinstance(value, str) and value and value.isprintable()):
        return value
    raise ValueError("must be a path, like data/files")


def _span(value: object) -> timedelta:
    if isinstance(value, timedelta):
        return value
    if not isinstance(value, str) or not _SPAN.fullmatch(value.replace(" ", "")):
        raise ValueError(f"{shown(value)} must be a length of time like '90s', '15m', '4h', '2d' or '1h30m'")
    try:
        length = sum((timedelta(**{_UNITS[u]: int(n)}) for n, u in _PART.findall(value)), timedelta(0))
    except OverflowError:
        length = timedelta.max
    if length > _LONGEST:
        raise ValueError(f"{shown(value)} must not be longer than ten years")
    return length


def length(told: object) -> timedelta | None:
    """The length of time that is written there, if it is one."""
    try:
        return _duration(told)
    except ValueError:
        return None


def _duration(value: object) -> timedelta:
    if not (length := _span(value)):
        raise ValueError(f"{shown(value)} must be longer than nothing, like '15m'")
    return length


def _size(value: object) -> int:
    found = _SIZE.fullmatch(value.strip().upper()) if isinstance(value, str) else None
    if found:
        size = int(found[1]) * _BYTES[found[2]]
    elif isinstance(value, int) and not isinstance(value, bool):
        size = value
    else:
        raise ValueError(f"{shown(value)} must be a size like '25MB', '500KB' or a number of bytes")
    if not 1_000 <= size <= 1_000_000_000:
        raise ValueError(f"{shown(value)} must be from 1KB to 1GB")
    return size


def _whole(value: object) -> object:
    if isinstance(value, bool | float):
        raise ValueError("must be a whole number")
    return value


def _title_reader(longest: int) -> Callable[[object], catalogue.Title]:
    """Reads a text given once for all languages, or as a table with one text per language."""
    line = _line_reader(longest)

    def read(value: object) -> catalogue.Title:
        table = value if isinstance(value, dict) else dict.fromkeys(LANGUAGES, value)
        if not table or set(table) - set(LANGUAGES):
            raise ValueError(f"must be a text, or a table of texts by language ({', '.join(LANGUAGES)})")
        texts = {language: line(text) for language, text in table.items()}
        return {language: texts.get(language, next(iter(texts.values()))) for language in LANGUAGES}

    return read


def _address_of(value: object) -> str:
    problem = "must be an address like https://desk.example.org"
    try:
        parts = urlsplit(value) if isinstance(value, str) and value.isprintable() else None
        if not parts or parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0:
            raise ValueError(problem)
    except ValueError:
        raise ValueError(problem) from None
    if parts.username is not None or parts.query or parts.fragment or " " in parts.geturl():
        raise ValueError(f"{problem}, without a password, '?' or '#'")
    return parts.geturl().rstrip("/")


def address(told: str) -> None:
    """Raises ValueError for what is no address of the web; a query is welcome."""
    parts = urlsplit(told)
    _address_of(urlunsplit(parts._replace(query="")))


def _origin(value: object) -> str:
    address = _address_of(value)
    if urlsplit(address).path:
        raise ValueError("must name the host alone, like https://desk.example.org, without a path")
    return address


def _networks(value: object) -> str:
    """Addresses and networks, as a list or as words with commas between them; one text in the end."""
    words = value.split(",") if isinstance(value, str) else value
    try:
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise ValueError(words)
        return ",".join(str(ipaddress.ip_network(word.strip())) for word in words)
    except ValueError:
        raise ValueError(
            'must be addresses or networks, like ["127.0.0.1", "10.0.0.0/8"] or "127.0.0.1,10.0.0.0/8"'
        ) from None


def _start(value: object) -> datetime:
    """A day, or a day and a time by the wall clock."""
    try:
        read = datetime.fromisoformat(str(value))
    except ValueError:
        read = None
    if read is None or read.tzinfo is not None or read.second or read.microsecond:
        raise ValueError(
            f"{shown(value)} must be a day like 2026-11-23, or a day and time like 2026-11-23 09:00"
        )
    if not 2000 <= read.year <= 2100:
        raise ValueError(f"{shown(value)} must be from the year 2000 to 2100")
    return read


def _turn(value: object) -> int:
    """Whole days."""
    told = f"{value}d" if isinstance(value, int) and not isinstance(value, bool) else value
    length = _span(told)
    if length % timedelta(days=1) or not timedelta(0) < length <= timedelta(days=366):
        raise ValueError(f"{shown(value)} must be whole days up to a year, like '1d', '1w' or '2w'")
    return length.days


def _feed(value: object) -> str:
    """A file, or an address. What was written is never shown: whoever knows such an address may read it."""
    problem = "must be a path like 'rota.ics', or an address like https://example.org/rota.ics"
    if not isinstance(value, str) or not value.strip() or not value.isprintable() or len(value) > 2000:
        raise ValueError(problem)
    text = re.sub(r"^webcal://", "https://", value.strip())
    if "://" not in text:
        return text
    try:
        parts = urlsplit(text)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.port == 0 or " " in text:
            raise ValueError(problem)
    except ValueError:
        raise ValueError(problem) from None
    return text


def _time_zone(value: object) -> str:
    zones = _zones()
    if isinstance(value, str) and value in zones:
        return value
    guess = closest(value, zones) if isinstance(value, str) else ""
    raise ValueError(f"{shown(value)} must be an IANA time zone like 'Europe/Moscow' or 'UTC'{guess}")


def _country(value: object) -> str:
    """A country, or a part of one, whose public holidays are known."""
    import holidays  # large: it is loaded only where a calendar names a country

    known = holidays.list_supported_countries(include_aliases=False)
    code, _, part = value.partition("-") if isinstance(value, str) else ("", "", "")
    if code not in known:
        raise ValueError(f"{shown(value)} must be a country like 'RU' or 'DE', or a part of one like 'DE-BY'")
    if part and part not in known[code]:
        raise ValueError(f"{shown(value)}: of {code} there is {', '.join(known[code]) or 'no part'}")
    return f"{code}-{part}" if part else code


def _database_url(value: object) -> str:
    """The URL in one form. What was written is never shown: it may hold a password."""
    if isinstance(value, str) and _POSTGRESQL.match(value):
        return _server_url(value)
    found = _SQLITE.fullmatch(value) if isinstance(value, str) else None
    if not found or not found["path"].isprintable() or found["path"].endswith("/"):
        raise ValueError("must be sqlite+aiosqlite:///path/to/file.db or postgresql+asyncpg://user@host/name")
    if "?" in found["path"]:
        raise ValueError("must be sqlite+aiosqlite:///path/to/file.db, without '?' and options")
    if ":memory:" in found["path"]:
        raise ValueError(
            "a database in memory forgets everything; name a file: sqlite+aiosqlite:///data/deskbridge.db"
        )
    return f"sqlite+aiosqlite:///{found['path']}"


def _server_url(value: str) -> str:
    problem = "must be postgresql+asyncpg://user@host:5432/name, with the name of a database"
    found = _SERVER.fullmatch(value)
    if not found or not value.isprintable():
        raise ValueError(problem)
    try:
        ports = [urlsplit(f"//{host}").port for host in found["hosts"].split(",")]
    except ValueError:
        raise ValueError(f"{problem}; a port is a number from 1 to 65535") from None
    if 0 in ports:
        raise ValueError(f"{problem}; a port is a number from 1 to 65535")
    return f"postgresql+asyncpg://{found['rest']}"


def _row(value: object) -> Mapping[catalogue.Impact, catalogue.Priority]:
    known, valid = tuple(catalogue.Impact), tuple(catalogue.Priority)
    right = isinstance(value, dict) and set(value) == set(known)
    if not (right and isinstance(value, dict) and all(each in valid for each in value.values())):
        raise ValueError(
            f"must be a table of {', '.join(known)}, each with a priority ({', '.join(valid)}),"
            ' like { high = "critical", normal = "high", low = "normal" }'
        )
    return {catalogue.Impact(impact): catalogue.Priority(told) for impact, told in value.items()}


Name = Annotated[str, BeforeValidator(_name)]
Line = Annotated[str, BeforeValidator(_line_reader(80))]
Title = Annotated[catalogue.Title, BeforeValidator(_title_reader(64))]
Row = Annotated[Mapping[catalogue.Impact, catalogue.Priority], BeforeValidator(_row)]
Sentence = Annotated[catalogue.Title, BeforeValidator(_title_reader(500))]
Keyword = Annotated[str, BeforeValidator(_line_reader(40)), AfterValidator(_folded)]
Span = Annotated[timedelta, BeforeValidator(_span)]
Duration = Annotated[timedelta, BeforeValidator(_duration)]
Size = Annotated[int, BeforeValidator(_size)]
Host = Annotated[str, BeforeValidator(_host)]
Location = Annotated[Path, BeforeValidator(_path)]
Port = Annotated[int, BeforeValidator(_whole), Field(ge=0, le=65535)]
Times = Annotated[int, BeforeValidator(_whole), Field(ge=1, le=100)]
Days = Annotated[int, BeforeValidator(_whole), Field(ge=7, le=3650)]
"""Days for which events are remembered: messengers may tell one again for the better part of a week."""
Url = Annotated[str, BeforeValidator(_address_of)]
Origin = Annotated[str, BeforeValidator(_origin)]
Networks = Annotated[str, BeforeValidator(_networks)]
TimeZone = Annotated[str, BeforeValidator(_time_zone)]
Hours = Annotated[hours.Week, BeforeValidator(hours.read)]
Day = Annotated[date, BeforeValidator(hours.day)]
Country = Annotated[str, BeforeValidator(_country)]
Start = Annotated[datetime, BeforeValidator(_start)]
Turn = Annotated[int, BeforeValidator(_turn)]
Feed = Annotated[str, BeforeValidator(_feed)]
DatabaseUrl = Annotated[str, BeforeValidator(_database_url)]
