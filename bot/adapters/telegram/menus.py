"""The command menus: what a requester may type in private, what staff may type in their groups."""

import logging

from telegram import Bot, BotCommand, BotCommandScopeAllPrivateChats, BotCommandScopeChat, error

from bot import i18n
from bot.adapters.telegram.account import Account
from core.kernel import text as texts
from core.kernel.clock import WallClock

_log = logging.getLogger(__name__)
DESCRIPTION = 256


async def offer(bot: Bot, account: Account) -> None:
    """Register the menus; a group the bot is not in only loses its menu."""
    for language in i18n.languages:
        tag = None if language == "en" else language
        private = _commands(account, language, staff=False)
        await bot.set_my_commands(private, scope=BotCommandScopeAllPrivateChats(), language_code=tag)
        for room in account.staff_rooms:
            await _offer_staff(bot, room, _commands(account, language, staff=True), tag)


async def _offer_staff(bot: Bot, room: str, commands: list[BotCommand], tag: str | None) -> None:
    try:
        await bot.set_my_commands(commands, scope=BotCommandScopeChat(int(room)), language_code=tag)
    except error.BadRequest as fault:
        _log.warning("no menu in the staff group %s: %s", room, fault.message)


def _commands(account: Account, language: str, *, staff: bool) -> list[BotCommand]:
    now = WallClock().now()
    return [
        BotCommand(
            entry.name,
            texts.shorten(i18n.word(entry.what, language, time_zone="UTC", now=now), DESCRIPTION),
        )
        for entry in account.menu
        if staff or not entry.staff
    ]
