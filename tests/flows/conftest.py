"""A demo desk in each language, and the words in which it ought to speak."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot import i18n
from bot.message import Words
from core.database.transaction import Transaction
from core.kernel.ids import TicketId
from core.tickets import queries, store
from core.tickets.model import Ticket
from tests.town import Shown, Somebody, Town
from tests.town import town as opened

DEMO = '[desk]\nlanguage = "{language}"\n'
VPN = {"en": "VPN drops every ten minutes", "ru": "VPN отваливается каждые десять минут"}
PRINTER = {"en": "The printer on floor 3 is dead", "ru": "Принтер на 3 этаже умер"}
VAGUE = {"en": "Please help me", "ru": "Помогите, пожалуйста"}


@dataclass(repr=False)
class Stage:
    """The desk, the people of the demo, and two more whom nobody appointed."""

    town: Town
    language: str

    @property
    def ivan(self) -> Somebody:
        return self.town["ivan"]

    @property
    def anna(self) -> Somebody:
        return self.town["anna"]

    @property
    def boris(self) -> Somebody:
        return self.town["boris"]

    @property
    def maria(self) -> Somebody:
        return self.town["maria"]

    @property
    def petr(self) -> Somebody:
        return self.town["petr"]

    @property
    def vpn(self) -> str:
        return VPN[self.language]

    @property
    def printer(self) -> str:
        return PRINTER[self.language]

    @property
    def vague(self) -> str:
        return VAGUE[self.language]

    def w(self, key: str, count: int | None = None, **facts: Any) -> str:
        """A sentence of the catalogue as it is read here."""
        words = Words(key, facts, count)
        return i18n.word(words, self.language, time_zone="UTC", now=self.town.clock.now())

    async def report(self, who: Somebody, text: str = "", urgency: str = "normal") -> int:
        """Somebody goes through the questions, taking the first answer each time; the new ticket's number."""
        await who.say(text or self.vpn)
        await self.answer_all(who, urgency)
        await who.press(self.w("button.send"))
        return len(await self.numbers())

    async def answer_all(self, who: Somebody, urgency: str = "critical") -> None:
        """Take the first answer to each question, and none where none is needed, up to the summary."""
        for _ in range(8):
            labels = list((await who.last()).buttons)
            if self.w("button.send") in labels:
                return
            wished = (self.w(f"urgency.{urgency}"), self.w("button.skip"), labels[0])
            await who.press(next(label for label in wished if label in labels))
        raise AssertionError("no summary in sight")

    async def numbers(self) -> list[TicketId]:
        return list(await self.town.database.read(queries.all_ids))

    async def ticket(self, number: int) -> Ticket:
        return await self.town.ticket(number)

    async def words_of(self, number: int) -> list[tuple[str, str]]:
        """Everything said about a ticket that was not withdrawn, by kind."""

        async def look(tx: Transaction) -> list[tuple[str, str]]:
            said = await store.messages_of(tx, TicketId(number))
            return [(each.kind, each.text) for each in said if each.withdrawn_at is None]

        return await self.town.database.read(look)

    async def kinds(self, number: int) -> list[str]:
        """The ticket's timeline, by kind."""
        events = await self.town.database.read(lambda tx: store.timeline(tx, TicketId(number)))
        return [event.kind for event in events]


@pytest.fixture(params=["en", "ru"])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    async with opened(tmp_path, DEMO.format(language=request.param)) as town:
        yield Stage(town, request.param)


def texts(shown: list[Shown]) -> list[str]:
    return [each.text for each in shown]


@pytest.fixture
async def english(tmp_path: Path) -> AsyncIterator[Stage]:
    """For what does not hang on words."""
    async with opened(tmp_path, DEMO.format(language="en")) as town:
        yield Stage(town, "en")
