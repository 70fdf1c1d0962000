"""In every messenger: who is affected is asked, hours are told, an emergency is raised and taken back."""

from datetime import timedelta
from pathlib import Path

import pytest

from core.tickets.catalogue import Priority
from tests.matrix.seats import AGENTS, REQUESTERS
from tests.matrix.test_matrix import TEXTS
from tests.matrix.world import world

NIGHT = """
[[calendars]]
name = "office"
hours = ["mon-fri 12:00-18:00"]
[[targets]]
first_response = "2h"
calendar = "office"
[emergency]
enabled = true
"""


@pytest.mark.parametrize("language", ["en", "ru"])
@pytest.mark.parametrize("asker", REQUESTERS)
async def test_an_emergency_in_every_messenger(tmp_path: Path, asker: str, language: str) -> None:
    async with world(tmp_path, language, NIGHT) as town:
        requester, word = REQUESTERS[asker](town), town.word
        text, office, _ = TEXTS[language]
        await requester.says(text)
        for key in ("intake.everybody", "button.skip", "urgency.normal", "button.send"):
            if key == "intake.everybody":
                await requester.presses(office)
            await requester.presses(word(key, language))
        assert (await town.ticket(1)).priority is Priority.HIGH
        receipt = " ".join(await requester.reads())
        assert word("told.emergency_hint", language, ticket=1).split(":")[0] in receipt
        assert "12:00" in receipt

        await requester.presses(word("button.emergency", language))
        await requester.presses(word("button.call", language))
        assert (await town.ticket(1)).priority is Priority.CRITICAL
        for each in AGENTS:
            agent = AGENTS[each](town, language)
            assert "🔴" in await agent.card()
            assert word("priority.critical", language) in await agent.thread()
        await requester.presses(word("button.calm", language))
        assert (await town.ticket(1)).priority is Priority.HIGH
        told = word("told.calmed", language, ticket=1, priority=word("priority.high", language))
        assert told in " ".join(await requester.reads())
        town.clock.advance(timedelta(minutes=2))
        await town.settle()
        assert (await town.ticket(1)).priority is Priority.HIGH
