"""Groups: who is in them, what the bot may do there, and what happens to them."""

from typing import TYPE_CHECKING, Any

from tests.emulators.telegram.chats import Chat, numbers
from tests.emulators.telegram.membership import RIGHTS, member
from tests.emulators.telegram.messages import Message, Topic

if TYPE_CHECKING:
    from tests.emulators.telegram.people import User
    from tests.emulators.telegram.world import Telegram

COLORS = (0x6FB9F0, 0xFFD67E, 0xCB86DB, 0x8EEE98, 0xFF93B2, 0xFB6F5F)


class Group(Chat):
    """A supergroup (its id begins with -100) or a basic group. `bot` is what the bot is here: administrator,
    member, restricted, left or kicked; `rights` what it may do as an administrator."""

    def __init__(
        self, world: "Telegram", number: int, title: str, *, forum: bool, bot: str, username: str
    ) -> None:
        super().__init__(world, number)
        self.kind = "supergroup" if str(number).startswith("-100") else "group"
        assert self.kind == "supergroup" or not forum, "only supergroups have topics"
        self.title = title
        self.username = username
        self.forum = forum
        self.bot = bot
        self.anonymous: set[int] = set()
        """Administrators who act in the group's name."""
        self.rights = dict.fromkeys(RIGHTS, True) | {"can_promote_members": False, "is_anonymous": False}
        self.may_send = True
        self.members: dict[int, User] = {}
        self.admins: dict[int, User] = {}
        self.owner: User | None = None
        self.topics: dict[int, Topic] = {}
        self.migrated_to: Group | None = None
        self.gone = False
        self._own_ids = numbers()

    def ids(self) -> Any:
        return self._own_ids if self.kind == "supergroup" else super().ids()

    def json(self) -> dict[str, Any]:
        """Bot API: Chat."""
        told: dict[str, Any] = {"id": self.id, "title": self.title, "type": self.kind}
        if self.forum:
            told["is_forum"] = True
        if self.username:
            told["username"] = self.username
        return told | ({"all_members_are_administrators": True} if self.kind == "group" else {})

    @property
    def administers(self) -> bool:
        return self.bot == "administrator"

    def may(self, right: str) -> bool:
        return self.administers and self.rights[right]

    def topic(self, number: int) -> Topic | None:
        found = self.topics.get(number) if self.forum else None
        return None if found is None or found.deleted else found

    def in_topic(self, topic: Topic | int) -> list[Message]:
        """What can be seen in one topic, without service messages."""
        number = topic.id if isinstance(topic, Topic) else topic
        return [
            one for one in self.messages if one.thread == number and not one.kind.startswith("forum_topic")
        ]

    def hears(self, message: Message) -> bool:
        """Bot features: privacy mode. With it on a bot that is no administrator hears commands (but not
        another bot's), replies to itself, service messages, and (BotFather) messages with its @name."""
        if self.bot in ("left", "kicked"):
            return False
        if self.administers or not self.world.privacy or message.kind in self.world.SERVICE:
            return True
        if message.reply_to is not None and message.reply_to.sender is self.world.bot:
            return True
        mine = f"@{self.world.bot.username}".lower()
        if message.text.startswith("/"):
            command = message.text.split()[0].lower()
            return "@" not in command or command.endswith(mine)
        mentions = [mention.lower() for mention in message.marked("mention")]
        return self.world.mentions_heard and mine in mentions

    def hears_reactions(self) -> bool:
        return self.administers

    def service(self, by: "User | None", kind: str, content: Any, thread: int | None = None) -> Message:
        """Bot API: service messages. The bot hears them all, even those its own acts leave behind."""
        message = self.add(by, kind=kind, body={kind: content})
        if thread is not None:
            message.thread, message.in_topic = thread, True
        if self.bot not in ("left", "kicked"):
            if by is not None:
                by.met = True
            self.tell(message)
        return message

    # Members

    async def add_member(self, user: "User", by: "User | None" = None) -> None:
        """Bot API: new_chat_members, and chat_member for administrators that ask for it."""
        was = member(self, user)
        self.members[user.id] = user
        self.service(by or user, "new_chat_members", [user.json()])
        self.membership(by or user, user, was)

    async def drop_member(self, user: "User", by: "User | None" = None) -> None:
        was = member(self, user)
        self.members.pop(user.id, None)
        self.admins.pop(user.id, None)
        self.service(by or user, "left_chat_member", user.json())
        self.membership(by or user, user, was)

    async def promote(self, user: "User") -> None:
        was = member(self, user)
        self.admins[user.id] = user
        self.membership(self._someone(), user, was)

    def membership(self, by: "User", user: "User", was: dict[str, Any]) -> None:
        if user is not self.world.bot and not self.administers:
            return
        kind = "my_chat_member" if user is self.world.bot else "chat_member"
        told = {"chat": self.json(), "from": by.json(), "date": self.world.times.unix()}
        told |= {"old_chat_member": was, "new_chat_member": member(self, user)}
        lane = f"member:{self.id if user is self.world.bot else user.id}"
        self.world.updates.push(kind, told, lane, 86400)

    def _someone(self) -> "User":
        """Whoever runs the group."""
        people = [self.owner, *self.admins.values(), *self.members.values()]
        return next((one for one in people if one is not None), self.world.bot)

    # The bot's own standing

    async def add_bot(self, by: "User | None" = None, bot: str = "member") -> None:
        was = member(self, self.world.bot)
        self.bot = bot
        self.membership(by or self._someone(), self.world.bot, was)
        self.service(by or self._someone(), "new_chat_members", [self.world.bot.json()])

    async def remove_bot(self, by: "User | None" = None) -> None:
        """Bot API: my_chat_member with `kicked`; the message about it is the last thing heard from the
        group."""
        was, by = member(self, self.world.bot), by or self._someone()
        self.service(by, "left_chat_member", self.world.bot.json())
        self.bot = "kicked"
        self.membership(by, self.world.bot, was)

    async def set_rights(self, *, admin: bool = True, may_send: bool = True, **rights: bool) -> None:
        """Change what the bot may do: `can_manage_topics=False`, `admin=False` for none at all,
        `may_send=False` for a bot told to be silent. Bot API: my_chat_member."""
        unknown = set(rights) - set(self.rights)
        assert not unknown, f"no such rights: {unknown}"
        was = member(self, self.world.bot)
        self.bot = "administrator" if admin else "member" if may_send else "restricted"
        self.may_send = may_send
        self.rights |= rights
        self.membership(self._someone(), self.world.bot, was)

    async def migrate(self, to: int | None = None) -> "Group":
        """Bot API: migrate_to_chat_id. A basic group becomes a supergroup: new id, new numbering, the old id
        refuses everything and names the new one."""
        assert self.kind == "group", "only a basic group becomes a supergroup"
        number = to or int(f"-100{abs(self.id):010d}")
        new = self.world.group(number, self.title, bot=self.bot)
        new.members, new.admins, new.owner = dict(self.members), dict(self.admins), self.owner
        new.rights, new.may_send = dict(self.rights), self.may_send
        self.service(self._someone(), "migrate_to_chat_id", new.id)
        self.migrated_to = new
        new.service(self._someone(), "migrate_from_chat_id", self.id)
        return new

    def dissolve(self) -> None:
        """The group is deleted."""
        self.gone = True

    async def forum_on(self) -> None:
        self.forum = True

    async def forum_off(self) -> None:
        """Telegram tells the bot nothing when topics are switched off; it finds out from refusals."""
        self.forum = False

    # Topics

    async def create_topic(
        self, name: str, by: "User | None" = None, color: int = 0, icon: str | None = None
    ) -> Topic:
        """Bot API: forum_topic_created. The topic has the number of the message that says it was opened."""
        return self.open_topic(by or self._someone(), name, color, icon)

    def open_topic(self, by: "User", name: str, color: int = 0, icon: str | None = None) -> Topic:
        content: dict[str, Any] = {
            "name": name,
            "icon_color": color or COLORS[len(self.topics) % len(COLORS)],
        }
        if icon:
            content["icon_custom_emoji_id"] = icon
        message = self.add(by, kind="forum_topic_created", body={"forum_topic_created": content})
        message.thread, message.in_topic = message.id, True
        topic = Topic(message.id, name, content["icon_color"], icon, by_bot=by is self.world.bot)
        self.topics[topic.id] = topic
        if self.bot not in ("left", "kicked"):
            self.tell(message)
        return topic

    async def rename_topic(self, topic: Topic, name: str, by: "User | None" = None) -> None:
        topic.name = name
        self.service(by or self._someone(), "forum_topic_edited", {"name": name}, topic.id)

    async def close_topic(self, topic: Topic, by: "User | None" = None) -> None:
        topic.closed = True
        self.service(by or self._someone(), "forum_topic_closed", {}, topic.id)

    async def reopen_topic(self, topic: Topic, by: "User | None" = None) -> None:
        topic.closed = False
        self.service(by or self._someone(), "forum_topic_reopened", {}, topic.id)

    async def delete_topic(self, topic: Topic) -> None:
        """Bot API: there is no update for a deleted topic; its messages go with it."""
        topic.deleted = True
        for message in self.history:
            message.deleted = message.deleted or message.thread == topic.id
        self.world.stir()
