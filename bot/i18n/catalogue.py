"""The sentences of each language, read from its .po file at first use and kept."""

import gettext
import io
import re
from collections.abc import Mapping
from functools import cache
from importlib import resources
from types import MappingProxyType

from babel import Locale
from babel.messages import mofile, pofile
from babel.messages.catalog import Catalog

languages = ("en", "ru")
FALLBACK = "en"

_SUBTAG = re.compile(r"[-_;@.]")


class _Nowhere(gettext.NullTranslations):
    """The end of the search: a key that no language has."""

    def gettext(self, message: str) -> str:
        raise KeyError(message)

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        raise KeyError(msgid1)


def guess(tag: str | None, default: str) -> str:
    """The first of our languages that a tag such as `ru-RU` or a list of them (`de, ru;q=0.8`) names."""
    for wish in (tag or "").split(","):
        primary = _SUBTAG.split(wish.strip(), maxsplit=1)[0].lower()
        if primary in languages:
            return primary
    return default


@cache
def read(language: str) -> Catalog:
    """The catalogue as it is written; raises PoFileError for a broken one."""
    raw = resources.files(__package__).joinpath(f"{language}.po").read_bytes()
    return pofile.read_po(io.BytesIO(raw), locale=language, abort_invalid=True)


def sentence(key: str, language: str, count: int | None = None) -> str:
    """The template of a key, in English where the language lacks it; raises KeyError for no such key."""
    found = _translations(language if language in languages else FALLBACK)
    if count is None:
        return found.gettext(key)
    try:
        return found.ngettext(key, key, abs(count))
    except KeyError:
        return found.gettext(key)


def in_every_language(key: str) -> Mapping[str, str]:
    """A sentence without facts, as people of each language may type it."""
    return {language: sentence(key, language) for language in languages}


@cache
def _translations(language: str) -> gettext.NullTranslations:
    compiled = io.BytesIO()
    mofile.write_mo(compiled, read(language))
    compiled.seek(0)
    found = gettext.GNUTranslations(compiled)
    found.add_fallback(_Nowhere() if language == FALLBACK else _translations(FALLBACK))
    return found


@cache
def keys(prefix: str, language: str) -> Mapping[str, str]:
    """The templates whose keys begin with `prefix`, for a page that words them itself.

    An entry with plurals is told once per form, by the form's name in CLDR: `ticket.files.few`.
    """
    found: dict[str, str] = {}
    for key in sorted(str(entry.id[0] if entry.pluralizable else entry.id) for entry in read(FALLBACK)):
        if key.startswith(prefix) and key:
            found |= _forms(key, language)
    return MappingProxyType(found)


def _forms(key: str, language: str) -> dict[str, str]:
    entry = read(FALLBACK).get(key)
    if entry is None or not entry.pluralizable:
        return {key: sentence(key, language)}
    return {f"{key}.{name}": sentence(key, language, number) for name, number in _samples(language).items()}


@cache
def _samples(language: str) -> Mapping[str, int]:
    """The plural forms of a language that whole numbers take, each with a number that takes it."""
    form = Locale.parse(language if language in languages else FALLBACK).plural_form
    return {form(number): number for number in range(200, -1, -1)}
