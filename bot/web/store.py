"""Sessions and sign-in links in the tables: only hashes of what lets somebody in."""

import hashlib
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from sqlalchemy import bindparam, select, update

from bot.adapters.webchat.store import web_links, web_sessions
from core.database.transaction import Transaction
from core.kernel.ids import Identity

SESSION_FOR = timedelta(days=30)
_SESSION = select(web_sessions).where(
    web_sessions.c.token_hash == bindparam("token_hash"),
    web_sessions.c.seat == bindparam("seat"),
    web_sessions.c.expires_at > bindparam("now"),
)
SESSIONS_KEPT = 20
"""Of one account, the newest ones; so that a page that signs in at every visit fills nothing."""


@dataclass(frozen=True, slots=True)
class Session:
    """Somebody is signed in on a seat."""

    token_hash: str
    identity: Identity
    seat: str
    expires_at: datetime


def hashed(token: str) -> str:
    """What is kept of a token."""
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()


async def open_session(tx: Transaction, identity: Identity, *, seat: str, token: str) -> None:
    """Keep a new session; expired ones and the account's oldest surplus go."""
    newest = (
        select(web_sessions.c.token_hash)
        .where(web_sessions.c.identity == str(identity))
        .order_by(web_sessions.c.created_at.desc(), web_sessions.c.token_hash)
        .limit(SESSIONS_KEPT - 1)
    )
    await tx.execute(web_sessions.delete().where(web_sessions.c.expires_at <= tx.now))
    await tx.execute(
        web_sessions.delete().where(
            web_sessions.c.identity == str(identity), web_sessions.c.token_hash.not_in(newest)
        )
    )
    await tx.execute(
        web_sessions.insert().values(
            token_hash=hashed(token),
            identity=str(identity),
            seat=seat,
            created_at=tx.now,
            expires_at=tx.now + SESSION_FOR,
        )
    )


async def session(tx: Transaction, token_hash: str, seat: str) -> Session | None:
    """The session of this token on this seat, if it is still good."""
    row = await tx.first(_SESSION, {"token_hash": token_hash, "seat": seat, "now": tx.now})
    if row is None:
        return None
    return Session(row.token_hash, Identity.parse(row.identity), row.seat, row.expires_at)


async def prolong(tx: Transaction, token_hash: str) -> None:
    """The session was used: its days count from now."""
    await tx.execute(
        update(web_sessions)
        .where(web_sessions.c.token_hash == token_hash)
        .values(expires_at=tx.now + SESSION_FOR)
    )


async def close_session(tx: Transaction, token_hash: str) -> None:
    await tx.execute(web_sessions.delete().where(web_sessions.c.token_hash == token_hash))


async def add_link(
    tx: Transaction, token: str, identity: Identity, lifetime: timedelta, *, reusable: bool
) -> None:
    """Keep a sign-in link; expired ones go."""
    await tx.execute(web_links.delete().where(web_links.c.expires_at <= tx.now))
    await tx.execute(
        web_links.insert().values(
            token_hash=hashed(token),
            identity=str(identity),
            reusable=reusable,
            expires_at=tx.now + lifetime,
        )
    )


async def end_demo(tx: Transaction) -> None:
    """The demo's links let nobody in any more, and whoever came in by one is signed out."""
    let_in = select(web_links.c.identity).where(web_links.c.reusable)
    await tx.execute(web_sessions.delete().where(web_sessions.c.identity.in_(let_in)))
    await tx.execute(web_links.delete().where(web_links.c.reusable))


async def use_link(tx: Transaction, token: str) -> Identity | None:
    """Whom the link lets in, once; None for one that is unknown, used or too old."""
    good = (
        web_links.c.token_hash == hashed(token),
        web_links.c.expires_at > tx.now,
        web_links.c.used_at.is_(None) | web_links.c.reusable,
    )
    found = cast("str | None", await tx.scalar(select(web_links.c.identity).where(*good)))
    if found is None:
        return None
    await tx.execute(update(web_links).where(*good).values(used_at=tx.now))
    return Identity.parse(found)
