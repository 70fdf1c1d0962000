"""Simulate for long: `python -m tests.simulation --steps 1000000`; one episode again: `--once --seed 42`."""

import argparse
import os
import sys
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from multiprocessing import get_context

from tests.simulation import episode
from tests.simulation.episode import Outcome
from tests.simulation.replica import alive

EVERY = 20.0
"""Seconds between two lines that tell how far it is."""
KINDS = ("inbox", "outbox", "timers")


def _options(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation", description=__doc__)
    parser.add_argument("--steps", type=int, default=1_000_000, help="steps in all")
    parser.add_argument("--seed", type=int, default=None, help="of the first episode; the time, without it")
    parser.add_argument("--replicas", type=int, default=None, help="processes; without it 1, 2 and 3 in turn")
    parser.add_argument("--minutes", type=float, default=0.0, help="stop after so long")
    parser.add_argument("--length", type=int, default=episode.STEPS, help="steps of an episode")
    parser.add_argument("--sides", type=int, default=os.cpu_count() or 1, help="processors")
    parser.add_argument("--once", action="store_true", help="only the episode of this seed, with its trace")
    parser.add_argument("--trace", type=int, default=60, help="so many lines of the trace are shown")
    return parser.parse_args(words)


def replicas_of(options: argparse.Namespace, seed: int) -> int:
    return options.replicas or ((1, 2, 3)[seed % 3] if alive else 1)


def command(told: Outcome, length: int) -> str:
    return (
        f"python -m tests.simulation --once --seed {told.seed} --replicas {told.replicas} --length {length}"
    )


class Sum:
    """What all episodes came to."""

    def __init__(self) -> None:
        self.episodes = self.steps = self.callbacks = self.commits = 0
        self.seconds = 0.0
        self.counts: Counter[str] = Counter()
        self.wrong: list[Outcome] = []
        self.began = time.monotonic()

    def add(self, told: Outcome) -> None:
        self.episodes += 1
        self.steps += told.steps
        self.callbacks += told.callbacks
        self.commits += told.commits
        self.seconds += told.seconds
        self.counts += told.counts
        if told.wrong:
            self.wrong.append(told)

    def line(self) -> str:
        gone = max(time.monotonic() - self.began, 0.001)
        return (
            f"{self.episodes} episodes, {self.steps} steps, {self.commits} commits,"
            f" {self.callbacks} callbacks;"
            f" {self.steps / gone:.0f} steps/s, {self.steps / max(self.seconds, 0.001):.0f} a processor;"
            f" {len(self.wrong)} failed"
        )


def _show(told: Outcome, length: int, lines: int) -> None:
    print(f"\nseed {told.seed} with {told.replicas} replicas failed after {told.steps} steps:\n{told.wrong}")
    print("\n".join(f"  {line}" for line in told.trace[-lines:]))
    print(f"again: {command(told, length)}", flush=True)


def _tell(total: Sum) -> None:
    print(f"\n{total.line()}")
    for name, times in sorted(total.counts.items()):
        print(f"  {times:>9}  {name}")


def _seeds(first: int) -> Iterator[int]:
    while True:
        yield first
        first += 1


def _simulate(options: argparse.Namespace, total: Sum) -> None:
    seeds = _seeds(options.seed)
    told_at = total.began
    with ProcessPoolExecutor(options.sides, mp_context=get_context("spawn")) as pool:
        running: set[Future[Outcome]] = set()
        planned = 0
        while True:
            late = options.minutes and time.monotonic() - total.began > options.minutes * 60
            while planned < options.steps and not late and len(running) < options.sides * 2:
                seed = next(seeds)
                running.add(pool.submit(episode.run, seed, replicas_of(options, seed), options.length))
                planned += options.length
            if not running:
                return
            done, running = wait(running, return_when=FIRST_COMPLETED)
            for each in done:
                total.add(each.result())
                if each.result().wrong:
                    _show(each.result(), options.length, options.trace)
            if time.monotonic() - told_at > EVERY:
                told_at = time.monotonic()
                print(total.line(), flush=True)


def main(words: Sequence[str] | None = None) -> int:
    options = _options(words)
    if options.seed is None:
        options.seed = int(time.time())
    total = Sum()
    if options.once:
        told = episode.run(options.seed, replicas_of(options, options.seed), options.length)
        total.add(told)
        print("\n".join(told.trace[-options.trace :]))
        print(f"hash {told.hash}")
    else:
        print(f"seed {options.seed}", flush=True)
        _simulate(options, total)
    _tell(total)
    for told in total.wrong:
        print(f"{told.wrong.splitlines()[0]}\nagain: {command(told, options.length)}")
    return 1 if total.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
