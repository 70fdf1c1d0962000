"""Files on the page: streamed to disk on the way in, handed out harmlessly on the way out."""

import re
from collections.abc import AsyncIterator
from urllib.parse import quote, unquote

from aiohttp import ClientPayloadError, web

from bot.web import chat_routes, sessions
from bot.web.refusals import Refused
from bot.web.settings import SEAT_PATH, SITE
from core.database.transaction import Transaction, Work
from core.files import actions as files
from core.files.model import File, Kept
from core.kernel import text as texts
from core.kernel.ids import PersonId
from core.tickets import queries as tickets

INLINE = frozenset({"image/png", "image/jpeg", "image/gif", "image/webp"})
"""Pictures that a browser shows without ever running them."""
_CHUNK = 256 * 1024
_MIME = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
_LEAF = re.compile(r"[^/\\]*$")


def routes() -> list[web.RouteDef]:
    return [web.post(SEAT_PATH + "/files", take), web.get(SEAT_PATH + "/files/{id}", give)]


async def take(request: web.Request) -> web.StreamResponse:
    """POST /s/{seat}/files: the raw bytes of one file."""
    site = request.app[SITE]
    seat = await sessions.proven(request)
    chat_routes.check_pace(site, site.paces.upload, str(seat.identity))
    if (request.content_length or 0) > site.settings.file_limit:
        raise Refused(413, "file.too_large", limit=site.settings.file_limit // 1_000_000)
    kept = await site.blobs.keep(_whole(request))
    try:
        file = await site.database.write(_adding(kept, _name(request), _mime(request), seat.person.id))
    except BaseException:
        site.blobs.remove(kept.file_id)
        raise
    return web.json_response({"id": file.id, "name": file.name, "size": file.size})


def _adding(kept: Kept, name: str, mime: str, owner: PersonId) -> Work[File]:
    async def work(tx: Transaction) -> File:
        return await files.add(tx, kept, name=name, mime=mime, owner=owner)

    return work


async def _whole(request: web.Request) -> AsyncIterator[bytes]:
    try:
        async for chunk in request.content.iter_chunked(_CHUNK):
            yield chunk
    except (ClientPayloadError, web.RequestPayloadError):
        raise Refused(400, "web.file_cut") from None


def _name(request: web.Request) -> str:
    named = unquote(request.headers.get("X-File-Name", ""), errors="replace")
    leaf = _LEAF.search(texts.clean(named))
    return leaf.group().strip(" .") if leaf else ""


def _mime(request: web.Request) -> str:
    given = request.content_type.lower()
    return given if _MIME.fullmatch(given) else "application/octet-stream"


async def give(request: web.Request) -> web.StreamResponse:
    """GET /s/{seat}/files/{id}: the same answer for a hidden file and for none."""
    site = request.app[SITE]
    seat = await sessions.required(request)
    file_id = request.match_info["id"]

    async def work(tx: Transaction) -> File:
        return await tickets.file_for(tx, seat.actor, file_id)

    file = await site.database.read(work)
    path = await site.blobs.here(file.id)
    picture = file.mime in INLINE
    return web.FileResponse(
        path,
        headers={
            "Content-Type": file.mime if picture else "application/octet-stream",
            "Content-Disposition": _disposition("inline" if picture else "attachment", file.name),
            "Content-Security-Policy": "sandbox; default-src 'none'",
            "Cache-Control": "private, max-age=3600" if picture else "no-store",
        },
    )


def _disposition(kind: str, name: str) -> str:
    """A name for every browser: plain letters first, then the real one in percent form."""
    plain = re.sub(r"[^A-Za-z0-9._ -]", "_", name)
    return f"{kind}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"
