"""The bot's account: where its server is, how it hears, and what its menus say."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from bot.message import Text


@dataclass(frozen=True, slots=True)
class MenuEntry:
    """A command as the messenger's menu shows it."""

    name: str
    what: Text
    staff: bool = False
    crowd: bool = False
    """Of use where people talk who need not be staff."""


@dataclass(frozen=True, slots=True)
class Account:
    """How to reach Telegram. The secrets are in no representation of this."""

    token: str = field(repr=False)
    api_url: str = "https://api.telegram.org"
    mode: Literal["polling", "webhook"] = "polling"
    webhook_url: str | None = None
    webhook_secret: str = field(default="", repr=False)
    staff_rooms: tuple[str, ...] = ()
    menu: Sequence[MenuEntry] = ()

    @property
    def me(self) -> int:
        """The bot's own id, which its token begins with."""
        return int(self.token.partition(":")[0])
