"""A whole life of a ticket, said and pressed by a requester and an agent; every round says its own words."""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from tests.process.person import Person, Shown

NONCES = 7
"""Words of each round: 1-3 the report, 4 a reply, 5 a note, 6 an answer, 7 the solution; each once."""


@dataclass(frozen=True)
class Round:
    """One ticket from report to rating."""

    requester: Person
    agent: Person
    number: int
    pinged: Sequence[Person] = ()
    """Who must be pinged before anybody takes it; nobody: it is not urgent."""

    def word(self, n: int) -> str:
        return f"{self.requester.account}-{self.number}-{n}."

    @property
    def words(self) -> list[str]:
        return [self.word(n) for n in range(1, NONCES + 1)]

    async def play(self) -> None:
        card = await self.report()
        for person in self.pinged:
            await person.sees(lambda each: each.tone == "ping" and each.ticket == card.ticket, "a ping")
        await self.work(card)
        await self.end(card)

    async def report(self) -> Shown:
        """The requester tells, answers and sends; returns the card that the agent sees."""
        me = self.requester
        file = await me.upload(f"log of {self.word(0)}".encode(), "log.txt")
        await me.say(f"VPN is down {self.word(1)}")
        await self.answer("Where are you?", "Office")
        await self.answer("How badly", "Nobody can work" if self.pinged else "It can wait")
        await me.sees(lambda each: "Send" in each.buttons and self.word(1) in each.text, "the summary")
        await me.say(f"see the log {self.word(2)}", files=[file])
        await me.sees(lambda each: "Send" in each.buttons and self.word(2) in each.text, "the longer summary")
        await me.say(f"and hurry {self.word(3)}")
        await me.press("Send", lambda each: self.word(3) in each.text)
        return await self.agent.card(self.word(1))

    async def answer(self, question: str, label: str) -> None:
        newest = max([0, *(each.id for each in self.requester.screen.values() if self.word(1) in each.text)])
        await self.requester.press(label, lambda each: each.id > newest and question in each.text)

    async def work(self, card: Shown) -> None:
        me = self.agent
        await me.press("Take it", lambda each: each.id == card.id)
        await self.requester.hears(f"is on #{card.ticket} ")
        await me.fill("Reply", lambda each: each.id == card.id, text=f"try again {self.word(4)}")
        await self.requester.hears(self.word(4))
        await me.sees(
            lambda each: each.thread == card.id and self.word(4) in each.text, "their reply in the thread"
        )
        await me.say(f"between us {self.word(5)}", room=card.room, thread=card.id)
        await self.requester.say(f"no luck {self.word(6)}")
        await me.hears(self.word(6))

    async def end(self, card: Shown) -> None:
        await self.agent.fill("Resolve", lambda each: each.id == card.id, solution=f"mended {self.word(7)}")
        me = self.requester
        await me.press("Yes, it is fixed", lambda each: each.ticket == card.ticket)
        rated = await me.sees(lambda each: "★★★" in each.buttons, "the stars")
        await me.press("★★★")
        await me.press("No comment", lambda each: each.id > rated.id)
        await me.sees(
            lambda each: each.id > rated.id and "No comment" in each.text and not each.buttons, "its end"
        )
        await self.agent.sees(lambda each: each.id == card.id and "closed" in each.text, "the closed card")


def told_alike(text: str) -> str:
    """What is said in every round, without what differs from round to round."""
    text = re.sub(r"(\w+)-\d+-(\d)\.", r"\1-N-\2.", text)
    text = re.sub(r"#\d+", "#N", text)
    return re.sub(r"by [^.]*\d\d:\d\d[^.]*\.", "by T.", re.sub(r"\d\d:\d\d", "T", text))


def direct(person: Person) -> list[list[str]]:
    """This person's own conversation, round by round, in the order in which it stands there."""
    rounds: list[list[str]] = []
    for each in sorted(person.screen.values(), key=lambda each: each.id):
        if each.room != person.direct or each.deleted:
            continue
        if each.mine and each.text.startswith("VPN is down"):
            rounds.append([])
        rounds[-1].append(f"{'> ' if each.mine else ''}{told_alike(each.text)}")
    return rounds


def thread(person: Person, card: Shown) -> list[str]:
    """What stands below a card, without the pings."""
    below = sorted(person.screen.values(), key=lambda each: each.id)
    return [
        told_alike(each.text)
        for each in below
        if each.thread == card.id and not each.deleted and "Pinged" not in each.text
    ]
