"""The Events API: what happens in the workspace, told to the app that asked for it and may know."""

import copy
from typing import TYPE_CHECKING, Any

from tests.emulators.slack.delivery import Delivery
from tests.emulators.slack.messages import Message

if TYPE_CHECKING:
    from tests.emulators.slack.channels import Channel
    from tests.emulators.slack.files import Stored
    from tests.emulators.slack.person import Person
    from tests.emulators.slack.views import View
    from tests.emulators.slack.world import Slack

SCOPES: dict[str, tuple[str, ...]] = {
    "message.channels": ("channels:history",),
    "message.groups": ("groups:history",),
    "message.im": ("im:history",),
    "message.mpim": ("mpim:history",),
    "app_mention": ("app_mentions:read",),
    "app_home_opened": (),
    "app_uninstalled": (),
    "tokens_revoked": (),
    "reaction_added": ("reactions:read",),
    "reaction_removed": ("reactions:read",),
    "file_shared": ("files:read",),
    "member_joined_channel": ("channels:read", "groups:read"),
    "member_left_channel": ("channels:read", "groups:read"),
    "channel_left": ("channels:read",),
    "group_left": ("groups:read",),
    "channel_archive": ("channels:read",),
    "channel_unarchive": ("channels:read",),
    "channel_rename": ("channels:read",),
    "group_archive": ("groups:read",),
    "group_unarchive": ("groups:read",),
    "group_rename": ("groups:read",),
    "user_change": ("users:read",),
    "team_join": ("users:read",),
}
"""What can be asked for, and any one scope that lets the app have it."""
OF_CHANNEL = {
    "channel": "message.channels",
    "group": "message.groups",
    "im": "message.im",
    "mpim": "message.mpim",
}


class Tell:
    def __init__(self, world: "Slack") -> None:
        self._world = world

    def event(self, name: str, event: dict[str, Any], *, shared: bool = False) -> Delivery | None:
        """An event of this subscription's, if the app asked for it and has the scope."""
        world = self._world
        if world.uninstalled or name not in world.subscribed:
            return None
        if SCOPES[name] and not set(SCOPES[name]) & world.scopes:
            return None
        authorization = {"enterprise_id": None, "team_id": world.team, "user_id": world.bot.id}
        payload = {
            "token": world.verification_token,
            "team_id": world.team,
            "context_team_id": world.team,
            "context_enterprise_id": None,
            "api_app_id": world.app_id,
            "event": copy.deepcopy(event),
            "type": "event_callback",
            "event_id": world.names.fresh("Ev"),
            "event_time": world.times.unix(),
            "authorizations": [authorization | {"is_bot": True, "is_enterprise_install": False}],
            "is_ext_shared_channel": shared,
            "event_context": f"4-{world.names.fresh('')}",
        }
        return world.deliveries.send("events_api", payload)

    def _message(self, channel: "Channel", event: dict[str, Any]) -> Delivery | None:
        if not channel.has_bot:
            return None
        event |= {"channel": channel.id, "channel_type": channel.kind}
        return self.event(OF_CHANNEL[channel.kind], event, shared=channel.shared)

    def said(self, message: Message) -> None:
        """message, and app_mention beside it where somebody calls the bot; not in direct messages."""
        channel = message.channel
        event = message.json() | {"event_ts": message.ts}
        if message.broadcast:
            root = channel.find(message.thread_ts)
            event |= {"subtype": "thread_broadcast", "root": root.json() if root else {}}
        self._message(channel, dict(event))
        called = self._world.bot.id in message.pings and not message.by_bot
        if called and channel.has_bot and channel.kind != "im" and message.user is not None:
            kept = (
                "user",
                "text",
                "ts",
                "team",
                "thread_ts",
                "parent_user_id",
                "blocks",
                "client_msg_id",
                "files",
            )
            mention = {name: event[name] for name in kept if name in event}
            mention |= {"type": "app_mention", "channel": channel.id, "event_ts": message.ts}
            self.event("app_mention", mention, shared=channel.shared)
        for file in message.files:
            self.file_shared(message, file)

    def file_shared(self, message: Message, file: "Stored") -> None:
        told = {
            "type": "file_shared",
            "channel_id": message.channel.id,
            "file_id": file.id,
            "file": {"id": file.id},
        }
        told |= {"user_id": file.owner.id, "event_ts": message.ts}
        if message.channel.has_bot:
            self.event("file_shared", told, shared=message.channel.shared)

    def changed(self, message: Message, before: dict[str, Any]) -> None:
        """message_changed: edits by people and by the app, unfurled links, and the tombstone of a message
        with replies."""
        ts = message.channel.stamps.fresh()
        now = message.json()
        if message.user is not None:
            now |= {"source_team": message.user.team, "user_team": message.user.team}
        told = {"type": "message", "subtype": "message_changed", "hidden": True, "ts": ts, "event_ts": ts}
        self._message(message.channel, told | {"message": now, "previous_message": before})

    def removed(self, message: Message, before: dict[str, Any]) -> None:
        """message_deleted, or the tombstone."""
        if message.tombstone:
            self.changed(message, before)
            return
        ts = message.channel.stamps.fresh()
        told = {"type": "message", "subtype": "message_deleted", "hidden": True, "ts": ts, "event_ts": ts}
        told |= {"deleted_ts": message.ts, "previous_message": before}
        self._message(message.channel, told)

    def reacted(self, message: Message, user: "Person", name: str, *, added: bool) -> None:
        if not message.channel.has_bot:
            return
        kind = "reaction_added" if added else "reaction_removed"
        item = {"type": "message", "channel": message.channel.id, "ts": message.ts}
        told = {"type": kind, "user": user.id, "reaction": name, "item": item}
        told |= {
            "item_user": message.user.id if message.user else "",
            "event_ts": message.channel.stamps.fresh(),
        }
        self.event(kind, told, shared=message.channel.shared)

    def joined(self, channel: "Channel", user: "Person", by: "Person | None") -> None:
        told = self._membership("member_joined_channel", channel, user) | ({"inviter": by.id} if by else {})
        if channel.has_bot:
            self.event("member_joined_channel", told)
            text = f"{user.mention} has joined the channel"
            self.said(channel.add(user, text=text, subtype="channel_join"))

    def left(self, channel: "Channel", user: "Person", by: "Person | None") -> None:
        """The bot itself is told channel_left (group_left), the others' going is member_left_channel."""
        if user is self._world.bot:
            kind = "channel_left" if channel.kind == "channel" else "group_left"
            told = {"type": kind, "channel": channel.id, "event_ts": channel.stamps.fresh()}
            self.event(kind, told | ({"actor_id": by.id} if by else {}))
        elif channel.has_bot:
            self.event("member_left_channel", self._membership("member_left_channel", channel, user))

    def _membership(self, kind: str, channel: "Channel", user: "Person") -> dict[str, Any]:
        told = {"type": kind, "user": user.id, "channel": channel.id, "team": user.team}
        return told | {"channel_type": channel.id[0], "event_ts": channel.stamps.fresh()}

    def archived(self, channel: "Channel", by: "Person | None") -> None:
        kind = (
            f"{'group' if channel.kind == 'group' else 'channel'}_{'' if channel.archived else 'un'}archive"
        )
        told = {"type": kind, "channel": channel.id, "user": by.id if by else "", "is_moved": 0}
        if channel.has_bot:
            self.event(kind, told | {"event_ts": channel.stamps.fresh()})

    def renamed(self, channel: "Channel") -> None:
        kind = "group_rename" if channel.kind == "group" else "channel_rename"
        told = {"id": channel.id, "name": channel.name, "name_normalized": channel.name}
        told |= {"created": channel.created, "is_channel": True}  # type: ignore[dict-item]
        if channel.has_bot:
            self.event(kind, {"type": kind, "channel": told, "event_ts": channel.stamps.fresh()})

    def person(self, user: "Person", kind: str = "user_change") -> None:
        told = {"type": kind, "user": user.json(), "cache_ts": self._world.times.unix()}
        self.event(kind, told | {"event_ts": f"{self._world.times.now():.6f}"})

    def home_opened(self, user: "Person", tab: str, view: "View | None") -> None:
        told = {"type": "app_home_opened", "user": user.id, "channel": user.dm.id, "tab": tab}
        told["event_ts"] = f"{self._world.times.now():.6f}"
        self.event("app_home_opened", told | ({"view": view.json()} if view else {}))

    def uninstalled(self) -> None:
        """app_uninstalled and tokens_revoked come in any order."""
        self.event(
            "tokens_revoked", {"type": "tokens_revoked", "tokens": {"oauth": [], "bot": [self._world.bot.id]}}
        )
        self.event("app_uninstalled", {"type": "app_uninstalled"})
