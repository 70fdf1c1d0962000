"""The table of methods: which function performs which call."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from tests.emulators.telegram.arguments import Arguments

if TYPE_CHECKING:
    from tests.emulators.telegram.world import Telegram

Method = Callable[["Telegram", Arguments], Any]

METHODS: dict[str, Method] = {}
"""By name in small letters: Bot API, all methods are case-insensitive."""


def method(*names: str) -> Callable[[Method], Method]:
    def entered(function: Method) -> Method:
        for name in names:
            METHODS[name.lower()] = function
        return function

    return entered
