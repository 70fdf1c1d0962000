"""Signs of work: whoever waits in private for longer than an instant sees that the desk is at it."""

import asyncio
from collections.abc import Mapping

from bot.adapters.port import Adapter
from bot.incoming import Incoming
from core.kernel.ids import Address

INSTANT, STAYS = 0.5, 4.5
"""Seconds after which the first sign is shown, and after which the next."""


class Signs:
    """Nobody waits for a sign: it goes beside the work, keeps no pace, and may fail."""

    def __init__(self, adapters: Mapping[str, Adapter]) -> None:
        self._adapters = adapters
        self._due: dict[str, asyncio.TimerHandle] = {}
        self._where: dict[str, Address] = {}
        self._shown: set[asyncio.Task[None]] = set()

    def begin(self, lane: str) -> None:
        """From now on the desk is at work on this conversation."""
        self._due[lane] = asyncio.get_running_loop().call_later(INSTANT, self._show, lane)

    def meet(self, lane: str, incoming: Incoming) -> None:
        """Who waits there, as soon as that is known. May be called from another thread."""
        if incoming.private:
            self._where[lane] = incoming.where

    def end(self, lane: str) -> None:
        self._due.pop(lane).cancel()
        self._where.pop(lane, None)

    def _show(self, lane: str) -> None:
        where = self._where.get(lane)
        pause = INSTANT if where is None else STAYS
        self._due[lane] = asyncio.get_running_loop().call_later(pause, self._show, lane)
        if where is not None:
            task = asyncio.create_task(self._adapters[where.platform].typing(where))
            self._shown.add(task)
            task.add_done_callback(self._shown.discard)
