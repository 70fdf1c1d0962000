"""What the desk's door promises to every adapter: what `accept` returned for is on disk, once."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bot.adapters.port import Raw
from core.inbox import store as inbox
from core.kernel.errors import TemporaryError
from tests.contract.rig import BULKY, disk_full
from tests.town import Town
from tests.town import town as opened


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(tmp_path) as made:
        yield made


async def kept(desk: Town) -> list[tuple[str, str]]:
    async def look(tx):  # type: ignore[no-untyped-def]
        rows = await tx.all(inbox.inbox.select().order_by(inbox.inbox.c.id))
        return [(row.event_key, row.lane) for row in rows]

    return await desk.database.read(look)


async def test_accepted_events_are_committed_in_their_order(desk: Town) -> None:
    events = [Raw(f"e{place}", "lane", {"place": place}) for place in range(3)]
    assert await desk.house.router.accept("web", "web", events) == 3
    assert await kept(desk) == [(f"e{place}", "web/web/lane") for place in range(3)]


async def test_an_event_counts_once_however_often_it_is_told(desk: Town) -> None:
    door = desk.house.router
    assert await door.accept("web", "web", [Raw("e1", "lane", {}), Raw("e1", "lane", {})]) == 1
    assert await door.accept("web", "web", [Raw("e1", "lane", {}), Raw("e2", "lane", {})]) == 1
    assert [key for key, _ in await kept(desk)] == ["e1", "e2"]


async def test_two_accounts_of_a_platform_do_not_share_their_keys(desk: Town) -> None:
    door = desk.house.router
    assert await door.accept("web", "first", [Raw("e1", "lane", {})]) == 1
    assert await door.accept("web", "second", [Raw("e1", "lane", {})]) == 1


async def test_events_that_cannot_be_kept_are_refused_together(desk: Town) -> None:
    events = [Raw("small", "lane", {}), Raw("large", "lane", {"text": BULKY})]
    async with disk_full(desk.database):
        with pytest.raises(TemporaryError):
            await desk.house.router.accept("web", "web", events)
        assert await kept(desk) == []
    assert await desk.house.router.accept("web", "web", events) == 2
