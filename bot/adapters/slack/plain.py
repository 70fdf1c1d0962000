"""People's words out of Slack's markup: mentions become names, links their addresses, the rest stays."""

import re
from collections.abc import Callable

_MARKED = re.compile(r"<([^<>]*)>|&(?:amp|lt|gt);")
_ESCAPED = {"&amp;": "&", "&lt;": "<", "&gt;": ">"}
Name = Callable[[str], str]
"""How somebody, or something, with this id is called."""


def words(text: str, person: Name, channel: Name) -> str:
    """The text as its readers see it (docs.slack.dev: formatting message text)."""

    def shown(found: re.Match[str]) -> str:
        if found[1] is None:
            return _ESCAPED[found[0]]
        return _meant(found[1], person, channel) if found[1] else found[0]

    return _MARKED.sub(shown, text)


def _meant(marked: str, person: Name, channel: Name) -> str:
    what, _, label = marked.partition("|")
    label = unescaped(label)
    match what[:1]:
        case "@":
            return f"@{label.removeprefix('@') or person(what[1:])}"
        case "#":
            return f"#{label.removeprefix('#') or channel(what[1:])}"
        case "!":
            return _special(what[1:], label)
    return link(unescaped(what), label)


def _special(what: str, label: str) -> str:
    """Everybody here, a group of people, or a date told for each reader."""
    kind, _, rest = what.partition("^")
    if kind == "date":
        return label or rest
    return f"@{label.removeprefix('@') or rest or kind}"


def link(address: str, label: str) -> str:
    """A link as its words: the label alone where it says the same, both where it may not."""
    bare = address.removeprefix("mailto:").removeprefix("tel:")
    if not label or label in (bare, address):
        return bare
    if label.rstrip("/") == re.sub(r"^https?://", "", address).rstrip("/"):
        return address
    return f"{label} ({bare})"


def unescaped(text: str) -> str:
    """The text without Slack's three escapes."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
