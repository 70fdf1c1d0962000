"""One event in, one transaction: whose it is, where they are, which flow, command or press it means.

Conversations go on side by side; within one, events are handled in the order they came.
"""

import asyncio
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import Any

from bot import albums, fetching, turns
from bot.adapters.port import ALWAYS, Adapter, Health, Office, Raw, Unlearned
from bot.fetching import Fetching
from bot.flows.turn import Turn
from bot.incoming import Edited, Incoming, Pressed, Quoted, Reacted, Said, Submitted
from bot.learning import Learning
from bot.metrics import Metrics
from bot.replica import Replica
from bot.signs import Signs
from bot.turns import Fetched
from core.database.bells import wait
from core.database.transaction import Transaction
from core.desk import Desk
from core.files.blobs import Blobs
from core.inbox import actions as inbox
from core.inbox import store as inbox_store
from core.inbox.model import Event, Letter
from core.kernel.errors import TemporaryError, UserError
from core.kernel.ids import Address, Identity
from core.outbox import actions as outbox
from core.outbox.model import ANSWER, Parcel
from core.people import store as people_store
from core.people.model import Actor, Person
from core.tickets.catalogue import Catalogue

_log = logging.getLogger(__name__)
AT_ONCE = 64
"""Conversations handled side by side."""
ALBUM = 20
"""So many waiting events are looked at for further parts of an album."""
OTHERS_AFTER = timedelta(seconds=3)
"""So long a conversation waits for the process whose share it is; then whoever has time goes on with it."""
POLL = 1.0
"""Seconds after which the inbox is looked at even if no bell rang."""


@dataclass(frozen=True, slots=True)
class Handled:
    """What became of the oldest event of a lane: whether more wait behind it, or what it takes first."""

    more: bool
    letter: Letter | None = None
    fetch: Incoming | None = None
    """Files that it came with must be brought here."""
    late: bool = False
    learn: bool = False
    """The platform must be asked for something before the letter can be read."""


@dataclass(slots=True)
class Tried:
    """Which event a turn was about, for whoever must say that it failed; None until that is known."""

    letter: int | None = None


class Router:
    """Takes events from the inbox and lets the desk act on them."""

    def __init__(
        self,
        desk: Desk,
        adapters: Mapping[str, Adapter],
        blobs: Blobs,
        *,
        language: str,
        time_zone: str,
        metrics: Metrics,
        replica: Replica | None = None,
    ) -> None:
        self._desk = desk
        self._replica = replica or Replica(desk.database)
        self._adapters = adapters
        self._language = language
        self._time_zone = time_zone
        self._metrics = metrics
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._fetching = Fetching(desk, adapters, blobs, language)
        self._learning = Learning(desk.database, adapters, self._free)
        self._signs = Signs(adapters)
        self._heard = desk.database.bells.listen(inbox.BELL)
        self._replica.changed.append(self._heard.set)
        self._trouble = ""

    async def accept(
        self, platform: str, account: str, events: Sequence[Raw], *, office: Office = ALWAYS
    ) -> int:
        """The adapters' door: events are committed when this returns. Raises TemporaryError if not."""
        kept = [Event(raw.key, raw.lane, raw.body, raw.message) for raw in events]

        async def keep(tx: Transaction) -> int:
            await office.check(tx)
            return await inbox.accept(tx, platform, account, kept)

        fresh = await self._desk.database.write(keep, urgent=True)
        self._metrics.received(platform, fresh, len(events) - fresh)
        return fresh

    def health(self) -> Health:
        return Health(not self._trouble, self._trouble)

    async def run(self) -> None:
        """Handle what comes in until cancelled; what is under way is finished by `drain`."""
        while True:
            try:
                await self._start_lanes()
                self._trouble = ""
            except TemporaryError as error:
                self._trouble = str(error)
            await wait(self._heard, at_most=POLL)

    async def catch_up(self) -> None:
        """Handle everything that is due now."""
        while await self._start_lanes():
            await self.drain()

    async def drain(self) -> None:
        """Wait for the turns under way, and for what they ask of platforms."""
        while under_way := [*self._busy.values(), *self._learning.under_way]:
            await asyncio.gather(*under_way, return_exceptions=True)

    async def _start_lanes(self) -> int:
        room = AT_ONCE - len(self._busy)
        if room <= 0:
            return 0
        taken = {*self._busy, *self._learning.lanes}
        free = [lane for lane in await self._lanes(AT_ONCE + len(taken)) if lane not in taken][:room]
        for lane in free:
            task = asyncio.create_task(self._serve(lane))
            self._busy[lane] = task
            self._signs.begin(lane)
            task.add_done_callback(partial(self._left, lane))
        return len(free)

    async def _lanes(self, limit: int) -> list[str]:
        """Conversations to go on with. Those that are another process's share are left to it, unless they
        have waited for a moment."""
        me = self._desk.me
        if self._replica.alone:
            found = await self._desk.database.write(lambda tx: inbox_store.lanes(tx, limit, me))
            return [each.lane for each in found]

        async def look(tx: Transaction) -> list[str]:
            found = await inbox_store.lanes(tx, limit * self._replica.living, me)
            late = tx.now - OTHERS_AFTER
            owns = self._replica.owns
            return [each.lane for each in found if each.ours or each.since <= late or owns(each.lane)]

        return await self._desk.database.read(look)

    def _left(self, lane: str, _: asyncio.Task[None]) -> None:
        del self._busy[lane]
        self._signs.end(lane)
        self._free()

    def _free(self) -> None:
        """A conversation may go on."""
        self._heard.set()

    async def _serve(self, lane: str) -> None:
        """One conversation, event after event, until none is waiting or the oldest must wait."""
        going = True
        while going:
            tried = Tried()
            turn = partial(self._handle_next, lane=lane, tried=tried)
            try:
                handled = await self._desk.database.write(turn)
                if handled.learn and handled.letter is not None:
                    self._learning.begin(lane, handled.letter)
                    return
                if handled.fetch is not None and handled.letter is not None:
                    brought = self._fetching.bring(lane, handled.letter, handled.fetch, late=handled.late)
                    going = await brought
                    continue
            except TemporaryError as error:
                self._trouble = str(error)
                await asyncio.sleep(POLL)  # the lane stays taken so long: nothing is tried in a hurry
                return
            except Exception as error:  # noqa: BLE001 - any fault of one event must not stop the others
                going = await self._stumble(lane, tried, error)
                continue
            self._fetching.done(lane)
            self._learning.done(lane)
            going = handled.more

    async def _handle_next(self, tx: Transaction, *, lane: str, tried: Tried) -> Handled:
        letter = await inbox_store.head(tx, lane, self._desk.me)
        tried.letter = letter.id if letter is not None else None
        if letter is None:
            return Handled(False)
        try:
            incoming = self._adapters[letter.platform].read(letter.body)
        except Unlearned:
            await inbox_store.hold(tx, letter.id, self._desk.me)
            return Handled(False, letter, learn=True)
        letters = [letter]
        if albums.name(incoming) is not None:
            letters, incoming = await self._album(tx, lane, letter)
            if incoming is None:
                return Handled(False)
        if incoming is not None and _concerns(tx, incoming):
            self._signs.meet(lane, incoming)
            incoming = await self._reread(tx, incoming)
            here = self._fetching.here(lane, letter)
            if fetching.missing(incoming, here):
                await inbox_store.hold(tx, letter.id, self._desk.me)
                return Handled(False, letter, incoming, fetching.is_late(tx, letter))
            await self._turn(tx, fetching.with_files(incoming, here), here)
        for each in letters:
            await inbox.finish(tx, each)
            self._metrics.handled(each.platform)
        return Handled(letter.more)

    async def _album(self, tx: Transaction, lane: str, first: Letter) -> tuple[list[Letter], Incoming | None]:
        """The album's parts as one message; None while further parts may still come."""
        read = self._adapters[first.platform].read
        letters, parts = [], []
        for letter in await inbox_store.waiting(tx, lane, ALBUM):
            part = _readable(read, letter)
            if part is not None and albums.name(part) == albums.name(read(first.body)):
                letters.append(letter)
                parts.append(part)
        if tx.now < (whole := albums.whole_at(letters)):
            await inbox_store.change(tx, first.id, due_at=whole)
            return letters, None
        return letters, albums.merged(parts)

    async def _stumble(self, lane: str, tried: Tried, error: Exception) -> bool:
        """Note the failure. True when the event is parked, or was handled elsewhere meanwhile, so that the
        conversation goes on at once."""
        _log.error("an event could not be handled", exc_info=error, extra={"lane": lane})

        async def note(tx: Transaction) -> bool:
            letter = await inbox_store.head(tx, lane, self._desk.me)
            if letter is None:
                return False
            if tried.letter not in (None, letter.id):
                return True  # another process was quicker, and this failure is not of the event behind it
            parked = await inbox.stumble(tx, letter, f"{type(error).__name__}: {error}")
            if parked:
                self._metrics.parked(letter.platform)
                await self._say_parked(tx, letter)
            return parked

        try:
            return await self._desk.database.write(note)
        except Exception as trouble:  # noqa: BLE001 - not even the failure could be noted
            self._trouble = str(trouble)
            await asyncio.sleep(POLL)
            return False

    async def _say_parked(self, tx: Transaction, letter: Letter) -> None:
        """Whoever said it learns that it is kept, and that the operator sees it."""
        try:
            incoming = self._adapters[letter.platform].read(letter.body)
        except (*_UNREADABLE, Unlearned):
            return
        if incoming is not None and incoming.private and not incoming.sender.automatic:
            await outbox.put(tx, Parcel("told_parked", room=str(incoming.where.space)))

    async def _reread(self, tx: Transaction, incoming: Incoming) -> Incoming:
        """An emoji says where it stands but not under which words; those came in an earlier event."""
        what, where = incoming.what, incoming.where
        if not isinstance(what, Reacted) or what.quoted is not None:
            return incoming
        letter = await inbox_store.tells_of(tx, where.platform, f"{where.room}/{what.message}")
        try:
            earlier = self._adapters[where.platform].read(letter.body) if letter else None
        except Unlearned:
            return incoming
        if earlier is None or not isinstance(earlier.what, Said):
            return incoming
        quoted = Quoted(earlier.sender, earlier.what.text, what.message, earlier.what.files)
        return replace(incoming, what=replace(what, quoted=quoted))

    async def _acknowledge(self, tx: Transaction, incoming: Incoming, person: Person) -> None:
        """A press and a form are answered in any case; what the turn says to it takes this parcel's place."""
        what, platform = incoming.what, incoming.where.platform
        if (
            not isinstance(what, Pressed | Submitted)
            or what.press is None
            or not self._adapters[platform].features.acknowledges
        ):
            return
        await outbox.put(
            tx,
            Parcel(
                "acknowledgement",
                {"press": what.press},
                room=str(incoming.where.space),
                person=person.id,
                only=str(incoming.sender.identity),
                slot=f"press:{what.press}",
                urgency=ANSWER,
            ),
        )

    # ---- one turn

    def _direct(self, identity: Identity) -> Address | None:
        adapter = self._adapters.get(identity.platform)
        return adapter.direct(identity) if adapter is not None else None

    async def _turn(self, tx: Transaction, incoming: Incoming, here: Fetched) -> None:
        person = await turns.meet(tx, incoming.sender, self._language)
        await people_store.seen(tx, incoming.sender.identity)
        about = await turns.ticket_of_thread(tx, incoming)
        actor = Actor(person, incoming.sender.identity.platform)
        await self._acknowledge(tx, incoming, person)
        adapter = self._adapters[incoming.where.platform]
        turn = Turn(
            tx,
            incoming,
            person,
            actor,
            about,
            self._time_zone,
            self._direct,
            forms=adapter.features.forms,
            threads=adapter.features.threads,
        )
        try:
            async with tx.savepoint():
                await turns.act(turn, here)
        except UserError as error:
            if not incoming.sender.automatic:
                await turn.tell(turns.refused(incoming, error))


_UNREADABLE = (ValueError, KeyError, TypeError)


def _readable(read: Callable[[Mapping[str, Any]], Incoming | None], letter: Letter) -> Incoming | None:
    """What a letter behind the head means; None where it cannot be read, which shows once it is the head."""
    try:
        return read(letter.body)
    except _UNREADABLE:
        return None


def _concerns(tx: Transaction, incoming: Incoming) -> bool:
    """Whether it is the desk's business: what people say among themselves is not, nor what programs do; they
    may speak to it where requesters do."""
    what, staff = incoming.what, str(incoming.where.space) in tx.rule(Catalogue).by_space
    apart = isinstance(what, Said) and not what.addressed and not staff
    program = incoming.sender.automatic and (staff or not isinstance(what, Said | Edited))
    return not (apart or program)
