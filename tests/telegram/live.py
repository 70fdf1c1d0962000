"""The real process beside the emulator: requesters who each report one trouble, and what must be true."""

import asyncio
import json
import re
import sqlite3
from collections import Counter
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any

from tests.emulators.telegram import Message, Telegram, User
from tests.process.desk import TEAM, Desk
from tests.telegram.rig import labels

PATIENCE = 240.0
FIRST = 1000
SENTENCES = (
    r"Where are you\?$",
    r"How badly does it get in the way\?$",
    r"(This is what I send|Sent\.)$",
    r"#\d+ .*is with the team",
    r"→ #\d+",
)
"""What the desk says to somebody who reports, before and after an answer was written into it."""
_UNFINISHED = """
    SELECT (SELECT count(*) FROM inbox WHERE state = 'new' AND lane LIKE ?)
         + (SELECT count(*) FROM outbox WHERE state IN ('pending', 'uncertain', 'sending') AND room = ?)
"""


def config(telegram: Telegram, more: str = "") -> str:
    """A team on the web, requesters at Telegram."""
    section = f'[telegram]\ntoken = "{telegram.token}"\napi_url = "{telegram.url}"\n{more}\n'
    return section + TEAM


@dataclass
class Requester:
    """Somebody who reports one trouble from the first words to the number of the ticket, and adds to it."""

    telegram: Telegram
    desk: Desk
    user: User
    came_at: int = 0
    left_at: int | None = None
    """After how many kills."""

    def word(self, number: int) -> str:
        return f"{self.user.id}-{number}."

    @property
    def words(self) -> list[str]:
        return [self.word(number) for number in (1, 2, 3)]

    async def report(self) -> None:
        await self.user.send(f"VPN is down {self.word(1)}")
        await self.answer("Where are you?", "Office")
        await self.answer("How badly", "It can wait")
        await self.sees("Send", self.word(1))
        await self.user.send(f"and it hurries {self.word(2)}")
        await self.answer(self.word(2), "Send")
        await self.sees("", "is with the team")
        await self.user.send(f"no news? {self.word(3)}")
        await self.telegram.until(self.has_been_answered, PATIENCE, f"all of {self.user.id}'s to be handled")

    async def answer(self, words: str, label: str) -> None:
        await self.user.press(await self.sees(label, words), label)

    async def sees(self, label: str, words: str) -> Message:
        """The newest message with these words and this button."""

        def found() -> list[Message]:
            return [
                message
                for message in self.user.messages
                if message.by_bot and words in message.text and (not label or label in labels(message))
            ]

        seen = [message.text for message in self.user.messages]
        await self.telegram.until(found, PATIENCE, f"{label!r} under {words!r} to {self.user.id}: {seen}")
        return found()[-1]

    def has_been_answered(self) -> bool:
        """Whether all they said is kept and handled, and all that is for them has been shown."""
        if any(update.lane == f"chat:{self.user.id}" for update in self.telegram.updates.pending):
            return False
        with closing(sqlite3.connect(f"file:{self.desk.database}?mode=ro", uri=True)) as database:
            mine = (f"telegram/%/{self.user.id}", f"telegram:{self.user.id}")
            [unfinished] = database.execute(_UNFINISHED, mine).fetchone()
        return not unfinished

    @property
    def heard(self) -> Counter[str]:
        """How often they were told which sentence, in the order of the first time."""
        return Counter(_sentence(message.text) for message in self.user.messages if message.by_bot)


def _sentence(text: str) -> str:
    """What of SENTENCES this is; itself where it is none."""
    return next((each for each in SENTENCES if re.search(f"^{each}", text, re.MULTILINE)), text)


@dataclass
class Town:
    """Requesters who come one after the other, several at a time."""

    telegram: Telegram
    desk: Desk
    came: list[Requester] = field(default_factory=list)
    kills: int = 0

    async def one(self) -> None:
        user = self.telegram.user(FIRST + len(self.came), language_code="en", started=True)
        requester = Requester(self.telegram, self.desk, user, self.kills)
        self.came.append(requester)
        await requester.report()
        requester.left_at = self.kills

    async def crowd(self, over: asyncio.Future[Any], at_once: int, at_least: int) -> None:
        """New people come until it is over."""

        async def line() -> None:
            while not over.done() or len(self.came) < at_least:
                await self.one()

        await asyncio.gather(*(line() for _ in range(at_once)))

    @property
    def updates(self) -> int:
        return len(self.telegram.updates.told)

    # ---- what must be true

    def kept(self) -> list[int]:
        """The numbers of the updates that are on disk."""
        with closing(sqlite3.connect(f"file:{self.desk.database}?mode=ro", uri=True)) as database:
            rows = database.execute("SELECT body FROM inbox ORDER BY id").fetchall()
        return [json.loads(body)["update_id"] for (body,) in rows]

    def check_confirmed(self) -> None:
        """Whatever was confirmed to Telegram is on disk, once."""
        kept = Counter(self.kept())
        confirmed = {update.id for update in self.telegram.updates.told} - {
            update.id for update in self.telegram.updates.pending
        }
        assert confirmed <= set(kept)
        assert set(kept.values()) <= {1}

    async def check_words(self) -> None:
        """Everything that was said is in one ticket, once."""
        words = [word for one in self.came for word in one.words]
        await self.desk.check_words(words, tickets=len(self.came))

    def check_copies(self, model: Counter[str]) -> None:
        """Everybody heard what the first heard, and at most one copy for each kill they lived to see: of a
        question, too, whose place the next one has taken."""
        for one in self.came:
            assert one.left_at is not None
            assert [each for each in one.heard if each in model] == list(model), one.user.id
            assert set(one.heard) <= {*model, *SENTENCES}, one.heard
            assert all(one.heard[sentence] >= often for sentence, often in model.items()), one.heard
            assert (one.heard - model).total() <= one.left_at - one.came_at, one.heard
