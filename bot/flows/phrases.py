"""Small texts that many messages share: numbers, names, states, buttons."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bot.i18n import in_every_language, languages
from bot.message import At, Choice, Fact, Message, Paragraph, Plain, Several, Span, Text, Titled, Typed, Words
from core.kernel.errors import UserError
from core.tickets.catalogue import Catalogue, Priority, Title
from core.tickets.model import Status, Ticket

MARKS = {
    Priority.CRITICAL: "🔴",
    Priority.HIGH: "🟠",
    Priority.NORMAL: "🔵",
    Priority.LOW: "⚪",
}


def titled(title: Title) -> Text:
    """A text of the configuration."""
    return Titled(dict(title))


def priority(which: Priority | str) -> Text:
    return Words(f"priority.{which}")


def status(which: Status | str) -> Text:
    return Words(f"status.{which}")


def via(platform: str) -> Text:
    """From which messenger."""
    return Words(f"via.{platform}")


def account(name: str, platforms: Iterable[str]) -> Text:
    """What somebody calls themselves, and where they write: `Boris Orlov (Telegram)`."""
    where = Several(tuple(via(platform) for platform in platforms), ", ")
    return Words("company.account", {"name": Plain(name), "where": where})


def type_title(catalogue: Catalogue, name: str) -> Text:
    """A request type's title; its name if the configuration has dropped it."""
    kind = catalogue.types.get(name)
    return titled(kind.title) if kind else Plain(name)


def heading(ticket: Ticket) -> Text:
    """`#42 VPN drops`."""
    return Plain(f"#{ticket.id} {ticket.title}")


def button(code: str, key: str, **facts: Fact) -> Choice:
    return Choice(code, Words(key, facts))


def error(raised: UserError) -> Words:
    """What a person reads of a UserError."""
    return Words(raised.key, {name: _fact(name, value) for name, value in raised.facts.items()}, raised.count)


def _fact(name: str, value: object) -> Fact:
    match value:
        case str() if name in ("command", "near", "example"):
            return Typed(value)
        case datetime():
            return At(value, "ago" if name == "ago" else "both")
        case timedelta():
            return Span(value)
        case int() | str() if name != "via":
            return value
        case Mapping():
            return Titled({str(language): str(text) for language, text in value.items()})
    return via(str(value))


def hint(words: Words) -> Message:
    """A word to whoever asked or did something."""
    return Message((Paragraph(words),), tone="hint")


def listed(keys: Iterable[str]) -> Mapping[str, str]:
    """These sentences one after another in every language: a fact of an error."""
    told = [in_every_language(key) for key in keys]
    return {language: ", ".join(each[language] for each in told) for language in languages}


def literal(text: str) -> Text:
    """Somebody's own words."""
    return Plain(text)
