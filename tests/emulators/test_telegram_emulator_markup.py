"""How the emulated Telegram reads text: HTML, Markdown, entities, lengths in UTF-16 units."""

from typing import Any

import pytest

from tests.emulators.conftest import Client
from tests.emulators.telegram import Telegram, entities, markup_html, markup_markdown
from tests.emulators.telegram.refusals import Refused


def pieces(parsed: tuple[str, list[dict[str, Any]]]) -> list[tuple[str, str]]:
    text, marked = parsed
    return [(one["type"], entities.cut(text, one["offset"], one["length"])) for one in marked]


def test_html_that_is_right() -> None:
    text, marked = markup_html.parse(
        '<b>big <i>both</i></b> &lt;x&gt; &#128512; <a href="https://a.example/?a=1&amp;b">link</a> '
        '<pre><code class="language-python">x = 1</code></pre><blockquote expandable>q</blockquote>'
        '<span class="tg-spoiler">s</span><tg-emoji emoji-id="7">👍</tg-emoji> 😀<u>after</u> &unknown; a & b'
    )
    assert text == "big both <x> 😀 link x = 1qs👍 😀after &unknown; a & b"
    assert pieces((text, marked)) == [
        ("bold", "big both"),
        ("italic", "both"),
        ("text_link", "link"),
        ("pre", "x = 1"),
        ("expandable_blockquote", "q"),
        ("spoiler", "s"),
        ("custom_emoji", "👍"),
        ("underline", "after"),
    ]
    assert marked[2]["url"] == "https://a.example/?a=1&b"
    assert marked[3]["language"] == "python"


@pytest.mark.parametrize(
    ("source", "complaint"),
    [
        ("a < b", 'Unsupported start tag "" at byte offset 2'),
        ("1 <2", "Unclosed start tag at byte offset 2"),
        ("<div>x</div>", 'Unsupported start tag "div" at byte offset 0'),
        ("<b>x", 'Can\'t find end tag corresponding to start tag "b"'),
        ("x</b>", "Unexpected end tag at byte offset 1"),
        ("<b><i>x</b></i>", 'Unmatched end tag at byte offset 7, expected "</i>", found "</b>"'),
        ("é<b", "Unclosed start tag at byte offset 2"),
        ("<span>x</span>", 'Tag "span" must have class "tg-spoiler" at byte offset 0'),
    ],
)
def test_html_that_is_wrong(source: str, complaint: str) -> None:
    with pytest.raises(Refused, match="can't parse entities") as refused:
        markup_html.parse(source)
    assert refused.value.description == f"Bad Request: can't parse entities: {complaint}"


def test_markdown_that_is_right() -> None:
    text, marked = markup_markdown.parse(
        "*bold _both_* __under__ ~gone~ ||dark|| `a.b` [link](https://a.example/x\\)) 1\\.5\n"
        "```py\nx_y\n```\n>one\n>two||\nend"
    )
    assert pieces((text, marked)) == [
        ("bold", "bold both"),
        ("italic", "both"),
        ("underline", "under"),
        ("strikethrough", "gone"),
        ("spoiler", "dark"),
        ("code", "a.b"),
        ("text_link", "link"),
        ("pre", "x_y\n"),
        ("expandable_blockquote", "one\ntwo"),
    ]
    assert "1.5" in text
    assert markup_markdown.parse_old("*b* _i_ a\\_b `c`")[0] == "b i a_b c"


@pytest.mark.parametrize("sign", "_*[]()~`>#+-=|{}.!")
def test_every_reserved_sign_needs_its_backslash(sign: str) -> None:
    with pytest.raises(Refused, match="can't parse entities"):
        markup_markdown.parse(f"a{sign}b")
    assert markup_markdown.parse(f"a\\{sign}b") == (f"a{sign}b", [])


async def test_lengths_are_counted_after_parsing_in_utf_16(telegram: Telegram, bot: Client) -> None:
    ann = telegram.user(1001, started=True)

    async def send(text: str, **more: Any) -> dict[str, Any]:
        return await bot.call("sendMessage", chat_id=1001, text=text, **more)

    assert (await send("a" * 4096))["ok"]
    assert (await send("a" * 4097))["description"] == "Bad Request: message is too long"
    assert (await send("😀" * 2048))["ok"]
    assert not (await send("😀" * 2049))["ok"]
    assert (await send("<b>" + "&lt;" * 4096 + "</b>", parse_mode="HTML"))["ok"]
    assert (await send(""))["description"] == "Bad Request: message text is empty"
    assert (await send(" \n "))["description"] == "Bad Request: text must be non-empty"
    told = await bot.upload("sendDocument", "document", b"x", chat_id="1001", caption="c" * 1025)
    assert told["description"] == "Bad Request: message caption is too long"
    assert (await send("x", parse_mode="BBCode"))["description"] == "Bad Request: unsupported parse_mode"
    assert [len(text) for text in ann.chat.texts] == [4096, 2048, 4096]


async def test_entities_given_by_the_bot_are_in_utf_16_units(telegram: Telegram, bot: Client) -> None:
    ann = telegram.user(1001, started=True)
    bold = [{"type": "bold", "offset": 3, "length": 4}]
    await bot.get("sendMessage", chat_id=1001, text="😀 bold ", entities=bold)
    assert ann.chat.last.marked("bold") == ["bold"]
    for offset, length in ((0, 99), (1, 3), (0, 1)):
        marks = [{"type": "bold", "offset": offset, "length": length}]
        words = await bot.refusal("sendMessage", chat_id=1001, text="😀 bold", entities=marks)
        assert words.startswith("400 Bad Request: entity begin")
    stranger = [{"type": "text_mention", "offset": 0, "length": 3, "user": {"id": 9}}]
    await bot.get("sendMessage", chat_id=1001, text="you there", entities=stranger)
    assert ann.chat.last.entities == []


async def test_telegram_finds_commands_links_and_names_by_itself(telegram: Telegram, bot: Client) -> None:
    sent = await telegram.user(1001).send(
        "/start x 😀 @desk_test_bot see https://a.example/b. or a@b.example"
    )
    assert sent.marked("bot_command") == ["/start"]
    assert sent.marked("mention") == ["@desk_test_bot"]
    assert sent.marked("url") == ["https://a.example/b"]
    assert sent.marked("email") == ["a@b.example"]
    assert (await bot.updates())[0]["message"]["entities"][0] == {
        "type": "bot_command",
        "offset": 0,
        "length": 6,
    }
