"""What people set apart, as Telegram tells and takes it: entities, counted in UTF-16 units."""

import itertools
import re
from collections.abc import Mapping, Sequence
from typing import Any

from core.kernel import marked
from core.kernel import text as texts
from core.kernel.marked import Kind, Mark

Json = Mapping[str, Any]
MARKS: Mapping[str, Kind] = {
    "bold": "bold",
    "italic": "italic",
    "strikethrough": "strike",
    "code": "code",
    "pre": "pre",
}
"""Entities that every messenger knows (Bot API: MessageEntity); what only Telegram shows stays plain."""
QUOTES = frozenset({"blockquote", "expandable_blockquote"})
TYPES: Mapping[Kind, str] = {kind: name for name, kind in MARKS.items()}


def read(text: str, entities: Sequence[Json]) -> str:
    """The text with its marks. What a link hides behind its words stands after them, and what somebody quotes
    in a block stands behind `>`, so that nobody takes it for their own words."""
    place = _Places(text)
    marks = [Mark(MARKS[each["type"]], *place.of(each)) for each in entities if each.get("type") in MARKS]
    whole = marked.marked(text, marks)
    added = [(line, "> ") for each in entities if each.get("type") in QUOTES for line in place.lines(each)]
    for link in _links(entities):
        start, end = place.of(link)
        added.append((end, _hidden(text[start:end], str(link["url"]))))
    parts, at = [], 0
    for where, words in sorted(added, key=lambda each: each[0]):
        parts += [whole[at:where], words]
        at = where
    return marked.joined("", [*parts, whole[at:]])


def _links(entities: Sequence[Json]) -> list[Json]:
    return [each for each in entities if each.get("type") == "text_link" and each.get("url")]


def _hidden(label: str, address: str) -> str:
    """The address, where the words do not say it themselves."""
    return "" if _bare(label) == _bare(address) else f" ({address})"


def _bare(address: str) -> str:
    return re.sub(r"^https?://", "", address.strip(), flags=re.IGNORECASE).rstrip("/")


class _Places:
    """Where UTF-16 units are in a text."""

    def __init__(self, text: str) -> None:
        units = itertools.accumulate((1 if sign < "\U00010000" else 2 for sign in text), initial=0)
        self._at = {unit: index for index, unit in enumerate(units)}
        self._text, self._end = text, len(text)

    def of(self, entity: Json) -> tuple[int, int]:
        """Where it begins and ends; what points into the middle of a character, at its end."""
        start = int(entity["offset"])
        return self._index(start), self._index(start + int(entity["length"]))

    def lines(self, entity: Json) -> list[int]:
        """Where each line of it begins."""
        start, end = self.of(entity)
        return [start, *(place + 1 for place in range(start, end - 1) if self._text[place] == "\n")]

    def _index(self, unit: int) -> int:
        return self._at.get(unit, self._at.get(unit + 1, self._end))


def stretches(text: str) -> list[tuple[int, int, str]]:
    """The marks of a text as entities: where each begins, how long it is, its type."""
    plain = str(text)
    found = []
    for mark in marked.marks_of(text):
        start = texts.utf16_len(plain[: mark.start])
        found.append((start, texts.utf16_len(plain[mark.start : mark.end]), TYPES[mark.kind]))
    return found
