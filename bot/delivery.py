"""Parcels out: worded as things stand, shown through the adapter, settled; paced, tried again, given up.

A parcel is claimed and worded in one transaction, sent outside any, and settled in another. What a crash
leaves in between is sent again with the same nonce.
"""

import asyncio
import logging
import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from typing import TypeVar

from bot import notices
from bot.adapters.degrade import answering
from bot.adapters.port import Adapter, Health, Posted, Reader
from bot.message import Message, Paragraph, Plain
from bot.metrics import Metrics
from bot.pace import Pace
from bot.replica import Replica
from core import reactions
from core.database.bells import wait
from core.database.transaction import Transaction, Work
from core.desk import Desk
from core.kernel.errors import NotOurs, PermanentError, TemporaryError
from core.kernel.ids import Address, Identity, PersonId
from core.outbox import actions as outbox
from core.outbox import quiet
from core.outbox import store as posts
from core.outbox.model import ANSWER, PING, Head, Parcel, Post, Shown
from core.people import reach
from core.people import store as people
from core.people.reach import Ways
from core.tickets import queries
from core.tickets import store as tickets
from core.tickets.catalogue import Catalogue

_log = logging.getLogger(__name__)
T = TypeVar("T")
AT_ONCE = 64
POLL = 1.0
SHUT = frozenset({"blocked", "forbidden", "gone"})
"""Why nothing gets through to one account, though another of the same person may be open."""
NOTHING = Message((Paragraph(Plain("…"), "quiet"),))
AT_ONCE_FOR = 4.0
"""Seconds for which nobody else can have a claimed parcel; whoever comes to it later asks first."""
THREADS = 3
"""A thread that is gone as soon as it was made is made anew so often at once."""
AWAY_PAUSE = timedelta(seconds=5)
"""How often something is tried while a messenger as a whole is in trouble."""


@dataclass(slots=True)
class Job:
    """A claimed parcel with everything its sending needs. Of what is to stand in a thread made for it,
    `before` may be that thread alone, without a message."""

    parcel: Parcel
    message: Message | None
    address: Address | None
    before: Post | None
    reader: Reader
    trouble: Exception | None = None
    claimed_at: float = field(default_factory=time.monotonic)

    anew: bool = field(init=False)
    """Whether nothing of it was known to stand anywhere when it was claimed."""

    def __post_init__(self) -> None:
        self.anew = self.before is None or not self.before.remote

    @property
    def nonce(self) -> str:
        return f"parcel-{self.parcel.id}"


class Delivery:
    """Takes parcels from the outbox and shows them; order holds within a lane."""

    def __init__(
        self,
        desk: Desk,
        adapters: Mapping[str, Adapter],
        *,
        language: str,
        time_zone: str,
        metrics: Metrics,
        pace: Pace | None = None,
        replica: Replica | None = None,
    ) -> None:
        self._replica = replica or Replica(desk.database)
        self._pace = pace or Pace()
        self._desk = desk
        self._adapters = adapters
        self._language = language
        self._time_zone = time_zone
        self._metrics = metrics
        self._busy: dict[str, asyncio.Task[None]] = {}
        self._heard = desk.database.bells.listen(outbox.BELL)
        self._replica.changed.append(self._heard.set)
        self._trouble = ""

    def health(self) -> Health:
        return Health(not self._trouble, self._trouble)

    async def run(self) -> None:
        """Deliver until cancelled; what is under way is finished by `drain`."""
        while True:
            try:
                await self._start_lanes()
                self._trouble = ""
            except TemporaryError as error:
                self._trouble = str(error)
            await wait(self._heard, at_most=self._pace.soonest(POLL))

    async def catch_up(self) -> None:
        """Deliver everything that is due now."""
        while await self._start_lanes():
            await self.drain()

    async def drain(self) -> None:
        """Wait for what is being sent right now."""
        await asyncio.gather(*self._busy.values(), return_exceptions=True)

    async def _start_lanes(self) -> int:
        room = AT_ONCE - len(self._busy)
        if room <= 0:
            return 0
        busy = frozenset(self._busy)
        if not self._replica.alone and not await self._desk.database.read(partial(self._any, busy=busy)):
            return 0
        jobs = await self._desk.database.write(lambda tx: self._prepare(tx, busy, room))
        for job in jobs:
            lane = job.parcel.taken_from
            task = asyncio.create_task(self._send(job))
            self._busy[lane] = task
            task.add_done_callback(partial(self._left, lane))
        return len(jobs)

    def _left(self, lane: str, task: asyncio.Task[None]) -> None:
        if not task.cancelled() and (error := task.exception()) is not None:
            _log.error("a delivery ended badly; its lease runs out", exc_info=error, extra={"lane": lane})
        del self._busy[lane]
        self._pace.arrived(lane)
        self._heard.set()

    async def _any(self, tx: Transaction, *, busy: frozenset[str]) -> bool:
        """Whether anything waits that is this process's share; looking costs the others nothing."""
        heads = await posts.heads(tx, busy, outbox.LOOKED_AT, self._desk.me)
        return any(head.ours or self._replica.owns(head.share) for head in heads)

    async def _prepare(self, tx: Transaction, busy: frozenset[str], limit: int) -> list[Job]:
        parcels = await outbox.claim(tx, busy, limit, self._may_go, self._desk.me)
        return [await self._job(tx, parcel) for parcel in parcels]

    async def _may_go(self, tx: Transaction, head: Head) -> bool:
        """Whether quiet hours and the pace of room and messenger let it go; a press is answered at once. One
        process sends all that goes to a room, so that its pace is kept."""
        if not head.ours and not self._replica.owns(head.share):
            return False
        if (until := await quiet.until(tx, head)) is not None:
            await posts.postpone(tx, head, until)
            return False
        to = Address.parse(head.room) if head.room else await self._direct(tx, head.person)
        adapter = self._adapters.get(to.platform) if to else None
        if to is None or adapter is None:
            return True
        room, urgent = str(to.space), head.urgency == ANSWER
        if head.lane.startswith("press:"):
            return not self._pace.held(room)
        overall = {to.platform: adapter.features.pace_overall * self._replica.living}
        if not self._pace.allows(overall, urgent=urgent):
            return False
        before = await posts.post_in(tx, room, head.slot) if head.slot is not None else None
        edit = before is not None and bool(before.remote)
        return self._pace.take({**overall, room: adapter.gap(to, edit=edit)}, head.lane, urgent=urgent)

    async def _job(self, tx: Transaction, parcel: Parcel) -> Job:
        reader = await self._reader(tx, parcel)
        try:
            async with tx.savepoint():
                before = await self._before(tx, parcel)
                address = Address.parse(before.address) if before else await self._address(tx, parcel)
                message = None if parcel.retract else await notices.compose(tx, parcel)
                if message is not None and address is not None:
                    message = self._answering(message, address)
        except Exception as error:  # noqa: BLE001 - one parcel that cannot be worded must not stop the others
            return Job(parcel, None, None, None, reader, error)
        return Job(parcel, message, address, before, reader)

    def _answering(self, message: Message, address: Address) -> Message:
        adapter = self._adapters.get(address.platform)
        return message if adapter is None else answering(message, str(address.space), adapter.features)

    async def _before(self, tx: Transaction, parcel: Parcel) -> Post | None:
        """Where it stands already. New words are for the accounts that its reader has now; it is taken back
        from any that they had."""
        if parcel.slot is None:
            return None
        if parcel.room is not None:
            return await posts.post_in(tx, parcel.room.partition("#")[0], parcel.slot)
        shown = await posts.posts_of_slot(tx, parcel.slot)
        if not parcel.retract:
            theirs = await self._rooms(tx, parcel.person)
            shown = [post for post in shown if post.address.partition("#")[0] in theirs]
        return shown[-1] if shown else None

    async def _address(self, tx: Transaction, parcel: Parcel) -> Address | None:
        if parcel.room is not None:
            space = Address.parse(parcel.room)
            card = await posts.post_in(tx, parcel.room, f"card:{parcel.ticket}") if parcel.thread else None
            there = Address(space.platform, space.room, card.thread or card.remote) if card else space
            return await self._in_thread(tx, parcel, there)
        tried, via = parcel.facts.get("tried", ()), parcel.facts.get("via")
        direct = await self._direct(tx, parcel.person, tried, via)
        return await self._in_thread(tx, parcel, direct) if direct is not None else None

    async def _in_thread(self, tx: Transaction, parcel: Parcel, place: Address) -> Address:
        """Where every request is a thread of its own, what its requester is told goes there. One that began
        elsewhere has the first thing that was told of it for a root."""
        adapter = self._adapters.get(place.platform)
        if adapter is None or not adapter.features.threads or place.thread or parcel.ticket is None:
            return place
        ticket = await tickets.get(tx, parcel.ticket)
        home = Address.parse(ticket.home)
        if parcel.facts.get("company"):
            return await self._shared_thread(tx, parcel, place)
        if parcel.kind == "ping" or parcel.person != ticket.requester:
            return place
        if home.space == place and home.thread is not None:
            return home
        if home.space != place and parcel.room is None:
            return place
        root = await posts.root_of(tx, str(place), parcel.ticket)
        return replace(place, thread=root.remote) if root is not None else place

    async def _shared_thread(self, tx: Transaction, parcel: Parcel, place: Address) -> Address:
        """Where a colleague reads of the ticket: below the first that was told of it, or of their own request
        that was merged into it."""
        assert parcel.ticket is not None
        if (first := await posts.first_of(tx, str(place), parcel.ticket)) is not None:
            return replace(place, thread=Address.parse(first.address).thread or first.remote)
        for number in await queries.absorbed(tx, parcel.ticket):
            own = await tickets.get(tx, number)
            home = Address.parse(own.home)
            if own.requester == parcel.person and home.space == place and home.thread is not None:
                return home
        return place

    async def _direct(
        self, tx: Transaction, person: PersonId | None, tried: Collection[str] = (), via: str | None = None
    ) -> Address | None:
        """Where this person reads alone and wants to be reached now, of what was not `tried` in vain; where
        they have an account in the messenger `via`, there first."""
        accounts = await _accounts(tx, person) if person is not None else []
        for identity in sorted(accounts, key=lambda each: each.platform != via):
            adapter = self._adapters.get(identity.platform)
            direct = adapter.direct(identity) if adapter is not None else None
            if direct is not None and str(direct) not in tried:
                return direct
        return None

    async def _rooms(self, tx: Transaction, person: PersonId | None) -> set[str]:
        """Every conversation of this person with the desk alone."""
        accounts = await _accounts(tx, person) if person is not None else []
        rooms = {identity: self._adapters.get(identity.platform) for identity in accounts}
        return {str(adapter.direct(each)) for each, adapter in rooms.items() if adapter is not None}

    async def _reader(self, tx: Transaction, parcel: Parcel) -> Reader:
        only = Identity.parse(parcel.only) if parcel.only else None
        press = parcel.facts.get("press")
        if parcel.person is not None:
            return Reader((await people.get(tx, parcel.person)).language, self._time_zone, only, press)
        rules = tx.rule(Catalogue)
        queues = rules.by_space.get(parcel.room or "", ())
        language = rules.queues[queues[0]].language if queues else self._language
        return Reader(language, self._time_zone, only, press)

    # ---- sending

    async def _send(self, job: Job) -> None:
        parcel = job.parcel
        try:
            if time.monotonic() - job.claimed_at > AT_ONCE_FOR and not await self._held(parcel):
                return  # this process was frozen, and another one sends it
            if job.trouble is not None:
                raise job.trouble
            if job.message is None and not (parcel.retract and job.before):
                await self._take_away(job)
                await self._note(lambda tx: outbox.drop(tx, parcel))
                return
            await self._show(job)
        except TemporaryError as error:
            await self._retry(job, str(error), error.delay, unknown=error.unknown)
        except PermanentError as error:
            await self._give_up(job, str(error), error.code)
        except Exception as error:  # noqa: BLE001 - an adapter's fault concerns this parcel alone
            _log.error("a parcel could not be delivered", exc_info=error, extra={"parcel": parcel.id})
            await self._retry(job, f"{type(error).__name__}: {error}", None, unknown=True)

    async def _held(self, parcel: Parcel) -> bool:
        return await self._desk.database.read(lambda tx: outbox.is_held(tx, parcel))

    async def _take_away(self, job: Job) -> None:
        """Nobody is to read it any more, yet it may stand there, for an earlier try had no answer."""
        address, parcel = job.address, job.parcel
        adapter = self._adapters.get(address.platform) if address else None
        found = parcel.uncertain and not parcel.retract and job.before is None
        if found and address is not None and adapter is not None and adapter.features.finds:
            shown = await adapter.post(address, NOTHING, job.reader, job.nonce, again=True)
            await adapter.delete(address, shown)

    async def _show(self, job: Job) -> None:
        address, parcel = job.address, job.parcel
        adapter = self._adapters.get(address.platform) if address else None
        if address is None or adapter is None:
            raise PermanentError("no connected messenger reaches them", code="unreachable")
        before = _posted(job.before) if job.before and job.before.remote else None
        if parcel.retract and job.before is not None:
            if before is not None:
                await adapter.delete(address, before)
            await self._note(lambda tx: outbox.retracted(tx, parcel, job.before))
            return
        assert job.message is not None
        if before is not None:
            shown = await self._edit(adapter, job, address, before)
            if shown is None:
                await self._note(lambda tx: outbox.drop(tx, parcel))
                return
        else:
            shown = await self._post(adapter, job, address)
        self._arrived(adapter, job, address.space, shown)
        await self._note(lambda tx: _settle(tx, job, address, shown))
        self._metrics.sent(address.platform)

    def _arrived(self, adapter: Adapter, job: Job, room: Address, shown: Posted) -> None:
        """It took one turn when it was claimed; what is shown as several messages has used up as many."""
        more = len(shown.parts) - len(job.before.parts if job.before else ())
        overall = adapter.features.pace_overall * self._replica.living
        gaps = {room.platform: overall, str(room): adapter.gap(room)}
        self._pace.arrived(job.parcel.taken_from, gaps, more=more)

    async def _edit(self, adapter: Adapter, job: Job, address: Address, before: Posted) -> Posted | None:
        """Bring it up to date. A card that somebody deleted is shown anew, and so is what took its place to
        ask something; nothing else is worth that."""
        assert job.message is not None
        try:
            return await adapter.edit(address, before, job.message, job.reader)
        except PermanentError as error:
            if error.code != "gone":
                raise
            _log.info("a message to be edited is gone: %s", error, extra={"parcel": job.parcel.id})
        asks = job.parcel.kind == "message" and bool(job.message.rows)
        if job.parcel.kind != "card" and not asks:
            return None
        return await self._post(adapter, job, address)

    async def _post(self, adapter: Adapter, job: Job, address: Address) -> Posted:
        """Show it anew, in the thread that it has. One that is made for it is written down before anything
        stands there: whoever finds it finds it known. Raises NotOurs where other hands show it by now."""
        assert job.message is not None
        thread = job.before.thread if job.before else None
        for _ in range(THREADS):
            there = replace(address, thread=thread or address.thread)
            again = job.parcel.uncertain
            shown = await adapter.post(there, job.message, job.reader, job.nonce, again=again)
            if shown.message or shown.thread is None:
                return shown
            thread = shown.thread
            job.before = await self._begin(job, address, thread)
        raise TemporaryError("the thread that was made for it is gone")

    async def _begin(self, job: Job, address: Address, thread: str) -> Post:
        """Write down that this thread is the parcel's."""
        made, before = Shown(str(address), "", (), thread), job.before
        begun = await self._note(lambda tx: outbox.begin_thread(tx, job.parcel, made, before))
        if begun is None:
            raise NotOurs("another process shows it by now")
        return begun

    async def _note(self, work: Work[T]) -> T:
        """Write down what has happened. That is so whether the database takes it now or later: a parcel
        that was shown must not be shown again because the disk was full for a while."""
        while True:
            try:
                return await self._desk.database.write(work)
            except TemporaryError as error:
                self._trouble = str(error)
                await asyncio.sleep(POLL)

    async def _retry(self, job: Job, error: str, delay: timedelta | None, *, unknown: bool) -> None:
        away = delay is None and self._away(job)
        pause = AWAY_PAUSE if away else delay

        async def note(tx: Transaction) -> None:
            if not await outbox.is_held(tx, job.parcel):
                return
            if job.parcel.kind == PING and await self._went_elsewhere(tx, job, error, unknown=unknown):
                return
            if await outbox.retry(tx, job.parcel, error, delay=pause, unknown=unknown, free=away):
                await reactions.undeliverable(tx, job.parcel, "unreachable")
                self._metrics.parked("outbox")

        if pause is not None and job.address is not None:
            self._pace.hold(job.address.platform if away else str(job.address.space), pause)
        await self._note(note)
        self._metrics.retried(job.address.platform if job.address else "none")

    def _away(self, job: Job) -> bool:
        """Whether the whole messenger is in trouble: then it is not the parcel's fault."""
        adapter = self._adapters.get(job.address.platform) if job.address else None
        return adapter is not None and bool(adapter.health().detail)

    async def _give_up(self, job: Job, error: str, code: str) -> None:
        async def note(tx: Transaction) -> bool:
            if await self._tried_elsewhere(tx, job, error, code):
                return False
            if await outbox.give_up(tx, job.parcel, error):
                await reactions.undeliverable(tx, job.parcel, code)
            return True

        if await self._note(note):
            self._metrics.parked("outbox")

    async def _went_elsewhere(self, tx: Transaction, job: Job, error: str, *, unknown: bool) -> bool:
        """A ping that does not get through goes to another messenger of the same person; where they have
        none, it waits, and the next person is asked meanwhile."""
        if not await reactions.is_stuck(tx, job.parcel):
            return False
        sure = not unknown and not job.parcel.uncertain
        if sure and await self._tried_elsewhere(tx, job, error, next(iter(SHUT))):
            return True
        await reactions.ask_others(tx, job.parcel)
        return False

    async def _tried_elsewhere(self, tx: Transaction, job: Job, error: str, code: str) -> bool:
        """What is for a person, wherever they read, goes to their next account where this one is shut."""
        parcel, address = job.parcel, job.address
        if code not in SHUT or parcel.room is not None or job.before is not None or address is None:
            return False
        tried = [*parcel.facts.get("tried", ()), str(address.space)]
        if await self._direct(tx, parcel.person, tried) is None:
            return False
        return await outbox.try_elsewhere(tx, parcel, tried, error)


async def _accounts(tx: Transaction, person: PersonId) -> list[Identity]:
    """The person's accounts in the order in which they want to be reached."""
    reader = await people.get(tx, person)
    accounts = await people.accounts_of(tx, reader.id)
    return reach.order(reader.reach, accounts, tx.rule(Ways).local(tx.now))


def _posted(post: Post) -> Posted:
    return Posted(post.remote, post.parts, post.thread)


async def _settle(tx: Transaction, job: Job, address: Address, shown: Posted) -> None:
    where = Shown(str(address), shown.message, shown.parts, shown.thread)
    settled = await outbox.settle(tx, job.parcel, where, job.before)
    if settled:
        await reactions.delivered(tx, job.parcel)
    if settled and job.anew:
        await reactions.arrived(tx, job.parcel)
    if settled and job.parcel.uncertain and job.anew and shown.message:
        await outbox.show_again(tx, job.parcel)
