"""Whom a call may reach: the chat, the topic, the message it names, or the refusal it earns."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tests.emulators.telegram.arguments import Arguments
from tests.emulators.telegram.chats import Chat, Private
from tests.emulators.telegram.groups import Group
from tests.emulators.telegram.messages import Message, Topic
from tests.emulators.telegram.refusals import Refused, bad, forbidden

if TYPE_CHECKING:
    from tests.emulators.telegram.world import Telegram

Need = Literal["read", "edit", "write"]


def chat(world: "Telegram", arguments: Arguments, need: Need = "write", key: str = "chat_id") -> Chat:
    """Client: check_chat. By number, or by @name where the group has one."""
    named = arguments.text(key)
    if not named:
        raise bad(f"{key} is empty")
    found = _named(world, named)
    if isinstance(found, Private):
        _private(found, need)
    elif isinstance(found, Group):
        _group(found, need)
    return found


def _named(world: "Telegram", named: str) -> Chat:
    if named.startswith("@"):
        for known in world.groups.values():
            if known.username and known.username.lower() == named[1:].lower():
                return known
        raise bad("chat not found")
    try:
        number = int(named)
    except ValueError:
        raise bad("chat not found") from None
    if number in world.groups:
        return world.groups[number]
    user = world.users.get(number)
    if user is None or not user.met:
        raise bad("chat not found")
    return user.chat


def _private(found: Private, need: Need) -> None:
    """Bot API: a bot cannot begin a conversation, and does not hear that it was blocked until it writes."""
    if need == "read":
        return
    if found.user.deactivated:
        raise forbidden("user is deactivated")
    if found.user is found.world.bot:
        raise forbidden("the bot can't send messages to itself")
    if found.user.is_bot:
        raise forbidden("bot can't send messages to bots")
    if not found.user.started:
        raise forbidden("bot can't initiate conversation with a user")
    if found.user.blocked:
        raise forbidden("bot was blocked by the user")


def _group(found: Group, need: Need) -> None:
    """Client: check_chat_access. A basic group that moved says where to; reading it is still allowed."""
    name = f"{found.kind} chat"
    if found.gone and need != "read":
        raise forbidden("the group chat was deleted")
    if found.migrated_to is not None and need == "write":
        raise bad("group chat was upgraded to a supergroup chat", migrate_to_chat_id=found.migrated_to.id)
    strict = need != "read" or found.kind == "supergroup"
    if found.bot == "kicked" and strict:
        raise forbidden(f"bot was kicked from the {name}")
    if found.bot == "left" and strict:
        raise forbidden(f"bot is not a member of the {name}")


def allowed_to_send(found: Chat, what: str = "text messages") -> None:
    """Bot API: a bot told to be silent gets 400, not 403."""
    if isinstance(found, Group) and not found.administers and not found.may_send:
        raise bad(f"not enough rights to send {what} to the chat")


def message(found: Chat, number: int, what: str) -> Message:
    """Client: check_message. `what` is how this method calls it: "message to edit", "message to delete"."""
    one = found.find(number) if number > 0 else None
    if one is None:
        raise bad(f"{what} not found")
    return one


@dataclass(frozen=True)
class Place:
    """Where in a chat a new message goes."""

    thread: int | None = None
    in_topic: bool = False
    reply_to: Message | None = None
    quote: str = ""


def place(world: "Telegram", found: Chat, arguments: Arguments) -> Place:
    """Bot API: reply_parameters, message_thread_id. Without a thread a reply goes where the replied message
    is."""
    replied, quote = _replied(world, found, arguments)
    number = arguments.number("message_thread_id")
    if number:
        topic = found.topic(number)
        if topic is None:
            raise bad("message thread not found")
    else:
        same = replied is not None and replied.chat is found and replied.in_topic
        topic = found.topic(replied.thread or 0) if same and replied is not None else None
    if topic is not None:
        _open(found, topic)
        return Place(topic.id, True, replied, quote)
    if replied is not None and replied.chat is found and found.kind == "supergroup":
        return Place(replied.thread or replied.id, False, replied, quote)
    return Place(None, False, replied, quote)


def _open(found: Chat, topic: Topic) -> None:
    """Telegram: in a closed topic only those who manage topics (and the one who opened it) may write."""
    if topic.closed and isinstance(found, Group) and not found.may("can_manage_topics") and not topic.by_bot:
        raise bad("TOPIC_CLOSED")


def _replied(world: "Telegram", found: Chat, arguments: Arguments) -> tuple[Message | None, str]:
    """Bot API: ReplyParameters; `reply_to_message_id` and `allow_sending_without_reply` are their old
    names."""
    wanted = arguments.object("reply_parameters") or {}
    if not isinstance(wanted, dict):
        raise bad("can't parse reply parameters JSON object")
    number = int(wanted.get("message_id") or arguments.number("reply_to_message_id"))
    if not number:
        return None, ""
    where = found
    if wanted.get("chat_id") not in (None, "", found.id, str(found.id)):
        where = chat(world, Arguments(wanted), "read")
    replied = where.find(number)
    if replied is None:
        if wanted.get("allow_sending_without_reply") or arguments.flag("allow_sending_without_reply"):
            return None, ""
        raise bad("message to be replied not found")
    quote = str(wanted.get("quote") or "")
    if quote and quote not in replied.text:
        raise bad("QUOTE_TEXT_INVALID")
    return replied, quote


def forum(world: "Telegram", arguments: Arguments) -> Group:
    """TDLib: ForumTopicManager::is_forum."""
    found = chat(world, arguments)
    if not isinstance(found, Group) or not found.forum:
        raise bad("the chat is not a forum")
    return found


def topic(found: Group, arguments: Arguments) -> Topic:
    number = arguments.number("message_thread_id")
    if number <= 0:
        raise bad("invalid message thread identifier specified")
    known = found.topic(number)
    if known is None:
        raise bad("TOPIC_ID_INVALID")
    return known


def right(found: Group, name: str, refusal: str, unless: bool = False) -> None:
    """TDLib: rights are looked at before the server is asked."""
    if not unless and not found.may(name):
        raise Refused(400, f"Bad Request: {refusal}")
