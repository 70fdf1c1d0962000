"""Telegram as a test sees it: people, groups, one bot, and the Bot API it talks to."""

import asyncio
import contextlib
import itertools
import time
from collections.abc import Callable, Iterable
from types import TracebackType
from typing import Any, Self

from tests.emulators.telegram import about, changing, sending, topics  # noqa: F401 they enter their methods
from tests.emulators.telegram.calls import Call
from tests.emulators.telegram.chats import Chat, numbers
from tests.emulators.telegram.faults import Fault, Faults, Kind
from tests.emulators.telegram.files import Files
from tests.emulators.telegram.groups import Group
from tests.emulators.telegram.people import Press, User
from tests.emulators.telegram.polling import Polling
from tests.emulators.telegram.rates import Rates
from tests.emulators.telegram.server import Server
from tests.emulators.telegram.times import PATIENCE, Clock, Times
from tests.emulators.telegram.updates import Updates
from tests.emulators.telegram.webhook import Webhook

TOKEN = "7000000001:AAEmulatorTokenOfTests_0123456789abcd"


class Telegram:
    """`async with Telegram() as telegram:` serves the Bot API at `telegram.url`.

    `clock` and `time_scale`: see `times.Times`. `rates` switches flood control on. `privacy` is the bot's
    privacy mode, `mentions_heard` whether it lets messages with the bot's @name through (BotFather says so).
    `calm` keeps the server's guard against hurried short polls.
    """

    SERVICE = frozenset(
        {
            "forum_topic_created",
            "forum_topic_edited",
            "forum_topic_closed",
            "forum_topic_reopened",
            "new_chat_members",
            "left_chat_member",
            "new_chat_title",
            "pinned_message",
            "migrate_to_chat_id",
            "migrate_from_chat_id",
        }
    )

    def __init__(
        self,
        *,
        token: str = TOKEN,
        name: str = "Desk",
        username: str = "desk_test_bot",
        clock: Clock | None = None,
        time_scale: float = 1.0,
        rates: Rates | None = None,
        privacy: bool = True,
        mentions_heard: bool = True,
        calm: bool = False,
        seed: int = 0,
    ) -> None:
        self.token = token
        self.privacy = privacy
        self.mentions_heard = mentions_heard
        self.rates = rates
        self.times = Times(clock, time_scale)
        self.files = Files()
        self.faults = Faults(seed)
        self.updates = Updates(self.times, seed)
        self.webhook = Webhook(self.updates, self.times, seed)
        self.polling = Polling(self.updates, self.times, self.webhook, calm)
        self.server = Server(self)
        self.webhook.answer = self.server.perform
        self.shared_ids = numbers()
        self._fresh = itertools.count(4_000_000_000_000_001)
        self._changed = asyncio.Event()
        self.users: dict[int, User] = {}
        self.groups: dict[int, Group] = {}
        self.presses: dict[str, Press] = {}
        self.answers: list[Press] = []
        """Presses that were answered, in the order of the answers."""
        self.commands: dict[tuple[str, str], list[dict[str, str]]] = {}
        """By scope and language: `("all_private_chats", "ru")`."""
        self.bot = User(self, int(token.split(":")[0]), name, username=username, is_bot=True)
        self.users[self.bot.id] = self.bot

    # Serving

    async def __aenter__(self) -> Self:
        await self.server.open()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.webhook.close()
        await self.server.close()

    @property
    def url(self) -> str:
        """Where it answers: `http://127.0.0.1:port`. PTB's base_url is `url + "/bot"`, its base_file_url
        `url + "/file/bot"`."""
        return self.server.url

    async def go_down(self) -> None:
        """The API is away: connections are refused until `come_back`, on the same port."""
        await self.server.close()

    async def come_back(self) -> None:
        await self.server.open()

    # The town

    def user(self, number: int, first_name: str = "", *, started: bool = False, **more: Any) -> User:
        """Somebody. `language_code=`, `username=`, `last_name=`; `started`: wrote to the bot once upon a
        time."""
        if number not in self.users:
            user = User(self, number, first_name or f"User {number}", **more)
            user.started = user.met = started
            self.users[number] = user
        return self.users[number]

    def group(
        self,
        number: int,
        title: str = "",
        *,
        forum: bool = False,
        members: Iterable[User] = (),
        admins: Iterable[User] = (),
        owner: User | None = None,
        bot: str = "administrator",
        username: str = "",
        **rights: bool,
    ) -> Group:
        """A group with these people and the bot in it; -100… is a supergroup. `rights` are the bot's, such as
        `can_manage_topics=False`."""
        if number not in self.groups:
            group = Group(self, number, title or f"Group {number}", forum=forum, bot=bot, username=username)
            group.admins = {user.id: user for user in admins}
            group.members = {user.id: user for user in members} | group.admins
            group.owner = owner
            group.rights |= rights
            self.groups[number] = group
        return self.groups[number]

    def chat(self, number: int) -> Chat:
        return self.groups[number] if number in self.groups else self.users[number].chat

    @property
    def calls(self) -> list[Call]:
        """Every call that reached the server, in order."""
        return self.server.calls

    def called(self, method: str) -> list[Call]:
        return [call for call in self.calls if call.method == method.lower()]

    def fresh_id(self) -> str:
        return str(next(self._fresh))

    # Trouble

    def fail(self, method: str, kind: Kind, times: int = 1, **more: Any) -> Fault:
        """The next calls of `method` (stars allowed; `file` for downloads) go wrong. See
        `faults.Faults.add`."""
        return self.faults.add(method, kind, times, **more)

    def flood(self, chat: Chat | User | None, seconds: float) -> None:
        """From now until then every message to this chat (None: any) earns 429 with the rest of the wait."""
        self.server.floods[None if chat is None else chat.id] = self.times.now() + seconds

    def heal(self) -> None:
        self.faults.clear()
        self.server.floods.clear()

    def revoke_token(self) -> None:
        """Bot API: 401 for a token that was a bot's once."""
        self.server.revoked = True

    def restore_token(self) -> None:
        self.server.revoked = False

    # Waiting

    def stir(self) -> None:
        """Something changed: those who wait look again."""
        self._changed.set()

    async def until(self, condition: Callable[[], object], seconds: float = PATIENCE, what: str = "") -> None:
        """Waits (real seconds) until the condition holds; looks at each change."""
        end = time.monotonic() + seconds
        while not condition():
            left = end - time.monotonic()
            if left <= 0:
                raise AssertionError(f"waited {seconds} s in vain{': ' + what if what else ''}")
            self._changed.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._changed.wait(), min(left, 0.05))

    async def settled(self, seconds: float = PATIENCE) -> None:
        """Until the bot has confirmed (or taken by webhook) every update."""
        await self.until(lambda: not self.updates.pending, seconds, "unconfirmed updates")
