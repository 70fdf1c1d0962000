"""Text from outside made safe to keep, to search and to cut, without changing what a reader sees.

Lengths are UTF-16 units, as the messengers count them.
"""

import re
import unicodedata

import regex  # type: ignore[import-untyped]

from core.kernel import marked

_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff]")
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
_PICTURES = {code: chr(0x2400 + code) for code in range(0x20) if chr(code) not in "\n\t"} | {0x7F: "\u2421"}
_UNREADABLE = dict.fromkeys((*range(0x80, 0xA0), *range(0xD800, 0xE000)), "\ufffd")
_UNREADABLE_ALONE = dict.fromkeys(range(0xD800, 0xE000), "\ufffd")
_SHOWN = _PICTURES | _UNREADABLE

_GRAPHEME = regex.compile(r"\X")
_TOKEN = regex.compile(r"[\p{L}\p{M}\p{N}]+")
_STRIDE = 200
"""The expression engine counts a row of flags from its beginning for each flag: it is shown short rows."""
_PILE_OF_MARKS = regex.compile(r"(\p{M}{30})\p{M}++")


def clean(text: str) -> str:
    """The text as it may be stored anywhere: line ends are LF, controls are visible, no lone surrogates.

    A surrogate pair that came apart is put together. Nothing else is changed; cleaning twice changes
    nothing more. Marks stay where they are.
    """
    return marked.mapped(text, _cleaned) if _UNSAFE.search(text) else text


def storable(text: str) -> str:
    """The text as every database takes it: no NUL and no lone surrogate, which some refuse and some do not.

    What people say is `clean` before; this holds for whatever else is kept."""
    if not _UNSTORABLE.search(text):
        return text
    return _PAIR.sub(_joined_pair, text).replace("\0", "\u2400").translate(_UNREADABLE_ALONE)


def _cleaned(text: str) -> str:
    whole = _PAIR.sub(_joined_pair, text)
    return whole.replace("\r\n", "\n").replace("\r", "\n").translate(_SHOWN)


def _joined_pair(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16-le", "surrogatepass").decode("utf-16-le")


def search_text(text: str) -> str:
    """The words and numbers of a text, folded for comparing, one space between them."""
    # Normalizing sorts a run of marks in quadratic time: a pile of them is cut to what Unicode calls safe.
    bounded = _PILE_OF_MARKS.sub(r"\1", text)
    folded = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", bounded).casefold())
    return " ".join(_TOKEN.findall(folded.replace("ё", "е")))


def utf16_len(text: str) -> int:
    """How long messengers take the text to be."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def reach(text: str, start: int, units: int) -> int:
    """The greatest index to which text from `start` is at most `units` long."""
    end = min(len(text), start + max(units, 0))
    over = utf16_len(text[start:end]) - units
    while over > 0 and end > start:
        end -= 1
        over -= 2 if text[end] > "\uffff" else 1
    return end


def boundary(text: str, start: int, end: int) -> int:
    """The last end of a grapheme in text from `start`, itself one, up to `end`; `start` if there is none."""
    last, stride = start, _STRIDE
    while last < end:
        stop = min(end, last + stride)
        found = _last_end(text, last, stop)
        if stop == end:
            return found
        # A grapheme longer than the stride is looked for with a longer one.
        last, stride = found, _STRIDE if found > last else stride * 2
    return last


def _last_end(text: str, start: int, stop: int) -> int:
    last = start
    for grapheme in _GRAPHEME.finditer(text[start : stop + 1]):  # One more decides whether `stop` is an end.
        if start + grapheme.end() > stop:
            break
        last = start + grapheme.end()
    return last


def shorten(text: str, limit: int) -> str:
    """The text on one line of at most `limit` units, ended with … where it was cut, between graphemes."""
    line = " ".join(text.split())
    if utf16_len(line) <= limit:
        return line
    if limit < 1:
        return ""
    end = boundary(line, 0, reach(line, 0, limit - 1))
    space = line.rfind(" ", 0, end + 1)
    at_word = space if space > end * 2 // 3 else end
    return line[:at_word].rstrip() + "…"
