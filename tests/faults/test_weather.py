"""The same seed is the same day; in the end all is well; and a desk lives through it."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.emulators.telegram import Telegram
from tests.faults import weather
from tests.faults.proxy import Proxy
from tests.faults.weather import Fault, Gust, forecast
from tests.ports import free_port
from tests.process.desk import Desk
from tests.telegram import live
from tests.telegram.live import Town

LOST = ("cut after", "truncated")
"""Calls that were performed and whose answer never came."""
BREAKING = ("down", "breaking", "silent", "cut")
LATE = 1.0
"""Seconds that a fault may end later than planned."""
PARTS = {"telegram": ["429", "500", "down"], "slack": ["500", "answers lost"], "line": ["cut"]}


def test_the_same_seed_is_the_same_day() -> None:
    assert forecast(PARTS, 60, 7) == forecast(PARTS, 60, 7) != forecast(PARTS, 60, 8)


def test_a_part_has_the_same_weather_whatever_else_there_is() -> None:
    alone = forecast({"slack": PARTS["slack"]}, 60, 7)
    assert alone == [gust for gust in forecast(PARTS, 60, 7) if gust.part == "slack"]


@pytest.mark.parametrize("seed", range(20))
def test_one_fault_of_a_part_at_a_time_and_none_in_the_end(seed: int) -> None:
    gusts = forecast(PARTS, 60, seed)
    assert {gust.part for gust in gusts} == set(PARTS)
    for part in PARTS:
        mine = [gust for gust in gusts if gust.part == part]
        assert all(one.at + one.lasts <= other.at for one, other in itertools.pairwise(mine))
        assert all(gust.at + gust.lasts <= 60 and gust.fault in PARTS[part] for gust in mine)


async def test_what_begins_ends_even_when_the_day_is_broken_off() -> None:
    log: list[str] = []
    begun = asyncio.Event()

    def begin() -> None:
        log.append("begin")
        begun.set()

    day = [Gust(0.0, 60.0, "line", "cut"), Gust(50.0, 60.0, "line", "cut")]
    blowing = asyncio.create_task(
        weather.blow(day, {"line": {"cut": Fault(begin, lambda: log.append("end"))}})
    )
    await begun.wait()
    blowing.cancel()
    await asyncio.gather(blowing, return_exceptions=True)
    assert log == ["begin", "end"]


async def test_through_storms_and_a_bad_line_everything_said_arrives_once(tmp_path: Path) -> None:
    async with Telegram() as telegram, Proxy(int(telegram.url.rpartition(":")[2]), seed=7) as line:
        config = live.config(telegram).replace(telegram.url, line.url)
        town = Town(telegram, Desk(tmp_path / "desk", config, port=free_port()))
        faults = {"telegram": weather.of_telegram(telegram), "line": weather.of_proxy(line)}
        day = forecast({part: list(names) for part, names in faults.items()}, 8.0, seed=7)
        try:
            await town.desk.start()
            began = time.monotonic()
            blowing = asyncio.create_task(weather.blow(day, faults))
            await town.crowd(blowing, 3, 3)
            await blowing
            await telegram.settled()
            town.check_confirmed()
            await town.check_words()
            check_copies(telegram, [(began + each.at, each) for each in day])
            assert await town.desk.stop() == 0
        finally:
            await town.desk.close()


def check_copies(telegram: Telegram, blown: Sequence[tuple[float, Gust]]) -> None:
    """What stands twice was sent again because the answer was lost, or was on its way when the line broke."""
    sent = defaultdict(list)
    for call in telegram.called("sendMessage"):
        if call.performed:
            sent[call.chat, call.values["text"]].append(call)
    assert sent
    for calls in sent.values():
        for first, again in itertools.pairwise(calls):
            broke = any(
                at <= again.began and first.began <= at + gust.lasts + LATE
                for at, gust in blown
                if gust.fault in BREAKING
            )
            assert first.fault in LOST or broke, f"{first} was answered, and came again as {again}"
