"""A whole web server on a port of this machine, with a database and people, and their browsers."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import aiohttp
import sqlalchemy
from prometheus_client import CollectorRegistry

from bot.adapters.port import Health, Reader
from bot.adapters.webchat.adapter import Webchat
from bot.message import Message, Plain
from bot.web import app, sessions
from bot.web.settings import SITE, Room, WebSettings
from core.database.engine import Database
from core.database.schema import metadata
from core.database.transaction import Transaction
from core.files.blobs import Blobs
from core.inbox import store as inbox
from core.kernel.clock import HandClock
from core.kernel.ids import Address, Identity
from core.people import actions as people
from core.people import store as people_store
from core.people.model import Member, Members, Person, Role
from tests import databases

READER = Reader("en", "UTC")


def member(name: str, account: str, role: Role, *queues: str) -> Member:
    return Member(name, (Identity("web", account),), frozenset({role}), queues, "en")


STAFF = (member("Anna", "anna", Role.AGENT, "support"), member("Boris", "boris", Role.LEAD, "support"))


def rooms_of(person: Person) -> list[Room]:
    return [Room("support", "space", Plain("Support"))] if person.serves("support") else []


class Browser:
    """Somebody's browser. Signed in, it knows its seat and its proof."""

    def __init__(self, base: str, http: aiohttp.ClientSession) -> None:
        self.base = base
        self.http = http
        self.seat = ""
        self.csrf = ""
        self._keys = 0

    def path(self, name: str) -> str:
        return f"{self.base}/s/{self.seat}/{name}"

    def headers(self) -> dict[str, str]:
        return {"X-Deskbridge-Csrf": self.csrf}

    def key(self) -> str:
        self._keys += 1
        return f"{self.seat}-key-{self._keys}"

    async def sign_in(self, token: str) -> int:
        async with self.http.post(f"{self.base}/sign-in", json={"token": token}) as answer:
            if answer.status == 200:
                self.seat = (await answer.json())["to"].split("/")[2]
        if self.seat:
            self.csrf = (await self.shell())["csrf"]
        return answer.status

    async def shell(self) -> dict[str, Any]:
        async with self.http.get(self.path("")) as answer:
            page = await answer.text()
        found: dict[str, Any] = json.loads(page.split('id="seat">')[1].split("</script>")[0])
        return found

    async def post(self, name: str, body: Any = None, **headers: str) -> tuple[int, dict[str, Any]]:
        given = {"key": self.key(), **body} if isinstance(body, dict) and "key" not in body else body
        asked = {"Content-Type": "application/json"} | self.headers() | headers
        body = io.BytesIO(json.dumps(given).encode())
        async with self.http.post(self.path(name), data=body, headers=asked) as answer:
            return answer.status, await answer.json()

    async def say(self, text: str, room: str = "", **more: Any) -> tuple[int, dict[str, Any]]:
        return await self.post("say", {"room": room or f"u-{self.seat}", "text": text, **more})

    async def upload(self, body: Any, name: str = "a.txt", mime: str = "text/plain") -> tuple[int, Any]:
        headers = self.headers() | {"X-File-Name": name, "Content-Type": mime}
        async with self.http.post(
            self.path("files"), data=io.BytesIO(body) if isinstance(body, bytes) else body, headers=headers
        ) as answer:
            return answer.status, await answer.json()

    @asynccontextmanager
    async def stream(self, last: int | None = None) -> AsyncIterator["Listening"]:
        headers = {} if last is None else {"Last-Event-ID": str(last)}
        async with self.http.get(self.path("events"), headers=headers) as answer:
            yield Listening(answer)

    async def seen(self, last: int | None = None) -> list[dict[str, Any]]:
        """The messages of a page that opens now, or comes back after `last`."""
        async with self.stream(last) as stream:
            return await stream.until_ready()


class Listening:
    """The events of a stream, one at a time."""

    def __init__(self, answer: aiohttp.ClientResponse) -> None:
        self.answer = answer

    async def next(self) -> tuple[str, dict[str, Any]]:
        """The next event's name and content; a ping is `("ping", {})`, the end `("end", {})`."""
        event: dict[str, str] = {}
        async with asyncio.timeout(5):
            while line := (await self.answer.content.readline()).decode():
                if line.startswith(":"):
                    event["event"] = "ping"
                elif line == "\n":
                    return event["event"], json.loads(event.get("data", "{}"))
                else:
                    name, value = line.rstrip("\n").split(": ", 1)
                    event[name] = value
        return "end", {}

    async def until_ready(self) -> list[dict[str, Any]]:
        messages: list[dict[str, Any]] = []
        while (event := await self.next())[0] == "message":
            messages.append(event[1])
        assert event[0] == "ready"
        return messages

    async def message(self) -> dict[str, Any]:
        while (event := await self.next())[0] == "ping":
            pass
        assert event[0] == "message", event
        return event[1]

    async def end(self) -> None:
        while (await self.next())[0] != "end":
            pass


class Rig:
    """The server, and what a test looks at behind it."""

    def __init__(self, folder: Path, stack: AsyncExitStack) -> None:
        self.folder = folder
        self.clock = HandClock()
        self.health: dict[str, Health] = {"database": Health(True)}
        self.registry = CollectorRegistry()
        self.stack = stack

    async def start(self, settings: WebSettings) -> None:
        path = self.folder / "desk.db"
        if not databases.ON_SERVER:
            engine = sqlalchemy.create_engine(f"sqlite:///{path}")
            metadata.create_all(engine)
            engine.dispose()
        self.database = Database(databases.place(path), self.clock)
        self.stack.push_async_callback(self.database.close)
        await self.appoint(*STAFF)
        self.adapter = Webchat(self.database)
        self.blobs = Blobs(self.folder / "files", settings.file_limit)
        self.app = app.build(
            replace(settings, port=0),
            database=self.database,
            blobs=self.blobs,
            rooms_of=rooms_of,
            health_of=lambda: self.health,
            registry=self.registry,
            clock=self.clock,
        )
        self.serving = await app.serve(self.app)
        self.stack.push_async_callback(self.serving.stop)
        self.base = f"http://127.0.0.1:{self.serving.port}"

    @property
    def hub(self) -> Any:
        return self.app[SITE].hub

    async def appoint(self, *members: Member) -> None:
        async def work(tx: Transaction) -> None:
            await people.appoint(tx, Members(members))

        await self.database.write(work)

    async def link(
        self, account: str, lifetime: timedelta = timedelta(hours=1), *, reusable: bool = False
    ) -> str:
        async def work(tx: Transaction) -> str:
            identity = Identity("web", account)
            await people.meet(tx, identity, name=account.title(), language="en")
            return await sessions.issue_link(tx, identity, lifetime, reusable=reusable)

        return await self.database.write(work)

    async def person(self, account: str) -> Person:
        async def work(tx: Transaction) -> Person | None:
            return await people_store.by_identity(tx, Identity("web", account))

        found = await self.database.read(work)
        assert found is not None
        return found

    async def stranger(self) -> Browser:
        jar = aiohttp.CookieJar(unsafe=True)
        http = await self.stack.enter_async_context(aiohttp.ClientSession(cookie_jar=jar))
        return Browser(self.base, http)

    async def browser(self, account: str) -> Browser:
        browser = await self.stranger()
        assert await browser.sign_in(await self.link(account)) == 200
        return browser

    async def post(
        self, room: str, message: Message, *, thread: int | None = None, only: str = "", nonce: str
    ) -> int:
        """The desk says something."""
        reader = replace(READER, only=Identity("web", only)) if only else READER
        to = Address("web", room, str(thread) if thread else None)
        return int((await self.adapter.post(to, message, reader, nonce)).message)

    async def inbox(self) -> list[dict[str, Any]]:
        """What has come in, in order."""

        async def work(tx: Transaction) -> list[dict[str, Any]]:
            rows = await tx.all(sqlalchemy.select(inbox.inbox).order_by(inbox.inbox.c.id))
            return [{"lane": row.lane, **row.body} for row in rows]

        return await self.database.read(work)


@asynccontextmanager
async def rig(folder: Path, settings: WebSettings | None = None) -> AsyncIterator[Rig]:
    async with AsyncExitStack() as stack:
        made = Rig(folder, stack)
        await made.start(settings or WebSettings())
        yield made
