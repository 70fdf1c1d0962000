"""What people do on the page, each in one transaction: into the transcript and into the inbox, once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from bot.adapters.webchat import store
from bot.message import Attachment, Message, Paragraph, Plain
from core.database.transaction import Transaction
from core.inbox import actions as inbox
from core.inbox.model import Event
from core.kernel.errors import Forbidden
from core.kernel.ids import Address, Identity

PLATFORM = "web"


class Repeated(Exception):
    """This was received before: undo the transaction, it has counted already."""


@dataclass(frozen=True, slots=True)
class Speaker:
    """Who does it, and the rooms in which they may speak."""

    identity: Identity
    name: str
    language: str
    rooms: Collection[str]


def direct_room(identity: Identity) -> str:
    """The room of this account and the desk alone."""
    return f"u-{identity.account}"


def is_direct(room: str) -> bool:
    return room.startswith("u-")


async def said(
    tx: Transaction,
    speaker: Speaker,
    *,
    key: str,
    room: str,
    thread: int | None,
    text: str,
    files: Sequence[Attachment] = (),
    reply_to: int | None = None,
) -> None:
    """Words and files. Raises Repeated, or Forbidden where this person may not speak."""
    await _check_place(tx, speaker, room, thread)
    if reply_to is not None:
        await _message(tx, speaker, room, reply_to)
    nonce = f"in:{speaker.identity.account}:{key}"
    message_id = await store.post(
        tx,
        room=room,
        thread=thread,
        author=speaker.identity,
        only_for=None,
        nonce=nonce,
        message=Message(_words(text) + tuple(files), author=Plain(speaker.name)),
    )
    if message_id is None:
        raise Repeated
    what = {
        "kind": "said",
        "text": text,
        "message": str(message_id),
        "files": [{"id": f.file_id, "name": f.name, "mime": f.mime, "size": f.size} for f in files],
        "reply_to": None if reply_to is None else str(reply_to),
    }
    await _accept(tx, speaker, key, room, thread, what)


async def pressed(
    tx: Transaction, speaker: Speaker, *, key: str, room: str, message_id: int, code: str
) -> None:
    """A button of a message that this person sees. Pressing a card's button belongs to its thread."""
    entry = await _message(tx, speaker, room, message_id)
    card = entry.message.tone == "card" and not is_direct(room)
    thread = entry.id if card and entry.thread is None else entry.thread
    what = {"kind": "pressed", "code": code, "message": str(message_id)}
    await _accept(tx, speaker, key, room, thread, what)


async def submitted(
    tx: Transaction,
    speaker: Speaker,
    *,
    key: str,
    room: str,
    thread: int | None,
    code: str,
    values: Mapping[str, str],
) -> None:
    """A form that was filled in."""
    await _check_place(tx, speaker, room, thread)
    what = {"kind": "submitted", "code": code, "values": [[name, value] for name, value in values.items()]}
    await _accept(tx, speaker, key, room, thread, what)


async def edited(
    tx: Transaction, speaker: Speaker, *, key: str, room: str, message_id: int, text: str
) -> None:
    """New words for a message of one's own; its files stay."""
    entry = await _message(tx, speaker, room, message_id)
    if entry.author != str(speaker.identity):
        raise Forbidden("web.unknown")
    files = tuple(block for block in entry.message.blocks if isinstance(block, Attachment))
    await _accept(
        tx,
        speaker,
        key,
        room,
        entry.thread,
        {"kind": "edited", "text": text, "message": str(message_id)},
    )
    await store.edit(tx, room, message_id, replace(entry.message, blocks=_words(text) + files))


def _words(text: str) -> tuple[Paragraph, ...]:
    return (Paragraph(Plain(text)),) if text else ()


async def _check_place(tx: Transaction, speaker: Speaker, room: str, thread: int | None) -> None:
    if room not in speaker.rooms:
        raise Forbidden("web.unknown")
    if thread is None:
        return
    root = await store.get(tx, thread)
    if root is None or root.room != room or root.thread is not None or not root.shown_to(speaker.identity):
        raise Forbidden("web.unknown")


async def _message(tx: Transaction, speaker: Speaker, room: str, message_id: int) -> store.Entry:
    entry = await store.get(tx, message_id) if room in speaker.rooms else None
    if entry is None or entry.room != room or entry.deleted or not entry.shown_to(speaker.identity):
        raise Forbidden("web.unknown")
    return entry


async def _accept(
    tx: Transaction, speaker: Speaker, key: str, room: str, thread: int | None, what: Mapping[str, Any]
) -> None:
    where = Address(PLATFORM, room, None if thread is None else str(thread))
    body = {
        "identity": str(speaker.identity),
        "name": speaker.name,
        "language": speaker.language,
        "room": where.room,
        "thread": where.thread,
        "at": tx.now.isoformat(),
        **what,
    }
    event = Event(f"{speaker.identity.account}:{key}", str(where), body)
    if not await inbox.accept(tx, PLATFORM, PLATFORM, [event]):
        raise Repeated
