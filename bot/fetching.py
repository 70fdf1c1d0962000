"""Fetching: the files of an event are brought here before its turn, outside any transaction."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from functools import partial

from bot import turns
from bot.adapters.port import Adapter
from bot.flows import crowd
from bot.incoming import Carried, Incoming, Reacted, Said
from bot.turns import Fetched
from core.database.transaction import Transaction
from core.desk import Desk
from core.files import actions as files
from core.files.blobs import Blobs
from core.files.model import File, Kept
from core.inbox import store as inbox
from core.inbox.model import Letter, pause
from core.kernel.errors import PermanentError, TemporaryError, UserError

PATIENCE = timedelta(minutes=10)
"""So long a conversation waits for a file that cannot be fetched; then it goes on without it."""


class Fetching:
    """What is here already for the event at hand of each conversation, so that no try fetches it again."""

    def __init__(self, desk: Desk, adapters: Mapping[str, Adapter], blobs: Blobs, language: str) -> None:
        self._desk = desk
        self._adapters = adapters
        self._blobs = blobs
        self._language = language
        self._here: dict[str, tuple[int, dict[str, File | None]]] = {}
        self._tries: dict[str, int] = {}

    def here(self, lane: str, letter: Letter) -> Fetched:
        """What was brought for this event; what is here for another, somebody else has handled."""
        of, found = self._here.get(lane, (letter.id, {}))
        return found if of == letter.id else {}

    def done(self, lane: str) -> None:
        """The event has been handled."""
        self._here.pop(lane, None)
        self._tries.pop(lane, None)

    async def bring(self, lane: str, letter: Letter, incoming: Incoming, *, late: bool) -> bool:
        """Fetch what its turn needs. False when that must be tried again later; `late`: it never will be."""
        here = dict(self.here(lane, letter))
        self._here[lane] = letter.id, here
        try:
            for carried in missing(incoming, here):
                here[carried.key] = await self._brought(incoming, carried, late=late)
        except TemporaryError:
            self._tries[lane] = self._tries.get(lane, 0) + 1
            await self._desk.database.write(partial(self._later, letter=letter, tries=self._tries[lane]))
            return False
        return True

    async def _later(self, tx: Transaction, *, letter: Letter, tries: int) -> None:
        await inbox.change(tx, letter.id, due_at=tx.now + pause(tries))

    async def _brought(self, incoming: Incoming, carried: Carried, *, late: bool) -> File | None:
        """None for one that cannot be had."""
        adapter = self._adapters[incoming.where.platform]
        try:
            kept = await self._blobs.keep(adapter.fetch(carried))
        except (UserError, PermanentError):
            return None
        except TemporaryError:
            if late:
                return None
            raise
        own = partial(self._own, incoming=incoming, carried=carried, kept=kept)
        return await self._desk.database.write(own)

    async def _own(self, tx: Transaction, *, incoming: Incoming, carried: Carried, kept: Kept) -> File:
        """A file belongs to whoever said what it came with."""
        person = await turns.meet(tx, incoming.sender, self._language)
        quoted = crowd.wanted(incoming)
        if quoted is not None and carried in quoted.files:
            person = await turns.meet(tx, quoted.sender, person.language)
        return await files.add(tx, kept, name=carried.name, mime=carried.mime, owner=person.id)


def is_late(tx: Transaction, letter: Letter) -> bool:
    """Whether it has waited for its files long enough."""
    return tx.now - letter.received_at > PATIENCE


def missing(incoming: Incoming, here: Fetched) -> tuple[Carried, ...]:
    """The files that came along, or that somebody points at, and are not here yet."""
    own = incoming.what.files if isinstance(incoming.what, Said) else ()
    quoted = crowd.wanted(incoming)
    carried = (*own, *(quoted.files if quoted else ()))
    return tuple(each for each in carried if not each.kept and each.key not in here)


def with_files(incoming: Incoming, here: Fetched) -> Incoming:
    """The same, with the files of what somebody points at."""
    what, quoted = incoming.what, crowd.wanted(incoming)
    if quoted is None or not isinstance(what, Said | Reacted):
        return incoming
    found = [(each, here.get(each.key)) for each in quoted.files]
    kept = tuple(replace(each, kept=file.id) if file else each for each, file in found)
    return replace(incoming, what=replace(what, quoted=replace(quoted, files=kept)))
