"""The same people in three messengers at once, their accounts joined and parted as they please, held against
what must always be true. The clients are the real ones; the platforms are the emulators."""

import asyncio
import contextlib
import logging
import os
import re
import shutil
import tempfile
from collections.abc import Awaitable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from core.database.transaction import Transaction
from core.kernel.ids import Identity
from core.people import store as people
from core.tickets import queries
from core.tickets import store as tickets
from tests.matrix.world import World, world
from tests.stateful import truths
from tests.stateful.accounts import Account, AtSlack, AtTelegram, AtThePage, Offered
from tests.stateful.truths import nonces

DEEP = int(os.environ.get("DESKBRIDGE_TEST_STEPS", "0"))
"""How many steps to take in all; 0 takes the few that every run can afford."""
STEPS = 30
PROFILE = settings(
    max_examples=max(DEEP // STEPS, 1) if DEEP else 5,
    stateful_step_count=STEPS,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
TYPE = """
[[request_types]]
name = "other"
title = "Other"
keywords = ["broken"]
urgency = "normal"
"""

ASKING = ("ivan in telegram", "ivan in slack", "ivan at the page", "olga in slack", "olga at the page")
HELPING = ("anna in slack", "boris in telegram", "maria at the page")
asking, helping = st.sampled_from(ASKING), st.sampled_from(HELPING)
numbers = st.sampled_from((1, 1, 1, 2, 2, 3))
CODE = re.compile(r"/link ([2-9A-Z]{8})\b")
ANSWERING = (
    "reply {n} {w}",
    "reply {n} {w}",
    "note {n} {w}",
    "wait {n} {w}",
    "resolve {n} {w}",
    "resolve {n}",
)
STEERING = (
    "take {n}",
    "take {n}",
    "release {n}",
    "priority {n} high",
    "hold {n}",
    "resume {n}",
    "reopen {n}",
)
JOINING = ("merge {n} into {m}", "merge {n} into {m}", "unmerge {n}", "relate {n} {m}")
GOING_ON = ("Continue in", "#1: continue in", "#2: continue in")
LEAVING = ("A new request", "#", "Cancel", "Edit", "Description", "Reopen", "★")
"""What one can press that leaves a dialog, and what was said in it, behind."""


class Messengers(RuleBasedStateMachine):
    """People with accounts in three messengers, and those who help them from three others."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.errors: list[str] = []
        self.watch = logging.Handler(logging.ERROR)
        self.watch.emit = lambda record: self.errors.append(logging.Formatter().format(record))  # type: ignore[method-assign]
        logging.getLogger("bot").addHandler(self.watch)
        self.codes: list[str] = []
        self.words = 0
        self.said: dict[str, str] = {}
        self.left: set[str] = set()
        self.secret: set[str] = set()
        self.opening = world(self.folder, more=TYPE)
        self.world: World = self.run(self.opening.__aenter__())
        self.world.slack.user("Ivan Petrov", id="U0506")
        self.accounts: dict[str, Account] = {
            "ivan in telegram": AtTelegram(self.world, 501),
            "ivan in slack": AtSlack(self.world, "U0506"),
            "ivan at the page": AtThePage(self.world, "ivan"),
            "olga in slack": AtSlack(self.world, "U0505"),
            "olga at the page": AtThePage(self.world, "olga"),
        }

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def teardown(self) -> None:
        logging.getLogger("bot").removeHandler(self.watch)
        self.run(self.opening.__aexit__(None, None, None))
        self.run(self._bury())
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.folder)

    async def _bury(self) -> None:
        """Nothing goes on of what answered the clients that are gone."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    def do(self, act: Awaitable[object]) -> None:
        self.world.clock.advance(timedelta(milliseconds=50))
        self.run(act)

    def word(self, who: str, *, secret: bool = False) -> str:
        self.words += 1
        nonce = f"n{self.words}x"
        if secret:
            self.secret.add(nonce)
        else:
            self.said[nonce] = who
        return nonce

    # ---- those who ask

    @initialize(linked=st.booleans())
    def two_have_a_ticket(self, linked: bool) -> None:
        for who in ("ivan in telegram", "olga in slack"):
            self.begins(who)
        assert len(self.run(self.world.database.read(queries.all_ids))) == 2
        if linked:
            self.shows_a_code("ivan in telegram")
            self.writes_a_code("ivan in slack", 0)

    @rule(who=asking)
    def begins(self, who: str) -> None:
        self._may_leave(who)
        self.do(self.accounts[who].reports(f"it is broken {self.word(who)}"))
        self._press(who, ("Send",))

    @rule(who=asking)
    def goes_on(self, who: str) -> None:
        self.do(self.accounts[who].says(f"and {self.word(who)}"))

    @rule(who=asking, which=st.integers(0, 9))
    def changes_what_they_said(self, who: str, which: int) -> None:
        mine = [nonce for nonce, author in self.said.items() if author == who]
        if mine:
            old = mine[-1 - which % len(mine)]
            new = self.word(who)
            try:
                self.do(self.accounts[who].edits(old, new))
            except LookupError:
                del self.said[new]
            else:
                del self.said[old]
                self.left |= {new} if old in self.left else set()

    @rule(who=asking, label=st.sampled_from(("Send", "Yes, it is fixed", "No, not yet", "#1", "#2")))
    def presses_what_is_offered(self, who: str, label: str) -> None:
        self._press(who, (label,))

    @rule(who=asking, which=st.integers(0, 30))
    def presses_anything(self, who: str, which: int) -> None:
        offered = self.run(self.accounts[who].offered())
        if offered:
            self._press_this(who, offered[-1 - which % len(offered)])

    def _press(self, who: str, labels: tuple[str, ...]) -> None:
        """The newest button that begins like this."""
        fitting = [each for each in self.run(self.accounts[who].offered()) if each.label.startswith(labels)]
        if fitting:
            self._press_this(who, fitting[-1])

    def _press_this(self, who: str, what: Offered) -> None:
        if what.label.startswith(LEAVING):
            self._may_leave(who)
        self.do(self.accounts[who].presses(what))

    def _may_leave(self, who: str) -> None:
        """What was said in a dialog may go with it."""
        self.left |= {nonce for nonce, author in self.said.items() if author == who}

    # ---- one person in several messengers

    @rule(who=asking)
    def shows_a_code(self, who: str) -> None:
        self.do(self.accounts[who].commands("link"))
        self.codes += CODE.findall(self.run(self.accounts[who].ever_read()))[-1:]

    @rule(who=asking, which=st.integers(0, 3))
    def writes_a_code(self, who: str, which: int) -> None:
        if self.codes:
            self.do(self.accounts[who].commands(f"link {self.codes[-1 - which % len(self.codes)]}"))
            self._press(who, ("Yes, it is mine",))

    @rule(who=asking, other=asking)
    def parts_with_an_account(self, who: str, other: str) -> None:
        self.do(self.accounts[who].commands(f"unlink {self.accounts[other].name}"))

    @rule(who=asking, number=numbers)
    def continues_elsewhere(self, who: str, number: int) -> None:
        self.do(self.accounts[who].commands(f"status {number}"))
        self._press(who, GOING_ON)

    # ---- those who help

    @rule(who=helping, line=st.sampled_from(ANSWERING), number=numbers)
    def answers(self, who: str, line: str, number: int) -> None:
        secret = line.startswith("note")
        words = self.word(who, secret=secret) if "{w}" in line else ""
        self._command(who, line.format(n=number, w=words))

    @rule(who=helping, line=st.sampled_from(STEERING), number=numbers)
    def steers(self, who: str, line: str, number: int) -> None:
        self._command(who, line.format(n=number))

    @rule(who=helping, line=st.sampled_from(JOINING), number=numbers, other=numbers)
    def joins_tickets(self, who: str, line: str, number: int, other: int) -> None:
        self._command(who, line.format(n=number, m=other))

    def _command(self, who: str, line: str) -> None:
        self.do(self._commanded(who, line))

    async def _commanded(self, who: str, line: str) -> None:
        world = self.world
        if who == "anna in slack":
            given = await world.slack.users["U0502"].command(f"/desk {line}", channel=world.channel)
            await world.settle()
            await given.done()
        elif who == "boris in telegram":
            await world.telegram.users[503].send(f"/{line}", chat=world.group)
            await world.settle()
        else:
            await world["maria"].say(f"/{line}", room="support")

    @rule(who=st.sampled_from(("boris in telegram", "maria at the page")), number=numbers)
    def writes_in_the_thread(self, who: str, number: int) -> None:
        self.do(self._noted(who, number, self.word(who, secret=True)))

    async def _noted(self, who: str, number: int, words: str) -> None:
        if who == "maria at the page":
            with contextlib.suppress(StopIteration, RuntimeError):
                await self.world["maria"].say_below(number, words)
            return
        cards = [each for each in self.world.group.from_bot if f" #{number} " in each.text.partition("\n")[0]]
        if cards:
            boris = self.world.telegram.users[503]
            await boris.send(words, chat=self.world.group, thread=cards[0].thread)
            await self.world.settle()

    @rule(label=st.sampled_from(("Undo", "Take it", "Undo the merge")))
    def maria_presses(self, label: str) -> None:
        for shown in reversed(self.run(self.world["maria"].sees())):
            if label in shown.buttons:
                self.do(self.world["maria"].press_code(shown, shown.buttons[label]))
                return

    # ---- the world

    @rule(seconds=st.sampled_from((3, 15, 700)))
    def time_goes_by(self, seconds: int) -> None:
        self.do(self.world.later(timedelta(seconds=seconds)))

    @rule()
    def process_starts_again(self) -> None:
        self.do(self._again())

    async def _again(self) -> None:
        await self.world.restart()
        await self.world.settle()

    # ---- what must hold

    @invariant()
    def always(self) -> None:
        assert not self.errors, "\n".join(self.errors)
        self.run(self.world.database.read(self._look))

    async def _look(self, tx: Transaction) -> None:
        for truth in truths.ALWAYS:
            await truth(tx)
        await self._each_word_is_in_one_place(tx)
        await self._each_account_is_one_persons(tx)

    async def _each_word_is_in_one_place(self, tx: Transaction) -> None:
        found = await truths.places(tx)
        for nonce, who in self.said.items():
            if who in ASKING:
                assert found.of(nonce) == 1 or (nonce in self.left and not found.of(nonce)), (nonce, who)
            else:
                assert found.live[nonce] <= 1, (nonce, who)

    async def _each_account_is_one_persons(self, tx: Transaction) -> None:
        """Whose account it is says whose tickets they see; nobody is left without one."""
        for account in self.accounts.values():
            person = await people.by_identity(tx, Identity.parse(account.name))
            assert person is None or Identity.parse(account.name) in await people.identities_of(tx, person.id)
        for number in await queries.all_ids(tx):
            ticket = await tickets.get(tx, number)
            assert await people.identities_of(tx, ticket.requester), ticket

    @invariant()
    def notes_stay_with_staff(self) -> None:
        for who, account in self.accounts.items():
            assert not self.secret & set(nonces(self.run(account.ever_read()))), who

    @invariant()
    def replies_are_read_once_by_whoever_belongs_to_the_ticket(self) -> None:
        shown = {account.name: self._nonces(account) for account in self.accounts.values()}
        self.run(self.world.database.read(lambda tx: self._replies(tx, shown)))

    def _nonces(self, account: Account) -> Sequence[str]:
        return [nonce for text in self.run(account.reads()) for nonce in nonces(text)]

    async def _replies(self, tx: Transaction, shown: dict[str, Sequence[str]]) -> None:
        for number in await queries.all_ids(tx):
            ticket = await tickets.get(tx, number)
            for said in await tickets.messages_of(tx, number):
                if said.kind != "reply":
                    continue
                (nonce,) = nonces(said.text)
                reading = {name for name, words in shown.items() if nonce in words}
                assert all(shown[name].count(nonce) <= 1 for name in reading), (nonce, shown)
                assert not reading or said.withdrawn_at is None, (nonce, reading)
                mine = {str(each) for each in await people.identities_of(tx, ticket.requester)}
                assert said.withdrawn_at is not None or reading, (nonce, mine, ticket)


@pytest.mark.timeout(0 if DEEP else 900)
def test_in_three_messengers_at_once_the_desk_holds_its_promises() -> None:
    run_state_machine_as_test(Messengers, settings=PROFILE)
