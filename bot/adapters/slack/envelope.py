"""What is kept of what Slack brings: without secrets, by a key that repeats share, in its lane."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

from bot.adapters.port import Raw
from bot.adapters.slack.account import Me
from bot.adapters.slack.channels import DIRECT

Json = Mapping[str, Any]
ODD = (AttributeError, ArithmeticError, LookupError, OSError, RecursionError, TypeError, ValueError)
"""What comes of reading something that is not of Slack's form."""
_SECRETS = frozenset(
    ("token", "trigger_id", "response_url", "response_urls", "bot_access_token", "interactivity")
)
_NOISE = ("user_change", "file_shared")
"""Events that nobody needs to have kept: nothing is done because of them."""


def kind(payload: Json) -> str:
    """How Slack brought it: event, interaction or command."""
    if "command" in payload:
        return "command"
    return "event" if payload.get("type") in ("event_callback", "app_rate_limited") else "interaction"


def of_concern(payload: Json, me: Me) -> bool:
    """False for what the app did itself, and for what nothing is done about."""
    if payload.get("type") == "view_closed":
        return False
    event = payload.get("event")
    if not isinstance(event, Mapping):
        return True
    said = event.get("message") if event.get("subtype") == "message_changed" else event
    return event.get("type") not in _NOISE and not (isinstance(said, Mapping) and ours(said, me))


def ours(message: Json, me: Me) -> bool:
    """Whether the app wrote it."""
    return message.get("type") == "message" and (
        message.get("bot_id") == me.bot or message.get("user") == me.user
    )


def leaves_tombstone(event: Json) -> bool:
    """Whether it tells that a message is gone and only its replies are left."""
    said = event.get("message")
    return isinstance(said, Mapping) and said.get("subtype") == "tombstone"


def raw(payload: Json, me: Me, at: float, key: str, press: str | None = None) -> Raw:
    """The event for the inbox; a malformed one too, where it becomes a dead letter of its own.

    `at`: seconds since 1970 when it came, for what Slack gives no time of."""
    body = {"kind": kind(payload), "payload": _kept(payload), "at": at, "press": press}
    lane, message = "malformed", None
    try:
        room = _room(payload, me)
        lane = room or "other"
        message = f"{room}/{payload['event']['ts']}" if room and says(payload) else None
    except ODD:
        pass
    return Raw(key, lane, body, message)


def _kept(payload: Json) -> dict[str, Any]:
    kept = {name: value for name, value in payload.items() if name not in _SECRETS}
    if kept.get("type") == "block_actions" and isinstance(kept.get("message"), Mapping):
        kept["message"] = {name: kept["message"].get(name) for name in ("ts", "thread_ts")}
    if isinstance(kept.get("view"), Mapping):
        kept["view"] = {name: value for name, value in kept["view"].items() if name != "blocks"}
    return kept


# ---- keys


def key(payload: Json) -> str:
    """The same for everything that tells of the same: `app_mention` and `message` tell of one text."""
    try:
        return _key(payload)
    except ODD:
        return f"odd:{_digest(payload)}"


def _key(payload: Json) -> str:
    if payload.get("type") == "view_submission":
        view = payload["view"]
        return f"view:{view['id']}:{_digest([view.get('callback_id'), view['state']['values']])}"
    if "event" not in payload:
        return f"press:{_digest(payload.get('trigger_id') or payload)}"
    event = payload["event"]
    if says(payload):
        return f"message:{event['channel']}:{event['ts']}"
    if event.get("subtype") == "message_changed" and "edited" in event["message"]:
        message = event["message"]
        # edited.ts counts whole seconds: somebody may change their words twice in one
        words = _digest(message.get("text"))[:8]
        return f"edited:{event['channel']}:{message['ts']}:{message['edited']['ts']}:{words}"
    return f"event:{payload['event_id']}"


def says(payload: Json) -> bool:
    """Whether it tells of a message as it was written."""
    event = payload.get("event")
    return (
        isinstance(event, Mapping)
        and event.get("type") in ("message", "app_mention")
        and not event.get("hidden")
        and event.get("subtype") not in ("message_changed", "message_deleted", "message_replied")
    )


def _digest(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True).encode()).hexdigest()[:24]


# ---- rooms


def room(channel: str, account: str, me: Me) -> str:
    """A channel is a room by its own id, direct messages by the account of the person."""
    return account if channel.startswith(DIRECT) else f"{me.team}/{channel}"


def account(user: str, team: Any, me: Me) -> str:
    """A person by their workspace, ours where Slack names none, and their id in it."""
    return f"{team or me.team}/{user}"


def team_of(message: Json) -> Any:
    """The workspace of a message's author, where Slack names it."""
    return message.get("user_team") or message.get("source_team") or message.get("team")


def _room(payload: Json, me: Me) -> str | None:
    """The conversation whose order must hold."""
    if "event" in payload:
        return _room_of_event(payload["event"], me)
    if "command" in payload:
        return room(payload["channel_id"], account(payload["user_id"], payload.get("team_id"), me), me)
    user = payload["user"]
    return room(channel_of(payload) or DIRECT, account(user["id"], user.get("team_id"), me), me)


def channel_of(payload: Json) -> str | None:
    """Where somebody pressed or used a shortcut; None in what is theirs alone."""
    channel = payload.get("channel") or {}
    found = channel.get("id") or (payload.get("container") or {}).get("channel_id")
    return str(found) if found else None


def place_of(payload: Json) -> tuple[str, str | None] | None:
    """The channel, or the thread in it, where somebody says or presses something; None for anything else."""
    if payload.get("type") == "block_actions":
        channel, container = channel_of(payload), payload.get("container") or {}
        thread = container.get("thread_ts")
        return (channel, str(thread) if thread else None) if channel else None
    event = payload.get("event") or {}
    if event.get("type") not in ("message", "app_mention"):
        return None
    thread = (event.get("message") or event).get("thread_ts")
    return str(event["channel"]), str(thread) if thread else None


def _room_of_event(event: Json, me: Me) -> str | None:
    item = event.get("item") or {}
    now = None if leaves_tombstone(event) else event.get("message")
    said = now or event.get("previous_message") or event
    channel = event.get("channel") or item.get("channel")
    if isinstance(channel, Mapping):
        channel = channel["id"]
    user = said.get("user") or event.get("user")
    if channel is None:
        return account(user, None, me) if isinstance(user, str) else None
    return room(channel, account(str(user), team_of(said), me), me)
