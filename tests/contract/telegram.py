"""The rig of Telegram: the real client library against the Bot API on loopback, in a group with topics."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from pathlib import Path

from bot.adapters.telegram.account import Account
from bot.adapters.telegram.adapter import Telegram
from bot.incoming import Carried
from bot.message import Attachment
from core.kernel.clock import WallClock
from core.kernel.ids import Address, Identity
from tests.contract.rig import Deed, Opened, Seen
from tests.emulators import telegram as emulators
from tests.emulators.telegram import Chat, File, Message, User
from tests.town import Town
from tests.town import town as opened

GROUP = -1001234567890


class TelegramRig:
    """See `tests.contract.rig.Rig`."""

    ivan, anna, olga = (Identity("telegram", account) for account in ("501", "502", "503"))
    room = Address("telegram", str(GROUP))

    def __init__(self, world: emulators.Telegram, town: Town, folder: Path) -> None:
        self.world = world
        self._town = town
        self._folder = folder
        self.database = town.database
        account = Account(world.token, world.url, staff_rooms=(str(GROUP),))
        self.adapter = Telegram(
            account,
            database=town.database,
            clock=WallClock(),
            path=lambda name: asyncio.to_thread(folder.joinpath, name),
        )
        self._receiving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        self._receiving = asyncio.create_task(self.adapter.run(self._town.house.router))
        await self._until(lambda: self.adapter.health().ok)

    async def stop(self) -> None:
        assert self._receiving is not None
        self._receiving.cancel()
        await asyncio.gather(self._receiving, return_exceptions=True)

    def home(self, who: Identity) -> Address:
        return Address("telegram", who.account)

    def _user(self, who: Identity) -> User:
        return self.world.users[int(who.account)]

    def _chat(self, where: Address) -> Chat:
        return self.world.chat(int(where.room))

    async def seen(self, who: Identity, where: Address) -> list[Seen]:
        chat = self._chat(where)
        group = self.world.groups.get(chat.id)
        there = self._user(who).id in group.members if group else chat is self._user(who).chat
        shown = [each for each in chat.messages if each.kind not in self.world.SERVICE] if there else []
        return [self._seen(self._user(who), each, shown) for each in shown]

    def _seen(self, who: User, message: Message, shown: Sequence[Message]) -> Seen:
        """A topic's first message is the card, and the others stand below it."""
        first = next((each for each in shown if message.in_topic and each.thread == message.thread), message)
        return Seen(
            id=str(message.id),
            text=message.text,
            below=None if first is message else str(first.id),
            buttons=tuple(message.buttons),
            files=tuple((file.name, file.data) for file in message.files),
            mine=message.sender is who,
        )

    async def say(
        self,
        who: Identity,
        where: Address,
        text: str,
        *,
        files: Sequence[tuple[str, bytes]] = (),
        reply_to: str | None = None,
    ) -> Deed:
        user, chat = self._user(who), self._chat(where)
        thread = int(where.thread.removeprefix("t")) if where.thread else None
        replied = chat.find(int(reply_to)) if reply_to else None
        more = {"chat": chat, "reply_to": replied, "thread": thread}
        if len(files) > 1:
            documents = [File(name, body) for name, body in files]
            sent = (await user.send_album(documents, text, kind="document", **more))[0]  # type: ignore[arg-type]
        elif files:
            sent = await user.send(text, document=File(*files[0]), **more)  # type: ignore[arg-type]
        else:
            sent = await user.send(text, **more)  # type: ignore[arg-type]
        return await self._done(str(sent.id))

    async def edit(self, who: Identity, where: Address, message: str, text: str) -> Deed:
        await self._user(who).edit(self._message(where, message), text)
        return await self._done(message)

    async def press(self, who: Identity, where: Address, message: str, label: str) -> Deed:
        await self._user(who).press(self._message(where, message), label)
        return await self._done("")

    def _message(self, where: Address, message: str) -> Message:
        found = self._chat(where).find(int(message))
        assert found is not None
        return found

    async def _done(self, message: str) -> Deed:
        """It is acknowledged when the bot has confirmed it, and refused when it told its trouble."""
        updates = self.world.updates
        told = updates.told[-1]
        await self._until(lambda: not updates.pending or bool(self.adapter.health().detail))

        async def again() -> Deed:
            """As after a crash between the commit and the confirmation: told to the next process anew."""
            if updates.pending:
                await self.world.settled()
                return Deed(True, message, again)
            await self.stop()
            updates._waiting[told.id] = told
            updates._lanes.setdefault(told.lane, {})[told.id] = told
            await self.start()
            await self.world.settled()
            return Deed(True, message, again)

        return Deed(not updates.pending, message, again)

    async def _until(self, condition: Callable[[], bool]) -> None:
        await self.world.until(condition)

    async def open_form(self, who: Identity, where: Address, message: str, label: str) -> Opened:
        raise NotImplementedError("Telegram has no forms")

    async def submit(self, who: Identity, opened: Opened, answers: Mapping[str, str]) -> Deed:
        raise NotImplementedError("Telegram has no forms")

    async def keep(self, name: str, mime: str, content: bytes) -> Attachment:
        file_id = f"kept-{len(list(self._folder.iterdir()))}"
        await asyncio.to_thread((self._folder / file_id).write_bytes, content)
        return Attachment(file_id, name, mime, len(content))

    async def content(self, carried: Carried) -> bytes:
        return b"".join([chunk async for chunk in self.adapter.fetch(carried)])

    @contextlib.asynccontextmanager
    async def trouble(self) -> AsyncIterator[None]:
        faults = [self.world.fail(method, "502 html", times=-1) for method in ("send*", "edit*")]
        yield
        for fault in faults:
            self.world.faults._ready.remove(fault)


@contextlib.asynccontextmanager
async def telegram(folder: Path) -> AsyncIterator[TelegramRig]:
    """A desk's adapter in a group of three, connected."""
    kept = folder / "kept"
    kept.mkdir()
    async with opened(folder) as town, emulators.Telegram(privacy=False) as world:
        people = [
            world.user(501, "Ivan", language_code="en", started=True),
            world.user(502, "Anna", language_code="en", started=True),
        ]
        world.user(503, "Olga", language_code="ru", started=True)
        world.group(GROUP, "Support", forum=True, members=people)
        rig = TelegramRig(world, town, kept)
        await rig.start()
        try:
            yield rig
        finally:
            await rig.stop()
