"""How forms and the Home tab look: all of it fits, nothing said becomes markup, and no field is missing."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.adapters.port import Reader
from bot.adapters.slack import views
from bot.message import Choice, Form, Input, Message, Option, Paragraph, Plain, Words, say
from tests.contract.texts import LONG, TEXTS
from tests.emulators.slack import blocks
from tests.slack.reading import opened, pressable

EN, RU = Reader("en", "UTC"), Reader("ru", "Europe/Moscow")
NOW = datetime(2030, 5, 6, 12, 0, tzinfo=UTC)
WHERE = "slack:T01/C02#1772442000.000100"

plain = st.sampled_from([*TEXTS.values(), "Which?", "&" * 24, LONG["many paragraphs"][:2100]]).map(Plain)
names = st.sampled_from(["Anna <&>", "Борис", "👩‍👩‍👧‍👦" * 20, TEXTS["slack mentions"]])


@st.composite
def offered(draw: st.DrawFn) -> tuple[Option, ...]:
    count, name = draw(st.sampled_from([0, 1, 3])), draw(names)
    return tuple(Option(str(place), Plain(f"{name} {place}")) for place in range(count))


fields = st.builds(
    Input,
    st.integers(0, 9).map(lambda number: f"field{number}"),
    plain,
    st.sampled_from(["text", "choice"]),
    required=st.booleans(),
    long=st.booleans(),
    options=offered(),
    hint=st.none() | plain,
)
forms = st.builds(
    Form,
    st.just("f.pass.1"),
    plain,
    st.lists(fields, min_size=1, max_size=3, unique_by=lambda field: field.name).map(tuple),
    plain,
)


def inputs(view: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {block["block_id"]: block for block in view["blocks"] if block["type"] == "input"}


# ---- forms


@settings(max_examples=100, deadline=None)
@given(forms)
def test_every_form_is_a_view_that_slack_takes_with_all_of_its_fields_and_options(form: Form) -> None:
    view = views.modal(form, EN, NOW, WHERE)
    seen = opened(view)
    assert seen.pings == []
    assert all(link.label == link.url for link in seen.links)
    assert (view["callback_id"], view["private_metadata"]) == ("f.pass.1", WHERE)
    asked = {field.name: field for field in form.fields if field.kind == "text" or field.options}
    shown = inputs(view)
    assert list(shown) == list(asked)
    for name, field in asked.items():
        element = shown[name]["element"]
        assert element["action_id"] == name
        assert shown[name]["optional"] is not field.required
        if field.kind == "choice":
            assert [each["value"] for each in element["options"]] == [each.value for each in field.options]


@pytest.mark.parametrize("count", [100, 101, 250])
def test_however_many_people_there_are_each_can_be_chosen(count: int) -> None:
    people = tuple(Option(str(place), Plain(f"Somebody <{place}>")) for place in range(count))
    field = Input("to", Plain("To whom?"), "choice", options=people)
    view = views.modal(Form("f.pass.1", Plain("Pass"), (field,), Plain("Pass")), EN, NOW, WHERE)
    opened(view)
    element = view["blocks"][0]["element"]
    groups = element.get("option_groups") or [element]
    assert max(len(group["options"]) for group in groups) == 100
    assert [option["value"] for group in groups for option in group["options"]] == [
        option.value for option in people
    ]


def test_a_form_asks_in_the_language_of_whoever_pressed() -> None:
    reply = Form(
        "f.reply.7",
        Words("form.reply_title", {"ticket": 7}),
        (Input("text", Words("form.text"), long=True),),
        Words("form.reply_submit"),
    )
    view = views.modal(reply, RU, NOW, WHERE)
    assert [view[name]["text"] for name in ("title", "submit", "close")] == [
        "Ответ по #7",
        "Отправить заявителю",
        "Отменить",
    ]
    [asked] = view["blocks"]
    assert asked["label"]["text"] == "Это прочтёт заявитель"
    assert asked["element"] == {
        "type": "plain_text_input",
        "action_id": "text",
        "multiline": True,
        "max_length": 3000,
        "focus_on_load": True,
    }


def test_a_title_too_long_for_a_modal_is_told_in_full_in_it() -> None:
    title = Plain("Change the level of #123456789")
    view = views.modal(
        Form("f.level.1", title, (Input("level", Plain("Level")),), Plain("Go")), EN, NOW, WHERE
    )
    assert len(view["title"]["text"]) <= 24
    assert opened(view).text.splitlines()[0] == title.text


def test_options_with_names_too_long_are_told_in_full_and_can_be_chosen() -> None:
    long = "The accounting program on the terminal server in the old building, second floor, left"
    both = (Option("a", Plain(long)), Option("b", Plain("Other")))
    view = views.modal(
        Form("f.x", Plain("New"), (Input("program", Plain("Which?"), "choice", options=both),), Plain("Go")),
        EN,
        NOW,
        WHERE,
    )
    assert f"• {long}" in opened(view).text
    assert [value for _, value in pressable(view["blocks"])] == ["a", "b"]


def test_a_choice_of_nothing_is_told_as_such_for_slack_takes_no_empty_menu() -> None:
    form = Form(
        "f.pass.1",
        Plain("Pass"),
        (Input("to", Plain("To whom?"), "choice"), Input("handover", Plain("A line"), required=False)),
        Plain("Pass on"),
    )
    view = views.modal(form, EN, NOW, WHERE)
    assert opened(view).text.splitlines()[0] == "To whom? —"
    assert list(inputs(view)) == ["handover"]


@pytest.mark.parametrize("length", [0, 1, 2500, 3001, 9000])
def test_what_stands_in_a_field_at_first_is_whole_in_as_many_inputs_as_it_takes(length: int) -> None:
    begun = ("<@U02> *VPN* 👩‍👩‍👧‍👦\n" * 600)[:length]
    field = Input("text", Plain("What is wrong?"), long=True, value=begun)
    view = views.modal(Form("n.first", Plain("New"), (field,), Plain("Next")), EN, NOW, WHERE)
    shown = inputs(view)
    assert list(shown) == ["text", "text~0", "text~1", "text~2"][: max(1, -(-length // 2990))]
    sent = [(name, block["element"].get("initial_value", "")) for name, block in shown.items()]
    assert views.whole(sent) == (("text", begun),)
    assert opened(view).pings == []


def test_what_is_chosen_at_first_is_one_of_the_options() -> None:
    offered = (Option("low", Plain("Low")), Option("high", Plain("High")))
    field = Input("urgency", Plain("How bad?"), "choice", options=offered, value="high")
    view = views.modal(Form("n.x", Plain("New"), (field,), Plain("Next")), EN, NOW, WHERE)
    opened(view)
    assert view["blocks"][0]["element"]["initial_option"]["value"] == "high"


@pytest.mark.parametrize(("field", "at"), [("length", "length"), (None, "to"), ("elsewhere", "to")])
def test_a_complaint_stands_at_the_field_it_is_about(field: str | None, at: str) -> None:
    complaint = Message(
        (Paragraph(Words("when.length")), Paragraph(Plain("2 < 3 & <!here>"), "quiet")), field=field
    )
    answer = views.errors(complaint, EN, NOW, ("to", "length"))
    assert answer["response_action"] == "errors"
    [(name, words)] = answer["errors"].items()
    assert name == at
    assert words.startswith("I did not understand how long.")
    assert words.endswith("2 < 3 & <!here>")


# ---- home


def test_home_is_the_first_row_the_words_and_the_other_rows() -> None:
    page = Message(
        (
            Paragraph(Plain("Falls due soon"), "title"),
            Paragraph(Plain("#1 · VPN <drops> · in 5 min")),
            Paragraph(Plain("#2 · Printer · in 7 min")),
            Paragraph(Plain("My requests"), "title"),
            Paragraph(Plain("nothing"), "quiet"),
        ),
        (
            (Choice("h.new", Plain("New request"), "primary"),),
            (Choice("r.reopen.2", Plain("Reopen #2")),),
            tuple(Choice(f"r.rate.2.{stars}", Plain("★" * stars)) for stars in range(1, 6)),
        ),
    )
    view = views.home(page, EN, NOW)
    told = opened(view).text
    kinds = ["actions", "header", "rich_text", "header", "context", "actions", "actions"]
    assert [block["type"] for block in view["blocks"]] == kinds
    assert [value for _, value in pressable(view["blocks"])] == [
        choice.code for row in page.rows for choice in row
    ]
    assert "#1 · VPN <drops> · in 5 min\n#2 · Printer · in 7 min" in told


def test_what_can_be_done_about_a_line_of_home_stands_at_it() -> None:
    reopen = Choice("r.reopen.2", Plain("Reopen"))
    stars = tuple(Choice(f"r.rate.1.{count}", Plain("★" * count)) for count in range(1, 6))
    page = Message(
        (
            Paragraph(Plain("#3 · VPN <drops> & returns")),
            Paragraph(Plain("#2 · Printer <!channel>"), choices=(reopen,)),
            Paragraph(Plain("#1 · Mouse")),
            Paragraph(Plain("How was it?"), choices=stars),
            Paragraph(Plain("&" * 2000), choices=(replace(reopen, code="r.reopen.4"),)),
        ),
        ((Choice("n.new", Plain("New request")),),),
    )
    view = views.home(page, EN, NOW)
    assert opened(view).pings == []
    kinds = ["actions", "rich_text", "section", "rich_text", "rich_text", "actions", "rich_text", "actions"]
    assert [block["type"] for block in view["blocks"]] == kinds
    line = view["blocks"][2]
    assert line["text"]["text"] == "#2 · Printer &lt;!channel&gt;"
    assert (line["accessory"]["text"]["text"], line["accessory"]["value"]) == ("Reopen", "r.reopen.2")
    names = [each["action_id"] for block in view["blocks"] for each in blocks.interactive(block)]
    assert len(set(names)) == len(names) == 8


def test_a_home_of_more_than_a_view_takes_keeps_its_buttons_and_says_that_there_is_more() -> None:
    many = [Paragraph(Plain(f"{place} {'x' * 40}"), ("strong", "quiet")[place % 2]) for place in range(500)]
    row = (Choice("h.new", Plain("New")),)
    view = views.home(Message((Paragraph(Plain("Desk"), "title"), *many), (row, row)), EN, NOW)
    seen = opened(view)
    assert len(view["blocks"]) == 100
    assert [block["type"] for block in view["blocks"]][:2] == ["actions", "header"]
    assert view["blocks"][-1]["type"] == "actions"
    assert seen.text.endswith("…")


def test_a_home_of_very_long_texts_stays_below_what_slack_takes() -> None:
    view = views.home(say(*(Plain("ж" * 2900) for _ in range(95))), EN, NOW)
    assert opened(view).text.endswith("…")
