"""Marked words: kept in order, kept through cuts, and the same words on every way between messengers."""

import itertools
import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import message as messages
from bot.adapters.port import Features, Reader
from bot.adapters.slack import blocks, lines, rich
from bot.adapters.slack import render as slack_render
from bot.adapters.telegram import contents, entities
from bot.adapters.telegram import render as telegram_render
from bot.flows import draft as drafts
from bot.message import Paragraph, say, spoken
from bot.web import wording
from bot.web.wording import Viewer
from core.kernel import marked
from core.kernel import text as texts
from core.kernel.ids import Identity
from core.kernel.marked import KINDS, Mark, Marked, marks_of

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
READER = Reader("en", "UTC")
FAMILY, WAVE, FLAG = "👩\u200d👩\u200d👧", "👋🏽", "🇳🇿"

signs = st.sampled_from([*"ab *_`~<>&[]()", "\n", "ё", "é", FAMILY, WAVE, FLAG, "𝔘", "👍"])
words = st.lists(signs, max_size=30).map("".join)


@st.composite
def spoken_words(draw: st.DrawFn) -> str:
    text = draw(words)
    place = st.integers(-1, len(text) + 1)
    marks = draw(st.lists(st.builds(Mark, st.sampled_from(KINDS), place, place), max_size=6))
    return marked.marked(text, marks)


def covered(text: str, kind: str) -> set[int]:
    return {at for mark in marks_of(text) if mark.kind == kind for at in range(mark.start, mark.end)}


# ---- what marks promise


@given(spoken_words())
def test_marks_are_within_the_text_in_order_and_nothing_is_told_apart_in_code(text: str) -> None:
    marks = marks_of(text)
    assert list(marks) == sorted(marks, key=lambda each: (each.start, -each.end, KINDS.index(each.kind)))
    for mark in marks:
        assert 0 <= mark.start < mark.end <= len(text)
        assert text[mark.start : mark.end].strip()
    for one, other in itertools.combinations(marks, 2):
        if {one.kind, other.kind} & {"code", "pre"} or one.kind == other.kind:
            assert one.end <= other.start or other.end <= one.start


@given(spoken_words(), st.integers(0, 30), st.integers(0, 30))
def test_a_slice_has_the_marks_of_what_it_holds(text: str, start: int, end: int) -> None:
    piece = text[start:end]
    assert piece == str(text)[start:end]
    for kind in KINDS:
        expected = {at - start for at in covered(text, kind) if start <= at < end}
        assert covered(piece, kind) == {at for at in expected if _tells(text, piece, kind, start, at)}


def _tells(text: str, piece: str, kind: str, start: int, at: int) -> bool:
    """Whether this place of the piece is in a mark that holds more than blanks."""
    spans = [(each.start - start, each.end - start) for each in marks_of(text) if each.kind == kind]
    return any(one <= at < other and str(piece)[max(one, 0) : other].strip() for one, other in spans)


@given(spoken_words())
def test_what_is_stripped_joined_or_stored_keeps_its_marks(text: str) -> None:
    start = len(text) - len(str(text).lstrip())
    assert marked.same(text.strip(), text[start : start + len(text.strip())])
    if text.strip() == text:
        assert marked.same(("> " + text)[2:], text)
        assert marked.same((text + " <")[: len(text)], text)
        assert marked.same(marked.joined("\n", ["a", text])[2:], text)
    stored = json.loads(json.dumps([str(text), marked.to_json(text)]))
    assert marked.same(marked.from_json(*stored), text)
    [kept] = drafts.load(drafts.dump(drafts.Draft((text,)))).texts
    assert marked.same(kept, text)
    told = say(spoken(text))
    assert messages.from_json(messages.to_json(told)) == told


@given(spoken_words())
def test_runs_put_together_are_the_words(text: str) -> None:
    assert "".join(run for run, _ in marked.runs(text)) == text
    at = 0
    for run, kinds in marked.runs(text):
        for kind in KINDS:
            assert (kind in kinds) == (at in covered(text, kind))
        at += len(run)


def test_words_that_become_others_are_plain() -> None:
    text = Marked("bold word", [Mark("bold", 0, 4)])
    assert not any(marks_of(each) for each in (text.upper(), " ".join(text.split()), f"{text}", text[::2]))
    assert text == "bold word"
    assert hash(text) == hash("bold word")


def test_what_is_cleaned_keeps_its_marks_in_place() -> None:
    text = marked.marked("a\r\n\ud83d\udc4d\x07 bold", [Mark("bold", 7, 11), Mark("code", 3, 5)])
    clean = texts.clean(text)
    assert clean == "a\n👍␇ bold"
    assert marks_of(clean) == (Mark("code", 2, 3), Mark("bold", 5, 9))


def test_a_group_of_an_expression_and_what_is_left_without_one_keep_their_marks() -> None:
    text = Marked("/reply 42 so bold", [Mark("bold", 13, 17)])
    found = re.fullmatch(r"/(\w+)\s+(?:#(\d+))?(.*)", text)
    assert found is not None
    assert marked.same(marked.group(found, 3), Marked("42 so bold", [Mark("bold", 6, 10)]))
    assert marked.group(found, 2) == ""
    named = Marked("hi @desk there", [Mark("italic", 3, 14)])
    assert marked.same(
        marked.without(named, re.compile(r"\s?@desk")), Marked("hi there", [Mark("italic", 2, 8)])
    )


# ---- Telegram


def told(text: str) -> list[dict[str, Any]]:
    """The entities that say so, counted in UTF-16 units by their own."""
    return [
        {
            "type": entities.TYPES[mark.kind],
            "offset": len(str(text)[: mark.start].encode("utf-16-le")) // 2,
            "length": len(str(text)[mark.start : mark.end].encode("utf-16-le")) // 2,
        }
        for mark in marks_of(text)
    ]


@given(spoken_words())
def test_entities_of_telegram_are_the_marks_and_back(text: str) -> None:
    assert marked.same(contents.words({"text": str(text), "entities": told(text)}), text)
    assert marked.same(contents.words({"caption": str(text), "caption_entities": told(text)}), text)
    assert [(each["offset"], each["length"], each["type"]) for each in told(text)] == entities.stretches(text)


@pytest.mark.parametrize(
    ("label", "address", "said"),
    [
        ("here", "https://evil.example/", "look here (https://evil.example/) now"),
        (
            "https://bank.example",
            "https://evil.example/",
            "look https://bank.example (https://evil.example/) now",
        ),
        ("site.example", "https://site.example/", "look site.example now"),
    ],
)
def test_a_link_of_telegram_never_hides_where_it_leads(label: str, address: str, said: str) -> None:
    text = f"look {label} now"
    link = {"type": "text_link", "offset": 5, "length": len(label), "url": address}
    bold = {"type": "bold", "offset": 0, "length": len(text)}
    words = contents.words({"text": text, "entities": [link, bold]})
    assert words == said
    assert str(words)[marks_of(words)[-1].end - 3 : marks_of(words)[-1].end] == "now"


def test_two_links_that_end_at_one_place_both_stand_after_their_words() -> None:
    links = [
        {"type": "text_link", "offset": 0, "length": 2, "url": "http://one.example"},
        {"type": "text_link", "offset": 1, "length": 1, "url": "http://two.example"},
    ]
    assert entities.read("ab!", links) == "ab (http://one.example) (http://two.example)!"


@pytest.mark.parametrize(
    "entity",
    [
        {"type": "underline"}, {"type": "spoiler"}, {"type": "custom_emoji", "custom_emoji_id": "1"},
        {"type": "blockquote"}, {"type": "something_new"}, {"type": "text_link"},
    ],
)  # fmt: skip
def test_what_only_telegram_shows_is_plain(entity: dict[str, Any]) -> None:
    assert (
        marks_of(contents.words({"text": "words", "entities": [{**entity, "offset": 0, "length": 5}]})) == ()
    )


def test_what_somebody_quotes_in_a_block_is_told_from_their_own_words() -> None:
    quote = {"type": "blockquote", "offset": 2, "length": 7}
    bold = {"type": "bold", "offset": 2, "length": 3}
    words = entities.read("a\none\ntwo\nb", [quote, bold])
    assert words == "a\n> one\n> two\nb"
    assert marks_of(words) == (Mark("bold", 4, 7),)


def test_entities_that_point_nowhere_are_no_error() -> None:
    text = f"{FAMILY} a"
    for offset, length in ((1, 1), (0, 1), (2, 999), (999, 5), (-5, 3)):
        contents.words({"text": text, "entities": [{"type": "bold", "offset": offset, "length": length}]})


def test_a_forwarded_message_keeps_its_marks_below_whose_it_is() -> None:
    message = {
        "text": "so bold",
        "entities": [{"type": "bold", "offset": 3, "length": 4}],
        "forward_origin": {"sender_user_name": "Olga"},
    }
    assert marked.same(contents.words(message), Marked("↪️ Olga:\nso bold", [Mark("bold", 12, 16)]))


def looks(text: str) -> telegram_render.Look:
    return telegram_render.look(say(spoken(text)), READER, NOW, Features())


def shown(parts: Iterable[telegram_render.Part]) -> str:
    """What a reader of Telegram sees, put together again."""
    return marked.joined(
        "",
        [
            contents.words({"text": part.text, "entities": [each.to_dict() for each in part.entities]})
            for part in parts
        ],
    )


@pytest.mark.parametrize("sign", ["a", FAMILY, "𝔘", "e\u0301"])
@pytest.mark.parametrize("kind", KINDS)
def test_marks_over_the_end_of_a_message_go_on_in_the_next(kind: str, sign: str) -> None:
    word = f"{sign * 9} "
    text = word * 1200
    start, end = len(word) * 50, len(word) * 1100
    whole = Marked(text, [Mark(kind, start, end)])  # type: ignore[arg-type]
    look = looks(whole)
    assert len(look.parts) > 2
    for part in look.parts:
        units = texts.utf16_len(part.text)
        assert units <= telegram_render.TEXT
        for entity in part.entities:
            assert 0 <= entity.offset < entity.offset + entity.length <= units
    assert shown(look.parts) == text
    assert covered(shown(look.parts), kind) == set(range(start, end))


def test_a_caption_has_its_marks_up_to_the_last_sign_that_fits() -> None:
    text = Marked("👍" * 512, [Mark("bold", 0, 512)])
    [part] = looks(text).parts
    assert (texts.utf16_len(part.text), part.entities[0].length) == (1024, 1024)


# ---- Slack, and there and back


def in_slack(text: str) -> list[dict[str, Any]]:
    return [shown.block for shown in blocks.of_lines(lines.prose(text))]


def out_of_slack(shown: list[dict[str, Any]]) -> str | None:
    return rich.words(shown, str, str, "U0DESK")


def alike(one: str, other: str) -> bool:
    """Marked alike where it can be seen; a block of code that shares its line with words is code in Slack."""

    def seen(text: str, kinds: Iterable[str]) -> set[int]:
        blank = {at for at, sign in enumerate(text) if sign.isspace()}
        return set().union(*(covered(text, kind) for kind in kinds)) - blank

    kinds: tuple[tuple[str, ...], ...] = (("bold",), ("italic",), ("strike",), ("code", "pre"))
    return all(seen(one, each) == seen(other, each) for each in kinds)


@settings(max_examples=300)
@given(spoken_words())
def test_from_telegram_to_slack_and_back_the_words_and_their_marks_are_the_same(text: str) -> None:
    heard = contents.words({"text": str(text), "entities": told(text)}).strip()
    if not heard:
        return
    crossed = out_of_slack(in_slack(heard))
    assert crossed is not None
    back = shown(looks(crossed).parts) if crossed.strip() else crossed
    assert str(back) == str(heard)
    assert alike(back, heard)


def test_a_block_of_code_is_one_in_slack_and_comes_back_as_one() -> None:
    text = Marked("try\n\nx = 1\ny = 2\n\nthen tell", [Mark("pre", 5, 16), Mark("bold", 18, 22)])
    [block] = in_slack(text)
    assert [each["type"] for each in block["elements"]] == [
        "rich_text_section", "rich_text_preformatted", "rich_text_section",
    ]  # fmt: skip
    back = out_of_slack([block])
    assert back is not None
    assert marked.same(back, text)


def test_marks_without_number_lose_no_word_and_stay_within_what_slack_takes() -> None:
    text = Marked("a b " * 4000, [Mark("bold", at, at + 1) for at in range(0, 16000, 4)])
    look = slack_render.look(say(spoken(text)), READER, NOW, "T1")
    for part in look.parts:
        assert len(json.dumps(part.blocks)) < 13_000
    words = [out_of_slack(list(part.blocks)) or "" for part in look.parts]
    assert "".join("".join(words).split()) == "ab" * 4000


def element(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, **more}


def section(*elements: dict[str, Any]) -> list[dict[str, Any]]:
    inside = element("rich_text_section", elements=list(elements))
    return [element("rich_text", elements=[inside])]


@pytest.mark.parametrize(
    ("elements", "said"),
    [
        ([element("text", text="plain")], "plain"),
        ([element("user", user_id="U0DESK"), element("text", text=": help")], "help"),
        ([element("user", user_id="U1"), element("text", text=" help")], "@U1 help"),
        ([element("channel", channel_id="C1")], "#C1"),
        ([element("broadcast", range="here")], "@here"),
        ([element("usergroup", usergroup_id="S1")], "@S1"),
        ([element("link", url="https://evil.example", text="https://bank.example")],
         "https://bank.example (https://evil.example)"),
        ([element("link", url="https://a.example")], "https://a.example"),
        ([element("emoji", name="wave", unicode="1f44b-1f3fd")], WAVE),
        ([element("emoji", name="party")], ":party:"),
        ([element("emoji", name="odd", unicode="zz")], ":odd:"),
        ([element("date", timestamp=1, format="{date}", fallback="2 March")], "2 March"),
        ([element("color", value="#ff0000")], "#ff0000"),
    ],
)  # fmt: skip
def test_each_element_of_slack_is_told_as_people_see_it(elements: list[dict[str, Any]], said: str) -> None:
    assert out_of_slack(section(*elements)) == said


@pytest.mark.parametrize(
    "shown",
    [
        None, [], "blocks", [element("section", text={"type": "mrkdwn", "text": "x"})],
        section(element("hologram")), [element("rich_text", elements=[element("rich_text_hologram")])],
        section(element("broadcast", range="date^1^x")),
    ],
)  # fmt: skip
def test_what_is_not_known_is_left_to_the_text_beside_it(shown: Any) -> None:
    assert rich.words(shown, str, str, "U0DESK") is None


def test_lists_and_quotes_of_slack_stay_readable() -> None:
    bold = element("text", text="two", style={"bold": True})
    items = [element("rich_text_section", elements=[each]) for each in (element("text", text="one"), bold)]
    inside = [
        element("rich_text_section", elements=[element("text", text="do\n")]),
        element("rich_text_list", style="ordered", elements=items),
        element("rich_text_list", style="bullet", indent=1, elements=items[:1]),
        element("rich_text_quote", elements=[element("text", text="he\nsaid")]),
    ]
    words = out_of_slack([element("rich_text", elements=inside)])
    assert words == "do\n1. one\n2. two\n    ◦ one\n> he\n> said"
    assert [str(words)[each.start : each.end] for each in marks_of(words or "")] == ["two"]


def test_blocks_are_believed_only_where_the_text_says_the_same() -> None:
    assert rich.tells(Marked("so bold 👋", [Mark("bold", 3, 7)]), "so *bold* :wave:")
    assert not rich.tells("old words", "new words")


def test_markup_that_was_typed_is_shown_as_typed_in_slack() -> None:
    typed = "*a* _b_ ~c~ `d` ```e``` <b>f</b> <!here>"
    assert out_of_slack(in_slack(typed)) == typed
    assert not any("style" in each for block in in_slack(typed) for each in block["elements"][0]["elements"])


def test_the_page_counts_marks_as_it_counts_text() -> None:
    text = Marked("👍 bold", [Mark("bold", 2, 6)])
    viewer = Viewer(Identity("web", "ivan"), "s", "en", "UTC")
    block = wording._block(Paragraph(spoken(text)), viewer, NOW)
    assert block == {"kind": "paragraph", "style": "normal", "text": "👍 bold", "marks": [["bold", 3, 7]]}
    assert "marks" not in wording._block(Paragraph(spoken("plain")), viewer, NOW)
