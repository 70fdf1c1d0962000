"""Words made into Slack's texts so that they stay words: they format nothing and call nobody.

Rich text takes words literally. In any other text Slack reads `&`, `<` and `>` (docs: formatting message
text, escaping); asterisks and colons mean nothing there either, for all of it is plain_text without emoji.
"""

import re
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from bot.adapters.slack import limits
from core.kernel import marked
from core.kernel import text as texts
from core.kernel.marked import Kind

Json = dict[str, Any]

_RUN = re.compile(r"""https?://[^\s<>|"«»]+""", re.IGNORECASE)
_ADDRESS = re.compile(
    r"https?://[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?(?::\d{1,5})?(?:[/?#][!-~]*)?", re.IGNORECASE
)
_CLOSING = ".,;:!?'*_~`]}…"


def escape(words: str) -> str:
    """The words for a text that Slack reads."""
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def plain(words: str) -> Json:
    """A plain_text object."""
    return {"type": "plain_text", "text": escape(words), "emoji": False}


def line(words: str, limit: int) -> Json:
    """A plain_text object of one line, shortened to the limit; never empty."""
    return plain(fitted(words, limit) or "…")


def fitted(words: str, limit: int) -> str:
    """The words on one line, shortened so that they are at most `limit` units once they are escaped."""
    room = limit
    while (over := texts.utf16_len(escape(short := texts.shorten(words, room))) - limit) > 0:
        room -= -(-over // 5)
    return short


def fits(words: str, limit: int) -> bool:
    """Whether `line` shows all of the words."""
    return texts.utf16_len(escape(" ".join(words.split()))) <= limit


def rich(words: str, *, bold: bool = False) -> tuple[Json, ...]:
    """The words as elements of rich text, with their marks. Whole addresses of the web lead where they say,
    and only there."""
    addresses = dict(islice(_addresses(str(words)), limits.LINKS))
    elements: list[Json] = []
    at = 0
    for run, kinds in _runs(words):
        styles = {_STYLES[kind]: True for kind in marked.KINDS if kind in kinds or (bold and kind == "bold")}
        within = {} if "code" in styles else addresses
        elements += _linked(run, at, within, {"style": styles} if styles else {})
        at += len(run)
    return tuple(elements)


_STYLES: Mapping[Kind, str] = {
    "bold": "bold",
    "italic": "italic",
    "strike": "strike",
    "code": "code",
    "pre": "code",
}
"""How each mark looks within a line (docs.slack.dev: rich text block); there a block of code is code."""


def _runs(words: str) -> Iterator[tuple[str, frozenset[Kind]]]:
    """The words in stretches that look alike; after the most marks that there is room for, plain."""
    return marked.runs(marked.marked(str(words), marked.marks_of(words)[: limits.MARKS]))


def _linked(run: str, start: int, addresses: Mapping[int, str], style: Json) -> Iterator[Json]:
    """Words that begin at `start` of the whole, those addresses as links that lie within."""
    at = 0
    for begin, address in ((place - start, address) for place, address in addresses.items()):
        if at <= begin and begin + len(address) <= len(run):
            if begin > at:
                yield {"type": "text", "text": run[at:begin], **style}
            yield {"type": "link", "url": address, **style}
            at = begin + len(address)
    if at < len(run):
        yield {"type": "text", "text": run[at:], **style}


def literal(words: str) -> tuple[Json, ...]:
    """The words as the one element of a block of code."""
    return ({"type": "text", "text": str(words)},)


def _addresses(words: str) -> Iterator[tuple[int, str]]:
    """Where in the words an address begins. One with letters that only look like others is none."""
    for run in _RUN.finditer(words):
        address = _without_end(run[0])
        if _ADDRESS.fullmatch(address) and len(address) <= limits.URL:
            yield run.start(), address


def _without_end(run: str) -> str:
    """The address without what ends the sentence it stands in."""
    while run.endswith(tuple(_CLOSING)) or (run.endswith(")") and run.count("(") < run.count(")")):
        run = run[:-1]
    return run
