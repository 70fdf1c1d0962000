"""Telegram's errors as the desk's: what time mends, what nobody mends, what may have been done already."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from telegram import error as telegram

from bot.adapters.telegram.request import Unsent
from core.kernel.errors import PermanentError, TemporaryError

# Descriptions as the Bot API server words them; it gives no finer codes.
_GONE = (
    "chat not found",
    "user not found",
    "group chat was upgraded",
    "message thread not found",
    "peer_id_invalid",
)
_BLOCKED = ("blocked by the user", "can't initiate conversation", "user is deactivated")
_FORBIDDEN = ("not enough rights", "have no rights", "was kicked", "not a member", "need administrator")


class NotModified(Exception):
    """An edit that would change nothing."""


class Lost(Exception):
    """The message to edit or delete is not there any more, or too old."""


@contextmanager
def translated() -> Iterator[None]:
    """Raises the desk's errors for the client's; none of them carries the address, which holds the token."""
    try:
        yield
    except telegram.RetryAfter as error:
        wait = error.retry_after
        span = wait if isinstance(wait, timedelta) else timedelta(seconds=wait)
        raise TemporaryError("Telegram asks to wait", delay=span) from None
    except telegram.ChatMigrated as error:
        raise PermanentError(f"the group has become {error.new_chat_id}", code="gone") from None
    except telegram.Forbidden as error:
        code = "blocked" if _any(error, _BLOCKED) else "forbidden"
        raise PermanentError(error.message, code=code) from None
    except telegram.InvalidToken:
        raise TemporaryError("Telegram does not accept the token") from None
    except telegram.BadRequest as error:
        raise _bad_request(error) from None
    except Unsent as error:
        raise TemporaryError(error.message) from None
    except (telegram.TimedOut, telegram.NetworkError) as error:
        raise TemporaryError(error.message, unknown=True) from None
    except telegram.Conflict as error:
        raise TemporaryError(error.message) from None
    except telegram.TelegramError as error:
        raise TemporaryError(error.message, unknown=True) from None


def _bad_request(error: telegram.BadRequest) -> Exception:
    if _any(error, ("message is not modified",)):
        return NotModified()
    if _any(error, ("message to edit not found", "message can't be edited", "message to delete not found")):
        return Lost(error.message)
    if _any(error, ("message can't be deleted",)):
        return Lost(error.message)
    code = "gone" if _any(error, _GONE) else "forbidden" if _any(error, _FORBIDDEN) else "refused"
    if _any(error, ("too big", "too large", "entity too large")):
        code = "too_large"
    return PermanentError(error.message, code=code)


def _any(error: telegram.TelegramError, words: tuple[str, ...]) -> bool:
    said = error.message.casefold()
    return any(word in said for word in words)
