"""Pacing: as fast as Telegram allows and never faster, and whoever is waiting for an answer goes first."""

import asyncio
import itertools
import random
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest

from bot import main
from bot import message as messages
from bot.message import Plain, say
from bot.pace import MARGIN, ON_ITS_WAY, Pace
from core.database.transaction import Transaction
from core.kernel.ids import Identity, PersonId
from core.outbox import actions as outbox
from core.outbox.model import BULK, Parcel
from core.people import store as people
from tests.emulators.telegram import Call, Rates
from tests.telegram.rig import GROUP, IVAN, Rig, rig

PRIVATE, ROOMS_OF_MANY, OVERALL = (timedelta(seconds=seconds) for seconds in (1, 3, 1 / 30))
STRICT = partial(Rates, private_burst=1, overall_burst=30)
"""Flood control that lets nobody send twice in a second."""


# ---- the pace alone


class Turning:
    """A clock that goes on by itself to whenever something may be sent."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.pace = Pace(lambda: self.now)

    def sends(self, count: int, gaps: dict[str, timedelta], *, urgent: bool = False) -> list[float]:
        """When each of so many goes, each looked at a little late, as a busy machine does."""
        late, times = random.Random(7), []
        while len(times) < count:
            if self.pace.take(gaps, "lane", urgent=urgent):
                times.append(self.now)
                self.pace.arrived("lane")
            else:
                self.now += self.pace.soonest(1000.0) + late.uniform(0, 0.01)
        return times


def closest(times: Sequence[float], count: int) -> float:
    """The shortest span in which more than `count` were sent."""
    return min((b - a for a, b in zip(times, times[count:], strict=False)), default=float("inf"))


@pytest.fixture
def turning() -> Turning:
    return Turning()


def test_never_more_than_thirty_go_in_any_second_and_little_less_on_the_whole(turning: Turning) -> None:
    times = turning.sends(3000, {"telegram": OVERALL})
    assert closest(times, 30) >= 1.0
    assert times[-1] - times[0] < 100 * 1.03


def test_they_go_evenly_and_not_in_heaps(turning: Turning) -> None:
    times = turning.sends(300, {"telegram": OVERALL})
    assert max(b - a for a, b in itertools.pairwise(times)) < 0.2


def test_one_conversation_hears_one_message_a_second(turning: Turning) -> None:
    assert closest(turning.sends(20, {"telegram:5": PRIVATE}), 1) >= 1.0
    assert closest(turning.sends(20, {"telegram:5": PRIVATE}, urgent=True), 1) >= 1.0


def test_a_second_counts_from_when_the_message_had_arrived(turning: Turning) -> None:
    assert turning.pace.take({"telegram:5": PRIVATE}, "first")
    turning.now += 0.7
    turning.pace.arrived("first")
    arrived = turning.now
    (after,) = turning.sends(1, {"telegram:5": PRIVATE})
    assert after - arrived >= 1.0


def test_however_long_they_are_on_their_way_no_second_sees_more_than_thirty_arrive(turning: Turning) -> None:
    """Some are held up by nothing, some by a second; each is on its way until it arrives."""
    chance, underway, arrivals = random.Random(7), dict[int, float](), list[float]()
    for number in range(600):
        while True:
            for lane in [lane for lane, at in underway.items() if at <= turning.now]:
                arrivals.append(underway.pop(lane))
                turning.pace.arrived(str(lane))
            if turning.pace.take({"telegram": OVERALL}, str(number), urgent=chance.random() < 0.1):
                break
            turning.now += min(turning.pace.soonest(1000.0), 0.01) or 0.001
        underway[number] = turning.now + chance.choice([0.003, 0.05, 1.0])
    assert closest(sorted([*arrivals, *underway.values()]), 30) >= 1.0


def test_what_never_says_that_it_arrived_holds_nothing_up_for_long(turning: Turning) -> None:
    assert turning.pace.take({"telegram:5": PRIVATE}, "lost")
    began = turning.now
    (after,) = turning.sends(1, {"telegram:5": PRIVATE}, urgent=True)
    assert after - began < ON_ITS_WAY + 1.5


def test_a_group_hears_twenty_a_minute_the_first_few_at_once(turning: Turning) -> None:
    times = turning.sends(60, {"telegram:-5": ROOMS_OF_MANY})
    assert times[4] - times[0] == 0
    assert closest(times, 20) >= 60.0
    assert times[-1] - times[0] < 180


def test_an_answer_goes_before_its_even_turn_but_not_beyond_the_limit(turning: Turning) -> None:
    turning.sends(10, {"telegram:-5": ROOMS_OF_MANY})
    at_once = turning.sends(5, {"telegram:-5": ROOMS_OF_MANY}, urgent=True)
    assert at_once[-1] == at_once[0]
    later = turning.sends(20, {"telegram:-5": ROOMS_OF_MANY}, urgent=True)
    assert closest([*at_once, *later], 20) >= 60.0


@pytest.mark.parametrize("urgent", [False, True])
def test_what_is_shown_as_several_messages_uses_up_as_many_turns(turning: Turning, urgent: bool) -> None:
    in_private = turning.sends(1, {"telegram:5": PRIVATE})
    turning.pace.arrived("lane", {"telegram:5": PRIVATE}, more=2)
    assert turning.sends(1, {"telegram:5": PRIVATE}, urgent=urgent)[0] - in_private[0] >= 3.0
    in_group = turning.sends(15, {"telegram:-5": ROOMS_OF_MANY}, urgent=urgent)
    turning.pace.arrived("lane", {"telegram:-5": ROOMS_OF_MANY}, more=10)
    after = turning.sends(21, {"telegram:-5": ROOMS_OF_MANY}, urgent=urgent)
    assert after[0] - in_group[0] >= 60.0
    assert after[15] - in_group[0] >= 120.0, "15 and 10 and 15 are two minutes' worth"


def test_what_is_quiet_takes_no_memory(turning: Turning) -> None:
    for number in range(1000):
        turning.pace.take({f"telegram:{number}": PRIVATE}, str(number))
        turning.pace.hold(f"telegram:{number}", PRIVATE)
    turning.now += ON_ITS_WAY + 1.0 + MARGIN
    turning.pace.soonest(1.0)
    assert not turning.pace._meters
    assert not turning.pace._on_their_way
    assert not turning.pace._held


# ---- through the whole desk, in Telegram's time


def notice(room: int, number: int) -> Parcel:
    words = messages.to_facts(say(Plain(f"notice {number} for {room}")))
    return Parcel("message", {"message": words}, room=f"telegram:{room}", urgency=BULK)


async def put(t: Rig, parcels: Sequence[Parcel]) -> None:
    async def work(tx: Transaction) -> None:
        for parcel in parcels:
            await outbox.put(tx, parcel)

    await t.database.write(work)


def sends(t: Rig) -> list[Call]:
    return t.telegram.called("sendMessage")


async def go_on(t: Rig, until: int, *, at_most: float) -> None:
    """Time goes on, for the desk and for Telegram alike, until so many messages were sent."""
    end = t.tempo + at_most
    while len(sends(t)) < until:
        await t.house.delivery.catch_up()
        span = t.house.delivery._pace.soonest(1.0)
        t.tempo += span
        t.clock.advance(timedelta(seconds=span))
        assert t.tempo < end, f"only {len(sends(t))} of {until} were sent"


def begin(t: Rig, rates: Rates) -> None:
    """From now on Telegram's time is turned by hand, and it is strict."""
    t.telegram.times.clock = t.clock
    t.telegram.rates = rates


async def test_a_burst_is_sent_at_the_limit_and_never_above_it(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        rooms = [t.telegram.user(9000 + n, started=True).id for n in range(50)]
        begin(t, STRICT())
        await put(t, [notice(room, number) for number in range(6) for room in rooms])
        await go_on(t, 300, at_most=60)
        calls = sends(t)
        assert {call.outcome for call in calls} == {200}
        assert closest([call.at for call in calls], 30) >= 1.0
        ideal = 300 / 30
        assert calls[-1].at - calls[0].at < ideal * 1.05
        for room in rooms:
            heard = [message.text for message in t.telegram.chat(room).messages]
            assert heard == [f"notice {number} for {room}" for number in range(6)]


async def test_who_writes_during_a_burst_is_answered_first(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        rooms = [t.telegram.user(9000 + n, started=True).id for n in range(100)]
        begin(t, STRICT())
        await put(t, [notice(room, number) for number in range(2) for room in rooms])
        for turn in range(5):
            await go_on(t, len(sends(t)) + 20, at_most=60)
            writer = t.telegram.user(700 + turn, "Somebody", started=True)
            said_at = t.clock.now().timestamp()
            await writer.send("VPN drops every ten minutes")
            await t.heard()
            await t.house.router.catch_up()
            await go_on(t, len(sends(t)) + 2, at_most=60)
            answer = next(call for call in sends(t) if call.chat == writer.id)
            assert answer.at - said_at < 0.2
        assert {call.outcome for call in sends(t)} == {200}


async def test_edits_keep_a_private_conversation_waiting_for_nothing(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        begin(t, STRICT())
        await t.ivan.send("VPN drops every ten minutes")
        await t.heard()
        await t.house.router.catch_up()
        await go_on(t, 1, at_most=5)
        t.tempo += 2
        t.clock.advance(timedelta(seconds=2))
        shown = len(t.ivan.messages)
        await t.ivan.press(t.ivan.messages[-1], "The office")
        await t.heard()
        await t.house.router.catch_up()
        await t.house.delivery.catch_up()
        assert len(t.ivan.messages) == shown
        assert t.ivan.messages[-1].text == "Who is affected?"


async def test_a_long_text_and_its_files_are_as_many_messages(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        ivan = t.telegram.user(IVAN)
        begin(t, Rates())
        long = messages.to_facts(say(Plain("word " * 2000)))
        await put(t, [Parcel("message", {"message": long}, room=f"telegram:{IVAN}"), notice(IVAN, 1)])
        await go_on(t, 4, at_most=20)
        first, _, third, last = (call.at for call in sends(t))
        assert ivan.chat.texts[-1] == f"notice 1 for {IVAN}"
        assert third - first < 1.0, "what belongs together is shown together"
        assert last - first >= 3.0


async def test_people_reached_by_person_are_paced_like_rooms(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        await t.say(t.ivan, "hello")
        begin(t, STRICT())
        before = len(sends(t))
        words = [messages.to_facts(say(Plain(f"for you {number}"))) for number in range(5)]
        person = await t.database.read(partial(by_account, account=str(IVAN)))
        await put(t, [Parcel("message", {"message": each}, person=person) for each in words])
        await put(t, [notice(IVAN, number) for number in range(3)])
        await go_on(t, before + 8, at_most=20)
        fresh = sends(t)[before:]
        assert {call.outcome for call in fresh} == {200}
        assert closest([call.at for call in fresh], 1) >= 1.0


async def by_account(tx: Transaction, account: str) -> PersonId:
    person = await people.by_identity(tx, Identity("telegram", account))
    assert person is not None
    return person.id


async def test_a_group_is_written_to_twenty_times_a_minute(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        begin(t, Rates(group_burst=20))
        await put(t, [notice(GROUP, number) for number in range(50)])
        await go_on(t, 50, at_most=160)
        times = [call.at for call in sends(t)]
        assert {call.outcome for call in sends(t)} == {200}
        assert closest(times, 20) >= 60.0
        assert times[-1] - times[0] <= 45 * 3.1


async def test_the_limit_is_kept_in_real_time_too(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        rooms = [t.telegram.user(9000 + n, started=True).id for n in range(45)]
        t.telegram.rates = STRICT()
        house = main.build(t.settings, t.database, t.clock, pace=Pace())
        await put(t, [notice(room, number) for number in range(2) for room in rooms])
        running = asyncio.create_task(house.delivery.run())
        await t.telegram.until(lambda: len(sends(t)) == 90)
        running.cancel()
        await house.delivery.drain()
        await house.adapters["telegram"].close()  # type: ignore[attr-defined]
        assert {call.outcome for call in sends(t)} == {200}
