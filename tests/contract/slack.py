"""The rig of Slack: the real SDK against Slack on loopback, hearing by socket, in a channel of three."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from functools import partial
from pathlib import Path

from bot.adapters.port import Posted, Reader
from bot.adapters.slack.account import Account
from bot.adapters.slack.adapter import Slack
from bot.incoming import Carried, Pressed
from bot.message import Attachment, Form, Message
from core.kernel.clock import WallClock
from core.kernel.ids import Address, Identity
from tests.contract.rig import Deed, Field, Opened, Seen, heard, letters
from tests.emulators import slack as emulators
from tests.emulators.slack import Channel, Delivery, File, User, mrkdwn
from tests.emulators.slack import Message as Shown
from tests.emulators.slack.blocks import interactive
from tests.town import Town
from tests.town import town as opened

TEAM = "T0ACME"


class Desk(Slack):
    """The adapter, which remembers the forms behind the buttons it has shown: they open as the desk would."""

    def remember(self, message: Message) -> None:
        self.forms: dict[str, Form] = getattr(self, "forms", {})
        for row in message.rows:
            self.forms |= {choice.code: choice.form for choice in row if choice.form is not None}

    async def post(
        self, to: Address, message: Message, reader: Reader, nonce: str, *, again: bool = False
    ) -> Posted:
        self.remember(message)
        return await super().post(to, message, reader, nonce, again=again)


class SlackRig:
    """See `tests.contract.rig.Rig`."""

    ivan, anna, olga = (Identity("slack", f"{TEAM}/U0{number}") for number in (501, 502, 503))

    def __init__(self, world: emulators.Slack, channel: Channel, town: Town, folder: Path) -> None:
        self.world = world
        self._channel = channel
        self._town = town
        self._folder = folder
        self.database = town.database
        self.room = Address("slack", f"{TEAM}/{channel.id}")
        account = Account(
            world.bot_token, world.app_token, api_url=world.api_url, staff_rooms=(self.room.room,)
        )

        async def threads() -> Sequence[Address]:
            return []

        self.adapter = Desk(
            account,
            database=town.database,
            clock=WallClock(),
            path=partial(asyncio.to_thread, folder.joinpath),
            threads=threads,
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
        return Address("slack", who.account)

    def _user(self, who: Identity) -> User:
        return self.world.users[who.account.partition("/")[2]]

    def _there(self, where: Address) -> Channel:
        name = where.room.partition("/")[2]
        return self._channel if name == self._channel.id else self.world.users[name].dm

    async def seen(self, who: Identity, where: Address) -> list[Seen]:
        channel, user = self._there(where), self._user(who)
        shown = [*channel.messages, *channel.private_to(user)] if user.id in channel.members else []
        return [self._seen(user, each) for each in sorted(shown, key=lambda each: each.ts)]

    def _seen(self, who: User, message: Shown) -> Seen:
        return Seen(
            id=message.ts,
            text=message.shown,
            below=message.thread_ts if message.is_reply else None,
            buttons=(*message.buttons, *_rarer(message)),
            files=tuple((file.name, file.data) for file in message.files),
            mine=message.user is who,
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
        channel, below = self._there(where), reply_to or where.thread
        thread = channel.find(below) if below else None
        sent = await self._user(who).send(
            text, channel=channel, thread=thread, files=[File(name, data) for name, data in files]
        )
        return await self._done(sent.ts)

    async def edit(self, who: Identity, where: Address, message: str, text: str) -> Deed:
        await self._user(who).edit(self._message(where, message), text)
        return await self._done(message)

    async def press(self, who: Identity, where: Address, message: str, label: str) -> Deed:
        shown = self._message(where, message)
        if label in shown.buttons:
            await self._user(who).press(shown, label)
        else:
            await self._user(who).press(shown, "", label)
        return await self._done("")

    def _message(self, where: Address, message: str) -> Shown:
        found = self._there(where).find(message)
        assert found is not None
        return found

    async def _done(self, message: str) -> Deed:
        """It is acknowledged once Slack has heard so, and refused once Slack was left without an answer."""
        delivery = next(each for each in reversed(self.world.deliveries.told) if _counts(each))
        await self._until(lambda: bool(delivery.tries))
        taken = delivery.state == "taken"

        async def again() -> Deed:
            return await self._again(delivery, message)

        return Deed(taken, message, again)

    async def _again(self, delivery: Delivery, message: str) -> Deed:
        outcome = await self.world.deliveries.again(delivery)

        async def again() -> Deed:
            return await self._again(delivery, message)

        return Deed(not outcome.reason, message, again)

    async def _until(self, condition: Callable[[], bool]) -> None:
        await self.world.until(condition, 10)

    async def open_form(self, who: Identity, where: Address, message: str, label: str) -> Opened:
        """The press goes to the desk, which opens the form for whoever pressed."""
        await self.press(who, where, message, label)
        incoming = (await heard(self))[-1]
        assert isinstance(incoming.what, Pressed)
        asked = Message((), form=self.adapter.forms[incoming.what.code])
        reader = Reader("en", "UTC", who, incoming.what.press)
        await self.adapter.post(incoming.where, asked, reader, "")
        view = await self._user(who).modal()
        inputs = [block for block in view.blocks if block["type"] == "input"]
        return Opened(view.title, tuple(_field(block) for block in inputs), view)

    async def submit(self, who: Identity, opened: Opened, answers: Mapping[str, str]) -> Deed:
        """The desk answers every form that is sent in; here it has nothing to say to it."""
        known = len(await letters(self))
        sending = asyncio.create_task(self._user(who).submit(answers))
        while len(await letters(self)) == known:
            await asyncio.sleep(0)
        incoming = (await heard(self))[-1]
        reader = Reader("en", "UTC", who, incoming.what.press)  # type: ignore[union-attr]
        await self.adapter.post(incoming.where, Message(()), reader, "")
        sent = await sending
        assert sent.interaction is not None
        delivery = sent.interaction.delivery
        return Deed(sent.accepted, "", lambda: self._again(delivery, ""))

    async def keep(self, name: str, mime: str, content: bytes) -> Attachment:
        file_id = f"kept-{len(list(self._folder.iterdir()))}"
        await asyncio.to_thread((self._folder / file_id).write_bytes, content)
        return Attachment(file_id, name, mime, len(content))

    async def content(self, carried: Carried) -> bytes:
        return b"".join([chunk async for chunk in self.adapter.fetch(carried)])

    @contextlib.asynccontextmanager
    async def trouble(self) -> AsyncIterator[None]:
        faults = [self.world.fail(f"chat.{verb}*", "503 html", times=-1) for verb in ("post", "update")]
        yield
        for fault in faults:
            self.world.faults._ready.remove(fault)


def _counts(delivery: Delivery) -> bool:
    """Whether it tells what somebody did; Slack tells of a file by itself as well."""
    return delivery.kind != "events_api" or delivery.event["type"] == "message"


def _rarer(message: Shown) -> list[str]:
    """What stands in the menus of a message."""
    menus = [each for block in message.blocks for each in interactive(block) if each["type"] != "button"]
    return [mrkdwn.unescape(option["text"]["text"]) for menu in menus for option in menu["options"]]


def _field(block: dict[str, object]) -> Field:
    element, label = block["element"], block["label"]
    assert isinstance(element, dict)
    assert isinstance(label, dict)
    options = tuple(mrkdwn.unescape(option["text"]["text"]) for option in element.get("options", ()))
    return Field(mrkdwn.unescape(label["text"]), not block.get("optional"), options)


@contextlib.asynccontextmanager
async def slack(folder: Path) -> AsyncIterator[SlackRig]:
    """A desk's adapter in a channel of three, connected."""
    kept = folder / "kept"
    kept.mkdir()
    async with opened(folder) as town, emulators.Slack(team=TEAM, time_scale=0.01, patience=3) as world:
        people = [world.user("Ivan", id="U0501"), world.user("Anna", id="U0502")]
        world.user("Olga", id="U0503", locale="ru-RU")
        channel = world.channel("support", members=people)
        rig = SlackRig(world, channel, town, kept)
        await rig.start()
        try:
            yield rig
        finally:
            await rig.stop()
