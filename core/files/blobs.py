"""The bytes of files on disk, under generated names: whole or not there at all."""

import asyncio
import contextlib
import hashlib
import os
import re
import secrets
import shutil
from collections.abc import AsyncIterator, Iterator
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from core.files.model import Kept
from core.kernel.errors import TemporaryError, UserError
from core.kernel.ids import FileId

_ID = re.compile(r"[0-9a-f]{32}")


class Blobs:
    """A folder of files. `limit` is the size in bytes of the largest one."""

    def __init__(self, root: Path, limit: int) -> None:
        self.root = root
        self.limit = limit

    def path(self, file_id: str) -> Path:
        """Where the bytes of this file are. Raises LookupError for what is not a file id."""
        if not _ID.fullmatch(file_id):
            raise LookupError("no such file")
        return self.root / file_id[:2] / file_id

    async def keep(self, chunks: AsyncIterator[bytes]) -> Kept:
        """Stream to disk and make it durable.

        Raises UserError past the limit and TemporaryError when the disk cannot take it; then nothing stays.
        """
        file_id = FileId(secrets.token_hex(16))
        target = self.path(file_id)
        partial = target.with_suffix(".part")
        try:
            await asyncio.to_thread(target.parent.mkdir, parents=True, exist_ok=True)
            kept = await self._stream(file_id, partial, chunks)
            await asyncio.to_thread(self._name, partial, target)
        except OSError as error:
            raise TemporaryError(f"the file could not be kept: {error.strerror}") from error
        finally:
            with contextlib.suppress(OSError):
                partial.unlink(missing_ok=True)
        return kept

    async def _stream(self, file_id: FileId, partial: Path, chunks: AsyncIterator[bytes]) -> Kept:
        size, digest = 0, hashlib.sha256()
        out = await asyncio.to_thread(partial.open, "wb")
        try:
            async for chunk in chunks:
                size += len(chunk)
                if size > self.limit:
                    raise UserError("file.too_large", limit=self.limit // 1_000_000)
                digest.update(chunk)
                await asyncio.to_thread(out.write, chunk)
            await asyncio.to_thread(_settle, out)
        finally:
            out.close()
        return Kept(file_id, size, digest.hexdigest())

    def _name(self, partial: Path, target: Path) -> None:
        """Give the bytes their name, and let the disk know it: folders have to be told like files."""
        os.replace(partial, target)
        for folder in (target.parent, self.root, self.root.parent):
            handle = os.open(folder, os.O_RDONLY)
            try:
                os.fsync(handle)
            finally:
                os.close(handle)

    def remove(self, file_id: str) -> None:
        """Delete the bytes; a file that is gone already is not an error."""
        self.path(file_id).unlink(missing_ok=True)

    def before(self, instant: datetime) -> set[str]:
        """Every whole file that came before then."""
        return {path.name for path in self._whole() if path.stat().st_mtime < instant.timestamp()}

    def _whole(self) -> Iterator[Path]:
        return (path for path in self.root.glob("??/*") if _ID.fullmatch(path.name))

    def copy_to(self, root: Path) -> int:
        """Copy every whole file that is not there yet; returns how many of them are there now.

        What bears a name never changes, so that a copy that was broken off is gone on with. One that is
        forgotten meanwhile is left out. Raises OSError."""
        there = Blobs(root, self.limit)
        return sum(there._take_over(source) for source in self._whole())

    def _take_over(self, source: Path) -> bool:
        target = self.path(source.name)
        if target.exists():
            return True
        target.parent.mkdir(parents=True, exist_ok=True)
        partial = target.with_suffix(".part")
        try:
            with source.open("rb") as read, partial.open("wb") as out:
                shutil.copyfileobj(read, out)
                _settle(out)
        except FileNotFoundError:
            return False
        self._name(partial, target)
        return True

    def sweep_parts(self) -> None:
        """Delete what a crash left half-written."""
        for part in self.root.glob("??/*.part"):
            part.unlink(missing_ok=True)


def _settle(out: BinaryIO) -> None:
    out.flush()
    os.fsync(out.fileno())
