"""How Telegram says no: codes and texts as the real server words them."""

from typing import Any


class Refused(Exception):
    """An answer with `ok: false`."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.parameters = parameters

    def body(self) -> dict[str, Any]:
        told: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.parameters:
            told["parameters"] = self.parameters
        return told


def bad(text: str, **parameters: int) -> Refused:
    """Bot API: an unsuccessful request has 400 and a description that begins with "Bad Request: "."""
    return Refused(400, f"Bad Request: {text}", **parameters)


def forbidden(text: str) -> Refused:
    return Refused(403, f"Forbidden: {text}")


def conflict(text: str) -> Refused:
    return Refused(409, f"Conflict: {text}")


def too_many(retry_after: int) -> Refused:
    """Bot API: ResponseParameters. The wait in seconds stands in the text, in the parameters and in a
    header."""
    return Refused(429, f"Too Many Requests: retry after {retry_after}", retry_after=retry_after)


UNAUTHORIZED = (401, "Unauthorized")
NOT_FOUND = (404, "Not Found")
