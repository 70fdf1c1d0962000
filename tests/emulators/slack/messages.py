"""Messages as they stand now, and as Slack words them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.emulators.slack import mrkdwn
from tests.emulators.slack.blocks import interactive
from tests.emulators.slack.elements import Piece
from tests.emulators.slack.files import Stored
from tests.emulators.slack.mrkdwn import Link, Seen

if TYPE_CHECKING:
    from tests.emulators.slack.channels import Channel
    from tests.emulators.slack.person import Person


@dataclass(eq=False)
class Message:
    """`text` is Slack's markup; `seen` is what its readers see. `thread_ts` names the thread's first message.
    `only_for`: an ephemeral message, for this person's eyes."""

    channel: "Channel"
    ts: str
    user: "Person | None"
    text: str = ""
    blocks: list[Piece] = field(default_factory=list)
    attachments: list[dict[str, Any]] = field(default_factory=list)
    files: list[Stored] = field(default_factory=list)
    thread_ts: str = ""
    subtype: str = ""
    username: str = ""
    client_msg_id: str = ""
    metadata: dict[str, Any] | None = None
    broadcast: bool = False
    only_for: "Person | None" = None
    edited: dict[str, str] | None = None
    edits: list[str] = field(default_factory=list)
    """The texts it had before, oldest first."""
    past: list[list[Piece]] = field(default_factory=list)
    """The blocks it had before."""
    deleted: bool = False
    tombstone: bool = False
    """Deleted, but the replies under it stay."""
    reactions: dict[str, list[str]] = field(default_factory=dict)
    """Ids of who put them, by name."""
    _read: tuple[tuple[Any, ...], Seen] | None = None

    @property
    def by_bot(self) -> bool:
        return self.user is not None and self.user.is_bot

    @property
    def seen(self) -> Seen:
        made_of = (self.text, self.blocks, self.attachments)
        if self._read is None or any(new is not old for new, old in zip(made_of, self._read[0], strict=True)):
            self._read = (made_of, mrkdwn.message(*made_of))
        return self._read[1]

    @property
    def shown(self) -> str:
        """The words its readers read."""
        return self.seen.text

    @property
    def pings(self) -> list[str]:
        return [] if self.subtype == "channel_join" else self.seen.pings

    @property
    def links(self) -> list[Link]:
        return self.seen.links

    @property
    def is_reply(self) -> bool:
        return bool(self.thread_ts) and self.thread_ts != self.ts

    @property
    def replies(self) -> "list[Message]":
        """The thread under it, oldest first."""
        return [one for one in self.channel.threads.get(self.ts, []) if one is not self and not one.deleted]

    @property
    def buttons(self) -> list[str]:
        """The labels of its buttons."""
        found = [one for block in self.blocks for one in interactive(block)]
        return [mrkdwn.unescape(one["text"]["text"]) for one in found if one["type"] == "button"]

    def json(self, *, metadata: bool = False) -> dict[str, Any]:
        """Slack: message object, as in history."""
        world = self.channel.world
        if self.tombstone:
            told: dict[str, Any] = {
                "type": "message",
                "subtype": "tombstone",
                "user": "USLACKBOT",
                "hidden": True,
            }
            told |= {"text": "This message was deleted.", "ts": self.ts, "thread_ts": self.ts}
            return told | self._thread()
        told = {"type": "message", "text": self.text, "ts": self.ts}
        if self.subtype:
            told["subtype"] = self.subtype
        if self.user is not None and not self.username:
            told |= {"user": self.user.id, "team": self.user.team}
        if self.by_bot and self.subtype != "channel_join":
            told |= {"bot_id": world.bot_id, "app_id": world.app_id, "bot_profile": world.bot_profile()}
        if self.username:
            told["username"] = self.username
        if self.client_msg_id:
            told["client_msg_id"] = self.client_msg_id
        if self.blocks:
            told["blocks"] = self.blocks
        if self.attachments:
            told["attachments"] = self.attachments
        if self.files:
            told["files"] = [one.json(world, connect=self.channel.shared) for one in self.files]
            told |= {"upload": False, "display_as_bot": False}
        if self.edited:
            told["edited"] = self.edited
        if metadata and self.metadata is not None:
            told["metadata"] = self.metadata
        if self.reactions:
            told["reactions"] = self.reactions_json()
        return told | self._thread()

    async def unfurl(self, title: str) -> None:
        """Slack shows what its link leads to: the message changes though nobody edited it."""
        before, url = self.json(), self.links[0].url
        told = {"id": 1, "from_url": url, "original_url": url, "title": title, "fallback": title}
        self.attachments = [*self.attachments, told]
        self.channel.world.tell.changed(self, before)

    def reactions_json(self) -> list[dict[str, Any]]:
        return [{"name": name, "users": who, "count": len(who)} for name, who in self.reactions.items()]

    def _thread(self) -> dict[str, Any]:
        told: dict[str, Any] = {}
        if self.is_reply:
            told["thread_ts"] = self.thread_ts
            root = self.channel.find(self.thread_ts)
            if root is not None and root.user is not None:
                told["parent_user_id"] = root.user.id
        elif replies := self.replies:
            writers = list(dict.fromkeys(one.user.id for one in replies if one.user is not None))
            told |= {"thread_ts": self.ts, "reply_count": len(replies), "reply_users": writers[:5]}
            told |= {"reply_users_count": len(writers), "latest_reply": replies[-1].ts}
            told |= {"is_locked": False, "subscribed": False}
        return told

    def __repr__(self) -> str:
        return f"<{self.ts} {self.shown[:40]!r} in {self.channel.name}>"
