"""Examining the live app: everything docs/slack.md asks for, found or missing, with what to do."""

from collections.abc import AsyncIterator, Mapping
from typing import Any

from bot.adapters.port import Finding
from bot.adapters.slack import faults
from bot.adapters.slack.adapter import Slack
from bot.adapters.slack.manifest import EVENTS, ROOT, SCOPES
from bot.adapters.slack.manifest import manifest as asked
from bot.message import Plain, Words
from core.kernel.errors import PermanentError, TemporaryError

SCOPES_HEADER = "x-oauth-scopes"
"""Where every answer names the scopes of the token (docs.slack.dev: auth.test)."""
Json = Mapping[str, Any]


async def examine(
    adapter: Slack, staff: Mapping[str, str], config_token: str | None
) -> AsyncIterator[Finding]:
    """Token, scopes, events and commands, way of hearing, each staff channel, and whether pings reach the
    staff (accounts by name)."""
    try:
        async for finding in _examine(adapter, staff, config_token):
            yield finding
    except (PermanentError, TemporaryError) as fault:
        key = "doctor.slack_token" if faults.mendable(fault) else "doctor.slack_away"
        yield Finding(False, Words(key, {"reason": Plain(str(fault))}))


async def _examine(
    adapter: Slack, staff: Mapping[str, str], config_token: str | None
) -> AsyncIterator[Finding]:
    with faults.translated():
        me = await adapter.client.web.auth_test()
    facts = {"name": Plain(f"@{me['user']}"), "team": Plain(f"{me['team']} ({me['team_id']})")}
    yield Finding(True, Words("doctor.slack_me", facts))
    yield _missing("scopes", SCOPES, str(me.headers.get(SCOPES_HEADER, "")).split(","))
    async for finding in _app(adapter, str(me["bot_id"]), config_token):
        yield finding
    yield await _hearing(adapter)
    if not adapter.account.staff_rooms:
        yield Finding(False, Words("doctor.slack_no_channel", {"team": Plain(str(me["team_id"]))}))
    for room in adapter.account.staff_rooms:
        yield await _channel(adapter, room, str(me["team_id"]))
    async for finding in _reached(adapter, staff, str(me["team_id"])):
        yield finding


def _missing(what: str, wanted: tuple[str, ...], found: list[str]) -> Finding:
    """Whether everything wanted is there, and else what is not."""
    missing = sorted(set(wanted) - {each.strip() for each in found})
    if missing:
        return Finding(False, Words(f"doctor.slack_no_{what}", {"missing": Plain(", ".join(missing))}))
    return Finding(True, Words(f"doctor.slack_{what}"))


async def _app(adapter: Slack, bot: str, config_token: str | None) -> AsyncIterator[Finding]:
    """The live app beside the manifest; Slack shows it only to a configuration token."""
    if config_token is None:
        yield Finding(None, Words("doctor.slack_unseen"))
        return
    with faults.translated():
        app = (await adapter.client.web.bots_info(bot=bot))["bot"]["app_id"]
        live = await adapter.client.web.apps_manifest_export(app_id=app, token=config_token)
    manifest: Json = live["manifest"]
    settings, features = manifest.get("settings", {}), manifest.get("features", {})
    events = settings.get("event_subscriptions", {}).get("bot_events", [])
    yield _missing("events", EVENTS, list(events))
    commands = [each["command"].removeprefix("/") for each in features.get("slash_commands", [])]
    yield _missing("command", (ROOT,), commands)
    names = {each["callback_id"]: each["name"] for each in asked()["features"]["shortcuts"]}
    shortcuts = [names.get(each["callback_id"], "") for each in features.get("shortcuts", [])]
    yield _missing("shortcuts", tuple(names.values()), shortcuts)
    home, wanted = features.get("app_home", {}), asked()["features"]["app_home"]
    shown = all(bool(home.get(name)) == value for name, value in wanted.items())
    yield Finding(shown, Words("doctor.slack_tabs" if shown else "doctor.slack_bad_tabs"))
    on = bool(settings.get("interactivity", {}).get("is_enabled"))
    socket = bool(settings.get("socket_mode_enabled")) == (adapter.account.mode == "socket")
    yield Finding(
        on and socket, Words("doctor.slack_settings" if on and socket else "doctor.slack_bad_settings")
    )


async def _hearing(adapter: Slack) -> Finding:
    if adapter.account.mode == "http":
        return Finding(True, Words("doctor.slack_http"))
    try:
        with faults.translated():
            await adapter.client.web.apps_connections_open(app_token=adapter.account.app_token)
    except PermanentError as fault:
        return Finding(False, Words("doctor.slack_app_token", {"reason": Plain(str(fault))}))
    return Finding(True, Words("doctor.slack_socket"))


async def _channel(adapter: Slack, room: str, team: str) -> Finding:
    """Whether the app is in the channel; the name of another workspace cannot be right."""
    home, _, channel = room.rpartition("/")
    if home != team:
        return Finding(False, Words("doctor.slack_other_team", {"room": Plain(room), "team": Plain(team)}))
    try:
        with faults.translated():
            found: Json = (await adapter.client.web.conversations_info(channel=channel))["channel"]
    except PermanentError as fault:
        return Finding(
            False, Words("doctor.slack_not_there", {"room": Plain(room), "reason": Plain(str(fault))})
        )
    facts = {"room": Plain(f"#{found.get('name', channel)}")}
    if found.get("is_archived"):
        return Finding(False, Words("doctor.slack_archived", facts))
    there = bool(found.get("is_member"))
    return Finding(there, Words("doctor.slack_there" if there else "doctor.slack_invite", facts))


async def _reached(adapter: Slack, staff: Mapping[str, str], team: str) -> AsyncIterator[Finding]:
    """Whether a direct message can be opened with each of them, which they do not notice."""
    reached = 0
    for name, account in staff.items():
        home, _, user = account.rpartition("/")
        try:
            if home != team:
                raise PermanentError("the account is of another workspace", code="gone")
            await adapter.hearing.channels.dm(user)
            reached += 1
        except PermanentError as fault:
            facts = {"name": Plain(name), "reason": Plain(str(fault))}
            yield Finding(False, Words("doctor.slack_not_reached", facts))
    if reached:
        yield Finding(True, Words("doctor.slack_heard", count=reached))
