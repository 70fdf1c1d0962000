"""What an adapter promises about what people read: every kind of text, block, button, file and form."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from bot.message import (
    At,
    Block,
    Choice,
    Facts,
    Form,
    Input,
    Message,
    Option,
    Paragraph,
    Plain,
    Quote,
    Several,
    Span,
    Text,
    Titled,
    Words,
    say,
)
from tests.contract.rig import EN, Rig, Seen
from tests.contract.texts import LONG, TEXTS, letters_of

NOON = datetime(2030, 5, 6, 12, 0, tzinfo=UTC)


async def shown(rig: Rig, message: Message, nonce: str = "n1") -> list[Seen]:
    home = rig.home(rig.ivan)
    await rig.adapter.post(home, message, EN, nonce)
    return await rig.seen(rig.ivan, home)


async def read(rig: Rig, message: Message) -> str:
    """Everything that can be read of it, files of text too."""
    seen = await shown(rig, message)
    files = [body.decode() for each in seen for _, body in each.files]
    return "\n".join([each.text for each in seen] + files)


async def test_words_arrive_as_they_were_written(rig: Rig) -> None:
    for name, text in TEXTS.items():
        seen = await shown(rig, say(Plain(text), Quote(Plain(text))), nonce=name)
        assert seen[-1].text.count(text) == 2, name


async def test_words_arrive_as_they_were_written_in_every_corner(rig: Rig) -> None:
    """A name, a title, a fact, a button's label: nowhere do people's words become markup."""
    for name, whole in TEXTS.items():
        text = " ".join(whole.split())[:40].strip()
        facts = Words("told.claimed", {"name": Plain(text), "ticket": 1, "title": Plain(text)})
        message = Message(
            (
                Paragraph(Plain(text), "title"),
                Paragraph(facts, "strong"),
                Facts(((Plain(text), Plain(text)),)),
            ),
            ((Choice("t.x", Plain(text)),),),
            author=Plain(text),
            tone="reply",
        )
        seen = (await shown(rig, message, nonce=name))[-1]
        assert seen.text.count(text) == 6, name
        assert seen.buttons == (text,), name


@pytest.mark.parametrize("name", LONG)
async def test_a_long_text_arrives_whole(rig: Rig, name: str) -> None:
    assert letters_of(await read(rig, say(Plain(LONG[name])))) == letters_of(LONG[name])


async def test_a_long_text_ends_with_its_buttons(rig: Rig) -> None:
    text = Plain(LONG["many paragraphs"])
    seen = await shown(rig, say(text, rows=[[Choice("t.take.1", Plain("Take it"))]]))
    assert seen[-1].buttons == ("Take it",)
    assert all(not each.buttons for each in seen[:-1])


@pytest.mark.parametrize(
    ("block", "told"),
    [
        (Paragraph(Plain("plain")), "plain"),
        (Paragraph(Plain("a title"), "title"), "a title"),
        (Paragraph(Plain("aside"), "quiet"), "aside"),
        (Paragraph(Plain("mark this"), "strong"), "mark this"),
        (Paragraph(Plain("")), ""),
        (Quote(Plain("their words")), "their words"),
        (Quote(Plain("line one\nline two")), "line one\nline two"),
    ],
)
async def test_every_block_is_shown(rig: Rig, block: Block, told: str) -> None:
    assert told in await read(rig, say(Plain("before"), block, Plain("after")))


async def test_facts_are_shown_as_names_with_their_values(rig: Rig) -> None:
    facts = Facts(((Plain("Type"), Plain("Network")), (Words("intake.field_urgency"), Plain("high"))))
    told = await read(rig, say(facts))
    assert [told.index(word) for word in ("Type", "Network", "Urgency", "high")] == sorted(
        told.index(word) for word in ("Type", "Network", "Urgency", "high")
    )


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (Titled({"en": "Network", "ru": "Сеть"}), "Network"),
        (At(NOON, "day"), "6 May 2030"),
        (Span(timedelta(minutes=80)), "1 h 20 min"),
        (Words("intake.files", count=1), "1 file"),
        (Words("card.owner", {"name": Words("name.nobody")}), "Owner: nobody"),
        (Several((Plain("a"), Plain("b")), " · "), "a · b"),
    ],
)
async def test_every_kind_of_text_is_shown(rig: Rig, text: Text, told: str) -> None:
    assert await read(rig, say(text)) == told


@pytest.mark.parametrize("tone", ["say", "card", "request", "reply", "note", "event", "ping", "hint"])
async def test_every_tone_is_shown_with_whom_it_speaks_for(rig: Rig, tone: str) -> None:
    message = Message((Paragraph(Plain("words")),), tone=tone, author=Plain("Anna"), ticket=42)  # type: ignore[arg-type]
    told = await read(rig, message)
    assert "words" in told
    assert "Anna" in told


async def test_every_button_is_there_in_its_order_the_rarer_ones_too(rig: Rig) -> None:
    labels = [f"Choice {place}" for place in range(1, 13)]
    rows = [
        [
            Choice(f"t.pick.{at}", Plain(label), menu=at > 8)
            for at, label in enumerate(labels[row : row + 3], row)
        ]
        for row in range(0, 12, 3)
    ]
    [seen] = await shown(rig, say(Plain("Which?"), rows=rows))
    listed = re.findall(r"^\d+\. (.+)$", seen.text, re.MULTILINE)
    assert len(seen.buttons) == min(len(labels), rig.adapter.features.buttons)
    assert list(seen.buttons) == [label for label in labels if label not in listed]
    assert listed == [label for label in labels if label not in seen.buttons]


async def test_a_file_arrives_whole_under_its_name(rig: Rig) -> None:
    picture = bytes(range(256)) * 40
    block = await rig.keep("снимок экрана.png", "image/png", picture)
    text = await rig.keep("log.txt", "text/plain", "ошибка 17\n".encode())
    seen = await shown(rig, say(Plain("Two files"), block, text))
    files = [file for each in seen for file in each.files]
    assert files == [("снимок экрана.png", picture), ("log.txt", "ошибка 17\n".encode())]
    assert "Two files" in "\n".join(each.text for each in seen)


async def test_a_file_needs_no_words(rig: Rig) -> None:
    seen = await shown(rig, say(await rig.keep("log.txt", "text/plain", b"x")))
    assert [file for each in seen for file in each.files] == [("log.txt", b"x")]


async def test_a_form_is_opened_with_its_fields_and_choices(rig: Rig) -> None:
    if not rig.adapter.features.forms:
        pytest.skip("this messenger has no forms: the desk asks one field after another")
    [seen] = await shown(rig, say(Plain("#1"), rows=[[Choice("f.pass.1", Plain("Pass to…"), form=PASS)]]))
    opened = await rig.open_form(rig.ivan, rig.home(rig.ivan), seen.id, "Pass to…")
    assert opened.title == "Pass #1 to…"
    assert [(field.label, field.required, field.options) for field in opened.fields] == [
        ("To whom?", True, ("Anna", "Boris <b>&")),
        ("Why?", False, ()),
    ]


PASS = Form(
    "f.pass.1",
    Plain("Pass #1 to…"),
    (
        Input(
            "to",
            Plain("To whom?"),
            kind="choice",
            options=(Option("7", Plain("Anna")), Option("8", Plain("Boris <b>&"))),
        ),
        Input("handover", Plain("Why?"), required=False, long=True, hint=Plain("One line")),
    ),
    Plain("Pass on"),
)
