"""Saying no to a request: a status for the program, a sentence for the person."""

from aiohttp import web

from core.kernel.errors import Forbidden, TemporaryError, UserError

_BY_STATUS = {404: "web.unknown", 403: "web.unknown", 405: "web.method", 413: "web.body_too_large"}


class Refused(UserError):
    """The request is refused with this HTTP status."""

    def __init__(self, status: int, key: str, /, *, count: int | None = None, **facts: object) -> None:
        super().__init__(key, count=count, **facts)
        self.status = status


def of(error: Exception) -> Refused | None:
    """What to answer for an error; None for one that nobody foresaw."""
    match error:
        case Refused():
            return error
        case Forbidden() | LookupError():
            return Refused(404, "web.unknown")
        case UserError():
            status = 413 if error.key.endswith("too_large") else 400
            return Refused(status, error.key, count=error.count, **error.facts)
        case TemporaryError():
            return Refused(503, "web.later")
        case web.HTTPException():
            status = 404 if error.status == 403 else error.status
            return Refused(status, _BY_STATUS.get(error.status, "web.unreadable"), limit=2)
    return None
