"""Slack as a messenger of the desk: shows messages, opens forms, fetches files, hears by socket or HTTP."""

import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import aiohttp
from aiohttp import web
from yarl import URL

from bot.adapters.port import ALWAYS, Door, Features, Health, Here, Office, Posted, Reader
from bot.adapters.slack import faults, render, views
from bot.adapters.slack.account import Account
from bot.adapters.slack.client import Client
from bot.adapters.slack.hearing import Hearing
from bot.adapters.slack.reading import HOME, PLATFORM
from bot.adapters.slack.sending import Place, Sending
from bot.incoming import Carried, Incoming
from bot.message import Form, Message, Paragraph, Words
from core.database.engine import Database
from core.kernel.clock import Clock
from core.kernel.errors import PermanentError, TemporaryError
from core.kernel.ids import Address, Identity

_log = logging.getLogger(__name__)
FEATURES = Features(
    text_limit=3000,
    buttons=100,
    buttons_in_row=5,
    label_limit=75,
    forms=True,
    file_limit=1_000_000_000,
    acknowledges=True,
    whispers=True,
    threads=True,
    finds=True,
)
GAP = timedelta(seconds=1)
FETCH = aiohttp.ClientTimeout(total=None, sock_connect=10.0, sock_read=30.0)
Threads = Callable[[], Awaitable[Sequence[Address]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """Whom the answer to a press is for, and which of our parcels it is."""

    press: str
    where: Address
    reader: Reader
    nonce: str
    again: bool


class Slack:
    """An adapter (see `bot.adapters.port`)."""

    platform = PLATFORM
    features = FEATURES

    def __init__(
        self,
        account: Account,
        *,
        database: Database,
        clock: Clock,
        path: Here,
        threads: Threads,
        office: Office = ALWAYS,
        mark: str = "",
    ) -> None:
        self.account = account
        self._clock = clock
        self.client = Client(account.bot_token, account.api_url)
        self.hearing = Hearing(account, self.client, database, clock, threads, office=office, mark=mark)
        self._presses = self.hearing.presses
        self._channels = self.hearing.channels
        self._sending = Sending(self.client, path, clock)

    async def run(self, door: Door) -> None:
        try:
            await self.hearing.run(door)
        finally:
            await self.close()

    async def close(self) -> None:
        """Let go of every connection."""
        await self.client.close()

    def routes(self) -> Sequence[web.RouteDef]:
        return self.hearing.routes()

    def health(self) -> Health:
        return self.hearing.health()

    def read(self, body: Mapping[str, Any]) -> Incoming | None:
        return self.hearing.read(body)

    async def learn(self, body: Mapping[str, Any]) -> None:
        await self.hearing.learn(body)

    def direct(self, identity: Identity) -> Address | None:
        return Address(self.platform, identity.account) if identity.platform == self.platform else None

    async def typing(self, to: Address) -> None:
        """Slack shows no typing sign for bots."""

    def gap(self, to: Address, *, edit: bool = False) -> timedelta:
        """One message a second in a channel (docs.slack.dev: rate limits); edits wait when told to."""
        return timedelta(0) if edit or to.room.endswith(HOME) else GAP

    # ---- showing

    async def post(
        self, to: Address, message: Message, reader: Reader, nonce: str, *, again: bool = False
    ) -> Posted:
        if reader.press is not None:
            await self._answer(Answer(reader.press, to, reader, nonce, again), message)
            return Posted("")
        if to.room.endswith(HOME):
            return await self._publish(to, message, reader)
        look = self._look(to, message, reader)
        if not look.parts and not look.files:
            return Posted("")
        place = await self._place(to)
        if reader.only is not None and not _is_person(to):
            await self._sending.whisper(place, _own(reader.only.account), look, nonce)
            return Posted("")
        try:
            first, *rest = await self._sending.show(place, look, nonce, again=again)
        except faults.NoThread:
            if not _is_person(to):
                raise
            beside = replace(place, thread=None)
            first, *rest = await self._sending.show(beside, look, nonce, again=again)
        return Posted(first, tuple(rest))

    def _look(self, to: Address, message: Message, reader: Reader) -> render.Look:
        return render.look(message, reader, self._clock.now(), to.room.partition("/")[0])

    async def _place(self, to: Address) -> Place:
        """The channel to write to; a person's conversation with the desk is opened if need be."""
        if _is_person(to):
            return Place(await self._channels.dm(_own(to.room)), to.thread)
        return Place(_own(to.room), to.thread)

    async def _publish(self, to: Address, message: Message, reader: Reader) -> Posted:
        view = views.home(message, reader, self._clock.now())
        with faults.translated():
            await self.client.web.views_publish(user_id=_own(to.room.removesuffix(HOME)), view=view)
        return Posted("home")

    async def edit(self, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        if to.room.endswith(HOME):
            return await self._publish(to, message, reader)
        if reader.only is not None and not _is_person(to):  # a whisper cannot be changed, only said anew
            return await self.post(to, message, reader, "")
        look = self._look(to, message, reader)
        if not look.parts and not look.files:
            return posted
        shown = [posted.message, *posted.parts]
        place = await self._place(to)
        first, *rest = await self._sending.change(place, shown, look)
        return replace(posted, message=first, parts=tuple(rest))

    async def delete(self, to: Address, posted: Posted) -> None:
        place = await self._place(to)
        for message in (posted.message, *posted.parts):
            await self._sending.delete(place.channel, message)

    # ---- answering presses, commands and forms

    async def _answer(self, to: Answer, message: Message) -> None:
        """A form opens or stays, with what is wrong in it; words are shown to whoever pressed, alone."""
        if message.form is not None:
            await self._open(to, message.form)
        elif message.field is not None and self._presses.waits(to.press):
            fields = self._presses.fields(to.press)
            errors = views.errors(message, to.reader, self._clock.now(), fields)
            self._presses.answer(to.press, errors)
        else:
            self._presses.answer(to.press, None)
            if message.blocks:
                await self._whisper(to, message)

    async def _open(self, to: Answer, form: Form) -> None:
        view = views.modal(form, to.reader, self._clock.now(), str(to.where))
        if self._presses.answer(to.press, {"response_action": "update", "view": view}):
            return
        trigger = self._presses.trigger(to.press)
        try:
            if trigger is None:
                raise faults.TooLate("the press is too old to open a form", code="late")
            with faults.translated():
                await self.client.web.views_open(trigger_id=trigger, view=view)
        except faults.TooLate:
            await self._whisper(to, Message((Paragraph(Words("press.too_late")),), tone="hint"))

    async def _whisper(self, to: Answer, message: Message) -> None:
        """Where it was pressed; in private where that cannot be."""
        assert to.reader.only is not None
        look, account = self._look(to.where, message, to.reader), to.reader.only.account
        url = None if to.where.thread else self._presses.respond_url(to.press)
        try:
            await self._sending.whisper(await self._place(to.where), _own(account), look, to.nonce, url)
        except PermanentError as error:
            _log.info("nothing can be whispered there: %s", error)
            home = await self._place(Address(self.platform, account))
            await self._sending.show(home, look, to.nonce, again=to.again)

    # ---- files

    async def fetch(self, carried: Carried) -> AsyncIterator[bytes]:
        """The bytes of a file. Only Slack itself is shown the token."""
        with faults.translated():
            file = (await self.client.web.files_info(file=carried.key))["file"]
        url = str(file.get("url_private_download") or file.get("url_private") or "")
        if not self._is_slack(url):
            raise PermanentError("the file is not kept at Slack", code="refused")
        try:
            async with self.client.session.get(url, headers=self.client.bearer(), timeout=FETCH) as answer:
                if answer.status != 200 or (_is_page(answer.content_type) and not _is_page(carried.mime)):
                    raise TemporaryError(f"the file could not be fetched ({answer.status})")
                async for chunk in answer.content.iter_chunked(65_536):
                    yield chunk
        except (OSError, aiohttp.ClientError) as error:
            raise TemporaryError(f"the file broke off ({type(error).__name__})") from None

    def _is_slack(self, address: str) -> bool:
        """Whether it leads to Slack, and nobody on the way can read along."""
        url, own = URL(address), URL(self.account.api_url)
        if (url.scheme, url.host, url.port) == (own.scheme, own.host, own.port):
            return True
        return url.scheme == "https" and f".{url.host}".endswith(".slack.com")


def _is_page(mime: str) -> bool:
    """Slack shows a page to sign in, with the status 200, to whoever may not see a file."""
    return mime == "text/html"


def _own(account: str) -> str:
    """The id without its workspace."""
    return account.rpartition("/")[2]


def _is_person(to: Address) -> bool:
    return _own(to.room)[:1] in ("U", "W")
