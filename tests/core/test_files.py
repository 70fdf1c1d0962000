"""Files: whole or not there, and gone once nothing can come of them."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from core.files import actions as files
from core.files import store
from core.files.blobs import Blobs
from core.kernel.errors import UserError
from core.kernel.ids import PersonId
from tests.town import Town


async def chunks(*parts: bytes) -> AsyncIterator[bytes]:
    for part in parts:
        yield part


async def test_a_file_past_the_limit_leaves_nothing_behind(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path, limit=5)
    with pytest.raises(UserError):
        await blobs.keep(chunks(b"1234", b"56"))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


async def test_a_file_is_kept_byte_for_byte_under_a_name_of_our_own(tmp_path: Path) -> None:
    blobs = Blobs(tmp_path, limit=100)
    kept = await blobs.keep(chunks(b"one ", b"two"))
    assert blobs.path(kept.file_id).read_bytes() == b"one two"
    assert kept.size == 7


async def test_a_kept_file_has_its_bytes_and_its_name_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was fsynced and where things stood then: the bytes, the name, and the folder's own name."""
    settled: list[tuple[str, bool]] = []
    real = os.fsync

    def fsync(handle: int) -> None:
        real(handle)
        where = Path(os.readlink(f"/proc/self/fd/{handle}"))
        settled.append((where.suffix or where.name, any(tmp_path.rglob("[0-9a-f]" * 32))))

    monkeypatch.setattr(os, "fsync", fsync)
    root = tmp_path / "files"
    kept = await Blobs(root, limit=100).keep(chunks(b"one"))
    assert settled == [(".part", False), (kept.file_id[:2], True), ("files", True), (tmp_path.name, True)]


@pytest.mark.parametrize("name", ["../../etc/passwd", "", "a" * 32 + "/", "Z" * 32])
def test_what_is_not_a_file_id_leads_nowhere(tmp_path: Path, name: str) -> None:
    with pytest.raises(LookupError):
        Blobs(tmp_path, limit=1).path(name)


async def test_the_sweep_takes_what_no_ticket_and_no_file_came_of_and_nothing_else(town: Town) -> None:
    blobs, ivan = town.house.blobs, PersonId(1)
    orphan = await blobs.keep(chunks(b"a crash came before its row"))
    loose = await blobs.keep(chunks(b"nobody sent it"))
    fresh = await blobs.keep(chunks(b"about to be sent"))
    add = partial(files.add, kept=loose, name="loose", mime="text/plain", owner=ivan)
    await town.database.write(add)
    town.clock.advance(files.LOOSE_FOR + timedelta(hours=1))
    now = town.clock.now().timestamp()
    long_ago = now - files.LOOSE_FOR.total_seconds() - 3600
    for kept in (orphan, loose):
        os.utime(blobs.path(kept.file_id), (long_ago, long_ago))
    os.utime(blobs.path(fresh.file_id), (now, now))

    await town.house.sweep.run()

    assert not blobs.path(orphan.file_id).exists()
    assert not blobs.path(loose.file_id).exists()
    assert blobs.path(fresh.file_id).exists()
    assert await town.database.read(lambda tx: store.get(tx, loose.file_id)) is None
