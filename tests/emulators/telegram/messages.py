"""Messages and topics as they stand now, and as the Bot API words them."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests.emulators.telegram.entities import Entity, cut
from tests.emulators.telegram.files import Stored
from tests.emulators.telegram.formatted import Formatted
from tests.emulators.telegram.keyboards import Markup

if TYPE_CHECKING:
    from tests.emulators.telegram.chats import Chat
    from tests.emulators.telegram.people import User

CAPTIONED = {"photo", "document", "voice", "video", "audio", "animation"}
ANONYMOUS = {"id": 1087968824, "is_bot": True, "first_name": "Group", "username": "GroupAnonymousBot"}


@dataclass(eq=False)
class Topic:
    """A forum topic. Its id is the id of the service message that opened it."""

    id: int
    name: str
    color: int
    icon: str | None = None
    closed: bool = False
    deleted: bool = False
    by_bot: bool = False

    def json(self) -> dict[str, Any]:
        """Bot API: ForumTopic."""
        told = {"message_thread_id": self.id, "name": self.name, "icon_color": self.color}
        return told | ({"icon_custom_emoji_id": self.icon} if self.icon else {})


@dataclass(eq=False)
class Message:
    chat: "Chat"
    id: int
    date: int
    sender: "User | None" = None
    kind: str = "text"
    formatted: Formatted = field(default_factory=Formatted)
    body: dict[str, Any] = field(default_factory=dict)
    """What the kind itself brings: `{"contact": {…}}`, `{"forum_topic_created": {…}}`."""
    files: list[Stored] = field(default_factory=list)
    markup: Markup | None = None
    reply_to: "Message | None" = None
    quote: str = ""
    thread: int | None = None
    in_topic: bool = False
    album: str | None = None
    anonymous: bool = False
    edited_at: int | None = None
    edits: list[str] = field(default_factory=list)
    """The texts it had before, oldest first."""
    deleted: bool = False
    silent: bool = False
    reactions: dict[int, list[dict[str, str]]] = field(default_factory=dict)
    """By the id of who put them."""

    @property
    def text(self) -> str:
        """The words: of the message, or under its file."""
        return self.formatted.text

    @property
    def entities(self) -> list[Entity]:
        return self.formatted.entities

    def marked(self, kind: str) -> list[str]:
        """The pieces of text under entities of this kind."""
        return [cut(self.text, one["offset"], one["length"]) for one in self.entities if one["type"] == kind]

    @property
    def by_bot(self) -> bool:
        return self.sender is not None and self.sender.is_bot

    @property
    def keyboard(self) -> list[list[dict[str, Any]]]:
        rows: list[list[dict[str, Any]]] = (self.markup or {}).get("inline_keyboard", [])
        return rows

    @property
    def buttons(self) -> list[str]:
        return [button["text"] for row in self.keyboard for button in row]

    @property
    def forces_reply(self) -> bool:
        return bool((self.markup or {}).get("force_reply"))

    @property
    def bytes(self) -> bytes:
        """What is in its file."""
        return self.files[-1].data

    @property
    def emojis(self) -> list[str]:
        """All reactions under it."""
        return [one.get("emoji", "") for reactions in self.reactions.values() for one in reactions]

    def button(self, what: str) -> dict[str, Any]:
        """The button with this label or data."""
        for row in self.keyboard:
            for button in row:
                if what in (button["text"], button.get("callback_data")):
                    return button
        raise AssertionError(f"no button {what!r} under {self.text!r}, only {self.buttons}")

    def __contains__(self, words: str) -> bool:
        return words in self.text

    def __repr__(self) -> str:
        return f"<{self.kind} {self.id} in {self.chat.id}: {self.text[:40]!r}>"

    def json(self, nested: bool = True) -> dict[str, Any]:
        """Bot API: Message. The message replied to comes along, without what that one replies to."""
        told: dict[str, Any] = {"message_id": self.id, "date": self.date, "chat": self.chat.json()}
        self._sender(told)
        if self.thread is not None:
            told["message_thread_id"] = self.thread
        if self.in_topic:
            told["is_topic_message"] = True
        if nested and (replied := self._replied()) is not None:
            told["reply_to_message"] = replied.json(nested=False)
            if self.quote:
                position = replied.text.find(self.quote)
                told["quote"] = {"text": self.quote, "position": max(0, position), "is_manual": True}
        if self.edited_at is not None:
            told["edit_date"] = self.edited_at
        if self.album:
            told["media_group_id"] = self.album
        self._content(told)
        if self.keyboard:
            told["reply_markup"] = {"inline_keyboard": self.keyboard}
        return told

    def _sender(self, told: dict[str, Any]) -> None:
        """Bot API: an anonymous administrator writes as the group, `from` being a bot made for that."""
        if self.anonymous:
            told |= {"from": ANONYMOUS, "sender_chat": self.chat.json()}
        elif self.sender is not None:
            told["from"] = self.sender.json()

    def _replied(self) -> "Message | None":
        """The Bot API server: what replies to nothing in a topic replies to the message that opened the
        topic."""
        if self.reply_to is not None:
            return None if self.reply_to.deleted else self.reply_to
        if self.in_topic and self.thread != self.id:
            return self.chat.find(self.thread or 0)
        return None

    def _content(self, told: dict[str, Any]) -> None:
        if self.text:
            told["caption" if self.kind in CAPTIONED else "text"] = self.text
        if self.entities:
            told["caption_entities" if self.kind in CAPTIONED else "entities"] = self.entities
        told |= self.body
