"""A short simulation, the promise that a seed replays, and proof that what goes wrong is found."""

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Any

import pytest

from bot.router import Router
from core.outbox import store as outbox
from tests.simulation import episode
from tests.simulation.__main__ import command, main
from tests.simulation.loop import Loop, Process
from tests.simulation.replica import alive

DEEP = int(os.environ.get("DESKBRIDGE_TEST_STEPS", "0"))
"""How many steps to take in all; 0 takes the few that every run can afford."""
LENGTH = 300
EPISODES = max(DEEP // LENGTH, 5)
HOME = Path(__file__).parents[2]


def _crew(seed: int) -> int:
    return 1 + seed % 3 if alive else 1


@pytest.mark.timeout(0 if DEEP else 120)
@pytest.mark.parametrize("seed", range(1, EPISODES + 1))
def test_the_desk_holds_its_promises_in_all_weathers(seed: int) -> None:
    told = episode.run(seed, _crew(seed), LENGTH)
    again = f"again: {command(told, LENGTH)}"
    assert not told.wrong, "\n".join([*told.trace[-40:], told.wrong, again])


def test_a_seed_takes_the_same_course_wherever_it_is_taken() -> None:
    here = [episode.run(seed, _crew(seed), 60).hash for seed in (3, 4, 3)]
    assert here[0] == here[2] != here[1]
    words = [sys.executable, "-m", "tests.simulation", "--once", "--seed", "3", "--length", "60"]
    words += ["--replicas", str(_crew(3))]
    environ = {**os.environ, "PYTHONHASHSEED": "12345"}
    told = subprocess.run(words, cwd=HOME, env=environ, capture_output=True, text=True, check=True)
    assert f"hash {here[0]}" in told.stdout


def test_a_desk_that_forgets_what_it_has_taken_is_found_out(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    turn, heard = Router._turn, 0

    async def forgetful(self: Router, *told: Any) -> None:
        nonlocal heard
        heard += 1
        if heard % 7:
            await turn(self, *told)

    monkeypatch.setattr(Router, "_turn", forgetful)
    assert main(["--once", "--seed", "2", "--length", "200", "--replicas", "1"]) == 1
    told = capsys.readouterr().out
    assert "is 0 times" in told
    assert "again: python -m tests.simulation --once --seed 2 --replicas 1 --length 200" in told


def test_a_desk_that_shows_things_twice_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    change, settled = outbox.change, 0

    async def forgetful(tx, held, **values):  # type: ignore[no-untyped-def]
        nonlocal settled
        settled += 1
        if settled % 10 == 0:
            values = {"state": "pending", "lease_until": None, "error": None}
        return await change(tx, held, **values)

    monkeypatch.setattr(outbox, "change", forgetful)
    assert any("was shown again" in episode.run(seed, 1, 150).wrong for seed in (1, 2))


def test_nothing_of_a_killed_process_runs_any_more() -> None:
    loop = Loop(Random(1))
    done: list[str] = []

    async def work(name: str) -> None:
        try:
            await asyncio.sleep(1)
            done.append(name)
        finally:
            done.append(f"{name} ends")

    killed, stopped = Process("killed", loop), Process("stopped", loop)
    killed.start(work("killed"))
    stopped.start(work("stopped"))
    loop.advance(0.5)
    killed.kill()
    stopped.stop()
    loop.advance(10)
    assert done == []
    stopped.go_on()
    loop.advance(0)
    assert done == ["stopped", "stopped ends"]
    killed.bury()
    loop.close()


def test_timers_are_kept_and_time_costs_nothing() -> None:
    loop = Loop(Random(1))
    woken: list[float] = []

    async def sleep(span: float) -> None:
        await asyncio.sleep(span)
        woken.append(loop.time())

    process = Process("it", loop)
    for span in (7200.0, 0.5, 86400.0):
        process.start(sleep(span))
    loop.advance(100_000)
    assert woken == [0.5, 7200.0, 86400.0]
    loop.close()
