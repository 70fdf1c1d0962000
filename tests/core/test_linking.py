"""Two accounts become one person by a code alone; a model that knows nothing of tables says when."""

import asyncio
import contextlib
import sqlite3
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.dialects import sqlite

from core import joining
from core.database.transaction import Transaction
from core.kernel.errors import UserError
from core.kernel.ids import Address, Identity, PersonId
from core.outbox import actions as outbox
from core.outbox import store as outbox_store
from core.outbox.model import Parcel
from core.people import actions as people_actions
from core.people import linking
from core.people import store as people
from core.people.model import Actor, Member, Members, Person, Role
from core.tickets import actions as tickets
from core.tickets import store as ticket_store
from core.tickets.catalogue import Priority
from core.tickets.model import fold
from tests import databases
from tests.town import Town
from tests.town import town as opened

TOML = """
[[people]]
name = "Anna"
identities = ["slack:T/anna"]
roles = ["agent"]
[[people]]
name = "Ivan"
identities = ["web:ivan"]
[[people]]
name = "Maria"
identities = ["web:maria"]
roles = ["admin"]
[[queues]]
name = "support"
title = "Support"
spaces = ["web:support"]
[[request_types]]
name = "other"
title = "Other"
"""
ANNA, IVAN, MARIA = (Identity.parse(each) for each in ("slack:T/anna", "web:ivan", "web:maria"))
STRANGERS = tuple(Identity.parse(each) for each in ("telegram:1", "telegram:2", "slack:T/U3", "web:guest"))
ACCOUNTS = (*STRANGERS, ANNA, IVAN, MARIA)
NAMED = (ANNA, IVAN, MARIA)
WRONG = "link.wrong"
JOINED = "joined"


def direct(identity: Identity) -> Address:
    return Address(identity.platform, identity.account)


async def actor(tx: Transaction, account: Identity) -> Actor:
    person = await people_actions.meet(tx, account, name=str(account), language="en")
    return Actor(person, account.platform)


async def make(tx: Transaction, account: Identity) -> str:
    """A code for this account, as its owner reads it."""
    who = await actor(tx, account)
    assert who.person is not None
    made = await linking.make(tx, who.person, account, str(direct(account)))
    said = await linking.word(tx, account, made.hash)
    assert said is not None
    return said


async def write(tx: Transaction, account: Identity, code: str) -> str:
    """What comes of a code that this account writes."""
    who = await actor(tx, account)
    found = await linking.redeem(tx, account, linking.hashed(code))
    if found is None:
        return WRONG
    await joining.join(tx, who, account, found, lambda identity: identity.platform == "web")
    return JOINED


async def owner(tx: Transaction, account: Identity) -> PersonId | None:
    person = await people.by_identity(tx, account)
    return person.id if person is not None else None


# ---- every path, against a model


@dataclass
class Made:
    """A code as the model knows it."""

    account: Identity
    word: str
    over_at: datetime
    good: bool = True


@dataclass
class Model:
    """Which accounts are one person's, and which codes are good."""

    owners: dict[Identity, int] = field(default_factory=dict)
    codes: list[Made] = field(default_factory=list)
    wrong: dict[Identity, list[datetime]] = field(default_factory=dict)

    def accounts(self, person: int) -> set[Identity]:
        return {account for account, whose in self.owners.items() if whose == person}

    def make(self, account: Identity, word: str, now: datetime) -> None:
        for each in self.codes:
            each.good &= each.account != account
        self.codes.append(Made(account, word, now + timedelta(minutes=10)))

    def refused(self, account: Identity) -> str:
        return "link.admin" if MARIA in self.accounts(self.owners[account]) else ""

    def write(self, account: Identity, word: str, now: datetime) -> str:
        if self._locked(account, now):
            return "link.locked"
        meant = [each for each in self.codes if each.word == word and each.good and now < each.over_at]
        if not meant:
            self.wrong.setdefault(account, []).append(now)
            return WRONG
        one, other = self.owners[meant[0].account], self.owners[account]
        if one == other:
            return "link.own" if meant[0].account == account else "link.joined_already"
        named = [any(each in NAMED for each in self.accounts(person)) for person in (one, other)]
        if MARIA in self.accounts(one) | self.accounts(other):
            return "link.admin"
        if all(named):
            return "link.both_named"
        meant[0].good = False
        stays = one if named[0] else other if named[1] else min(one, other)
        for each in self.accounts(one) | self.accounts(other):
            self.owners[each] = stays
        return JOINED

    def _locked(self, account: Identity, now: datetime) -> bool:
        times = self.wrong.get(account, [])
        return any(
            times[at] - times[at - 4] <= timedelta(minutes=10) and now < times[at] + timedelta(hours=1)
            for at in range(4, len(times))
        )

    def part(self, account: Identity) -> str:
        if account in NAMED:
            return "unlink.configured"
        if len(self.accounts(self.owners[account])) == 1:
            return "unlink.last"
        for each in self.codes:
            each.good &= each.account != account
        del self.owners[account]
        return "parted"


accounts = st.sampled_from(ACCOUNTS)
strangers = st.sampled_from(STRANGERS)
steps = st.one_of(
    st.tuples(st.just("make"), accounts),
    st.tuples(st.just("write"), accounts, st.integers(0, 3)),
    st.tuples(st.just("write"), strangers, st.integers(0, 3)),
    st.tuples(st.just("guess"), strangers, st.text(linking.ALPHABET, min_size=1, max_size=9)),
    st.tuples(st.just("part"), strangers, strangers),
    st.tuples(st.just("report"), accounts),
    st.tuples(st.just("wait"), st.sampled_from((1, 70, 301, 599, 3600))),
    st.tuples(st.just("start")),
)


class Scene:
    """A desk and the model of it, side by side."""

    def __init__(self, town: Town) -> None:
        self.town = town
        self.model = Model()
        self.reported: list[tuple[int, Identity, PersonId]] = []

    async def do(self, *step: object) -> None:
        match step:
            case ["make", Identity() as account]:
                await self._make(account)
            case ["write", Identity() as account, int(back)]:
                if self.model.codes:
                    await self._write(account, self.model.codes[-1 - back % len(self.model.codes)].word)
            case ["guess", Identity() as account, str(word)]:
                await self._write(account, word)
            case ["part", Identity() as account, Identity() as by]:
                await self._part(account, by)
            case ["report", Identity() as account]:
                await self._report(account)
            case ["wait", int(seconds)]:
                self.town.clock.advance(timedelta(seconds=seconds))
            case ["start"]:
                await self.town.house.desk.open()
        await self._agree()

    async def _meet(self, account: Identity) -> None:
        person = (await self.town.database.write(partial(actor, account=account))).person
        assert person is not None
        self.model.owners.setdefault(account, person.id)

    async def _make(self, account: Identity) -> None:
        await self._meet(account)
        found = await outcome(self.town, partial(make, account=account))
        if (refused := self.model.refused(account)) or "." in found:
            assert found == refused
            return
        self.model.make(account, found, self.town.clock.now())

    async def _write(self, account: Identity, word: str) -> None:
        await self._meet(account)
        found = await outcome(self.town, partial(write, account=account, code=word))
        assert found == self.model.write(account, word, self.town.clock.now())

    async def _part(self, account: Identity, by: Identity) -> None:
        await self._meet(account)
        await self._meet(by)

        async def work(tx: Transaction) -> str:
            await joining.part(tx, await actor(tx, by), account, direct)
            return "parted"

        theirs = self.model.owners[account] == self.model.owners[by]
        assert await outcome(self.town, work) == (self.model.part(account) if theirs else "press.over")

    async def _report(self, account: Identity) -> None:
        async def work(tx: Transaction) -> tuple[int, Identity, PersonId]:
            who = await actor(tx, account)
            ticket = await tickets.open_ticket(
                tx, who, type_name="other", text="x", priority=Priority.LOW, home=str(direct(account))
            )
            return ticket.id, account, ticket.requester

        await self._meet(account)
        self.reported.append(await self.town.database.write(work))

    async def _agree(self) -> None:
        """Accounts are those of whom the model says, and tickets of whoever has their person's accounts."""

        async def look(tx: Transaction) -> None:
            found = {each: whose for each in ACCOUNTS if (whose := await owner(tx, each)) is not None}
            for account, person in self.model.owners.items():
                assert found[account] == person
            for account in set(found) - set(self.model.owners):
                assert account in NAMED
            for number, _, _ in self.reported:
                timeline = await ticket_store.timeline(tx, number)  # type: ignore[arg-type]
                ticket = await ticket_store.get(tx, number)  # type: ignore[arg-type]
                assert fold(timeline) == ticket
                assert await people.identities_of(tx, ticket.requester)
                [home] = [each for each in ACCOUNTS if str(direct(each)) == ticket.home]
                assert found[home] == ticket.requester

        await self.town.database.read(look)


async def outcome(town: Town, work: Callable[[Transaction], object]) -> str:
    try:
        return await town.database.write(work)  # type: ignore[arg-type]
    except UserError as error:
        return error.key


@settings(max_examples=30, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(steps, min_size=10, max_size=40))
def test_nothing_joins_two_people_but_a_code_of_the_one_that_the_other_writes(
    story: Sequence[tuple[object, ...]],
) -> None:
    async def play() -> None:
        with tempfile.TemporaryDirectory() as folder:
            async with opened(Path(folder), TOML) as town:
                scene = Scene(town)
                for step in story:
                    await scene.do(*step)

    asyncio.run(play())


# ---- what the model does not say


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Town]:
    async with opened(tmp_path, TOML) as town:
        yield town


@pytest.mark.parametrize("turn", range(20))
async def test_of_two_who_write_a_code_at_once_one_is_joined(desk: Town, turn: int) -> None:
    giver, *others = STRANGERS[:3]
    code = await desk.database.write(partial(make, account=giver))
    both = others if turn % 2 else others[::-1]
    found = await asyncio.gather(*(desk.database.write(partial(write, account=b, code=code)) for b in both))
    assert sorted(found) == [JOINED, WRONG]


async def test_a_locked_account_makes_nobody_elses_guess_count(desk: Town) -> None:
    giver, thief, other, _ = STRANGERS
    code = await desk.database.write(partial(make, account=giver))
    for n in range(50):
        await outcome(desk, partial(write, account=thief, code=f"AAAAAA{n:02}"))
    assert await outcome(desk, partial(write, account=thief, code=code)) == "link.locked"
    assert await outcome(desk, partial(write, account=other, code=code)) == JOINED
    assert len(await desk.database.read(lambda tx: people.guesses(tx, thief, 99))) == 5


def test_whom_the_configuration_names_stays_and_no_admin_is_joined_either_way() -> None:
    stranger = Person(PersonId(1), "S", "en", frozenset({Role.REQUESTER}))
    agent = Person(PersonId(2), "A", "en", frozenset({Role.AGENT}), rank=1)
    admin = Person(PersonId(3), "M", "en", frozenset({Role.ADMIN}), rank=2)
    younger = replace(stranger, id=PersonId(4))
    assert linking.who_stays(stranger, agent) == linking.who_stays(agent, stranger) == (agent, stranger)
    assert linking.who_stays(younger, stranger) == linking.who_stays(stranger, younger) == (stranger, younger)
    for pair in ((stranger, admin), (admin, stranger), (agent, admin), (admin, agent)):
        with pytest.raises(UserError, match=r"link\.admin"):
            linking.who_stays(*pair)


async def test_the_code_of_an_account_that_was_parted_with_is_good_no_more(desk: Town) -> None:
    phone, laptop, other, _ = STRANGERS
    await joined(desk, phone, laptop)
    code = await desk.database.write(partial(make, account=laptop))
    await parted(desk, phone, laptop)
    assert await outcome(desk, partial(write, account=other, code=code)) == WRONG


async def test_what_waits_for_a_person_follows_them_and_never_goes_where_they_are_no_more(desk: Town) -> None:
    phone, laptop, *_ = STRANGERS

    async def put(tx: Transaction) -> None:
        who = (await actor(tx, laptop)).person
        assert who is not None
        await outbox.put(tx, Parcel("told_parked", room=str(direct(laptop)), person=who.id))
        await outbox.put(tx, Parcel("told_parked", person=who.id))

    async def waiting(tx: Transaction) -> list[tuple[str | None, int | None]]:
        table = outbox_store.outbox
        told = select(table).where(table.c.kind == "told_parked").order_by(table.c.id)
        rows = await tx.all(told)
        return [(row.room, row.person_id) for row in rows]

    await desk.database.write(partial(actor, account=phone))
    await desk.database.write(put)
    await joined(desk, phone, laptop)
    person = await desk.database.read(partial(owner, account=phone))
    assert await desk.database.read(waiting) == [(str(direct(laptop)), person), (None, person)]
    await parted(desk, phone, laptop)
    assert await desk.database.read(waiting) == [(str(direct(phone)), person), (None, person)]


async def test_a_visitor_without_a_name_is_called_as_the_messenger_says(desk: Town) -> None:
    phone, visitor = STRANGERS[0], STRANGERS[3]
    code = await desk.database.write(partial(make, account=visitor))
    assert await outcome(desk, partial(write, account=phone, code=code)) == JOINED
    person = await desk.database.read(partial(people.by_identity, identity=visitor))
    assert person is not None
    assert person.name == str(phone)


async def test_only_the_hash_of_a_code_is_kept(desk: Town) -> None:
    code = await desk.database.write(partial(make, account=STRANGERS[0]))
    await desk.database.close()
    assert code not in databases.content(desk.path)


async def test_a_code_that_an_earlier_process_made_is_good_though_it_cannot_be_said(
    desk: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    giver, other, *_ = STRANGERS
    code = await desk.database.write(partial(make, account=giver))
    monkeypatch.setattr(linking, "_SECRET", b"another process")
    made = await desk.database.read(lambda tx: people.code_for(tx, giver))
    assert made is not None
    assert await desk.database.read(lambda tx: linking.word(tx, giver, made.hash)) is None
    assert await outcome(desk, partial(write, account=other, code=code)) == JOINED


# ---- the configuration has the last word


async def joined(desk: Town, giver: Identity, writer: Identity) -> None:
    code = await desk.database.write(partial(make, account=giver))
    assert await outcome(desk, partial(write, account=writer, code=code)) == JOINED


async def parted(desk: Town, by: Identity, account: Identity) -> None:
    async def work(tx: Transaction) -> None:
        await joining.part(tx, await actor(tx, by), account, direct)

    await desk.database.write(work)


async def appointed(desk: Town, *members: Member) -> None:
    await desk.database.write(lambda tx: people_actions.appoint(tx, Members(members)))


def member(name: str, *identities: Identity, role: Role = Role.AGENT) -> Member:
    return Member(name, identities, frozenset({role}), ("support",), "en")


async def theirs(desk: Town, account: Identity) -> set[Identity]:
    async def look(tx: Transaction) -> set[Identity]:
        person = await people.by_identity(tx, account)
        assert person is not None
        return set(await people.identities_of(tx, person.id))

    return await desk.database.read(look)


async def test_a_joined_account_goes_to_whom_the_configuration_gives_it(desk: Town) -> None:
    phone = STRANGERS[0]
    await joined(desk, ANNA, phone)
    await appointed(desk, member("Boris", phone), member("Anna", ANNA))
    assert await theirs(desk, phone) == {phone}
    assert await theirs(desk, ANNA) == {ANNA}
    anna = await desk.database.read(lambda tx: people.by_identity(tx, ANNA))
    assert anna is not None
    assert anna.name == "Anna"


async def test_a_requester_who_becomes_an_agent_keeps_the_accounts_they_joined(desk: Town) -> None:
    phone, laptop = STRANGERS[0], STRANGERS[3]
    await joined(desk, phone, laptop)
    await appointed(desk, member("Olga", laptop))
    assert await theirs(desk, laptop) == {phone, laptop}


async def test_an_agent_who_becomes_an_admin_keeps_only_what_the_configuration_gives(desk: Town) -> None:
    await joined(desk, ANNA, STRANGERS[0])
    await appointed(desk, member("Anna", ANNA, role=Role.ADMIN))
    assert await theirs(desk, ANNA) == {ANNA}
    assert await desk.database.read(partial(owner, account=STRANGERS[0])) is None


async def test_who_is_of_the_staff_no_more_takes_the_role_from_all_accounts(desk: Town) -> None:
    phone = STRANGERS[0]
    await joined(desk, ANNA, phone)
    await appointed(desk)
    for account in (ANNA, phone):
        person = await desk.database.read(partial(people.by_identity, identity=account))
        assert person is not None
        assert not person.staff


async def test_accounts_that_the_configuration_drops_are_nobodys(desk: Town) -> None:
    await appointed(desk, member("Anna", ANNA, STRANGERS[1]))
    assert await theirs(desk, ANNA) == {ANNA, STRANGERS[1]}
    await appointed(desk, member("Anna", ANNA))
    assert await theirs(desk, ANNA) == {ANNA}


# ---- what it costs

GROWING = (
    "dialogs",
    "events",
    "files",
    "messages",
    "outbox",
    "participants",
    "posts",
    "ratings",
    "talks",
    "tickets",
)


@pytest.mark.sqlite
async def test_joining_parting_and_hastening_read_no_table_that_grows_from_end_to_end(
    desk: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Everybody waits for the only writer meanwhile."""
    asked: set[str] = set()
    for name in ("all", "first", "execute"):
        inner = getattr(Transaction, name)

        async def noted(self: Transaction, statement: Any, *rest: Any, _inner: Any = inner) -> Any:
            asked.add(
                str(statement.compile(dialect=sqlite.dialect(), compile_kwargs={"render_postcompile": True}))
            )
            return await _inner(self, statement, *rest)

        monkeypatch.setattr(Transaction, name, noted)
    phone, laptop, *_ = STRANGERS
    await desk.database.write(partial(actor, account=phone))
    await desk.database.write(partial(actor, account=laptop))
    await joined(desk, phone, laptop)
    person = await desk.database.read(partial(owner, account=phone))
    assert person is not None
    await desk.database.write(lambda tx: outbox.hasten(tx, person))
    await parted(desk, phone, laptop)
    with contextlib.closing(sqlite3.connect(desk.path)) as file:
        for each in asked:
            plan = file.execute(f"EXPLAIN QUERY PLAN {each}", (1,) * each.count("?")).fetchall()
            for step in [row[3] for row in plan]:
                assert step not in [f"SCAN {table}" for table in GROWING], each
    assert len(asked) > 20
