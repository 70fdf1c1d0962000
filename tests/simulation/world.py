"""The world of one episode: a database, messengers, people, replicas, and a seed that decides everything."""

import hashlib
import logging
import tempfile
from collections import Counter, deque
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from pathlib import Path
from random import Random
from typing import Any

from sqlalchemy import func, select

from bot import config
from bot.adapters.port import Reader
from bot.message import Message
from core.database.transaction import Transaction, Work
from core.kernel.ids import Address
from core.tickets.store import tickets
from tests.simulation.chance import decided
from tests.simulation.database import Server
from tests.simulation.loop import Loop
from tests.simulation.people import PATIENCE, Event, Lane, Person
from tests.simulation.platforms import FEATURES, SPACES, Call, Platform, nonces
from tests.simulation.replica import Replica

BEGIN = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
TOML = """
[desk]
time_zone = "UTC"
close_after = "10m"
reopen_for = "1h"
rating_every = "0s"
[[people]]
name = "Ivan"
identities = ["telegram:101"]
[[people]]
name = "Olga"
identities = ["slack:T0/U1"]
[[people]]
name = "Petr"
identities = ["web:petr"]
[[people]]
name = "Lena"
identities = ["web:lena"]
[[people]]
name = "Anna"
identities = ["slack:T0/U7"]
roles = ["agent"]
[[people]]
name = "Boris"
identities = ["telegram:201"]
roles = ["agent"]
[[people]]
name = "Maria"
identities = ["web:maria"]
roles = ["lead", "admin"]
[[queues]]
name = "support"
title = "Support"
spaces = SPACES
[[request_types]]
name = "network"
title = "Network"
keywords = ["vpn"]
[[request_types]]
name = "other"
title = "Other"
[[request_types.questions]]
name = "where"
text = "Where is it?"
[[escalations]]
name = "urgent"
priorities = ["critical", "high"]
steps = [
  { after = "15s", of = "unclaimed", whom = "agents", repeat = "10s", times = 3 },
  { after = "40s", of = "unclaimed", whom = "lead" },
  { after = "60s", of = "unanswered", whom = "owner", repeat = "30s", times = 2 },
  { after = "20m", of = "unresolved", whom = "space" },
]
[[escalations]]
name = "usual"
priorities = ["normal"]
steps = [
  { after = "3m", of = "unclaimed", whom = "agents" },
  { after = "5m", of = "unanswered", whom = "Maria" },
]
"""
ASKING = (
    ("ivan", "telegram", "101", True),
    ("olga", "slack", "T0/U1", True),
    ("petr", "web", "petr", True),
    ("lena", "web", "lena", False),
)
STAFF = (("anna", "slack", "T0/U7"), ("boris", "telegram", "201"), ("maria", "web", "maria"))
REMEMBERED = 400
AT_ONCE = 1.0
"""Seconds within which what was worded is on its way."""


STATES = {
    "inbox": "{0}.state || CASE WHEN {0}.state = 'new' AND {0}.holder IS NOT NULL THEN ' held' ELSE '' END",
    "outbox": "{0}.state",
    "timers": "CASE WHEN {0}.lease_until IS NULL THEN 'waits' ELSE 'claimed' END",
    "leases": "CASE WHEN {0}.holder IS NULL THEN 'free' ELSE 'held' END",
    "replicas": "'lives'",
}
"""What a row's state is called, in SQL. A lease that its holder takes again is renewed."""
CHOSEN = (("web",), ("telegram",), ("slack",), ("web", "slack"), ("telegram", "slack"), ("web", "telegram"))
"""Which messengers have a space for staff."""


@cache
def _settings(chosen: tuple[str, ...]) -> config.Settings:
    spaces = str([f"{name}:{SPACES[name]}" for name in chosen])
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "config.toml"
        file.write_text(TOML.replace("SPACES", spaces), encoding="utf-8")
        return config.load(file, {"DESKBRIDGE_DATABASE__URL": f"sqlite+aiosqlite:///{folder}/desk.db"})


class Alarms(logging.Handler):
    """Everything the desk calls an error of its own, but for what the messengers tell in vain."""

    def __init__(self, heard: Any) -> None:
        super().__init__(logging.ERROR)
        self._heard = heard

    def emit(self, record: logging.LogRecord) -> None:
        unreadable = record.exc_info is not None and record.exc_info[0] is KeyError
        if unreadable and record.msg == "an event could not be handled":
            return
        self._heard(logging.Formatter().format(record))


class World:
    """Everything there is in one episode. Its `now` is every machine's clock."""

    def __init__(self, seed: int, replicas: int) -> None:
        self.seed, self.replicas = seed, replicas
        self.chance = Random(seed)
        self.loop = Loop(Random(seed + 1))
        self.spaces = self.chance.choice(CHOSEN)
        self.settings = _settings(self.spaces)
        self.counts: Counter[str] = Counter()
        self.wrong: list[str] = []
        self.trace: deque[str] = deque(maxlen=REMEMBERED)
        self._hash = hashlib.blake2b(digest_size=8)
        self._shift = timedelta(0)
        self.server = Server(self.loop, Random(seed + 2), self.note)
        self._watch_states()
        self.platforms = {name: Platform(name, self) for name in FEATURES}
        self.lanes: dict[str, Lane] = {}
        self.past: list[tuple[Platform, Event]] = []
        self.authors: dict[str, Person] = {}
        self.taken: dict[str, bool] = {}
        """Every nonce that was told to the desk, and whether the desk has said that it has it."""
        self.secrets: set[str] = set()
        self.instead: dict[str, str] = {}
        """What was said, and by which later words it was replaced."""
        self.answered: dict[int, float] = {}
        """When what was asked of staff was answered, by ping."""
        self.born = 0
        self.crew: list[Replica] = []
        self.graves: list[Replica] = []
        self.people = {
            name: Person(self, name, self.platforms[platform], account, careful=careful)
            for name, platform, account, careful in ASKING
        }
        for name, platform, account in STAFF:
            self.people[name] = Person(self, name, self.platforms[platform], account, staff=True)
        self.alarms = Alarms(self.fail)
        logging.getLogger("bot").addHandler(self.alarms)
        self._decided = decided(seed, self.loop.time)
        self._decided.__enter__()
        for _ in range(replicas):
            self.bear()

    def now(self) -> datetime:
        return BEGIN + timedelta(seconds=self.loop.time()) + self._shift

    def set_clock(self, by: timedelta) -> None:
        self._shift += by

    # ---- what is remembered

    def note(self, what: str, *told: object) -> None:
        self.counts[what] += 1
        line = f"{self.loop.time():.4f} {what} {' '.join(map(str, told))}"
        self._hash.update(line.encode())
        self.trace.append(line)

    @property
    def hash(self) -> str:
        return self._hash.hexdigest()

    def fail(self, what: str) -> None:
        self.wrong.append(what)

    def _watch_states(self) -> None:
        """Let the database tell of every change of state."""
        raw, counts = self.server.raw, self.counts

        def changed(table: str, before: str | None, after: str | None) -> None:
            counts[f"{table}: {before} → {after}"] += 1

        raw.create_function("changed", 3, changed)
        for table, state in STATES.items():
            old, new = state.format("OLD"), state.format("NEW")
            if table == "leases":
                new = f"CASE WHEN NEW.holder = OLD.holder THEN 'renewed' ELSE {new} END"
            for event, before, after in (
                ("INSERT", "'-'", state.format("NEW")),
                ("UPDATE", old, new),
                ("DELETE", old, "'-'"),
            ):
                name = f"watch_{table}_{event}"
                raw.execute(
                    f"CREATE TEMP TRIGGER {name} AFTER {event} ON main.{table}"
                    f" BEGIN SELECT changed('{table}', {before}, {after}); END"
                )
        raw.create_function("answered", 1, lambda ping: self.answered.update({ping: self.loop.time()}))
        raw.execute(
            "CREATE TEMP TRIGGER watch_answers AFTER UPDATE OF answer ON main.pings"
            " WHEN NEW.answer IS NOT NULL AND NEW.answer IS NOT OLD.answer BEGIN SELECT answered(NEW.id); END"
        )

    # ---- words

    def word(self, author: Person, *, secret: bool = False) -> str:
        nonce = f"n{len(self.authors)}x"
        self.authors[nonce] = author
        if secret:
            self.secrets.add(nonce)
        return nonce

    def replaced(self, old: str, new: str) -> None:
        self.instead[old] = new

    def overheard(self, platform: Platform, to: Address, reader: Reader, message: Message) -> None:
        """Something is shown to somebody: no note to who asked."""
        if not self.secrets:
            return
        ears = {reader.only.account} if reader.only is not None else set()
        for name, *_ in ASKING:
            person = self.people[name]
            if person.platform is platform and (to.room == person.direct or person.account in ears):
                leaked = self.secrets.intersection(nonces(message))
                if leaked:
                    self.fail(f"the note {leaked} was shown to {name}")

    def asked(self, call: Call) -> None:
        """A question to staff is put up: it must not have been answered before it was sent. Who is stopped
        in between cannot know."""
        if call.process.woke >= call.began or not call.process.alive:
            return
        answers = self._of_parcel(call.nonce)
        open_still = [
            ping
            for ping, answered in answers
            if answered is None or answered > call.began - AT_ONCE or answered < call.process.woke
        ]
        if answers and not open_still:
            late = ", ".join(
                f"{ping}, answered {call.began - (at or 0):.1f} s before" for ping, at in answers
            )
            self.fail(f"{call.nonce} asks though nobody need answer any more: ping {late}")

    def _of_parcel(self, nonce: str) -> list[tuple[int, float | None]]:
        """The pings that it asks, each with when it was answered, None where it still is not.

        Who is called by name is asked because the question was undelivered.
        """
        found = self.server.raw.execute(
            "WITH told AS ("
            "SELECT *, json_extract(facts, '$.call') IS NOT NULL AS called FROM outbox WHERE id = ?)"
            " SELECT pings.id, pings.answer IS NOT NULL AND NOT (pings.answer = 'undelivered' AND called)"
            " FROM told JOIN pings ON coalesce(pings.together, pings.id) = json_extract(told.facts, '$.ping')"
            " WHERE told.kind = 'ping' AND (pings.ticket_id = told.ticket_id OR NOT called)",
            (int(nonce.rpartition("-")[2]),),
        )
        return [(each[0], self.answered.get(each[0]) if each[1] else None) for each in found]

    # ---- from the platforms to the desk

    def tell(self, platform: Platform, event: Event) -> None:
        if event.nonce is not None:
            self.taken[event.nonce] = False
        lane = self.lanes.setdefault(f"{platform.name}/{event.raw.lane}", Lane(platform))
        lane.events.append(event)
        if len(lane.events) == 1:
            self.loop.outside(self.chance.expovariate(20), self._tell_next, lane)

    def _tell_next(self, lane: Lane) -> None:
        if not lane.events:
            return
        event = lane.events[0]
        lane.told += 1
        event.tries += 1
        ears = [replica for replica in self.crew if replica.hears]
        if any(replica.process.stopped for replica in self.crew) and self.chance.random() < 0.3:
            ears += [replica for replica in self.crew if replica.open and replica.process.alive]
        if ears and not lane.platform.away:
            events = [event.raw]
            if self.past and self.chance.random() < 0.05:
                other, past = self.chance.choice(self.past)
                if other is lane.platform:
                    events.insert(0, past.raw)
                    self.note("told_again", past.raw.key)
            done = partial(self._told, lane, lane.told)
            self.chance.choice(ears).hear(lane.platform.name, events, done)
            self.loop.outside(PATIENCE, self._told, lane, lane.told, False)
        else:
            self.loop.outside(1.0, self._told, lane, lane.told, False)

    def _told(self, lane: Lane, telling: int, well: bool) -> None:
        if telling != lane.told or not lane.events:
            return
        if well and self.chance.random() < 0.02:
            self.note("answer_lost")
            well = False
        if well:
            event = lane.events.popleft()
            event.acknowledged = True
            self.past.append((lane.platform, event))
            if event.nonce is not None:
                self.taken[event.nonce] = True
        if lane.events:
            lane.told += 1
            self.loop.outside(self.chance.uniform(0.01, 0.2) if well else 1.0, self._tell_next, lane)

    # ---- processes

    def bear(self) -> Replica:
        self.born += 1
        replica = Replica(self, f"r{self.born}")
        self.crew.append(replica)
        self.note("born", replica.name)
        return replica

    def bury_the_dead(self) -> None:
        for replica in [each for each in self.crew if not each.process.alive]:
            self.crew.remove(replica)
            self.server.fronts.remove(replica.front)
            self.graves.append(replica)

    # ---- looking

    def look(self, work: Work[Any]) -> Any:
        rules = next(each.front.rules for each in reversed([*self.graves, *self.crew]))
        return self.server.look(work, self.now(), rules)

    def space(self, platform: Platform) -> str:
        return SPACES[platform.name]

    def some_ticket(self) -> int:
        async def newest(tx: Transaction) -> int:
            return await tx.scalar(_NEWEST) or 1

        last = self.look(newest)
        return max(1, last - min(self.chance.randrange(4), self.chance.randrange(12)))

    def idle(self) -> bool:
        """Whether every platform has told all that it had to."""
        return not any(lane.events for lane in self.lanes.values())

    def close(self) -> None:
        logging.getLogger("bot").removeHandler(self.alarms)
        for replica in [*self.crew, *self.graves]:
            replica.process.kill()
            replica.process.bury()
        self.loop.close()
        self.server.close()

    def __enter__(self) -> "World":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
        self._decided.__exit__(None, None, None)


_NEWEST = select(func.max(tickets.c.id))
