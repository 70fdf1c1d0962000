"""On call across messengers: a swap asked in Slack and accepted in Telegram, and the hand-over to both."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from core.oncall import queries
from tests.emulators.slack import Message as SlackMessage
from tests.emulators.slack import User as SlackUser
from tests.emulators.telegram import User as TelegramUser
from tests.matrix.world import World, world

DAY = timedelta(days=1)
ROTA = """
[[rotas]]
name = "Network"
[[rotas.layers]]
people = ["Anna Smirnova", "Boris Orlov"]
starts = "2026-03-02 09:00"
"""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[World]:
    """Anna is in Slack, Boris in Telegram; a Monday, 9:00, at which Anna's week begins."""
    async with world(tmp_path, more=ROTA) as found:
        yield found


def anna(desk: World) -> SlackUser:
    return desk.slack.users["U0502"]


def boris(desk: World) -> TelegramUser:
    return desk.telegram.users[503]


def reads(desk: World) -> list[SlackMessage]:
    """Everything Anna reads of the desk in private."""
    return [*anna(desk).dm.messages, *anna(desk).dm.private_to(anna(desk))]


async def types(desk: World, line: str) -> None:
    await anna(desk).command(f"/desk {line}")
    await desk.settle()


async def presses(desk: World, label: str) -> None:
    """Boris presses the newest button with this label in his chat."""
    shown = next(each for each in reversed(boris(desk).chat.messages) if label in each.buttons)
    await boris(desk).press(shown, label)
    await desk.settle()


async def on_call(desk: World, after: timedelta) -> list[str]:
    at = desk.clock.now() + after
    found = await desk.database.read(lambda tx: queries.on_call(tx, "support", at=at))
    return [person.name for person in found]


async def test_a_swap_asked_in_slack_is_accepted_in_telegram_and_every_team_room_knows(desk: World) -> None:
    await types(desk, "oncall swap friday with @boris")
    assert any("Asked Boris Orlov" in each.shown for each in reads(desk))
    question = boris(desk).chat.last
    assert "Anna Smirnova asks you to change on-call shifts in Network" in question.text
    assert list(question.buttons) == ["Accept", "Decline"]
    await presses(desk, "Accept")
    assert await on_call(desk, 4 * DAY) == ["Boris Orlov"]
    assert "You have accepted" in question.text
    told = "Boris Orlov has accepted. On call for Network"
    assert any(told in each.shown for each in reads(desk))
    assert any(told in each.shown for each in desk.channel.messages)
    assert any(told in each.text for each in desk.group.messages)
    assert any(told in each.text for each in await desk["maria"].sees())


async def test_what_was_swapped_is_undone_from_the_other_messenger(desk: World) -> None:
    await types(desk, "oncall swap friday with @boris")
    await presses(desk, "Accept")
    told = next(each for each in reversed(reads(desk)) if "Undo" in each.buttons)
    await anna(desk).press(told, "Undo")
    await desk.settle()
    assert await on_call(desk, 4 * DAY) == ["Anna Smirnova"]
    assert "Anna Smirnova has undone a swap in Network" in boris(desk).chat.last.text


async def test_the_shift_is_handed_over_from_slack_to_telegram(desk: World) -> None:
    await boris(desk).send("/oncall take fri 9:00-12:00")
    await desk.settle()
    assert "Done. On call for Network" in boris(desk).chat.last.text
    desk.clock.advance(4 * DAY)
    await desk.settle()
    assert "You are on call for Network, until 12:00. Before you it was Anna" in boris(desk).chat.last.text
    assert any("now it is Boris Orlov" in each.shown for each in reads(desk))
    line = "Boris Orlov is on call for Network until 12:00."
    assert len([each for each in desk.channel.messages if line in each.shown]) == 1
    assert len([each for each in desk.group.messages if line in each.text]) == 1


async def test_an_absence_told_in_telegram_shows_on_the_page_in_slack(desk: World) -> None:
    await boris(desk).send("/away tomorrow")
    await desk.settle()
    await types(desk, "oncall")
    page = next(each for each in reversed(reads(desk)) if "until Mon 9 Mar, 09:00" in each.shown)
    assert "Away: Boris Orlov" in page.shown
    assert "/desk oncall swap friday with @boris" in page.shown
