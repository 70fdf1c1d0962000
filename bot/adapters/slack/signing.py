"""Whether it is Slack who brings something: the signature, and that it is no older than it may be."""

import hashlib
import hmac

WINDOW = 300.0
"""Seconds by which a request may differ from our clock (docs.slack.dev: verifying requests from Slack)."""


def verified(secret: str, timestamp: str, signature: str, body: bytes, now: float) -> bool:
    """False for whatever is wrong with it, and never an exception. `now`: seconds since 1970."""
    if not secret or not timestamp.isascii() or not timestamp.isdecimal() or len(timestamp) > 15:
        return False
    if abs(now - int(timestamp)) > WINDOW:
        return False
    base = b"v0:" + timestamp.encode() + b":" + body
    right = "v0=" + hmac.new(secret.encode(), base, hashlib.sha256).hexdigest()
    return hmac.compare_digest(signature.encode(errors="surrogateescape"), right.encode())
