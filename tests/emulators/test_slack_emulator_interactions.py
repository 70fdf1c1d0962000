"""Presses, menus, forms, shortcuts, commands and response addresses of the emulated Slack."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from slack_sdk.socket_mode.request import SocketModeRequest
from slack_sdk.webhook.async_client import AsyncWebhookClient

from tests.emulators.slack import Message, Slack, User
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.clients import SILENT, App


def plain(text: str) -> dict[str, str]:
    return {"type": "plain_text", "text": text}


def option(text: str, value: str) -> dict[str, Any]:
    return {"text": plain(text), "value": value}


CARD: list[dict[str, Any]] = [
    {"type": "section", "text": {"type": "mrkdwn", "text": "#42 VPN"}},
    {
        "type": "actions",
        "block_id": "card",
        "elements": [
            {"type": "button", "text": plain("Take it"), "action_id": "take", "value": "42"},
            {"type": "static_select", "placeholder": plain("Priority"), "action_id": "priority"}
            | {"options": [option("High", "h"), option("Low", "l")]},
            {"type": "overflow", "action_id": "more"} | {"options": [option("Resolve", "r")]},
            {"type": "users_select", "placeholder": plain("Pass to"), "action_id": "pass"},
        ],
    },
]
FORM: dict[str, Any] = {
    "type": "modal",
    "title": plain("New ticket"),
    "submit": plain("Send"),
    "callback_id": "new",
    "private_metadata": "m",
    "notify_on_close": True,
    "blocks": [
        {"type": "input", "block_id": "subject", "label": plain("Subject")}
        | {"element": {"type": "plain_text_input", "action_id": "text", "max_length": 20}},
        {"type": "input", "block_id": "urgency", "label": plain("Urgency"), "optional": True}
        | {
            "element": {"type": "static_select", "action_id": "one"}
            | {"options": [option("High", "h"), option("Low", "l")], "initial_option": option("Low", "l")}
        },
        {"type": "actions", "elements": [{"type": "button", "text": plain("Help"), "action_id": "help"}]},
    ],
}


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(time_scale=0.002, patience=2) as opened:
        opened.subscribed.clear()
        yield opened


@pytest.fixture
async def app(slack: Slack) -> AsyncIterator[App]:
    async with App(slack) as connected:
        yield connected


@pytest.fixture
def ann(slack: Slack) -> User:
    return slack.user("Ann Lee")


@pytest.fixture
async def card(slack: Slack, app: App, ann: User) -> Message:
    triage = slack.channel("triage", members=[ann])
    await app.web.chat_postMessage(channel=triage.id, text="#42", blocks=CARD)
    return triage.last


async def test_a_press_brings_the_message_the_channel_and_the_person(
    slack: Slack, app: App, ann: User, card: Message
) -> None:
    act = await (await ann.press(card, "Take it")).done()
    assert act.taken
    [told] = app.acts("block_actions")
    assert told["user"] == {"id": ann.id, "username": "ann.lee", "name": "ann.lee", "team_id": slack.team}
    assert told["channel"] == {"id": card.channel.id, "name": "triage"}
    assert told["container"]["message_ts"] == told["message"]["ts"] == card.ts
    [action] = told["actions"]
    assert (action["action_id"], action["block_id"], action["value"]) == ("take", "card", "42")
    assert told["state"]["values"]["card"]["priority"]["selected_option"] is None


async def test_menus_tell_what_was_chosen(slack: Slack, app: App, ann: User, card: Message) -> None:
    await (await ann.press(card, "Priority", "High")).done()
    await (await ann.press(card, "", "Resolve")).done()
    await (await ann.press(card, "pass", ann.id)).done()
    actions = [one["actions"][0] for one in app.acts("block_actions")]
    assert actions[0]["selected_option"]["value"] == "h"
    assert (
        app.acts("block_actions")[0]["state"]["values"]["card"]["priority"]["selected_option"]["value"] == "h"
    )
    assert (actions[1]["type"], actions[1]["selected_option"]["value"]) == ("overflow", "r")
    assert actions[2]["selected_user"] == ann.id
    with pytest.raises(AssertionError, match="nothing to press"):
        await ann.press(card, "Take")


async def test_a_button_that_has_just_gone_is_still_on_the_screen(app: App, ann: User, card: Message) -> None:
    await app.web.chat_update(channel=card.channel.id, ts=card.ts, text="taken")
    assert card.buttons == []
    assert (await (await ann.press(card, "Take it")).done()).taken


async def test_an_act_nobody_acknowledges_is_shown_as_a_timeout_and_not_repeated(
    slack: Slack, app: App, ann: User, card: Message
) -> None:
    slack.patience = 0.05
    app.answer = lambda request: SILENT
    act = await (await ann.press(card, "Take it")).done()
    command = await (await ann.command("/desk queue")).done()
    assert [one.word for one in ann.troubles] == ["operation_timeout"] * 2
    assert act.trouble is not None
    assert len(act.delivery.tries) == len(command.delivery.tries) == 1
    slack.sockets.cut()
    assert (await (await ann.press(card, "Take it")).done()).trouble.word == "dispatch_failed"  # type: ignore[union-attr]


async def test_a_command_is_answered_by_its_acknowledgement(
    slack: Slack, app: App, ann: User, card: Message
) -> None:
    answers = iter([{"text": "for you"}, {"response_type": "in_channel", "text": "for all"}, None])
    app.answer = lambda request: next(answers)
    for _ in range(3):
        act = await (await ann.command("/desk take  42", channel=card.channel)).done()
    assert act.said is None
    assert [one.shown for one in card.channel.private_to(ann)] == ["for you"]
    assert card.channel.texts[-1] == "for all"
    command = app.heard[0].payload
    assert (command["command"], command["text"], command["channel_name"]) == ("/desk", "take  42", "triage")
    slack.commands = {"/desk"}
    with pytest.raises(AssertionError, match="not a command"):
        await ann.command("/desc")


async def test_a_form_is_opened_filled_refused_and_accepted(
    slack: Slack, app: App, ann: User, card: Message
) -> None:
    app.answer = lambda request: (
        {"response_action": "errors", "errors": {"subject": "Too short"}}
        if request.payload["type"] == "view_submission" and len(app.acts("view_submission")) == 1
        else None
    )
    app.then = opening(app)
    await ann.press(card, "Take it")
    form = await ann.modal("New ticket")
    assert (await ann.submit()).errors == {"subject": "Please complete this required field."}
    assert app.acts("view_submission") == []
    refused = await ann.submit({"Subject": "VPN"})
    assert (refused.errors, refused.accepted, refused.view) == ({"subject": "Too short"}, False, form)
    assert form.error("Subject") == "Too short"
    accepted = await ann.submit({"Subject": "VPN is <b>", "Urgency": "High"})
    assert accepted.accepted
    assert ann.modals == []
    view = app.acts("view_submission")[-1]["view"]
    assert view["state"]["values"]["subject"]["text"]["value"] == "VPN is <b>"
    assert view["state"]["values"]["urgency"]["one"]["selected_option"]["value"] == "h"
    assert (view["callback_id"], view["private_metadata"], view["id"]) == ("new", "m", form.id)


def opening(app: App, view: dict[str, Any] = FORM) -> Any:
    async def open_form(request: SocketModeRequest) -> None:
        if "actions" in request.payload and request.payload.get("view") is None:
            await app.web.views_open(trigger_id=request.payload["trigger_id"], view=view)

    return open_form


async def test_a_trigger_opens_once_and_in_time(slack: Slack, app: App, ann: User, card: Message) -> None:
    act = await (await ann.press(card, "Take it")).done()
    assert act.trigger is not None
    await app.web.views_open(trigger_id=act.trigger.id, view=FORM)
    again = app.web.views_open(trigger_id=act.trigger.id, view=FORM)
    assert await app.refusal(again) == "exchanged_trigger_id"
    slack.patience = 0
    act = await ann.press(card, "Take it")
    assert act.trigger is not None
    late = app.web.views_open(trigger_id=act.trigger.id, view=FORM)
    assert await app.refusal(late) == "expired_trigger_id"
    assert await app.refusal(app.web.views_open(trigger_id="1.2.x", view=FORM)) == "invalid_trigger_id"


async def test_views_stack_three_high_update_by_hash_and_tell_of_their_closing(
    slack: Slack, app: App, ann: User, card: Message
) -> None:
    app.then = opening(app)
    await ann.press(card, "Take it")
    form = await ann.modal()
    ann.fill({"Subject": "kept"})
    app.then = None
    for depth in (2, 3):
        act = await (await ann.press(ann.modals[-1], "Help")).done()
        assert act.trigger is not None
        pushed = await app.web.views_push(trigger_id=act.trigger.id, view=FORM | {"title": plain(f"{depth}")})
        assert pushed["view"]["root_view_id"] == form.id
    act = await (await ann.press(ann.modals[-1], "Help")).done()
    assert act.trigger is not None
    high = app.web.views_push(trigger_id=act.trigger.id, view=FORM)
    assert await app.refusal(high) == "push_limit_reached"
    old = form.hash
    changed = FORM | {"title": plain("Changed")}
    await app.web.views_update(view_id=form.id, hash=old, view=changed)
    stale = app.web.views_update(view_id=form.id, hash=old, view=changed)
    assert await app.refusal(stale) == "hash_conflict"
    assert form.title == "Changed"
    assert form.state["subject"]["text"]["value"] == "kept"
    await ann.close()
    assert [one.title for one in ann.modals] == ["Changed", "2"]
    await ann.close(everything=True)
    await slack.settled()
    assert [one["is_cleared"] for one in app.acts("view_closed")] == [False, True]
    assert await app.refusal(app.web.views_update(view_id=form.id, view=FORM)) == "not_found"


async def test_a_submission_may_update_push_or_clear(
    slack: Slack, app: App, ann: User, card: Message
) -> None:
    second = FORM | {"title": plain("Second"), "blocks": [CARD[0]]}
    answers: dict[str, Any] = {"action": {"response_action": "push", "view": second}}
    app.answer = lambda request: answers["action"] if request.payload["type"] == "view_submission" else None
    app.then = opening(app)
    await ann.press(card, "Take it")
    await ann.modal("New")
    await ann.submit({"Subject": "x"})
    assert [one.title for one in ann.modals] == ["New ticket", "Second"]
    answers["action"] = {"response_action": "update", "view": second | {"title": plain("Third")}}
    assert (await ann.submit()).view.title == "Third"  # type: ignore[union-attr]
    answers["action"] = {"response_action": "errors", "errors": {"nowhere": "x"}}
    wrong = await ann.submit()
    assert wrong.interaction is not None
    assert wrong.interaction.trouble is not None
    answers["action"] = {"response_action": "clear"}
    await ann.submit()
    assert ann.modals == []


async def test_shortcuts_bring_the_message_or_nothing_but_a_trigger(
    app: App, ann: User, card: Message
) -> None:
    await (await ann.shortcut("make_ticket", card)).done()
    await (await ann.shortcut("new")).done()
    [message] = app.acts("message_action")
    assert (message["callback_id"], message["message"]["ts"]) == ("make_ticket", card.ts)
    assert message["response_url"]
    [plain_one] = app.acts("shortcut")
    assert (plain_one["callback_id"], "channel" in plain_one) == ("new", False)


async def test_the_home_tab_is_published_opened_and_pressed(slack: Slack, app: App, ann: User) -> None:
    slack.subscribed.add("app_home_opened")
    await ann.open_home()
    home = {"type": "home", "blocks": CARD}
    told = await app.web.views_publish(user_id=ann.id, view=home)
    assert ann.home is not None
    assert (ann.home.shown, ann.home.buttons) == ("#42 VPN", ["Take it"])
    await ann.open_home()
    await (await ann.press(ann.home, "Take it")).done()
    [press] = app.acts("block_actions")
    assert press["container"] == {"type": "view", "view_id": told["view"]["id"]}
    assert "response_url" not in press
    opened = [one.event for one in slack.told("app_home_opened")]
    assert ["view" in one for one in opened] == [False, True]
    stale = app.web.views_publish(user_id=ann.id, view=home, hash="old")
    assert await app.refusal(stale) == "hash_conflict"
    slack.home_tab = False
    assert await app.refusal(app.web.views_publish(user_id=ann.id, view=home)) == "not_enabled"


async def test_menus_the_app_fills_offer_what_it_answers(app: App, ann: User, card: Message) -> None:
    find = {"type": "external_select", "action_id": "find", "min_query_length": 1}
    blocks: list[dict[str, Any]] = [{"type": "actions", "elements": [find]}]
    await app.web.chat_postMessage(channel=card.channel.id, text="find", blocks=blocks)
    app.answer = lambda request: {"options": [option("Ann Lee", "u1")]}
    assert await ann.look_up(card.channel.last, "find", "an") == ["Ann Lee"]
    await (await ann.press(card.channel.last, "find", "Ann Lee")).done()
    assert app.acts("block_actions")[-1]["actions"][0]["selected_option"]["value"] == "u1"


async def test_a_response_address_serves_five_times_in_half_an_hour(
    slack: Slack, app: App, ann: User, card: Message
) -> None:
    await (await ann.press(card, "Take it")).done()
    answer = AsyncWebhookClient(app.acts("block_actions")[0]["response_url"])
    assert (await answer.send(text="one", response_type="ephemeral")).body == "ok"
    assert ann.sees_privately("one", card.channel)
    await answer.send(text="two", response_type="in_channel")
    assert card.channel.last.shown == "two"
    await answer.send(text="three", replace_original=True)
    assert (card.shown, card.edits) == ("three", ["#42"])
    assert (await answer.send_dict({"text": ""})).status_code == 404
    await answer.send_dict({"delete_original": True})
    assert card.deleted
    assert (await answer.send(text="five")).status_code == 200
    used = await answer.send(text="six")
    assert (used.status_code, "used_url" in used.body) == (404, True)


async def test_a_response_address_expires() -> None:
    at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    class Hands:
        def now(self) -> datetime:
            return at

    async with Slack(clock=Hands(), time_scale=0.002, patience=1) as slack, App(slack) as app:
        ann = slack.user("Ann")
        await (await ann.command("/desk")).done()
        at += timedelta(minutes=31)
        late = await AsyncWebhookClient(app.heard[0].payload["response_url"]).send(text="late")
        assert (late.status_code, "expired_url" in late.body) == (404, True)


async def test_direct_messages_have_no_name_in_acts(app: App, ann: User) -> None:
    await app.web.chat_postMessage(channel=ann.id, text="card", blocks=CARD)
    await (await ann.press(ann.dm.last, "Take it")).done()
    assert app.acts("block_actions")[0]["channel"]["name"] == "directmessage"


def test_channels_are_told_apart_by_kind(slack: Slack) -> None:
    secret: Channel = slack.channel("secret", kind="group")
    assert secret.spoken()["name"] == "privategroup"
