"""What the page asks for on behalf of its person: say, press, submit, edit, choose a language."""

from collections.abc import Awaitable, Callable

from aiohttp import web

from bot import i18n
from bot.adapters.webchat import receive
from bot.message import Attachment
from bot.web import fields, sessions
from bot.web.fields import Fields
from bot.web.pace import Pace
from bot.web.refusals import Refused
from bot.web.sessions import Seat
from bot.web.settings import SEAT_PATH, SITE, Site
from core.database.transaction import Transaction, Work
from core.files import store as files
from core.people import actions as people

Act = Callable[[Site, Seat, Fields], Awaitable[None]]


def routes() -> list[web.RouteDef]:
    acts = {"say": say, "press": press, "submit": submit, "edit": edit, "language": language}
    return [web.post(f"{SEAT_PATH}/{name}", _route(act)) for name, act in acts.items()]


def _route(act: Act) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
    async def route(request: web.Request) -> web.StreamResponse:
        site = request.app[SITE]
        seat = await sessions.proven(request)
        check_pace(site, site.paces.act, str(seat.identity))
        await act(site, seat, await fields.read(request))
        return web.json_response({})

    return route


def check_pace(site: Site, pace: Pace, name: str) -> None:
    """Raises Refused when this name does something too often."""
    if not pace.allows(name, site.clock.now().timestamp()):
        raise Refused(429, "web.too_fast")


async def _once(site: Site, work: Work[None]) -> None:
    try:
        await site.database.write(work)
    except receive.Repeated:
        site.received(receive.PLATFORM, 0, 1)
    else:
        site.received(receive.PLATFORM, 1, 0)


async def say(site: Site, seat: Seat, given: Fields) -> None:
    """Words and files in a room. The same key twice is one message."""
    key, room, thread = given.key(), given.name("room"), given.number_or_none("thread")
    text, names, reply_to = given.text(), given.files(), given.number_or_none("reply_to")
    if not text.strip() and not names:
        raise Refused(400, "web.text_empty")

    async def work(tx: Transaction) -> None:
        await receive.said(
            tx,
            seat.speaker,
            key=key,
            room=room,
            thread=thread,
            text=text,
            files=await _attachments(tx, seat, names),
            reply_to=reply_to,
        )

    await _once(site, work)


async def _attachments(tx: Transaction, seat: Seat, names: list[str]) -> list[Attachment]:
    own = await files.of_owner(tx, seat.person.id, names) if names else []
    if len(own) != len(names):
        raise LookupError("a file that this person has not uploaded")
    return [Attachment(file.id, file.name, file.mime, file.size) for file in own]


async def press(site: Site, seat: Seat, given: Fields) -> None:
    """A button."""
    key, room, message_id, code = given.key(), given.name("room"), given.number("message"), given.code()

    async def work(tx: Transaction) -> None:
        await receive.pressed(tx, seat.speaker, key=key, room=room, message_id=message_id, code=code)

    await _once(site, work)


async def submit(site: Site, seat: Seat, given: Fields) -> None:
    """A form."""
    key, room, thread = given.key(), given.name("room"), given.number_or_none("thread")
    code, values = given.code(), given.values()

    async def work(tx: Transaction) -> None:
        await receive.submitted(tx, seat.speaker, key=key, room=room, thread=thread, code=code, values=values)

    await _once(site, work)


async def edit(site: Site, seat: Seat, given: Fields) -> None:
    """New words for one's own message."""
    key, room, message_id, text = given.key(), given.name("room"), given.number("message"), given.text()
    if not text.strip():
        raise Refused(400, "web.text_empty")

    async def work(tx: Transaction) -> None:
        await receive.edited(tx, seat.speaker, key=key, room=room, message_id=message_id, text=text)

    await _once(site, work)


async def language(site: Site, seat: Seat, given: Fields) -> None:
    """The language in which the desk speaks with this person."""
    wanted = given.name("language")
    if wanted not in i18n.languages:
        raise Refused(400, "web.language", languages=", ".join(i18n.languages))

    async def work(tx: Transaction) -> None:
        await people.speak(tx, seat.person, wanted)

    await site.database.write(work)
