"""Telegram's errors as the desk's: what time mends, what nobody mends, what may have been done already."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

from telegram import error as telegram

from bot.adapters.telegram.request import Unsent
from core.kernel.errors import PermanentError, TemporaryError

# Descriptions as the Bot API server words them; it gives no finer codes.
_GONE = ("chat not found", "user not found", "group chat was upgraded", "peer_id_invalid")
_THREADLESS = ("message thread not found", "topic_closed", "topic_deleted", "topic_id_invalid")
_UNCHANGED = ("message is not modified", "topic_not_modified")
_LOST = (
    "message to edit not found",
    "message to delete not found",
    "message can't be edited",
    "message can't be deleted",
    "message_id_invalid",
    "no text in the message to edit",
)
_BLOCKED = ("blocked by the user", "can't initiate conversation", "user is deactivated")
_TOO_LARGE = ("too big", "too large")
_FORBIDDEN = ("not enough rights", "have no rights", "was kicked", "not a member", "need administrator")


class NotModified(Exception):
    """An edit that would change nothing."""


class Lost(Exception):
    """The message to edit or delete is not there any more, or too old."""


class Threadless(Exception):
    """The topic is closed to us or not there any more; the group itself can still be written to."""


class Moved(Exception):
    """The group has become a supergroup with another id."""

    def __init__(self, chat: int) -> None:
        super().__init__("the group has another id now")
        self.chat = str(chat)


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
        raise Moved(error.new_chat_id) from None
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
        if _any(error, _TOO_LARGE):
            raise PermanentError(error.message, code="too_large") from None
        raise TemporaryError(error.message, unknown=True) from None
    except telegram.Conflict as error:
        raise TemporaryError(error.message) from None
    except telegram.TelegramError as error:
        raise TemporaryError(error.message, unknown=True) from None


def _bad_request(error: telegram.BadRequest) -> Exception:
    if _any(error, _UNCHANGED):
        return NotModified()
    if _any(error, _LOST):
        return Lost(error.message)
    if _any(error, _THREADLESS):
        return Threadless(error.message)
    code = "gone" if _any(error, _GONE) else "forbidden" if _any(error, _FORBIDDEN) else "refused"
    if _any(error, _TOO_LARGE):
        code = "too_large"
    return PermanentError(error.message, code=code)


def _any(error: telegram.TelegramError, words: tuple[str, ...]) -> bool:
    said = error.message.casefold()
    return any(word in said for word in words)
