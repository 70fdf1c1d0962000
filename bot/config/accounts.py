"""Who and what in a messenger: accounts, rooms, and the secrets that let the desk in."""

import base64
import re
from collections.abc import Callable
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, SecretStr

from bot.config import values
from bot.config.values import closest, shown
from core.kernel.ids import Address, Identity

PLATFORMS = ("web", "telegram", "slack")

_WEB_ACCOUNT = re.compile(r"[A-Za-z0-9._-]{1,64}")


def _account(platform: str, account: str) -> None:
    if platform not in PLATFORMS:
        guess = closest(platform, PLATFORMS)
        raise ValueError(f"{shown(platform)} must be one of the messengers {', '.join(PLATFORMS)}{guess}")
    if platform == "telegram" and not re.fullmatch(r"-?\d{1,20}", account):
        raise ValueError(
            f"telegram:{account} must be Telegram's number, like telegram:123, never a user name"
        )
    if platform == "web" and not _WEB_ACCOUNT.fullmatch(account):
        raise ValueError("a web account must be 1-64 of A-Z, a-z, 0-9, '.', '-' and '_', like web:anna")


def _written(value: object) -> str:
    if isinstance(value, str):
        return value
    raise ValueError("must be a text like 'web:anna' or 'telegram:123'")


def _identity(value: object) -> Identity:
    identity = value if isinstance(value, Identity) else Identity.parse(_written(value))
    _account(identity.platform, identity.account)
    return identity


def _space(value: object) -> Address:
    address = value if isinstance(value, Address) else Address.parse(_written(value))
    _account(address.platform, address.room)
    if address.thread is not None:
        raise ValueError(f"{shown(value)} must be a room, without '#' and a thread")
    return address


def _secret(value: SecretStr) -> SecretStr:
    text = value.get_secret_value()
    if not text or not text.isprintable() or " " in text:
        raise ValueError("must not be empty nor hold spaces or line breaks")
    return value


def _matching(pattern: str, valid: str) -> Callable[[SecretStr], SecretStr]:
    def check(value: SecretStr) -> SecretStr:
        if not re.fullmatch(pattern, value.get_secret_value(), re.ASCII):
            raise ValueError(f"must be {valid}")
        return value

    return check


def _called(example: str) -> Callable[[SecretStr], SecretStr]:
    """An address that the desk calls; it is never shown, for many hold a key."""

    def check(value: SecretStr) -> SecretStr:
        try:
            values.address(value.get_secret_value())
        except ValueError:
            raise ValueError(f"must be an address like {example}, without a password or '#'") from None
        return value

    return check


def _signing(value: SecretStr) -> SecretStr:
    try:
        kind, _, key = value.get_secret_value().partition("_")
        length = len(base64.b64decode(key, validate=True))
    except ValueError:
        kind, length = "", 0
    if kind != "whsec" or not 24 <= length <= 64:
        raise ValueError(
            "must be whsec_ and 24-64 random bytes in base64, as 'openssl rand -base64 32' makes"
        )
    return value


Account = Annotated[Identity, BeforeValidator(_identity)]
Space = Annotated[Address, BeforeValidator(_space)]
Secret = Annotated[SecretStr, AfterValidator(_secret)]
TelegramToken = Annotated[
    Secret, AfterValidator(_matching(r"\d+:[\w-]+", "a bot token as BotFather gives it, like 123456:ABC…"))
]
WebhookSecret = Annotated[
    Secret, AfterValidator(_matching(r"[\w-]{8,256}", "8-256 of A-Z, a-z, 0-9, _ and -"))
]
BotToken = Annotated[Secret, AfterValidator(_matching(r"xox[a-z]-\S+", "a bot token, beginning with xoxb-"))]
AppToken = Annotated[
    Secret, AfterValidator(_matching(r"xapp-\S+", "an app-level token, beginning with xapp-"))
]
ConfigToken = Annotated[
    Secret, AfterValidator(_matching(r"xoxe\S*-\S+", "an app configuration token, beginning with xoxe"))
]
HeartbeatUrl = Annotated[Secret, AfterValidator(_called("https://hc-ping.com/…"))]
SigningSecret = Annotated[Secret, AfterValidator(_matching(r"\S{8,}", "at least 8 characters"))]
WebhookUrl = Annotated[Secret, AfterValidator(_called("https://pager.example.org/hook"))]
SignSecret = Annotated[Secret, AfterValidator(_signing)]
