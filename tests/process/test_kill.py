"""`kill -9` at any moment of a conversation: nothing is lost, nothing is doubled, everybody just goes on."""

import asyncio
import json
import sqlite3
from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from typing import Any

import pytest

from tests.faults import kills
from tests.faults.kills import Kill
from tests.process.conftest import Yard
from tests.process.conversation import Round, direct, thread
from tests.process.desk import TEAM
from tests.process.person import Person

SEED = 20_261_122


class Day:
    """A desk with two conversations that go on side by side until the killing is over."""

    def __init__(self, yard: Yard) -> None:
        self.yard = yard
        self.desk = yard.desk(config=TEAM)
        self.rounds: list[Round] = []

    async def begin(self) -> None:
        """The first round of each conversation is undisturbed: the others must read like it."""
        await self.desk.start()
        self.people = await self.yard.signed_in(self.desk, "ivan", "olga", "anna", "boris", "maria")
        await asyncio.gather(self.patient(1), self.urgent(1))
        assert await self.desk.stop() == 0

    async def patient(self, number: int) -> None:
        _, olga, _, boris, _ = self.people
        await self.play(Round(olga, boris, number))

    async def urgent(self, number: int) -> None:
        ivan, _, anna, boris, maria = self.people
        await self.play(Round(ivan, anna, number, (anna, boris, maria)))

    async def play(self, one: Round) -> None:
        self.rounds.append(one)
        await one.play()

    async def suffer(self, plan: Sequence[Kill]) -> None:
        """Both conversations go on from round to round until the last kill is done."""
        killing = asyncio.create_task(kills.suffer(self.desk, plan))

        async def go_on(play: Any) -> None:
            number = 2
            while not killing.done() or number == 2:
                await play(number)
                number += 1

        try:
            await asyncio.gather(go_on(self.patient), go_on(self.urgent))
        finally:
            await asyncio.wait([killing], timeout=60)
        killing.result()

    async def export(self) -> list[dict[str, Any]]:
        told = await self.desk.ask("export", "--json")
        assert told.returncode == 0, told.stderr
        tickets: list[dict[str, Any]] = json.loads(told.stdout)["tickets"]
        return tickets


async def check(day: Day) -> None:
    tickets = await day.export()
    check_words(day, tickets)
    check_timelines(tickets)
    check_pings(day, tickets)
    check_transcripts(day)
    await check_pages(day.people)
    assert "no dead letters" in (await day.desk.ask("dead-letters", "list")).stdout
    assert (await day.desk.ready())["ok"]
    assert await day.desk.stop() == 0
    assert day.desk.oddities == []


def check_words(day: Day, tickets: list[dict[str, Any]]) -> None:
    """Everything that was said is in one ticket, once, and so is every file."""
    assert len(tickets) == len(day.rounds)
    said = " ".join(f"{m['text']} " for ticket in tickets for m in ticket["messages"])
    said += " ".join(ticket["resolution"] for ticket in tickets)
    counts = {word: said.count(word) for one in day.rounds for word in one.words}
    assert {word: n for word, n in counts.items() if n != 1} == {}
    files = [file["sha256"] for ticket in tickets for file in ticket["files"]]
    assert len(set(files)) == len(files) == len(tickets)


def check_timelines(tickets: list[dict[str, Any]]) -> None:
    """Each ticket went the same way."""
    ways = Counter(
        tuple(event["kind"] for event in ticket["timeline"] if event["kind"] != "pinged")
        for ticket in tickets
    )
    assert len(ways) == 1, ways
    assert {ticket["status"] for ticket in tickets} == {"closed"}


def check_pings(day: Day, tickets: list[dict[str, Any]]) -> None:
    """Each due ping came once, to everybody it was for, and none after the ticket was taken."""
    for ticket in tickets:
        steps = [(ping["policy"], ping["step"], ping["time"]) for ping in ticket["pings"]]
        urgent = ticket["priority"] == "critical"
        assert sorted(steps) == ([("quick", n, 0) for n in range(3)] if urgent else []), ticket["id"]
        kinds = [event["kind"] for event in ticket["timeline"]]
        assert kinds.count("pinged") == len(steps)
        assert "pinged" not in kinds[kinds.index("claimed") :]
        shown = [
            each
            for person in day.people
            for each in person.screen.values()
            if each.tone == "ping" and each.ticket == ticket["id"]
        ]
        assert len(shown) == len(steps)


def check_transcripts(day: Day) -> None:
    """What each requester read, and what each agent read below a card, is what the first round read."""
    for person in day.people[:2]:
        first, *others = direct(person)
        assert len(others) + 1 == sum(one.requester is person for one in day.rounds)
        for other in others:
            assert other == first
    for whose in ("ivan", "olga"):
        first, *others = [
            thread(agent, card)
            for agent in day.people[2:]
            for card in sorted(agent.screen.values(), key=lambda each: each.id)
            if card.tone == "card" and f"VPN is down {whose}-" in card.text
        ]
        for other in others:
            assert other == first


async def check_pages(people: Sequence[Person]) -> None:
    """A page that listened through all of it shows what a page shows that opens now."""
    for person in people:
        await person.keeps_up()


@pytest.mark.timeout(600)
async def test_killed_around_every_commit_nothing_is_lost_or_doubled(yard: Yard) -> None:
    day = Day(yard)
    await day.begin()
    await day.suffer(kills.drawn(kills.at_commits(kills.how_many(40), first=2), 6, SEED))
    await check(day)


@pytest.mark.both
@pytest.mark.timeout(600)
async def test_killed_at_random_moments_nothing_is_lost_or_doubled(yard: Yard) -> None:
    day = Day(yard)
    await day.begin()
    await day.suffer(kills.at_moments(kills.how_many(4), within=2.0, seed=SEED))
    await check(day)


async def test_killed_while_it_sets_itself_up_it_is_set_up_by_the_next_start(yard: Yard) -> None:
    desk = yard.desk()
    await kills.suffer(desk, kills.at_moments(5, within=1.2, seed=SEED))
    (ivan,) = await yard.signed_in(desk, "ivan")
    await ivan.say("Is anybody there?")
    await ivan.hears("What is it about?")
    assert await desk.stop() == 0
    assert desk.oddities == []
    with closing(sqlite3.connect(desk.database)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
