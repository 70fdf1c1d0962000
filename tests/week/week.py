"""The week, told by what people read and did.

`python -m tests.week.week` writes docs/a-week.md anew; read the difference before keeping it."""

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from core.database.transaction import Transaction
from core.kernel.clock import HandClock
from core.timers import store as timers
from tests.town import Somebody, Town
from tests.town import town as opened

PAGE = Path(__file__).parent.parent.parent / "docs" / "a-week.md"
CONFIG = Path(__file__).parent / "config.toml"
BERLIN = ZoneInfo("Europe/Berlin")
START, END = datetime(2026, 3, 27, 19, 0, tzinfo=BERLIN), datetime(2026, 4, 7, 9, 45, tzinfo=BERLIN)
STAFF = ("anna", "boris", "clara", "dmitri", "maria")
HEAD = """# A week of a desk

Eleven days of a team in Berlin with two shifts on working days and somebody on call for all other hours, over
the night in which clocks go forward (29 March 2026) and over Easter. Below is what people did, in italics,
and what the desk wrote to each of them, by the clock on the wall. A test replays it in seconds and keeps this
page true; the very same file runs a desk: `deskbridge run --config tests/week/config.toml`.
"""


@dataclass(frozen=True)
class Act:
    """Something somebody does at an instant."""

    at: datetime
    told: str
    do: Callable[[Town], Awaitable[object]]


def _at(day: int, hour: int, minute: int = 0, month: int = 3) -> datetime:
    return datetime(2026, month, day, hour, minute, tzinfo=BERLIN)


def _says(who: str, *words: str, then: Sequence[str] = ()) -> Callable[[Town], Awaitable[object]]:
    async def act(town: Town) -> None:
        for each in words:
            await town[who].say(each)
        for label in then:
            await town[who].press(label)

    return act


def _presses(who: str, *labels: str) -> Callable[[Town], Awaitable[object]]:
    return _says(who, then=labels)


def _reports(words: str, urgency: str) -> Callable[[Town], Awaitable[object]]:
    return _says("ivan", f"/new {words}", then=(urgency, "Send"))


SLOWS, STOPPED, CANNOT = "It slows me down", "I cannot work", "Nobody can work"
ACTS = (
    Act(_at(27, 19, 30), "Ivan reports a slow VPN, half an hour before the office closes",
        _reports("VPN is slow", SLOWS)),
    Act(_at(29, 1, 45), "In the night of the changed clocks nobody can work",
        _reports("The whole network is down", CANNOT)),
    Act(_at(29, 3, 7), "Anna takes it, 22 minutes after it was reported", _presses("anna", "Take it")),
    Act(_at(29, 3, 20), "Anna answers", _says("anna", "/reply 2 The router was restarted, try again.")),
    Act(_at(29, 5, 21), "Anna is still on it", _presses("anna", "Still on it")),
    Act(_at(29, 6, 0), "Anna resolves it", _says("anna", "/resolve 2 The router has a new power supply")),
    Act(_at(29, 6, 5), "Ivan confirms", _presses("ivan", "Yes, it is fixed")),
    Act(_at(30, 9, 0), "Boris wants Good Friday off and asks Anna",
        _says("boris", "/oncall swap 3 Apr with @anna for 10 Apr")),
    Act(_at(30, 9, 5), "Anna accepts", _presses("anna", "Accept")),
    Act(_at(30, 11, 10), "Clara asks back, in time", _says("clara", "/wait 1")),
    Act(_at(31, 10, 0), "Ivan answers", _says("ivan", "It is the client from the software centre")),
    Act(_at(31, 12, 0), "Clara looks why it is due when it is", _says("clara", "/why 1")),
    Act(_at(31, 12, 5), "Clara resolves it", _says("clara", "/resolve 1 Updated the client")),
    Act(_at(2, 19, 0, 4), "On the eve of Good Friday Ivan reports something that can wait",
        _reports("wifi in room 5 drops", SLOWS)),
    Act(_at(3, 10, 0, 4), "On Good Friday it cannot wait any more",
        _presses("ivan", "It is an emergency", "Yes, call")),
    Act(_at(3, 10, 5, 4), "Anna takes it", _presses("anna", "Take it")),
    Act(_at(3, 10, 30, 4), "Anna resolves it", _says("anna", "/resolve 3 A new access point")),
    Act(_at(7, 8, 10, 4), "After Easter three come at once", _reports("vpn asks for a code", STOPPED)),
    Act(_at(7, 8, 10, 4), "The second", _reports("vpn forgets me", STOPPED)),
    Act(_at(7, 8, 10, 4), "The third", _reports("network cable is broken", STOPPED)),
    Act(_at(7, 9, 13, 4), "Clara takes one of them where she was asked", _presses("clara", "Take #5")),
)  # fmt: skip


class Week:
    """The story as it goes along."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.page = [HEAD]
        self._day = ""
        self._seen: dict[str, int] = {}

    async def until(self, instant: datetime) -> None:
        """Let everything happen that comes by itself, each at its own time."""
        while True:
            due = await self.town.database.read(_next_timer)
            if due is None or due > instant:
                break
            self.town.clock.advance(max(due - self.town.clock.now(), timedelta(0)))
            await self.town.settle()
            await self.tell()
        self.town.clock.advance(max(instant - self.town.clock.now(), timedelta(0)))

    async def tell(self, act: str = "") -> None:
        """Write down what somebody did, and what is new on the screens."""
        lines = [f"*{act}.*\n"] if act else []
        for who in ("ivan", *STAFF):
            lines += [f"{_name(who)} reads:\n\n{_block(words)}" for words in await self._new(self.town[who])]
        if lines:
            now = self.town.clock.now().astimezone(BERLIN)
            day = f"{now:%A}, {now.day} {now:%B}"
            if day != self._day:
                self.page.append(f"\n## {day}\n")
                self._day = day
            self.page += [f"**{now:%H:%M}**\n", *lines]

    async def _new(self, who: Somebody) -> list[str]:
        """What stands anew, or in other words, in somebody's own conversation."""
        shown = [each for each in await who.sees() if each.room == who.direct and not each.mine]
        before = self._seen.get(who.account, 0)
        self._seen[who.account] = max([before, *(each.seq for each in shown)])
        fresh = [each for each in shown if each.seq > before and not each.deleted]
        return [f"{each.text}\n{' '.join(f'[{label}]' for label in each.buttons)}".strip() for each in fresh]


async def _next_timer(tx: Transaction) -> datetime | None:
    return await timers.next_due(tx)


def _name(account: str) -> str:
    return account.capitalize()


def _block(words: str) -> str:
    return "".join(f"    {line}\n" for line in words.splitlines())


async def told() -> str:
    """The page."""
    with tempfile.TemporaryDirectory() as folder:
        clock = HandClock(START.astimezone(UTC))
        async with opened(Path(folder), CONFIG.read_text(encoding="utf-8"), clock) as town:
            town.zone = "Europe/Berlin"
            week = Week(town)
            for act in ACTS:
                await week.until(act.at.astimezone(UTC))
                await act.do(town)
                await week.tell(act.told)
            await week.until(END.astimezone(UTC))
            return "\n".join(week.page)


if __name__ == "__main__":
    PAGE.write_text(asyncio.run(told()), encoding="utf-8")
