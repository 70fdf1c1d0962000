"""Logs: one event, one line; JSON for machines, short lines on a terminal; never a secret."""

import copy
import json as jsonlib
import logging
import re
import sys
import traceback
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from pythonjsonlogger.json import JsonFormatter

_QUIET = ("httpx", "httpcore", "aiohttp.access", "apscheduler", "aiosqlite", "alembic", "telegram")
_STRUCK = "«redacted»"
_LIKELY = re.compile(
    r"(?:\bbot)?\d{5,}(?::|%3[Aa])[\w-]{30,}"  # Telegram's tokens, also inside its URLs
    r"|\bxox[a-z]-[\w-]+|\bxapp-[\w-]+"  # Slack's
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # passwords in URLs
)
_FIELDS = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}


class Redactor:
    """Strikes out known secrets and what looks like a token."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        known = {form for secret in secrets if len(secret) >= 4 for form in _forms(secret)}
        words = "|".join(re.escape(word) for word in sorted(known, key=len, reverse=True))
        self._known = re.compile(words) if known else None

    def __call__(self, text: str) -> str:
        text = self._known.sub(_STRUCK, text) if self._known else text
        return _LIKELY.sub(_STRUCK, text)

    def deeply(self, value: object) -> Any:
        """The same for a value given to a log line, whatever its form."""
        if value is None or isinstance(value, bool | int | float):
            return value
        if isinstance(value, Mapping):
            return {self(str(key)): self.deeply(item) for key, item in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self.deeply(item) for item in value]
        return self(str(value))

    def record(self, record: logging.LogRecord) -> logging.LogRecord:
        """A copy of the record that is safe to show."""
        safe = copy.copy(record)
        safe.msg, safe.args = self(record.getMessage()), ()
        for key in vars(record).keys() - _FIELDS:
            setattr(safe, key, self.deeply(getattr(record, key)))
        if record.exc_info and not record.exc_text:
            safe.exc_text = "".join(traceback.format_exception(*record.exc_info)).rstrip()
        safe.exc_text = self(safe.exc_text) if safe.exc_text else None
        safe.exc_info = None  # a formatter would word it again
        safe.stack_info = self(record.stack_info) if record.stack_info else None
        return safe


def _forms(secret: str) -> set[str]:
    return {secret, quote(secret, safe=""), repr(secret)[1:-1], jsonlib.dumps(secret)[1:-1]}


def one_line(text: str) -> str:
    """The text with everything that could break or colour a line written out."""
    return "".join(char if char.isprintable() else repr(char)[1:-1] for char in text)


class _Json(JsonFormatter):
    def __init__(self, redactor: Redactor) -> None:
        super().__init__("%(levelname)s %(name)s %(message)s", rename_fields=_RENAMED, timestamp="time")
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        return super().format(self._redactor.record(record))


_RENAMED = {"levelname": "level", "name": "logger", "exc_info": "exception", "stack_info": "stack"}


class _Short(logging.Formatter):
    """Time, level where it matters, the sentence, its facts, and the last word of an exception."""

    def __init__(self, redactor: Redactor) -> None:
        super().__init__()
        self._redactor = redactor

    def format(self, record: logging.LogRecord) -> str:
        safe = self._redactor.record(record)
        level = "" if record.levelno == logging.INFO else f"{record.levelname.lower()}: "
        facts = "".join(f" {key}={getattr(safe, key)}" for key in sorted(vars(safe).keys() - _FIELDS))
        at = datetime.fromtimestamp(record.created, UTC).astimezone()
        return one_line(f"{at:%H:%M:%S} {level}{safe.getMessage()}{facts}{self._cause(record)}")

    def _cause(self, record: logging.LogRecord) -> str:
        error = record.exc_info[1] if record.exc_info else None
        if error is None:
            return ""
        frames = traceback.extract_tb(error.__traceback__)
        where = f" at {frames[-1].filename}:{frames[-1].lineno}" if frames else ""
        return f" | {type(error).__name__}: {self._redactor(str(error))}{where}"


class _Handler(logging.StreamHandler[Any]):
    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802
        """A line that cannot be written is told without its words: they may hold a secret."""
        try:
            self.stream.write(f"a log line of {record.name}:{record.lineno} could not be written\n")
        except (OSError, ValueError):
            pass


def setup(level: str | int = "INFO", json: bool | None = None, secrets: Iterable[str] = ()) -> None:
    """Log to standard error. `json` None: short lines on a terminal, JSON elsewhere."""
    stream = sys.stderr
    redactor = Redactor(secrets)
    handler = _Handler(stream)
    as_json = not stream.isatty() if json is None else json
    handler.setFormatter(_Json(redactor) if as_json else _Short(redactor))
    root = logging.getLogger()
    root.handlers = [*(old for old in root.handlers if not isinstance(old, _Handler)), handler]
    root.setLevel(level.upper() if isinstance(level, str) else level)
    for name in _QUIET:
        logging.getLogger(name).setLevel(max(root.level, logging.WARNING))
