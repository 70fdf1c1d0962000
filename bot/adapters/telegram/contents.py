"""What a message holds: its words, and the files that came along, each as what it is."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from bot.adapters.telegram import entities
from bot.incoming import Carried
from core.kernel import marked

Json = Mapping[str, Any]
LIMIT = 20_000_000
"""Bytes of the largest file Telegram hands to a bot (Bot API: getFile)."""

NAMES = {
    "photo": "photo.jpg",
    "voice": "voice.ogg",
    "video": "video.mp4",
    "video_note": "video-note.mp4",
    "audio": "audio.mp3",
    "animation": "animation.mp4",
}
"""What files are called that came without a name."""
_MIMES = {
    "voice": "audio/ogg",
    "video": "video/mp4",
    "video_note": "video/mp4",
    "audio": "audio/mpeg",
    "animation": "video/mp4",
}
_SINGLE = ("document", "voice", "video", "video_note", "audio", "animation")

_SERVICE = frozenset(
    """
    new_chat_members left_chat_member new_chat_title new_chat_photo delete_chat_photo group_chat_created
    supergroup_chat_created channel_chat_created message_auto_delete_timer_changed migrate_to_chat_id
    migrate_from_chat_id pinned_message successful_payment refunded_payment users_shared chat_shared gift
    unique_gift gift_upgrade_sent connected_website write_access_allowed passport_data
    proximity_alert_triggered boost_added chat_background_set checklist_tasks_done checklist_tasks_added
    direct_message_price_changed forum_topic_created forum_topic_edited forum_topic_closed
    forum_topic_reopened general_forum_topic_hidden general_forum_topic_unhidden giveaway_created
    giveaway_completed paid_message_price_changed suggested_post_approved suggested_post_approval_failed
    suggested_post_declined suggested_post_paid suggested_post_refunded video_chat_scheduled
    video_chat_started video_chat_ended video_chat_participants_invited web_app_data
    """.split()  # noqa: SIM905
)


def service(message: Json) -> bool:
    """Whether Telegram tells of something that happened, and nobody said anything."""
    return not _SERVICE.isdisjoint(message)


def words(message: Json) -> str:
    """What was said, as it was set; for what has no words, the plainest words for what it is."""
    said = _said(message) or _told(message)
    if "forward_origin" not in message:
        return said
    return marked.joined("\n", (f"↪️ {_origin(message['forward_origin'])}:", said)).strip()


def _said(message: Json) -> str:
    if text := message.get("text"):
        return entities.read(str(text), message.get("entities") or ())
    return entities.read(str(message.get("caption") or ""), message.get("caption_entities") or ())


def _told(message: Json) -> str:
    return next((tell(message) for kind, tell in _TOLD.items() if kind in message), "")


def _origin(origin: Json) -> str:
    """Whose words were forwarded."""
    if "sender_user" in origin:
        return name(origin["sender_user"])
    chat = origin.get("sender_chat") or origin.get("chat") or {}
    return str(origin.get("sender_user_name") or chat.get("title") or "…")


def name(user: Json) -> str:
    """How a person calls themselves."""
    parts = (user.get("first_name"), user.get("last_name"))
    return " ".join(str(part) for part in parts if part) or str(user.get("id", ""))


def _venue(message: Json) -> str:
    venue = message["venue"]
    return f"📍 {venue['title']}, {venue['address']} ({_point(venue['location'])})"


def _contact(message: Json) -> str:
    contact = message["contact"]
    return f"👤 {name(contact)} {contact['phone_number']}"


def _poll(message: Json) -> str:
    return _listed("📊", message["poll"]["question"], message["poll"]["options"])


def _checklist(message: Json) -> str:
    return _listed("☑️", message["checklist"]["title"], message["checklist"]["tasks"])


def _listed(mark: str, title: str, lines: Iterable[Json]) -> str:
    return "\n".join([f"{mark} {title}", *(f"▫️ {line['text']}" for line in lines)])


def _point(location: Json) -> str:
    return f"{location['latitude']:.5f}, {location['longitude']:.5f}"


def _sticker(message: Json) -> str:
    return str(message["sticker"].get("emoji") or "🖼")


def _dice(message: Json) -> str:
    return f"{message['dice']['emoji']} {message['dice']['value']}"


def _location(message: Json) -> str:
    return f"📍 {_point(message['location'])}"


_TOLD: Mapping[str, Callable[[Json], str]] = {
    "sticker": _sticker,
    "venue": _venue,
    "location": _location,
    "contact": _contact,
    "poll": _poll,
    "checklist": _checklist,
    "dice": _dice,
}
"""The first that fits: a venue has a location too."""


def files(message: Json) -> tuple[Carried, ...]:
    """The files, photos in their largest size."""
    found = []
    if photos := message.get("photo"):
        found.append(_carried("photo", _largest(photos), mime="image/jpeg"))
    for kind in _SINGLE:
        if kind in message and not (kind == "document" and "animation" in message):
            found.append(_carried(kind, message[kind]))
    return tuple(found)


def _largest(sizes: Sequence[Json]) -> Json:
    return max(sizes, key=lambda size: int(size.get("width", 0)) * int(size.get("height", 0)))


def _carried(kind: str, file: Json, mime: str = "") -> Carried:
    size = file.get("file_size")
    return Carried(
        key=str(file["file_id"]),
        name=str(file.get("file_name") or NAMES.get(kind, kind)),
        mime=mime or str(file.get("mime_type") or _MIMES.get(kind, "application/octet-stream")),
        size=None if size is None else int(size),
        limit=LIMIT,
    )
