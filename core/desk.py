"""The one door to the core: the database with the desk's rules, reactions and due timers."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Concatenate, ParamSpec, TypeVar

from core import joining, reactions
from core.database.engine import Database
from core.database.transaction import Transaction
from core.escalation.model import Policies
from core.kernel.ids import Address, Identity
from core.leases.model import ALONE
from core.oncall import duty
from core.oncall.model import OnCall
from core.outbox import actions as outbox
from core.people import actions as people
from core.people import store as people_store
from core.people.model import DESK, Actor, Members
from core.people.reach import Ways
from core.recounting import actions as recounting
from core.sla.model import Promises
from core.tickets import actions as tickets
from core.tickets import queries
from core.tickets.catalogue import Catalogue
from core.timers import actions as timers
from core.timers import store as timer_store
from core.timers.model import Timer

P = ParamSpec("P")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Rules:
    """Everything the configuration tells the core."""

    members: Members
    catalogue: Catalogue
    promises: Promises
    policies: Policies
    ways: Ways
    oncall: OnCall


class Desk:
    """The help desk without any messenger.

    `direct` names the conversation of an account with the desk alone; `me` is what this process is called
    among those that serve the database, ALONE where it is the only one."""

    def __init__(
        self,
        database: Database,
        rules: Rules,
        direct: Callable[[Identity], Address | None],
        me: str = ALONE,
    ) -> None:
        self.database = database
        self.me = me
        self._direct = direct
        self.rules_hold = asyncio.Lock()
        """Whoever has it can rely on every ticket's being counted by the rules of now."""
        self._obey(rules)
        database.react = reactions.react

    def _obey(self, rules: Rules) -> None:
        self.rules = rules
        self.database.rules = {
            Catalogue: rules.catalogue,
            Promises: rules.promises,
            Policies: rules.policies,
            Members: rules.members,
            Ways: rules.ways,
            OnCall: rules.oncall,
        }

    async def adopt(self, rules: Rules) -> None:
        """Other rules hold from now on, in the running process, for tickets under way too. Raises
        TemporaryError where what follows from them cannot be written now; `adopt` them again then."""
        async with self.rules_hold:
            self._obey(rules)
            await self.database.write(duty.arrange)
            await self.recount()

    async def open(self) -> None:
        """Give the configuration's people their roles, and take up what an earlier process left; what was
        somebody's who is not dead for long yet, is taken up by `core.replicas`.

        Tickets of a queue that the configuration has dropped go to its first queue, and what went to an
        account that it has taken from somebody goes to another one of theirs. Tickets under way follow the
        promises and policies of today."""
        await self.database.write(self._appoint)
        await self.database.write(lambda tx: outbox.give_back(tx, ALONE))
        await self.database.write(lambda tx: timers.give_back(tx, ALONE))
        await self.recount()
        await self.database.write(duty.arrange)

    async def recount(self) -> int:
        """Let tickets under way follow promises, calendars or policies that have changed since they were
        counted last. Returns how many are due at another time now."""
        return await recounting.recount(self.database)

    async def _appoint(self, tx: Transaction) -> None:
        taken = await people.appoint(tx, self.rules.members)
        await self._rescue(tx)
        for person_id, identity in taken:
            person = await people_store.get(tx, person_id)
            await joining.lost(tx, Actor(person, DESK.via), identity, self._direct)

    async def _rescue(self, tx: Transaction) -> None:
        queues = list(self.rules.catalogue.queues)
        for number in await queries.stranded(tx, queues):
            await tickets.requeue(tx, DESK, number, queues[0])

    async def run(
        self,
        action: Callable[Concatenate[Transaction, Actor, P], Awaitable[T]],
        actor: Actor,
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """Do one thing in one transaction of its own. Raises what the action raises."""
        return await self.database.write(lambda tx: action(tx, actor, *args, **kwargs))

    async def claim_timers(self, limit: int = 100) -> list[Timer]:
        """Due timers, leased to the caller. Codes that are over by now are ended on the way."""

        async def work(tx: Transaction) -> list[Timer]:
            await joining.end_codes(tx)
            return await timers.claim(tx, limit, self.me)

        return await self.database.write(work)

    async def fire(self, timer: Timer) -> bool:
        """Do what a claimed timer says, once: its removal and its effect are one transaction.

        False when it was cancelled or is in other hands by now."""

        async def work(tx: Transaction) -> bool:
            if not await timer_store.take(tx, timer):
                return False
            await reactions.TIMERS[timer.kind](tx, timer)
            return True

        return await self.database.write(work)
