"""Slack's markup as its readers see it: the words, who is called by them, where the links lead."""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

CONTROL = re.compile(r"<([@#!]?)([^<>|\n]+)(?:\|([^<>\n]*))?>")
TYPED = re.compile(r"https?://[^\s<>|]+|[\w.+-]+@[\w-]+\.\w[\w.]*")
ADDRESS = re.compile(r"(?:https?|ftp|mailto|tel|slack|sip):", re.IGNORECASE)
MARKDOWN_LINK = re.compile(r"!?\[([^\]\n]*)\]\(([^)\s]+)\)")
EVERYBODY = {"here", "channel", "everyone", "group"}


@dataclass(frozen=True)
class Link:
    url: str
    label: str


@dataclass
class Seen:
    """`text` is what is read, `pings` who is called: `channel`, `here`, `everyone`, a `U…` or an `S…`."""

    text: str = ""
    pings: list[str] = field(default_factory=list)
    links: list[Link] = field(default_factory=list)

    def __add__(self, other: "Seen") -> "Seen":
        text = "\n".join(part for part in (self.text, other.text) if part)
        return Seen(text, self.pings + other.pings, self.links + other.links)


def unescape(text: str) -> str:
    """Formatting message text: the three that are escaped."""
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def escape(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def normal(text: str) -> str:
    """As Slack keeps it: what looks like markup stays, every other `&`, `<` and `>` is escaped."""
    kept, at = [], 0
    for found in CONTROL.finditer(text):
        if _means_something(found):
            kept += [bare(text[at : found.start()]), found.group()]
            at = found.end()
    return "".join([*kept, bare(text[at:])])


def bare(text: str) -> str:
    """With everything escaped that is not escaped yet."""
    return re.sub(r"&(?!amp;|lt;|gt;)", "&amp;", text).replace("<", "&lt;").replace(">", "&gt;")


def called(text: str) -> str:
    """chat.postMessage: with `link_names`, or parsed in full, bare words call too."""
    return re.sub(r"(?<![\w<])@(channel|here|everyone)\b", r"<!\1>", text)


def _means_something(found: re.Match[str]) -> bool:
    mark, body = found.group(1), found.group(2)
    return bool(mark) or ADDRESS.match(body) is not None


def seen(text: str) -> Seen:
    """A mrkdwn text: mentions, links with and without a label, dates, and addresses that link themselves."""
    told = Seen()
    parts, at = [], 0
    for found in CONTROL.finditer(text):
        if not _means_something(found):
            continue
        parts += [_own_links(text[at : found.start()], told), _control(found, told)]
        at = found.end()
    told.text = "".join([*parts, _own_links(text[at:], told)])
    return told


def _own_links(text: str, told: Seen) -> str:
    shown = unescape(text)
    told.links += [
        Link(url.rstrip(".,;:!?)"), url.rstrip(".,;:!?)")) for url in re.findall(r"https?://[^\s<>|]+", shown)
    ]
    return shown


def _control(found: re.Match[str], told: Seen) -> str:
    mark, body, label = found.group(1), unescape(found.group(2)), unescape(found.group(3) or "")
    if mark == "@":
        told.pings.append(body)
        return f"@{label or body}"
    if mark == "#":
        return f"#{label or body}"
    if mark == "!":
        word, _, rest = body.partition("^")
        if word in EVERYBODY:
            told.pings.append(word)
            return f"@{word}"
        if word == "subteam":
            told.pings.append(rest)
            return label or f"@{rest}"
        return label or body
    told.links.append(Link(body, label or body))
    return label or body


def markdown(text: str) -> Seen:
    """A markdown block: links in brackets besides Slack's own markup."""
    told = seen(MARKDOWN_LINK.sub(lambda found: found.group(1), text))
    told.links += [Link(url, label) for label, url in MARKDOWN_LINK.findall(text)]
    return told


def _object(value: dict[str, Any]) -> Seen:
    """A text object. Nothing in plain_text is markup."""
    text = str(value.get("text", ""))
    return seen(text) if value.get("type") == "mrkdwn" else Seen(unescape(text))


def _rich(elements: Iterable[dict[str, Any]]) -> Seen:
    told = Seen()
    for one in elements:
        match one["type"]:
            case "text":
                told.text += one["text"]
            case "link":
                told.text += one.get("text") or one["url"]
                told.links.append(Link(one["url"], one.get("text") or one["url"]))
            case "user" | "usergroup" | "broadcast":
                who = one.get("user_id") or one.get("usergroup_id") or one["range"]
                told.text += f"@{who}"
                told.pings.append(who)
            case "emoji":
                told.text += f":{one['name']}:"
            case "channel":
                told.text += f"#{one['channel_id']}"
            case _:
                inside = _rich(one.get("elements", []))
                told.text += inside.text + (
                    "\n" if one["type"] in ("rich_text_section", "rich_text_list") else ""
                )
                told.pings += inside.pings
                told.links += inside.links
    return told


def block(value: dict[str, Any]) -> Seen:
    """What a block says, without the labels of its buttons and menus."""
    kind = value.get("type")
    if kind == "markdown":
        return markdown(value["text"])
    if kind == "rich_text":
        told = _rich(value["elements"])
        return Seen(told.text.rstrip("\n"), told.pings, told.links)
    if kind == "table":
        cells = [cell for row in value["rows"] for cell in row]
        return sum(
            (block(cell) if cell["type"] == "rich_text" else Seen(cell["text"]) for cell in cells), Seen()
        )
    parts = [
        value.get("text"),
        value.get("label"),
        value.get("hint"),
        value.get("title"),
        *value.get("fields", []),
    ]
    if kind == "context":
        parts += value["elements"]
    told = Seen()
    for part in parts:
        if isinstance(part, dict) and part.get("type") in ("plain_text", "mrkdwn"):
            told += _object(part)
    return told


def message(text: str, blocks: list[dict[str, Any]], attachments: list[dict[str, Any]]) -> Seen:
    """A message: its blocks, or its text if it has none; the text beside blocks is read aloud in
    notifications, so what it calls and links counts too."""
    shown = sum((block(one) for one in blocks), Seen())
    below = Seen()
    for one in attachments:
        words = [
            one[name] for name in ("pretext", "title", "text", "fallback") if isinstance(one.get(name), str)
        ]
        below += sum((seen(word) for word in words), Seen())
        below += sum((block(inside) for inside in one.get("blocks") or []), Seen())
    spoken = seen(text)
    told = shown + below if blocks else spoken + below
    if blocks:
        told.pings += spoken.pings
        told.links += spoken.links
    return told


def typed(text: str, names: dict[str, str] | None = None) -> str:
    """What Slack's own app sends for words typed in it: everything escaped, addresses linked, `@Name` and
    `#name` of `names` turned into mentions."""

    def linked(found: re.Match[str]) -> str:
        address = found.group()
        return f"<{address}>" if address.startswith("http") else f"<mailto:{address}|{address}>"

    sent = TYPED.sub(linked, escape(text)) if TYPED.search(text) else escape(text)
    for name in sorted(names or {}, key=len, reverse=True):
        sent = re.sub(rf"(?<!\w){re.escape(escape(name))}(?!\w)", (names or {})[name], sent)
    return sent


def rich_text(text: str, fresh: Callable[[], str]) -> dict[str, Any]:
    """The rich_text block Slack's own app sends beside a text."""
    pieces: list[dict[str, Any]] = []
    at = 0
    for found in CONTROL.finditer(text):
        if not _means_something(found):
            continue
        if found.start() > at:
            pieces.append({"type": "text", "text": unescape(text[at : found.start()])})
        mark, body, label = found.groups()
        if mark == "@":
            pieces.append({"type": "user", "user_id": body})
        elif mark == "#":
            pieces.append({"type": "channel", "channel_id": body})
        elif mark == "!":
            pieces.append({"type": "broadcast", "range": body})
        else:
            pieces.append(
                {"type": "link", "url": unescape(body)} | ({"text": unescape(label)} if label else {})
            )
        at = found.end()
    if at < len(text):
        pieces.append({"type": "text", "text": unescape(text[at:])})
    inside = {"type": "rich_text_section", "elements": pieces}
    return {"type": "rich_text", "block_id": fresh(), "elements": [inside]}
