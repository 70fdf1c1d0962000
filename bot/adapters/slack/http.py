"""The door of HTTP mode: who may pass, how much they may bring, and what it is."""

import json
from typing import Any
from urllib.parse import parse_qsl

from aiohttp import web
from slack_bolt.response import BoltResponse

from bot.adapters import body as bodies
from bot.adapters.slack import signing

TIMESTAMP, SIGNATURE = "X-Slack-Request-Timestamp", "X-Slack-Signature"
FIELDS = 100


async def brought(request: web.Request, secret: str, now: float) -> dict[str, Any] | web.Response:
    """What Slack brought, or what it is told at once: whatever is not signed, or not even text, is answered
    401. The challenge with which our address is verified is answered whatever else may be wrong."""
    body = await bodies.whole(request)
    if body is None:
        return web.Response(status=413)
    timestamp, signature = request.headers.get(TIMESTAMP, ""), request.headers.get(SIGNATURE, "")
    if not signing.verified(secret, timestamp, signature, body, now):
        return web.Response(status=401)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return web.Response(status=401)
    payload = _payload(text)
    if not payload:
        return web.Response(status=400)
    if payload.get("type") == "url_verification":
        return web.json_response({"challenge": str(payload.get("challenge", ""))})
    return payload


def _payload(text: str) -> dict[str, Any] | None:
    """An event is JSON, a command a form, an interaction JSON in a form; None for anything else."""
    try:
        if text.startswith("{"):
            return _object(text)
        form = dict(parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS))
        if "payload" in form:
            return _object(form["payload"])
        return form if "command" in form or "ssl_check" in form else None
    except (ValueError, RecursionError):
        return None


def _object(text: str) -> dict[str, Any] | None:
    found = json.loads(text)
    return found if isinstance(found, dict) else None


def answer(response: BoltResponse) -> web.Response:
    """What Slack is told."""
    kind = "application/json" if response.body.startswith("{") else "text/plain"
    return web.Response(status=response.status, text=response.body, content_type=kind)
