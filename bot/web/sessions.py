"""Who is signed in: links that let in, cookies that keep somebody in, and the proof that a post is theirs."""

import hashlib
import hmac
import re
from dataclasses import dataclass, replace
from datetime import timedelta
from http.cookies import SimpleCookie

from aiohttp import web

from bot.adapters.webchat import receive
from bot.message import Words
from bot.web import store
from bot.web.refusals import Refused
from bot.web.settings import LANGUAGE, SITE, Room, Site
from core.database.transaction import Transaction
from core.kernel import ids
from core.kernel.ids import Identity
from core.people import store as people
from core.people.model import Actor, Person

COOKIE = "deskbridge_session"
CSRF_HEADER = "X-Deskbridge-Csrf"
_PLAIN_SEAT = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,31}")
_VISITOR_SEAT = re.compile(r"v-[0-9a-f]{8}")
SESSION_FOR = store.SESSION_FOR
_ROLL_AFTER = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Seat:
    """Somebody at the page, as they are this moment."""

    session: store.Session
    person: Person
    rooms: tuple[Room, ...]

    @property
    def identity(self) -> Identity:
        return self.session.identity

    @property
    def language(self) -> str:
        return self.person.language

    @property
    def actor(self) -> Actor:
        return Actor(self.person, receive.PLATFORM)

    @property
    def room_names(self) -> frozenset[str]:
        return frozenset(room.room for room in self.rooms)

    @property
    def speaker(self) -> receive.Speaker:
        return receive.Speaker(self.identity, self.person.name, self.person.language, self.room_names)


@dataclass(frozen=True, slots=True)
class Opened:
    """A session that has just begun; the token goes into the cookie and nowhere else."""

    seat: str
    token: str

    @property
    def csrf(self) -> str:
        return proof(self.token)


def seat_name(identity: Identity) -> str:
    """The short public name under which this account has its pages."""
    account = identity.account
    if _PLAIN_SEAT.fullmatch(account) and not account.startswith(("v-", "p-")):
        return account
    kind = "v" if account.startswith("v-") else "p"
    return f"{kind}-{hashlib.sha256(account.encode()).hexdigest()[:8]}"


async def issue_link(
    tx: Transaction, identity: Identity, lifetime: timedelta, *, reusable: bool = False
) -> str:
    """A token that signs this account in, once unless it is reusable. Show it after `#` of /sign-in."""
    token = ids.new_token(256)
    await store.add_link(tx, token, identity, lifetime, reusable=reusable)
    return token


async def sign_in(tx: Transaction, identity: Identity) -> Opened:
    """A new session; nothing an earlier page knew is used again."""
    opened = Opened(seat_name(identity), ids.new_token(256))
    await store.open_session(tx, identity, seat=opened.seat, token=opened.token)
    return opened


async def sign_in_by(tx: Transaction, token: str) -> Opened:
    """Use a link. Raises Refused for one that is unknown, used, too old, or of nobody any more."""
    identity = await store.use_link(tx, token)
    if identity is None or await people.by_identity(tx, identity) is None:
        raise Refused(403, "web.link_dead")
    return await sign_in(tx, identity)


async def find(site: Site, token_hash: str, seat: str) -> Seat | None:
    """Who sits there now: the session, the person and their rights are read anew."""

    async def work(tx: Transaction) -> Seat | None:
        session = await store.session(tx, token_hash, seat)
        person = await people.by_identity(tx, session.identity) if session else None
        if session is None or person is None:
            return None
        return Seat(session, person, _rooms(site, session.identity, person))

    return await site.database.read(work)


def _rooms(site: Site, identity: Identity, person: Person) -> tuple[Room, ...]:
    own = Room(receive.direct_room(identity), "direct", Words("web.room.direct"))
    given = site.rooms_of(person)
    titled = [replace(own, title=room.title) for room in given if room.room == own.room]
    spaces = [room for room in given if room.kind == "space" and not receive.is_direct(room.room)]
    return (*(titled or [own])[:1], *spaces)


async def here(request: web.Request) -> Seat | None:
    """Who asks, if they are signed in on the seat of the address."""
    token = request.cookies.get(COOKIE)
    if not token:
        return None
    seat = await find(request.app[SITE], store.hashed(token), request.match_info["seat"])
    if seat is not None:
        request[LANGUAGE] = seat.language
    return seat


async def required(request: web.Request) -> Seat:
    """Who asks. Raises Refused for a stranger."""
    if (seat := await here(request)) is None:
        raise Refused(401, "web.signed_out")
    return seat


async def proven(request: web.Request) -> Seat:
    """Who asks, with the proof that the request comes from our own page."""
    seat = await required(request)
    given = request.headers.get(CSRF_HEADER, "")
    if not hmac.compare_digest(given.encode("utf-8", "replace"), proof_of(request).encode()):
        raise Refused(403, "web.page_old")
    return seat


def proof(token: str) -> str:
    """What our own page shows with every post, and no other page can know: worked out from the token that
    only the browser keeps, so whoever reads the database can make none."""
    return hmac.new(token.encode("utf-8", "replace"), b"csrf", hashlib.sha256).hexdigest()


def proof_of(request: web.Request) -> str:
    return proof(request.cookies.get(COOKIE, ""))


def hash_of(opened: Opened) -> str:
    return store.hashed(opened.token)


def is_visitor_seat(name: str) -> bool:
    return _VISITOR_SEAT.fullmatch(name) is not None


async def sign_out(site: Site, seat: Seat) -> None:
    """End the session, whoever holds its cookie."""

    async def work(tx: Transaction) -> None:
        await store.close_session(tx, seat.session.token_hash)

    await site.database.write(work)


async def roll(site: Site, seat: Seat) -> bool:
    """Prolong a session that is used; True if the cookie is due to be set again."""
    if seat.session.expires_at - site.clock.now() > SESSION_FOR - _ROLL_AFTER:
        return False

    async def work(tx: Transaction) -> None:
        await store.prolong(tx, seat.session.token_hash)

    await site.database.write(work)
    return True


def set_cookie(response: web.StreamResponse, site: Site, seat: str, token: str) -> None:
    """Let the browser show the token on this seat's pages alone; one answer may do so for many seats."""
    jar: SimpleCookie = SimpleCookie({COOKIE: token})
    jar[COOKIE]["path"] = f"/s/{seat}/"
    jar[COOKIE]["max-age"] = int(SESSION_FOR.total_seconds())
    jar[COOKIE]["httponly"] = True
    jar[COOKIE]["samesite"] = "Strict"
    jar[COOKIE]["secure"] = site.settings.https
    response.headers.add("Set-Cookie", jar[COOKIE].OutputString())


def drop_cookie(response: web.StreamResponse, site: Site, seat: str) -> None:
    response.del_cookie(
        COOKIE, path=f"/s/{seat}/", httponly=True, samesite="Strict", secure=site.settings.https
    )
