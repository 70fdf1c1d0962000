"""The catalogues are complete: what the code says is in both languages, with its facts and plurals."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import pytest
from babel import Locale
from babel.messages.catalog import Message

from bot import i18n
from bot.i18n import catalogue
from bot.i18n.wording import FACT
from core.tickets.catalogue import Priority
from core.tickets.model import Status

ROOT = Path(__file__).parents[1]

SAYS = {"Words": 0, "UserError": 0, "Forbidden": 0, "sentence": 0, "_": 0, "Refused": 1, "button": 1}
"""Calls that take a key, and at which place. Whatever is named `key` or ends in `_key` holds one too."""

NOT_KEYS = {"page.html", "ticket.ping", "ticket.ping.answered"}
"""Other words with a dot in bot/ that begin like a group of the catalogue."""

DYNAMIC = (
    "status.", "priority.", "page.", "event.", "command.", "span.", "ago.",
    "right.", "ticket.not_when_", "told.", "trouble.", "audit.",
)  # fmt: skip
"""Groups whose keys the code puts together; a group named here is not asked who uses it."""

MEMBERS = {
    "status.": [*Status],
    "priority.": [*Priority],
    "urgency.": [*Priority],
    "language.": [*i18n.languages],
}
"""Groups of which it is known what they must hold."""

KEY = re.compile(r"[a-z][a-z0-9_]*(\.[a-z0-9_]+)+")
PAGE_KEY = re.compile(r"""["'`](page(?:\.[a-z0-9_]+)+)["'`]""")
BEGINNING = re.compile(r"[a-z][a-z0-9_]*\.[a-z0-9_.]*")


@dataclass(frozen=True)
class Use:
    """A place where the code says a key; `facts` is None where they cannot be read off."""

    where: str
    key: str
    facts: frozenset[str] | None = None


def entries(language: str) -> dict[str, Message]:
    return {key_of(entry): entry for entry in catalogue.read(language) if entry.id}


def key_of(entry: Message) -> str:
    return str(entry.id[0] if entry.pluralizable else entry.id)


def forms(entry: Message) -> tuple[str, ...]:
    return tuple(entry.string or ()) if entry.pluralizable else (str(entry.string or ""),)


def facts_in(template: str) -> set[str]:
    return set(FACT.findall(template))


def sources() -> dict[str, str]:
    files = [*(ROOT / "bot").rglob("*.py"), *(ROOT / "core").rglob("*.py")]
    return {str(file.relative_to(ROOT)): file.read_text("utf-8") for file in files}


def uses(where: str, source: str) -> Iterator[Use]:
    """Every key that a module says for certain."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call):
            yield from uses_in_call(where, node)
        elif isinstance(node, ast.Assign) and any(ast.unparse(target) == "key" for target in node.targets):
            yield from (
                Use(f"{where}:{node.lineno}", key) for key in literals(node.value) if KEY.fullmatch(key)
            )


def uses_in_call(where: str, call: ast.Call) -> Iterator[Use]:
    place = f"{where}:{call.lineno}"
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    at = SAYS.get(name, len(call.args))
    for key in literals(call.args[at]) if at < len(call.args) else ():
        if at == 0 or KEY.fullmatch(key):
            yield Use(place, key, facts_given(name, call))
    for keyword in call.keywords:
        if keyword.arg == "key" or (keyword.arg or "").endswith("_key"):
            for key in filter(KEY.fullmatch, literals(keyword.value)):
                yield Use(place, key, facts_given(name, call))


def literals(node: ast.expr) -> list[str]:
    if isinstance(node, ast.IfExp):
        return literals(node.body) + literals(node.orelse)
    return [node.value] if isinstance(node, ast.Constant) and isinstance(node.value, str) else []


def put_together(call: ast.Call) -> list[str]:
    """What the key of a call begins with, where the rest is known only when it runs."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    at = SAYS.get(name, len(call.args))
    key = call.args[at] if at < len(call.args) else None
    begun = literals(key.values[0]) if isinstance(key, ast.JoinedStr) and key.values else []
    return [text for text in begun if BEGINNING.fullmatch(text)]


def expressions(tree: ast.AST) -> Iterator[ast.expr]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.expr))


def facts_given(name: str, call: ast.Call) -> frozenset[str] | None:
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    if name in ("UserError", "Forbidden", "Refused", "button"):
        return None if None in named else frozenset(word for word in named if word)
    if name != "Words" or len(call.args) > 2 or None in named:
        return None
    facts = call.args[1] if len(call.args) == 2 else named.get("facts", ast.Dict([], []))
    if not isinstance(facts, ast.Dict) or not all(key and literals(key) for key in facts.keys):
        return None
    given = frozenset(word for key in facts.keys if key for word in literals(key))
    return given | {"count"} if "count" in named else given


def mentioned() -> tuple[set[str], set[str]]:
    """Every literal of bot that may be a key, and every beginning of one that an f-string goes on from.

    Core's literals count only where they are surely keys: it says many other words with a dot.
    """
    whole: set[str] = {use.key for use in ALL_USES}
    begun: set[str] = set()
    for where, source in sources().items():
        if not where.startswith("bot"):
            continue
        tree = ast.parse(source, where)
        joined = [node.values for node in ast.walk(tree) if isinstance(node, ast.JoinedStr)]
        begun |= {
            text for parts in joined if parts for text in literals(parts[0]) if BEGINNING.fullmatch(text)
        }
        inside = {id(part) for parts in joined for part in parts}
        whole |= {text for node in expressions(tree) if id(node) not in inside for text in literals(node)}
    return whole, begun


ALL_USES = [use for where, source in sources().items() for use in uses(where, source)]
BOTH = pytest.mark.parametrize("language", i18n.languages)


@BOTH
def test_every_key_that_the_code_says_is_in_the_catalogue(language: str) -> None:
    known = entries(language)
    lacking = {f"{use.key} {sorted(use.facts or ())} {use.where}" for use in ALL_USES if use.key not in known}
    assert not lacking, "\n".join(["", *sorted(lacking)])


def test_whatever_looks_like_a_key_is_one() -> None:
    known = entries("en")
    groups = {key.split(".")[0] for key in known}
    seen = {word for word in mentioned()[0] if KEY.fullmatch(word) and word.split(".")[0] in groups}
    lacking = seen - known.keys() - NOT_KEYS
    assert not lacking, "\n".join(["", *sorted(lacking)])


@pytest.mark.parametrize("group", MEMBERS)
def test_every_member_of_a_group_has_its_word(group: str) -> None:
    lacking = [group + member for member in MEMBERS[group] if group + member not in entries("en")]
    assert not lacking, "\n".join(["", *lacking])


def test_every_key_that_is_put_together_can_be_one() -> None:
    calls = [node for source in sources().values() for node in ast.walk(ast.parse(source))]
    begun = {text for node in calls if isinstance(node, ast.Call) for text in put_together(node)}
    lacking = [text for text in begun if not any(key.startswith(text) for key in entries("en"))]
    assert not lacking, "\n".join(["", *sorted(lacking)])


@BOTH
def test_every_key_that_the_page_says_is_among_its_words(language: str) -> None:
    files = [file for kind in ("*.js", "*.html") for file in (ROOT / "bot" / "web").rglob(kind)]
    said = {key for file in files for key in PAGE_KEY.findall(file.read_text("utf-8"))}
    lacking = said - i18n.keys("page.", language).keys()
    assert not lacking, "\n".join(["", *sorted(lacking)])


def test_every_fact_that_a_sentence_wants_is_given() -> None:
    known, lacking = entries("en"), []
    for use in ALL_USES:
        if use.facts is not None and use.key in known:
            wanted = set().union(*map(facts_in, forms(known[use.key])))
            wanted |= {"count"} if known[use.key].pluralizable else set()
            lacking += [f"{use.key} {{{fact}}} {use.where}" for fact in sorted(wanted - use.facts)]
    assert not lacking, "\n".join(["", *lacking])


def test_every_key_of_the_catalogue_is_said_somewhere() -> None:
    whole, begun = mentioned()
    unsaid = [
        key for key in entries("en") if key not in whole and not key.startswith((*DYNAMIC, *sorted(begun)))
    ]
    assert not unsaid, "\n".join(["", *unsaid])


def test_all_languages_have_the_same_keys_and_the_same_facts_in_them() -> None:
    english, russian = entries("en"), entries("ru")
    assert sorted(english.keys() ^ russian.keys()) == []
    for key, entry in english.items():
        assert entry.pluralizable == russian[key].pluralizable, key
        wanted = set().union(*map(facts_in, forms(entry))) - {"count"}
        for form in (*forms(entry), *forms(russian[key])):
            assert facts_in(form) - {"count"} == wanted, f"{key}: {form}"


@BOTH
def test_no_entry_is_empty_fuzzy_obsolete_twice_or_badly_written(language: str) -> None:
    raw = resources.files("bot.i18n").joinpath(f"{language}.po").read_text("utf-8")
    keys = re.findall(r'^msgid "(.+)"$', raw, re.MULTILINE)
    assert sorted({key for key in keys if keys.count(key) > 1}) == []
    assert "#~" not in raw
    assert ", fuzzy" not in raw
    for key, entry in entries(language).items():
        assert KEY.fullmatch(key), key
        assert not entry.pluralizable or entry.id[0] == entry.id[1], key
        for form in forms(entry):
            assert form.strip() == form != "", key
            assert not re.search(r"[{}]", FACT.sub("", form)), f"{key}: a brace that holds no simple name"


@BOTH
def test_plurals_have_all_forms_and_the_number_wherever_a_form_serves_several(language: str) -> None:
    book = catalogue.read(language)
    for key, entry in entries(language).items():
        if not entry.pluralizable:
            continue
        assert len(forms(entry)) == book.num_plurals, key
        telling = ["count" in facts_in(form) for form in forms(entry)]
        alone = 0 if language == "en" else None
        assert all(telled or place == alone for place, telled in enumerate(telling)) or not any(telling), key


@BOTH
def test_the_plural_rule_of_the_header_is_the_rule_of_the_language(language: str) -> None:
    rule = Locale.parse(language).plural_form
    forms_by_name: dict[str, str] = {}
    for number in range(2000):
        told = catalogue.sentence("span.minutes", language, number)
        assert forms_by_name.setdefault(rule(number), told) == told
    assert len(forms_by_name) == catalogue.read(language).num_plurals


def test_a_key_or_a_fact_forgotten_is_seen() -> None:
    source = """
message.Words("a.b", {"who": name}, count=3); Words("a.c" if x else "a.d", facts); Words(f"a.{x}")
raise UserError("a.e", limit=3); _("a.f"); Step(title_key="a.g", key="not a key"); sorted(x, key=len)
key = "a.h"; phrases.button(code, "a.i", who=name); dialogs.button(dialog, "send", label)
"""
    assert sorted(uses("seed", source), key=lambda use: (use.where, use.key)) == [
        Use("seed:2", "a.b", frozenset({"who", "count"})),
        Use("seed:2", "a.c"),
        Use("seed:2", "a.d"),
        Use("seed:3", "a.e", frozenset({"limit"})),
        Use("seed:3", "a.f"),
        Use("seed:3", "a.g"),
        Use("seed:4", "a.h"),
        Use("seed:4", "a.i", frozenset({"who"})),
    ]
