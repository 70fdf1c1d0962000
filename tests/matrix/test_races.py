"""Two agents in two messengers press at the same moment, a thousand times over."""

import asyncio
from pathlib import Path
from typing import Any

from bench.backlog import FIRST, pile
from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.outbox.store import outbox
from core.tickets.store import events, tickets
from tests.emulators.telegram.formatted import Formatted
from tests.matrix.world import World, world

RACES = 1000


def _button(code: str) -> dict[str, Any]:
    text = {"type": "plain_text", "text": "Take it"}
    element = {"type": "button", "action_id": "take", "value": code, "text": text}
    return {"type": "actions", "block_id": "row", "elements": [element]}


async def _race(town: World) -> None:
    """All presses come as fast as both platforms bring them; nothing is shown meanwhile."""
    anna, boris = town.slack.users["U0502"], town.telegram.users[503]
    card = town.channel.add(town.slack.bot, text="the card")
    copy = town.group.add(town.telegram.bot, formatted=Formatted("the card"))
    for number in range(FIRST, FIRST + RACES):
        code = f"t.take.{number}"
        card.blocks = [_button(code)]
        await anna.press(card, code)
        await boris.press(copy, code, stale=True)
        if number % 50 == 0:
            await town.house.router.catch_up()
    while town.telegram.updates.pending or town.slack.deliveries.waiting:
        await town.house.router.catch_up()
        await asyncio.sleep(0.002)
    await town.house.router.catch_up()


async def test_each_of_a_thousand_races_has_one_winner_and_a_loser_who_is_told(tmp_path: Path) -> None:
    async with world(tmp_path) as town:
        await pile(town.house, RACES)
        await _race(town)

        async def look(tx: Transaction) -> tuple[list[TicketId], dict[int, int], int]:
            claims = await tx.all(events.select().where(events.c.kind == "claimed"))
            owners = await tx.all(tickets.select())
            told = [row for row in await tx.all(outbox.select()) if "ticket.taken" in str(row.facts)]
            return [row.ticket_id for row in claims], {row.id: row.owner_id for row in owners}, len(told)

        claimed, owners, losers = await town.database.read(look)
        numbers = list(range(FIRST, FIRST + RACES))
        assert sorted(claimed) == numbers
        assert all(owners[number] is not None for number in numbers)
        assert losers == RACES
