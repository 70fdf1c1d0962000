"""Tickets of two teams that become one, are parted again, or change hands: who reads and speaks where."""

from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path

import pytest

from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.people import store as people
from core.people.model import Actor
from core.tickets import actions as tickets
from core.tickets import company, merging
from core.tickets import store as ticket_store
from core.tickets.catalogue import Priority
from core.tickets.model import COLLEAGUE, WATCHER
from tests.flows.conftest import Stage, texts
from tests.town import Somebody
from tests.town import town as opened

TOML = """
[[people]]
name = "Anna"
identities = ["web:anna"]
roles = ["agent"]
queues = ["{anna}"]
[[people]]
name = "Boris"
identities = ["web:boris"]
roles = ["agent"]
queues = ["{boris}"]
[[people]]
name = "Maria"
identities = ["web:maria"]
roles = ["admin"]
[[queues]]
name = "network"
title = "Network"
spaces = ["web:network"]
[[queues]]
name = "office"
title = "Office"
spaces = ["web:office"]
[[request_types]]
name = "network"
title = "Network"
queue = "network"
[[request_types]]
name = "office"
title = "Office"
queue = "office"
"""


@pytest.fixture
async def teams(tmp_path: Path) -> AsyncIterator[Stage]:
    """Anna's is the network, Boris's the office, and Maria sees to both."""
    async with opened(tmp_path, TOML.format(anna="network", boris="office")) as town:
        yield Stage(town, "en")


async def opens(stage: Stage, who: Somebody, queue: str, words: str = "It is broken") -> TicketId:
    """Somebody has a ticket in the queue."""
    await who.say("/my")

    async def write(tx: Transaction) -> TicketId:
        ticket = await tickets.open_ticket(
            tx,
            await actor(tx, who),
            type_name=queue,
            text=words,
            priority=Priority.LOW,
            home=f"web:u-{who.account}",
        )
        return ticket.id

    number = await stage.town.database.write(write)
    await stage.town.settle()
    return number


async def actor(tx: Transaction, who: Somebody) -> Actor:
    person = await people.by_identity(tx, who.identity)
    assert person is not None
    return Actor(person, "web")


async def company_of(stage: Stage, number: int) -> dict[str, str]:
    """The names of who belongs to it, and as what; as the timeline tells it, too."""

    async def look(tx: Transaction) -> dict[str, str]:
        present = await ticket_store.participants_of(tx, TicketId(number))
        assert present == company.fold(await ticket_store.timeline(tx, TicketId(number)))
        return {(await people.get(tx, person)).name: kind for person, kind in present.items()}

    return await stage.town.database.read(look)


async def test_none_of_what_joins_two_tickets_is_for_an_agent_of_one_of_them(teams: Stage) -> None:
    await opens(teams, teams.ivan, "office")
    await opens(teams, teams.petr, "network")
    for command in ("/merge 2 into 1", "/relate 2 1"):
        await teams.anna.say(command)
        assert (await teams.anna.last()).text == teams.w("ticket.unknown", ticket=1), command
    await teams.maria.say("/relate 2 1")
    await teams.maria.say("/merge 2 into 1")
    for command in ("/unrelate 2 1", "/unmerge 2"):
        await teams.anna.say(command)
        assert (await teams.anna.last()).text == teams.w("ticket.unknown", ticket=1), command
    assert await company_of(teams, 1) == {"petr": COLLEAGUE}
    await teams.maria.say("/unmerge 2")
    assert await company_of(teams, 1) == {}


async def test_whoever_watches_comes_along_only_to_where_they_work(teams: Stage) -> None:
    await opens(teams, teams.ivan, "office")
    await opens(teams, teams.petr, "network")
    for watcher in (teams.anna, teams.maria):
        await watcher.say("/watch 2")
    await teams.maria.say("/merge 2 into 1")
    assert await company_of(teams, 1) == {"petr": COLLEAGUE, "Maria": WATCHER}
    await teams.anna.say("/status 1")
    assert (await teams.anna.last()).text == teams.w("ticket.unknown", ticket=1)
    await teams.maria.say("/unmerge 2")
    assert await company_of(teams, 1) == {}


@pytest.mark.parametrize("watching", [False, True])
async def test_staff_whose_own_request_is_merged_into_their_team_s_speak_on_as_those_who_ask(
    teams: Stage, watching: bool
) -> None:
    await opens(teams, teams.ivan, "office")
    await opens(teams, teams.boris, "network")
    if watching:
        await teams.boris.say("/watch 1")
    await teams.maria.say("/merge 2 into 1")
    assert await company_of(teams, 1) == {"Boris": COLLEAGUE}
    await teams.boris.say("Mine is worse")
    assert ("request", "Mine is worse") in await teams.words_of(1)
    await teams.boris.hears()
    await teams.maria.say("/reply 1 Which room?")
    assert texts(await teams.boris.hears()) == ["Which room?"]


async def test_whoever_watches_one_of_two_that_were_merged_does_not_stay_in_the_third_for_that(
    teams: Stage,
) -> None:
    for who, queue in ((teams.ivan, "office"), (teams.anna, "office"), (teams.petr, "network")):
        await opens(teams, who, queue)
    await teams.anna.say("/watch 3")
    await teams.maria.say("/merge 2 into 1")
    await teams.maria.say("/merge 3 into 1")
    assert await company_of(teams, 1) == {"Anna": COLLEAGUE, "petr": COLLEAGUE}
    await teams.maria.say("/unmerge 2")
    assert await company_of(teams, 1) == {"petr": COLLEAGUE}


async def test_a_message_becomes_a_ticket_of_the_team_that_makes_it_one(teams: Stage) -> None:
    number = await opens(teams, teams.ivan, "network")

    async def requeue(tx: Transaction) -> None:
        await tickets.requeue(tx, await actor(tx, teams.maria), number, "office")

    await teams.maria.say("/my")
    await teams.town.database.write(requeue)
    await teams.ivan.say("The printer, too")
    said = (await teams.town.database.read(partial(ticket_store.messages_of, ticket_id=number)))[-1]

    async def split(tx: Transaction) -> TicketId:
        return (await merging.split(tx, await actor(tx, teams.boris), number, said.id)).id

    await teams.boris.say("/my")
    fresh = await teams.town.database.write(split)
    assert (await teams.ticket(fresh)).queue == "office"
    await teams.town.settle()
    assert "The printer, too" in await teams.boris.card(fresh)


async def test_whoever_watched_and_works_elsewhere_now_can_be_added(teams: Stage) -> None:
    await opens(teams, teams.ivan, "network")
    await teams.anna.say("/watch 1")
    await teams.town.restart(TOML.format(anna="office", boris="network"))
    await teams.boris.say("/add 1 @Anna")
    assert await company_of(teams, 1) == {"Anna": COLLEAGUE}
    await teams.anna.hears()
    await teams.ivan.say("It is worse")
    assert texts(await teams.anna.hears()) == ["It is worse"]


async def test_a_colleague_who_works_on_it_now_can_watch_it(teams: Stage) -> None:
    await opens(teams, teams.ivan, "network")
    await teams.ivan.say("/add 1 @Boris")
    await teams.town.restart(TOML.format(anna="office", boris="network"))
    await teams.boris.say("/watch 1")
    assert await company_of(teams, 1) == {"Boris": WATCHER}
    await teams.boris.say("/watch 1")
    assert (await teams.boris.last()).text == teams.w("company.watching", ticket=1)
