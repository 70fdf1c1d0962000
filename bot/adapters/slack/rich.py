"""People's words out of what Slack's own editor makes of them: rich text, its styles as marks."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from bot.adapters.slack import envelope, plain
from core.kernel import marked
from core.kernel import text as texts
from core.kernel.marked import Kind, Mark

Json = Mapping[str, Any]
STYLES: Mapping[Kind, str] = {"bold": "bold", "italic": "italic", "strike": "strike", "code": "code"}
"""What a stretch of rich text can look like; a block of code is an element of its own (docs.slack.dev: rich
text block)."""
_INDENT = "    "
_BULLETS = ("•", "◦", "▪")


class Unknown(Exception):
    """Something that nobody has told of yet; the text beside the blocks says it in its way."""


def words(blocks: Any, person: plain.Name, channel: plain.Name, me: str) -> str | None:
    """The words with their marks, without the mention of `me` that they begin with; None for what the
    editor did not make, or holds something unknown."""
    try:
        if not blocks or any(block["type"] != "rich_text" for block in blocks):
            return None
        return _Writer(person, channel, me).all(blocks)
    except (Unknown, *envelope.ODD):
        return None


def tells(typed: str, text: str) -> bool:
    """Whether the blocks say what the text beside them says: whoever changes one may leave the other."""
    one, other = (texts.search_text(_NAMED.sub("", str(each))).replace(" ", "") for each in (typed, text))
    return one == other


_NAMED = re.compile(r":[\w+'-]+:")
"""Emoji, which the text has by their names."""


class _Writer:
    """Puts elements one after another. Those that are blocks of their own begin and end a line."""

    def __init__(self, person: plain.Name, channel: plain.Name, me: str) -> None:
        self._person = person
        self._channel = channel
        self._me = me

    def all(self, blocks: Iterable[Json]) -> str:
        parts: list[str] = []
        for block in blocks:
            for element in block.get("elements") or ():
                if parts and not parts[-1].endswith("\n"):
                    parts.append("\n")
                parts += [part for part in self._container(element, first=not parts) if part]
        return marked.joined("", parts)

    def _container(self, element: Json, *, first: bool) -> Iterator[str]:
        inside = element.get("elements") or ()
        match element.get("type"):
            case "rich_text_section":
                yield self._spoken_to_us(inside) if first else self._line(inside)
            case "rich_text_preformatted":
                code = str(self._line(inside))
                yield marked.marked(code, [Mark("pre", 0, len(code))])
            case "rich_text_quote":
                yield _quoted(self._line(inside))
            case "rich_text_list":
                yield self._list(element)
            case _:
                raise Unknown

    def _spoken_to_us(self, elements: Sequence[Json]) -> str:
        first = elements[0] if elements else {}
        if first.get("type") != "user" or first.get("user_id") != self._me:
            return self._line(elements)
        return self._line(elements[1:]).lstrip(" \t\n,:")

    def _list(self, element: Json) -> str:
        indent, ordered = int(element.get("indent") or 0), element.get("style") == "ordered"
        first = int(element.get("offset") or 0) + 1
        lines = []
        for number, item in enumerate(element.get("elements") or (), first):
            sign = f"{number}." if ordered else _BULLETS[min(indent, len(_BULLETS) - 1)]
            lines.append(
                marked.joined("", (f"{_INDENT * indent}{sign} ", self._line(item.get("elements") or ())))
            )
        return marked.joined("\n", lines)

    def _line(self, elements: Iterable[Json]) -> str:
        return marked.joined("", [self._styled(element) for element in elements])

    def _styled(self, element: Json) -> str:
        told, style = self._told(element), element.get("style") or {}
        return marked.marked(
            told, [Mark(kind, 0, len(told)) for kind, name in STYLES.items() if style.get(name)]
        )

    def _told(self, element: Json) -> str:
        match element.get("type"):
            case "text":
                return str(element["text"])
            case "link":
                return plain.link(str(element["url"]), str(element.get("text") or ""))
            case "user":
                return f"@{self._person(str(element['user_id']))}"
            case "channel":
                return f"#{self._channel(str(element['channel_id']))}"
            case "usergroup":
                return f"@{element['usergroup_id']}"
            case "broadcast" if "^" not in str(element["range"]):
                return f"@{element['range']}"
            case "emoji":
                return _emoji(element)
            case "date" if element.get("fallback"):
                return str(element["fallback"])
            case "color":
                return str(element["value"])
        raise Unknown


def _emoji(element: Json) -> str:
    """The sign itself; the name of one that only this workspace has."""
    try:
        return "".join(chr(int(code, 16)) for code in str(element["unicode"]).split("-"))
    except (KeyError, ValueError, OverflowError):
        return f":{element['name']}:"


def _quoted(text: str) -> str:
    """Each line after the sign by which people know that it is a quote."""
    starts = [0, *(at + 1 for at, sign in enumerate(text) if sign == "\n")]
    ends = [*(start - 1 for start in starts[1:]), len(text)]
    lines = [text[start:end] for start, end in zip(starts, ends, strict=True)]
    return marked.joined("\n", [marked.joined("", ("> ", line)) for line in lines])
