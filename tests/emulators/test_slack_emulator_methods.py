"""The emulated Web API, seen by slack_sdk's client: what it performs, and how it refuses."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Any

import aiohttp
import pytest
from slack_sdk.errors import SlackApiError

from tests.emulators.slack import Rates, Slack, User
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.clients import App


class Hands:
    """A clock turned by hand."""

    def __init__(self) -> None:
        self.at = datetime(2026, 3, 2, 9, tzinfo=UTC)

    def now(self) -> datetime:
        return self.at


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(time_scale=0.001, patience=0.05) as opened:
        opened.subscribed.clear()
        yield opened


@pytest.fixture
def app(slack: Slack) -> App:
    return App(slack)


@pytest.fixture
def ann(slack: Slack) -> User:
    return slack.user("Ann Lee", locale="ru-RU")


@pytest.fixture
def triage(slack: Slack, ann: User) -> Channel:
    return slack.channel("triage", members=[ann])


async def test_tokens_are_checked_and_scopes_stand_in_the_header(slack: Slack, app: App) -> None:
    told = await app.web.auth_test()
    assert told["bot_id"] == slack.bot_id
    assert set(told.headers["x-oauth-scopes"].split(",")) == slack.scopes
    assert await app.refusal(app.web.auth_test(token="xoxb-wrong")) == "invalid_auth"
    assert (await app.web.auth_test(token=slack.app_token))["app_id"] == slack.app_id
    assert await app.refusal(app.web.team_info(token=slack.app_token)) == "not_allowed_token_type"
    wrong = app.web.apps_connections_open(app_token=slack.bot_token)
    assert await app.refusal(wrong) == "not_allowed_token_type"
    slack.app_scopes.clear()
    assert await app.refusal(app.web.apps_connections_open(app_token=slack.app_token)) == "missing_scope"
    assert await app.refusal(app.web.api_call("no.such")) == "unknown_method"
    slack.scopes.discard("chat:write")
    with pytest.raises(SlackApiError) as refused:
        await app.web.chat_postMessage(channel="C1", text="x")
    assert refused.value.response["needed"] == "chat:write"
    assert "im:write" in refused.value.response["provided"]
    slack.revoked = True
    assert await app.refusal(app.web.auth_test()) == "token_revoked"
    await slack.uninstall()
    assert await app.refusal(app.web.auth_test()) == "account_inactive"


async def test_a_token_may_come_in_the_form_but_not_in_json(slack: Slack) -> None:
    async with aiohttp.ClientSession() as session:
        url = slack.api_url + "auth.test"
        async with session.post(url, data={"token": slack.bot_token}) as answer:
            assert (await answer.json())["ok"]
        async with session.post(url, json={"token": slack.bot_token}) as answer:
            assert (await answer.json())["error"] == "not_authed"


async def test_where_the_app_may_not_post(slack: Slack, app: App, ann: User) -> None:
    lobby = slack.channel("lobby", bot=False)
    secret = slack.channel("secret", kind="group", bot=False)
    old = slack.channel("old")
    await old.archive()
    for channel, word in (
        (lobby.id, "not_in_channel"),
        (secret.id, "channel_not_found"),
        (old.id, "is_archived"),
        ("C0NOWHERE", "channel_not_found"),
    ):
        assert await app.refusal(app.web.chat_postMessage(channel=channel, text="x")) == word
    slack.scopes.add("chat:write.public")
    assert (await app.web.chat_postMessage(channel="#lobby", text="x"))["channel"] == lobby.id
    assert (await app.web.chat_postMessage(channel=ann.id, text="x"))["channel"] == ann.dm.id
    slack.messages_tab = False
    assert await app.refusal(app.web.chat_postMessage(channel=ann.id, text="x")) == "messages_tab_disabled"


async def test_a_closed_account_is_found_out_by_asking_and_not_by_posting(
    slack: Slack, app: App, ann: User
) -> None:
    """Messages to a deactivated person succeed (slackapi/python-slack-sdk#1156)."""
    channel = (await app.web.conversations_open(users=[ann.id]))["channel"]["id"]
    await ann.deactivate()
    assert (await app.web.chat_postMessage(channel=channel, text="x"))["ok"]
    assert (await app.web.users_info(user=ann.id))["user"]["deleted"]
    assert await app.refusal(app.web.conversations_open(users=[ann.id])) == "user_disabled"
    assert await app.refusal(app.web.conversations_open(users=["U0NOBODY"])) == "user_not_found"


async def test_what_a_message_may_not_be(app: App, triage: Channel) -> None:
    async def refused(**told: Any) -> str:
        return await app.refusal(app.web.chat_postMessage(channel=triage.id, **told))

    empty = app.web.api_call("chat.postMessage", json={"channel": triage.id, "text": " ", "blocks": []})
    assert await app.refusal(empty) == "no_text"
    assert await refused(text="x" * 40_001) == "msg_too_long"
    assert await refused(text="x", attachments=[{"text": "x"}] * 101) == "too_many_attachments"
    assert await refused(text="x", thread_ts="1.000001") == "thread_not_found"
    assert await refused(text="x", metadata={"event_type": "a"}) == "invalid_metadata_schema"
    big = {"event_type": "a", "event_payload": {"x": "y" * 20_000}}
    assert await refused(text="x", metadata=big) == "metadata_too_large"
    assert await refused(text="x", blocks="{not json") == "invalid_blocks_format"
    section = {"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3000}}
    assert await refused(text="x", blocks=[section] * 5) == "msg_blocks_too_long"
    assert (await app.web.chat_postMessage(channel=triage.id, text="x" * 40_000, blocks=[section] * 4))["ok"]


async def test_wrong_blocks_are_named(app: App, triage: Channel) -> None:
    blocks: list[dict[str, Any]] = [
        {"type": "section", "text": {"type": "mrkdwn", "text": ""}},
        {"type": "sectoin"},
    ]
    with pytest.raises(SlackApiError) as refused:
        await app.web.chat_postMessage(channel=triage.id, text="x", blocks=blocks)
    assert refused.value.response["error"] == "invalid_blocks"
    assert refused.value.response["response_metadata"]["messages"] == [
        "[ERROR] must be more than 0 characters [json-pointer:/blocks/0/text/text]",
        "[ERROR] unsupported block type: sectoin [json-pointer:/blocks/1]",
    ]
    assert triage.messages == []


async def test_texts_come_back_escaped_in_plain_text_too(app: App, triage: Channel) -> None:
    button = {"type": "button", "text": {"type": "plain_text", "text": "R & D"}, "action_id": "a"}
    blocks = [{"type": "actions", "elements": [button]}]
    said = await app.web.chat_postMessage(channel=triage.id, text="1 < 2 & <!here>", blocks=blocks)
    assert said["message"]["text"] == "1 &lt; 2 &amp; <!here>"
    assert said["message"]["blocks"][0]["elements"][0]["text"]["text"] == "R &amp; D"
    assert triage.last.buttons == ["R & D"]
    assert triage.last.pings == ["here"]
    await app.web.chat_postMessage(channel=triage.id, text="@here, hey", link_names=True)
    assert triage.last.pings == ["here"]


async def test_updates_keep_or_drop_blocks_and_touch_own_messages_only(
    app: App, ann: User, triage: Channel
) -> None:
    section = {"type": "section", "block_id": "s", "text": {"type": "mrkdwn", "text": "old"}}
    meta = {"event_type": "card", "event_payload": {"n": 1}}
    ts = (await app.web.chat_postMessage(channel=triage.id, text="x", blocks=[section], metadata=meta))["ts"]
    blocks = [section | {"block_id": "t"}]
    await app.web.api_call("chat.update", json={"channel": triage.id, "ts": ts, "blocks": blocks})
    assert [one["block_id"] for one in triage.last.blocks] == ["t"]
    assert (triage.last.text, triage.last.metadata) == ("x", meta)
    told = await app.web.chat_update(channel=triage.id, ts=ts, text="bare")
    assert "blocks" not in told["message"]
    assert triage.last.shown == "bare"
    theirs = await ann.send("mine", channel=triage)
    web = app.web
    assert await app.refusal(web.chat_update(channel=triage.id, ts=theirs.ts, text="x")) == (
        "cant_update_message"
    )
    assert await app.refusal(web.chat_delete(channel=triage.id, ts=theirs.ts)) == "cant_delete_message"
    assert await app.refusal(web.chat_update(channel=triage.id, ts="1.000001", text="x")) == (
        "message_not_found"
    )
    await web.chat_delete(channel=triage.id, ts=ts)
    assert await app.refusal(web.chat_update(channel=triage.id, ts=ts, text="x")) == "message_not_found"


async def test_the_edit_window_closes() -> None:
    clock = Hands()
    async with Slack(clock=clock, edit_window=3600) as slack:
        app, triage = App(slack), slack.channel("triage")
        ts = (await app.web.chat_postMessage(channel=triage.id, text="x"))["ts"]
        clock.at += timedelta(hours=2)
        refused = await app.refusal(app.web.chat_update(channel=triage.id, ts=ts, text="y"))
        assert refused == "edit_window_closed"


async def test_history_is_newest_first_in_pages_between_ends(app: App, ann: User, triage: Channel) -> None:
    sent = [await ann.send(str(number), channel=triage) for number in range(7)]
    root = sent[3]
    await ann.send("in the thread", thread=root)
    loud = await ann.send("for all", thread=root, broadcast=True)
    first = await app.web.conversations_history(channel=triage.id, limit=3)
    assert [one["text"] for one in first["messages"]] == ["for all", "6", "5"]
    assert first["has_more"]
    cursor = first["response_metadata"]["next_cursor"]
    rest = await app.web.conversations_history(channel=triage.id, cursor=cursor)
    assert [one["text"] for one in rest["messages"]] == ["4", "3", "2", "1", "0"]
    assert rest["messages"][1]["reply_count"] == 2
    assert not rest["has_more"]
    told = await app.web.conversations_history(channel=triage.id, oldest=sent[1].ts, latest=sent[3].ts)
    assert [one["text"] for one in told["messages"]] == ["2"]
    told = await app.web.conversations_history(channel=triage.id, latest=sent[3].ts, inclusive=True, limit=1)
    assert [one["ts"] for one in told["messages"]] == [root.ts]
    told = await app.web.conversations_replies(channel=triage.id, ts=loud.ts)
    assert [one["text"] for one in told["messages"]] == ["3", "in the thread", "for all"]
    told = await app.web.conversations_replies(channel=triage.id, ts=root.ts, oldest=root.replies[0].ts)
    assert [one["text"] for one in told["messages"]] == ["3", "for all"]
    refused = await app.refusal(app.web.conversations_replies(channel=triage.id, ts="1.000001"))
    assert refused == "thread_not_found"


async def test_metadata_comes_only_when_asked_for(app: App, triage: Channel) -> None:
    meta = {"event_type": "reply", "event_payload": {"nonce": "n1"}}
    await app.web.chat_postMessage(channel=triage.id, text="x", metadata=meta)
    plain = await app.web.conversations_history(channel=triage.id)
    assert "metadata" not in plain["messages"][0]
    full = await app.web.conversations_history(channel=triage.id, include_all_metadata=True)
    assert full["messages"][0]["metadata"] == meta


async def test_a_lost_answer_has_posted_all_the_same(slack: Slack, app: App, triage: Channel) -> None:
    slack.fail("chat.postMessage", "cut after")
    with pytest.raises(aiohttp.ClientError):
        await app.web.chat_postMessage(channel=triage.id, text="once")
    assert triage.texts == ["once"]
    [call] = slack.called("chat.postMessage")
    assert (call.performed, call.fault, call.channel) == (True, "cut after", triage.id)
    slack.fail("chat.*", "cut before")
    with pytest.raises(aiohttp.ClientError):
        await app.web.chat_postMessage(channel=triage.id, text="never")
    assert triage.texts == ["once"]


async def test_trouble_of_every_kind(slack: Slack, app: App, triage: Channel) -> None:
    slack.fail("chat.postMessage", "429", retry_after=6000)
    with pytest.raises(SlackApiError) as refused:
        await app.web.chat_postMessage(channel=triage.id, text="x")
    assert (refused.value.response.status_code, refused.value.response["error"]) == (429, "ratelimited")
    assert refused.value.response.headers["Retry-After"] == "6000"
    slack.fail("chat.postMessage", "error", text="fatal_error")
    assert await app.refusal(app.web.chat_postMessage(channel=triage.id, text="x")) == "fatal_error"
    assert slack.calls[-1].early
    for kind in ("500", "503 html", "503 empty", "200 html", "truncated"):
        slack.fail("chat.postMessage", kind)
        with pytest.raises(SlackApiError):
            await app.web.chat_postMessage(channel=triage.id, text=kind)
    assert triage.texts == ["truncated"]
    slack.fail("chat.postMessage", "slow", seconds=20)
    assert (await app.web.chat_postMessage(channel=triage.id, text="late"))["ok"]
    slack.fail("chat.postMessage", "hang after", seconds=20)
    with pytest.raises(aiohttp.ClientError):
        await app.web.chat_postMessage(channel=triage.id, text="hung")
    assert triage.texts == ["truncated", "late", "hung"]
    await slack.go_down()
    with pytest.raises(aiohttp.ClientConnectorError):
        await app.web.auth_test()
    await slack.come_back()
    assert (await app.web.auth_test())["ok"]


async def test_one_message_a_second_to_each_channel_after_a_short_burst() -> None:
    clock = Hands()
    async with Slack(clock=clock, rates=Rates()) as slack:
        app, one, other = App(slack), slack.channel("one"), slack.channel("other")
        for _ in range(3):
            await app.web.chat_postMessage(channel=one.id, text="x")
        assert await app.refusal(app.web.chat_postMessage(channel=one.id, text="x")) == "ratelimited"
        assert (await app.web.chat_postMessage(channel=other.id, text="x"))["ok"]
        clock.at += timedelta(seconds=1)
        assert (await app.web.chat_postMessage(channel=one.id, text="x"))["ok"]
        assert not slack.calls[-1].early
        for _ in range(10):
            await app.web.conversations_info(channel=one.id)
        assert await app.refusal(app.web.conversations_info(channel=one.id)) == "ratelimited"


async def test_ephemeral_messages_are_for_one_and_in_no_history(
    slack: Slack, app: App, ann: User, triage: Channel
) -> None:
    await app.web.chat_postEphemeral(channel=triage.id, user=ann.id, text="only you")
    assert [one.shown for one in triage.private_to(ann)] == ["only you"]
    assert triage.messages == []
    assert (await app.web.conversations_history(channel=triage.id))["messages"] == []
    stranger = slack.user("Eve")
    call = app.web.chat_postEphemeral(channel=triage.id, user=stranger.id, text="x")
    assert await app.refusal(call) == "user_not_in_channel"


async def test_files_are_uploaded_in_three_steps_and_shared_in_a_thread(
    slack: Slack, app: App, ann: User, triage: Channel
) -> None:
    root = await ann.send("send me the log", channel=triage)
    told = await app.web.files_upload_v2(
        file=b"lines", filename="my log.txt", channel=triage.id, thread_ts=root.ts, initial_comment="here"
    )
    [reply] = root.replies
    assert (reply.shown, reply.files[0].data, reply.files[0].name) == ("here", b"lines", "my log.txt")
    info = (await app.web.files_info(file=told["file"]["id"]))["file"]
    assert info["shares"]["public"][triage.id][0]["ts"] == reply.ts
    headers = {"Authorization": f"Bearer {slack.bot_token}"}
    async with aiohttp.ClientSession() as session:
        async with session.get(info["url_private_download"], headers=headers) as answer:
            assert await answer.read() == b"lines"
        slack.fail("download", "truncated")
        with pytest.raises(aiohttp.ClientError):
            async with session.get(info["url_private_download"], headers=headers) as answer:
                await answer.read()
    reply.files[0].gone = True
    assert await app.refusal(app.web.files_info(file=told["file"]["id"])) == "file_deleted"
    ticket = await app.web.files_getUploadURLExternal(filename="a", length=3)
    async with aiohttp.ClientSession() as session, session.post(ticket["upload_url"], data=b"four") as answer:
        assert answer.status == 400
    files = [{"id": ticket["file_id"], "title": "a"}]
    assert await app.refusal(app.web.files_completeUploadExternal(files=files)) == "file_not_found"
    slack.largest_file = 100
    too_large = app.web.files_getUploadURLExternal(filename="a", length=101)
    assert await app.refusal(too_large) == "file_upload_size_restricted"


async def test_people_channels_and_the_workspace_are_told(
    slack: Slack, app: App, ann: User, triage: Channel
) -> None:
    user = (await app.web.users_info(user=ann.id, include_locale=True))["user"]
    assert (user["real_name"], user["locale"], user["tz"]) == ("Ann Lee", "ru-RU", "Europe/Moscow")
    assert user["profile"]["email"] == "ann.lee@example.com"
    slack.user("Eve", team="T0OTHER")
    people = (await app.web.users_list(limit=1))["response_metadata"]["next_cursor"]
    assert [one["name"] for one in (await app.web.users_list(cursor=people))["members"]] == ["ann.lee"]
    assert (await app.web.conversations_members(channel=triage.id))["members"] == [ann.id, slack.bot.id]
    secret = slack.channel("secret", kind="group", bot=False)
    listed = await app.web.conversations_list(types="public_channel,private_channel")
    assert [one["name"] for one in listed["channels"]] == ["triage"]
    assert await app.refusal(app.web.conversations_info(channel=secret.id)) == "channel_not_found"
    lobby = slack.channel("lobby", bot=False)
    assert await app.refusal(app.web.conversations_history(channel=lobby.id)) == "not_in_channel"
    assert (await app.web.conversations_join(channel=lobby.id))["channel"]["is_member"]
    assert (await app.web.team_info())["team"]["id"] == slack.team
    assert (await app.web.bots_info(bot=slack.bot_id))["bot"]["user_id"] == slack.bot.id
    slack.scopes -= {"channels:history"}
    assert await app.refusal(app.web.conversations_history(channel=triage.id)) == "missing_scope"


async def test_reactions_are_put_once_and_taken_back(app: App, ann: User, triage: Channel) -> None:
    message = await ann.send("look", channel=triage)
    at: dict[str, Any] = {"channel": triage.id, "timestamp": message.ts}
    await ann.react(message, "eyes")
    await app.web.reactions_add(name="eyes", **at)
    assert await app.refusal(app.web.reactions_add(name="eyes", **at)) == "already_reacted"
    told = await app.web.reactions_get(**at)
    assert told["message"]["reactions"][0]["count"] == 2
    await app.web.reactions_remove(name="eyes", **at)
    assert await app.refusal(app.web.reactions_remove(name="eyes", **at)) == "no_reaction"
    assert message.reactions == {"eyes": [ann.id]}


async def test_timestamps_are_unique_and_increase_however_fast(app: App, triage: Channel) -> None:
    posts = [app.web.chat_postMessage(channel=triage.id, text=str(number)) for number in range(20)]
    told = await asyncio.gather(*posts)
    stamps = [one.ts for one in triage.messages]
    assert stamps == sorted(set(stamps), key=float)
    assert {one["ts"] for one in told} == set(stamps)
    link = (await app.web.chat_getPermalink(channel=triage.id, message_ts=stamps[0]))["permalink"]
    assert link.endswith(f"/archives/{triage.id}/p{stamps[0].replace('.', '')}")
    assert json.dumps(triage.last.json())
