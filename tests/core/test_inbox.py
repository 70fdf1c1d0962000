"""The inbox: what was accepted is handled once, in order, whatever dies in between."""

import asyncio
import contextlib
import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select

from bot.incoming import Pressed
from core.database.transaction import Transaction
from core.inbox import actions as inbox
from core.inbox import store
from core.inbox.model import LONGEST, TRIES, Event, pause
from core.tickets import store as tickets
from tests.core.messenger import Messenger, hear, move_in
from tests.town import Town

SECOND = timedelta(seconds=1)


@pytest.fixture
def office(town: Town) -> Messenger:
    return move_in(town)


async def rows(town: Town) -> list[tuple[str, str]]:
    found = await town.database.read(lambda tx: tx.all(select(store.inbox).order_by(store.inbox.c.id)))
    return [(row.body["text"], row.state) for row in found]


async def said(town: Town) -> list[str]:
    """The words that reached the first ticket, in order."""
    return [message.text for message in await town.database.read(lambda tx: tickets.messages_of(tx, 1))]  # type: ignore[arg-type]


async def report(town: Town, office: Messenger) -> None:
    """A ticket of Zoe's, so that further words belong to it."""
    await hear(town, "zoe", "/new hello")
    await town.settle()
    while (send := _button(office, "button.send")) is None:
        await hear(town, "zoe", "1" + " " * len(office.asked))
        await town.settle()
    read = office.read
    office.read = lambda body: replace(read(body), what=Pressed(send))  # type: ignore[method-assign, type-var]
    await hear(town, "zoe", "press")
    await town.settle()
    del office.read


def _button(office: Messenger, key: str) -> str | None:
    """The code of a button that Zoe was shown last."""
    shown = [each.message for each in office.asked if each.room == "zoe" and each.message.rows][-1]
    choices = [choice for row in shown.rows for choice in row]
    return next((choice.code for choice in choices if getattr(choice.label, "key", "") == key), None)


# ---- order


async def test_a_conversation_is_handled_in_the_order_it_came(town: Town, office: Messenger) -> None:
    await report(town, office)
    words = [f"words {number}" for number in range(40)]
    for word in words:
        await hear(town, "zoe", word)
    await town.settle()
    assert (await said(town))[1:] == words


async def test_a_backlog_of_a_thousand_is_drained_in_order(town: Town, office: Messenger) -> None:
    people = [f"p{number}" for number in range(20)]
    for person in people:
        await hear(town, person, *(f"{person} says {number}" for number in range(50)))
    await town.restart()
    office = move_in(town)
    handled: list[str] = []
    read = office.read

    def watched(body):  # type: ignore[no-untyped-def]
        handled.append(body["text"])
        return read(body)

    office.read = watched  # type: ignore[method-assign]
    await town.settle()
    assert len(handled) == 1000
    assert {state for _, state in await rows(town)} == {"done"}
    for person in people:
        mine = [word for word in handled if word.startswith(f"{person} ")]
        assert mine == [f"{person} says {number}" for number in range(50)]


async def test_conversations_go_on_side_by_side(town: Town, office: Messenger) -> None:
    """No conversation waits until another's backlog is done."""
    await hear(town, "slow", *(f"slow {number}" for number in range(60)))
    await hear(town, "quick", "quick")
    handled: list[str] = []
    read = office.read
    office.read = lambda body: (handled.append(body["text"]), read(body))[1]  # type: ignore[method-assign]
    await town.settle()
    assert handled.index("quick") < 30


async def test_more_conversations_than_are_handled_at_once_are_all_handled(
    town: Town, office: Messenger
) -> None:
    for number in range(130):
        await hear(town, f"p{number}", "hello")
    await town.settle()
    assert {state for _, state in await rows(town)} == {"done"}


async def test_two_catching_up_at_once_handle_each_event_once(town: Town, office: Messenger) -> None:
    await report(town, office)
    words = [f"words {number}" for number in range(30)]
    await hear(town, "zoe", *words)
    await asyncio.gather(*(town.house.router.catch_up() for _ in range(3)))
    assert (await said(town))[1:] == words


# ---- duplicates


async def test_an_event_told_again_is_accepted_once(town: Town, office: Messenger) -> None:
    assert await hear(town, "zoe", "one", "two", "one") == 2
    assert await hear(town, "zoe", "one", "two", "three") == 1
    await town.settle()
    assert await hear(town, "zoe", "one", "three") == 0
    assert [text for text, _ in await rows(town)] == ["one", "two", "three"]


async def test_an_event_told_again_two_days_and_some_restarts_later_is_still_known(
    town: Town, office: Messenger
) -> None:
    await report(town, office)
    await hear(town, "zoe", "once")
    await town.settle()
    for _ in range(3):
        await town.restart()
        office = move_in(town)
        await town.later(timedelta(hours=16))
        assert await hear(town, "zoe", "once") == 0
        await town.settle()
    assert (await said(town)).count("once") == 1


async def test_the_same_key_from_another_account_or_messenger_is_another_event(town: Town) -> None:
    event = [Event("7", "room", {"text": "x"})]
    for platform, account in (("fake", "bot"), ("fake", "other"), ("also", "bot")):
        assert await town.database.write(lambda tx, p=platform, a=account: inbox.accept(tx, p, a, event)) == 1


async def test_shuffled_repeats_around_restarts_have_one_effect_each(town: Town, office: Messenger) -> None:
    chance = random.Random(7)
    await report(town, office)
    words = [f"words {number}" for number in range(12)]
    told = words[:]
    for word in words:
        for _ in range(chance.randint(1, 4)):
            told.insert(chance.randint(told.index(word) + 1, len(told)), word)
    for number, word in enumerate(told):
        await hear(town, "zoe", word)
        if number % 5 == 4:
            await town.restart()
            office = move_in(town)
        if number % 3 == 2:
            await town.settle()
    await town.settle()
    assert (await said(town))[1:] == words


async def test_what_was_accepted_before_the_process_died_is_handled_by_the_next(
    town: Town, office: Messenger
) -> None:
    await report(town, office)
    await hear(town, "zoe", "last words")
    await town.restart()
    move_in(town)
    await town.settle()
    assert (await said(town))[-1] == "last words"


# ---- poison


async def test_a_poison_event_is_parked_and_its_conversation_goes_on(town: Town, office: Messenger) -> None:
    await report(town, office)
    await hear(town, "zoe", "before", "poison", "after", "and after")
    await town.settle()
    assert (await said(town))[1:] == ["before"], "in order: what came later waits for the tries"
    await town.later(timedelta(seconds=40), step=SECOND)
    assert (await said(town))[1:] == ["before", "after", "and after"]
    assert [text for text, state in await rows(town) if state == "dead"] == ["poison"]
    (dead,) = await town.database.read(store.dead)
    assert dead.attempts == TRIES
    assert "ValueError" in dead.error


async def test_a_poison_event_holds_up_no_other_conversation(town: Town, office: Messenger) -> None:
    await hear(town, "zoe", "poison")
    await hear(town, "max", "hello")
    await town.settle()
    assert ("hello", "done") in await rows(town)


async def test_a_poison_event_is_not_tried_again_and_again_at_once(town: Town, office: Messenger) -> None:
    tries: list[str] = []
    read = office.read
    office.read = lambda body: (tries.append(body["text"]), read(body))[1]  # type: ignore[method-assign]
    await hear(town, "zoe", "poison")
    for attempts in range(1, TRIES):
        await town.settle()
        assert len(tries) == attempts
        await town.later(pause(attempts) - timedelta(milliseconds=1))
        assert len(tries) == attempts
        await town.later(timedelta(milliseconds=1))


async def test_whoever_said_what_was_parked_is_told(town: Town, office: Messenger) -> None:
    with failing_turns(town):
        await hear(town, "zoe", "odd")
        await town.later(timedelta(seconds=40), step=SECOND)
    assert office.texts("zoe") == ["told.parked"]


@contextlib.contextmanager
def failing_turns(town: Town) -> Iterator[None]:
    """While inside, every turn fails for a reason of its own."""
    turn = town.house.router._turn

    async def fails(*_: object) -> None:
        raise ZeroDivisionError

    town.house.router._turn = fails  # type: ignore[method-assign, assignment]
    yield
    town.house.router._turn = turn  # type: ignore[method-assign]


async def test_a_parked_event_can_be_replayed(town: Town, office: Messenger) -> None:
    await report(town, office)
    with failing_turns(town):
        await hear(town, "zoe", "kept")
        await town.later(timedelta(seconds=40), step=SECOND)
    assert "kept" not in await said(town)
    (dead,) = await town.database.read(store.dead)
    assert await town.database.write(lambda tx: inbox.replay(tx, dead.id))
    assert not await town.database.write(lambda tx: inbox.replay(tx, dead.id))
    await town.settle()
    assert (await said(town)).count("kept") == 1


async def test_a_replayed_event_that_still_fails_has_all_its_tries_and_is_parked_again(
    town: Town, office: Messenger
) -> None:
    await hear(town, "zoe", "poison")
    await town.later(timedelta(seconds=40), step=SECOND)
    (dead,) = await town.database.read(store.dead)
    await town.database.write(lambda tx: inbox.replay(tx, dead.id))
    await town.settle()
    assert await rows(town) == [("poison", "new")]
    await town.later(timedelta(seconds=40), step=SECOND)
    assert await rows(town) == [("poison", "dead")]


async def test_a_discarded_event_is_never_handled_and_still_known(town: Town, office: Messenger) -> None:
    await hear(town, "zoe", "poison")
    await town.later(timedelta(seconds=40), step=SECOND)
    (dead,) = await town.database.read(store.dead)
    assert await town.database.write(lambda tx: inbox.discard(tx, dead.id))
    assert not await town.database.write(lambda tx: inbox.replay(tx, dead.id))
    assert await hear(town, "zoe", "poison") == 0
    assert not await town.database.read(store.dead)


async def test_only_parked_events_can_be_replayed_or_discarded(town: Town, office: Messenger) -> None:
    await hear(town, "zoe", "hello")
    for act in (inbox.replay, inbox.discard):
        for number in (1, 999):
            assert not await town.database.write(lambda tx, act=act, number=number: act(tx, number))  # type: ignore[misc]


async def test_a_failed_turn_leaves_nothing_of_itself_behind(town: Town, office: Messenger) -> None:
    """Half a turn is no turn: what it did before it failed is undone with it."""
    await report(town, office)
    told = len(office.asked)

    def fails(*_: object) -> None:
        raise ZeroDivisionError

    town.house.metrics.handled = fails  # type: ignore[method-assign]
    await hear(town, "zoe", "half")
    await town.settle()
    assert "half" not in await said(town)
    assert len(office.asked) == told
    del town.house.metrics.handled
    await town.later(SECOND)
    assert (await said(town)).count("half") == 1


# ---- the clock


@pytest.mark.parametrize("back", [timedelta(seconds=5), timedelta(hours=2), timedelta(days=400)])
async def test_a_clock_that_is_set_back_holds_no_conversation_up(
    town: Town, office: Messenger, back: timedelta
) -> None:
    await report(town, office)
    await hear(town, "zoe", "before")
    town.clock.advance(-back)
    await hear(town, "zoe", "after")
    await town.settle()
    assert (await said(town))[1:] == ["before", "after"]


async def test_a_clock_that_is_set_back_leaves_a_try_waiting_no_longer_than_its_pause(
    town: Town, office: Messenger
) -> None:
    await hear(town, "zoe", "poison", "fine")
    await town.settle()
    town.clock.advance(-timedelta(hours=2))
    await town.later(timedelta(minutes=2), step=SECOND)
    assert await rows(town) == [("poison", "dead"), ("fine", "done")]


async def test_a_clock_that_is_set_back_leaves_what_was_put_off_waiting_no_longer_than_a_pause(
    town: Town, office: Messenger
) -> None:
    async def put_off(tx: Transaction) -> None:
        (waiting,) = await store.lanes(tx, 1)
        letter = await store.head(tx, waiting.lane)
        assert letter is not None
        await store.change(tx, letter.id, due_at=tx.now + LONGEST)

    await hear(town, "zoe", "fine")
    town.clock.advance(timedelta(hours=3))
    await town.database.write(put_off)
    town.clock.advance(-timedelta(hours=2))
    await town.later(timedelta(minutes=2), step=SECOND)
    assert await rows(town) == [("fine", "done")]
