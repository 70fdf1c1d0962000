"""Telegram on loopback: the Bot API, the people who write to the bot, and everything that can go wrong.

async with Telegram() as telegram:
    ann = telegram.user(1001, "Ann", language_code="ru")
    agents = telegram.group(-1001, "Agents", forum=True, members=[...])
    …start the bot with `telegram.token` at `telegram.url`…
    await ann.send("The printer is on fire")
    card = await agents.sees("printer")
    press = await agent.press(card, "Take")
"""

from tests.emulators.telegram.calls import Call
from tests.emulators.telegram.chats import Chat
from tests.emulators.telegram.contents import PIXEL, File
from tests.emulators.telegram.groups import Group
from tests.emulators.telegram.messages import Message, Topic
from tests.emulators.telegram.people import Press, User
from tests.emulators.telegram.rates import Rates
from tests.emulators.telegram.world import Telegram

__all__ = ["PIXEL", "Call", "Chat", "File", "Group", "Message", "Press", "Rates", "Telegram", "Topic", "User"]
