"""Words with what their author set apart in them: bold, italic, struck out, code. Text everywhere else.

A `Marked` is a string. It keeps its marks where it is stripped, sliced and joined; whatever else is made of
it is plain, so that nothing shows marks where the words have become others.
"""

import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, SupportsIndex

Kind = Literal["bold", "italic", "strike", "code", "pre"]
KINDS: tuple[Kind, ...] = ("bold", "italic", "strike", "code", "pre")
_LITERAL: tuple[Kind, ...] = ("pre", "code")
"""Nothing else is told apart inside of these, the first of them wins."""


@dataclass(frozen=True, slots=True)
class Mark:
    """A stretch of a text, in code points."""

    kind: Kind
    start: int
    end: int


class Marked(str):
    """Words and their marks, those of one kind apart from each other, and none around or within code."""

    __slots__ = ("marks",)
    marks: tuple[Mark, ...]

    def __new__(cls, text: str, marks: Iterable[Mark] = ()) -> "Marked":
        made = super().__new__(cls, text)
        made.marks = tuple(_settled(text, marks))
        return made

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        if not isinstance(key, slice) or key.step not in (None, 1):
            return super().__getitem__(key)
        start, end, _ = key.indices(len(self))
        return _cut(self, start, max(start, end))

    def __add__(self, other: str) -> str:
        return joined("", (self, other))

    def __radd__(self, other: str) -> str:
        return joined("", (other, self))

    def strip(self, chars: str | None = None) -> str:
        return _stripped(self, str(self).lstrip(chars), str(self).rstrip(chars))

    def lstrip(self, chars: str | None = None) -> str:
        return _stripped(self, str(self).lstrip(chars), str(self))

    def rstrip(self, chars: str | None = None) -> str:
        return _stripped(self, str(self), str(self).rstrip(chars))

    def removeprefix(self, prefix: str, /) -> str:
        return self[len(prefix) :] if self.startswith(prefix) else self

    def removesuffix(self, suffix: str, /) -> str:
        return self[: len(self) - len(suffix)] if suffix and self.endswith(suffix) else self

    def __reduce__(self) -> tuple[Any, ...]:
        return Marked, (str(self), self.marks)


def marks_of(text: str) -> tuple[Mark, ...]:
    """The marks of a text that may have some."""
    return text.marks if isinstance(text, Marked) else ()


def marked(text: str, marks: Iterable[Mark]) -> str:
    """The text with these marks; plain where none of them is left."""
    found = Marked(text, marks)
    return found if found.marks else str(text)


def same(one: str, other: str) -> bool:
    """Whether these are the same words, marked alike."""
    return one == other and marks_of(one) == marks_of(other)


def joined(between: str, parts: Iterable[str]) -> str:
    """The parts with `between` between them."""
    pieces = list(parts)
    marks: list[Mark] = []
    at = 0
    for piece in pieces:
        marks += [Mark(each.kind, each.start + at, each.end + at) for each in marks_of(piece)]
        at += len(piece) + len(between)
    return marked(between.join(str(piece) for piece in pieces), marks)


def group(found: re.Match[str], number: int) -> str:
    """What a group of an expression has matched, with its marks; empty for one that took no part."""
    return found.string[found.start(number) : found.end(number)] if found.start(number) >= 0 else ""


def without(text: str, pattern: re.Pattern[str]) -> str:
    """The text without whatever the expression matches."""
    spans = [found.span() for found in pattern.finditer(text)]
    starts, ends = [0, *(end for _, end in spans)], [*(start for start, _ in spans), len(text)]
    return joined("", [text[start:end] for start, end in zip(starts, ends, strict=True)])


def mapped(text: str, change: Callable[[str], str]) -> str:
    """The text changed by something that changes each of its beginnings alike."""
    plain = str(text)
    moved = [
        Mark(each.kind, len(change(plain[: each.start])), len(change(plain[: each.end])))
        for each in marks_of(text)
    ]
    return marked(change(plain), moved)


def runs(text: str) -> Iterator[tuple[str, frozenset[Kind]]]:
    """The text in stretches that are marked alike all through."""
    plain, marks = str(text), marks_of(text)
    turns = [(each.start, 1, each.kind) for each in marks] + [(each.end, 0, each.kind) for each in marks]
    at, kinds = 0, frozenset[Kind]()
    for turn, begins, kind in sorted(turns):
        if turn > at:
            yield plain[at:turn], kinds
            at = turn
        kinds = kinds | {kind} if begins else kinds - {kind}
    if at < len(plain):
        yield plain[at:], kinds


def to_json(text: str) -> list[list[Any]] | None:
    """The marks as they are stored; None where there are none."""
    return [[each.kind, each.start, each.end] for each in marks_of(text)] or None


def from_json(text: str, stored: Sequence[Sequence[Any]] | None) -> str:
    """The text with the marks that were stored of it."""
    known = [Mark(kind, start, end) for kind, start, end in stored or () if kind in KINDS]
    return marked(text, known)


# ---- how marks are kept in order


def _settled(text: str, marks: Iterable[Mark]) -> Iterator[Mark]:
    """The marks as they are told: within the text, in order, nothing within code, none on blanks alone."""
    given = [Mark(each.kind, max(each.start, 0), min(each.end, len(text))) for each in marks]
    taken: list[Mark] = []
    settled: list[Mark] = []
    for kind in (*_LITERAL, *(each for each in KINDS if each not in _LITERAL)):
        own = _merged(text, [each for each in given if each.kind == kind and each.start < each.end])
        free = [part for each in own for part in _outside(each, taken)]
        settled += [each for each in free if text[each.start : each.end].strip()]
        if kind in _LITERAL:
            taken = sorted([*taken, *free], key=lambda each: each.start)
    yield from sorted(settled, key=lambda each: (each.start, -each.end, KINDS.index(each.kind)))


def _merged(text: str, marks: Iterable[Mark]) -> list[Mark]:
    """Marks of one kind that overlap are one, as are those that touch, but for blocks of code."""
    merged: list[Mark] = []
    for each in sorted(marks, key=lambda mark: (mark.start, mark.end)):
        last = merged[-1] if merged else None
        if last is not None and (each.start < last.end or (each.start == last.end and each.kind != "pre")):
            merged[-1] = Mark(each.kind, last.start, max(last.end, each.end))
        else:
            merged.append(each)
    return merged


def _outside(mark: Mark, taken: Sequence[Mark]) -> Iterator[Mark]:
    """What is left of the mark outside of those that are in order and apart from each other."""
    start = mark.start
    for each in taken[bisect_right(taken, start, key=lambda other: other.end) :]:
        if each.start >= mark.end:
            break
        if each.start > start:
            yield Mark(mark.kind, start, each.start)
        start = each.end
    if start < mark.end:
        yield Mark(mark.kind, start, mark.end)


def _cut(text: Marked, start: int, end: int) -> str:
    moved = [
        Mark(each.kind, max(each.start, start) - start, min(each.end, end) - start)
        for each in text.marks
        if each.start < end and each.end > start
    ]
    return marked(str(text)[start:end], moved)


def _stripped(text: Marked, from_left: str, from_right: str) -> str:
    start = len(text) - len(from_left)
    return _cut(text, start, max(start, len(from_right)))
