"""Examining the live bot: everything docs/telegram.md asks for, found or missing, with what to do."""

from collections.abc import AsyncIterator, Mapping
from contextlib import suppress

from telegram import ChatMember, ChatMemberAdministrator, ChatMemberOwner, ChatMemberRestricted, error

from bot.adapters.port import Finding
from bot.adapters.telegram import webhook
from bot.adapters.telegram.adapter import Telegram
from bot.message import Fact, Plain, Words


async def examine(adapter: Telegram, staff: Mapping[str, str]) -> AsyncIterator[Finding]:
    """Token, way of hearing, privacy mode, each staff group with its topics and rights, and whether pings
    reach the staff (accounts by name)."""
    try:
        async for finding in _examine(adapter, staff):
            yield finding
    except error.InvalidToken:
        yield Finding(False, Words("doctor.telegram_token"))
    except error.TelegramError as fault:
        yield Finding(False, Words("doctor.telegram_away", {"reason": Plain(fault.message)}))


async def _examine(adapter: Telegram, staff: Mapping[str, str]) -> AsyncIterator[Finding]:
    me = await adapter.bot.get_me()
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
        async for finding in _hidden(adapter, room, staff):
            yield finding
    async for finding in _reached(adapter, staff):
        yield finding


async def _hidden(adapter: Telegram, room: str, staff: Mapping[str, str]) -> AsyncIterator[Finding]:
    """What an anonymous administrator does comes in the group's name, so the desk hears none of it."""
    for name, account in staff.items():
        with suppress(error.Forbidden, error.BadRequest):
            member = await adapter.bot.get_chat_member(adapter.rooms.chat(room), int(account))
            if isinstance(member, ChatMemberAdministrator | ChatMemberOwner) and member.is_anonymous:
                facts = {"name": Plain(name), "room": Plain(room)}
                yield Finding(False, Words("doctor.telegram_anonymous", facts))


async def _reached(adapter: Telegram, staff: Mapping[str, str]) -> AsyncIterator[Finding]:
    """A typing sign disturbs nobody, and is refused by whoever never started the bot."""
    reached = 0
    for name, account in staff.items():
        try:
            await adapter.bot.send_chat_action(int(account), "typing")
            reached += 1
        except (error.Forbidden, error.BadRequest):
            yield Finding(False, Words("doctor.telegram_not_started", {"name": Plain(name)}))
    if reached:
        yield Finding(True, Words("doctor.telegram_heard", count=reached))


async def _hearing(adapter: Telegram) -> Finding:
    info = await adapter.bot.get_webhook_info()
    mode, own = adapter.account.mode, adapter.account.webhook_url or ""
    ours = info.url == f"{own}{webhook.PATH}" if mode == "webhook" else not info.url
    facts: dict[str, Fact] = {"url": Plain(info.url), "count": info.pending_update_count}
    if mode == "webhook" and not info.url:
        return Finding(True, Words("doctor.telegram_webhook_later"))
    return Finding(ours, Words(f"doctor.telegram_{mode}" if ours else f"doctor.telegram_{mode}_taken", facts))


async def _group(adapter: Telegram, room: str, me: int) -> AsyncIterator[Finding]:
    name = Plain(room)
    try:
        chat = await adapter.bot.get_chat(adapter.rooms.chat(room))
        member = await adapter.bot.get_chat_member(chat.id, me)
    except (error.Forbidden, error.BadRequest) as fault:
        yield Finding(
            False, Words("doctor.telegram_not_there", {"room": name, "reason": Plain(fault.message)})
        )
        return
    if member.status in (ChatMember.LEFT, ChatMember.BANNED):
        reason = Plain(member.status)
        yield Finding(False, Words("doctor.telegram_not_there", {"room": name, "reason": reason}))
        return
    facts = {"room": Plain(f"{chat.title} ({room})")}
    if isinstance(member, ChatMemberRestricted) and not member.can_send_messages:
        yield Finding(False, Words("doctor.telegram_mute", facts))
    topics = bool(chat.is_forum)
    yield Finding(True, Words("doctor.telegram_topics" if topics else "doctor.telegram_no_topics", facts))
    admin = isinstance(member, ChatMemberAdministrator | ChatMemberOwner)
    yield Finding(admin, Words("doctor.telegram_admin" if admin else "doctor.telegram_not_admin", facts))
    if topics and isinstance(member, ChatMemberAdministrator) and not member.can_manage_topics:
        yield Finding(False, Words("doctor.telegram_right_topics", facts))
    if isinstance(member, ChatMemberAdministrator) and not member.can_delete_messages:
        yield Finding(False, Words("doctor.telegram_right_delete", facts))
