"""Topics: a thread per ticket where the group has them, named and closed as its ticket is."""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from telegram import Bot

from bot.adapters.telegram import faults
from bot.adapters.telegram.faults import Lost, NotModified, Threadless
from core.kernel.errors import PermanentError

_log = logging.getLogger(__name__)
NAME = 128
"""Characters a topic's name may have (Bot API: createForumTopic)."""
_MARK = "t"
"""What the name of a topic's thread begins with; other threads are replies to a message."""
_TRACES = ("forum_topic_edited", "forum_topic_closed", "forum_topic_reopened")
"""What Telegram writes into a topic when its name or state changes."""


class Topics:
    """The topics of the staff groups, as far as this process knows them."""

    def __init__(self, bot: Bot) -> None:
        self._bot = bot
        self._forums: dict[int, bool] = {}
        self._kept: dict[tuple[int, int], tuple[str, bool]] = {}
        self._tidying: set[asyncio.Task[None]] = set()

    def forget(self) -> None:
        """Other processes may have named and closed them."""
        self._forums.clear()
        self._kept.clear()

    def notice(self, update: Mapping[str, Any]) -> None:
        """Every message tells whether its group has topics now."""
        with suppress(KeyError, TypeError, ValueError):
            chat = update["message"]["chat"]
            if chat["type"] in ("group", "supergroup"):
                self._forums[int(chat["id"])] = bool(chat.get("is_forum"))

    def tidy(self, update: Mapping[str, Any], me: int) -> None:
        """Take away what Telegram writes below our own changes: the card and the topic's name say it."""
        with suppress(KeyError, TypeError, ValueError):
            message = update["message"]
            chat = message["chat"]
            if message["from"]["id"] == me and any(trace in message for trace in _TRACES):
                task = asyncio.create_task(self._take_away(int(chat["id"]), int(message["message_id"])))
                self._tidying.add(task)
                task.add_done_callback(self._tidying.discard)

    async def _take_away(self, chat: int, message: int) -> None:
        """A trace that stays does no harm."""
        try:
            with faults.translated():
                await self._bot.delete_message(chat, message)
        except Exception as error:  # noqa: BLE001 - nobody waits for this
            _log.info("a trace in a topic stays: %s", error)

    async def close(self) -> None:
        """Leave nothing under way."""
        for task in self._tidying:
            task.cancel()
        await asyncio.gather(*self._tidying, return_exceptions=True)

    async def open(self, chat: int, name: str) -> str | None:
        """A new topic's thread; None where there are no topics, or the bot may not make one."""
        if chat > 0 or not await self._forum(chat):
            return None
        try:
            with faults.translated():
                topic = await self._bot.create_forum_topic(chat, name)
        except PermanentError as error:
            _log.info("no topic could be made: %s", error)
            self._forums.pop(chat, None)
            return None
        self._kept[chat, topic.message_thread_id] = (name, False)
        return f"{_MARK}{topic.message_thread_id}"

    async def _forum(self, chat: int) -> bool:
        if chat not in self._forums:
            with faults.translated():
                self._forums[chat] = bool((await self._bot.get_chat(chat)).is_forum)
        return self._forums[chat]

    async def keep(self, chat: int, thread: str, name: str, *, closed: bool) -> None:
        """The topic is called as the card is, and closed with its ticket. What fails is tried next time."""
        number = topic(thread)
        if number is None:
            return
        before = self._kept.get((chat, number), (None, None))
        done = True
        if before[0] != name:
            done &= await self._change(lambda: self._bot.edit_forum_topic(chat, number, name=name))
        if before[1] != closed:
            act = self._bot.close_forum_topic if closed else self._bot.reopen_forum_topic
            done &= await self._change(lambda: act(chat, number))
        self._kept.pop((chat, number), None)
        if done and not closed:  # what is over is hardly looked at again, and need not be remembered
            self._kept[chat, number] = (name, closed)

    async def _change(self, act: Callable[[], Awaitable[object]]) -> bool:
        try:
            with faults.translated():
                await act()
        except NotModified:
            return True
        except (PermanentError, Lost, Threadless) as error:
            _log.info("a topic could not be kept: %s", error)
            return False
        return True


def topic(thread: str | None) -> int | None:
    """The number of the topic a thread stands for; None for a chain of replies."""
    if thread is None or not thread.startswith(_MARK):
        return None
    return int(thread.removeprefix(_MARK))
