"""Channels and direct messages: who is in them, what can be seen there now, and what has been."""

from typing import TYPE_CHECKING, Any, Literal

from tests.emulators.slack.messages import Message
from tests.emulators.slack.names import Stamps

if TYPE_CHECKING:
    from tests.emulators.slack.person import Person
    from tests.emulators.slack.world import Slack

Kind = Literal["channel", "group", "im", "mpim"]
"""As `channel_type` has it: public, private, direct, direct with several."""
SPOKEN = {"im": "directmessage", "group": "privategroup", "mpim": "privategroup"}


class Channel:
    """A conversation. `messages` is what stands there now (threads included, in order), `history` all that
    ever did, ephemeral messages included. `shared`: with another workspace, by Slack Connect."""

    def __init__(self, world: "Slack", id: str, name: str, kind: Kind, *, shared: bool = False) -> None:
        self.world = world
        self.id = id
        self.name = name
        self.kind: Kind = kind
        self.shared = shared
        self.archived = False
        self.created = int(world.times.now())
        self.creator: Person | None = None
        self.members: dict[str, Person] = {}
        self.history: list[Message] = []
        self.by_ts: dict[str, Message] = {}
        self.threads: dict[str, list[Message]] = {}
        self.stamps = Stamps(world.times.now)

    @property
    def link(self) -> str:
        """The markup that names the channel."""
        return f"<#{self.id}|{self.name}>"

    @property
    def has_bot(self) -> bool:
        return self.world.bot.id in self.members

    @property
    def messages(self) -> list[Message]:
        return [one for one in self.history if not one.deleted and not one.tombstone and one.only_for is None]

    @property
    def texts(self) -> list[str]:
        """What each message says to its readers."""
        return [message.shown for message in self.messages]

    @property
    def last(self) -> Message:
        return self.messages[-1]

    @property
    def from_bot(self) -> list[Message]:
        return [message for message in self.messages if message.by_bot and message.subtype != "channel_join"]

    def private_to(self, user: "Person") -> list[Message]:
        """The ephemeral messages this person was shown here."""
        return [one for one in self.history if one.only_for is user and not one.deleted]

    def saying(self, words: str) -> Message:
        """The latest visible message with these words."""
        for message in reversed(self.messages):
            if words in message.shown:
                return message
        raise AssertionError(f"nothing with {words!r} in {self.texts}")

    async def sees(self, words: str, seconds: float = 5.0) -> Message:
        """Waits (real seconds) until a visible message has these words."""
        await self.world.until(
            lambda: any(words in text for text in self.texts), seconds, f"{words!r} in {self!r}"
        )
        return self.saying(words)

    def find(self, ts: str) -> Message | None:
        """By its timestamp; ephemeral messages are nowhere to be found."""
        found = self.by_ts.get(ts)
        return None if found is None or found.deleted else found

    def add(self, user: "Person | None", **told: Any) -> Message:
        message = Message(self, self.stamps.fresh(), user, **told)
        self.history.append(message)
        if message.only_for is None:
            self.by_ts[message.ts] = message
            self.threads.setdefault(message.thread_ts or message.ts, []).append(message)
        self.world.stir()
        return message

    def drop(self, message: Message) -> None:
        """A message with replies leaves a tombstone."""
        if message.replies:
            message.tombstone = True
        else:
            message.deleted = True
        self.world.stir()

    def json(self) -> dict[str, Any]:
        """Slack: conversation object."""
        told: dict[str, Any] = {"id": self.id, "created": self.created, "is_archived": self.archived}
        told |= {"is_im": self.kind == "im", "is_org_shared": False, "context_team_id": self.world.team}
        if self.kind == "im":
            other = next(user for user in self.members.values() if user is not self.world.bot)
            return told | {"user": other.id, "is_user_deleted": other.deleted, "priority": 0}
        told |= {"name": self.name, "name_normalized": self.name, "is_channel": self.kind == "channel"}
        told |= {"is_group": self.kind == "group", "is_mpim": self.kind == "mpim", "is_general": False}
        told |= {"is_private": self.kind != "channel", "is_member": self.has_bot, "is_shared": self.shared}
        told |= {"is_ext_shared": self.shared, "is_pending_ext_shared": False, "unlinked": 0}
        empty = {"value": "", "creator": "", "last_set": 0}
        told |= {"creator": self.creator.id if self.creator else "", "topic": empty, "purpose": empty}
        return told | {"num_members": len(self.members)}

    def spoken(self) -> dict[str, str]:
        """The channel as interactions name it."""
        return {"id": self.id, "name": SPOKEN.get(self.kind, self.name)}

    # What people do with a channel

    async def invite(self, user: "Person", by: "Person | None" = None) -> None:
        """`user` comes in; the bot may be invited too."""
        self.members[user.id] = user
        self.world.tell.joined(self, user, by)

    async def drop_member(self, user: "Person", by: "Person | None" = None) -> None:
        self.world.tell.left(self, user, by)
        self.members.pop(user.id, None)

    async def archive(self, by: "Person | None" = None) -> None:
        self.archived = True
        self.world.tell.archived(self, by)

    async def unarchive(self, by: "Person | None" = None) -> None:
        self.archived = False
        self.world.tell.archived(self, by)

    async def rename(self, name: str) -> None:
        self.name = name
        self.world.tell.renamed(self)

    def __repr__(self) -> str:
        return f"<{self.kind} {self.name} {self.id}>"
