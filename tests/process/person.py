"""Somebody with a browser: signs in, says, presses, fills in and listens, through restarts of the desk."""

import asyncio
import contextlib
import json
import uuid
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import quote

import aiohttp

PATIENCE = 40.0
_AWAY = (aiohttp.ClientError, ConnectionError, TimeoutError)


@dataclass(frozen=True)
class Shown:
    """A message as it stands on the screen now."""

    id: int
    room: str
    thread: int | None
    text: str
    buttons: Mapping[str, str]
    forms: Mapping[str, str]
    tone: str
    mine: bool
    desk: bool
    ticket: int | None
    deleted: bool
    files: tuple[str, ...]


def shown(message: Mapping[str, Any]) -> Shown:
    lines, files = [], []
    for block in message["blocks"]:
        match block["kind"]:
            case "facts":
                lines += [f"{name}: {value}" for name, value in block["rows"]]
            case "attachment":
                lines.append(f"[{block['name']}]")
                files.append(block["id"])
            case _:
                lines.append(block["text"])
    choices = [choice for row in message["rows"] for choice in row]
    return Shown(
        id=message["id"],
        room=message["room"],
        thread=message["thread"],
        text="\n".join(lines),
        buttons={choice["label"]: choice["code"] for choice in choices},
        forms={choice["label"]: choice["form"]["code"] for choice in choices if choice["form"]},
        tone=message["tone"],
        mine=message["mine"],
        desk=message["author"]["desk"],
        ticket=message["ticket"],
        deleted=message["deleted"],
        files=tuple(files),
    )


class Refused(AssertionError):
    """The desk answered, and it was a no."""


class Place(Protocol):
    """Where a desk is found."""

    @property
    def base(self) -> str: ...


class Person:
    """One account at the page. What is not answered is sent again with the same key, until it is."""

    def __init__(self, desk: Place, account: str) -> None:
        self.desk = desk
        self.account = account
        self.patience = PATIENCE
        self.screen: dict[int, Shown] = {}
        self.frames: list[int] = []
        self.repeats = 0
        """Posts that were sent more than once."""
        self._last = 0
        self._csrf = ""
        self._changed = asyncio.Condition()
        self._http = aiohttp.ClientSession(
            cookie_jar=aiohttp.CookieJar(unsafe=True), timeout=aiohttp.ClientTimeout(total=15)
        )
        self._listening: asyncio.Task[None] | None = None

    @property
    def direct(self) -> str:
        return f"u-{self.account}"

    def path(self, name: str) -> str:
        return f"{self.desk.base}/s/{self.account}/{name}"

    # ---- coming and going

    async def sign_in(self, token: str) -> None:
        async with self._http.post(f"{self.desk.base}/sign-in", json={"token": token}) as answer:
            if answer.status != 200:
                raise Refused(f"{answer.status} {await answer.text()}")
            assert (await answer.json())["to"] == f"/s/{self.account}/"
        async with self._http.get(self.path("")) as answer:
            page = await answer.text()
        self._csrf = json.loads(page.split('id="seat">')[1].split("</script>")[0])["csrf"]
        self._listening = asyncio.create_task(self._listen())

    async def leave(self) -> None:
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        await self._http.close()

    @property
    def secrets(self) -> list[str]:
        """What lets somebody in as this person."""
        return [self._csrf, *self.cookies]

    @property
    def cookies(self) -> list[str]:
        return [cookie.value for cookie in self._http.cookie_jar]

    # ---- listening

    async def _listen(self) -> None:
        while True:
            try:
                async for message in self.stream(self._last):
                    await self._take(message)
            except _AWAY:
                pass
            await asyncio.sleep(0.05)

    async def stream(self, last: int = 0) -> AsyncIterator[dict[str, Any]]:
        """The messages of an open page, as they come; ends when the desk ends it."""
        headers = {"Last-Event-ID": str(last)} if last else {}
        timeout = aiohttp.ClientTimeout(total=None, sock_read=60)
        async with self._http.get(self.path("events"), headers=headers, timeout=timeout) as answer:
            if answer.status in (401, 403):
                raise Refused(f"{self.account} may not listen: {answer.status}")
            if answer.status != 200:
                return
            event = ""
            while line := (await answer.content.readline()).decode().rstrip("\n"):
                while line:
                    name, _, value = line.partition(": ")
                    event = value if name == "event" else event
                    if name == "data" and event == "message":
                        yield json.loads(value)
                    line = (await answer.content.readline()).decode().rstrip("\n")

    async def _take(self, message: Mapping[str, Any]) -> None:
        async with self._changed:
            self._last = message["seq"]
            self.frames.append(message["seq"])
            self.screen[message["id"]] = shown(message)
            self._changed.notify_all()

    async def sees(self, what: Callable[[Shown], bool], why: str = "") -> Shown:
        """The newest message of which `what` is true, as soon as there is one."""
        try:
            async with asyncio.timeout(self.patience), self._changed:
                while True:
                    for message in sorted(self.screen.values(), key=lambda each: -each.id):
                        if not message.deleted and what(message):
                            return message
                    await self._changed.wait()
        except TimeoutError:
            lately = "\n".join(str(each) for each in list(self.screen.values())[-5:])
            raise AssertionError(f"{self.account} waits for {why or what}; lately:\n{lately}") from None

    async def hears(self, words: str, after: int = 0) -> Shown:
        """A message of somebody else with these words."""
        return await self.sees(lambda each: each.id > after and not each.mine and words in each.text, words)

    async def card(self, text: str) -> Shown:
        return await self.sees(lambda each: each.tone == "card" and text in each.text, f"the card of {text}")

    async def fresh(self) -> list[Shown]:
        """The whole screen as a page that opens now would show it, in order."""
        messages = []
        async for message in self._until_ready():
            messages.append(shown(message))
        return sorted(messages, key=lambda each: each.id)

    async def keeps_up(self) -> None:
        """This page shows what a page shows that opens now, as soon as nothing is under way between them."""
        listened: Sequence[Shown | None] = ()
        fresh: Sequence[Shown] = ()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.patience):
                while not fresh or listened != fresh:
                    before = self._last
                    fresh = [each for each in await self.fresh() if not each.deleted]
                    async with self._changed:
                        listened = [self.screen.get(each.id) for each in fresh]
                        if listened != fresh and self._last == before:
                            await self._changed.wait()
        assert listened == fresh

    async def _until_ready(self) -> AsyncIterator[dict[str, Any]]:
        async with self._http.get(self.path("events")) as answer:
            assert answer.status == 200
            event = ""
            while event != "ready":
                name, _, value = (await answer.content.readline()).decode().rstrip("\n").partition(": ")
                event = value if name == "event" else event
                if name == "data" and event == "message":
                    yield json.loads(value)

    # ---- acting

    async def post(self, name: str, *, patient: bool = True, **body: object) -> tuple[int, dict[str, Any]]:
        """One request, repeated with the same key while nobody answers or the desk says "later"."""
        body.setdefault("key", uuid.uuid4().hex)
        headers = {"X-Deskbridge-Csrf": self._csrf}
        tries = 0
        async with asyncio.timeout(self.patience):
            while True:
                tries += 1
                with contextlib.suppress(*_AWAY):
                    async with self._http.post(self.path(name), json=body, headers=headers) as answer:
                        if answer.status not in (429, 503) or not patient:
                            return answer.status, await answer.json()
                self.repeats += tries == 1
                await asyncio.sleep(0.05)

    async def _surely(self, name: str, **body: object) -> None:
        status, answer = await self.post(name, **body)
        if status != 200:
            raise Refused(f"{self.account} {name} {body}: {status} {answer}")

    async def say(
        self, text: str, *, room: str = "", thread: int | None = None, files: Sequence[str] = ()
    ) -> None:
        await self._surely("say", room=room or self.direct, thread=thread, text=text, files=list(files))

    async def press(self, label: str, where: Callable[[Shown], bool] = lambda _: True) -> None:
        """Press the newest button with this label, once there is one."""
        message = await self.sees(lambda each: label in each.buttons and where(each), f"the button {label}")
        await self._surely("press", room=message.room, message=message.id, code=message.buttons[label])

    async def fill(self, label: str, where: Callable[[Shown], bool] = lambda _: True, **values: str) -> None:
        """Send the newest form behind this button."""
        message = await self.sees(lambda each: label in each.forms and where(each), f"the form {label}")
        thread = message.thread or (None if message.room == self.direct else message.id)
        code = message.forms[label]
        await self._surely("submit", room=message.room, thread=thread, code=code, values=values)

    async def upload(self, content: bytes, name: str) -> str:
        """Bring a file; one of which nobody heard back is brought again."""
        async with asyncio.timeout(self.patience):
            while True:
                with contextlib.suppress(*_AWAY):
                    status, answer = await self.bring(content, name)
                    if status == 200:
                        return str(answer["id"])
                    if status not in (429, 503):
                        raise Refused(f"{status} {answer}")
                await asyncio.sleep(0.05)

    async def bring(self, content: bytes, name: str) -> tuple[int, dict[str, Any]]:
        """One try to bring a file."""
        headers = {"X-Deskbridge-Csrf": self._csrf, "X-File-Name": quote(name), "Content-Type": "text/plain"}
        async with self._http.post(self.path("files"), data=content, headers=headers) as answer:
            return answer.status, await answer.json()

    async def download(self, file_id: str) -> bytes:
        async with self._http.get(self.path(f"files/{file_id}")) as answer:
            assert answer.status == 200
            return await answer.read()
