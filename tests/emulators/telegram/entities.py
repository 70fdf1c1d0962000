"""Message entities: offsets in UTF-16 units, those a bot gives and those Telegram finds by itself."""

import re
from collections.abc import Iterable
from typing import Any

from tests.emulators.telegram.refusals import bad

Entity = dict[str, Any]

LIMIT = 100
SOLID = {"code", "pre", "text_link", "url", "text_mention"}

_FOUND = (
    ("bot_command", re.compile(r"(?<![\w/<>@])/([A-Za-z0-9_]{1,64})(@[A-Za-z0-9_]{3,32})?(?!\w)")),
    ("email", re.compile(r"(?<![\w.])[\w.+-]+@[\w-]+\.[A-Za-z]{2,}(?:\.[A-Za-z]{2,})*")),
    ("mention", re.compile(r"(?<![\w@])@[A-Za-z0-9_]{3,32}(?!\w)")),
    ("url", re.compile(r"https?://[^\s<>\"]+[^\s<>\".,;:!?)]")),
    (
        "url",
        re.compile(
            r"(?<![\w@.-])(?:[a-z0-9-]+\.)+(?:com|org|net|ru|io|me|dev|example)(?:/[^\s<>\"]*)?(?![\w@])"
        ),
    ),
    ("hashtag", re.compile(r"(?<![\w#])#[^\W\d]\w*")),
    ("cashtag", re.compile(r"(?<![\w$])\$[A-Z]{3,8}(?!\w)")),
)


def units(text: str) -> int:
    """Bot API: MessageEntity. Offsets and lengths are in UTF-16 code units; an emoji usually has two."""
    return len(text) + sum(1 for sign in text if ord(sign) > 0xFFFF)


def cut(text: str, offset: int, length: int) -> str:
    """The piece of `text` an entity covers."""
    raw = text.encode("utf-16-le")
    return raw[offset * 2 : (offset + length) * 2].decode("utf-16-le", "replace")


def ordered(entities: Iterable[Entity]) -> list[Entity]:
    return sorted(entities, key=lambda one: (one["offset"], -one["length"]))


def checked(text: str, entities: Iterable[Entity]) -> list[Entity]:
    """TDLib: fix_entities. One that ends after the text, or halves a surrogate pair, refuses the message."""
    size = units(text)
    borders = _borders(text)
    kept = []
    for one in entities:
        start, end = int(one.get("offset", 0)), int(one.get("offset", 0)) + int(one.get("length", 0))
        if end > size:
            whole = f"entity beginning at UTF-16 offset {start} ends after the end of the text"
            raise bad(f"{whole} at UTF-16 offset {end}")
        if start not in borders:
            raise bad(f"entity begins in a middle of a UTF-16 symbol at byte offset {start}")
        if end not in borders:
            raise bad(f"entity beginning at UTF-16 offset {start} ends in a middle of a UTF-16 symbol")
        if end > start:
            kept.append({key: value for key, value in one.items() if value is not None})
    return ordered(kept)


def _borders(text: str) -> set[int]:
    borders, at = {0}, 0
    for sign in text:
        at += 2 if ord(sign) > 0xFFFF else 1
        borders.add(at)
    return borders


def found(text: str, given: list[Entity]) -> list[Entity]:
    """Telegram marks commands, mentions, links, addresses and hashtags by itself, in what anybody sends."""
    if not any(sign in text for sign in "/@.#$"):
        return given
    taken = [(one["offset"], one["offset"] + one["length"]) for one in given if one["type"] in SOLID]
    added = []
    for kind, pattern in _FOUND:
        for match in pattern.finditer(text):
            start = units(text[: match.start()])
            end = start + units(match.group())
            if all(end <= left or start >= right for left, right in taken):
                taken.append((start, end))
                added.append({"type": kind, "offset": start, "length": end - start})
    return ordered([*given, *added])


def trimmed(text: str, entities: list[Entity]) -> tuple[str, list[Entity]]:
    """TDLib: fix_formatted_text. White space around the text goes, unless an entity begins there; 100
    entities stay."""
    text = text.replace("\r", "").rstrip()
    size = units(text)
    lead = len(text) - len(text.lstrip(" \n"))
    first = min((one["offset"] for one in entities), default=lead)
    lead = min(lead, first)
    moved = []
    for one in entities:
        start = max(0, one["offset"] - lead)
        end = min(size, one["offset"] + one["length"]) - lead
        if end > start:
            moved.append({**one, "offset": start, "length": end - start})
    return text[lead:], moved[:LIMIT]
