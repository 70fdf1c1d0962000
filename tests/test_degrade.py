"""Any message fits any messenger: nothing is lost, no character and no code block is broken."""

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import assume, example, given
from hypothesis import strategies as st

from bot import i18n
from bot.adapters import degrade
from bot.adapters.port import Features
from bot.message import Choice, Form, Input, Option, Paragraph, Plain, Text, say
from core.kernel.text import utf16_len

WORDLIKE = "👨‍👩‍👧‍👦 🇷🇺 🇷 👍🏽 e\u0301 \u0301 \u0600 é й Привет word क्षि 한 مرحبا ， 。 😀 … ` `` https://a.example/b"
BETWEEN = (" ", " ", "  ", "\t", ". ", "! ", "\n", "\n", "\n\n", "\r\n")
SCRAPS = st.sampled_from((*WORDLIKE.split(), *BETWEEN))
PROSE = st.lists(SCRAPS, max_size=120).map("".join)
LINES = st.lists(st.sampled_from(["x = 1", "", "  y()", "ж" * 30, "😀😀", "# . !"]), max_size=20)
BLOCKS = st.builds(
    lambda info, lines: "".join(line + "\n" for line in (f"```{info}", *lines, "```")),
    st.sampled_from(["", "python", "sh x"]),
    LINES,
)
PLAIN_PROSE = PROSE.map(lambda text: text.replace("`", "'") + "\n")
LIMITS = st.integers(40, 200)


def boundaries(text: str) -> set[int]:
    return {0} | {found.end() for found in regex.finditer(r"\X", text)}


def cuts(text: str, limit: int) -> Iterator[int]:
    return accumulate(len(piece.body) for piece in degrade.pieces(text, limit))


def fences(text: str) -> int:
    return sum(line.startswith("```") for line in text.splitlines())


@given(PROSE, LIMITS)
@example("a" * 40 + "\n", 40)
@example("\n\n" + "a" * 60, 40)
@example("🇷" * 81, 41)
def test_the_parts_put_together_are_the_text_and_each_is_within_the_limit(text: str, limit: int) -> None:
    assert "".join(piece.body for piece in degrade.pieces(text, limit)) == text
    parts = degrade.split(text, limit)
    assert all(0 < utf16_len(part) <= limit for part in parts)
    if utf16_len(text) <= limit:
        assert parts == ([text] if text else [])


@given(PROSE, LIMITS)
@example("🇷" * 81, 41)
@example("👨‍👩‍👧‍👦" * 20, 40)
@example("a \u0301" * 60, 40)
@example("a\r\n" * 60, 41)
def test_no_grapheme_is_broken(text: str, limit: int) -> None:
    assume(all(utf16_len(one) <= limit for one in regex.findall(r"\X", text)))
    # Prose may open a code block, whose fences take room from a grapheme that would fit without them.
    assert set(cuts(text.replace("`", "'"), limit)) <= boundaries(text)


@given(st.lists(PLAIN_PROSE | BLOCKS, max_size=8), LIMITS)
def test_a_code_block_that_fits_stays_whole_and_every_part_closes_what_it_opens(
    segments: list[str], limit: int
) -> None:
    text = "".join(segments)
    pieces = degrade.pieces(text, limit)
    assert "".join(piece.body for piece in pieces) == text
    assert all(utf16_len(piece.shown) <= limit and fences(piece.shown) % 2 == 0 for piece in pieces)
    at = set(accumulate(len(piece.body) for piece in pieces))
    for start, segment in zip(accumulate(map(len, segments), initial=0), segments, strict=False):
        if segment.startswith("```") and utf16_len(segment) <= limit:
            assert not at & set(range(start + 1, start + len(segment)))


@given(st.text("`~ \nab😀\u0301", max_size=300), st.integers(2, 60))
def test_even_tangled_fences_and_tiny_limits_lose_nothing(text: str, limit: int) -> None:
    assert "".join(piece.body for piece in degrade.pieces(text, limit)) == text
    assert all(0 < utf16_len(part) <= limit for part in degrade.split(text, limit))


def test_cuts_prefer_paragraphs_then_lines_then_sentences_then_words() -> None:
    assert degrade.split("One two.\n\nThree four. Five", 20) == ["One two.\n\n", "Three four. Five"]
    assert degrade.split("One two. Go\nThree four. Five", 20) == ["One two. Go\n", "Three four. Five"]
    assert degrade.split("One two three. Four five six", 20) == ["One two three. ", "Four five six"]
    assert degrade.split("One two three four five six", 20) == ["One two three four ", "five six"]
    assert degrade.split("abcdefghijklmnopqrstuvwxyz", 20) == ["abcdefghijklmnopqrst", "uvwxyz"]


def test_a_text_of_exactly_the_limit_is_one_part_and_one_more_unit_makes_two() -> None:
    assert len(degrade.split("😀" * 2048, 4096)) == 1
    assert [len(part) for part in degrade.split("😀" * 2048 + "a", 4096)] == [2048, 1]


def test_a_code_block_too_long_for_a_part_is_closed_and_opened_again_between_lines() -> None:
    text = "See:\n```python\n" + "x = 1\n" * 12 + "```\nDone."
    parts = degrade.split(text, 60)
    assert parts[0] == "See:\n```python\n" + "x = 1\n" * 7 + "```"
    assert parts[1].startswith("```python\nx = 1\n")
    assert parts[-1].endswith("```\nDone.")


def test_a_block_never_closed_is_closed_in_every_part() -> None:
    pieces = degrade.pieces("```\n" + "line\n" * 30, 50)
    assert all(fences(piece.shown) == 2 for piece in pieces)
    assert "".join(piece.body for piece in pieces) == "```\n" + "line\n" * 30


@pytest.mark.parametrize("limit", [-1, 0, 1])
def test_a_limit_without_room_for_a_character_is_refused(limit: int) -> None:
    with pytest.raises(ValueError, match="at least 2"):
        degrade.split("text", limit)


HOSTILE = {
    "flags": "🇷" * 40_000,
    "marks": "a" + "\u0301" * 40_000,
    "backticks": "`" * 40_000,
    "backticks on lines": "```\n" * 10_000,
    "broken fences": "```a`\n" * 6_000,
    "blanks": " " * 40_000,
    "line ends": "\n" * 40_000,
    "blank lines": "\n \t" * 13_000,
    "dots": "." * 40_000,
    "brackets": "." + ")" * 40_000,
    "dots and brackets": ".)" * 20_000,
    "one word": "ж" * 40_000,
    "short lines in blocks": ("```\n" + "a\n" * 1900 + "```\n") * 10,
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
@pytest.mark.parametrize("limit", [64, 4096])
@pytest.mark.timeout(30)
def test_hostile_text_is_split_at_once(hostile: str, limit: int) -> None:
    """What takes the square of the length takes minutes."""
    pieces = degrade.pieces(hostile, limit)
    assert "".join(piece.body for piece in pieces) == hostile
    assert all(utf16_len(piece.shown) <= limit for piece in pieces)


def choice(code: str, menu: bool = False) -> Choice:
    return Choice(code, Plain(code.upper()), menu=menu)


def read(text: Text) -> str:
    return i18n.word(text, "en", time_zone="UTC", now=datetime(2026, 1, 1, tzinfo=UTC))


ROWS = st.lists(
    st.lists(st.builds(choice, st.text("abc", min_size=1, max_size=3), st.booleans()), max_size=12),
    max_size=6,
)


@given(ROWS, st.integers(0, 12), st.integers(0, 6))
def test_every_button_is_shown_or_listed_once(rows: list[list[Choice]], buttons: int, in_row: int) -> None:
    fitted, by_number = degrade.fit(
        say(Plain("Hello"), rows=rows), Features(buttons=buttons, buttons_in_row=in_row)
    )
    shown = [one for row in fitted.rows for one in row]
    before = [one for row in rows for one in row]
    assert len(shown) == min(buttons, len(before))
    assert sorted(map(repr, [*shown, *by_number.values()])) == sorted(map(repr, before))
    assert all(0 < len(row) <= max(in_row, 1) for row in fitted.rows)
    assert list(by_number) == [str(number) for number in range(1, len(by_number) + 1)]


@given(ROWS, st.integers(1, 8))
def test_rewrapping_keeps_the_order_and_the_rows_that_fit(rows: list[list[Choice]], in_row: int) -> None:
    fitted = degrade.fit_rows(rows, Features(buttons_in_row=in_row))
    assert [one for row in fitted for one in row] == [one for row in rows for one in row]
    assert all(tuple(row) in fitted for row in rows if 0 < len(row) <= in_row)


def test_surplus_buttons_become_a_numbered_list_those_under_more_first() -> None:
    rows = [[choice("take"), choice("merge", menu=True)], [choice("reply"), choice("note")]]
    found = degrade.numbered(rows, Features(buttons=2))
    assert [[one.code for one in row] for row in found.rows] == [["take"], ["reply"]]
    assert found.listed is not None
    assert read(found.listed) == "1. MERGE\n2. NOTE"
    assert {number: one.code for number, one in found.by_number.items()} == {"1": "merge", "2": "note"}


def test_a_row_too_long_is_broken_evenly() -> None:
    fitted = degrade.fit_rows([[choice(str(n)) for n in range(10)]], Features(buttons_in_row=8))
    assert [len(row) for row in fitted] == [5, 5]


def test_a_label_is_shortened_to_what_is_shown() -> None:
    assert degrade.fit_label("Pass to the Network team", Features(label_limit=12)) == "Pass to the…"


def test_a_form_becomes_questions_with_a_button_for_each_option() -> None:
    urgency = Input("urgency", Plain("How urgent?"), "choice", options=(Option("high", Plain("High")),))
    text = Input("text", Plain("What happened?"), required=False, hint=Plain("In your words"))
    first, last = degrade.form_questions(Form("report", Plain("A report"), (urgency, text), Plain("Send")))
    assert (first.asked, last.asked, first.last, last.last) == (urgency, text, False, True)
    assert first.message.blocks == (Paragraph(Plain("A report"), "title"), Paragraph(Plain("How urgent?")))
    assert last.message.blocks == (
        Paragraph(Plain("What happened?")),
        Paragraph(Plain("In your words"), "quiet"),
    )
    assert [first.values[one.code] for row in first.message.rows for one in row] == ["high"]
    assert not last.message.rows
