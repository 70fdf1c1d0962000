"""What people can do in any messenger, and what is remembered of what they said."""

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Protocol

from tests.faults.checker import Said


@dataclass
class Memory:
    """What everybody said, and how often the desk has died so far."""

    said: list[Said] = field(default_factory=list)
    kills: int = 0
    troubles: int = 0
    """How often something else went wrong that may have cost an answer."""
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    begun: dict[str, int] = field(default_factory=dict)

    @property
    def losses(self) -> int:
        """How many answers of messengers may have been lost to the desk so far."""
        return self.kills + self.troubles

    def nonce(self) -> str:
        """A word that nobody else says; its life begins now."""
        made = f"q{next(self.numbers)}z"
        self.begun[made] = self.losses
        return made

    def keep(self, nonce: str, conversation: str, kind: Any, read_in: str = "") -> None:
        self.said.append(Said(nonce, conversation, kind, read_in, sure=False))

    def sure(self, nonce: str) -> None:
        """The messenger was told that the desk has it."""
        at = max(place for place, each in enumerate(self.said) if each.nonce == nonce)
        was = self.said[at]
        self.said[at] = Said(nonce, was.conversation, was.kind, was.read_in)


class Requester(Protocol):
    """Somebody with a trouble, in their own conversation with the desk."""

    conversation: str
    copies: bool
    """Whether this messenger may show a thing again when the desk dies before it hears of it."""

    def begins(self) -> None:
        """What stands there by now belongs to another trouble."""
        ...

    async def says(self, *texts: str) -> None:
        """One thing after the other; returns when the desk has taken all of it."""
        ...

    async def presses(self, label: str, words: str) -> None:
        """The newest button of this trouble with this label, under these words."""
        ...

    async def hears(self, words: str) -> None: ...


class Agent(Protocol):
    """Somebody who helps, in the room where the cards are."""

    copies: bool

    def begins(self) -> None:
        """What stands there by now belongs to other troubles."""
        ...

    async def card(self, nonce: str) -> Any:
        """The card of the trouble that bears this word, as soon as there is one."""
        ...

    def thread(self, card: Any) -> str:
        """The name of the conversation below it."""
        ...

    async def is_pinged(self, nonce: str) -> None: ...

    async def takes(self, card: Any) -> None: ...

    async def says(self, card: Any, text: str) -> None: ...

    async def hears(self, card: Any, words: str) -> None: ...

    async def resolves(self, card: Any, words: str) -> None: ...
