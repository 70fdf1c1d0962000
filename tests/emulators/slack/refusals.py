"""How Slack says no: `ok: false` and a word, with HTTP 200 but for too many requests."""

from typing import Any


class Refused(Exception):
    """An answer with `ok: false`; `more` stands beside the error, such as `needed` and `provided`."""

    def __init__(self, error: str, *, messages: list[str] | None = None, **more: Any) -> None:
        super().__init__(error)
        self.error = error
        self.more = more
        if messages:
            self.more["response_metadata"] = {"messages": messages}

    def body(self) -> dict[str, Any]:
        return {"ok": False, "error": self.error} | self.more


class TooMany(Refused):
    """Web API: rate limits. HTTP 429, and a Retry-After header in seconds."""

    def __init__(self, retry_after: int | str | None) -> None:
        super().__init__("ratelimited")
        self.retry_after = retry_after
