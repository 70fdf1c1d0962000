"""Several processes share nothing but the database: each thing is done once, in order, by whoever lives."""

import asyncio
import itertools
import random
import threading
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from importlib import metadata
from pathlib import Path
from typing import Any

import pytest

from bot import main
from bot.adapters.port import Raw
from bot.main import House
from bot.router import Handled, Router, Tried
from bot.web.hub import Hub
from core.database import engine
from core.files.store import file_parts
from core.inbox import store as inbox
from core.kernel.errors import NotOurs
from core.leases import store as leases
from core.outbox import actions as outbox
from core.outbox.model import LEASE, Parcel
from core.outbox.store import outbox as table
from core.people import linking
from tests.faults.test_leases import pings
from tests.replicas import BEAT, TAKEOVER, Crew, crew

SECOND = timedelta(seconds=1)
AUDIT, POLLER = "the audit", "the hearing of Telegram"


@pytest.fixture
async def two(tmp_path: Path) -> AsyncIterator[Crew]:
    async with crew(tmp_path) as opened:
        yield opened


async def report(crew: Crew, who: str = "ivan") -> None:
    """A ticket whose first ping is due after a while."""
    person = crew.town[who]
    await person.say("VPN drops every ten minutes")
    for label in ("The office", "Only me", "Skip", "Nobody can work", "Send"):
        await person.press(label)


async def until(crew: Crew, done: Callable[[], Any], *, at_most: timedelta = TAKEOVER) -> timedelta:
    """How long it takes until that is so."""
    passed = timedelta(0)
    while not (found := done()) and passed < at_most:
        await crew.later(SECOND, step=SECOND)
        passed += SECOND
    assert found, f"not within {at_most}"
    return passed


def owner(crew: Crew, what: str) -> House:
    (found,) = [house for house in crew.working if house.replica.owns(what)]
    return found


# ---- who lives


async def test_each_knows_how_many_live_and_says_so(two: Crew) -> None:
    one, other = two.houses
    assert one.replica.id != other.replica.id
    for house in two.houses:
        assert house.replica.living == 2
        assert "2 live" in house.health()["replicas"].note
        assert house.metrics.registry.get_sample_value("deskbridge_replicas") == 2


async def test_who_joins_writes_down_which_version_it_is(two: Crew) -> None:
    town = two.town
    joined = main.build(town.settings, town.database, town.clock)
    await joined.replica.beat()
    versions = {each.id: each.version for each in await town.database.read(leases.all_replicas)}
    assert versions[joined.replica.id] == metadata.version("deskbridge")


async def test_whoever_says_nothing_is_known_to_be_dead_in_time(two: Crew) -> None:
    one, other = two.houses
    two.stop(one)
    passed = await until(two, lambda: other.replica.living == 1)
    assert passed >= timedelta(seconds=8), "and not before it could have been slow"


async def test_a_clean_end_is_known_at_once(two: Crew) -> None:
    one, other = two.houses
    two.stop(one)
    await one.replica.leave()
    await other.replica.beat()
    assert other.replica.living == 1
    assert all(office.ours for office in other.replica._offices.values())


async def test_who_was_taken_for_dead_and_wakes_up_is_one_of_them_again(two: Crew) -> None:
    one, other = two.houses
    two.stop(one)
    await two.later(TAKEOVER)
    assert [each.id for each in await two.town.database.read(leases.all_replicas)] == [other.replica.id]
    await two.wake(one)
    await two.later(BEAT)
    assert one.replica.living == other.replica.living == 2


async def test_a_machine_whose_clock_is_hours_off_is_not_taken_for_dead(two: Crew) -> None:
    for leap in (timedelta(hours=5), -timedelta(hours=5)):
        two.town.clock.advance(leap)
        for house in two.working:
            await house.replica.beat()
        await two.later(2 * BEAT)
        assert [house.replica.living for house in two.houses] == [2, 2]


async def test_who_ends_an_upgrade_says_meanwhile_that_it_lives(
    two: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    replica = two.houses[0].replica
    begun, over, again = threading.Event(), threading.Event(), asyncio.Event()
    usual = replica.beat

    def prepare(_: object) -> None:
        begun.set()
        over.wait(20)

    async def beat() -> None:
        await usual()
        if begun.is_set():
            again.set()

    monkeypatch.setattr(engine, "prepare", prepare)
    monkeypatch.setattr(replica, "beat", beat)
    running = asyncio.create_task(replica.run())
    try:
        assert await asyncio.to_thread(begun.wait, 5)
        await asyncio.wait_for(again.wait(), 5)
    finally:
        over.set()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


# ---- one share each


async def test_everything_is_the_share_of_exactly_one_and_about_as_much_of_each(two: Crew) -> None:
    names = [f"web/web/{number}" for number in range(400)]
    shares = [sum(house.replica.owns(name) for name in names) for house in two.houses]
    assert sum(shares) == 400
    assert min(shares) > 120


async def test_what_only_one_can_answer_is_its_own_while_it_lives(two: Crew) -> None:
    one, other = two.houses
    presses = [f"press:{number}{one.replica.mark}" for number in range(20)]
    assert all(one.replica.owns(press) for press in presses)
    assert not any(other.replica.owns(press) for press in presses)
    two.stop(one)
    await two.later(TAKEOVER)
    assert all(other.replica.owns(press) for press in presses)


async def test_the_limit_of_a_whole_messenger_is_divided_among_those_who_live(two: Crew) -> None:
    one, other = two.houses
    assert one.replica.living == 2
    two.stop(other)
    await two.later(TAKEOVER)
    assert one.replica.living == 1


# ---- the inbox


async def test_a_conversation_is_handled_once_and_in_order_whoever_has_the_turn(two: Crew) -> None:
    await report(two)
    chance = random.Random(7)
    words = [f"word {number}" for number in range(12)]
    for word in words:
        await two.town["ivan"].say(word, settle=False)
        if chance.random() < 0.3:
            await two.later(4 * SECOND)  # long enough for it to be anybody's
        work = [house.router.catch_up() for house in two.houses] + [
            house.delivery.catch_up() for house in two.houses
        ]
        chance.shuffle(work)
        await asyncio.gather(*work)
    await two.settle()
    told = [shown.text for shown in await two.town["anna"].thread(1) if shown.text in words]
    assert told == words


async def test_few_turns_find_nothing_to_do(two: Crew, monkeypatch: pytest.MonkeyPatch) -> None:
    turns: list[bool] = []
    handle = Router._handle_next

    async def counted(self: Router, tx: Any, *, lane: str, tried: Tried) -> Handled:
        handled = await handle(self, tx, lane=lane, tried=tried)
        turns.append(tried.letter is not None)
        return handled

    monkeypatch.setattr(Router, "_handle_next", counted)
    people = [f"somebody{number}" for number in range(10)]
    for number in range(5):
        for person in people:
            await two.town[person].say(f"hello {number}", settle=False)
        await asyncio.gather(*(house.router.catch_up() for house in two.houses))
    assert sum(turns) >= 50
    assert turns.count(False) <= len(turns) / 20


async def test_a_conversation_of_who_is_dead_is_gone_on_with_within_seconds(two: Crew) -> None:
    lane = "web/web/web:ivan"
    await two.town["ivan"].say("/new hello", settle=False)
    (waiting,) = await two.town.database.read(lambda tx: inbox.lanes(tx, 1))
    dead = owner(two, waiting.lane)
    two.stop(dead)
    await two.settle()
    assert await two.town.database.read(lambda tx: inbox.lanes(tx, 1)), lane
    await two.later(4 * SECOND)
    assert not await two.town.database.read(lambda tx: inbox.lanes(tx, 1))


async def test_an_event_that_somebody_fetches_for_is_nobody_elses_until_they_are_dead(two: Crew) -> None:
    one, other = two.houses
    await two.town["ivan"].say("/new hello", settle=False)
    (waiting,) = await two.town.database.read(lambda tx: inbox.lanes(tx, 1))
    database = two.town.database
    letter = await database.write(lambda tx: inbox.head(tx, waiting.lane, one.replica.id))
    assert letter is not None
    await database.write(lambda tx: inbox.hold(tx, letter.id, one.replica.id))
    two.town.clock.advance(timedelta(minutes=5))
    for house in two.houses:
        await house.replica.beat()
    assert await database.write(lambda tx: inbox.head(tx, waiting.lane, other.replica.id)) is None
    assert await database.write(lambda tx: inbox.head(tx, waiting.lane, one.replica.id)) is not None
    two.stop(one)
    await two.later(TAKEOVER)
    assert not await database.read(lambda tx: inbox.lanes(tx, 1)), "the other one has handled it"


async def test_a_failure_is_not_counted_against_the_event_behind_the_one_that_failed(
    two: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two.town["ivan"].say("/new hello", settle=False)
    await two.town["ivan"].say("it drops", settle=False)
    (waiting,) = await two.town.database.read(lambda tx: inbox.lanes(tx, 1))
    first = await two.town.database.write(lambda tx: inbox.head(tx, waiting.lane))
    assert first is not None
    failing = owner(two, waiting.lane).router
    turn, stumble = failing._turn, failing._stumble

    async def fails(*_: Any) -> None:
        monkeypatch.setattr(failing, "_turn", turn)
        raise ValueError("it fails here, and nowhere else")

    async def another_is_quicker(*told: Any) -> bool:
        await two.town.database.write(lambda tx: inbox.finish(tx, first.id))
        return await stumble(*told)

    monkeypatch.setattr(failing, "_turn", fails)
    monkeypatch.setattr(failing, "_stumble", another_is_quicker)
    await two.settle()
    letters = await two.town.database.read(lambda tx: tx.all(inbox.inbox.select()))
    assert [(each.state, each.attempts, each.error) for each in letters] == [("done", 0, None)] * 2


async def test_a_code_that_one_has_made_is_worded_by_the_other(
    two: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    await two.join()
    agreed = linking._SECRET
    monkeypatch.setattr(linking, "_SECRET", b"of another process")
    await two.join()
    assert agreed == linking._SECRET


# ---- timers


async def test_a_timer_in_dead_hands_fires_in_time_and_once(two: Crew) -> None:
    one, _ = two.houses
    await report(two)
    two.town.clock.advance(timedelta(seconds=16))
    held = await one.desk.claim_timers()
    assert held
    two.stop(one)
    await two.later(TAKEOVER)
    assert len(await pings(two.town)) == 1
    late = [await one.desk.fire(timer) for timer in held]
    assert not any(late), "it wakes up, and is too late"
    await two.wake(one)
    await two.settle()
    assert len(await pings(two.town)) == 1


async def test_a_timer_in_living_hands_is_left_to_them_however_long_that_takes(two: Crew) -> None:
    one, other = two.houses
    await report(two)
    two.town.clock.advance(timedelta(seconds=16))
    held = await one.desk.claim_timers()
    for _ in range(30):
        two.town.clock.advance(BEAT)
        for house in two.houses:
            await house.replica.beat()
    again = {timer.id for timer in await other.desk.claim_timers()}
    assert not again & {timer.id for timer in held}
    assert [await one.desk.fire(timer) for timer in held] == [True] * len(held)


async def test_several_claim_at_once_and_none_claims_what_another_has(two: Crew) -> None:
    for number in range(3):
        await report(two, f"user{number}")
    two.town.clock.advance(timedelta(seconds=16))
    shares = await asyncio.gather(*(house.desk.claim_timers(1) for house in two.houses * 3))
    claimed = [timer.id for share in shares for timer in share]
    assert len(claimed) == len(set(claimed)) >= 3


# ---- the outbox


async def stuck(crew: Crew, house: House) -> asyncio.Event:
    """A parcel that this process has claimed and is about to send: the event lets it go on."""
    go_on, post = asyncio.Event(), house.adapters["web"].post

    async def slow(*args: Any, **more: Any) -> Any:
        await go_on.wait()
        return await post(*args, **more)

    house.adapters["web"].post = slow  # type: ignore[method-assign]
    numbers = itertools.count()
    room = next(room for room in (f"web:@somebody{number}" for number in numbers) if house.replica.owns(room))
    await crew.town.database.write(lambda tx: outbox.put(tx, Parcel("told_parked", room=room)))
    assert await house.delivery._start_lanes() == 1
    await asyncio.sleep(0)
    return go_on


async def states(crew: Crew) -> list[tuple[str, str | None]]:
    rows = await crew.town.database.read(lambda tx: tx.all(table.select().order_by(table.c.id)))
    return [(row.state, row.holder) for row in rows]


async def test_a_parcel_in_dead_hands_is_sent_by_another_in_time(two: Crew) -> None:
    one, other = two.houses
    go_on = await stuck(two, one)
    two.stop(one)
    assert await states(two) == [("sending", one.replica.id)]
    await two.later(TAKEOVER)
    assert await states(two) == [("sent", other.replica.id)]
    go_on.set()  # the frozen one wakes up in the middle of sending: the messenger may have one copy more
    await one.delivery.drain()
    assert await states(two) == [("sent", other.replica.id)], "and nothing else comes of it"


async def test_a_parcel_that_its_holder_does_not_know_of_is_sent_by_it_whoever_has_that_share_now(
    two: Crew,
) -> None:
    one, other = two.houses
    numbers = itertools.count()
    room = next(room for room in (f"web:@somebody{number}" for number in numbers) if other.replica.owns(room))

    async def unanswered_claim(tx: Any) -> None:
        async def anything(*_: Any) -> bool:
            return True

        await outbox.put(tx, Parcel("told_parked", room=room))
        assert await outbox.claim(tx, frozenset(), 1, anything, one.replica.id)

    await two.town.database.write(unanswered_claim)
    await two.settle()
    assert await states(two) == [("sending", one.replica.id)]
    await two.later(LEASE + BEAT)
    assert await states(two) == [("sent", one.replica.id)]


async def test_a_parcel_in_living_hands_is_left_to_them_however_long_that_takes(two: Crew) -> None:
    one, other = two.houses
    go_on = await stuck(two, one)
    for _ in range(60):
        two.town.clock.advance(BEAT)
        for house in two.houses:
            await house.replica.beat()
        assert await other.delivery._start_lanes() == 0
    go_on.set()
    await one.delivery.drain()
    assert await states(two) == [("sent", one.replica.id)]


async def test_who_was_frozen_before_it_began_to_send_does_not(
    two: Crew, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, other = two.houses
    asked: list[str] = []
    room = next(room for room in (f"web:@x{n}" for n in range(99)) if one.replica.owns(room))
    await two.town.database.write(lambda tx: outbox.put(tx, Parcel("told_parked", room=room)))
    (job,) = await two.town.database.write(lambda tx: one.delivery._prepare(tx, frozenset(), 1))
    two.stop(one)
    await two.later(TAKEOVER)
    assert await states(two) == [("sent", other.replica.id)]

    async def post(*args: Any, **more: Any) -> Any:
        asked.append("post")

    one.adapters["web"].post = post  # type: ignore[method-assign]
    object.__setattr__(job, "claimed_at", job.claimed_at - 60)
    await one.delivery._send(job)
    assert asked == []


# ---- what one does for all


async def test_each_office_is_one_s_and_taken_over_in_time(two: Crew) -> None:
    for house in two.houses:
        house.replica.office(POLLER)
    await two.later(BEAT)
    one, other = two.houses
    for name in (AUDIT, "the sweep", POLLER):
        assert [house.replica.office(name).ours for house in two.houses].count(True) == 1
    holder = next(house for house in two.houses if house.replica.office(POLLER).ours)
    heir = other if holder is one else one
    two.stop(holder)
    await until(two, lambda: heir.replica.office(POLLER).ours)
    assert not holder.replica.office(POLLER).ours, "it knows by its own clock, before it asks anybody"


async def test_what_was_brought_under_a_lost_lease_is_not_kept(two: Crew) -> None:
    for house in two.houses:
        house.replica.office(POLLER)
    await two.later(BEAT)
    holder = next(house for house in two.houses if house.replica.office(POLLER).ours)
    office = holder.replica.office(POLLER)
    raw = Raw("1", "lane", {"text": "poison"})
    assert await holder.router.accept("web", "web", [raw], office=office) == 1
    two.stop(holder)
    await two.later(TAKEOVER)
    with pytest.raises(NotOurs):
        await holder.router.accept("web", "web", [Raw("2", "lane", {"text": "x"})], office=office)


async def test_one_audits_and_the_others_say_so(two: Crew) -> None:
    for house in two.houses:
        await house.audit.run_in_turn()
    done = [house.audit._finished is not None for house in two.houses]
    assert done.count(True) == 1
    idle = two.houses[done.index(False)]
    assert idle.audit.health().note == "another process audits"
    assert not idle.audit.vouches


async def test_who_counts_by_other_rules_than_the_tickets_were_counted_by_does_not_audit(two: Crew) -> None:
    auditor = next(house for house in two.houses if house.replica.office(AUDIT).ours)
    other = next(house for house in two.houses if house is not auditor)

    auditor.audit._desk.database = Counted(auditor.desk.database)  # type: ignore[assignment]
    await auditor.audit.run_in_turn()
    assert auditor.audit._finished is None
    await auditor.replica.beat()
    await other.replica.beat()
    await other.audit.run_in_turn()
    assert other.audit._finished is not None


class Counted:
    """A database whose tickets were counted by somebody else's rules."""

    def __init__(self, database: Any) -> None:
        self._database = database

    def __getattr__(self, name: str) -> Any:
        return getattr(self._database, name)

    async def survey(self, work: Any) -> Any:
        return False


# ---- files


async def test_a_file_that_came_to_one_is_given_out_by_the_other(two: Crew) -> None:
    one, other = two.houses
    body = random.Random(3).randbytes(700_000)
    await two.town["ivan"].say("see there", files=[("log.bin", body)])
    (name,) = [each.name for each in one.blobs.root.glob("??/*")]
    assert not other.blobs.path(name).exists()
    found = await asyncio.gather(*(other.blobs.here(name) for _ in range(3)))
    assert {path.read_bytes() for path in found} == {body}
    assert len(list(other.blobs.root.glob("??/*"))) == 1


async def test_a_file_that_is_not_whole_in_the_database_is_not_there_at_all(two: Crew) -> None:
    one, other = two.houses
    await two.town["ivan"].say("see there", files=[("log.bin", bytes(700_000))])
    (name,) = [each.name for each in one.blobs.root.glob("??/*")]
    await two.town.database.write(lambda tx: tx.execute(file_parts.delete().where(file_parts.c.place == 1)))
    with pytest.raises(LookupError):
        await other.blobs.here(name)
    assert list(other.blobs.root.glob("??/*")) == []


async def test_the_sweep_takes_the_bytes_of_loose_files_from_the_database_and_old_copies_from_disks(
    two: Crew,
) -> None:
    one, _ = two.houses

    async def chunks() -> AsyncIterator[bytes]:
        yield bytes(300_000)

    await one.blobs.keep(chunks())  # no file ever came of it
    two.town.clock.advance(timedelta(days=8))
    for house in two.houses:
        await house.replica.beat()
    for house in two.houses:
        await house.sweep.run()
    assert await two.town.database.read(lambda tx: tx.all(file_parts.select())) == []


# ---- everybody's page


async def test_words_said_to_one_are_shown_by_the_other(two: Crew) -> None:
    hub = Hub(two.town.database)
    ivan = two.town["ivan"]
    await ivan.say("hello")
    _, top = await hub.first(ivan.identity, [ivan.direct])
    with hub.stream() as heard:
        heard.clear()
        await ivan.say("and more")
        assert heard.is_set()
        fresh, _, _ = await hub.since(ivan.identity, [ivan.direct], top)
    assert fresh
