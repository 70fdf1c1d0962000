"""People with Telegram in their hands: they write, press, react, edit and block."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.emulators.telegram import contents
from tests.emulators.telegram.chats import Chat, Private
from tests.emulators.telegram.contents import File
from tests.emulators.telegram.entities import Entity, found
from tests.emulators.telegram.formatted import Formatted
from tests.emulators.telegram.messages import Message
from tests.emulators.telegram.reactions import known

if TYPE_CHECKING:
    from tests.emulators.telegram.groups import Group
    from tests.emulators.telegram.world import Telegram

FILES = ("photo", "document", "voice", "video", "video_note", "audio", "animation", "sticker")
QUERY_LIVES_FOR = 150


@dataclass(eq=False)
class Press:
    """A press of a button, and what the person was told. `expired`: Telegram no longer takes an answer."""

    id: str
    user: "User"
    message: Message
    data: str
    at: float
    answered: bool = False
    text: str = ""
    show_alert: bool = False
    url: str = ""


class User:
    """`met`: the bot has seen this person; `started`: they wrote to it in private; `blocked`: they will not
    hear it."""

    def __init__(self, world: "Telegram", number: int, first_name: str, **more: Any) -> None:
        self.world = world
        self.id = number
        self.first_name = first_name
        self.last_name: str = more.get("last_name", "")
        self.username: str = more.get("username", "")
        self.language_code: str = more.get("language_code", "")
        self.is_bot: bool = more.get("is_bot", False)
        self.met = self.is_bot
        self.started = False
        self.blocked = False
        self.deactivated = False
        self.chat = Private(world, self)

    def json(self) -> dict[str, Any]:
        """Bot API: User."""
        told: dict[str, Any] = {"id": self.id, "is_bot": self.is_bot, "first_name": self.first_name}
        more = {"last_name": self.last_name, "username": self.username, "language_code": self.language_code}
        return told | {key: value for key, value in more.items() if value}

    @property
    def messages(self) -> list[Message]:
        """What they see in their private chat with the bot."""
        return self.chat.messages

    async def start(self, payload: str = "") -> Message:
        """Bot API: deep linking. `https://t.me/bot?start=payload` sends `/start payload`; it unblocks the bot
        too."""
        if self.blocked:
            await self.unblock_bot()
        return await self.send(f"/start {payload}".strip())

    async def send(
        self,
        text: str = "",
        *,
        chat: "Chat | None" = None,
        reply_to: Message | None = None,
        quote: str = "",
        thread: int | None = None,
        entities: Sequence[Entity] = (),
        location: tuple[float, float] | None = None,
        contact: str = "",
        poll: tuple[str, list[str]] | None = None,
        dice: str = "",
        forward_from: "User | Chat | str | None" = None,
        anonymous: bool = False,
        body: dict[str, Any] | None = None,
        **file: File | bytes,
    ) -> Message:
        """Write to the bot, or into `chat`. A file comes as `photo=`, `document=`, `voice=`, `video=`,
        `video_note=`, `audio=`, `animation=` or `sticker=`; `forward_from` a name is somebody hidden; `body`
        is any other content in the Bot API's own words."""
        more: dict[str, Any] = dict(body or {})
        if location:
            more |= contents.location(*location)
        if contact:
            more |= contents.contact(contact, self.first_name, self.id)
        if poll:
            more |= contents.poll(*poll)
        if dice:
            more |= contents.dice(dice)
        if forward_from is not None:
            more |= self._origin(forward_from)
        kind = next(iter(file), next(iter(more), "text") if not text else "text")
        assert set(file) <= set(FILES), f"no such kind of file: {set(file) - set(FILES)}"
        message = self._write(chat, kind, text, entities, more, file.get(kind))
        message.anonymous = anonymous
        self._place(message, reply_to, quote, thread)
        self._deliver(message)
        return message

    async def send_album(
        self,
        files: Sequence[File | bytes],
        text: str = "",
        *,
        kind: str = "photo",
        chat: "Chat | None" = None,
        reply_to: Message | None = None,
        thread: int | None = None,
    ) -> list[Message]:
        """Bot API: media_group_id. An album comes as separate messages, with nothing that says which is the
        last; the caption is on the first."""
        album = self.world.fresh_id()
        sent = []
        for number, file in enumerate(files):
            message = self._write(chat, kind, text if number == 0 else "", (), {}, file)
            message.album = album
            self._place(message, reply_to, "", thread)
            self._deliver(message)
            sent.append(message)
        return sent

    def _write(
        self,
        chat: "Chat | None",
        kind: str,
        text: str,
        entities: Sequence[Entity],
        more: dict[str, Any],
        file: File | bytes | None,
    ) -> Message:
        where = chat or self.chat
        assert not (self.blocked and where is self.chat), (
            "they blocked the bot: start() or unblock_bot() first"
        )
        formatted = Formatted(text, found(text, list(entities)))
        message = where.add(self, kind=kind, formatted=formatted, body=more)
        if file is not None:
            kept = contents.stored(self.world.files, kind, file)
            message.files.append(kept)
            message.body = contents.body(self.world.files, kind, kept) | more
        return message

    def _place(self, message: Message, reply_to: Message | None, quote: str, thread: int | None) -> None:
        """Bot API: message_thread_id. In a forum the topic; elsewhere in a supergroup the reply chain's first
        message, and then without is_topic_message."""
        message.reply_to, message.quote = reply_to, quote
        if thread is None and reply_to is not None and reply_to.in_topic:
            thread = reply_to.thread
        if thread is not None and message.chat.topic(thread) is not None:
            message.thread, message.in_topic = thread, True
        elif reply_to is not None and message.chat.kind == "supergroup":
            message.thread = reply_to.thread or reply_to.id

    def _deliver(self, message: Message, kind: str = "message") -> None:
        if message.chat is self.chat:
            self.started = True
        if message.chat.hears(message):
            self.met = True
            message.chat.tell(message, kind)

    def _origin(self, whom: "User | Chat | str") -> dict[str, Any]:
        """Bot API: MessageOrigin. A person, one who hides behind a name, or a chat."""
        date = self.world.times.unix()
        if isinstance(whom, str):
            return {"forward_origin": {"type": "hidden_user", "date": date, "sender_user_name": whom}}
        if isinstance(whom, User):
            return {"forward_origin": {"type": "user", "date": date, "sender_user": whom.json()}}
        return {"forward_origin": {"type": "chat", "date": date, "sender_chat": whom.json()}}

    async def edit(self, message: Message, text: str) -> None:
        """Bot API: Update.edited_message."""
        assert message.sender is self, "people edit their own messages"
        message.edits.append(message.text)
        message.formatted = Formatted(text, found(text, []))
        message.edited_at = self.world.times.unix()
        self._deliver(message, "edited_message")
        self.world.stir()

    async def delete(self, message: Message) -> None:
        """Bot API: there is no update for a deleted message."""
        message.deleted = True
        self.world.stir()

    async def press(self, message: Message, what: str, *, stale: bool = False) -> Press:
        """Press the button with this label or data. `stale`: it is not there any more but still on their
        screen; then `what` is its data. Bot API: CallbackQuery, which waits in the person's own queue, 150 s
        at most."""
        data = what if stale else message.button(what)["callback_data"]
        press = Press(self.world.fresh_id(), self, message, data, self.world.times.now())
        self.world.presses[press.id] = press
        self.met = True
        query = {"id": press.id, "from": self.json(), "chat_instance": str(message.chat.id * 7), "data": data}
        inside = {"chat": message.chat.json(), "message_id": message.id, "date": 0}
        query["message"] = inside if message.deleted else message.json()
        self.world.updates.push("callback_query", query, f"press:{self.id}", QUERY_LIVES_FOR)
        return press

    async def react(self, message: Message, *emojis: str, custom: str = "") -> None:
        """Bot API: message_reaction. Told only of private chats and of groups where the bot is an
        administrator, and only when asked for. People can react with 73 emoji, and with custom ones if they
        pay."""
        for emoji in emojis:
            assert known(emoji), f'Telegram has no reaction {emoji!r}; with a subscription: custom="its id"'
        new: list[dict[str, str]] = [{"type": "emoji", "emoji": emoji} for emoji in emojis]
        if custom:
            new.append({"type": "custom_emoji", "custom_emoji_id": custom})
        old = message.reactions.get(self.id, [])
        message.reactions[self.id] = new
        self.world.stir()
        if not message.chat.hears_reactions():
            return
        told = {"chat": message.chat.json(), "message_id": message.id, "user": self.json()}
        told |= {"date": self.world.times.unix(), "old_reaction": old, "new_reaction": new}
        self.met = True
        self.world.updates.push("message_reaction", told, f"reactions:{message.chat.id}", 86400)

    async def block_bot(self) -> None:
        """Bot API: my_chat_member. In a private chat it is told when the bot is blocked or unblocked."""
        self.blocked = True
        self._my_membership("member", "kicked")

    async def unblock_bot(self) -> None:
        self.blocked = False
        self._my_membership("kicked", "member")

    def _my_membership(self, old: str, new: str) -> None:
        until = {"until_date": 0}
        bot = self.world.bot.json()
        states = [
            {"user": bot, "status": status} | (until if status == "kicked" else {}) for status in (old, new)
        ]
        told = {"chat": self.chat.json(), "from": self.json(), "date": self.world.times.unix()}
        told |= {"old_chat_member": states[0], "new_chat_member": states[1]}
        self.world.updates.push("my_chat_member", told, f"member:{self.id}", 86400)

    def deactivate(self) -> None:
        """The account is deleted: nobody is told, the bot's next message is refused."""
        self.deactivated = True

    async def join(self, group: "Group") -> None:
        await group.add_member(self)

    async def leave(self, group: "Group") -> None:
        await group.drop_member(self)

    def __repr__(self) -> str:
        return f"<{self.first_name} {self.id}>"
