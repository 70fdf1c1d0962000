"""The real process beside the emulator: requesters with their troubles, an agent, and what must be true."""

import asyncio
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.adapters.slack import envelope
from bot.adapters.slack.account import Me
from tests.emulators.slack import Channel, Delivery, Message, Slack, User, delivery
from tests.process.desk import DEMO, Desk
from tests.slack.rig import TEAM, Mode

PATIENCE = 120.0
ANNA = "U0502"
QUEUES = ("vpn", "printer", "phone")
"""Each with a channel of its own: Slack takes one message a second in each."""
SECTIONS = """
[slack]
bot_token = "{slack.bot_token}"
app_token = "{slack.app_token}"
signing_secret = "{slack.signing_secret}"
api_url = "{slack.api_url}"
mode = "{mode}"

[[people]]
name = "Maria"
identities = ["web:maria"]
roles = ["lead"]

[[people]]
name = "Anna"
identities = ["slack:{slack.team}/{anna}"]
roles = ["agent"]
"""
QUEUE = """
[[queues]]
name = "{name}"
spaces = ["slack:{team}/{channel}"]
"""
TYPE = """
[[request_types]]
name = "{name}"
title = "{name}"
keywords = ["{name}"]

[[request_types.questions]]
name = "where"
text = "Where are you?"
options = ["Office", "Home"]
"""
SHOWN = (
    r"This is what I send\nAdded to the description\.$",
    r"Sent\.\nMy \w+ is down .*\n+and it hurries ",
    r"#\d+ .*is with the team",
    r"Anna is on #\d+ ",
    r"Anna took it$",
    r"📨 Guest \d+\nno news\? ",
)
"""What the desk says to somebody who reports, and below their card, as it stands there in the end."""
_UNFINISHED = """
    SELECT (SELECT count(*) FROM inbox WHERE state = 'new')
         + (SELECT count(*) FROM outbox WHERE state IN ('pending', 'uncertain', 'sending'))
"""


@pytest.fixture
def persistent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Slack repeats events for as long as it does, but in small steps: no test waits for its next one."""
    monkeypatch.setattr(delivery, "RETRIES", (5.0,) * 72)


def config(slack: Slack, triage: dict[str, Channel], mode: Mode) -> str:
    desk, _, rest = DEMO.partition("[[request_types]]")
    escalations = rest[rest.index("[[escalations]]") :]
    kinds = "".join(TYPE.format(name=name) for name in triage)
    queues = "".join(QUEUE.format(name=name, team=TEAM, channel=each.id) for name, each in triage.items())
    return desk + SECTIONS.format(slack=slack, mode=mode, anna=ANNA) + kinds + queues + escalations


@dataclass
class Requester:
    """Somebody who reports one trouble from the first words to the number of the ticket, and adds to it; the
    agent takes it and makes a note."""

    town: "Town"
    user: User
    queue: str
    root: Message | None = None

    def word(self, number: int) -> str:
        return f"{self.user.id}-{number}."

    @property
    def words(self) -> list[str]:
        return [self.word(number) for number in (1, 2, 3, 4)]

    @property
    def slack(self) -> Slack:
        return self.town.slack

    @property
    def triage(self) -> Channel:
        return self.town.triage[self.queue]

    @property
    def anna(self) -> User:
        return self.slack.users[ANNA]

    async def report(self) -> None:
        self.root = root = await self.user.send(f"My {self.queue} is down {self.word(1)}")
        await self.press(self.user, "Office", self.user.dm, "Where are you?")
        await self.press(self.user, "It can wait", self.user.dm, "How badly")
        await self.sees("Send", self.user.dm, self.word(1))
        await self.user.send(f"and it hurries {self.word(2)}", thread=root)
        await self.press(self.user, "Send", self.user.dm, self.word(2))
        await self.sees("", self.user.dm, "is with the team")
        await self.press(self.anna, "Take it", self.triage, self.word(1))
        await self.user.send(f"no news? {self.word(3)}", thread=root)
        await self.anna.send(f"he is in a hurry {self.word(4)}", thread=self.card)

    async def press(self, user: User, label: str, where: Channel, words: str) -> None:
        """Press it, and once more if Slack says that nobody was there."""
        message = await self.sees(label, where, words)
        while label in message.buttons:
            act = await (await user.press(message, label)).done()
            if act.taken:
                return
            await asyncio.sleep(0.05)

    async def sees(self, label: str, where: Channel, words: str) -> Message:
        """The newest message of the desk's with these words and this button."""

        def found() -> list[Message]:
            return [
                each
                for each in where.from_bot
                if words in each.shown and (not label or label in each.buttons)
            ]

        await self.slack.until(found, PATIENCE, f"{label!r} under {words!r} in {where.texts}")
        return found()[-1]

    @property
    def card(self) -> Message:
        [card] = [each for each in self.triage.from_bot if not each.is_reply and self.word(1) in each.shown]
        return card

    def check_shown(self) -> None:
        """They have read SHOWN, and so has the agent below their card; each once, and nothing else."""
        told = [each.shown for each in (*self.user.dm.from_bot, *self.card.replies) if each.by_bot]
        counts = Counter(next((each for each in SHOWN if re.match(each, words)), words) for words in told)
        assert counts == Counter(SHOWN), (
            f"{self.user} {(counts - Counter(SHOWN)) or (Counter(SHOWN) - counts)}"
        )


@dataclass
class Town:
    """Requesters, several at a time."""

    slack: Slack
    desk: Desk
    triage: dict[str, Channel]
    mode: Mode = "socket"
    came: list[Requester] = field(default_factory=list)

    async def one(self) -> None:
        user = self.slack.user(f"Guest {len(self.came)}", locale="en-US")
        requester = Requester(self, user, QUEUES[len(self.came) % len(QUEUES)])
        self.came.append(requester)
        await requester.report()

    async def crowd(self, count: int) -> None:
        await asyncio.gather(*(self.one() for _ in range(count)))

    def is_settled(self) -> bool:
        """Whether everything that was said is kept and handled, and everything that is to be shown is."""
        return not self.slack.deliveries.waiting and not self._rows(_UNFINISHED)[0][0]

    async def settled(self) -> None:
        await self.slack.until(self.is_settled, PATIENCE, "everything to be done")

    def _rows(self, query: str) -> list[Any]:
        with closing(sqlite3.connect(f"file:{self.desk.database}?mode=ro", uri=True)) as database:
            return database.execute(query).fetchall()

    # ---- what must be true

    def check_acknowledged(self) -> None:
        """Whatever Slack was told that we have is on disk, once."""
        me = Me(TEAM, self.slack.bot.id, self.slack.bot_id)
        taken = [each for each in self.slack.deliveries.told if _was_taken(each)]
        keys = {envelope.key(each.payload) for each in taken if envelope.of_concern(each.payload, me)}
        kept = Counter(key for (key,) in self._rows("SELECT event_key FROM inbox"))
        assert keys <= set(kept)
        assert set(kept.values()) <= {1}

    async def check_words(self) -> None:
        """Everything that was said is in one ticket, once."""
        words = [word for one in self.came for word in one.words]
        await self.desk.check_words(words, tickets=len(self.came))

    def check_shown(self) -> None:
        """Slack shows everything that the desk has to say once."""
        for one in self.came:
            one.check_shown()
        cards = [each for channel in self.triage.values() for each in channel.from_bot if not each.is_reply]
        assert len(cards) == len(self.came)


def _was_taken(delivery: Delivery) -> bool:
    return any(not each.outcome.reason for each in delivery.tries)
