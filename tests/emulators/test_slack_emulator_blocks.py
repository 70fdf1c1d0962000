"""The emulated Slack's limits against slack_sdk's models of them, and how its readers see markup."""

from typing import Any

import pytest
from slack_sdk.errors import SlackObjectFormationError
from slack_sdk.models import blocks as sdk
from slack_sdk.models.blocks import basic_components as parts
from slack_sdk.models.blocks import block_elements as elements
from slack_sdk.models.views import View

from tests.emulators.slack import limits, mrkdwn, views
from tests.emulators.slack.blocks import IN_MESSAGES, for_message, judged
from tests.emulators.slack.mrkdwn import Link
from tests.emulators.slack.refusals import Refused

Piece = dict[str, Any]

SAME = [
    (limits.BLOCK_ID, sdk.Block.block_id_max_length),
    (limits.SECTION_TEXT, sdk.SectionBlock.text_max_length),
    (limits.SECTION_FIELDS, sdk.SectionBlock.fields_max_length),
    (limits.HEADER_TEXT, sdk.HeaderBlock.text_max_length),
    (limits.CONTEXT_ELEMENTS, sdk.ContextBlock.elements_max_length),
    (limits.ACTIONS_ELEMENTS, sdk.ActionsBlock.elements_max_length),
    (limits.INPUT_LABEL, sdk.InputBlock.label_max_length),
    (limits.INPUT_HINT, sdk.InputBlock.hint_max_length),
    (limits.IMAGE_URL, sdk.ImageBlock.image_url_max_length),
    (limits.IMAGE_ALT, sdk.ImageBlock.alt_text_max_length),
    (limits.IMAGE_TITLE, sdk.ImageBlock.title_max_length),
    (limits.IMAGE_URL, elements.ImageElement.image_url_max_length),
    (limits.IMAGE_ALT, elements.ImageElement.alt_text_max_length),
    (limits.ACTION_ID, elements.InteractiveElement.action_id_max_length),
    (limits.PLACEHOLDER, elements.InputInteractiveElement.placeholder_max_length),
    (limits.BUTTON_TEXT, elements.ButtonElement.text_max_length),
    (limits.BUTTON_VALUE, elements.ButtonElement.value_max_length),
    (limits.BUTTON_URL, elements.ButtonElement.url_max_length),
    (limits.OVERFLOW_OPTIONS, elements.OverflowMenuElement.options_max_length),
    (limits.SELECT_OPTIONS, elements.StaticSelectElement.options_max_length),
    (limits.OPTION_GROUPS, elements.StaticSelectElement.option_groups_max_length),
    (limits.SELECT_OPTIONS, elements.StaticMultiSelectElement.options_max_length),
    (limits.OPTION_TEXT, parts.Option.label_max_length),
    (limits.OPTION_VALUE, parts.Option.value_max_length),
    (limits.GROUP_LABEL, parts.OptionGroup.label_max_length),
    (limits.SELECT_OPTIONS, parts.OptionGroup.options_max_length),
    (limits.CONFIRM_TITLE, parts.ConfirmObject.title_max_length),
    (limits.CONFIRM_TEXT, parts.ConfirmObject.text_max_length),
    (limits.CONFIRM_BUTTON, parts.ConfirmObject.confirm_max_length),
    (limits.CONFIRM_BUTTON, parts.ConfirmObject.deny_max_length),
    (limits.VIEW_TITLE, View.title_max_length),
    (limits.VIEW_BUTTON, View.submit_max_length),
    (limits.VIEW_BUTTON, View.close_max_length),
    (limits.BLOCKS_IN_VIEW, View.blocks_max_length),
    (limits.PRIVATE_METADATA, View.private_metadata_max_length),
    (limits.CALLBACK_ID, View.callback_id_max_length),
]


@pytest.mark.parametrize(("ours", "theirs"), SAME)
def test_the_sdk_knows_the_same_limit(ours: int, theirs: int) -> None:
    assert ours == theirs


def plain(length: int) -> Piece:
    return {"type": "plain_text", "text": "x" * length}


def option(text: int = 1, value: int = 1) -> Piece:
    return {"text": plain(text), "value": "v" * value}


def button(text: int = 1, **more: Any) -> Piece:
    return {"type": "button", "text": plain(text), "action_id": "a"} | more


def buttons(many: int) -> list[Piece]:
    return [button(action_id=str(number)) for number in range(many)]


def overflow(many: int) -> Piece:
    return {"type": "overflow", "action_id": "a", "options": [option()] * many}


def image(length: int) -> Piece:
    return {"type": "image", "image_url": "u", "alt_text": "a" * length}


def actions(*found: Piece) -> Piece:
    return {"type": "actions", "elements": list(found)}


def section(length: int, **more: Any) -> Piece:
    return {"type": "section", "text": {"type": "mrkdwn", "text": "x" * length}} | more


def menu(*options: Piece, hint: int = 1) -> Piece:
    return {"type": "static_select", "action_id": "a", "placeholder": plain(hint), "options": list(options)}


def entry(**more: Any) -> Piece:
    element = {"type": "plain_text_input", "action_id": "a"}
    return {"type": "input", "label": plain(1), "element": element} | more


EDGES = [
    (section(3000), section(3001)),
    (section(1, block_id="b" * 255), section(1, block_id="b" * 256)),
    ({"type": "header", "text": plain(150)}, {"type": "header", "text": plain(151)}),
    (actions(*buttons(25)), actions(*buttons(26))),
    (actions(button(75)), actions(button(76))),
    (actions(button(value="v" * 2000)), actions(button(value="v" * 2001))),
    (actions(button(action_id="a" * 255)), actions(button(action_id="a" * 256))),
    (actions(button(url="u" * 3000)), actions(button(url="u" * 3001))),
    (actions(menu(*[option()] * 100)), actions(menu(*[option()] * 101))),
    (actions(menu(option(75))), actions(menu(option(76)))),
    (actions(menu(option(1, 150))), actions(menu(option(1, 151)))),
    (actions(menu(option(), hint=150)), actions(menu(option(), hint=151))),
    (actions(overflow(5)), actions(overflow(6))),
    ({"type": "context", "elements": [plain(1)] * 10}, {"type": "context", "elements": [plain(1)] * 11}),
    (entry(label=plain(2000)), entry(label=plain(2001))),
    (entry(hint=plain(2000)), entry(hint=plain(2001))),
    (image(2000), image(2001)),
    ({"type": "section", "fields": [plain(1)] * 10}, {"type": "section", "fields": [plain(1)] * 11}),
]


@pytest.mark.parametrize(("fits", "breaks"), EDGES)
def test_slack_and_the_sdk_draw_the_line_at_the_same_place(fits: Piece, breaks: Piece) -> None:
    assert judged([fits], IN_MESSAGES, 50).found == []
    validate(sdk.Block.parse(fits))
    assert judged([breaks], IN_MESSAGES, 50).found != []
    with pytest.raises(SlackObjectFormationError):
        validate(sdk.Block.parse(breaks))


def validate(part: Any) -> None:
    """The SDK judges a block, and each part of it, by itself."""
    part.validate_json()
    for inside in [*(getattr(part, "elements", None) or []), getattr(part, "element", None)]:
        if inside is not None:
            validate(inside)
    for inside in parts.Option.parse_all(getattr(part, "options", None)) or []:
        inside.validate_json()


WRONG: list[tuple[Piece, str]] = [
    (section(0), "must be more than 0 characters"),
    ({"type": "section"}, "must have text or fields"),
    (section(1, fields=[plain(2001)]), "must be less than 2001"),
    ({"type": "header", "text": {"type": "mrkdwn", "text": "x"}}, "must be a text object of type plain_text"),
    (actions(), "no fewer than 1"),
    (actions(button(), button()), "`action_id` is not unique"),
    (actions(button(style="green")), "must be one of primary, danger"),
    (actions({"type": "plain_text_input", "action_id": "a"}), "unsupported type"),
    (actions({"type": "overflow", "action_id": "a", "options": []}), "no fewer than 1"),
    (actions(menu(option()) | {"initial_option": option(2)}), "not one of the options"),
    (actions(menu(option()) | {"option_groups": []}), "either options or option_groups"),
    (actions(button(confirm={"title": plain(101)})), "must be less than 101"),
    (entry(element={"type": "plain_text_input", "action_id": "a", "max_length": 3001}), "between 1 and 3000"),
    (entry(element=button()), "unsupported type: button"),
    ({"type": "markdown", "text": "x" * 12_001}, "must be less than 12001"),
    ({"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * 21]}, "no more than 20"),
]


@pytest.mark.parametrize(("block", "words"), WRONG)
def test_what_is_wrong_is_said(block: Piece, words: str) -> None:
    found = judged([block], IN_MESSAGES, 50).found
    assert any(words in one for one in found), found
    with pytest.raises(Refused, match="invalid_blocks"):
        for_message([block])


def test_limits_of_the_whole() -> None:
    assert judged([{"type": "divider"}] * 50, IN_MESSAGES, 50).found == []
    assert "no more than 50" in judged([{"type": "divider"}] * 51, IN_MESSAGES, 50).found[0]
    twins = [section(1, block_id="b")] * 2
    assert "`block_id` is not unique" in judged(twins, IN_MESSAGES, 50).found[0]
    written = [{"type": "markdown", "text": "x" * 7000}] * 2
    assert "all markdown blocks together" in judged(written, IN_MESSAGES, 50).found[0]


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"title": plain(25)}, "/view/title"),
        ({"submit": plain(25)}, "/view/submit"),
        ({"private_metadata": "x" * 3001}, "/view/private_metadata"),
        ({"callback_id": "x" * 256}, "/view/callback_id"),
        ({"blocks": [{"type": "divider"}] * 101}, "no more than 100"),
        ({"blocks": [{"type": "markdown", "text": "x"}]}, "unsupported block type"),
        ({"submit": None, "blocks": [entry()]}, "missing required field: submit"),
        ({"type": "home", "submit": plain(1)}, "additional property"),
    ],
)
def test_views_have_limits_too(more: Piece, words: str) -> None:
    view = {"type": "modal", "title": plain(24), "submit": plain(24), "blocks": [{"type": "divider"}]}
    assert views.judged(view, ("modal",))
    with pytest.raises(Refused) as refused:
        views.judged(view | more, ("modal", "home"))
    assert any(words in one for one in refused.value.more["response_metadata"]["messages"])


@pytest.mark.parametrize(
    ("text", "shown", "pings", "links"),
    [
        ("<!channel> <!here> <!everyone>", "@channel @here @everyone", ["channel", "here", "everyone"], []),
        ("<@U1> <@U2|ann> <!subteam^S1|@net>", "@U1 @ann @net", ["U1", "U2", "S1"], []),
        ("<!channel|x>", "@channel", ["channel"], []),
        ("&lt;!channel&gt; &amp;amp;", "<!channel> &amp;", [], []),
        ("<https://evil.example|bank>", "bank", [], [Link("https://evil.example", "bank")]),
        (
            "see https://a.example.",
            "see https://a.example.",
            [],
            [Link("https://a.example", "https://a.example")],
        ),
        ("<#C1|triage> <!date^1^{date}|today>", "#triage today", [], []),
        ("a < b <c> d", "a < b <c> d", [], []),
        ("@channel @here", "@channel @here", [], []),
    ],
)
def test_markup_is_seen_as_slack_shows_it(text: str, shown: str, pings: list[str], links: list[Link]) -> None:
    seen = mrkdwn.seen(mrkdwn.normal(text))
    assert (seen.text, seen.pings, seen.links) == (shown, pings, links)


def test_a_message_pings_from_wherever_the_markup_stands() -> None:
    blocks = for_message(
        [
            section(1) | {"text": {"type": "mrkdwn", "text": "<@U1>"}, "fields": [plain(1)]},
            {"type": "header", "text": {"type": "plain_text", "text": "<!channel> & co"}},
            {"type": "context", "elements": [{"type": "mrkdwn", "text": "<!here>"}]},
            {"type": "markdown", "text": "[bank](https://evil.example) <@U2>"},
            {
                "type": "rich_text",
                "elements": [
                    {
                        "type": "rich_text_section",
                        "elements": [{"type": "user", "user_id": "U3"}, {"type": "text", "text": " <@U9>"}],
                    }
                ],
            },
        ]
    )
    seen = mrkdwn.message("<@U4>", blocks, [{"text": "<!everyone>"}])
    assert sorted(seen.pings) == ["U1", "U2", "U3", "U4", "everyone", "here"]
    assert seen.links == [Link("https://evil.example", "bank")]
    assert "<!channel> & co" in seen.text
    assert "@U3 <@U9>" in seen.text


def test_typed_words_are_escaped_linked_and_call_only_by_name() -> None:
    names = {"@Ann": "<@U1>", "@Ann Lee": "<@U2>", "#triage": "<#C1|triage>"}
    assert mrkdwn.typed("@Ann Lee, @Ann: <@U3> #triage", names) == ("<@U2>, <@U1>: &lt;@U3&gt; <#C1|triage>")
    assert mrkdwn.typed("a@b.example https://x.example/?a&b") == (
        "<mailto:a@b.example|a@b.example> <https://x.example/?a&amp;b>"
    )
