"""The table of methods: which function performs which call, with which scopes and how often."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tests.emulators.slack.arguments import Arguments

if TYPE_CHECKING:
    from tests.emulators.slack.world import Slack

Perform = Callable[["Slack", Arguments], "dict[str, Any] | Awaitable[dict[str, Any]]"]


@dataclass(frozen=True)
class Method:
    """`scopes`: any one of them will do, none means none is needed. `tier` as in `rates`. `app_level`: asks
    for the app-level token, `config_level` for that of the app's configuration."""

    name: str
    perform: Perform
    scopes: tuple[str, ...]
    tier: str
    app_level: bool
    config_level: bool = False


METHODS: dict[str, Method] = {}


def method(
    name: str, *scopes: str, tier: str = "3", app_level: bool = False, config_level: bool = False
) -> Callable[[Perform], Perform]:
    def entered(function: Perform) -> Perform:
        METHODS[name] = Method(name, function, scopes, tier, app_level, config_level)
        return function

    return entered
