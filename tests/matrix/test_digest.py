"""Three tickets that age at once are one message to whoever is asked, in every messenger."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import timedelta
from pathlib import Path

import pytest

from tests.matrix.seats import TelegramRequester, pressed_in_slack
from tests.matrix.test_matrix import TEXTS
from tests.matrix.world import World, world

Reads = Callable[[World], Awaitable[tuple[str, Sequence[str]]]]
Presses = Callable[[World, str], Awaitable[None]]


async def _in_slack(town: World) -> tuple[str, Sequence[str]]:
    [shown] = [each for each in town.slack.users["U0502"].dm.from_bot if "⏰" in each.shown]
    return shown.shown, list(shown.buttons)


async def _press_in_slack(town: World, label: str) -> None:
    [shown] = [each for each in town.slack.users["U0502"].dm.from_bot if "⏰" in each.shown]
    await pressed_in_slack(town, town.slack.users["U0502"], shown, label)


async def _in_telegram(town: World) -> tuple[str, Sequence[str]]:
    [shown] = [each for each in town.telegram.users[503].chat.from_bot if "⏰" in each.text]
    return shown.text, list(shown.buttons)


async def _press_in_telegram(town: World, label: str) -> None:
    [shown] = [each for each in town.telegram.users[503].chat.from_bot if "⏰" in each.text]
    await town.telegram.users[503].press(shown, label)
    await town.settle()


async def _in_web(town: World) -> tuple[str, Sequence[str]]:
    sees = await town["maria"].sees()
    [shown] = [each for each in sees if "⏰" in each.text and each.room == town["maria"].direct]
    return shown.text, list(shown.buttons)


async def _press_in_web(town: World, label: str) -> None:
    await town["maria"].press(label)


SEATS: dict[str, tuple[str, Reads, Presses]] = {
    "slack": ("Anna Smirnova", _in_slack, _press_in_slack),
    "telegram": ("Boris Orlov", _in_telegram, _press_in_telegram),
    "web": ("Maria Sokolova", _in_web, _press_in_web),
}
POLICY = """
[[escalations]]
name = "usual"
steps = [{{ after = "10m", of = "unclaimed", whom = "{whom}" }}]
"""


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("messenger", SEATS)
async def test_several_at_once_are_one_message_with_a_button_for_each(
    tmp_path: Path, messenger: str, language: str
) -> None:
    name, reads, presses = SEATS[messenger]
    async with world(tmp_path, language, POLICY.format(whom=name)) as town:
        word, ivan = town.word, TelegramRequester(town)
        for number in (1, 2, 3):
            await ivan.says(f"/new {TEXTS[language][0]} {number}")
            for key in ("intake.only_me", "button.skip", "urgency.normal", "button.send"):
                if key == "intake.only_me":
                    await ivan.presses(TEXTS[language][1])
                await ivan.presses(word(key, language))
        town.clock.advance(timedelta(minutes=10))
        await town.settle()
        words, buttons = await reads(town)
        assert {"en": "3 tickets wait for you", "ru": "3 заявки ждут вас"}[language] in words
        assert [f"#{number} " in words for number in (1, 2, 3)] == [True] * 3
        wanted = [word("button.take_number", language, ticket=number) for number in (1, 2, 3)]
        assert set(wanted) <= set(buttons)
        await presses(town, wanted[1])
        words, buttons = await reads(town)
        assert {"en": "2 tickets wait for you", "ru": "2 заявки ждут вас"}[language] in words
        assert wanted[1] not in buttons
        assert (await town.ticket(2)).owner is not None
