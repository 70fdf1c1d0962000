"""The door of the webhook: who may pass, how much they may bring, and what they are told."""

import hmac
import json
from collections.abc import Mapping
from typing import Any

from aiohttp import web

from bot.adapters import body as bodies

PATH = "/telegram/webhook"
SECRET = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - the name of the header


async def brought(request: web.Request, secret: str) -> Mapping[str, Any] | web.Response:
    """The update, or the refusal: the secret comes first, then a body of sensible size."""
    given = request.headers.get(SECRET, "").encode(errors="surrogateescape")
    if not secret or not hmac.compare_digest(given, secret.encode()):
        return web.Response(status=401)
    body = await bodies.whole(request)
    if body is None:
        return web.Response(status=413)
    try:
        update: Mapping[str, Any] = json.loads(body)
        int(update["update_id"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return web.Response(status=400)
    return update


def later() -> web.Response:
    """Telegram obeys Retry-After up to an hour and brings the update again."""
    return web.Response(status=503, headers={"Retry-After": "5"})
