"""Whatever is done to tickets, nobody outside the team ever reads what is not theirs.

Everything that is ever posted to a requester or a colleague, and every change of it, is looked at as it
goes out, not only what stands there in the end."""

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
from collections import defaultdict
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from functools import partial
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

from bot import codes
from bot.adapters.port import Adapter, Posted, Reader
from bot.message import Message
from core.database.transaction import Transaction
from core.kernel.errors import Forbidden
from core.kernel.ids import Address, PersonId
from core.people import store as people
from core.people.model import Actor
from core.tickets import company, queries
from core.tickets import store as tickets
from core.tickets.model import Said
from tests import town as towns
from tests.flows.test_linking import CODE
from tests.stateful.truths import every_ticket, nonces
from tests.town import Shown, Somebody

DEEP = int(os.environ.get("DESKBRIDGE_TEST_STEPS", "0"))
"""How many steps to take in all; 0 takes the few that every run can afford."""
STEPS = 40
PROFILE = settings(
    max_examples=max(DEEP // STEPS, 1) if DEEP else 5,
    stateful_step_count=STEPS,
    deadline=None,
    phases=(Phase.reuse, Phase.generate),
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)
TOML = """
[desk]
time_zone = "UTC"
rating_every = "0s"
[[people]]
name = "Ivan"
identities = ["web:ivan"]
[[people]]
name = "Olga"
identities = ["web:olga"]
[[people]]
name = "Petr"
identities = ["web:petr"]
[[people]]
name = "Anna"
identities = ["web:anna"]
roles = ["agent"]
[[people]]
name = "Boris"
identities = ["web:boris"]
roles = ["agent"]
[[queues]]
name = "support"
title = "Support"
spaces = ["web:support"]
[[request_types]]
name = "other"
title = "Other"
urgency = "normal"
keywords = ["vpn"]
"""
ASKING, STAFF = ("ivan", "olga", "petr", "phone"), ("anna", "boris")
PHONE = "phone"
"""An account that comes to be one of the others', and nobody's, and another's."""
asking, staff, anybody = st.sampled_from(ASKING), st.sampled_from(STAFF), st.sampled_from(ASKING + STAFF)
numbers = st.sampled_from((1, 1, 2, 2, 3, 4))
SECRETS = ("/note {n} {w}", "/note {n} {w} see #{m} @petr", "/release {n} {w}", "/pass {n} boris {w}",
           "/priority {n} high {w}", "/priority {n} low {w}")  # fmt: skip
"""What staff say to staff."""
PUBLIC = (
    "/reply {n} {w}", "/reply {n} {w}, as in #{m}", "/reply {n} {w}, not #{m}", "/wait {n} {w}",
    "/resolve {n} {w}", "/resolve {n}",
)  # fmt: skip
STEERING = (
    "/take {n}", "/hold {n}", "/resume {n}", "/reopen {n}", "/watch {n}", "/unwatch {n}", "/status {n}",
)  # fmt: skip
JOINING = (
    "/merge {n} into {m}", "/merge {n} into {m}", "/unmerge {n}", "/relate {n} {m}",
    "/add {n} @olga", "/add {n} @petr", "/remove {n} @petr", "/remove {n} @olga",
)  # fmt: skip
MOVING = ("Split off", "Split off", "Undo", "Undo the merge")
TRIED = (
    "/status {n}", "/my", "/add {n} @olga", "/add {n} @petr", "/add {n} @ivan", "/remove {n} @petr",
    "/leave {n}", "/reopen {n}", "/timeline {n}", "/find vpn", "/note {n} x", "/merge {n} into {m}",
)  # fmt: skip


class Overheard:
    """A messenger that remembers everything it was ever asked to show."""

    def __init__(self, inner: Adapter, heard: list[tuple[str, set[str]]]) -> None:
        self._inner, self._heard = inner, heard

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)

    async def post(self, to: Address, message: Message, *rest: Any, **more: Any) -> Posted:
        self._heard.append((to.room, set(nonces(repr(message)))))
        return await self._inner.post(to, message, *rest, **more)

    async def edit(self, to: Address, posted: Posted, message: Message, reader: Reader) -> Posted:
        self._heard.append((to.room, set(nonces(repr(message)))))
        return await self._inner.edit(to, posted, message, reader)


class Leaks(RuleBasedStateMachine):
    """People who ask, people who help, and everything they may say and press."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.heard: list[tuple[str, set[str]]] = []
        self.own: defaultdict[str, set[str]] = defaultdict(set)
        self.ever: defaultdict[str, set[int]] = defaultdict(set)
        self.whose: dict[str, PersonId | None] = {}
        self.secret: set[str] = set()
        self.words = 0
        self.before: Mapping[str, set[int]] = {}
        self.errors: list[str] = []
        self.watch = logging.Handler(logging.ERROR)
        self.watch.emit = lambda record: self.errors.append(logging.Formatter().format(record))  # type: ignore[method-assign]
        logging.getLogger("bot").addHandler(self.watch)
        self.opening = towns.town(self.folder, TOML)
        self.town = self.run(self.opening.__aenter__())
        adapters = self.town.house.adapters
        adapters["web"] = Overheard(adapters["web"], self.heard)  # type: ignore[index]

    def run(self, coroutine: Any) -> Any:
        return self.loop.run_until_complete(coroutine)

    def teardown(self) -> None:
        logging.getLogger("bot").removeHandler(self.watch)
        self.run(self.opening.__aexit__(None, None, None))
        self.run(self.loop.shutdown_default_executor())
        self.loop.close()
        shutil.rmtree(self.folder)

    def word(self, account: str, *, secret: bool = False) -> str:
        self.words += 1
        nonce = f"n{self.words}x"
        for each in self.accounts_of(account):
            self.own[each].add(nonce)
        if secret:
            self.secret.add(nonce)
        return nonce

    def accounts_of(self, account: str) -> set[str]:
        """The accounts of the person whose this one is, as of the last step."""
        whose = self.whose.get(account)
        return {account, *(each for each in self.whose if whose is not None and self.whose[each] == whose)}

    def do(self, act: Callable[[], Awaitable[object]]) -> None:
        self.before = self.run(self.town.database.read(self._belongings))
        self.town.clock.advance(timedelta(milliseconds=50))
        self.run(self._tried(act))

    async def _tried(self, act: Callable[[], Awaitable[object]]) -> None:
        with contextlib.suppress(Forbidden):
            await act()

    def say(self, account: str, text: str, **where: Any) -> None:
        self.do(lambda: self.town[account].say(text, **where))

    def sees(self, account: str) -> list[Shown]:
        return list(self.run(self.town[account].sees()))

    # ---- those who ask

    @initialize(shared=st.sampled_from((True, True, False)), merged=st.booleans())
    def two_have_a_ticket(self, shared: bool, merged: bool) -> None:
        for account in ("ivan", "olga"):
            self.reports(account)
        self.say("petr", "/help")
        assert len(self.run(self.town.database.read(queries.all_ids))) == 2
        if shared:
            self.say("anna", "/add 1 @petr")
        if merged:
            self.say("anna", "/merge 2 into 1")

    @rule(account=asking)
    def reports(self, account: str) -> None:
        self.say(account, f"/new vpn drops {self.word(account)}")
        self._send(account)

    def _send(self, account: str) -> None:
        self._press_newest(account, "Send")

    def _press_newest(self, account: str, label: str) -> None:
        for shown in reversed(self.sees(account)):
            if label in shown.buttons:
                self.press(account, shown, shown.buttons[label])
                return

    @rule(account=asking)
    def goes_on(self, account: str) -> None:
        self.say(account, f"and {self.word(account)}")

    @rule(account=asking, number=numbers, about=st.booleans())
    def writes(self, account: str, number: int, about: bool) -> None:
        self.say(account, f"and {self.word(account)}" + (f" like #{number}" if about else ""))

    @rule(account=asking, which=st.integers(0, 40))
    def answers_something(self, account: str, which: int) -> None:
        shown = [each for each in self.sees(account) if not each.deleted]
        if shown:
            self.say(account, f"re {self.word(account)}", reply_to=shown[-1 - which % len(shown)].id)

    @rule(account=asking, command=st.sampled_from(TRIED), n=numbers, m=numbers)
    def tries(self, account: str, command: str, n: int, m: int) -> None:
        self.say(account, command.format(n=n, m=m))

    @rule(account=asking, secret=st.just(False))
    def changes_what_they_said(self, account: str, secret: bool) -> None:
        self._edit(account)

    @rule(account=st.sampled_from(ASKING[:-1]), shown_to_phone=st.booleans())
    def joins_an_account(self, account: str, shown_to_phone: bool) -> None:
        if len(self.accounts_of(PHONE)) > 1:
            return
        giver, writer = (PHONE, account) if shown_to_phone else (account, PHONE)
        self.say(giver, "/link")
        code = CODE.search(self.sees(giver)[-1].text)
        assert code is not None
        self.say(writer, f"/link {code[1]}")
        self._press_newest(writer, "Yes, it is mine")
        assert self.whose_now(PHONE) == self.whose_now(account)

    @rule(account=asking, which=asking)
    def parts_with_an_account(self, account: str, which: str) -> None:
        """With any that is theirs; what the configuration gives, and the only one, stays."""
        self.say(account, f"/unlink web:{which}")

    @rule(account=asking, n=numbers)
    def goes_on_here(self, account: str, n: int) -> None:
        """The ticket's home is this account from now on, if it is the requester's."""
        if seen := self.sees(account):
            self.press(account, seen[-1], codes.code("w", "go", n, "web"))

    # ---- those who help

    @rule(account=staff, command=st.sampled_from(SECRETS), n=numbers, m=numbers)
    def talks_among_staff(self, account: str, command: str, n: int, m: int) -> None:
        self.say(account, command.format(n=n, m=m, w=self.word(account, secret=True)))

    @rule(account=staff, command=st.sampled_from(PUBLIC), n=numbers, m=numbers)
    def answers(self, account: str, command: str, n: int, m: int) -> None:
        self.say(account, command.format(n=n, m=m, w=self.word(account)))

    @rule(account=staff, command=st.sampled_from(STEERING), n=numbers, m=numbers)
    def steers(self, account: str, command: str, n: int, m: int) -> None:
        self.say(account, command.format(n=n, m=m))

    @rule(account=staff, command=st.sampled_from(JOINING), n=numbers, m=numbers)
    def joins_people_and_tickets(self, account: str, command: str, n: int, m: int) -> None:
        self.say(account, command.format(n=n, m=m))

    @rule(account=staff, number=numbers, mention=st.booleans())
    def writes_in_the_thread(self, account: str, number: int, mention: bool) -> None:
        card = next(
            (each for each in self.sees(account) if each.tone == "card" and each.ticket == number), None
        )
        if card is not None:
            words = self.word(account, secret=True) + (" @petr" if mention else "")
            self.say(account, words, room="support", thread=card.id)

    @rule(account=staff, which=st.integers(0, 30), command=st.sampled_from(("/reply ", "/note ", "")))
    def answers_in_the_thread(self, account: str, which: int, command: str) -> None:
        """A note too, in words for the requester."""
        below = [each for each in self.sees(account) if each.thread is not None and not each.deleted]
        if below:
            to = below[-1 - which % len(below)]
            words = f"{command}{self.word(account)}"
            self.say(account, words, room="support", thread=to.thread, reply_to=to.id)

    @rule(account=staff)
    def writes_to_the_desk_alone(self, account: str) -> None:
        self.say(account, f"the wrong place {self.word(account, secret=True)}")

    @rule(account=staff)
    def changes_a_note_or_a_reply(self, account: str) -> None:
        self._edit(account)

    def _edit(self, account: str) -> None:
        """The newest of their own words; they stay what they were, a note or not."""
        mine = [each for each in self.sees(account) if each.mine and nonces(each.text)]
        if mine and not mine[-1].text.startswith("/"):
            old = nonces(mine[-1].text)[0]
            new = self.word(account, secret=old in self.secret)
            self.do(lambda: self.town[account].edit(mine[-1].text, f"changed {new}"))

    @rule(account=staff, name=st.sampled_from(ASKING))
    def reports_for_somebody(self, account: str, name: str) -> None:
        self.say(account, f"/new for @{name} vpn drops {self.word(account)}")
        self._send(account)

    # ---- everybody

    @rule(account=anybody, which=st.integers(0, 60), of=anybody)
    def presses_anything(self, account: str, which: int, of: str) -> None:
        """Also what only somebody else was offered."""
        offered = [(each, code) for each in self.sees(of) for code in each.buttons.values()]
        if not offered:
            return
        shown, code = offered[-1 - which % len(offered)]
        own = [each for each in self.sees(account) if not each.mine]
        if own and shown not in own:
            shown = own[-1]
        self.press(account, shown, code)

    def press(self, account: str, shown: Shown, code: str) -> None:
        self.do(partial(self.town[account].press_code, shown, code))

    @rule(account=staff, label=st.sampled_from(MOVING))
    def presses_what_moves_words(self, account: str, label: str) -> None:
        self._press_newest(account, label)

    @rule(seconds=st.sampled_from((3, 15, 3600)))
    def time_goes_by(self, seconds: int) -> None:
        self.do(lambda: self.town.later(timedelta(seconds=seconds)))

    # ---- what must hold

    @invariant()
    def nobody_reads_what_is_not_theirs(self) -> None:
        assert not self.errors, "\n".join(self.errors)
        self._joined()
        now = self.run(self.town.database.read(self._belongings))
        said = self.run(self.town.database.read(self._said_in))
        for room, found in self.heard:
            account = room.removeprefix("u-")
            if account in ASKING:
                mine = now.get(account, set()) | self.before.get(account, set())
                theirs = set().union(*(said.get(number, set()) for number in mine)) | self.own[account]
                assert found <= theirs, (account, found - theirs)
                assert not (found & self.secret) - self.own[account], (account, found & self.secret)
        self.heard.clear()

    @invariant()
    def what_was_taken_back_or_moved_stands_before_nobody_it_is_not_for(self) -> None:
        taken, stands = self.run(self.town.database.read(self._taken))
        for account, mine in self.run(self.town.database.read(self._belongings)).items():
            self.ever[account] |= mine
            theirs = set().union(*(stands[number] for number in self.ever[account])) | self.own[account]
            for shown in self.sees(account):
                if not shown.mine and not shown.deleted:
                    assert not (set(nonces(shown.text)) & taken) - theirs, (account, shown)

    @invariant()
    def files_and_searches_tell_no_more(self) -> None:
        self.run(self.town.database.read(self._scopes))

    def _joined(self) -> None:
        """What one account has said is the other's to read, from when they are one person's."""
        self.whose = {account: self.whose_now(account) for account in ASKING}
        for account in ASKING:
            self.own[account] |= set().union(*(self.own[each] for each in self.accounts_of(account)))

    def whose_now(self, account: str) -> PersonId | None:
        return self.run(self.town.database.read(partial(self._person, account=account)))  # type: ignore[no-any-return]

    async def _person(self, tx: Transaction, account: str) -> PersonId | None:
        somebody: Somebody = self.town[account]
        person = await people.by_identity(tx, somebody.identity)
        return person.id if person else None

    async def _belongings(self, tx: Transaction) -> dict[str, set[int]]:
        """Whose tickets are whose, and with whom they are shared."""
        found: dict[str, set[int]] = {account: set() for account in ASKING}
        for account in ASKING:
            person = await self._person(tx, account)
            for ticket in await every_ticket(tx):
                if person is not None and await company.belongs(tx, ticket, person):
                    found[account].add(ticket.id)
        return found

    async def _every_message(self, tx: Transaction) -> list[Said]:
        return [
            said for number in await queries.all_ids(tx) for said in await tickets.messages_of(tx, number)
        ]

    async def _said_in(self, tx: Transaction) -> dict[int, set[str]]:
        """What those who ask may read of each ticket; of changed words the old ones too."""
        found: defaultdict[int, set[str]] = defaultdict(set)
        for said in await self._every_message(tx):
            if said.kind != "note":
                found[said.ticket] |= set(nonces(said.text))
        for ticket in await every_ticket(tx):
            found[ticket.id] |= set(nonces(f"{ticket.title} {ticket.resolution}"))
            for event in await tickets.timeline(tx, ticket.id):
                if event.kind == "resolved":
                    found[ticket.id] |= set(nonces(str(event.facts["text"])))
        for number in found:
            found[number] -= self.secret
        return found

    async def _taken(self, tx: Transaction) -> tuple[set[str], Mapping[int, set[str]]]:
        """Words that were withdrawn somewhere, and by ticket what stands in it still."""
        taken: set[str] = set()
        stands: defaultdict[int, set[str]] = defaultdict(set)
        for said in await self._every_message(tx):
            if said.withdrawn_at is not None:
                taken |= set(nonces(said.text))
            else:
                stands[said.ticket] |= set(nonces(said.text))
        for ticket in await every_ticket(tx):
            stands[ticket.id] |= set(nonces(ticket.title))
        return taken, stands

    async def _scopes(self, tx: Transaction) -> None:
        mine = await self._belongings(tx)
        for account in ASKING:
            if (number := await self._person(tx, account)) is not None:
                actor = Actor(await people.get(tx, number), "web")
                found = {ticket.id for ticket in await queries.find(tx, actor, "vpn", limit=100)}
                assert found <= mine[account], account


@pytest.mark.timeout(0 if DEEP else 900)
def test_nobody_outside_the_team_ever_reads_what_is_not_theirs() -> None:
    run_state_machine_as_test(Leaks, settings=PROFILE)
