"""What happens in the emulated Slack, as an app on its sockets is told it."""

from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.emulators.slack import File, Slack, User
from tests.emulators.slack.channels import Channel
from tests.emulators.slack.clients import App


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    """Slack a thousand times as fast, but for its patience."""
    async with Slack(time_scale=0.001, patience=2) as opened:
        yield opened


@pytest.fixture
async def app(slack: Slack) -> AsyncIterator[App]:
    async with App(slack) as connected:
        yield connected


@pytest.fixture
def ann(slack: Slack) -> User:
    return slack.user("Ann Lee", locale="ru-RU")


@pytest.fixture
def triage(slack: Slack, ann: User) -> Channel:
    return slack.channel("triage", members=[ann])


async def test_a_direct_message_comes_as_slack_words_it(slack: Slack, app: App, ann: User) -> None:
    sent = await ann.send("Is 1 < 2 & is <!here> a word? See https://x.example/?a=1&b=2")
    await slack.settled()
    [event] = app.events
    assert event["text"] == (
        "Is 1 &lt; 2 &amp; is &lt;!here&gt; a word? See <https://x.example/?a=1&amp;b=2>"
    )
    assert (event["channel"], event["channel_type"], event["ts"]) == (ann.dm.id, "im", sent.ts)
    assert event["blocks"][0]["elements"][0]["elements"][-1] == {
        "type": "link",
        "url": "https://x.example/?a=1&b=2",
    }
    assert sent.shown == "Is 1 < 2 & is <!here> a word? See https://x.example/?a=1&b=2"
    [told] = slack.told("message")
    assert told.payload["authorizations"][0]["user_id"] == slack.bot.id
    assert told.payload["event_id"].startswith("Ev")


async def test_a_mention_comes_twice_with_different_ids(
    slack: Slack, app: App, ann: User, triage: Channel
) -> None:
    await ann.send("@Desk the printer burns", channel=triage)
    await ann.send("@Desk hello")
    await slack.settled()
    assert sorted(one["type"] for one in app.events) == ["app_mention", "message", "message"]
    mention, message = slack.told("app_mention")[0].payload, slack.told("message")[0].payload
    assert mention["event"]["ts"] == message["event"]["ts"]
    assert mention["event"]["text"] == f"{slack.bot.mention} the printer burns"
    assert mention["event_id"] != message["event_id"]


async def test_threads_edits_deletions_and_broadcasts_are_told(
    slack: Slack, app: App, ann: User, triage: Channel
) -> None:
    root = await ann.send("root", channel=triage)
    reply = await ann.send("reply", thread=root)
    await ann.send("loud", thread=reply, broadcast=True)
    await ann.edit(reply, "better")
    await ann.delete(reply)
    await ann.delete(root)
    await slack.settled()
    told = [one.event for one in slack.told("message")]
    assert [one.get("subtype", "") for one in told] == [
        "",
        "",
        "thread_broadcast",
        "message_changed",
        "message_deleted",
        "message_changed",
    ]
    assert told[1]["thread_ts"] == root.ts == told[2]["root"]["ts"]
    assert told[1]["parent_user_id"] == ann.id
    assert (told[3]["message"]["text"], told[3]["previous_message"]["text"]) == ("better", "reply")
    assert told[3]["message"]["edited"]["user"] == ann.id
    assert told[4]["deleted_ts"] == reply.ts
    assert told[5]["message"]["subtype"] == "tombstone"
    assert len({one["ts"] for one in told}) == 6


async def test_the_apps_own_messages_and_edits_come_back(slack: Slack, app: App, triage: Channel) -> None:
    said = await app.web.chat_postMessage(channel=triage.id, text="Take <https://x.example|me>")
    await app.web.chat_update(channel=triage.id, ts=said["ts"], text="Taken")
    await slack.settled()
    posted, changed = app.events
    assert (posted["bot_id"], posted["app_id"], posted["user"]) == (slack.bot_id, slack.app_id, slack.bot.id)
    assert "subtype" not in posted
    assert (changed["subtype"], changed["message"]["bot_id"]) == ("message_changed", slack.bot_id)


async def test_an_unfurled_link_changes_the_message_without_an_edit(
    slack: Slack, app: App, ann: User
) -> None:
    await (await ann.send("https://x.example/page")).unfurl("A page")
    await slack.settled()
    changed = app.events[-1]["message"]
    assert changed["attachments"][0]["title"] == "A page"
    assert "edited" not in changed


async def test_files_come_with_the_message_and_open_with_the_token_only(
    slack: Slack, app: App, ann: User
) -> None:
    await ann.send("look", files=[File("screen.png", b"\x89PNG1"), File("log.txt", b"lines")])
    await slack.settled()
    message = next(one for one in app.events if one["type"] == "message")
    assert message["subtype"] == "file_share"
    assert [one["size"] for one in message["files"]] == [5, 5]
    assert len(slack.told("file_shared")) == 2
    url = message["files"][0]["url_private_download"]
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as answer:
            assert (answer.status, answer.content_type) == (200, "text/html")
        async with session.get(url, headers={"Authorization": f"Bearer {slack.bot_token}"}) as answer:
            assert (await answer.read(), answer.content_type) == (b"\x89PNG1", "image/png")


async def test_reactions_joins_and_what_happens_to_channels_and_people(
    slack: Slack, app: App, ann: User, triage: Channel
) -> None:
    eve = slack.user("Eve")
    message = await ann.send("look", channel=triage)
    await eve.join(triage)
    await eve.react(message, "ticket")
    await eve.unreact(message, "ticket")
    await eve.leave(triage)
    await triage.rename("help")
    await triage.archive(ann)
    await eve.deactivate()
    lobby = slack.channel("lobby", members=[ann], bot=False)
    await ann.send("nobody hears", channel=lobby)
    await lobby.invite(slack.bot, ann)
    await lobby.drop_member(slack.bot, ann)
    await slack.settled()
    assert [one.event["type"] for one in slack.deliveries.told] == [
        *("message", "member_joined_channel", "message", "reaction_added", "reaction_removed"),
        *("member_left_channel", "channel_rename", "channel_archive", "user_change"),
        *("member_joined_channel", "message", "channel_left"),
    ]
    reaction = slack.told("reaction_added")[0].event
    assert reaction["item"] == {"type": "message", "channel": triage.id, "ts": message.ts}
    assert (reaction["user"], reaction["item_user"]) == (eve.id, ann.id)
    assert slack.told("user_change")[0].event["user"]["deleted"]


async def test_only_what_was_asked_for_and_allowed_is_told(ann: User, app: App, slack: Slack) -> None:
    slack.subscribed.discard("message.im")
    await ann.send("unheard")
    slack.subscribed.add("message.im")
    slack.scopes.discard("im:history")
    await ann.send("unheard")
    assert slack.deliveries.told == []


async def test_strangers_come_from_their_own_workspace(slack: Slack, app: App, ann: User) -> None:
    eve = slack.user("Eve", team="T0OTHER", id=ann.id)
    partners = slack.channel("partners", members=[eve], shared=True)
    await eve.send("hello", channel=partners, files=[File("a.txt", b"a")])
    await slack.settled()
    payload = slack.told("message")[0].payload
    assert payload["is_ext_shared_channel"]
    assert payload["team_id"] == slack.team
    assert (payload["event"]["team"], payload["event"]["user"]) == ("T0OTHER", ann.id)
    assert payload["event"]["files"][0]["file_access"] == "check_file_info"
    assert eve.dm is not ann.dm
