"""Slack's errors as the desk's: what time mends, what nobody mends, what may have been done already."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import aiohttp
from slack_sdk import errors as slack

from core.kernel.errors import PermanentError, TemporaryError


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


# What the Web API answers instead of `ok` (docs.slack.dev: the errors of each method).
_TOKEN = _words(
    """
    invalid_auth not_authed account_inactive token_revoked token_expired not_allowed_token_type
    team_access_not_granted
    """
)
_BUSY = _words("ratelimited rate_limited message_limit_exceeded")
_BROKEN = _words("internal_error fatal_error service_unavailable request_timeout")
_MOVING = _words("team_added_to_org org_login_required")
_GONE = _words("channel_not_found user_not_found users_not_found user_disabled user_not_visible")
_LOST = _words(
    """
    message_not_found edit_window_closed cant_update_message cant_delete_message file_not_found file_deleted
    compliance_exports_prevent_deletion
    """
)
_BLOCKED = _words("cannot_dm_bot messages_tab_disabled")
_FORBIDDEN = _words(
    """
    not_in_channel user_not_in_channel is_archived access_denied no_permission ekm_access_denied
    restricted_action restricted_action_read_only_channel restricted_action_thread_only_channel
    restricted_action_non_threadable_channel restricted_action_thread_locked
    """
)
_TOO_LARGE = _words("file_too_large storage_limit_reached")
_LATE = _words(
    """
    expired_trigger_id trigger_expired exchanged_trigger_id trigger_exchanged invalid_trigger_id
    expired_url used_url
    """
)
_WAIT = timedelta(seconds=30)
"""How long to wait where Slack asks for that, and does not say how long."""


class Lost(PermanentError):
    """The message to edit or delete is not there any more, or too old for that."""


class NoThread(PermanentError):
    """The thread to write in is not there any more, or never was."""


class TooLate(PermanentError):
    """What was pressed can be answered in this way no more."""


class ShutOut(TemporaryError):
    """The app may not do anything any more, until whoever runs the desk mends that."""


@contextmanager
def translated() -> Iterator[None]:
    """Raises the desk's errors for the client's; none of them repeats what was sent or answered."""
    try:
        yield
    except (
        slack.SlackClientError,
        aiohttp.ClientError,
        OSError,
        AttributeError,
        ValueError,
        RecursionError,
    ) as error:
        raise meaning(error) from None


def meaning(fault: Exception) -> TemporaryError | PermanentError:
    """The desk's error for one of the client's."""
    match fault:
        case TemporaryError() | PermanentError():
            return fault
        case slack.SlackApiError():
            return _refusal(fault)
        case aiohttp.ClientConnectorError() | aiohttp.ConnectionTimeoutError():
            return TemporaryError(f"no connection ({type(fault).__name__})")
        case TimeoutError():
            return TemporaryError("no answer in time", unknown=True)
        case aiohttp.ClientError() | OSError():
            return TemporaryError(f"the connection broke ({type(fault).__name__})", unknown=True)
    return TemporaryError(f"an answer that nobody understands ({type(fault).__name__})", unknown=True)


def _refusal(error: slack.SlackApiError) -> TemporaryError | PermanentError:
    word, status = _word_of(error), _status(error)
    if word in _BUSY or status == 429:
        return TemporaryError("Slack asks to wait", delay=_asked(error))
    if word in _TOKEN:
        return ShutOut(f"Slack does not accept the token ({word})")
    if word in _MOVING:
        return TemporaryError(f"Slack is at work on the workspace ({word})")
    if word in _BROKEN or not word or status >= 500:
        return TemporaryError(f"Slack is in trouble ({word or status})", unknown=True)
    if word in _LOST:
        return Lost(word, code="gone")
    if word == "thread_not_found":
        return NoThread(word)
    if word in _LATE:
        return TooLate(word)
    if word == "missing_scope":
        needed = str(_data(error).get("needed", ""))[:80]
        return PermanentError(f"the token lacks the scope {needed}", code="forbidden")
    return PermanentError(word, code=_code(word))


def _code(word: str) -> str:
    for code, words in (
        ("gone", _GONE),
        ("blocked", _BLOCKED),
        ("forbidden", _FORBIDDEN),
        ("too_large", _TOO_LARGE),
    ):
        if word in words:
            return code
    return "refused"


def _word_of(error: slack.SlackApiError) -> str:
    """What Slack calls the error; empty where its answer is none of the Web API's."""
    word = _data(error).get("error")
    return word[:80] if isinstance(word, str) else ""


def _data(error: slack.SlackApiError) -> dict[str, Any]:
    data = getattr(error.response, "data", error.response)
    return data if isinstance(data, dict) else {}


def _status(error: slack.SlackApiError) -> int:
    """Of the client's answer, or of the raw one that the client could not read."""
    found = getattr(error.response, "status_code", getattr(error.response, "status", 0))
    return found if isinstance(found, int) else 0


def _asked(error: slack.SlackApiError) -> timedelta:
    headers = getattr(error.response, "headers", None) or {}
    given = headers.get("Retry-After", "")
    return timedelta(seconds=int(given)) if str(given).isdecimal() else _WAIT


def named(fault: Exception) -> str:
    """The trouble in words for whoever runs the desk."""
    return str(meaning(fault))[:200]


def asked(fault: Exception) -> float:
    """Seconds that Slack itself asks to wait."""
    meant = meaning(fault)
    delay = meant.delay if isinstance(meant, TemporaryError) else None
    return delay.total_seconds() if delay is not None else 0.0


def mendable(fault: Exception) -> bool:
    """Whether it is up to whoever runs the desk to mend it, and not to time."""
    return isinstance(meaning(fault), PermanentError | ShutOut)
