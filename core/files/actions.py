"""What happens to files: given by somebody, and swept when no ticket came of them."""

from collections.abc import Collection
from datetime import timedelta

from core.database.transaction import Transaction
from core.files import store
from core.files.model import File, Kept
from core.kernel import text
from core.kernel.ids import FileId, PersonId

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


async def sweep(tx: Transaction) -> list[FileId]:
    """Forget files no ticket owns after LOOSE_FOR; the caller deletes their bytes after the commit."""
    ids = await store.loose(tx, tx.now - LOOSE_FOR)
    await store.forget(tx, ids)
    return ids
