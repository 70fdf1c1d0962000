"""What happens to files: given by somebody, and swept when no ticket came of them."""

from collections.abc import Awaitable, Callable, Collection
from datetime import timedelta

from core.database.transaction import Transaction
from core.files import store
from core.files.model import File, Kept
from core.kernel import text
from core.kernel.ids import FileId, PersonId

Holder = Callable[[Transaction, Collection[str]], Awaitable[Collection[str]]]
"""Asks a table which of the texts stand in it."""
LOOSE_FOR = timedelta(days=7)
"""How long a file waits for its ticket."""


async def add(tx: Transaction, kept: Kept, *, name: str, mime: str, owner: PersonId) -> File:
    """Write down a file whose bytes are on disk already."""
    shown = text.shorten(text.clean(name).replace("/", "_").replace("\\", "_"), 200) or "file"
    file = File(kept.file_id, shown, mime[:100], kept.size, kept.sha256, owner, None, None, tx.now)
    await store.add(tx, file)
    return file


async def unknown(tx: Transaction, ids: Collection[str]) -> set[str]:
    """Those of the files on disk that the desk has never written down: a crash came in between."""
    return {file_id for file_id in ids if await store.get(tx, file_id) is None}


async def sweep(tx: Transaction, holders: Collection[Holder]) -> list[FileId]:
    """Forget files that no ticket owns after LOOSE_FOR and that none of the holders still names.

    The caller deletes their bytes after the commit."""
    loose = await store.loose(tx, tx.now - LOOSE_FOR)
    held = [await holding(tx, loose) for holding in holders]
    gone = [file_id for file_id in loose if not any(file_id in each for each in held)]
    await store.forget(tx, gone)
    await store.forget_parts(tx, tx.now - LOOSE_FOR)
    return gone
