"""Files on their way to Telegram: streamed from disk, each as the kind it is."""

import asyncio
from typing import Any

from telegram import Bot, InputFile

from bot.adapters.port import Here
from bot.adapters.telegram import contents
from bot.message import Attachment

LIMIT = 50_000_000
"""Bytes of the largest file Telegram takes from a bot (Bot API: sending files)."""
PHOTO = 10_000_000
CAPTION = 1024
"""UTF-16 units of the longest caption (Bot API: sendDocument)."""
CAPTIONED = frozenset({"photo", "document", "voice", "video", "audio", "animation"})
"""What words can stand below of."""


def kind(file: Attachment) -> str:
    """What Telegram shows it as. What came as a picture, a voice, … goes as one; a picture that was sent as
    a file stays a file, for Telegram would make its pictures smaller."""
    by_name = {name: kind for kind, name in contents.NAMES.items()}
    found = by_name.get(file.name) or _BY_MIME.get(file.mime, "document")
    return "document" if found == "photo" and file.size > PHOTO else found


_BY_MIME = {"video/mp4": "video", "audio/mpeg": "audio", "audio/mp4": "audio"}


async def send(
    bot: Bot,
    path: Here,
    file: Attachment,
    chat: int,
    manner: dict[str, Any],
    *,
    as_: str,
) -> int:
    """Stream the file; returns the message's number."""
    handle = await asyncio.to_thread((await path(file.file_id)).open, "rb")
    try:
        content = InputFile(handle, filename=file.name, read_file_handle=False)
        act = getattr(bot, f"send_{as_}")
        message = await act(chat, content, **manner)
    finally:
        handle.close()
    return int(message.message_id)
