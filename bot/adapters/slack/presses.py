"""Presses, commands and forms that wait for an answer: what answers them is kept in memory alone."""

import asyncio
import hashlib
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Verdict = Mapping[str, Any] | None
"""What a form is answered with: None closes it, otherwise a `response_action` that keeps it open."""

REMEMBERED = 5000
TRIGGER_FOR = 3.0
"""Seconds in which a trigger opens a form, once (docs.slack.dev: handling user interaction)."""
RESPOND_FOR, RESPONSES = 1800.0, 5
"""Seconds in which, and times that, a response_url takes an answer (the same page)."""


@dataclass(slots=True)
class _Press:
    at: float
    trigger: str | None
    url: str | None
    fields: tuple[str, ...]
    form: str
    responses: int = RESPONSES
    verdict: asyncio.Future[Verdict] | None = None


class Presses:
    """The last presses, by ids that stand for them in the inbox and in the outbox.

    After a restart none is known: what answers them is then said in the room."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic, mark: str = "") -> None:
        """`mark` ends the ids: only the process that a press came to can answer it."""
        self._monotonic = monotonic
        self._mark = mark
        self._known: OrderedDict[str, _Press] = OrderedDict()
        self._refused: OrderedDict[str, int] = OrderedDict()

    def open(
        self,
        name: str,
        trigger: str | None = None,
        respond_url: str | None = None,
        fields: tuple[str, ...] = (),
        form: str = "",
    ) -> str:
        """Remember what is named so; returns its id, the same each time it is told of.

        `form`: what was sent in, by a name that it keeps when it is sent in unchanged once more."""
        press = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()[:16] + self._mark
        if press not in self._known:
            self._known[press] = _Press(self._monotonic(), trigger, respond_url, fields, form)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
        return press

    def trigger(self, press: str) -> str | None:
        """What opens a form for whoever pressed; None when it is too late, or one was opened already."""
        found = self._known.get(press)
        if found is None or self._monotonic() - found.at >= TRIGGER_FOR:
            return None
        trigger, found.trigger = found.trigger, None
        return trigger

    def respond_url(self, press: str) -> str | None:
        """Where an answer for their eyes alone goes, each call one of the few; None when it takes no more."""
        found = self._known.get(press)
        if found is None or not found.responses or self._monotonic() - found.at >= RESPOND_FOR:
            return None
        found.responses -= 1
        return found.url

    # ---- forms

    def fields(self, press: str) -> tuple[str, ...]:
        """The names of the fields of the form that was sent in."""
        found = self._known.get(press)
        return found.fields if found is not None else ()

    def verdict(self, press: str) -> asyncio.Future[Verdict]:
        """What the form is answered with, as soon as that is known."""
        found = self._known[press]
        if found.verdict is None:
            found.verdict = asyncio.get_running_loop().create_future()
        return found.verdict

    def refused(self, form: str) -> int:
        """How often this form, unchanged, was answered in a way that keeps it open."""
        return self._refused.get(form, 0)

    def waits(self, press: str) -> bool:
        """Whether it is a form that stands open until it is answered."""
        found = self._known.get(press)
        return found is not None and found.verdict is not None and not found.verdict.done()

    def answer(self, press: str, payload: Verdict) -> bool:
        """Answer the form; False when nobody waits for that any more, or it is no form."""
        found = self._known.get(press)
        if found is None or found.verdict is None or found.verdict.done():
            return False
        found.verdict.set_result(payload)
        if payload is not None:
            self._refused[found.form] = self._refused.get(found.form, 0) + 1
            while len(self._refused) > REMEMBERED:
                self._refused.popitem(last=False)
        return True
