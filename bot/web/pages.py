"""The pages themselves: the front door, the sign-in, the chat of a person, and a stranger's first visit."""

from typing import Any

from aiohttp import web

from bot import i18n
from bot.adapters.webchat.receive import PLATFORM
from bot.message import Words
from bot.web import chat_routes, fields, sessions, shell, wording
from bot.web.sessions import Opened, Seat
from bot.web.settings import SEAT_PATH, SITE, TEXT_LIMIT, Demo, Site
from bot.web.whence import whence
from core.database.transaction import Transaction
from core.kernel import ids
from core.kernel.ids import Identity
from core.people import actions as people

SEAT_COOKIE = "deskbridge_seat"


def routes() -> list[web.RouteDef]:
    return [
        web.get("/", home, allow_head=False),
        web.get("/chat", visit, allow_head=False),
        web.get("/sign-in", sign_in_page),
        web.post("/sign-in", sign_in),
        web.get(SEAT_PATH, add_slash),
        web.get(SEAT_PATH + "/", chat),
        web.post(SEAT_PATH + "/sign-out", sign_out),
    ]


def _sign_in_page(request: web.Request, status: int) -> web.Response:
    given = {"seat": "", "csrf": "", "visitors": request.app[SITE].settings.visitors}
    return shell.page("sign-in.html", shell.language_of(request), given, status)


async def home(request: web.Request) -> web.StreamResponse:
    """GET /: the demo, the way to the chat, or how to get in."""
    site = request.app[SITE]
    if site.settings.demo is not None and site.settings.loopback:
        return await _demo(site, site.settings.demo)
    if site.settings.visitors:
        raise web.HTTPFound("/chat")
    return _sign_in_page(request, 200)


async def _demo(site: Site, demo: Demo) -> web.Response:
    async def work(tx: Transaction) -> list[Opened]:
        return [await sessions.sign_in(tx, each) for each in (demo.left, demo.right, *demo.others)]

    opened = await site.database.write(work)
    seats = [await sessions.find(site, sessions.hash_of(each), each.seat) for each in opened]
    left, right, *others = (
        {"seat": seat.session.seat, "title": seat.person.name, "csrf": each.csrf}
        for each, seat in zip(opened, seats, strict=True)
        if seat is not None
    )
    given = {"left": left, "right": right, "others": [{**each, "csrf": ""} for each in others]}
    language = seats[0].language if seats[0] else site.settings.language
    response = shell.page("demo.html", language, given)
    for each in opened:
        sessions.set_cookie(response, site, each.seat, each.token)
    return response


async def sign_in_page(request: web.Request) -> web.StreamResponse:
    """GET /sign-in: the token stands after `#`, so it reaches no log."""
    return _sign_in_page(request, 200)


async def sign_in(request: web.Request) -> web.StreamResponse:
    """POST /sign-in {token}."""
    site = request.app[SITE]
    chat_routes.check_pace(site, site.paces.sign_in, whence(request))
    token = (await fields.read(request)).name("token")

    async def work(tx: Transaction) -> Opened:
        return await sessions.sign_in_by(tx, token)

    opened = await site.database.write(work)
    response = web.json_response({"to": f"/s/{opened.seat}/"})
    sessions.set_cookie(response, site, opened.seat, opened.token)
    return response


async def sign_out(request: web.Request) -> web.StreamResponse:
    """POST /s/{seat}/sign-out: the session ends for every copy of its cookie."""
    site = request.app[SITE]
    seat = await sessions.proven(request)
    await sessions.sign_out(site, seat)
    response = web.json_response({})
    sessions.drop_cookie(response, site, seat.session.seat)
    return response


async def add_slash(request: web.Request) -> web.StreamResponse:
    raise web.HTTPFound(f"/s/{request.match_info['seat']}/")


async def chat(request: web.Request) -> web.StreamResponse:
    """GET /s/{seat}/: the chat of whoever is signed in there."""
    site = request.app[SITE]
    seat = await sessions.here(request)
    if seat is None:
        return _without_session(request, site)
    response = shell.page("page.html", seat.language, _given(site, seat, sessions.proof_of(request)))
    if await sessions.roll(site, seat):
        sessions.set_cookie(response, site, seat.session.seat, request.cookies[sessions.COOKIE])
    return response


def _without_session(request: web.Request, site: Site) -> web.Response:
    if request.headers.get("Sec-Fetch-Site") == "cross-site":
        return shell.go_on(f"/s/{request.match_info['seat']}/")
    if site.settings.visitors and request.cookies.get(SEAT_COOKIE) == request.match_info["seat"]:
        response = shell.go_on("/chat")
        response.del_cookie(SEAT_COOKIE, path="/")
        return response
    return _sign_in_page(request, 401)


def _given(site: Site, seat: Seat, csrf: str) -> dict[str, Any]:
    now = site.clock.now()
    viewer = wording.Viewer(seat.identity, seat.session.seat, seat.language, site.settings.time_zone)
    return {
        "seat": seat.session.seat,
        "csrf": csrf,
        "person": {"name": seat.person.name, "staff": seat.person.staff},
        "rooms": [
            {"room": room.room, "kind": room.kind, "title": viewer.word(room.title, now)}
            for room in seat.rooms
        ],
        "limits": {"text": TEXT_LIMIT, "file": site.settings.file_limit},
        "demo": site.settings.demo is not None,
    }


async def visit(request: web.Request) -> web.StreamResponse:
    """GET /chat: a stranger gets a conversation of their own, and finds it again next time."""
    site = request.app[SITE]
    if not site.settings.visitors:
        raise web.HTTPNotFound
    known = request.cookies.get(SEAT_COOKIE, "")
    if sessions.is_visitor_seat(known):
        return shell.go_on(f"/s/{known}/")
    chat_routes.check_pace(site, site.paces.visit, whence(request))
    opened = await _welcome(site, shell.language_of(request))
    response = shell.go_on(f"/s/{opened.seat}/")
    sessions.set_cookie(response, site, opened.seat, opened.token)
    response.set_cookie(
        SEAT_COOKIE,
        opened.seat,
        path="/",
        max_age=int(sessions.SESSION_FOR.total_seconds()),
        httponly=True,
        samesite="Lax",
        secure=site.settings.https,
    )
    return response


async def _welcome(site: Site, language: str) -> Opened:
    identity = Identity(PLATFORM, f"v-{ids.new_token()}")
    seat = sessions.seat_name(identity)
    name = i18n.word(
        Words("web.visitor", {"code": seat[2:6]}), language, time_zone="UTC", now=site.clock.now()
    )

    async def work(tx: Transaction) -> Opened:
        await people.meet(tx, identity, name=name, language=language)
        return await sessions.sign_in(tx, identity)

    return await site.database.write(work)
