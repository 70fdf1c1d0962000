"""Trouble on demand: what goes wrong with the next calls."""

import asyncio
import fnmatch
import random
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal[
    "429",
    "400",
    "401",
    "403",
    "404",
    "409",
    "500",
    "502 html",
    "503 empty",
    "200 not ok",
    "cut before",
    "cut after",
    "hang before",
    "hang after",
    "late",
    "truncated",
    "not json",
]
"""`before` and `after`: of performing the call. `late` performs it only once the trouble is healed.
`truncated` performs it and sends half of the answer's JSON."""


@dataclass
class Fault:
    method: str
    kind: Kind
    times: int
    chat: int | None
    share: float
    retry_after: int
    text: str
    seconds: float
    skip: int
    healed: asyncio.Event = field(default_factory=asyncio.Event)


class Faults:
    """Ready trouble, the first that fits is drawn. `share` below 1 strikes only so often (by a seeded
    die)."""

    def __init__(self, seed: int = 0) -> None:
        self._ready: list[Fault] = []
        self._struck: list[Fault] = []
        self._random = random.Random(seed)

    def add(
        self,
        method: str,
        kind: Kind,
        times: int = 1,
        *,
        chat: int | None = None,
        share: float = 1.0,
        retry_after: int = 1,
        text: str = "",
        seconds: float = 60.0,
        skip: int = 0,
    ) -> Fault:
        """`method` may have stars (`send*`); `times` below 0 is for ever; `skip` lets so many calls pass
        first; `seconds` is how long a hanging call hangs; `text` the description of a refusal."""
        fault = Fault(method.lower(), kind, times, chat, share, retry_after, text, seconds, skip)
        self._ready.append(fault)
        return fault

    def clear(self) -> None:
        for fault in self._struck:
            fault.healed.set()
        self._struck.clear()
        self._ready.clear()

    def draw(self, method: str, chat: int | None) -> Fault | None:
        for fault in self._ready:
            fits = fnmatch.fnmatchcase(method, fault.method) and fault.chat in (None, chat)
            if not fits or (fault.share < 1 and self._random.random() >= fault.share):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            self._struck.append(fault)
            if fault.times == 0:
                self._ready.remove(fault)
            return fault
        return None
