"""How many statements a message takes on its ways: on a server each is a round trip that others wait for."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from bench import backlog, rig, statements
from bench.statements import Spent
from core.inbox import actions as inbox
from core.inbox.model import Event
from core.kernel.ids import TicketId
from core.people import store as people
from core.people.model import Actor
from core.tickets import actions as tickets
from tests.town import Town, town

Way = Callable[[Town], Awaitable[object]]
ANSWERS = ("The office", "Only me", "It slows me down", "Send")


async def ticket(here: Town) -> None:
    """One ticket, opened by a guest through the whole of the intake."""
    await here["guest"].say("The VPN drops every ten minutes.")
    for answer in ANSWERS:
        await here["guest"].press(answer)


async def claim(here: Town) -> None:
    agent = next(iter(await here.database.read(people.staff)))
    await here.house.desk.run(tickets.take, Actor(agent, "web"), TicketId(backlog.FIRST + 1))


async def first_words(here: Town) -> None:
    await here["newcomer"].say("The VPN drops again.")


async def a_press(here: Town) -> None:
    await here["newcomer"].press("The office")


async def further_words(here: Town) -> None:
    await here["guest"].say("It is getting worse.")


async def ten_events(here: Town) -> None:
    events = [Event(f"key{number}", f"lane{number}", {}) for number in range(10)]
    await here.database.write(lambda tx: inbox.accept(tx, "elsewhere", "bot", events))


def spent(noted: list[Spent], work: str) -> int:
    """The most that one transaction of this name has taken."""
    return max(len(each.statements) for each in noted if work in each.work)


@pytest.mark.parametrize(
    ("way", "work", "most"),
    [
        pytest.param(claim, "Desk.run", 13, id="a claim takes thirteen statements"),
        pytest.param(first_words, "said", 2, id="words are kept with two statements"),
        pytest.param(first_words, "_handle_next", 20, id="first words take twenty statements"),
        pytest.param(a_press, "_handle_next", 12, id="an answered question takes twelve statements"),
        pytest.param(a_press, "Delivery._start_lanes", 4, id="a claimed parcel takes four statements"),
        pytest.param(a_press, "Delivery._show", 1, id="a settled edit takes one statement"),
        pytest.param(first_words, "Delivery._show", 2, id="a settled parcel takes two statements"),
        pytest.param(further_words, "_handle_next", 28, id="further words of a ticket take 28 statements"),
        pytest.param(ten_events, "ten_events", 2, id="ten events of a platform are kept with two statements"),
    ],
)
async def test_a_way_of_a_message_takes_no_more_statements_than(
    tmp_path: Path, way: Way, work: str, most: int
) -> None:
    async with town(tmp_path, rig.DESK) as here:
        await ticket(here)
        await backlog.pile(here.house, 5)
        if way is a_press:
            await first_words(here)
        with statements.counted(here.database) as noted:
            await way(here)
    assert 0 < spent(noted, work) <= most


async def test_parcels_that_are_claimed_together_are_leased_with_one_statement(tmp_path: Path) -> None:
    async with town(tmp_path, rig.DESK) as here:
        for number in range(20):
            await here[f"guest{number}"].say("The VPN drops every ten minutes.", settle=False)
        await here.house.router.catch_up()
        with statements.counted(here.database) as noted:
            await here.house.delivery.catch_up()
    claimed = max((each.statements for each in noted if "_start_lanes" in each.work), key=len)
    assert claimed.count("UPDATE outbox") <= 2
    assert len(claimed) <= 2 + 2 + 3 * 20
