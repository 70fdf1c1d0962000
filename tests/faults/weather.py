"""A seed becomes a day of bad weather: which fault strikes which part when, and for how long.

What can go wrong is what the kit has for it: the messengers' emulators (`fail`, `flood`, `go_down`, Slack's
`sockets.cut` and `deliveries.again`; they repeat by themselves what nobody has answered), proxies between the
desk and anything (`proxy.py`), disks (`disk.py`), clocks (`clocks.py`) and deaths (`fleet.py`). The same seed
is the same day.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass

from tests.emulators.slack import Slack
from tests.emulators.telegram import Telegram
from tests.faults.proxy import Proxy

Effect = Callable[[], Awaitable[None] | None]


@dataclass(frozen=True)
class Fault:
    """Something that can be wrong with a part, and what puts it right."""

    begin: Effect
    end: Effect


@dataclass(frozen=True)
class Gust:
    """One fault of the day: in seconds from its beginning."""

    at: float
    lasts: float
    part: str
    fault: str


def forecast(
    faults: Mapping[str, Sequence[str]], seconds: float, seed: int, *, calm: float = 0.3
) -> list[Gust]:
    """Every part has its own weather: one fault after the other, with rests between them that take about the
    share `calm` of the time. All is well in the end."""
    gusts = []
    for part, names in sorted(faults.items()):
        dice = random.Random(f"{seed} {part}")
        now = dice.uniform(0, 2 * calm)
        while True:
            lasts = dice.uniform(0.1, 1.0) * max(1.0, seconds / 10)
            if now + lasts > seconds:
                break
            gusts.append(Gust(now, lasts, part, dice.choice(sorted(names))))
            now += lasts + dice.uniform(0, 2 * calm) * lasts
    return sorted(gusts, key=lambda gust: (gust.at, gust.part))


async def blow(gusts: Sequence[Gust], faults: Mapping[str, Mapping[str, Fault]]) -> None:
    """Let it happen, in real time; whatever becomes of it, everything is put right again."""
    began = asyncio.get_running_loop().time()

    async def one(gust: Gust) -> None:
        fault = faults[gust.part][gust.fault]
        await asyncio.sleep(began + gust.at - asyncio.get_running_loop().time())
        await _do(fault.begin)
        try:
            await asyncio.sleep(gust.lasts)
        finally:
            await _do(fault.end)

    async with asyncio.TaskGroup() as group:
        for gust in gusts:
            group.create_task(one(gust))


async def _do(effect: Effect) -> None:
    if (waits := effect()) is not None:
        await waits


# ---- what the kit has


def of_telegram(telegram: Telegram, share: float = 0.3) -> dict[str, Fault]:
    """Refusals, broken answers, answers that are lost, and nobody there."""

    def failing(kind: str, **more: object) -> Fault:
        return Fault(lambda: _quiet(telegram.fail("*", kind, -1, share=share, **more)), telegram.heal)  # type: ignore[arg-type]

    return {
        "429": failing("429", retry_after=1),
        "500": failing("500"),
        "502 html": failing("502 html"),
        "answers lost": failing("cut after"),
        "calls lost": failing("cut before"),
        "half answers": failing("truncated"),
        "down": Fault(telegram.go_down, telegram.come_back),
    }


def of_slack(slack: Slack, share: float = 0.3) -> dict[str, Fault]:
    """The same; and while it is down what was not acknowledged waits, and is told again."""

    def failing(kind: str, **more: object) -> Fault:
        return Fault(lambda: _quiet(slack.fail("chat.*", kind, -1, share=share, **more)), slack.heal)  # type: ignore[arg-type]

    return {
        "429": failing("429", retry_after=1),
        "500": failing("500"),
        "answers lost": failing("cut after"),
        "calls lost": failing("cut before"),
        "half answers": failing("truncated"),
        "down": Fault(slack.go_down, slack.come_back),
    }


def of_proxy(proxy: Proxy) -> dict[str, Fault]:
    """Whatever a line can be."""

    def being(effect: Callable[[], object]) -> Fault:
        return Fault(lambda: _quiet(effect()), proxy.restore)

    return {
        "slow": being(lambda: proxy.latency(0.2, 0.1)),
        "sliced": being(lambda: proxy.slices(16)),
        "narrow": being(lambda: proxy.bandwidth(50_000)),
        "breaking": being(lambda: proxy.reset_after(4000)),
        "silent": being(proxy.mute),
        "cut": being(proxy.cut),
        "refusing": Fault(proxy.refuse, proxy.restore),
    }


def _quiet(_: object) -> None:
    return None
