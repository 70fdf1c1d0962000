"""What can go wrong, by who can mend it: the person, time, or the operator."""

from collections.abc import Mapping
from datetime import timedelta


class DeskError(Exception):
    """Anything the desk itself says went wrong."""


class UserError(DeskError):
    """The person can mend it: `key` names a sentence of the catalogue, `facts` fill it in.

    The sentence says what is valid, so that the next try succeeds.
    """

    def __init__(self, key: str, /, *, count: int | None = None, **facts: object) -> None:
        super().__init__(key)
        self.key = key
        self.count = count
        self.facts: Mapping[str, object] = facts


class Forbidden(UserError):
    """The person may not do this; the sentence says what is missing. Nothing was changed."""


class TemporaryError(DeskError):
    """Time can mend it: try again after `delay` (None: the caller's own back-off).

    `unknown` says that the other side may have done what was asked although no answer came.
    """

    def __init__(self, reason: str, *, delay: timedelta | None = None, unknown: bool = False) -> None:
        super().__init__(reason)
        self.delay = delay
        self.unknown = unknown


class NotOurs(TemporaryError):
    """Another process does this by now; nothing was changed."""


class PermanentError(DeskError):
    """Only the operator can mend it, or nobody: never repeated by itself.

    `code` is a short stable word for the cause: `blocked`, `gone`, `forbidden`, `refused`, `too_large`.
    """

    def __init__(self, reason: str, *, code: str = "refused") -> None:
        super().__init__(reason)
        self.code = code


class SetupError(DeskError):
    """The operator must mend it before the desk can start: one plain line saying what and what to do."""
