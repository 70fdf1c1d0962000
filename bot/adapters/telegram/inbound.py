"""Reading: a raw update becomes what somebody did. Nothing is decided, and nothing unknown is an error."""

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.incoming import Carried, Edited, Incoming, Pressed, Quoted, Reacted, Said, Sender, Trouble, What
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
    """What the update means; None where it is of no concern. Raises KeyError for a malformed one."""
    if "message" in update:
        return _message(update["message"], me)
    if "my_chat_member" in update:
        return _membership(update["my_chat_member"])
    if "edited_message" in update:
        return _edited(update["edited_message"])
    if "callback_query" in update:
        return _pressed(update["callback_query"])
    if "message_reaction" in update:
        return _reacted(update["message_reaction"])
    return None


def _sender(user: Json) -> Sender:
    name = " ".join(part for part in (user.get("first_name"), user.get("last_name")) if part)
    identity = Identity(PLATFORM, str(int(user["id"])))
    return Sender(
        identity, name or str(user["id"]), user.get("language_code"), automatic=bool(user.get("is_bot"))
    )


def _where(message: Json) -> Address:
    thread = message.get("message_thread_id") if message.get("is_topic_message") else None
    return Address(PLATFORM, str(message["chat"]["id"]), f"t{thread}" if thread else None)


def elsewhere(incoming: Incoming, room: str) -> Incoming:
    """The same, in the room's name in the desk."""
    return replace(incoming, where=Address(PLATFORM, room, incoming.where.thread))


def _at(message: Json) -> datetime:
    return datetime.fromtimestamp(message.get("edit_date") or message.get("date") or 0, UTC)


def _incoming(message: Json, user: Json, what: What) -> Incoming:
    private = message["chat"].get("type") == "private"
    return Incoming(_sender(user), _where(message), _at(message), what, private)


def _message(message: Json, me: Me) -> Incoming | None:
    if "from" not in message or message["chat"].get("type") == "channel":
        return None
    if "migrate_to_chat_id" in message:
        return _trouble(message, "moved")
    files = _files(message)
    text = _text(message)
    if not text and not files:
        return None
    reply = message.get("reply_to_message") or {}
    topic = message.get("message_thread_id") if message.get("is_topic_message") else None
    answers = reply.get("message_id") if reply and reply.get("message_id") != topic else None
    said = Said(
        text,
        str(message["message_id"]),
        tuple(files),
        reply_to=str(answers) if answers else None,
        quoted=_quoted(reply) if answers else None,
        addressed=_addressed(message, text, reply, me),
        album=message.get("media_group_id"),
    )
    return _incoming(message, message["from"], said)


def _quoted(reply: Json) -> Quoted | None:
    if "from" not in reply:
        return None
    return Quoted(_sender(reply["from"]), _text(reply), str(reply["message_id"]))


def _addressed(message: Json, text: str, reply: Json, me: Me) -> bool:
    """In a private chat always; among others when named, when answered, or when asked for a ticket."""
    if message["chat"].get("type") == "private" or reply.get("from", {}).get("id") == me.id:
        return True
    named = bool(me.name) and f"@{me.name}".casefold() in text.casefold()
    return named or text.startswith("/ticket")


_RIGHTS = ("can_manage_topics", "can_delete_messages")
"""What the bot must be allowed in a staff group with topics."""


def _membership(change: Json) -> Incoming | None:
    """The bot was put out of a group, or its rights there were taken."""
    if change["chat"].get("type") not in ("group", "supergroup"):
        return None
    before, after = change["old_chat_member"], change["new_chat_member"]
    if after["status"] in ("left", "kicked"):
        return _trouble(change, "removed")
    if before["status"] in ("left", "kicked"):
        return _trouble(change, "returned")
    lost = [right for right in _RIGHTS if before.get(right) and not after.get(right)]
    demoted = before["status"] == "administrator" and after["status"] != "administrator"
    return _trouble(change, "rights") if lost or demoted else None


def _trouble(event: Json, kind: str) -> Incoming:
    title = str(event["chat"].get("title") or event["chat"]["id"])
    return _incoming(event, event["from"], Trouble(kind, title))


def _edited(message: Json) -> Incoming | None:
    text = _text(message)
    if "from" not in message or not text:
        return None
    return _incoming(message, message["from"], Edited(text, str(message["message_id"])))


def _pressed(query: Json) -> Incoming | None:
    message = query.get("message")
    if message is None or "data" not in query:
        return None
    pressed = Pressed(str(query["data"]), str(message["message_id"]), str(query["id"]))
    return _incoming(message, query["from"], pressed)


def _reacted(reaction: Json) -> Incoming | None:
    """A new emoji; taking one back means nothing."""
    old = {each.get("emoji") for each in reaction.get("old_reaction", ())}
    fresh = [each["emoji"] for each in reaction.get("new_reaction", ()) if each.get("type") == "emoji"]
    added = [emoji for emoji in fresh if emoji not in old]
    if "user" not in reaction or not added:
        return None
    emoji = _MEANS.get(added[0].removesuffix("\ufe0f"), added[0])
    return _incoming(reaction, reaction["user"], Reacted(emoji, str(reaction["message_id"])))


_MEANS = {"👌": "✅", "✍": "🎫"}
"""People react with 73 emoji only (Bot API: ReactionTypeEmoji), and these two are not among them."""


def _text(message: Json) -> str:
    """The words; for what has none, the plainest words for what it is."""
    if said := message.get("text") or message.get("caption"):
        return str(said)
    if "sticker" in message:
        return str(message["sticker"].get("emoji") or "🖼")
    if "venue" in message:
        venue = message["venue"]
        return f"📍 {venue['title']}, {venue['address']} ({_point(venue['location'])})"
    if "location" in message:
        return f"📍 {_point(message['location'])}"
    if "contact" in message:
        contact = message["contact"]
        name = " ".join(part for part in (contact.get("first_name"), contact.get("last_name")) if part)
        return f"👤 {name} {contact['phone_number']}"
    if "poll" in message:
        options = "\n".join(f"▫️ {option['text']}" for option in message["poll"]["options"])
        return f"📊 {message['poll']['question']}\n{options}"
    if "dice" in message:
        return f"{message['dice']['emoji']} {message['dice']['value']}"
    return ""


def _point(location: Json) -> str:
    return f"{location['latitude']:.5f}, {location['longitude']:.5f}"


_SINGLE = ("document", "voice", "video", "video_note", "audio", "animation")
_NAMES = {"voice": "voice.ogg", "video": "video.mp4", "video_note": "video.mp4", "audio": "audio.mp3"}
_MIMES = {"voice": "audio/ogg", "video": "video/mp4", "video_note": "video/mp4", "audio": "audio/mpeg"}


def _files(message: Json) -> list[Carried]:
    files = []
    if photos := message.get("photo"):
        files.append(_photo(photos))
    for kind in _SINGLE:
        if kind in message and not (kind == "document" and "animation" in message):
            files.append(_file(kind, message[kind]))
    return files


def _photo(sizes: Sequence[Json]) -> Carried:
    largest = max(sizes, key=lambda size: size.get("width", 0) * size.get("height", 0))
    return Carried(largest["file_id"], "photo.jpg", "image/jpeg", largest.get("file_size"))


def _file(kind: str, file: Json) -> Carried:
    name = html.unescape(file.get("file_name") or _NAMES.get(kind, kind))
    mime = file.get("mime_type") or _MIMES.get(kind, "application/octet-stream")
    return Carried(file["file_id"], name, mime, file.get("file_size"))
