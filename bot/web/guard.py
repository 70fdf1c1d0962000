"""What every request passes: the right host, the right origin, a plain answer to errors, safe headers."""

import logging
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from aiohttp import web

from bot.web import refusals, shell, wording
from bot.web.refusals import Refused
from bot.web.settings import SITE, WebSettings

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

_log = logging.getLogger(__name__)
_LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})
_WATCHED = frozenset({"/livez", "/readyz", "/metrics"})
"""Asked by probes under any name; they hold nothing of anybody."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; connect-src 'self';"
        " frame-src 'self'; frame-ancestors 'self'; base-uri 'none'; form-action 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), microphone=(), geolocation=()",
}


async def add_headers(request: web.Request, response: web.StreamResponse) -> None:
    """Put the safe headers on every answer, files and streams included."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    fixed = request.path.startswith("/static/")
    response.headers.setdefault("Cache-Control", "no-cache" if fixed else "no-store")
    response.headers["Server"] = "Deskbridge"
    if request.app[SITE].settings.https:
        response.headers["Strict-Transport-Security"] = "max-age=31536000"


@web.middleware
async def answer_errors(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Whatever goes wrong, the person reads a sentence."""
    try:
        return await handler(request)
    except web.HTTPRedirection:
        raise
    except Exception as error:
        if isinstance(error, ConnectionResetError) and _has_left(request):
            return web.Response(status=400)  # nobody reads it
        if request.writer.output_size > 0:  # the answer has begun: only the connection can end it
            raise
        refused = refusals.of(error)
        if refused is None:
            _log.error("the web server failed at %s", request.path, exc_info=error)
            refused = Refused(500, "web.broken")
        return _answer(request, refused)


def _has_left(request: web.Request) -> bool:
    return request.transport is None or request.transport.is_closing()


def _answer(request: web.Request, refused: Refused) -> web.StreamResponse:
    language = shell.language_of(request)
    sentence = wording.sentence(refused, language, request.app[SITE].clock.now())
    if request.method in ("GET", "HEAD") and "text/html" in request.headers.get("Accept", ""):
        return shell.plain(sentence, language, refused.status)
    return web.json_response({"error": sentence}, status=refused.status)


@web.middleware
async def check_host(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse names that are not ours: another site may have pointed its own name here."""
    settings = request.app[SITE].settings
    if request.path not in _WATCHED and _name(request.host) not in _names(settings):
        raise Refused(421, "web.host", url=settings.public_url)
    return await handler(request)


@web.middleware
async def check_origin(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Refuse what another site's page asks to be changed."""
    if request.method not in ("GET", "HEAD") and not _from_here(request):
        raise Refused(403, "web.origin")
    return await handler(request)


def _from_here(request: web.Request) -> bool:
    origin = request.headers.get("Origin")
    if origin is None:
        return request.headers.get("Sec-Fetch-Site", "none") in ("same-origin", "none")
    public = urlsplit(request.app[SITE].settings.public_url)
    own = {f"{public.scheme}://{public.netloc}", f"http://{request.host}"}
    return origin.lower() in {each.lower() for each in own}


def _name(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""


def _names(settings: WebSettings) -> frozenset[str]:
    own = {settings.host.lower(), _name(urlsplit(settings.public_url).netloc)}
    return frozenset(own | _LOCAL if settings.loopback else own) - {"0.0.0.0", "::", ""}  # noqa: S104
