"""The log of calls: what the bot asked, when, and what came of it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Call:
    """`at` is Telegram's time, `began` and `ended` the machine's monotonic clock. `outcome` is 200 or the
    code of the refusal, `fault` the trouble it met, `early` that it came before the `retry_after` given was
    over."""

    number: int
    method: str
    at: float
    began: float
    values: dict[str, Any] = field(default_factory=dict)
    uploads: dict[str, int] = field(default_factory=dict)
    """Sizes by name of the part."""
    chat: int | None = None
    outcome: int = 0
    description: str = ""
    result: Any = None
    fault: str = ""
    early: bool = False
    performed: bool = False
    ended: float = 0.0

    def __repr__(self) -> str:
        return f"<{self.number} {self.method} {self.chat} {self.outcome} {self.fault}>"
