"""The bytes of files in the database, piece by piece: neither memory nor anybody's turn is filled by a large
one."""

import asyncio
import hashlib
from functools import partial
from pathlib import Path

from core.database.engine import Database
from core.files import store
from core.files.model import FileGone

PIECE = 256 * 1024


async def put(database: Database, file_id: str, path: Path) -> None:
    """Write the bytes that lie there into the database. What is there already stays, so that one that was
    broken off may be repeated. Raises OSError, TemporaryError."""
    with await asyncio.to_thread(path.open, "rb") as lies:
        place = 0
        while piece := await asyncio.to_thread(lies.read, PIECE):
            await database.write(partial(store.add_part, file_id=file_id, place=place, piece=piece))
            place += 1


async def bring(database: Database, file_id: str, path: Path) -> None:
    """Write the bytes of a file to that path. Raises FileGone where they are not whole in the database, and
    OSError."""
    file = await database.read(partial(store.get, file_id=file_id))
    if file is None:
        raise FileGone("no such file")
    digest, place = hashlib.sha256(), 0
    with await asyncio.to_thread(path.open, "wb") as out:
        while piece := await database.read(partial(store.part, file_id=file_id, place=place)):
            digest.update(piece)
            await asyncio.to_thread(out.write, piece)
            place += 1
    if digest.hexdigest() != file.sha256:
        raise FileGone("the bytes of a file are not whole in the database")
