"""The app as Slack must know it: what it may do, what it is told, what people find of it in their menus."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

ROOT = "desk"
"""The one command under which all the others live."""
TICKET, SEND, NEW = "ticket", "send_to_requester", "new_request"
"""The callback ids of the shortcuts."""
RESERVED = frozenset({"help", "search", "start", "status"})
"""Commands that stand only under the root: Slack has its own of these names, and a hello needs none."""
SCOPES = (
    "app_mentions:read",
    "channels:history",
    "channels:read",
    "chat:write",
    "commands",
    "files:read",
    "files:write",
    "groups:history",
    "groups:read",
    "im:history",
    "im:read",
    "im:write",
    "reactions:read",
    "users:read",
)
EVENTS = (
    "app_home_opened",
    "app_mention",
    "app_uninstalled",
    "channel_archive",
    "channel_left",
    "channel_unarchive",
    "group_archive",
    "group_left",
    "group_unarchive",
    "member_joined_channel",
    "message.channels",
    "message.groups",
    "message.im",
    "reaction_added",
    "tokens_revoked",
    "user_change",
)
ROUTE = "/slack/events"
"""Where Slack brings everything to in HTTP mode."""


NONE: Mapping[str, str] = MappingProxyType({})


def manifest(commands: Mapping[str, str] = NONE, origin: str | None = None) -> Mapping[str, Any]:
    """The app, to be pasted where Slack asks for a manifest (docs.slack.dev: app manifests).

    `commands`: those that also stand alone, and what they do. `origin`: our public address, for HTTP."""
    address = {"request_url": f"{origin}{ROUTE}"} if origin else {}
    url = {"url": address["request_url"]} if origin else {}
    root = {
        "command": f"/{ROOT}",
        "description": "The help desk: report a problem, work on tickets",
        "usage_hint": "new | my | take 42 | help",
        "should_escape": True,
        **url,
    }
    single = [
        {"command": f"/{name}", "description": what, "should_escape": True, **url}
        for name, what in commands.items()
    ]
    return {
        "display_information": {
            "name": "Deskbridge",
            "description": "Report a problem where you already talk",
            "background_color": "#1f4b63",
        },
        "features": {
            "app_home": {
                "home_tab_enabled": True,
                "messages_tab_enabled": True,
                "messages_tab_read_only_enabled": False,
            },
            "bot_user": {"display_name": "Deskbridge", "always_online": True},
            "shortcuts": [
                {
                    "name": "Make it a ticket",
                    "type": "message",
                    "callback_id": TICKET,
                    "description": "A ticket for whoever wrote this message",
                },
                {
                    "name": "Send to requester",
                    "type": "message",
                    "callback_id": SEND,
                    "description": "In a ticket's thread: send these words to the requester",
                },
                {
                    "name": "New request",
                    "type": "global",
                    "callback_id": NEW,
                    "description": "Report a problem to the help desk",
                },
            ],
            "slash_commands": [root, *single],
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {**address, "bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True, **address},
            "org_deploy_enabled": False,
            "socket_mode_enabled": origin is None,
            "token_rotation_enabled": False,
        },
    }
