"""Texts of a message turned into the words of one reader.

A mistake in our own words (no such key, a fact that is missing) never keeps a message from being told:
it is logged once and the rest is shown. Tests ask for the mistake itself with `strict`.
"""

import logging
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from bot import message
from bot.i18n import catalogue, moments
from core.kernel import marked

_log = logging.getLogger(__name__)

FACT = re.compile(r"\{([a-z][a-z0-9_]*)\}")
COMMAND = re.compile(r"(?<![\w/.])/(?=[a-z]{2,}(?![\w/]))")
"""Where a sentence of the catalogue names a command."""
_MISSING_FACT = "…"


class WordingError(LookupError):
    """A key or a fact that is not there, told only when strict."""


class _Mistakes:
    def __init__(self) -> None:
        self.raised = False
        self._told: set[str] = set()

    def tell(self, what: str) -> None:
        if self.raised:
            raise WordingError(what)
        if what not in self._told and len(self._told) < 1000:
            self._told.add(what)
            _log.error("%s", what)


_mistakes = _Mistakes()


@contextmanager
def strict(on: bool = True) -> Iterator[None]:
    """While inside, a mistake in the words is an error."""
    before, _mistakes.raised = _mistakes.raised, on
    try:
        yield
    finally:
        _mistakes.raised = before


@dataclass(frozen=True, slots=True)
class _Reader:
    language: str
    zone: str
    now: datetime
    root: str


def word(text: "message.Text | str", language: str, *, time_zone: str, now: datetime, root: str = "/") -> str:
    """The text as this reader reads it. People's own words and facts are never looked into; words alone keep
    their marks.

    `root` is how a command begins in their messenger; our sentences write it "/"."""
    return _told(text, _Reader(language, time_zone, now, root))


def _told(text: object, to: _Reader) -> str:
    match text:
        case str():
            return text
        case message.Plain():
            return marked.marked(text.text, text.marks) if text.marks else text.text
        case message.Typed():
            return text.text.replace("/", to.root, 1)
        case message.Words():
            return _sentence(text, to)
        case message.Titled():
            return _titled(text.by_language, to.language)
        case message.Several():
            return text.between.join(_told(part, to) for part in text.parts)
        case message.At():
            return _moment(text, to)
        case message.Span():
            return moments.span(text.length, to.language, working=text.working)
        # The core's errors carry facts as plain values.
        case timedelta():
            return moments.span(text, to.language)
        case datetime():
            return _moment(message.At(text), to)
        case _:
            return str(text)


def _moment(at: message.At, to: _Reader) -> str:
    if at.form == "ago":
        return moments.ago(at.instant, to.language, to.now)
    return moments.at(at.instant, at.form, to.language, to.zone, to.now, at.after)


def _titled(by_language: Mapping[str, str], language: str) -> str:
    for wish in (language, catalogue.FALLBACK):
        if wish in by_language:
            return by_language[wish]
    return next(iter(by_language.values()), "")


def _sentence(words: message.Words, to: _Reader) -> str:
    try:
        template = catalogue.sentence(words.key, to.language, words.count)
    except KeyError:
        _mistakes.tell(f"no sentence {words.key!r} in the catalogue")
        return words.key
    first, *rest = _pieces(template if to.root == "/" else COMMAND.sub(to.root, template))
    if not rest:
        return first
    facts = words.facts if words.count is None else {**words.facts, "count": words.count}
    told = [first]
    for name, literal in zip(rest[::2], rest[1::2], strict=True):
        told += (_fact(words.key, name, facts, to), literal)
    return "".join(told)


def _fact(key: str, name: str, facts: Mapping[str, message.Fact], to: _Reader) -> str:
    if name in facts:
        return _told(facts[name], to)
    _mistakes.tell(f"the sentence {key!r} lacks the fact {name!r}")
    return _MISSING_FACT


@lru_cache(maxsize=10_000)
def _pieces(template: str) -> list[str]:
    """Literal, name, literal, name, …, literal."""
    return FACT.split(template)
