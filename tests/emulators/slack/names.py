"""Slack's identifiers: a letter for the kind and capitals and digits; timestamps that name messages."""

import itertools
import string
from collections.abc import Callable

DIGITS = string.digits + string.ascii_uppercase


class Names:
    """Fresh identifiers of every kind, each used once."""

    def __init__(self) -> None:
        self._next = itertools.count(36**8 + 1)

    def fresh(self, letter: str) -> str:
        """Such as `U0…`, `C0…`, `Ev0…`: unique, whatever the kind."""
        number, digits = next(self._next), ""
        while number:
            number, rest = divmod(number, 36)
            digits = DIGITS[rest] + digits
        return f"{letter}0{digits}"


class Stamps:
    """Message timestamps: seconds, a point and six digits; unique in their channel and ever increasing."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        self._last = 0

    def fresh(self) -> str:
        self._last = max(self._last + 1, int(self._now() * 1_000_000))
        return stamp(self._last)


def stamp(micros: int) -> str:
    return f"{micros // 1_000_000}.{micros % 1_000_000:06d}"
