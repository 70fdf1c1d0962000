"""The log of calls: what the app asked, when, and what came of it."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(eq=False)
class Call:
    """`at` is Slack's time, `began` and `ended` the machine's monotonic clock. `status` is the HTTP status,
    `error` the word of the refusal, `fault` the trouble it met, `early` that it came before the Retry-After
    given was over, `performed` that it took effect whatever the app was told."""

    number: int
    method: str
    at: float
    began: float
    values: dict[str, Any] = field(default_factory=dict)
    channel: str = ""
    status: int = 0
    error: str = ""
    result: dict[str, Any] | None = None
    fault: str = ""
    early: bool = False
    performed: bool = False
    ended: float = 0.0

    def __repr__(self) -> str:
        return f"<{self.number} {self.method} {self.channel} {self.status} {self.error} {self.fault}>"
