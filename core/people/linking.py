"""Two accounts of one person: a code shown to the one and written by the other proves both."""

import hashlib
import hmac
import secrets
from datetime import datetime, timedelta

from core.database.transaction import Transaction
from core.kernel.errors import UserError
from core.kernel.ids import Identity, new_token
from core.people import store
from core.people.model import Code, Person, Role

ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"
"""Digits and capitals without 0, O, 1 and I, which look alike."""
LENGTH = 8
LIVES = timedelta(minutes=10)
TRIES, WITHIN = 5, timedelta(minutes=10)
"""So many wrong codes of one account in so short a time lock it out."""
LOCKED = timedelta(hours=1)
_LOOK_ALIKE = str.maketrans("АВЕКМНРСТУХ", "ABEKMHPCTYX")
"""Cyrillic capitals, as a code may be typed on a Russian keyboard."""
_SECRET = secrets.token_bytes(32)
"""Lets this process alone say a code once more, or those that agree on it: the seed that is kept does not
tell it."""


def agree(secret: bytes) -> None:
    """Processes that serve one database say each other's codes from now on. `secret` is what they have in
    common and the database does not hold."""
    global _SECRET
    _SECRET = secret


async def make(tx: Transaction, person: Person, identity: Identity, room: str) -> Code:
    """A code for this account, shown in `room`; one made for it before counts no more.

    Raises UserError for an admin: whose accounts those are, the configuration alone says."""
    _check_no_admin(person)
    seed = new_token()
    code = Code(identity, room, seed, hashed(_word(seed)), tx.now + LIVES)
    await store.keep_code(tx, code)
    return code


async def word(tx: Transaction, identity: Identity, code_hash: str) -> str | None:
    """The code as it is written, while it is good; None too where an earlier process made it."""
    code = await store.code_for(tx, identity)
    if code is None or code.hash != code_hash or code.over_at <= tx.now:
        return None
    said = _word(code.seed)
    return said if hashed(said) == code.hash else None


async def redeem(tx: Transaction, identity: Identity, code_hash: str) -> Code | None:
    """The good code that this account wrote; None for a wrong one, which is counted: do not roll back.

    Raises UserError while the account is locked out, also for right codes."""
    if (until := await _locked_until(tx, identity)) is not None:
        raise UserError("link.locked", until=until)
    code = await store.code_of(tx, code_hash)
    if code is not None and code.over_at > tx.now:
        return code
    await store.add_guess(tx, identity, forget=tx.now - LOCKED - WITHIN)
    return None


async def hold(tx: Transaction, identity: Identity, code: Code) -> None:
    """This account wrote the code and is asked whether it was meant; another one may write it meanwhile."""
    await store.write_code(tx, code, identity)


async def held(tx: Transaction, identity: Identity, code_hash: str) -> Code:
    """The code that this account is asked about. Raises UserError where that is over."""
    code = await store.code_of(tx, code_hash)
    if code is None or code.written_by != identity or code.over_at <= tx.now:
        raise UserError("press.over")
    return code


async def expose(tx: Transaction, identity: Identity, code_hash: str) -> None:
    """A code that this account wrote where others read along is good no more; a wrong one counts as ever."""
    if (code := await redeem(tx, identity, code_hash)) is not None:
        await void(tx, code)


async def void(tx: Transaction, code: Code) -> None:
    """The code is good no more."""
    await store.drop_code(tx, code.identity)


def who_stays(one: Person, other: Person) -> tuple[Person, Person]:
    """Of two who are one: the person who stays, and the one whose things become theirs.

    Whom the configuration names stays, else whom the desk has known longer. Raises UserError for an admin,
    and for two whom the configuration names."""
    _check_no_admin(one)
    _check_no_admin(other)
    if one.rank and other.rank:
        raise UserError("link.both_named")
    stays = min(one, other, key=lambda person: (person.rank == 0, person.id))
    return (one, other) if stays is one else (other, one)


def _check_no_admin(person: Person) -> None:
    if Role.ADMIN in person.roles:
        raise UserError("link.admin")


async def _locked_until(tx: Transaction, identity: Identity) -> datetime | None:
    newest = await store.guesses(tx, identity, TRIES)
    if len(newest) < TRIES or newest[0] - newest[-1] > WITHIN or tx.now >= newest[0] + LOCKED:
        return None
    return newest[0] + LOCKED


def _word(seed: str) -> str:
    digest = hmac.digest(_SECRET, seed.encode(), "sha256")
    return "".join(ALPHABET[byte % len(ALPHABET)] for byte in digest[:LENGTH])


def hashed(typed: str) -> str:
    """What is kept of a code, however it was typed; it has room in a button."""
    word = "".join(typed.upper().split()).replace("-", "").translate(_LOOK_ALIKE)
    return hashlib.sha256(word.encode("utf-8", "replace")).hexdigest()[:32]
