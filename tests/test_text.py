"""Text from outside: whatever comes can be kept, found again and cut."""

import time
import unicodedata

import pytest
import regex  # type: ignore[import-untyped]
from hypothesis import example, given
from hypothesis import strategies as st

from core.kernel import text as texts

ANY_TEXT = st.text(st.characters(codec=None), max_size=200)
FAMILY = "👨‍👩‍👧"
HOSTILE = {
    "flags": "🇷" * 40_000,
    "marks": "a" + "\u0301\u0316" * 20_000,
    "joiners": "👩\u200d" * 20_000,
    "lone surrogates": "\ud800" * 40_000,
    "carriage returns": "\r" * 40_000,
    "blanks": " " * 40_000,
    "zeros": "\0" * 40_000,
    "one word": "ж" * 40_000,
}


@given(ANY_TEXT)
@example("\ud83d\ude00 \ud83d \ude00\ud83d\ud83d\ude00")
@example("\r\r\n\n\r")
def test_clean_text_can_be_kept_anywhere_and_cleaning_it_again_changes_nothing(raw: str) -> None:
    kept = texts.clean(raw)
    assert kept.encode("utf-8").decode("utf-8") == kept
    assert not [c for c in kept if unicodedata.category(c) in ("Cc", "Cs") and c not in "\n\t"]
    assert texts.clean(kept) == kept


@given(st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=200))
@example("\u202eevil\u202c e\u0301 \u2028 \ufeff ﬁ ＡＢＣ")
def test_text_without_controls_is_kept_to_the_letter(raw: str) -> None:
    assert texts.clean(raw) == raw


def test_controls_become_visible_and_line_ends_become_one_kind() -> None:
    assert texts.clean("a\0b\x1b[31m\x7f\x85\tz\r\ny\rx\n") == "a␀b␛[31m␡\ufffd\tz\ny\nx\n"


def test_a_pair_of_surrogates_that_came_apart_is_one_character_again() -> None:
    assert texts.clean("\ud83d\ude00\ud83d") == "😀\ufffd"


def test_search_text_is_the_folded_words_with_one_space_between() -> None:
    assert texts.search_text("  Ёлка, ELKA-7\n«Straße» ERR_RESET #42 е\u0308ж ﬁle") == (
        "елка elka 7 strasse err reset 42 еж file"
    )


@given(ANY_TEXT)
def test_search_text_can_be_kept_and_has_single_spaces_only(raw: str) -> None:
    found = texts.search_text(raw)
    found.encode("utf-8")
    assert found == " ".join(found.split())
    assert "ё" not in found


@pytest.mark.parametrize(("text", "length"), [("", 0), ("я", 1), ("😀", 2), ("🇷🇺", 4), ("\ud800", 1)])
def test_length_is_counted_as_messengers_count(text: str, length: int) -> None:
    assert texts.utf16_len(text) == length


def test_a_long_line_is_cut_at_a_word_or_between_graphemes_and_says_so() -> None:
    assert texts.shorten("a  short\nline", 12) == "a short line"
    assert texts.shorten("hello wonderful world", 17) == "hello wonderful…"
    assert texts.shorten(FAMILY * 2, texts.utf16_len(FAMILY) + 1) == FAMILY + "…"
    assert texts.shorten(FAMILY * 2, texts.utf16_len(FAMILY)) == "…"
    assert texts.shorten("abc", 0) == ""


@given(
    st.lists(st.sampled_from(["🇷", FAMILY, "e", "\u0301", "क्षि", "\r\n", "한"]), max_size=400),
    st.integers(0, 900),
)
@example(["e"] + ["\u0301"] * 350 + ["🇷"] * 301, 600)
def test_the_last_boundary_is_the_last_of_all_boundaries(scraps: list[str], end: int) -> None:
    text = "".join(scraps)
    ends = [found.end() for found in regex.finditer(r"\X", text)]
    wanted = max((found for found in ends if found <= end), default=0)
    assert texts.boundary(text, 0, min(end, len(text))) == wanted


@given(ANY_TEXT, st.integers(0, 40))
def test_a_shortened_text_is_one_line_within_the_limit(raw: str, limit: int) -> None:
    line = texts.shorten(raw, limit)
    assert texts.utf16_len(line) <= limit
    assert len(line.splitlines()) <= 1


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE.keys())
def test_hostile_text_is_dealt_with_at_once(hostile: str) -> None:
    before = time.process_time()
    texts.clean(hostile)
    texts.search_text(hostile)
    texts.shorten(hostile, 64)
    texts.shorten(hostile, 4096)
    assert time.process_time() - before < 0.5
