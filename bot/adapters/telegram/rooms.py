"""Rooms: a group that becomes a supergroup gets another number, and its room in the desk keeps its name."""

from collections.abc import Collection

from bot.adapters.telegram import store
from core.database.engine import Database
from core.database.transaction import Transaction
from core.kernel.errors import PermanentError

SEPARATOR = "/"
BELL = "telegram_rooms"
"""Rings when a group has moved."""


class Rooms:
    """Which chat of Telegram a room of the desk is now, and how the desk calls a message there.

    A supergroup numbers its messages anew. So a message is called by its number alone only in the chat its
    room is named after, elsewhere by chat and number: the same number in two chats is never one message."""

    def __init__(self, database: Database, staff: Collection[str]) -> None:
        self._database = database
        self._staff = frozenset(staff)
        self._moves = database.bells.listen(BELL)
        self._moves.set()
        self._room_of: dict[str, str] = {}
        self._chat_of: dict[str, str] = {}

    async def load(self) -> None:
        """Remember every move there was, whichever process heard of it; before that no group can be told from
        another."""
        if self.loaded:
            return
        self._moves.clear()
        try:
            moves = await self._database.read(store.all_moves)
        except BaseException:
            self._moves.set()
            raise
        for chat, room in moves.items():
            self._remember(chat, room)

    @property
    def loaded(self) -> bool:
        return not self._moves.is_set()

    async def moved(self, old: str, new: str) -> None:
        """Telegram calls the chat by a new number from now on."""
        room = self._room_of.get(old, old)

        async def move(tx: Transaction) -> None:
            await store.add(tx, room, new)
            tx.ring(BELL)

        await self._database.write(move)
        self._remember(new, room)

    def _remember(self, chat: str, room: str) -> None:
        self._room_of[chat], self._chat_of[room] = room, chat

    def name(self, chat: str) -> str:
        """The room's name in the desk: a staff space is called as the configuration calls it."""
        room = self._room_of.get(chat, chat)
        return room if room in self._staff else chat

    def chat(self, room: str) -> int:
        """The chat to write to. Raises PermanentError for what is no room of Telegram."""
        found = self._chat_of.get(room, room)
        if not _number(found.removeprefix("-")):
            raise PermanentError("there is no such chat", code="gone")
        return int(found)

    def call(self, chat: str, message: str) -> str:
        """How the desk calls a message of that chat."""
        return message if self.name(chat) == chat else f"{chat}{SEPARATOR}{message}"

    def shown(self, room: str, chat: int, message: int) -> str:
        """How the desk calls a message that was just shown in the room."""
        return str(message) if str(chat) == room else f"{chat}{SEPARATOR}{message}"

    def find(self, room: str, remote: str) -> int | None:
        """The number of a message in the chat the room is now; None for one of a chat it once was."""
        chat, _, number = remote.rpartition(SEPARATOR)
        here = (chat or room) == self._chat_of.get(room, room)
        return int(number) if here and _number(number) else None


def _number(text: str) -> bool:
    return text.isascii() and text.isdecimal() and len(text) <= 18
