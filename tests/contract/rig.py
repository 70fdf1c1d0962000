"""What a messenger's rig must offer, so that every promise of an adapter is one test for all of them.

A rig is the real adapter with a real platform behind it (or that platform's server kept small, on loopback),
a real database, and people who use the platform as people do: they look, write, press and fill in.
A new messenger adds a rig to `RIGS` in conftest.py and no test.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol

import sqlalchemy

from bot.adapters.port import Adapter, Posted, Reader, Unlearned
from bot.incoming import Carried, Incoming
from bot.message import Attachment, Message, Paragraph, Plain
from core.database.engine import Database
from core.database.transaction import Transaction
from core.inbox import store as inbox
from core.kernel.ids import Address, Identity

EN, RU = Reader("en", "UTC"), Reader("ru", "UTC")
BULKY = "Ж" * 3000
"""Words that need room of their own on a disk, and fit into one message of any messenger."""


@dataclass(frozen=True, slots=True)
class Seen:
    """A message on somebody's screen. `text` is all that can be read in it, as a reader would copy it."""

    id: str
    text: str
    below: str | None
    """The message it stands below, in a thread."""
    buttons: tuple[str, ...]
    files: tuple[tuple[str, bytes], ...]
    mine: bool


@dataclass(frozen=True, slots=True)
class Deed:
    """Something a person did, once the platform knows whether the desk took it."""

    acknowledged: bool
    message: str
    """The platform's id of what they said; empty for a press or a form."""
    again: Callable[[], Awaitable["Deed"]]
    """The platform tells the same event once more."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a form, as it is seen."""

    label: str
    required: bool
    options: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Opened:
    """A form on somebody's screen; `handle` is the rig's own."""

    title: str
    fields: tuple[Field, ...]
    handle: Any


class Rig(Protocol):
    """An adapter that is connected and receives, and the people around it."""

    @property
    def adapter(self) -> Adapter: ...

    @property
    def database(self) -> Database: ...

    @property
    def ivan(self) -> Identity:
        """Reads English."""
        ...

    @property
    def anna(self) -> Identity:
        """Reads English."""
        ...

    @property
    def olga(self) -> Identity:
        """Reads Russian."""
        ...

    @property
    def room(self) -> Address:
        """A room of Ivan, Anna and the desk."""
        ...

    def home(self, who: Identity) -> Address:
        """The conversation of this person with the desk alone."""
        ...

    async def seen(self, who: Identity, where: Address) -> list[Seen]:
        """What stands in the room on this person's screen now, threads too, the oldest first."""
        ...

    async def say(
        self,
        who: Identity,
        where: Address,
        text: str,
        *,
        files: Sequence[tuple[str, bytes]] = (),
        reply_to: str | None = None,
    ) -> Deed:
        """Write; in a thread where the address has one. Returns once it is acknowledged or refused."""
        ...

    async def edit(self, who: Identity, where: Address, message: str, text: str) -> Deed: ...

    async def press(self, who: Identity, where: Address, message: str, label: str) -> Deed: ...

    async def open_form(self, who: Identity, where: Address, message: str, label: str) -> Opened:
        """Press a form's button. Asked only of adapters whose features have forms."""
        ...

    async def submit(self, who: Identity, opened: Opened, answers: Mapping[str, str]) -> Deed:
        """Fill in by the labels on the screen, options too, and send."""
        ...

    async def keep(self, name: str, mime: str, content: bytes) -> Attachment:
        """A file of the desk, which may be shown to Ivan."""
        ...

    async def content(self, carried: Carried) -> bytes:
        """The bytes of a file that came along: fetched, or kept already."""
        ...

    def trouble(self) -> AbstractAsyncContextManager[None]:
        """For a while the platform takes nothing from us that is as bulky as BULKY, and says so."""
        ...


@asynccontextmanager
async def disk_full(database: Database) -> AsyncIterator[None]:
    """For a while the desk's disk has no room for anything as bulky as BULKY."""
    full, free = ((_REFUSAL, _REFUSE), (_TAKE,)) if database.shared else ((_LEAST,), (_MOST,))

    async def say(tx: Transaction, words: Sequence[str]) -> None:
        for each in words:
            await tx.execute(sqlalchemy.text(each))

    await database.write(lambda tx: say(tx, full))
    try:
        yield
    finally:
        await database.write(lambda tx: say(tx, free))


_LEAST = "PRAGMA max_page_count = 1"
_MOST = f"PRAGMA max_page_count = {2**30}"
# No disk of a server is filled: it says of anything bulky what it says then.
_REFUSAL = f"""
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
  IF length(NEW::text) >= {len(BULKY)} THEN
    RAISE EXCEPTION 'could not extend file: No space left on device' USING ERRCODE = 'disk_full';
  END IF;
  RETURN NEW;
END $$
"""
_REFUSE = """
DO $$ DECLARE name text; BEGIN
  FOR name IN SELECT tablename FROM pg_tables WHERE schemaname = current_schema() LOOP
    EXECUTE format('CREATE TRIGGER refuse BEFORE INSERT OR UPDATE ON %I '
      'FOR EACH ROW EXECUTE FUNCTION refuse()', name);
  END LOOP;
END $$
"""
_TAKE = "DROP FUNCTION refuse CASCADE"


def card(title: str) -> Message:
    """A ticket's card, which has a thread below it."""
    return Message((Paragraph(Plain(title), "title"),), tone="card", ticket=1)


def below(room: Address, root: Posted) -> Address:
    """The thread of a card that was posted."""
    return Address(room.platform, room.room, root.thread or root.message)


async def opened(rig: Rig, title: str, nonce: str) -> Posted:
    """A card in the room, in the thread that is made for it, if one is."""
    posted = await rig.adapter.post(rig.room, card(title), EN, nonce)
    if posted.message:
        return posted
    return await rig.adapter.post(below(rig.room, posted), card(title), EN, nonce)


async def letters(rig: Rig) -> list[Any]:
    """The committed rows of the inbox, in order."""

    async def look(tx: Transaction) -> list[Any]:
        return list(await tx.all(sqlalchemy.select(inbox.inbox).order_by(inbox.inbox.c.id)))

    return await rig.database.read(look)


async def heard(rig: Rig) -> list[Incoming]:
    """Everything the desk has committed of what people did, as the adapter reads it."""
    found = [await read(rig, letter.body) for letter in await letters(rig)]
    return [incoming for incoming in found if incoming is not None]


async def read(rig: Rig, body: Mapping[str, Any]) -> Incoming | None:
    """What the desk reads in an event, once it has learnt what that takes."""
    try:
        return rig.adapter.read(body)
    except Unlearned:
        await rig.adapter.learn(body)
        return rig.adapter.read(body)


async def everywhere(rig: Rig, who: Identity) -> str:
    """All that this person can read, in the room and at home."""
    shown = [*await rig.seen(who, rig.room), *await rig.seen(who, rig.home(who))]
    return "\n".join(seen.text for seen in shown)
