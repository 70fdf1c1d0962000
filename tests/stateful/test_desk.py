"""The desk under everything that can happen to it, in any order, held against what must always be true."""

import asyncio
import contextlib
import logging
import os
import shutil
import tempfile
from collections import deque
from collections.abc import Awaitable, Callable
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bot.adapters.webchat import receive
from core.dialogs import store as dialogs
from core.kernel.errors import Forbidden
from core.kernel.ids import PersonId
from core.people import store as people
from tests import town as towns
from tests.stateful import truths
from tests.stateful.trouble import Doom, Faulty, Free, Killed, Outcome
from tests.town import Shown, Somebody

DEEP = int(os.environ.get("DESKBRIDGE_TEST_STEPS", "0"))
"""How many steps to take in all; 0 takes the few that every run can afford."""
STEPS = 40
PROFILE = settings(
    max_examples=max(DEEP // STEPS, 1) if DEEP else 5,
    stateful_step_count=STEPS,
    deadline=None,
    phases=(Phase.reuse, Phase.generate, Phase.shrink) if DEEP else (Phase.reuse, Phase.generate),
    print_blob=True,
    suppress_health_check=list(HealthCheck),
)

TOML = """
[desk]
time_zone = "UTC"
close_after = "10m"
reopen_for = "1h"
rating_every = "0s"
[[people]]
name = "Ivan"
identities = ["web:ivan"]
[[people]]
name = "Olga"
identities = ["web:olga"]
[[people]]
name = "Anna"
identities = ["web:anna"]
roles = ["agent"]
[[people]]
name = "Boris"
identities = ["web:boris"]
roles = ["agent"]
[[people]]
name = "Maria"
identities = ["web:maria"]
roles = ["lead"]
[[queues]]
name = "support"
title = "Support"
spaces = ["web:support"]
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

REQUESTERS, STAFF = ("ivan", "olga"), ("anna", "boris", "maria")
requesters, staff = st.sampled_from(REQUESTERS), st.sampled_from(STAFF)
anybody = st.sampled_from(REQUESTERS + STAFF)
outcomes = st.sampled_from((*Outcome, Outcome.UNANSWERED, Outcome.UNANSWERED))
numbers = st.sampled_from((1, 1, 1, 2, 2, 3, 4))
URGENCIES = ("Nobody can work", "Nobody can work", "I cannot work", "It slows me down", "It can wait")
WAYS_OUT = ("Cancel", "★", "A new request", "Edit", "Description", "Reopen", "#")
"""What one can press that leaves a dialog, and what was said in it, behind."""
OWNING = ("/take {n}", "/take {n}", "/release {n} {w}", "/pass {n} anna {w}", "/pass {n} boris")
ANSWERING = (
    "/reply {n} {w}", "/reply {n} {w}", "/note {n} {w}", "/wait {n}", "/wait {n} {w}",
    "/resolve {n} {w}", "/resolve {n}",
)  # fmt: skip
STEERING = (
    "/hold {n} 45s", "/hold {n}", "/resume {n}", "/reopen {n}", "/level {n} L2", "/priority {n} critical",
    "/priority {n} critical", "/priority {n} high", "/priority {n} normal", "/priority {n} low",
)  # fmt: skip
SHARING = (
    "/add {n} @ivan", "/add {n} @olga", "/add {n} @boris", "/remove {n} @olga", "/watch {n}", "/leave {n}",
)  # fmt: skip
JOINING = (
    "/merge {n} into {m}", "/merge {n} into {m}", "/unmerge {n}", "/relate {n} {m}", "/unrelate {n} {m}",
)  # fmt: skip
QUIETING = ("/onit {n}", "/snooze {n} 20s", "/snooze {n} 1h")
SPANS = (0.2, 1, 5, 14, 16, 31, 61, 190, 910, 3700, 4 * 86400)


class Alarms(logging.Handler):
    """Everything the desk calls an error of its own."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.heard: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if not (record.exc_info and record.exc_info[0] is Killed):
            self.heard.append(logging.Formatter().format(record))


class Desk(RuleBasedStateMachine):
    """People, time, the messenger and the machine, against the core, router, delivery and scheduler."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.folder = Path(tempfile.mkdtemp())
        self.alarms = Alarms()
        logging.getLogger("bot").addHandler(self.alarms)
        self.faults: deque[Outcome] = deque()
        self.doom = Doom()
        self.order: dict[str, int] = {}
        self.author: dict[str, str] = {}
        self.gone: set[str] = set()
        self.acts: list[Callable[[], Awaitable[object]]] = []
        self.buttons: list[tuple[str, Shown, str, str]] = []
        self.leaving: set[str] = set()
        self.opening = towns.town(self.folder, TOML)
        self.town = self.run(self.opening.__aenter__())
        self._possess()

    def run(self, coroutine):  # type: ignore[no-untyped-def]
        return self.loop.run_until_complete(coroutine)

    def _possess(self) -> None:
        house = self.town.house
        house.adapters["web"] = Faulty(house.adapters["web"], self.faults)  # type: ignore[index]
        house.delivery._pace = Free()
        self.doom.haunt(self.town.database)

    def teardown(self) -> None:
        try:
            self._calm_down()
        finally:
            self._leave()

    def _leave(self) -> None:
        self.run(self._close())
        self.loop.close()
        logging.getLogger("bot").removeHandler(self.alarms)
        shutil.rmtree(self.folder)

    async def _close(self) -> None:
        self.doom.lift()
        await self._bury()
        await self.opening.__aexit__(None, None, None)
        await self.loop.shutdown_default_executor()

    # ---- the machine

    async def _bury(self) -> None:
        """Nothing of the dead process goes on."""
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _revive(self) -> None:
        self.doom.lift()
        await self._bury()
        await self.town.restart()
        self._possess()

    def do(self, act: Callable[[], Awaitable[object]]) -> None:
        """Let it happen; if the process dies of it, whoever did it does it again, as messengers do."""
        self.town.clock.advance(timedelta(milliseconds=1))
        self.run(self._do(act))

    async def _do(self, act: Callable[[], Awaitable[object]]) -> None:
        try:
            await self._once(act)
        except Killed:
            await self._revive()
            await self._once(act)

    async def _once(self, act: Callable[[], Awaitable[object]]) -> None:
        with contextlib.suppress(Forbidden):
            await act()
        await self.town.settle()

    def word(self, account: str) -> str:
        nonce = f"n{len(self.order)}x"
        self.order[nonce] = len(self.order)
        self.author[nonce] = account
        return nonce

    def person(self, account: str) -> Somebody:
        return self.town[account]

    # ---- requesters

    @initialize(urgencies=st.lists(st.sampled_from(URGENCIES), min_size=1, max_size=3))
    def something_is_broken(self, urgencies: list[str]) -> None:
        for number, urgency in enumerate(urgencies):
            self._report(REQUESTERS[number % 2], urgency)

    @rule(account=requesters, about=st.sampled_from(("vpn drops", "it is broken", "and then")))
    def writes(self, account: str, about: str) -> None:
        self.say(account, f"{about} {self.word(account)}")

    @rule(account=requesters, count=st.integers(2, 5))
    def writes_faster_than_the_desk_reads(self, account: str, count: int) -> None:
        texts = [f"and {self.word(account)}" for _ in range(count)]
        self._act(partial(self._blurt, account, texts, f"{account}{len(self.acts)}"), "")

    async def _blurt(self, account: str, texts: list[str], key: str) -> None:
        person = self.person(account)
        speaker = receive.Speaker(person.identity, account, "en", {person.direct})
        for number, text in enumerate(texts):
            words = {"key": f"{key}.{number}", "room": person.direct, "thread": None, "text": text}
            with contextlib.suppress(receive.Repeated):
                await self.town.database.write(partial(receive.said, speaker=speaker, **words))

    @rule(account=requesters, words=st.sampled_from(("yes", "no", "thanks", "/my", "/cancel", "/help", "1")))
    def says_a_word(self, account: str, words: str) -> None:
        self.say(account, words)

    @rule(account=requesters, urgency=st.sampled_from(URGENCIES))
    def reports(self, account: str, urgency: str) -> None:
        self._report(account, urgency)

    def _report(self, account: str, urgency: str) -> None:
        self.say(account, f"/new vpn drops {self.word(account)}")
        self._finish(account, urgency)

    @rule(account=requesters)
    def finishes(self, account: str) -> None:
        self._finish(account, "Nobody can work")

    def _finish(self, account: str, urgency: str) -> None:
        for _ in range(6):
            shown = self.run(self.person(account).sees())
            under_way = [
                each for each in shown if any(code.startswith("d.") for code in each.buttons.values())
            ]
            if not under_way:
                return
            labels = under_way[-1].buttons
            label = next(
                (each for each in ("Send", urgency, "Network", "No comment") if each in labels), None
            )
            if label is None:
                self.say(account, "somewhere")
            else:
                self._press(account, under_way[-1], label, labels[label])

    def say(self, account: str, text: str, **where: object) -> None:
        key = f"{account}{len(self.acts)}"
        act = partial(self._say, account, text, key, where)
        self._act(act, account if text.startswith(("/cancel", "/new")) else "")

    async def _say(self, account: str, text: str, key: str, where: dict[str, object]) -> None:
        await self.person(account).say(text, key=key, **where)  # type: ignore[arg-type]

    @rule(account=anybody, which=st.integers(0, 200), old=st.booleans())
    def presses_anything(self, account: str, which: int, old: bool) -> None:
        shown = self.run(self.person(account).sees())
        now = [(account, each, label, code) for each in shown for label, code in each.buttons.items()]
        self.buttons += now
        choices = [each for each in (self.buttons if old else now) if each[0] == account]
        if choices:
            _, message, label, code = choices[-1 - which % len(choices)]
            self._press(account, message, label, code)

    def _press(self, account: str, shown: Shown, label: str, code: str) -> None:
        key = f"{account}{len(self.acts)}"
        act = partial(self._press_now, account, shown, code, key)
        self._act(act, account if label.startswith(WAYS_OUT) else "")

    def _act(self, act: Callable[[], Awaitable[object]], leaving: str) -> None:
        self.acts.append(act)
        self.leaving.add(leaving)
        self.do(act)

    async def _press_now(self, account: str, shown: Shown, code: str, key: str) -> None:
        await self.person(account).press_code(shown, code, key=key)

    # ---- agents

    @rule(account=staff, verb=st.sampled_from(OWNING), number=numbers)
    def takes_or_gives_away(self, account: str, verb: str, number: int) -> None:
        self._works(account, verb, number)

    @rule(account=staff, verb=st.sampled_from(ANSWERING), number=numbers)
    def answers(self, account: str, verb: str, number: int) -> None:
        self._works(account, verb, number)

    @rule(account=staff, verb=st.sampled_from(STEERING), number=numbers)
    def steers(self, account: str, verb: str, number: int) -> None:
        self._works(account, verb, number)

    @rule(account=staff, verb=st.sampled_from(QUIETING), number=numbers)
    def keeps_it_quiet(self, account: str, verb: str, number: int) -> None:
        self._works(account, verb, number)

    @rule(account=anybody, verb=st.sampled_from(SHARING), number=numbers)
    def shares_or_leaves(self, account: str, verb: str, number: int) -> None:
        self._works(account, verb, number)

    @rule(account=staff, verb=st.sampled_from(JOINING), number=numbers, other=numbers)
    def joins_tickets(self, account: str, verb: str, number: int, other: int) -> None:
        self.say(account, verb.format(n=number, m=other))

    @rule(account=staff)
    def makes_a_ticket_of_a_message(self, account: str) -> None:
        self._press_newest(account, "Split off")

    def _works(self, account: str, verb: str, number: int) -> None:
        words = self.word(account) if "{w}" in verb else ""
        self.say(account, verb.format(n=number, w=words))

    @rule(account=staff, label=st.sampled_from(("Undo", "Take it", "On it: 15 min", "Snooze 30 min")))
    def presses_what_is_offered(self, account: str, label: str) -> None:
        self._press_newest(account, label)

    @rule(account=requesters, label=st.sampled_from(("Yes, it is fixed", "No, not yet", "★★", "Change")))
    def judges(self, account: str, label: str) -> None:
        self._press_newest(account, label)

    def _press_newest(self, account: str, label: str) -> None:
        for shown in reversed(self.run(self.person(account).sees())):
            if label in shown.buttons:
                self._press(account, shown, label, shown.buttons[label])
                return

    @rule(account=staff, number=numbers)
    def writes_in_the_thread(self, account: str, number: int) -> None:
        cards = [each for each in self.run(self.person(account).sees()) if each.tone == "card"]
        for card in cards:
            if card.ticket == number:
                busy = self.run(self._in_dialog(account, f"web:support#{card.id}"))
                words = self.word(account)
                self.say(account, words, room="support", thread=card.id)
                assert busy or self.run(self.town.database.read(truths.places)).live[words] == 1

    async def _in_dialog(self, account: str, place: str) -> bool:
        async def look(tx):  # type: ignore[no-untyped-def]
            person = await people.by_identity(tx, self.person(account).identity)
            return person and await dialogs.at(tx, place, PersonId(person.id))

        return bool(await self.town.database.read(look))

    # ---- the world

    @rule(which=st.integers(0, 200))
    @precondition(lambda self: self.acts)
    def hears_it_again(self, which: int) -> None:
        before = self.run(self.town.database.read(truths.events_accepted))
        self.do(self.acts[which % len(self.acts)])
        assert self.run(self.town.database.read(truths.events_accepted)) == before

    @rule(seconds=st.sampled_from(SPANS), looks=st.sampled_from((1, 1, 3, 10)))
    def time_goes_by(self, seconds: float, looks: int) -> None:
        span = timedelta(seconds=seconds)
        self.do(partial(self._later, span, span / looks))

    async def _later(self, span: timedelta, step: timedelta) -> None:
        await self.town.later(span, step=step)

    @rule(seconds=st.sampled_from((0.3, 3, 45, 7300)))
    def clock_is_set_back(self, seconds: float) -> None:
        self.town.clock.advance(timedelta(seconds=-seconds))
        self.do(self.town.settle)

    @rule(outcomes=st.lists(outcomes, min_size=1, max_size=8))
    def messenger_stumbles(self, outcomes: list[Outcome]) -> None:
        self.faults.extend(outcomes)

    @rule(commits=st.integers(1, 12), after=st.booleans())
    def process_is_doomed(self, commits: int, after: bool) -> None:
        self.doom.arm(commits, after=after)

    @rule()
    def process_starts_again(self) -> None:
        self.do(self._revive)

    @rule()
    def claims_a_timer_and_dies(self) -> None:
        async def act() -> None:
            await self.town.house.desk.claim_timers()
            await self._revive()

        self.town.clock.advance(timedelta(seconds=20))
        self.do(act)

    # ---- what must hold

    @invariant()
    def always(self) -> None:
        assert not self.alarms.heard, "\n".join(self.alarms.heard)
        self.run(self.town.database.read(self._look))
        self.leaving.clear()

    async def _look(self, tx) -> None:  # type: ignore[no-untyped-def]
        for truth in truths.ALWAYS:
            await truth(tx)
        await truths.words_keep_their_order(tx, self.order)
        await truths.everything_due_was_done(tx)
        self._each_word_is_in_one_place(await truths.places(tx))

    def _each_word_is_in_one_place(self, found: truths.Places) -> None:
        for nonce, account in self.author.items():
            if account in STAFF:
                assert found.live[nonce] <= 1, nonce
            elif nonce in self.gone:
                assert not found.of(nonce), f"{nonce} came back"
            elif not found.of(nonce):
                assert account in self.leaving, f"{nonce} is lost"
                self.gone.add(nonce)
            else:
                assert found.of(nonce) == 1, f"{nonce} is {found.of(nonce)} times"

    @rule()
    def everything_calms_down(self) -> None:
        self._calm_down()

    def _calm_down(self) -> None:
        self.faults.clear()
        self.doom.lift()
        self.do(partial(self._later, timedelta(minutes=6), timedelta(seconds=40)))
        self.run(self.town.database.read(self._at_rest))

    async def _at_rest(self, tx) -> None:  # type: ignore[no-untyped-def]
        for truth in truths.AT_REST:
            await truth(tx)


@pytest.mark.timeout(0 if DEEP else 900)
def test_the_desk_holds_its_promises_whatever_happens() -> None:
    run_state_machine_as_test(Desk, settings=PROFILE)
