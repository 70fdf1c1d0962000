"""Telegram beside a stock echo bot: updates answered, memory a conversation, a burst at the limit."""

import asyncio
import bisect
import contextlib
import gc
import itertools
import signal
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import process, rig
from bench.process import Running
from bench.report import Report, Row, quantile
from bot import message as messages
from bot.message import Plain, say
from core.database.transaction import Transaction
from core.outbox import actions as outbox
from core.outbox.model import BULK, Parcel
from tests.emulators.telegram import Message, Rates, Telegram, User

AT_ONCE = 32
"""People who write at the same time; each is somebody new, and the next one comes once they are answered."""
PER_SECOND = 30
"""What Telegram lets one bot send."""
FIRST = 1_000_000
WORDS = "The VPN drops every ten minutes and I have to sign in anew each time."
_numbers = itertools.count(FIRST)


@contextlib.asynccontextmanager
async def bot(telegram: Telegram, *arguments: str) -> AsyncIterator[Running]:
    """A bot in a process of its own, once it listens."""
    telegram.updates.allow([])
    command = [sys.executable, *arguments]
    started = await asyncio.create_subprocess_exec(
        *command, cwd=process.ROOT, env=process.environment(), stderr=subprocess.PIPE
    )
    try:
        await telegram.until(lambda: telegram.polling.listening, process.START_WITHIN, "the bot to listen")
        yield Running(started.pid, telegram.url, 0.0)
    finally:
        with contextlib.suppress(ProcessLookupError):
            started.terminate()
        _, said = await started.communicate()
        if started.returncode not in (0, -signal.SIGTERM):
            raise RuntimeError(f"{command} ended with {started.returncode}: {said.decode()[-2000:]}")


def desk(telegram: Telegram, place: Path, pace: str) -> tuple[str, ...]:
    section = f'[telegram]\ntoken = "{telegram.token}"\napi_url = "{telegram.url}"\n'
    return "-m", "bench.telegram_desk", str(rig.written(place, section)), pace


def echo(telegram: Telegram) -> tuple[str, ...]:
    return "-m", "bench.telegram_echo", telegram.url, telegram.token


def heard(user: User) -> asyncio.Event:
    """Set as soon as the bot has written to them."""
    event, add = asyncio.Event(), user.chat.add

    def listening(sender: User | None, **told: Any) -> Message:
        message = add(sender, **told)
        if message.by_bot:
            event.set()
        return message

    user.chat.add = listening  # type: ignore[method-assign]
    return event


async def ask(telegram: Telegram) -> float:
    """Somebody new writes; milliseconds until they read an answer."""
    user = telegram.user(next(_numbers), language_code="en", started=True)
    event, began = heard(user), time.perf_counter()
    await user.send(WORDS)
    await event.wait()
    return (time.perf_counter() - began) * 1000


@dataclass(frozen=True, slots=True)
class Crowd:
    """What so many people have seen."""

    per_second: float
    waits: Sequence[float]
    grown: float = 0.0
    """Bytes of memory for each of them."""


async def crowd(telegram: Telegram, running: Running, people: int) -> Crowd:
    left, waits = iter(range(people)), []

    async def line() -> None:
        for _ in left:
            waits.append(await ask(telegram))

    before, began = running.memory, time.perf_counter()
    await asyncio.gather(*(line() for _ in range(AT_ONCE)))
    took = time.perf_counter() - began
    return Crowd(people / took, waits, (running.memory - before) * 2**20 / people)


async def measured(arguments: Callable[[Telegram], Sequence[str]], people: int) -> Crowd:
    """A crowd, after a smaller one that warms everything up."""
    async with Telegram() as telegram, bot(telegram, *arguments(telegram)) as running:
        with undisturbed():
            await crowd(telegram, running, people // 2)
            return await crowd(telegram, running, people)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """While it is measured, the emulator does not stop for a tenth of a second to look for garbage."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


# ---- the burst


async def fill(place: Path, count: int, rooms: int) -> None:
    """So many notices wait in the outbox of a desk that has not started yet."""

    async def work(tx: Transaction) -> None:
        for number in range(count):
            words = messages.to_facts(say(Plain(f"Notice {number}")))
            room = f"telegram:{FIRST + number % rooms}"
            await outbox.put(tx, Parcel("message", {"message": words}, room=room, urgency=BULK))

    async with rig.desk(place) as house:
        await house.database.write(work)


@dataclass(frozen=True, slots=True)
class Burst:
    took: float
    ideal: float
    most: int
    """Messages in the fullest second."""
    waits: Sequence[float]


async def burst(place: Path, count: int, rooms: int, pause: float) -> Burst:
    """All of it at the limit, while every now and then somebody new writes."""
    await fill(place, count, rooms)
    waits: list[float] = []
    rates = Rates(private_burst=1, overall_per_second=PER_SECOND, overall_burst=PER_SECOND)
    async with Telegram(rates=rates) as telegram:
        for number in range(rooms):
            telegram.user(FIRST + number, started=True)
        _skip(rooms)

        async def writers() -> None:
            while True:
                await asyncio.sleep(pause)
                waits.append(await ask(telegram))

        async with bot(telegram, *desk(telegram, place, "paced")):
            writing = asyncio.create_task(writers())
            patience = 3 * count / PER_SECOND + 30
            await telegram.until(lambda: _notices(telegram, rooms) == count, patience, "the burst to be sent")
            writing.cancel()
        calls = telegram.called("sendMessage")
        refused = [call for call in calls if call.outcome != 200]
        assert refused == [], refused
        times = [call.began for call in calls]
        return Burst(times[-1] - times[0], (len(times) - 1) / PER_SECOND, fullest(times), waits)


def fullest(times: Sequence[float]) -> int:
    """How many of these fall into the second that holds the most."""
    return max(bisect.bisect_left(times, at + 1.0) - place for place, at in enumerate(times))


def _notices(telegram: Telegram, rooms: int) -> int:
    return sum(len(telegram.users[FIRST + number].messages) for number in range(rooms))


def _skip(count: int) -> None:
    for _ in range(count):
        next(_numbers)


# ---- the report


async def measure(place: Path, *, quick: bool) -> Report:
    people, rounds, count, rooms, pause = (40, 1, 60, 10, 0.3) if quick else (1_000, 5, 3_000, 500, 1.0)
    desks, echoes = [], []
    for number in range(rounds):
        fresh = place / str(number)
        fresh.mkdir()
        echoes.append(await measured(echo, people))
        desks.append(await measured(lambda telegram, fresh=fresh: desk(telegram, fresh, "unpaced"), people))
    sent = await burst(place, count, rooms, pause)
    return Report(
        f"Telegram: {people} people, {AT_ONCE} at a time (floor: a stock echo bot that keeps nothing)",
        [
            *_rows(desks, echoes),
            Row(f"burst of {count} over {rooms} chats (floor: the limit)", sent.took, "s", sent.ideal),
            Row("its fullest second (floor: the limit)", sent.most, "messages", PER_SECOND),
            Row("who writes meanwhile is answered, p50", quantile(sent.waits, 0.5), "ms"),
            Row("who writes meanwhile is answered, p99", quantile(sent.waits, 0.99), "ms"),
        ],
    )


def _rows(desks: Sequence[Crowd], echoes: Sequence[Crowd]) -> Iterator[Row]:
    floor = statistics.median(each.per_second for each in echoes)
    yield Row("desk: updates answered", statistics.median(each.per_second for each in desks), "1/s", floor)
    yield Row("floor: updates answered", floor, "1/s")
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        least = statistics.median(quantile(each.waits, share) for each in echoes)
        wait = statistics.median(quantile(each.waits, share) for each in desks)
        yield Row(f"desk: answered after, {name}", wait, "ms", least)
        yield Row(f"floor: answered after, {name}", least, "ms")
    grown = statistics.median(each.grown for each in desks) / 1024
    yield Row("desk: memory for an idle conversation", max(grown, 0.01), "KiB")
