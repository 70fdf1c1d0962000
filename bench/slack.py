"""Slack beside a bare Bolt app that keeps nothing: how soon, and how much of, what comes is acknowledged."""

import asyncio
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bench import process, rig
from bench.report import Report, Row, quantile
from tests.emulators.slack import Channel, Delivery, Slack, User

Mode = Literal["HTTP", "Socket Mode"]
MODES: tuple[Mode, ...] = ("HTTP", "Socket Mode")
PER_SECOND = 50
"""What comes one after the other, evenly."""
AT_ONCE = 32
"""Events under way at the same time when as many as possible are brought."""
PEOPLE = 50
BUTTON = {
    "type": "actions",
    "elements": [
        {
            "type": "button",
            "action_id": "c0",
            "value": "t.take.999999",
            "text": {"type": "plain_text", "text": "Take it"},
        }
    ],
}
SECTION = """
[slack]
bot_token = "{slack.bot_token}"
app_token = "{slack.app_token}"
signing_secret = "{slack.signing_secret}"
api_url = "{slack.api_url}"
mode = "{mode}"

[web]
port = {port}
"""


# ---- who is measured


@dataclass(frozen=True, slots=True)
class Bot:
    """How to start what is measured: the arguments of a Python, for a Slack and a port."""

    name: str
    arguments: Callable[[Slack, Mode, int], Sequence[str]]


def desk(place: Path) -> Bot:
    def arguments(slack: Slack, mode: Mode, port: int) -> Sequence[str]:
        kind = "http" if mode == "HTTP" else "socket"
        file = rig.written(place, SECTION.format(slack=slack, mode=kind, port=port))
        return "-m", "bot", "run", "--config", str(file)

    return Bot("desk", arguments)


def _bare(slack: Slack, mode: Mode, port: int) -> Sequence[str]:
    how = str(port) if mode == "HTTP" else slack.app_token
    return "-m", "bench.slack_bare", how, slack.bot_token, slack.signing_secret, slack.api_url


BARE = Bot("floor", _bare)


@contextlib.asynccontextmanager
async def running(slack: Slack, mode: Mode, bot: Bot) -> AsyncIterator[None]:
    """The bot in a process of its own, once it hears."""
    port = process.free_port()
    started = await asyncio.create_subprocess_exec(
        sys.executable,
        *bot.arguments(slack, mode, port),
        cwd=process.ROOT,
        env=process.environment(),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    try:
        if mode == "HTTP":
            await _verified(slack, f"http://127.0.0.1:{port}/slack/events")
        else:
            await slack.connected(2 if bot is not BARE else 1, process.START_WITHIN)
        yield
    finally:
        with contextlib.suppress(ProcessLookupError):
            started.terminate()
        _, said = await started.communicate()
        if started.returncode not in (0, -signal.SIGTERM):
            raise RuntimeError(f"{bot.name} ended with {started.returncode}: {said.decode()[-2000:]}")


async def _verified(slack: Slack, url: str) -> None:
    """The handshake of the settings, as soon as somebody answers."""
    async with asyncio.timeout(process.START_WITHIN):
        while True:
            with contextlib.suppress(OSError, AssertionError):
                await slack.use_http(url)
                return
            await asyncio.sleep(0.02)


# ---- what comes


Act = Callable[[int], Awaitable[object]]


@dataclass(frozen=True, slots=True)
class Town:
    """The people, and what they do."""

    slack: Slack
    people: Sequence[User]
    room: Channel

    @classmethod
    def of(cls, slack: Slack) -> "Town":
        people = [slack.user(f"Guest {number}", locale="en-US") for number in range(PEOPLE)]
        room = slack.channel("triage", members=people)
        room.add(slack.bot, text="#1 VPN drops", blocks=[BUTTON | {"block_id": "b"}])
        return cls(slack, people, room)

    def who(self, number: int) -> User:
        return self.people[number % len(self.people)]

    async def says(self, number: int) -> None:
        dm = self.who(number).dm
        root = dm.messages[0] if dm.messages else None
        await self.who(number).send("The VPN drops every ten minutes.", thread=root)

    async def commands(self, number: int) -> None:
        await self.who(number).command("/desk my", channel=self.room)

    async def presses(self, number: int) -> None:
        await self.who(number).press(self.room.history[0], "c0")

    async def steadily(self, act: Act, count: int) -> list[float]:
        """Milliseconds until each was acknowledged."""
        known, began = len(self.slack.deliveries.told), time.perf_counter()
        for number in range(count):
            await asyncio.sleep(began + number / PER_SECOND - time.perf_counter())
            await act(number)
        return [each.tries[0].took * 1000 for each in await self._done(known)]

    async def hurriedly(self, act: Act, count: int) -> float:
        """Acknowledged in a second, so many under way at once."""
        known, began = len(self.slack.deliveries.told), time.perf_counter()
        for number in range(count):
            await act(number)
            await self.slack.until(lambda: len(self.slack.deliveries.waiting) < AT_ONCE, 60)
        await self._done(known)
        return count / (time.perf_counter() - began)

    async def _done(self, known: int) -> list[Delivery]:
        fresh = self.slack.deliveries.told[known:]
        for each in fresh:
            await each.finished.wait()
            assert each.state == "taken", each
        return fresh


@dataclass(frozen=True, slots=True)
class Found:
    waits: dict[str, list[float]]
    per_second: float


async def measured(bot: Bot, mode: Mode, count: int) -> Found:
    """Everything, after a little of it that warms everything up."""
    async with Slack(patience=30) as slack:
        town = Town.of(slack)
        async with running(slack, mode, bot):
            acts = {"events": town.says, "commands": town.commands, "presses": town.presses}
            for act in acts.values():
                await town.steadily(act, PEOPLE)
            waits = {name: await town.steadily(act, count) for name, act in acts.items()}
            await slack.idle(1.0, 120)
            per_second = await town.hurriedly(town.says, count * 2)
    return Found(waits, per_second)


async def measure(place: Path, *, quick: bool) -> Report:
    count, rounds = (15, 1) if quick else (500, 3)
    rows: list[Row] = []
    for mode in MODES:
        desks, floors = [], []
        for number in range(rounds):
            fresh = place / f"{mode} {number}"
            fresh.mkdir()
            floors.append(await measured(BARE, mode, count))
            desks.append(await measured(desk(fresh), mode, count))
        rows += _rows(mode, desks, floors)
    return Report(f"Slack, {PER_SECOND} a second (floor: a bare Bolt app that keeps nothing)", rows)


def _rows(mode: Mode, desks: Sequence[Found], floors: Sequence[Found]) -> Iterator[Row]:
    for kind in ("events", "commands", "presses"):
        for name, share in (("p50", 0.5), ("p99", 0.99)):
            least = min(quantile(each.waits[kind], share) for each in floors)
            wait = min(quantile(each.waits[kind], share) for each in desks)
            yield Row(f"{mode}, {kind}: desk acknowledged, {name}", wait, "ms", least)
            yield Row(f"{mode}, {kind}: floor, {name}", least, "ms")
    floor = max(each.per_second for each in floors)
    yield Row(f"{mode}: desk, {AT_ONCE} at once", max(each.per_second for each in desks), "events/s", floor)
    yield Row(f"{mode}: floor, {AT_ONCE} at once", floor, "events/s")
