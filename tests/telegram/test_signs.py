"""A typing sign: shown to whoever waits in private, to nobody else, and never waited for."""

import asyncio
from pathlib import Path

import pytest

from bot import signs
from tests.emulators.telegram import PIXEL, File
from tests.telegram.rig import rig


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """An instant is over as soon as it begins."""
    monkeypatch.setattr(signs, "INSTANT", 0.0)
    monkeypatch.setattr(signs, "STAYS", 0.01)


async def test_who_waits_for_a_file_to_be_fetched_sees_that_the_desk_is_at_work(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        t.telegram.fail("file", "late")
        await t.ivan.send("VPN drops", photo=File("", PIXEL))
        await t.heard()
        working = asyncio.create_task(t.house.router.catch_up())
        await t.telegram.until(lambda: len(t.ivan.chat.actions) >= 3)
        t.telegram.heal()
        await working
        assert {each.action for each in t.ivan.chat.actions} == {"typing"}
        shown = len(t.ivan.chat.actions)
        await t.settle()
        assert "Where are you working from?" in t.ivan.chat.last.text
        await t.house.adapters["telegram"].bot.get_me()  # type: ignore[attr-defined]
        assert len(t.ivan.chat.actions) <= shown + 1, "at most one was on its way"


async def test_a_sign_that_is_late_or_refused_keeps_nobody_waiting(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        t.telegram.fail("sendChatAction", "403")
        t.telegram.fail("sendChatAction", "429", retry_after=100)
        t.telegram.fail("sendChatAction", "late", -1)
        fetching = t.telegram.fail("getFile", "late")
        await t.ivan.send("VPN drops", photo=File("", PIXEL))
        await t.heard()
        working = asyncio.create_task(t.house.router.catch_up())
        await t.telegram.until(lambda: len(t.telegram.called("sendChatAction")) >= 3)
        fetching.healed.set()
        await working
        await t.settle()
        assert "Where are you working from?" in t.ivan.chat.last.text
        t.telegram.heal()


async def test_in_a_group_there_is_none(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        await t.report()
        t.telegram.fail("file", "late")
        await t.anna.send("a picture for us", photo=File("", PIXEL), **t.below(1))
        await t.heard()
        working = asyncio.create_task(t.house.router.catch_up())
        await t.telegram.until(lambda: t.telegram.called("file"))
        t.telegram.heal()
        await working
        await t.settle()
        assert t.told(1).count("a picture for us") == 1
        assert t.group.actions == []
