"""The command menus: what may be typed in private, in the staff groups, and in any other group."""

import logging
from collections.abc import Callable, Iterable

from telegram import (
    Bot,
    BotCommand,
    BotCommandScope,
    BotCommandScopeAllGroupChats,
    BotCommandScopeAllPrivateChats,
    BotCommandScopeChat,
    error,
)

from bot import i18n
from bot.adapters.telegram.account import Account, MenuEntry
from core.kernel import text as texts
from core.kernel.clock import WallClock

_log = logging.getLogger(__name__)
DESCRIPTION = 256


async def offer(bot: Bot, account: Account, staff: Iterable[int]) -> None:
    """Register the menus; `staff` are the chats of the staff as Telegram calls them now.

    They are a convenience: what fails is told in the log, and nobody waits for it."""
    scopes: list[tuple[BotCommandScope, Callable[[MenuEntry], bool]]] = [
        (BotCommandScopeAllPrivateChats(), _for_requesters),
        (BotCommandScopeAllGroupChats(), _for_a_crowd),
        *((BotCommandScopeChat(chat), _for_staff) for chat in staff),
    ]
    for scope, offered in scopes:
        try:
            for language in i18n.languages:
                await _offer(bot, account, scope, language, offered)
        except error.TelegramError as fault:
            _log.warning("no menu of commands for %s: %s", scope.type, fault.message)


def _for_requesters(entry: MenuEntry) -> bool:
    return not entry.staff and not entry.crowd


def _for_staff(entry: MenuEntry) -> bool:
    return not entry.crowd


def _for_a_crowd(entry: MenuEntry) -> bool:
    return entry.crowd


async def _offer(
    bot: Bot, account: Account, scope: BotCommandScope, language: str, offered: Callable[[MenuEntry], bool]
) -> None:
    tag = None if language == "en" else language
    entries = [entry for entry in account.menu if offered(entry)]
    await bot.set_my_commands(_commands(entries, language), scope=scope, language_code=tag)


def _commands(entries: Iterable[MenuEntry], language: str) -> list[BotCommand]:
    now = WallClock().now()
    return [
        BotCommand(
            entry.name,
            texts.shorten(i18n.word(entry.what, language, time_zone="UTC", now=now), DESCRIPTION),
        )
        for entry in entries
    ]
