"""How messages look: nothing people write becomes markup, everything fits, and nothing is lost on the way."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import i18n
from bot.adapters.port import Reader
from bot.adapters.slack import limits, render
from bot.adapters.slack.render import Look
from bot.message import (
    Attachment,
    Block,
    Call,
    Choice,
    Facts,
    Message,
    Paragraph,
    Plain,
    Quote,
    Several,
    Text,
    say,
)
from tests.contract.texts import LONG, TEXTS
from tests.flows.conftest import DEMO, Stage
from tests.slack import story
from tests.slack.reading import pressable, taken
from tests.town import town

EN = Reader("en", "UTC")
NOW = datetime(2030, 5, 6, 12, 0, tzinfo=UTC)
TEAM = "T01"
ANNA = Call("Anna 👩‍🚒", ("telegram:502", "slack:T09/U99", "slack:T01/U07"))

_pieces = st.sampled_from(
    [
        *TEXTS.values(),
        *("\n", "\n\n", " ", "```\ncode\n```", "👩‍👩‍👧‍👦", "\u200f", "слово ", "x" * 90, "&" * 70),
        *("http://a.io ", "(https://example.org/a_(b)?c=d&e=<f>)", '"quoted" '),
    ]
)
words = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=60),
    st.lists(_pieces, max_size=150).map("".join),
)
plain = words.map(Plain)
paragraphs = st.builds(Paragraph, plain, st.sampled_from(["normal", "title", "quiet", "strong"]))
some: st.SearchStrategy[Block] = st.one_of(
    paragraphs,
    st.builds(Quote, plain),
    st.builds(Facts, st.lists(st.tuples(plain, plain), max_size=4).map(tuple)),
)
labels = st.one_of(
    st.text(st.characters(exclude_categories=["Cs", "Cc", "Z"]), min_size=1, max_size=80),
    st.sampled_from(["&" * 40, "👩‍👩‍👧‍👦" * 20, "<@U02> *Take* :it:", "A label of many words, " * 5]),
)
choices = st.builds(
    Choice,
    st.integers(0, 999).map(lambda number: f"t.take.{number}"),
    labels.map(Plain),
    st.sampled_from(["normal", "primary", "danger"]),
    st.booleans(),
)
messages = st.builds(
    Message,
    st.lists(some, max_size=5).map(tuple),
    st.lists(st.lists(choices, max_size=30).map(tuple), max_size=4).map(tuple),
    tone=st.sampled_from(["say", "card", "request", "reply", "note", "event", "ping", "hint"]),
    author=st.none() | plain,
    call=st.none() | st.just(ANNA) | st.just(Call("<@U08>", ("slack:T02/U08",))),
    over=st.booleans(),
)


def look(message: Message) -> Look:
    return render.look(message, EN, NOW, TEAM)


def blocks_of(shown: Look) -> list[dict[str, Any]]:
    return [block for part in shown.parts for block in part.blocks]


def kinds(shown: Look) -> list[str]:
    return [block["type"] for block in blocks_of(shown)]


def expected(message: Message) -> str:
    """Every letter of a message, in its order; a long label is told in full, a call is a mention."""
    told = ["@U07" if message.call is ANNA else message.call.name] if message.call else []
    if message.author is not None:
        marks = {"request": "📨", "reply": "↩️", "note": "📝"}
        told += [marks.get(message.tone, ""), _word(message.author)]
    for block in message.blocks:
        match block:
            case Paragraph(text=text) | Quote(text=text):
                told.append(_word(text))
            case Facts(rows=rows):
                told += [f"{_word(name)}{_word(value)}" for name, value in rows]
    for choice in (choice for row in message.rows for choice in row):
        label = " ".join(_word(choice.label).split())
        told += ["•", label] if len(_escaped(label).encode("utf-16-le")) > 150 else []
    return letters("".join(told))


def _word(text: Text) -> str:
    match text:
        case Plain(text=words):
            return words
        case Several(parts=parts, between=between):
            return between.join(map(_word, parts))
    return ""


def _escaped(words: str) -> str:
    return words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def letters(text: str) -> str:
    """Without blanks, without the colons of facts, and without the fences that a cut code block is given."""
    return "".join(text.split()).replace(":", "").replace("`", "")


# ---- any message


@settings(max_examples=250, deadline=None)
@given(messages)
def test_every_look_fits_slack_and_holds_every_word(message: Message) -> None:
    seen = [taken(part) for part in look(message).parts]
    assert letters("".join(each.text for each in seen)) == expected(message)
    assert {ping for each in seen for ping in each.pings} == ({"U07"} if message.call is ANNA else set())
    assert all(link.label == link.url for each in seen for link in each.links)


@settings(max_examples=150, deadline=None)
@given(messages)
def test_every_choice_can_be_reached_and_stands_in_the_last_parts(message: Message) -> None:
    shown = look(message)
    codes = sorted(choice.code for row in message.rows for choice in row)
    assert sorted(value for _, value in pressable(blocks_of(shown))) == codes
    elements = [
        each for block in blocks_of(shown) for each in block.get("elements", ()) if "action_id" in each
    ]
    assert len({each["action_id"] for each in elements}) == len(elements)
    first = next((at for at, kind in enumerate(kinds(shown)) if kind == "actions"), len(kinds(shown)))
    assert all(kind == "actions" for kind in kinds(shown)[first:])


@pytest.mark.parametrize("name", TEXTS)
@pytest.mark.parametrize("style", ["normal", "strong", "title", "quiet", "quote", "fact", "author"])
def test_hostile_words_stand_there_literally_wherever_they_are_said(name: str, style: str) -> None:
    text = Plain(TEXTS[name])
    match style:
        case "quote":
            message = say(Quote(text))
        case "fact":
            message = say(Facts(((Plain("Said?"), text),)))
        case "author":
            message = Message((), author=text)
        case _:
            message = Message((Paragraph(text, style),), tone="card")  # type: ignore[arg-type]
    [part] = look(message).parts
    seen = taken(part)
    assert seen.text.removeprefix("Said? ").split() == text.text.split()
    if style not in ("title", "fact"):
        assert seen.text == text.text
    assert seen.pings == []
    assert all(link.label == link.url for link in seen.links)


@pytest.mark.parametrize("name", TEXTS)
def test_hostile_labels_are_labels(name: str) -> None:
    label = " ".join(TEXTS[name].split())
    shown = look(Message((), ((Choice("t.x", Plain(label)),),)))
    [(told, _)] = pressable(blocks_of(shown))
    assert label.startswith(told.removesuffix("…"))
    in_full = [taken(part).text for part in shown.parts if "•" in part.text]
    assert told == label or in_full == [f"• {label}"]


# ---- addresses of the web


@pytest.mark.parametrize(
    ("words", "addresses"),
    [
        ("see https://wiki.example.org/vpn.", ["https://wiki.example.org/vpn"]),
        ("(https://a.example/b_(c)) or HTTP://A.example?x=1&y=2#z!", ["https://a.example/b_(c)", "HTTP://A.example?x=1&y=2#z"]),
        ("<https://evil.example|bank>", ["https://evil.example"]),
        ("http://10.0.0.1:8080/x, «http://localhost»", ["http://10.0.0.1:8080/x", "http://localhost"]),
        ("https://пример.рф/ж https://bаnk.example https://a.example/ж", []),
        ("https:// http://. http://user:secret@a.example javascript:alert(1) ftp://a.example", []),
        (f"https://a.example/{'x' * 2990}", []),
    ],
)  # fmt: skip
def test_whole_addresses_lead_where_they_say_and_nothing_else_does(words: str, addresses: list[str]) -> None:
    shown = look(say(Plain(words)))
    links = [link for part in shown.parts for link in taken(part).links if part.blocks]
    inside = [
        element["url"]
        for block in blocks_of(shown)
        for section in block["elements"]
        for element in section["elements"]
        if element["type"] == "link"
    ]
    assert inside == addresses
    assert all(link.label == link.url for link in links)


# ---- what is long


@pytest.mark.parametrize("name", LONG)
def test_what_is_too_long_is_cut_where_a_reader_would_and_put_together_is_whole(name: str) -> None:
    parts = look(say(Plain(LONG[name]), Quote(Plain(LONG[name])))).parts
    assert "".join("".join(taken(part).text for part in parts).split()) == "".join(LONG[name].split()) * 2
    assert len(parts) == -(-2 * len(json.dumps(LONG[name], ensure_ascii=False)) // limits.MESSAGE)


@pytest.mark.parametrize("length", [2899, 2900, 2901, 12_000, 40_000])
@pytest.mark.parametrize("sign", ["x", "ж", "😀", "&"])
def test_text_of_any_length_arrives_whole(length: int, sign: str) -> None:
    text = sign * (length // len(sign.encode("utf-16-le")) * 2)
    for style in ("normal", "quiet", "title"):
        parts = look(say(Paragraph(Plain(text), style))).parts
        assert "".join(taken(part).text for part in parts).replace("\n", "") == text


def test_no_grapheme_is_broken() -> None:
    family = "👩‍👩‍👧‍👦"
    parts = look(say(Plain(family * 900))).parts
    sections = [section for part in parts for block in part.blocks for section in block["elements"]]
    assert all(len(section["elements"][0]["text"]) % len(family) == 0 for section in sections)


def test_a_message_of_many_blocks_is_several_with_the_buttons_at_the_end() -> None:
    mixed = [Paragraph(Plain(f"{place}"), ("normal", "quiet")[place % 2]) for place in range(120)]
    shown = look(Message(tuple(mixed), ((Choice("t.x", Plain("Press")),),)))
    assert [len(part.blocks) for part in shown.parts] == [50, 50, 21]
    assert [pressable(part.blocks) for part in shown.parts] == [[], [], [("Press", "t.x")]]


def test_a_long_timeline_is_one_block_of_small_print() -> None:
    lines = [
        Paragraph(Plain(f"09:{place:02} · Anna Smirnova took it · web chat"), "quiet") for place in range(40)
    ]
    assert kinds(look(say(*lines))) == ["context"]


# ---- manners


def test_a_card_has_a_header_until_its_ticket_is_closed() -> None:
    card = Message(
        (Paragraph(Plain("🔴 #1 VPN"), "title"), Paragraph(Plain("critical"), "quiet")), tone="card"
    )
    assert kinds(look(card)) == ["header", "context"]
    assert kinds(look(replace(card, over=True))) == ["rich_text", "context"]
    assert kinds(look(replace(card, tone="say"))) == ["rich_text", "context"]


def test_rarer_choices_wait_in_a_menu_and_what_it_has_no_room_for_stands_before_it() -> None:
    main = (Choice("t.take.1", Plain("Take")),)
    rare = tuple(Choice(f"f.{place}", Plain(f"Rare {place}"), menu=True) for place in range(7))
    [actions] = blocks_of(look(Message((), (main, rare))))
    assert [(each["type"], len(each.get("options", ()))) for each in actions["elements"]] == [
        ("button", 0),
        ("button", 0),
        ("button", 0),
        ("overflow", 5),
    ]
    assert [code for _, code in pressable([actions])] == ["t.take.1", *(f"f.{place}" for place in range(7))]
    [one] = blocks_of(look(Message((), (main, rare[:1]))))
    assert [each["type"] for each in one["elements"]] == ["button", "overflow"]
    [*_, alone] = blocks_of(look(say(Plain("5.1"), rows=[rare[:1]])))
    assert [each["type"] for each in alone["elements"]] == ["overflow"]


def test_rows_flow_as_one_and_only_the_last_stands_apart() -> None:
    rows = [
        [Choice("a", Plain("A")), Choice("b", Plain("B"))],
        [Choice("c", Plain("C"))],
        [Choice("z", Plain("Z"))],
    ]
    answers, way_back = blocks_of(look(say(rows=rows)))
    assert [label for label, _ in pressable([answers])] == ["A", "B", "C"]
    assert [label for label, _ in pressable([way_back])] == ["Z"]


def test_whoever_is_called_is_mentioned_by_their_account_here_or_else_named() -> None:
    ping = Message(
        (Paragraph(Plain("⏰ #1 VPN"), "strong"), Paragraph(Plain("next at 10:00"), "quiet")), call=ANNA
    )
    [here] = look(ping).parts
    [elsewhere] = render.look(ping, EN, NOW, "T05").parts
    assert here.text.startswith("<@U07> ⏰ #1 VPN")
    assert taken(here).text.splitlines()[0] == "@U07 ⏰ #1 VPN"
    assert taken(elsewhere).text.splitlines()[0] == "Anna 👩‍🚒 ⏰ #1 VPN"
    assert taken(elsewhere).pings == []


def test_nothing_to_say_is_no_message_and_buttons_alone_are_told_by_their_labels() -> None:
    assert look(Message(())).parts == ()
    assert look(say(Plain(" \n"))).parts == ()
    [part] = look(Message((), ((Choice("a", Plain("Yes & no")), Choice("b", Plain("B"))),))).parts
    assert part.text == "Yes &amp; no · B"


def test_files_come_after_the_words_each_with_a_line_in_its_stead() -> None:
    small = Attachment("f1", "a<b>.log", "text/plain", 4)
    large = Attachment("f2", "dump.bin", "application/octet-stream", 3_000_000_000)
    shown = look(say(Plain("the log"), small, large))
    assert [part.text for part in shown.parts] == ["the log"]
    assert [file.file for file in shown.files] == [small, large]
    assert taken(shown.files[0].instead).text == "📎 a<b>.log could not be sent here."
    assert "3000 MB" in taken(shown.files[1].instead).text


# ---- what the whole desk says


@pytest.mark.parametrize("language", i18n.languages)
async def test_what_the_desk_says_looks_as_it_is_kept(language: str, tmp_path: Path) -> None:
    """If it ought to look different now: `python -m tests.slack.story`, and read what it writes."""
    async with town(tmp_path, DEMO.format(language=language)) as opened:
        shown = dict(story.looks(await story.heard(Stage(opened, language))))
    kept = {file.name: json.loads(file.read_text("utf-8")) for file in story.LOOKS.glob(f"*.{language}.json")}
    assert shown.keys() == kept.keys()
    for name, what in shown.items():
        assert what == kept[name], name
