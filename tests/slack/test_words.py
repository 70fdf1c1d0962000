"""Commands in the desk's sentences are written as they are typed in Slack."""

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot import i18n
from bot.adapters.slack.manifest import manifest
from bot.i18n import catalogue
from bot.message import Words
from tests.slack import rig as rigs


async def test_help_and_hints_name_commands_as_they_are_typed_here(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path) as desk:
        await desk.command(desk.anna, "/desk help")
        told = desk.anna.dm.private_to(desk.anna)[-1].shown
        assert "/desk take 42" in told
        assert "\n/take" not in told
        await desk.command(desk.ivan, "/desk statos 1")
        assert "/desk status" in desk.ivan.dm.private_to(desk.ivan)[-1].shown
        await desk.command(desk.ivan, "/desk status 77")
        assert "/desk my" in desk.ivan.dm.private_to(desk.ivan)[-1].shown


async def test_what_people_typed_themselves_stays_as_it_is(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path) as desk:
        await desk.report("VPN drops when I type /my in the terminal")
        assert "when I type /my in the terminal" in desk.card(1).shown


@pytest.mark.parametrize("language", i18n.languages)
def test_shortcuts_are_named_as_people_find_them_in_their_menus(language: str) -> None:
    shortcuts = [each["name"] for each in manifest()["features"]["shortcuts"]]
    told = i18n.word(Words("help.staff_of_threads"), language, time_zone="UTC", now=datetime.now(UTC))
    quoted = [name for name in re.findall("[“«]([^”»]+)[”»]", told) if name.isascii()]
    assert quoted == [name for name in shortcuts if name in told] == ["Send to requester"]
    page = (Path(__file__).parents[2] / "docs" / "slack.md").read_text("utf-8")
    assert [name for name in shortcuts if f"*{name}*" not in page] == []


async def test_the_help_of_agents_promises_no_commands_in_threads(tmp_path: Path) -> None:
    async with rigs.rig(tmp_path) as desk:
        await desk.command(desk.anna, "/desk help")
        told = desk.anna.dm.private_to(desk.anna)[-1].shown
        assert desk.word("help.staff_of_threads") in told
        assert desk.word("help.staff") not in told


@pytest.mark.parametrize("language", i18n.languages)
def test_notices_that_every_messenger_shows_name_nothing_that_slack_does_not_have(language: str) -> None:
    prefixes = ("crowd.write", "trouble.re", "told.", "talk.", "start.")
    shown = [str(each.id) for each in catalogue.read(language) if str(each.id).startswith(prefixes)]
    foreign = re.compile(r"telegram|press start|«старт»|\bgroups?\b|\bгрупп", re.IGNORECASE)
    told = {key: catalogue.sentence(key, language) for key in shown}
    assert {key: words for key, words in told.items() if foreign.search(words)} == {}
    assert "crowd.write_me" in told
