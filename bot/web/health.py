"""Is it alive, is it ready, how is it doing: for whatever watches over the process."""

import prometheus_client
from aiohttp import web

from bot.web.settings import SITE


def routes() -> list[web.RouteDef]:
    return [web.get("/livez", live), web.get("/readyz", ready), web.get("/metrics", metrics)]


async def live(request: web.Request) -> web.Response:
    """The process answers, and that is all this says."""
    return web.json_response({"ok": True})


async def ready(request: web.Request) -> web.Response:
    """Whether every part can do its work, and in plain words which cannot.

    `?exclude=telegram` leaves a part out of the verdict: no balancer should turn people away from a page
    because somebody else's messenger is down."""
    parts = request.app[SITE].health()
    excluded = request.query.getall("exclude", ())
    ok = all(part.ok for name, part in parts.items() if name not in excluded)
    components = {name: {"ok": part.ok, "detail": part.detail or part.note} for name, part in parts.items()}
    return web.json_response({"ok": ok, "components": components}, status=200 if ok else 503)


async def metrics(request: web.Request) -> web.Response:
    """The numbers, as Prometheus reads them."""
    body = prometheus_client.generate_latest(request.app[SITE].registry)
    return web.Response(body=body, headers={"Content-Type": prometheus_client.CONTENT_TYPE_LATEST})
