"""An office that a test hands from one process to another."""

import asyncio

from core.database.transaction import Transaction
from core.kernel.errors import NotOurs


class Turn:
    """Whether it is this process's, is for the test to say."""

    def __init__(self, *, ours: bool = False) -> None:
        self.ours = ours
        self.taken = False
        """Somebody else has it by now, though this process does not know it."""
        self._changed = asyncio.Event()

    async def wait(self) -> None:
        while not self.ours:
            self._changed.clear()
            await self._changed.wait()

    async def check(self, tx: Transaction) -> None:
        if not self.ours or self.taken:
            raise NotOurs("it is another process's by now")

    def pass_to(self, other: "Turn") -> None:
        self.ours, other.ours = False, True
        self._changed.set()
        other._changed.set()
