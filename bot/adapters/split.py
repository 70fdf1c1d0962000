"""A long text cut into parts that a messenger takes, where a reader would cut it.

Cuts fall between paragraphs, else lines, else sentences, else words, else graphemes; never inside a code
block that fits into one part. The bodies of the pieces, put together, are the text itself: a separator stays
at the end of the body before it, or at the start of the next where it no longer fits. A code block that fits
into no part is closed at the cut and opened again after it; only these two fences are added.
A body is blank only where the text has nothing but blanks for that long.
"""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass

from core.kernel import text as texts

_FENCE = re.compile(r"^ {0,3}(`{3,}+)([^`\n]*+)$", re.MULTILINE)
_LANGUAGE = re.compile(r"[\w+#.-]{1,30}")
"""What stands behind an opening fence, and is repeated with it; longer words there are said once."""
_NOT_BLANK = re.compile(r"\S")

_LEVELS = (
    (re.compile(r"\n(?:[ \t\r]*+\n)++"), re.compile(r"\n[ \t\r]{0,100}+\n"), 0.5),
    (re.compile(r"\n"), re.compile(r"\n"), 0.5),
    (re.compile(r"""[.!?…]["'»”’)\]]*+\s|[。！？]"""), re.compile(r"(?<=[.!?…])\s"), 0.5),
    (re.compile(r"\s"), re.compile(r"\s"), 0.0),
)
"""Best first: what a part may end with, what the next may start with, and how full the part must be."""


@dataclass(frozen=True, slots=True)
class Piece:
    """One part. `body` is of the text; `opening` and `closing` are fences of a code block cut in two."""

    body: str
    opening: str = ""
    closing: str = ""

    @property
    def shown(self) -> str:
        return self.opening + self.body + self.closing


def split(text: str, limit: int) -> list[str]:
    """The parts of a text, each at most `limit` UTF-16 units; none for an empty text."""
    return [piece.shown for piece in pieces(text, limit)]


def pieces(text: str, limit: int) -> list[Piece]:
    """The same parts with the added fences apart: `"".join(piece.body …)` is the text."""
    if limit < 2:
        raise ValueError("a part must have room for one character: the limit is at least 2")
    return list(_Cutter(text, limit).pieces())


@dataclass(frozen=True, slots=True)
class _CodeBlock:
    start: int
    code: int
    """Where the code starts, after the opening line."""
    close: int
    """Where the closing line starts; the end of the text for a block never closed."""
    end: int
    opening: str
    marks: str
    whole: bool
    """Fits into one part, so must not be cut."""

    @property
    def closed(self) -> bool:
        return self.close < self.end


class _Cutter:
    def __init__(self, text: str, limit: int) -> None:
        self._text, self._limit = text, limit
        self._blocks = [] if texts.utf16_len(text) <= limit else list(self._code_blocks())
        self._starts = [block.start for block in self._blocks]

    def pieces(self) -> Iterator[Piece]:
        start = 0
        while start < len(self._text):
            piece = self._piece(start)
            yield piece
            start += len(piece.body)

    def _piece(self, start: int) -> Piece:
        within = self._cut_block(start)
        opening = within.opening if within else ""
        room = self._limit - texts.utf16_len(opening)
        closing = ""
        while True:
            end = texts.reach(self._text, start, room - len(closing))
            cut = end if end == len(self._text) else self._cut(start, end)
            piece = Piece(self._text[start:cut], opening, self._closing(cut, within))
            if len(piece.closing) <= len(closing) or texts.utf16_len(piece.shown) <= self._limit:
                return piece
            closing = piece.closing if piece.closing.startswith("\n") else "\n" + piece.closing

    def _closing(self, cut: int, opened: _CodeBlock | None) -> str:
        at_end = opened if cut == len(self._text) and opened and not opened.closed else None
        block = self._cut_block(cut) or at_end
        if block is None:
            return ""
        return block.marks if self._text[cut - 1] == "\n" else "\n" + block.marks

    def _cut(self, start: int, end: int) -> int:
        words = _NOT_BLANK.search(self._text, start, end)
        first = words.start() if words else end
        for behind, ahead, fill in _LEVELS:
            least = max(first + 1, start + int((end - start) * fill))
            ends = [found.end() for found in behind.finditer(self._text, start, end)]
            if ahead.match(self._text, end):
                ends.append(end)
            for cut in reversed(ends):
                if cut < least:
                    break
                if not self._spoils(cut) and texts.boundary(self._text, cut - 1, cut) == cut:
                    return cut
        return self._hard_cut(start, end)

    def _hard_cut(self, start: int, end: int) -> int:
        last = texts.boundary(self._text, start, end)
        block = self._spoils(last)
        if block:
            before = block.start if block.whole or last <= block.code else block.close - 1
            allowed = texts.boundary(self._text, start, max(start, before))
            last = allowed if allowed > start and not self._spoils(allowed) else last
        return last if last > start else end

    def _spoils(self, cut: int) -> _CodeBlock | None:
        """The block that a cut here would break for no need, or leave with nothing on one side."""
        block = self._around(cut)
        if block and (block.whole or cut <= block.code or cut >= block.close):
            return block
        return None

    def _cut_block(self, cut: int) -> _CodeBlock | None:
        """The block whose code goes on after this cut."""
        block = self._around(cut)
        return block if block and block.code < cut <= block.close else None

    def _around(self, cut: int) -> _CodeBlock | None:
        before = bisect_left(self._starts, cut) - 1
        return self._blocks[before] if before >= 0 and cut < self._blocks[before].end else None

    def _code_blocks(self) -> Iterator[_CodeBlock]:
        first: re.Match[str] | None = None
        for fence in _FENCE.finditer(self._text):
            if first is None:
                first = fence
            elif len(fence[1]) >= len(first[1]) and not fence[2].strip():
                yield from self._code_block(first, fence.start(), fence.end() + 1)
                first = None
        if first:
            yield from self._code_block(first, len(self._text), len(self._text))

    def _code_block(self, first: re.Match[str], close: int, end: int) -> Iterator[_CodeBlock]:
        start, end, behind = first.start(), min(end, len(self._text)), first[2].strip()
        opening = first[1] + (behind if _LANGUAGE.fullmatch(behind) else "") + "\n"
        if texts.utf16_len(opening) + len(first[1]) + 1 > self._limit // 2:
            return  # Its fences alone would fill the parts: then it is text like any other.
        whole = texts.utf16_len(self._text[start:end]) <= self._limit
        yield _CodeBlock(start, min(first.end() + 1, len(self._text)), close, end, opening, first[1], whole)
