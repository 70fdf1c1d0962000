"""Several processes with one bot: one of them polls, whichever dies, and nothing is heard twice or lost."""

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass

from bot.adapters.telegram.account import Account
from tests.emulators.telegram.world import Telegram
from tests.offices import Turn
from tests.telegram.test_hearing import Ear, Inbox


@dataclass
class Two:
    telegram: Telegram
    one: Ear
    other: Ear
    turns: tuple[Turn, Turn]
    running: list[asyncio.Task[None]]


@contextlib.asynccontextmanager
async def two() -> AsyncIterator[Two]:
    """Two processes whose inbox is one. The first one polls."""
    async with Telegram() as telegram:
        account, door = Account(telegram.token, telegram.url), Inbox()
        turns = Turn(ours=True), Turn()
        ears = [Ear(telegram, account, door=door, office=turn) for turn in turns]
        running = [asyncio.create_task(each.hearing.run(door)) for each in ears]
        try:
            yield Two(telegram, *ears, turns, running)
        finally:
            for task in running:
                task.cancel()
            await asyncio.gather(*running, return_exceptions=True)
            for each in ears:
                await each.request.shutdown()


async def test_one_polls_and_the_other_stands_by_and_is_well() -> None:
    async with two() as both:
        await both.one.hears("hello")
        assert both.other.hearing._offset is None
        health = both.other.hearing.health()
        assert health.ok
        assert "standing by" in health.note


async def test_whoever_takes_over_goes_on_where_the_other_stopped() -> None:
    async with two() as both:
        await both.one.hears("before")
        both.running[0].cancel()  # it dies
        for number in range(3):
            await both.one.ivan.send(f"meanwhile {number}")
        both.turns[0].pass_to(both.turns[1])
        await both.telegram.until(lambda: "meanwhile 2" in both.other.door.texts)
        await both.other.hears("after")
        assert both.other.door.texts == ["before", *(f"meanwhile {n}" for n in range(3)), "after"]
        assert both.other.hearing.health().ok


async def test_one_that_lost_its_turn_gives_way_and_hears_again_when_it_is_its_turn() -> None:
    async with two() as both:
        await both.one.hears("first")
        both.turns[0].pass_to(both.turns[1])
        await both.other.hears("second")
        await both.telegram.until(lambda: "standing by" in both.one.hearing.health().note)
        both.turns[1].pass_to(both.turns[0])
        await both.one.hears("third")
        assert both.one.door.texts == ["first", "second", "third"]
        assert both.one.hearing.health().ok
