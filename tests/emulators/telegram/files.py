"""Files on Telegram's side: kept by id, with the limits both ways."""

import hashlib
import itertools
import mimetypes
from dataclasses import dataclass
from typing import Any

from tests.emulators.telegram.refusals import Refused, bad

DOWNLOAD_LIMIT = 20 * 1024 * 1024
UPLOAD_LIMIT = 50 * 1024 * 1024
PHOTO_LIMIT = 10 * 1024 * 1024
FOLDERS = {
    "photo": "photos",
    "voice": "voice",
    "video": "videos",
    "video_note": "video_notes",
    "sticker": "stickers",
    "audio": "music",
    "animation": "animations",
}
PREFIXES = {"photo": "AgACAgIAAx", "sticker": "CAACAgIAAx", "voice": "AwACAgIAAx", "video_note": "DQACAgIAAx"}
PICTURES = (b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"RIFF", b"BM")


@dataclass(eq=False)
class Stored:
    """One file. `size` may be claimed without the bytes being there, for files too big to carry around."""

    kind: str
    file_id: str
    unique_id: str
    name: str
    mime: str
    data: bytes
    size: int
    path: str
    gone: bool = False

    def json(self) -> dict[str, Any]:
        return {"file_id": self.file_id, "file_unique_id": self.unique_id, "file_size": self.size}


class Files:
    def __init__(self) -> None:
        self.by_id: dict[str, Stored] = {}
        self.by_path: dict[str, Stored] = {}
        self._numbers = itertools.count(1)

    def add(self, kind: str, data: bytes, name: str = "", mime: str = "", size: int | None = None) -> Stored:
        number = next(self._numbers)
        digest = hashlib.sha256(f"{number}:{name}".encode() + data[:4096]).hexdigest()
        mime = mime or mimetypes.guess_type(name)[0] or "application/octet-stream"
        ending = name.rpartition(".")[2] if "." in name else "bin"
        stored = Stored(
            kind=kind,
            file_id=f"{PREFIXES.get(kind, 'BQACAgIAAx')}{number}{digest[:40]}",
            unique_id=f"AQAD{number}{digest[:11]}",
            name=name,
            mime=mime,
            data=data,
            size=len(data) if size is None else size,
            path=f"{FOLDERS.get(kind, 'documents')}/file_{number}.{ending}",
        )
        self.by_id[stored.file_id] = stored
        self.by_path[stored.path] = stored
        return stored

    def upload(self, kind: str, data: bytes, name: str, mime: str) -> Stored:
        """Bot API: sending files. 50 MB (photos 10 MB); a photo must be a picture; nothing may be empty."""
        if not data:
            raise bad("file must be non-empty")
        if len(data) > UPLOAD_LIMIT:
            raise Refused(413, "Request Entity Too Large")
        if kind == "photo" and len(data) > PHOTO_LIMIT:
            most = f"the maximum size is {PHOTO_LIMIT} bytes"
            raise bad(f"file of size {len(data)} bytes is too big for a photo; {most}")
        if kind == "photo" and not data.startswith(PICTURES):
            raise bad("IMAGE_PROCESS_FAILED")
        return self.add(kind, data, name, mime)

    def get(self, file_id: str) -> dict[str, Any]:
        """Bot API: getFile. 20 MB (the server: 20 MiB) and no more; the path goes into a link with the
        token."""
        if not file_id:
            raise bad("file_id not specified")
        stored = self.by_id.get(file_id)
        if stored is None:
            raise bad("invalid file_id")
        if stored.size > DOWNLOAD_LIMIT:
            raise bad("file is too big")
        if stored.gone:
            raise bad("wrong file_id or the file is temporarily unavailable")
        return stored.json() | {"file_path": stored.path}
