"""What a messenger brings to our web server: read whole, if it is of sensible size."""

from aiohttp import web

LIMIT = 1_000_000
"""Bytes."""


async def whole(request: web.Request) -> bytes | None:
    """All of the body; None for one that is too large, of which no more than the limit is kept in memory."""
    if (request.content_length or 0) > LIMIT:
        return None
    body = bytearray()
    async for chunk in request.content.iter_any():
        body += chunk
        if len(body) > LIMIT:
            return None
    return bytes(body)
