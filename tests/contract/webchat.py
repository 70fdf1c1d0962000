"""The rig of the web chat: the real pages' server, and browsers that only do what a page can do."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from bot.adapters.webchat.adapter import Webchat
from bot.incoming import Carried
from bot.message import Attachment
from core.files import actions as files
from core.kernel.ids import Address, Identity
from core.people.model import Role
from tests.contract.rig import Deed, Field, Opened, Seen, disk_full
from tests.web import rig as web
from tests.web.rig import Browser

MEMBERS = tuple(web.member(name.title(), name, Role.AGENT, "support") for name in ("ivan", "anna"))


class WebchatRig:
    """See `tests.contract.rig.Rig`."""

    ivan, anna, olga = (Identity("web", name) for name in ("ivan", "anna", "olga"))
    room = Address("web", "support")

    def __init__(self, server: web.Rig, browsers: Mapping[Identity, Browser]) -> None:
        self._server = server
        self._browsers = browsers
        self.adapter: Webchat = server.adapter
        self.database = server.database

    def home(self, who: Identity) -> Address:
        return Address("web", f"u-{who.account}")

    async def seen(self, who: Identity, where: Address) -> list[Seen]:
        browser = self._browsers[who]
        there = [each for each in await browser.seen() if each["room"] == where.room and not each["deleted"]]
        return [await _seen(browser, each) for each in sorted(there, key=lambda each: int(each["id"]))]

    async def say(
        self,
        who: Identity,
        where: Address,
        text: str,
        *,
        files: Sequence[tuple[str, bytes]] = (),
        reply_to: str | None = None,
    ) -> Deed:
        uploaded = [(await self._browsers[who].upload(body, name))[1]["id"] for name, body in files]
        said = {"text": text, "files": uploaded, "thread": where.thread and int(where.thread)}
        return await self._do(who, where, "say", said | {"reply_to": reply_to and int(reply_to)})

    async def edit(self, who: Identity, where: Address, message: str, text: str) -> Deed:
        return await self._do(who, where, "edit", {"message": int(message), "text": text})

    async def press(self, who: Identity, where: Address, message: str, label: str) -> Deed:
        code = (await self._choice(who, message, label))["code"]
        return await self._do(who, where, "press", {"message": int(message), "code": code})

    async def open_form(self, who: Identity, where: Address, message: str, label: str) -> Opened:
        form = (await self._choice(who, message, label))["form"]
        fields = [
            Field(each["label"], each["required"], tuple(option["label"] for option in each["options"]))
            for each in form["fields"]
        ]
        return Opened(form["title"], tuple(fields), (where, form))

    async def submit(self, who: Identity, opened: Opened, answers: Mapping[str, str]) -> Deed:
        where, form = opened.handle
        values = {
            field["name"]: _value(field, answers[field["label"]])
            for field in form["fields"]
            if field["label"] in answers
        }
        thread = where.thread and int(where.thread)
        return await self._do(
            who, where, "submit", {"code": form["code"], "values": values, "thread": thread}
        )

    async def keep(self, name: str, mime: str, content: bytes) -> Attachment:
        async def chunks() -> AsyncIterator[bytes]:
            yield content

        kept = await self._server.blobs.keep(chunks())
        owner = (await self._server.person("ivan")).id
        add = partial(files.add, kept=kept, name=name, mime=mime, owner=owner)
        file = await self.database.write(add)
        return Attachment(file.id, file.name, file.mime, file.size)

    async def content(self, carried: Carried) -> bytes:
        assert carried.kept is not None
        return self._server.blobs.path(carried.kept).read_bytes()

    def trouble(self) -> AbstractAsyncContextManager[None]:
        return disk_full(self.database)

    async def _choice(self, who: Identity, message: str, label: str) -> Any:
        shown = next(each for each in await self._browsers[who].seen() if each["id"] == int(message))
        return next(each for row in shown["rows"] for each in row if each["label"] == label)

    async def _do(self, who: Identity, where: Address, what: str, body: dict[str, Any]) -> Deed:
        browser = self._browsers[who]
        keyed = {"key": browser.key(), "room": where.room, **body}

        async def tell() -> Deed:
            status, _ = await browser.post(what, keyed)
            mine = [each for each in await browser.seen() if each["mine"]] if what == "say" else []
            newest = str(max((int(each["id"]) for each in mine), default=""))
            return Deed(status == 200, newest, tell)

        return await tell()


def _value(field: Mapping[str, Any], answer: str) -> str:
    return next((each["value"] for each in field["options"] if each["label"] == answer), answer)


async def _seen(browser: Browser, shown: Mapping[str, Any]) -> Seen:
    lines = [] if shown["author"]["desk"] or shown["mine"] else [shown["author"]["name"]]
    contents = []
    for block in shown["blocks"]:
        match block["kind"]:
            case "facts":
                lines += [f"{name}: {value}" for name, value in block["rows"]]
            case "attachment":
                async with browser.http.get(browser.base + block["url"]) as answer:
                    contents.append((block["name"], await answer.read()))
            case _:
                lines.append(block["text"])
    return Seen(
        id=str(shown["id"]),
        text="\n".join(lines),
        below=str(shown["thread"]) if shown["thread"] else None,
        buttons=tuple(choice["label"] for row in shown["rows"] for choice in row),
        files=tuple(contents),
        mine=shown["mine"],
    )


@asynccontextmanager
async def webchat(folder: Path) -> AsyncIterator[WebchatRig]:
    """A desk's pages served, with the browsers of three people."""
    async with AsyncExitStack() as stack:
        server = await stack.enter_async_context(web.rig(folder))
        await server.appoint(*MEMBERS)
        rig = WebchatRig(server, {})
        rig._browsers = {who: await server.browser(who.account) for who in (rig.ivan, rig.anna, rig.olga)}
        await rig._browsers[rig.olga].post("language", {"language": "ru"})
        yield rig
