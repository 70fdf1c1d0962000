"""Commands in the desk's sentences are written as they are typed in Slack."""

from pathlib import Path

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
