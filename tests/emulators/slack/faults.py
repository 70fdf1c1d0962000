"""Trouble on demand: what goes wrong with the next calls."""

import fnmatch
import random
from dataclasses import dataclass
from typing import Literal

Kind = Literal[
    "429",
    "error",
    "500",
    "503 html",
    "503 empty",
    "200 html",
    "cut before",
    "cut after",
    "hang before",
    "hang after",
    "truncated",
    "slow",
]
"""`before` and `after`: of performing the call. `error` refuses with the word in `text`, `truncated` performs
it and sends half of the answer's JSON, `slow` performs it and answers late."""


@dataclass
class Fault:
    method: str
    kind: Kind
    times: int
    channel: str
    share: float
    retry_after: int | str | None
    text: str
    seconds: float
    skip: int


class Faults:
    """Ready trouble, the first that fits is drawn. `share` below 1 strikes only so often (by a seeded
    die)."""

    def __init__(self, seed: int = 0) -> None:
        self._ready: list[Fault] = []
        self._random = random.Random(seed)

    def add(
        self,
        method: str,
        kind: Kind,
        times: int = 1,
        *,
        channel: str = "",
        share: float = 1.0,
        retry_after: int | str | None = 1,
        text: str = "internal_error",
        seconds: float = 60.0,
        skip: int = 0,
    ) -> Fault:
        """`method` may have stars (`chat.*`; `download` and `upload` are the files' addresses, `response_url`
        that one); `times` below 0 is for ever; `skip` lets so many calls pass first; `seconds` is how long a
        hanging or slow call takes; `retry_after` may be any odd header, None leaves it out."""
        fault = Fault(method, kind, times, channel, share, retry_after, text, seconds, skip)
        self._ready.append(fault)
        return fault

    def clear(self) -> None:
        self._ready.clear()

    def draw(self, method: str, channel: str) -> Fault | None:
        for fault in self._ready:
            fits = fnmatch.fnmatchcase(method, fault.method) and fault.channel in ("", channel)
            if not fits or (fault.share < 1 and self._random.random() >= fault.share):
                continue
            if fault.skip:
                fault.skip -= 1
                continue
            fault.times -= 1
            if fault.times == 0:
                self._ready.remove(fault)
            return fault
        return None
