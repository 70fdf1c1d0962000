"""One trouble from the first words to its end, in any messenger; every word that counts is remembered."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace
from typing import Any

from tests.faults.talk import Agent, Memory, Requester

BURST = 3


@dataclass
class Case:
    """A requester, an agent, and what they say to each other. Each step waits for what it is an answer to."""

    memory: Memory
    requester: Requester
    agent: Agent
    about: str
    urgent: bool = False
    hurried: Callable[[], bool] = lambda: False
    """Whether it should come to an end: messengers let only so much through in a minute."""
    begun: int = field(init=False)
    first: int = field(init=False)

    async def play(self) -> None:
        self.begun, self.first = self.memory.losses, len(self.memory.said)
        self.mine: list[str] = []
        self.requester.begins()
        self.agent.begins()
        head = await self.report()
        card = await self.work(head)
        await self.talk(card)
        await self.end(card)
        self._allow_copies()

    async def report(self) -> str:
        me = self.requester
        (head,) = await self._say(me.says, f"My {self.about} is down {{}}", conversation=me.conversation)
        await me.presses("Office", "Where are you?")
        await me.presses("Nobody can work" if self.urgent else "It can wait", "How badly")
        await me.hears(head)
        more = await self._say(me.says, "and it hurries {}", conversation=me.conversation)
        await me.presses("Send", more[0])
        await me.hears("is with the team")
        return head

    async def work(self, head: str) -> Any:
        card = await self.agent.card(head)
        if self.urgent:
            await self.agent.is_pinged(head)
        await self.agent.takes(card)
        await self.requester.hears(" is on #")
        return await self.agent.card(head)

    async def talk(self, card: Any) -> None:
        me, agent = self.requester, self.agent
        burst = 1 if self.hurried() else BURST
        thread = agent.thread(card)
        answers = await self._say(
            lambda *texts: self._below(card, *texts),
            *["try this {}"] * burst,
            conversation=thread,
            kind="reply",
            read_in=me.conversation,
        )
        await me.hears(answers[-1])
        told = await self._say(me.says, *["no luck {}"] * burst, conversation=me.conversation, read_in=thread)
        await agent.hears(card, told[-1])

    async def end(self, card: Any) -> None:
        nonce = self.memory.nonce()
        thread = self.agent.thread(card)
        self.memory.keep(nonce, f"{thread} solution", "resolution")
        self.mine.append(nonce)
        await self.agent.resolves(card, f"mended {nonce}")
        self.memory.sure(nonce)
        await self.requester.presses("Yes, it is fixed", nonce)

    async def _below(self, card: Any, *texts: str) -> None:
        for text in texts:
            await self.agent.says(card, text)

    async def _say(
        self,
        says: Callable[..., Awaitable[None]],
        *texts: str,
        conversation: str,
        kind: str = "request",
        read_in: str = "",
    ) -> list[str]:
        """Say it and remember it; the nonces, which stand where the texts have a place for them."""
        nonces = [self.memory.nonce() for _ in texts]
        for nonce in nonces:
            self.memory.keep(nonce, conversation, kind, read_in)
        self.mine += nonces
        await says(*(text.format(nonce) for text, nonce in zip(texts, nonces, strict=True)))
        for nonce in nonces:
            self.memory.sure(nonce)
        return nonces

    def _allow_copies(self) -> None:
        """Each loss may have cost one answer of a messenger that cannot be asked what stands there."""
        losses = self.memory.losses - self.begun
        for at, each in enumerate(self.memory.said[self.first :], self.first):
            reader = self.agent if each.kind == "request" else self.requester
            if each.nonce in self.mine and reader.copies:
                self.memory.said[at] = replace(each, copies=losses)
