"""Events a second end to end on PostgreSQL, with one process and with two that share the database."""

import asyncio
import json
import os
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

from bench import floor, postgresql, process, rig
from bench.conversations import EVENTS
from bench.postgresql import Served
from bench.report import Report, Row
from core.database.engine import Database, place_of

WARM = 5
"""Conversations of each process before the clock runs."""


@dataclass(frozen=True, slots=True)
class Found:
    """What a crowd took, all processes together."""

    took: float
    events: int
    shown: int
    rows: int
    served: float
    """Processor time of the server, in seconds."""
    spent: Sequence[Mapping[str, float]]
    """What each process tells of itself."""

    def of(self, what: str) -> float:
        return sum(each[what] for each in self.spent)


async def _start(stack: AsyncExitStack, file: Path) -> Process:
    """A process of the desk that serves."""
    started = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.replica", str(file),
        cwd=process.ROOT, env=process.environment(), stdin=PIPE, stdout=PIPE,
    )  # fmt: skip

    async def end() -> None:
        assert started.stdin is not None
        started.stdin.close()
        await started.wait()

    stack.push_async_callback(end)
    await _answer(started)
    return started


async def _answer(replica: Process) -> str:
    assert replica.stdout is not None
    line = await replica.stdout.readline()
    if not line:
        raise RuntimeError("a process of the desk has ended")
    return line.decode()


async def _crowd(replicas: Sequence[Process], people: range) -> list[dict[str, float]]:
    """Everybody at once, divided among the processes; what each of these tells afterwards."""
    share = -(-len(people) // len(replicas))
    for place, replica in enumerate(replicas):
        mine = people[place * share : (place + 1) * share]
        assert replica.stdin is not None
        replica.stdin.write(f"{mine.start} {mine.stop}\n".encode())
    return [json.loads(await _answer(replica)) for replica in replicas]


async def measured(server: Served, place: Path, count: int, people: int) -> Found:
    """So many conversations side by side with so many processes, on a database of their own."""
    url = await server.create(f"desk{count}")
    with mock.patch.dict(os.environ, {rig.DATABASE: url}):
        file = rig.written(place)
    async with AsyncExitStack() as stack:
        replicas = [await _start(stack, file) for _ in range(count)]
        await _crowd(replicas, range(WARM * count))
        database = Database(place_of(url))
        stack.push_async_callback(database.close)
        before, cpu = await floor.count(database), server.cpu
        began = time.perf_counter()
        spent = await _crowd(replicas, range(WARM * count, WARM * count + people))
        took, cpu = time.perf_counter() - began, server.cpu - cpu
        after = await floor.count(database)
    rows = sum(after.values()) - sum(before.values())
    return Found(took, people * EVENTS, after["outbox"] - before["outbox"], rows, cpu, spent)


def _rows(count: int, found: Found, bare: float) -> list[Row]:
    name, events = f"{count} process{'es' if count > 1 else ''}", found.events
    return [
        Row(f"{name}: events handled, answers settled", events / found.took, "events/s", bare),
        Row(f"{name}: messages in and out", (events + found.shown) / found.took, "messages/s"),
        Row(f"{name}: the server is asked", found.of("trips") / events, "times/event"),
        Row(f"{name}: processor time of desk and guests", found.of("cpu") / events * 1000, "ms/event"),
        Row(f"{name}: processor time of the server", found.served / events * 1000, "ms/event"),
        Row(f"{name}: resident memory at its peak, each", max(s["memory"] for s in found.spent), "MB"),
    ]


async def measure(place: Path, *, quick: bool) -> Report:
    people = 10 if quick else 200
    with postgresql.served() as server:
        found = {count: await measured(server, place, count, people) for count in (1, 2)}
        rows = round(found[1].rows / found[1].events)
        bare = await postgresql.plain(server, people * EVENTS, rows)
    return Report(
        f"PostgreSQL: {people} conversations side by side, {EVENTS} events each, {rows} rows an event",
        [
            *(row for count, each in found.items() for row in _rows(count, each, bare)),
            Row("floor: asyncpg loop, one transaction an event, writing alone", bare, "events/s"),
        ],
    )
