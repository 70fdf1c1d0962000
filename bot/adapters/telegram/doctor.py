"""Examining the live bot: everything docs/telegram.md asks for, found or missing, with what to do."""

from collections.abc import AsyncIterator

from telegram import ChatMemberAdministrator, error

from bot.adapters.port import Finding
from bot.adapters.telegram.adapter import Telegram
from bot.message import Fact, Plain, Words


async def examine(adapter: Telegram) -> AsyncIterator[Finding]:
    """Token, way of hearing, privacy mode, and each staff group with its topics and rights."""
    bot = adapter.bot
    try:
        me = await bot.get_me()
    except error.InvalidToken:
        yield Finding(False, Words("doctor.telegram_token"))
        return
    except error.TelegramError as fault:
        yield Finding(False, Words("doctor.telegram_away", {"reason": Plain(fault.message)}))
        return
    yield Finding(True, Words("doctor.telegram_me", {"name": Plain(f"@{me.username}")}))
    yield Finding(
        bool(me.can_read_all_group_messages),
        Words("doctor.telegram_open" if me.can_read_all_group_messages else "doctor.telegram_privacy"),
    )
    yield await _hearing(adapter)
    if not adapter.account.staff_rooms:
        yield Finding(False, Words("doctor.telegram_no_group"))
    for room in adapter.account.staff_rooms:
        async for finding in _group(adapter, room, me.id):
            yield finding


async def _hearing(adapter: Telegram) -> Finding:
    info = await adapter.bot.get_webhook_info()
    wanted = adapter.account.webhook_url if adapter.account.mode == "webhook" else ""
    right = info.url.startswith(wanted or "") if wanted else not info.url
    facts: dict[str, Fact] = {"url": Plain(info.url or "—"), "count": info.pending_update_count}
    return Finding(right, Words(f"doctor.telegram_{adapter.account.mode}", facts))


async def _group(adapter: Telegram, room: str, me: int) -> AsyncIterator[Finding]:
    name = Plain(room)
    try:
        chat = await adapter.bot.get_chat(int(room))
        member = await adapter.bot.get_chat_member(int(room), me)
    except error.TelegramError as fault:
        yield Finding(
            False, Words("doctor.telegram_not_there", {"room": name, "reason": Plain(fault.message)})
        )
        return
    facts = {"room": Plain(f"{chat.title} ({room})")}
    topics = bool(chat.is_forum)
    yield Finding(True, Words("doctor.telegram_topics" if topics else "doctor.telegram_no_topics", facts))
    admin = isinstance(member, ChatMemberAdministrator)
    yield Finding(admin, Words("doctor.telegram_admin" if admin else "doctor.telegram_not_admin", facts))
    if topics and isinstance(member, ChatMemberAdministrator) and not member.can_manage_topics:
        yield Finding(False, Words("doctor.telegram_right_topics", facts))
    if isinstance(member, ChatMemberAdministrator) and not member.can_delete_messages:
        yield Finding(False, Words("doctor.telegram_right_delete", facts))
