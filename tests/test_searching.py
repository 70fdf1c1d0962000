"""Searching and floods where people are: in Telegram and in Slack, through the real adapters."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from core.database.transaction import Transaction
from core.dialogs import store as dialogs
from core.kernel.ids import Identity, TicketId
from core.people import actions as people
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets import store
from core.tickets.catalogue import Priority
from tests.emulators.slack.messages import Message as SlackMessage
from tests.emulators.telegram.messages import Message
from tests.test_together import Desk, opened

MOST = 20
"""What a desk shows one by one that says nothing else."""


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with opened(tmp_path) as found:
        yield found


async def many(desk: Desk, count: int) -> None:
    """Olga asks for much, without a word about it."""

    async def work(tx: Transaction) -> None:
        identity = f"slack:{desk.slack.team}/{desk.olga.id}"
        olga = await people.meet(tx, Identity.parse(identity), name="Olga", language="en")
        for number in range(count):
            await tickets.open_ticket(
                tx,
                Actor(olga, "slack"),
                type_name="network",
                text=f"VPN {number}",
                priority=Priority.LOW,
                home=identity,
            )

    await desk.database.write(work)
    await desk.settle()


async def asked(desk: Desk, line: str) -> SlackMessage:
    """What Anna alone reads in Slack after a command."""
    await desk.anna.command(line, channel=desk.channel)
    await desk.settle()
    return desk.channel.private_to(desk.anna)[-1]


async def test_in_slack_what_is_found_is_paged_through_opened_and_taken(desk: Desk) -> None:
    await desk.report()
    await many(desk, 25)
    first = await asked(desk, f"/desk find unclaimed from:{desk.olga.mention}")
    assert "20 of 25 tickets found" in first.shown
    assert "#26" in first.buttons
    await (await desk.anna.press(first, "More")).done()
    await desk.settle()
    second = desk.channel.private_to(desk.anna)[-1]
    assert "Tickets 21–25 of 25 found" in second.shown
    await (await desk.anna.press(second, "#2")).done()
    await desk.settle()
    shown = desk.channel.private_to(desk.anna)[-1]
    assert "VPN 0" in shown.shown
    await (await desk.anna.press(shown, "Take #2")).done()
    await desk.settle()
    mine = await asked(desk, "/desk find mine")
    assert "#2" in mine.buttons
    assert "#1" not in mine.buttons


async def test_in_telegram_what_is_found_is_paged_through_opened_and_taken(desk: Desk) -> None:
    await desk.report()
    await many(desk, 25)

    async def last(words: str) -> Message:
        await desk.settle()
        return next(each for each in reversed(desk.boris.chat.messages) if each.by_bot and words in each.text)

    await desk.boris.send("/find unclaimed")
    first = await last("20 of 26 tickets found")
    await desk.boris.press(first, "More")
    second = await last("Tickets 21–26 of 26 found")
    await desk.boris.press(second, "#1")
    shown = await last("VPN drops every ten minutes")
    await desk.boris.press(shown, "Take #1")
    await last("#1")
    await desk.boris.send("/find mine type:network from:ivan")
    assert "#1" in (await last("Found 1 ticket")).buttons
    await desk.boris.send("/find whose:mine")
    assert "from:@ivan" in (await last("There is no filter")).text


async def test_a_flood_in_telegram_is_one_line_in_every_room_of_the_team(desk: Desk) -> None:
    await desk.report()
    card = desk.channel.saying("VPN drops")
    topic = desk.group.saying("VPN drops").thread
    for number in range(MOST + 30):
        await desk.ivan.send(f"word {number}")
    await desk.settle()
    words = [each for each in card.replies if "word" in each.shown]
    lines = [each for each in card.replies if "more messages from Ivan" in each.shown]
    below = [each for each in desk.group.messages if each.thread == topic]
    assert len(words) <= MOST
    [line] = lines
    [copy] = [each for each in below if "more messages from Ivan" in each.text]
    assert line.shown.split(" more")[0] == copy.text.split(" more")[0]
    assert len([each for each in desk.ivan.chat.messages if "faster than anybody can read" in each.text]) == 1
    await (await desk.anna.press(line, "Read them")).done()
    await desk.settle()
    assert f"word {MOST + 29}" in desk.channel.private_to(desk.anna)[-1].shown


async def test_a_flood_in_slack_begins_no_request_with_every_message(desk: Desk) -> None:
    for number in range(MOST + 15):
        await desk.olga.send(f"word {number}")
    await desk.settle()
    told = [each.shown for each in desk.olga.dm.messages if each.by_bot]
    assert len(told) == MOST + 1
    assert len([text for text in told if "faster than anybody can read" in text]) == 1
    drafts = [str(each.draft) for each in await desk.database.read(dialogs.all_under_way)]
    assert all(any(f"'word {number}'" in draft for draft in drafts) for number in range(MOST + 15))


async def test_a_flood_in_slack_goes_into_the_newest_ticket(desk: Desk) -> None:
    await many(desk, 1)
    for number in range(MOST + 15):
        await desk.olga.send(f"word {number}")
    await desk.settle()
    for each in await desk.database.read(dialogs.all_under_way):
        await desk.database.write(partial(dialogs.end, room=each.room, person=each.person))
    await desk.olga.send("and one more")
    await desk.settle()
    said = await desk.database.read(lambda tx: store.messages_of(tx, TicketId(1)))
    assert [each.text for each in said][1:] == ["and one more"]
    assert said[-1].flood is not None
