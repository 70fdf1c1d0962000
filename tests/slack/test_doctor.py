"""The doctor and the manifest: what the live app lacks is named, and the manifest asks for what is used."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bot import cli, config, doctor, i18n, main
from bot.adapters.slack import manifest
from core.database.engine import Database
from core.kernel.clock import HandClock
from tests import databases
from tests.emulators.slack import Channel, Slack
from tests.slack import rig as rigs
from tests.slack.rig import ANNA, BORIS, IVAN, MARIA, TEAM, Rig

ROOT = Path(__file__).parents[2]


@pytest.fixture
async def slack() -> AsyncIterator[Slack]:
    async with Slack(team=TEAM) as opened:
        opened.manifest = json.loads(json.dumps(manifest.manifest()))
        for number, name in ((ANNA, "Anna"), (BORIS, "Boris"), (MARIA, "Maria")):
            opened.user(name, id=number)
        yield opened


def channel_of(slack: Slack) -> Channel:
    return slack.channel("triage", members=[slack.users[ANNA]])


async def findings(
    tmp_path: Path, slack: Slack, channel: Channel | None = None, *, more: str = ""
) -> dict[str, bool | None]:
    """What `deskbridge doctor` finds, by the keys of its sentences, which are whole in both languages."""
    file, path = tmp_path / "config.toml", tmp_path / "doctor.db"
    more = more or f'config_token = "{slack.config_token}"'
    words = rigs.words_of(slack, channel or channel_of(slack), more=more)
    await asyncio.to_thread(file.write_text, words, encoding="utf-8")
    settings = config.load(file, {"DESKBRIDGE_DATABASE__URL": databases.url(path)})
    lock = databases.prepared(path)
    database = Database(databases.place(path), HandClock())
    try:
        await main.build(settings, database, HandClock()).desk.open()
        found = [finding async for finding in doctor.examine(settings, database)]
    finally:
        await database.close()
        lock.release()
    for each in found:
        for language in ("en", "ru"):
            words = i18n.word(each.text, language, time_zone="UTC", now=HandClock().now())
            assert "{" not in words
            assert slack.bot_token not in words
    return {each.text.key.removeprefix("doctor.slack_"): each.ok for each in found}  # type: ignore[union-attr]


async def test_an_app_made_from_the_manifest_lacks_nothing(tmp_path: Path, slack: Slack) -> None:
    found = await findings(tmp_path, slack)
    assert all(found.values()), found
    assert {
        "me",
        "scopes",
        "events",
        "command",
        "shortcuts",
        "tabs",
        "settings",
        "socket",
        "there",
        "heard",
    } <= set(found)


async def test_a_scope_that_is_missing_is_named(tmp_path: Path, slack: Slack) -> None:
    slack.scopes.discard("files:write")
    assert (await findings(tmp_path, slack))["no_scopes"] is False


@pytest.mark.parametrize("what", ["no_events", "no_command", "no_shortcuts", "bad_tabs", "bad_settings"])
async def test_an_app_that_was_set_up_otherwise_is_told_apart(
    tmp_path: Path, slack: Slack, what: str
) -> None:
    app: dict[str, Any] = slack.manifest
    match what:
        case "no_events":
            app["settings"]["event_subscriptions"]["bot_events"].remove("message.im")
        case "no_command":
            app["features"]["slash_commands"] = []
        case "no_shortcuts":
            app["features"]["shortcuts"].pop()
        case "bad_tabs":
            app["features"]["app_home"]["messages_tab_read_only_enabled"] = True
        case "bad_settings":
            app["settings"]["socket_mode_enabled"] = False
    assert (await findings(tmp_path, slack))[what] is False


async def test_without_a_configuration_token_it_says_what_it_cannot_see(tmp_path: Path, slack: Slack) -> None:
    assert (await findings(tmp_path, slack, more="# none"))["unseen"] is None


async def test_a_channel_the_app_is_not_in_is_named(tmp_path: Path, slack: Slack) -> None:
    without = slack.channel("elsewhere", members=[slack.users[ANNA]], bot=False)
    assert (await findings(tmp_path, slack, without))["invite"] is False
    archived = channel_of(slack)
    archived.archived = True
    assert (await findings(tmp_path, slack, archived))["archived"] is False


async def test_whom_no_ping_can_reach_is_named(tmp_path: Path, slack: Slack) -> None:
    await slack.users[BORIS].deactivate()
    assert (await findings(tmp_path, slack))["not_reached"] is False


async def test_a_token_that_is_revoked_and_a_slack_that_is_away_are_told_apart(
    tmp_path: Path, slack: Slack
) -> None:
    channel = channel_of(slack)
    slack.revoked = True
    assert (await findings(tmp_path, slack, channel))["token"] is False
    await slack.go_down()
    assert (await findings(tmp_path, slack, channel))["away"] is False


def test_the_manifest_in_the_docs_is_the_one_the_desk_prints(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["slack-manifest"]) == 0
    assert capsys.readouterr().out == (ROOT / "docs" / "slack-manifest.json").read_text()


def test_every_command_can_stand_alone_but_those_that_are_slacks_own(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert cli.main(["slack-manifest", "--commands"]) == 0
    commands = {each["command"] for each in json.loads(capsys.readouterr().out)["features"]["slash_commands"]}
    assert {"/desk", "/take", "/queue"} <= commands
    assert not commands & {"/status", "/help"}
    assert len(commands) <= 50


async def test_a_desk_with_the_manifests_scopes_and_events_alone_misses_nothing(tmp_path: Path) -> None:
    asked = manifest.manifest()
    world = {
        "scopes": asked["oauth_config"]["scopes"]["bot"],
        "subscribed": asked["settings"]["event_subscriptions"]["bot_events"],
        "commands": [each["command"] for each in asked["features"]["slash_commands"]],
    }
    async with rigs.rig(tmp_path, **world) as desk:
        await _live(desk)
        refused = [call for call in desk.slack.calls if (call.result or {}).get("error") == "missing_scope"]
        assert refused == []


async def _live(desk: Rig) -> None:
    """Everything that asks Slack for something."""
    root = await desk.report()
    await desk.ivan.open_home()
    await desk.settle()
    message = await desk.say(desk.ivan, "@Desk the projector is dead", channel=desk.town)
    await desk.react(desk.anna, desk.card(1), "eyes")
    await desk.command(desk.anna, "/desk note 1 a word", desk.triage)
    other = await desk.say(desk.maria, "no toner again", channel=desk.town)
    await desk.react(desk.anna, other, "ticket")
    await desk.say(desk.ivan, "more", thread=root)
    assert message.replies
    assert other.replies
    assert desk.slack.users[IVAN].home is not None
