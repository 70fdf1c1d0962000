"""A day on which the desk is killed all the time, while people talk to it through all three messengers."""

import asyncio
import contextlib
import json
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.emulators.slack import Slack, delivery
from tests.emulators.telegram import Telegram
from tests.faults import checker, configuration
from tests.faults.cases import Case
from tests.faults.checker import Evidence, Finding
from tests.faults.configuration import SLACK, TEAM, TELEGRAM, WEB, group
from tests.faults.fleet import OLD, Fleet, fleet, schedule
from tests.faults.people import (
    PATIENCE,
    SlackAgent,
    SlackRequester,
    TelegramAgent,
    TelegramRequester,
    WebAgent,
    WebRequester,
)
from tests.faults.server import Server, server
from tests.faults.talk import Agent, Memory, Requester
from tests.process.person import Person

AFTERWARDS = 120.0
"""Seconds in which everything must have come to rest once nobody is killed any more."""


@dataclass(frozen=True)
class Plan:
    """All that a run follows from. The same plan kills at the same places; what is said in between depends on
    how fast the machine is."""

    kills: int
    seed: int = 0
    database: str = ""
    """The url; a new SQLite file where it is empty; a new server of PostgreSQL where it is "postgresql"."""
    processes: int = 1
    minutes: float = 0.0
    """The killing ends after so long, whatever is left to do; 0: it does not."""
    old: tuple[float, float] = OLD
    """Seconds that a process lives which is to bury others."""
    troubles: bool = True
    """Whether, beside the kills, the server and the line to it fail and processes stand still."""


@dataclass
class Verdict:
    """What became of it."""

    plan: Plan
    findings: list[Finding]
    kills: int
    cases: int
    said: int
    copies: int
    """How often something stands there once more, each for an answer that a death has swallowed."""
    seconds: float
    troubles: Counter[str]

    def __str__(self) -> str:
        counts = Counter(finding.what for finding in self.findings)
        told = ", ".join(
            f"{counts[what]} {name}"
            for what, name in (("lost", "lost"), ("doubled", "doubled"), ("disordered", "out of order"))
        )
        others = counts["unlikely"] + counts["leaked"] + counts["unwell"]
        return (
            f"seed {self.plan.seed}: {self.kills} kills{self._beside} in {self.seconds:.0f} s,"
            f" {self.cases} tickets, {self.said} messages acknowledged: {told}, {others} other findings;"
            f" {self.copies} copies for answers that were lost"
        )

    @property
    def _beside(self) -> str:
        if not self.troubles:
            return ""
        kinds = ", ".join(f"{number} {name}" for name, number in sorted(self.troubles.items()))
        return f" and {self.troubles.total()} troubles ({kinds})"


@dataclass
class Day:
    """Everybody and everything of one run."""

    plan: Plan
    fleet: Fleet
    telegram: Telegram
    slack: Slack
    memory: Memory
    server: Server | None = None
    people: dict[str, Person] = field(default_factory=dict)
    cases: list[Case] = field(default_factory=list)
    vain: list[str] = field(default_factory=list)
    """Where somebody has waited in vain."""

    async def sign_in(self) -> None:
        async def one(account: str) -> None:
            told = await self.fleet.desks[0].ask("sign-in", f"web:{account}")
            assert told.returncode == 0, told.stderr
            self.people[account] = Person(self.fleet, account)
            self.people[account].patience = PATIENCE
            await self.people[account].sign_in(told.stdout.strip().rpartition("#")[2])

        await asyncio.gather(*(one(f"{who}-{name}") for name in WEB for who in ("a", "r")))

    # ---- who talks

    def lines(self) -> list[tuple[str, Callable[[int], Requester], Agent]]:
        """What each conversation is about, who begins its n-th trouble, and who helps."""
        found: list[tuple[str, Callable[[int], Requester], Agent]] = []
        for name in WEB:
            me = WebRequester(self.people[f"r-{name}"])
            found.append((name, lambda _, me=me: me, WebAgent(self.people[f"a-{name}"])))  # type: ignore[misc]
        for place, name in enumerate(TELEGRAM):
            agent = TelegramAgent(
                self.telegram, self.telegram.users[500 + place], self.telegram.groups[group(place)]
            )
            found.append((name, lambda n, place=place: self._telegrammer(1000 * (place + 1) + n), agent))  # type: ignore[misc]
        for place, name in enumerate(SLACK):
            channel = next(each for each in self.slack.channels.values() if each.name == name)
            found.append(
                (name, self._slacker, SlackAgent(self.slack, self.slack.users[f"U050{place}"], channel))
            )
        return found

    def _telegrammer(self, number: int) -> Requester:
        return TelegramRequester(self.telegram, self.telegram.user(number, language_code="en", started=True))

    def _slacker(self, number: int) -> Requester:
        return SlackRequester(self.slack, self.slack.user(f"Guest {number}", locale="en-US"))

    async def talk(self, over: asyncio.Future[Any]) -> None:
        """Every conversation goes on from trouble to trouble until it is over; each is brought to its end, or
        to where somebody has waited for too long."""

        async def line(about: str, somebody: Callable[[int], Requester], agent: Agent) -> None:
            number = 0
            while not over.done() or number == 0:
                urgent = number % 2 == 0
                case = Case(self.memory, somebody(number), agent, about, urgent, hurried=over.done)
                try:
                    await case.play()
                except (AssertionError, TimeoutError) as error:
                    self.vain.append(f"{about}: {error or 'nobody took it'}")
                self.cases.append(case)
                number += 1

        async with asyncio.TaskGroup() as group:
            for each in self.lines():
                group.create_task(line(*each))

    # ---- what is known afterwards

    async def export(self) -> dict[str, Any]:
        told = await self.fleet.desks[0].ask("export", "--json")
        assert told.returncode == 0, told.stderr
        document: dict[str, Any] = json.loads(told.stdout)
        return document

    async def at_rest(self) -> dict[str, Any]:
        """The export, once nothing waits any more; or as it is when the time for that is over."""
        end = time.monotonic() + AFTERWARDS
        while True:
            document = await self.export()
            if not any(document["waiting"].values()) or time.monotonic() > end:
                return document
            await asyncio.sleep(1)

    async def evidence(self) -> Evidence:
        document = await self.at_rest()
        ready = all([(await desk.ready())["ok"] for desk in self.fleet.desks])
        urgent = sum(case.memory.losses - case.begun for case in self.cases if case.urgent)
        return Evidence(
            document,
            self.memory.said,
            self._shown(),
            self._pings(document["tickets"]),
            lost_pings=urgent,
            secrets=self._secrets(),
            places=self._places(json.dumps(document)),
            ready=ready,
        )

    def _shown(self) -> dict[str, list[str]]:
        shown: dict[str, list[str]] = {}
        pages = {number: each for person in self.people.values() for number, each in person.screen.items()}
        for _, each in sorted(pages.items()):
            if not (each.mine or each.deleted):
                below = f"#{each.thread}" if each.thread else ""
                shown.setdefault(f"web:{each.room}{below}", []).append(each.text)
        for user in self.telegram.users.values():
            shown[f"telegram:{user.id}"] = [each.text for each in user.chat.from_bot]
        for room in self.telegram.groups.values():
            for message in room.from_bot:
                shown.setdefault(f"telegram:{room.id}#{message.thread}", []).append(message.text)
        for guest in self.slack.users.values():
            shown[f"slack:{guest.id}"] = (
                [each.shown for each in guest.dm.from_bot] if not guest.is_bot else []
            )
        for channel in self.slack.channels.values():
            for reply in channel.from_bot:
                if reply.is_reply:
                    shown.setdefault(f"slack:{channel.id}#{reply.thread_ts}", []).append(reply.shown)
        return shown

    def _pings(self, tickets: Sequence[Any]) -> Counter[int]:
        numbers = {nonce: ticket["id"] for ticket in tickets for nonce in checker.nonces(ticket["title"])}
        alarms = [
            [each.text for p in self.people.values() for each in p.screen.values() if each.tone == "ping"],
            [m.text for u in self.telegram.users.values() for m in u.chat.from_bot if "⏰" in m.text],
            [
                m.shown
                for u in self.slack.users.values()
                if not u.is_bot
                for m in u.dm.from_bot
                if "⏰" in m.shown
            ],
        ]
        words = [nonce for texts in alarms for text in texts for nonce in set(checker.nonces(text))]
        return Counter(numbers[nonce] for nonce in words if nonce in numbers)

    def _secrets(self) -> list[str]:
        mine = [secret for person in self.people.values() for secret in person.secrets]
        slack = (self.slack.bot_token, self.slack.app_token, self.slack.signing_secret)
        return [self.telegram.token, *slack, *mine]

    def _places(self, export: str) -> dict[str, str]:
        """Everything the desk writes."""
        folder = self.fleet.desks[0].folder.parent
        files = {each.name: each.read_bytes().decode("latin-1") for each in folder.glob("desk.db*")}
        if self.server is not None:
            files["the database"] = self.server.dump()
        logs = {desk.folder.name: desk.errors for desk in self.fleet.desks}
        return {**files, **logs, "the export": export}


@contextlib.asynccontextmanager
async def day(plan: Plan, folder: Path) -> AsyncIterator[Day]:
    """A desk that runs, and everybody at their places."""
    folder.mkdir(parents=True, exist_ok=True)
    memory = Memory()

    def killed() -> None:
        memory.kills += 1

    def troubled() -> None:
        memory.troubles += plan.processes

    async with AsyncExitStack() as stack:
        telegram = await stack.enter_async_context(Telegram(privacy=False))
        slack = await stack.enter_async_context(Slack(team=TEAM, time_scale=0.1, patience=3))
        stack.enter_context(_persistent())
        config = configuration.written(telegram, slack)
        place = None
        if plan.database.startswith("postgresql"):
            place = await stack.enter_async_context(server(plan.database))
            place.told = troubled
        url = place.url if place else plan.database
        opened = await stack.enter_async_context(fleet(folder, config, plan.processes, url, killed))
        opened.old = plan.old
        if place:
            opened.troubled = place.troubled
        await opened.start()
        made = Day(plan, opened, telegram, slack, memory, place)
        await made.sign_in()
        for person in made.people.values():
            stack.push_async_callback(person.leave)
        yield made


@contextlib.contextmanager
def _persistent() -> Any:
    """Slack repeats events for as long as it does, but in small steps: nobody waits for its next one."""
    usual = delivery.RETRIES
    delivery.RETRIES = (5.0,) * 2000
    try:
        yield
    finally:
        delivery.RETRIES = usual


async def run(plan: Plan, folder: Path, say: Callable[[str], None] = lambda _: None) -> Verdict:
    """Live through the day; raises AssertionError where the desk ends by itself."""
    began = time.monotonic()
    async with day(plan, folder) as made:
        telling = asyncio.create_task(_progress(made, say))
        try:
            async with asyncio.TaskGroup() as group:
                await made.talk(group.create_task(_suffer(made)))
            evidence = await made.evidence()
            for person in made.people.values():
                await person.keeps_up()
            odd = [line for desk in made.fleet.desks for line in desk.oddities]
            stopped = await made.fleet.stop()
        finally:
            telling.cancel()
            await asyncio.gather(telling, return_exceptions=True)
        findings = checker.check(evidence)
        findings += [Finding("unwell", f"waited in vain: {words}") for words in made.vain]
        findings += [Finding("unwell", f"in the log: {line}") for line in odd[:20]]
        findings += [Finding("unwell", f"it stopped with {code}") for code in stopped if code]
        return Verdict(
            plan,
            findings,
            made.memory.kills,
            len(evidence.tickets),
            sum(each.sure for each in evidence.said),
            checker.copies(evidence),
            time.monotonic() - began,
            Counter(made.server.names if made.server else ()),
        )


async def _suffer(made: Day) -> None:
    """All the kills, and the troubles meanwhile; in the end everything is well."""
    plan, over = made.plan, asyncio.Event()
    end = time.monotonic() + plan.minutes * 60
    made.fleet.enough = lambda: plan.minutes > 0 and time.monotonic() > end
    async with asyncio.TaskGroup() as group:
        if made.server is not None and plan.troubles:
            group.create_task(made.server.suffer(made.fleet.desks, plan.seed, over))
        await made.fleet.suffer(schedule(plan.kills - plan.processes, plan.seed))
        over.set()


async def _progress(made: Day, say: Callable[[str], None]) -> None:
    while True:
        await asyncio.sleep(10)
        sure = sum(each.sure for each in made.memory.said)
        say(f"{made.memory.kills} of {made.plan.kills} kills, {len(made.cases)} tickets, {sure} messages")
