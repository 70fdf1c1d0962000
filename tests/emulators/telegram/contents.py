"""What messages carry besides words, in the Bot API's terms."""

from dataclasses import dataclass
from typing import Any

from tests.emulators.telegram.files import Files, Stored

MIMES = {"voice": "audio/ogg", "video_note": "video/mp4", "sticker": "image/webp", "photo": "image/jpeg"}
PIXEL = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR a picture for tests"


@dataclass(frozen=True)
class File:
    """A file somebody sends. `size` claims more bytes than there are, for what is too big to carry around."""

    name: str
    data: bytes = b"file"
    mime: str = ""
    size: int | None = None


def stored(files: Files, kind: str, sent: File | bytes) -> Stored:
    if isinstance(sent, bytes):
        sent = File("", sent, MIMES.get(kind, ""))
    return files.add(kind, sent.data, sent.name, sent.mime or MIMES.get(kind, ""), sent.size)


def body(files: Files, kind: str, kept: Stored) -> dict[str, Any]:
    """Bot API: PhotoSize, Document, Voice, Video, VideoNote, Audio, Animation, Sticker."""
    told = kept.json()
    named = {"mime_type": kept.mime} | ({"file_name": kept.name} if kept.name else {})
    match kind:
        case "photo":
            return {"photo": _sizes(files, kept)}
        case "voice":
            return {"voice": told | {"duration": 3, "mime_type": kept.mime}}
        case "video":
            return {"video": told | named | {"width": 640, "height": 360, "duration": 5}}
        case "video_note":
            return {"video_note": told | {"length": 240, "duration": 5}}
        case "audio":
            return {"audio": told | named | {"duration": 60, "title": kept.name or "song"}}
        case "animation":
            moving = told | named | {"width": 320, "height": 240, "duration": 2}
            return {"animation": moving, "document": told | named}
        case "sticker":
            return {"sticker": told | sticker()}
        case _:
            return {"document": told | named}


def _sizes(files: Files, kept: Stored) -> list[dict[str, Any]]:
    """Bot API: Message.photo. All available sizes, the largest last, each a file of its own."""
    small = files.add("photo", kept.data[:100], kept.name, kept.mime)
    return [
        small.json() | {"width": 90, "height": 60},
        kept.json() | {"width": 1280, "height": 853},
    ]


def sticker(emoji: str = "👍") -> dict[str, Any]:
    flat = {"is_animated": False, "is_video": False, "type": "regular", "width": 512, "height": 512}
    return flat | {"emoji": emoji, "set_name": "Animals"}


def contact(phone: str, first_name: str, user_id: int | None = None) -> dict[str, Any]:
    told = {"phone_number": phone, "first_name": first_name}
    return {"contact": told | ({"user_id": user_id} if user_id else {})}


def location(latitude: float, longitude: float) -> dict[str, Any]:
    return {"location": {"latitude": latitude, "longitude": longitude}}


def venue(latitude: float, longitude: float, title: str, address: str) -> dict[str, Any]:
    """Bot API: Message.venue. The location field is set too."""
    where = location(latitude, longitude)
    return where | {"venue": where | {"title": title, "address": address}}


def dice(emoji: str = "🎲", value: int = 4) -> dict[str, Any]:
    return {"dice": {"emoji": emoji, "value": value}}


def poll(question: str, options: list[str]) -> dict[str, Any]:
    choices = [
        {"persistent_id": str(number), "text": option, "voter_count": 0}
        for number, option in enumerate(options)
    ]
    told = {"id": "5314159265358979", "question": question, "options": choices, "total_voter_count": 0}
    told |= {"is_closed": False, "is_anonymous": True, "type": "regular", "allows_multiple_answers": False}
    return {"poll": told | {"allows_revoting": True, "members_only": False}}
