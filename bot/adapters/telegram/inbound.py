"""Reading: a raw update becomes what somebody did. Nothing is decided, and nothing unknown is an error."""

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from typing import Any

from bot.adapters.telegram import contents
from bot.incoming import Edited, Incoming, Pressed, Quoted, Reacted, Said, Sender, Trouble, What
from core.kernel import marked
from core.kernel.ids import Address, Identity

PLATFORM = "telegram"
KINDS = ["message", "edited_message", "callback_query", "message_reaction", "my_chat_member"]
"""The updates we ask for: reactions come only when named (Bot API: getUpdates, allowed_updates)."""

Json = Mapping[str, Any]


def lane(update: Json) -> str:
    """The conversation an update belongs to: what must be handled in order."""
    for kind in ("message", "edited_message", "message_reaction", "my_chat_member"):
        if kind in update:
            return str(update[kind]["chat"]["id"])
    if "callback_query" in update:
        query = update["callback_query"]
        return str(query.get("message", {}).get("chat", {}).get("id", query["from"]["id"]))
    return "other"


@dataclass(frozen=True, slots=True)
class Me:
    """The bot itself; its name is known once it is connected."""

    id: int
    name: str = ""


def message_of(update: Json) -> str | None:
    """Which message of which room the update tells of."""
    message = update.get("message")
    return f"{message['chat']['id']}/{message['message_id']}" if message else None


def read(update: Json, me: Me) -> Incoming | None:
    """What the update means; None where it is of no concern. Raises ValueError for a malformed one."""
    try:
        for kind, reader in _READERS.items():
            if kind in update:
                return reader(_object(update[kind]), me)
    except (LookupError, TypeError, AttributeError, ArithmeticError, OSError, RecursionError) as error:
        raise ValueError(f"this is no update of Telegram's ({type(error).__name__})") from error
    return None


def _object(value: Any) -> Json:
    if not isinstance(value, Mapping):
        raise TypeError("not an object")
    return value


def _sender(user: Json) -> Sender:
    language = user.get("language_code")
    return Sender(
        Identity(PLATFORM, str(int(user["id"]))),
        contents.name(user),
        str(language) if language else None,
        automatic=bool(user.get("is_bot")),
    )


def _incoming(message: Json, user: Json, what: What) -> Incoming:
    private = message["chat"].get("type") == "private"
    topic = None if private else _topic(message)
    where = Address(PLATFORM, str(int(message["chat"]["id"])), f"t{topic}" if topic else None)
    at = datetime.fromtimestamp(int(message.get("edit_date") or message.get("date") or 0), UTC)
    return Incoming(_sender(user), where, at, what, private)


def _topic(message: Json) -> int | None:
    return int(message["message_thread_id"]) if message.get("is_topic_message") else None


def _message(message: Json, me: Me) -> Incoming | None:
    """Words and files. What cannot be read is empty words, in a private chat and in a topic, so that somebody
    can say so.

    What a channel forwards by itself to its discussion is meant for nobody there (Bot API: Message,
    is_automatic_forward)."""
    if "from" not in message or message["chat"].get("type") == "channel":
        return None
    if "migrate_to_chat_id" in message:
        return _trouble(message, "moved")
    text, files = contents.words(message), contents.files(message)
    private = message["chat"].get("type") == "private"
    answered = private or bool(message.get("is_topic_message"))
    if not (text or files) and (contents.service(message) or not answered):
        return None
    if not private and _for_another(text, me):
        return None
    said = _said(message, text, me)
    forwarded = bool(message.get("is_automatic_forward"))
    addressed = said.addressed and not forwarded
    heard = _incoming(message, message["from"], replace(said, files=files, addressed=addressed))
    automatic = heard.sender.automatic or forwarded or _perhaps_away(message, text)
    return replace(heard, sender=replace(heard.sender, automatic=automatic))


def _perhaps_away(message: Json, text: str) -> bool:
    """Whether it may be an away message, which Telegram marks like one that was scheduled. Those are sent in
    private chats alone, and none is a command (Bot API: Message, is_from_offline)."""
    private = message["chat"].get("type") == "private"
    return private and bool(message.get("is_from_offline")) and not text.startswith("/")


def _said(message: Json, text: str, me: Me) -> Said:
    """A reply to the message that opened a topic is none: Telegram makes one of everything said there."""
    reply: Json = message.get("reply_to_message") or {}
    answers = reply.get("message_id")
    album = message.get("media_group_id")
    answers = None if answers == _topic(message) else answers
    private = message["chat"].get("type") == "private"
    command = text.startswith("/")
    named = not private and not command and _named(text, me)
    ours = private or reply.get("from", {}).get("id") == me.id or named or (command and _to_us(text, me))
    return Said(
        marked.without(text, _mention(me.name)).strip() if named else text,
        str(int(message["message_id"])),
        reply_to=str(int(answers)) if answers else None,
        quoted=_quoted(reply) if answers else None,
        addressed=ours,
        album=str(album) if album else None,
        mentions=tuple(_mentions(message)),
    )


def _mentions(message: Json) -> Iterator[tuple[str, Identity]]:
    """Whose accounts are named; Telegram tells it of those who have no user name (Bot API: text_mention)."""
    text = str(message.get("text") or message.get("caption") or "").encode("utf-16-le")
    for each in message.get("entities") or message.get("caption_entities") or ():
        if each.get("type") == "text_mention":
            start, length = int(each["offset"]), int(each["length"])
            words = text[2 * start : 2 * (start + length)].decode("utf-16-le", "replace")
            yield words, Identity(PLATFORM, str(int(each["user"]["id"])))


def _quoted(reply: Json) -> Quoted | None:
    if "from" not in reply:
        return None
    message = str(int(reply["message_id"]))
    return Quoted(_sender(reply["from"]), contents.words(reply), message, contents.files(reply))


# ---- to whom it is said


@cache
def _mention(name: str) -> re.Pattern[str]:
    return re.compile(rf"\s?(?<![\w@])@{re.escape(name)}(?!\w)", re.IGNORECASE)


def _named(text: str, me: Me) -> bool:
    return bool(me.name) and _mention(me.name).search(text) is not None


_COMMAND = re.compile(r"/(\w+)(?:@(\w+))?")


def _to_us(text: str, me: Me) -> bool:
    """A command that names us, or the one that is meant for us wherever it is said."""
    command = _COMMAND.match(text)
    if command is None:
        return False
    return command[1].casefold() == "ticket" or (command[2] or "").casefold() == me.name.casefold() != ""


def _for_another(text: str, me: Me) -> bool:
    """A command that names another bot of the group."""
    command = _COMMAND.match(text)
    named = (command[2] or "") if command else ""
    return bool(named and me.name) and named.casefold() != me.name.casefold()


# ---- what happened to the bot itself


def _membership(change: Json, me: Me) -> Incoming | None:
    """The bot was put out of a group or came back, or what it may do there has changed."""
    if change["chat"].get("type") not in ("group", "supergroup"):
        return None
    before, after = _may(change["old_chat_member"]), _may(change["new_chat_member"])
    if lost := before - after:
        return _trouble(change, "removed" if "in" in lost else "rights")
    return _trouble(change, "returned") if after - before else None


_RIGHTS = ("can_manage_topics", "can_delete_messages")
"""What the bot must be allowed in a staff group with topics."""


def _may(member: Json) -> frozenset[str]:
    status = member["status"]
    if status in ("left", "kicked") or (status == "restricted" and not member.get("is_member", True)):
        return frozenset()
    mute = status == "restricted" and not member.get("can_send_messages")
    administers = {"administer", *(right for right in _RIGHTS if member.get(right))}
    return frozenset({"in"} | (set() if mute else {"speak"}) | (administers if "admin" in status else set()))


def _trouble(event: Json, kind: str) -> Incoming:
    """Whoever did it: an administrator may hide behind the group, which Telegram shows as a bot."""
    title = str(event["chat"].get("title") or event["chat"]["id"])
    heard = _incoming(event, event["from"], Trouble(kind, title))
    return replace(heard, sender=replace(heard.sender, automatic=False))


# ---- what happens to messages


def _edited(message: Json, me: Me) -> Incoming | None:
    """New words. Where somebody walks is not followed: a live location is edited every few seconds."""
    text = contents.words(message)
    if "from" not in message or not text or "location" in message:
        return None
    edited = Edited(_said(message, text, me).text, str(int(message["message_id"])))
    return _incoming(message, message["from"], edited)


def _pressed(query: Json, me: Me) -> Incoming | None:
    message = query.get("message")
    if message is None or "data" not in query:
        return None
    pressed = Pressed(str(query["data"]), str(int(message["message_id"])), str(query["id"]))
    return _incoming(message, query["from"], pressed)


def _reacted(reaction: Json, me: Me) -> Incoming | None:
    """A new emoji; taking one back means nothing."""
    old = {each.get("emoji") for each in reaction.get("old_reaction", ())}
    fresh = [str(each["emoji"]) for each in reaction.get("new_reaction", ()) if each.get("type") == "emoji"]
    added = [emoji for emoji in fresh if emoji not in old]
    if "user" not in reaction or not added:
        return None
    private = reaction["chat"].get("type") == "private"
    emoji = added[0] if private else _MEANS.get(added[0].removesuffix("\ufe0f"), added[0])
    return _incoming(reaction, reaction["user"], Reacted(emoji, str(int(reaction["message_id"]))))


_MEANS = {"👌": "✅", "✍": "🎫"}
"""People can react with 73 emoji only (Bot API: ReactionTypeEmoji); what these mean is not among them."""

_READERS: Mapping[str, Callable[[Json, Me], Incoming | None]] = {
    "message": _message,
    "my_chat_member": _membership,
    "edited_message": _edited,
    "callback_query": _pressed,
    "message_reaction": _reacted,
}


def renamed(incoming: Incoming, room: str, call: Callable[[str], str]) -> Incoming:
    """The same, with the room and its messages named as the desk names them."""
    what = incoming.what
    match what:
        case Said(message=message, reply_to=reply_to, quoted=quoted):
            what = replace(
                what,
                message=call(message),
                reply_to=call(reply_to) if reply_to else None,
                quoted=replace(quoted, message=call(quoted.message)) if quoted else None,
            )
        case Edited(message=message) | Reacted(message=message):
            what = replace(what, message=call(message))
        case Pressed(message=str(message)):
            what = replace(what, message=call(message))
    return replace(incoming, where=Address(PLATFORM, room, incoming.where.thread), what=what)
