"""The outbox: at least once, in order, each conversation for itself, and never silently given up."""

import itertools
from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest
from sqlalchemy import select

from bot import message as messages
from bot.message import Choice, Message, Plain, say
from bot.pace import Pace
from core.database.transaction import Transaction
from core.kernel.errors import PermanentError, TemporaryError
from core.kernel.ids import ParcelId, PersonId, TicketId
from core.outbox import actions as outbox
from core.outbox import store
from core.outbox.model import LEASE, TRIES, Head, Parcel, Shown, pause
from tests.core.messenger import Messenger, move_in
from tests.town import Town

SECOND = timedelta(seconds=1)


@pytest.fixture
def office(town: Town) -> Messenger:
    return move_in(town)


def parcel(text: str, room: str = "a", **more: object) -> Parcel:
    return Parcel("message", {"message": messages.to_facts(say(Plain(text)))}, room=f"fake:{room}", **more)  # type: ignore[arg-type]


async def put(town: Town, *parcels: Parcel) -> None:
    for each in parcels:
        await town.database.write(partial(outbox.put, parcel=each))


async def states(town: Town) -> list[str]:
    rows = await town.database.read(lambda tx: tx.all(select(store.outbox).order_by(store.outbox.c.id)))
    return [row.state for row in rows if row.room and row.room.startswith("fake:")]


async def anybody(tx: Transaction, head: Head) -> bool:
    return True


async def claim(town: Town) -> list[Parcel]:
    return await town.database.write(lambda tx: outbox.claim(tx, frozenset(), 100, anybody))


async def settle(town: Town, held: Parcel) -> bool:
    shown = Shown("fake:a", f"late-{held.fence}")
    return await town.database.write(lambda tx: outbox.settle(tx, held, shown, None))


# ---- order


async def test_a_conversation_hears_what_was_put_in_the_order_it_was_put(
    town: Town, office: Messenger
) -> None:
    await put(town, *(parcel(str(number)) for number in range(50)))
    await town.settle()
    assert office.texts("a") == [str(number) for number in range(50)]
    assert set(await states(town)) == {"sent"}


async def test_order_holds_through_failures_of_every_kind(town: Town, office: Messenger) -> None:
    office.answers["a"].extend(
        [TemporaryError("busy"), TemporaryError("gone?", unknown=True), TemporaryError("slow", delay=SECOND)]
        * 3
    )
    await put(town, *(parcel(str(number)) for number in range(5)))
    await town.settle()
    await town.later(timedelta(minutes=5), step=SECOND)
    heard = list(dict.fromkeys(office.texts("a")))
    assert heard == ["0", "1", "2", "3", "4"]
    assert office.texts("a") == sorted(office.texts("a"))


async def test_trouble_in_one_conversation_delays_no_other(town: Town, office: Messenger) -> None:
    office.always["a"] = TemporaryError("down")
    await put(town, parcel("first", "a"), parcel("second", "b"), parcel("third", "a"), parcel("fourth", "b"))
    await town.settle()
    assert office.texts("b") == ["second", "fourth"]
    assert office.texts("a") == ["first"]


async def test_a_parcel_that_cannot_be_worded_delays_no_other(town: Town, office: Messenger) -> None:
    broken = Parcel("message", {"message": "no message at all"}, room="fake:a")
    await put(town, broken, parcel("fine", "b"))
    await town.settle()
    assert office.texts("b") == ["fine"]


# ---- slots


async def test_many_refreshes_that_wait_become_one_with_the_newest_words(
    town: Town, office: Messenger
) -> None:
    await put(town, *(parcel(str(number), slot="card") for number in range(100)))
    await town.settle()
    assert office.texts("a") == ["99"]
    await put(town, *(parcel(str(number), slot="card") for number in range(100, 200)))
    await town.settle()
    assert [(each.verb, each.text) for each in office.asked] == [("post", "99"), ("edit", "199")]


async def test_a_slot_keeps_its_place_among_the_others(town: Town, office: Messenger) -> None:
    await put(town, parcel("old", slot="s"), parcel("between"), parcel("new", slot="s"))
    await town.settle()
    assert office.texts("a") == ["new", "between"]


async def test_the_same_slot_in_another_room_is_another_message(town: Town, office: Messenger) -> None:
    await put(town, parcel("here", "a", slot="s"), parcel("there", "b", slot="s"))
    await town.settle()
    assert [(each.verb, each.room) for each in office.asked] == [("post", "a"), ("post", "b")]


async def test_what_may_have_arrived_is_not_overwritten_but_followed(town: Town, office: Messenger) -> None:
    """The other side may know the nonce with the old words: the new ones must come as an edit."""
    office.answers["a"].append(TemporaryError("no answer", unknown=True))
    await put(town, parcel("old", slot="s"))
    await town.settle()
    await put(town, parcel("new", slot="s"))
    await town.later(SECOND)
    assert [(each.verb, each.text) for each in office.asked] == [
        ("post", "old"),
        ("post", "old"),
        ("edit", "new"),
    ]


async def test_what_may_have_arrived_in_older_words_is_brought_up_to_date(
    town: Town, office: Messenger
) -> None:
    """A messenger that knows the nonce shows the words of the first try: the newest come as an edit."""
    office.answers["a"].append(TemporaryError("no answer", unknown=True))
    await put(town, parcel("words", slot="s"), parcel("no slot"))
    await town.settle()
    await town.later(SECOND)
    assert [(each.verb, each.text) for each in office.asked] == [
        ("post", "words"),
        ("post", "words"),
        ("post", "no slot"),
        ("edit", "words"),
    ]
    await town.later(timedelta(hours=1))
    assert len(office.asked) == 4


async def test_bringing_up_to_date_never_stands_in_the_way_of_taking_back(
    town: Town, office: Messenger
) -> None:
    office.answers["a"].append(TemporaryError("no answer", unknown=True))
    await put(town, parcel("words", slot="s"))
    await town.settle()
    await put(town, parcel("", slot="s", retract=True))
    await town.later(SECOND)
    assert [each.verb for each in office.asked] == ["post", "post", "delete"]
    assert not await town.database.read(lambda tx: store.posts_of_slot(tx, "s"))


async def test_what_is_being_sent_is_not_overwritten_but_followed(town: Town, office: Messenger) -> None:
    await put(town, parcel("old", slot="s"))
    (held,) = await claim(town)
    await put(town, parcel("new", slot="s"))
    assert await settle(town, held)
    await town.settle()
    assert [(each.verb, each.text) for each in office.asked] == [("edit", "new")]


async def test_a_message_that_is_taken_back_is_deleted_once(town: Town, office: Messenger) -> None:
    await put(town, parcel("oops", slot="s"))
    await town.settle()
    await put(town, parcel("", slot="s", retract=True), parcel("", slot="s", retract=True))
    await town.settle()
    assert [each.verb for each in office.asked] == ["post", "delete"]


async def test_what_is_taken_back_before_it_went_out_is_never_shown(town: Town, office: Messenger) -> None:
    await put(town, parcel("oops", slot="s"), parcel("", slot="s", retract=True))
    await town.settle()
    assert office.asked == []
    assert await states(town) == ["dropped"]


# ---- failures


async def test_the_pauses_between_tries_grow_and_have_an_end() -> None:
    pauses = [pause(attempts) for attempts in range(1, 40)]
    assert pauses == sorted(pauses)
    assert pauses[0] <= SECOND
    assert pauses[-1] == timedelta(seconds=300)


async def test_no_try_comes_before_its_time(town: Town, office: Messenger) -> None:
    office.always["a"] = TemporaryError("down")
    await put(town, parcel("x"))
    await town.settle()
    for attempts in range(1, 6):
        assert len(office.asked) == attempts
        await town.later(pause(attempts) - timedelta(milliseconds=1))
        assert len(office.asked) == attempts
        await town.later(timedelta(milliseconds=1))


async def test_after_too_many_tries_it_is_a_dead_letter_and_the_next_one_goes_out(
    town: Town, office: Messenger
) -> None:
    office.answers["a"].extend([TemporaryError("down")] * TRIES)
    await put(town, parcel("never"), parcel("next"))
    await town.settle()
    await town.later(timedelta(hours=1), step=timedelta(seconds=30))
    assert office.texts("a") == ["never"] * TRIES + ["next"]
    assert await states(town) == ["dead", "sent"]


async def test_a_delay_the_messenger_asks_for_is_obeyed_and_costs_no_try(
    town: Town, office: Messenger
) -> None:
    office.answers["a"].extend([TemporaryError("slow down", delay=timedelta(seconds=20))] * (TRIES + 3))
    await put(town, parcel("patient"))
    await town.settle()
    for tries in range(1, TRIES + 4):
        assert len(office.asked) == tries
        await town.later(timedelta(seconds=19, milliseconds=999))
        assert len(office.asked) == tries
        await town.later(timedelta(milliseconds=1))
    assert await states(town) == ["sent"]


async def test_an_unknown_outcome_is_tried_again_with_the_same_nonce(town: Town, office: Messenger) -> None:
    office.answers["a"].extend([TemporaryError("no answer", unknown=True), TemporaryError("busy")])
    await put(town, parcel("x"))
    await town.settle()
    assert await states(town) == ["uncertain"]
    await town.later(pause(1))
    assert await states(town) == ["uncertain"], "what may have arrived stays so, whatever happens next"
    await town.later(pause(2))
    assert await states(town) == ["sent"]
    assert len(office.nonces("a")) == 3
    assert len(set(office.nonces("a"))) == 1


async def test_different_messages_never_share_a_nonce(town: Town, office: Messenger) -> None:
    await put(town, *(parcel(str(number)) for number in range(20)))
    await town.settle()
    assert len(set(office.nonces("a"))) == 20


async def test_a_permanent_failure_is_not_repeated_and_the_next_one_goes_out(
    town: Town, office: Messenger
) -> None:
    office.answers["a"].append(PermanentError("blocked", code="blocked"))
    await put(town, parcel("never"), parcel("next"))
    await town.settle()
    await town.later(timedelta(hours=1))
    assert office.texts("a") == ["never", "next"]
    assert await states(town) == ["dead", "sent"]


async def test_an_adapters_own_fault_is_tried_again_and_concerns_this_parcel_alone(
    town: Town, office: Messenger
) -> None:
    office.answers["a"].append(ZeroDivisionError())
    await put(town, parcel("x", "a"), parcel("y", "b"))
    await town.settle()
    assert await states(town) == ["uncertain", "sent"]
    await town.later(SECOND)
    assert await states(town) == ["sent", "sent"]


async def test_a_messenger_that_is_not_there_is_a_dead_letter(town: Town) -> None:
    await put(town, parcel("x"))
    await town.settle()
    assert await states(town) == ["dead"]


async def test_a_reply_that_cannot_be_delivered_is_told_in_the_tickets_thread(town: Town) -> None:
    ivan, anna = town["ivan"], town["anna"]
    await _report(town)
    web = town.house.adapters["web"]

    class Blocked:
        def __getattr__(self, name: str) -> object:
            return getattr(web, name)

        async def post(self, to, message, reader, nonce, *, again=False):  # type: ignore[no-untyped-def]
            if to.room == ivan.direct and message.tone == "reply":
                raise PermanentError("they have blocked the desk", code="blocked")
            return await web.post(to, message, reader, nonce)

    town.house.adapters["web"] = Blocked()  # type: ignore[index]
    await anna.say("/reply 1 Please restart it")
    assert not [shown for shown in await ivan.sees() if "restart" in shown]
    timeline = [event.kind for event in await _timeline(town)]
    assert timeline[-1] == "undelivered"
    assert [shown for shown in await anna.thread(1) if "Could not be delivered" in shown]
    [reply] = [shown for shown in await anna.thread(1) if "Please restart it" in shown]
    assert "Not delivered to the requester" in reply
    assert "On its way" not in reply


async def test_what_tells_of_nothing_that_happened_is_dropped(town: Town) -> None:
    await _report(town)
    facts = {"at": town.clock.now().isoformat(), "message": 1}
    for kind, slot in (("undelivered", "undelivered:1:"), ("told_resolved", "fixed:1:")):
        told = Parcel(kind, facts, room="web:u-ivan", person=PersonId(1), ticket=TicketId(1), slot=slot + "x")
        await put(town, told)
    await town.settle()
    rows = await town.database.read(lambda tx: tx.all(select(store.outbox).order_by(store.outbox.c.id)))
    assert [row.state for row in rows[-2:]] == ["dropped", "dropped"]


async def _report(town: Town) -> None:
    ivan = town["ivan"]
    await ivan.say("/new VPN drops")
    for _ in range(6):
        buttons = (await ivan.last()).buttons
        if "Send" in buttons:
            await ivan.press("Send")
            return
        await ivan.press(next(each for each in ("Skip", "Nobody can work", *buttons) if each in buttons))


async def _timeline(town: Town):  # type: ignore[no-untyped-def]
    from core.tickets import store as tickets

    return await town.database.read(lambda tx: tickets.timeline(tx, 1))


# ---- dead letters


async def test_a_dead_letter_can_be_replayed_and_keeps_its_nonce(town: Town, office: Messenger) -> None:
    office.answers["a"].append(PermanentError("blocked"))
    await put(town, parcel("x"))
    await town.settle()
    (dead,) = await town.database.read(store.dead)
    assert await town.database.write(lambda tx: outbox.replay(tx, ParcelId(dead.id)))
    assert not await town.database.write(lambda tx: outbox.replay(tx, ParcelId(dead.id)))
    await town.settle()
    assert office.texts("a") == ["x", "x"]
    assert len(set(office.nonces("a"))) == 1
    assert await states(town) == ["sent"]


async def test_a_replayed_dead_letter_has_all_its_tries_again(town: Town, office: Messenger) -> None:
    office.answers["a"].extend([TemporaryError("down")] * (TRIES + 1))
    await put(town, parcel("x"))
    await town.settle()
    await town.later(timedelta(hours=1), step=timedelta(seconds=30))
    (dead,) = await town.database.read(store.dead)
    await town.database.write(lambda tx: outbox.replay(tx, ParcelId(dead.id)))
    await town.settle()
    assert await states(town) == ["uncertain"]
    await town.later(SECOND)
    assert await states(town) == ["sent"]


async def test_a_discarded_dead_letter_is_never_sent(town: Town, office: Messenger) -> None:
    office.answers["a"].append(PermanentError("blocked"))
    await put(town, parcel("x"))
    await town.settle()
    (dead,) = await town.database.read(store.dead)
    assert await town.database.write(lambda tx: outbox.discard(tx, ParcelId(dead.id)))
    assert not await town.database.write(lambda tx: outbox.replay(tx, ParcelId(dead.id)))
    await town.later(timedelta(hours=1))
    assert office.texts("a") == ["x"]
    assert not await town.database.read(store.dead)


async def test_only_dead_letters_can_be_replayed_or_discarded(town: Town, office: Messenger) -> None:
    await put(town, parcel("x"))
    for act in (outbox.replay, outbox.discard):
        assert not await town.database.write(lambda tx, act=act: act(tx, ParcelId(1)))  # type: ignore[misc]
        assert not await town.database.write(lambda tx, act=act: act(tx, ParcelId(999)))  # type: ignore[misc]


# ---- leases and fences


async def test_a_claimed_parcel_is_nobody_elses_until_the_lease_is_over(town: Town) -> None:
    await put(town, parcel("x"), parcel("y"))
    (held,) = await claim(town)
    assert await claim(town) == [], "nor does the next one of the lane overtake it"
    town.clock.advance(LEASE - timedelta(microseconds=1))
    assert await claim(town) == []
    town.clock.advance(timedelta(microseconds=1))
    (again,) = await claim(town)
    assert again.id == held.id
    assert again.fence == held.fence + 1


async def test_what_was_claimed_by_hands_that_died_may_have_arrived(town: Town) -> None:
    await put(town, parcel("x"))
    await claim(town)
    town.clock.advance(LEASE)
    (again,) = await claim(town)
    assert again.uncertain


async def test_a_late_settler_changes_nothing(town: Town, office: Messenger) -> None:
    await put(town, parcel("x", slot="s"))
    (late,) = await claim(town)
    town.clock.advance(LEASE)
    (held,) = await claim(town)
    assert not await settle(town, late)
    await town.database.write(lambda tx: outbox.drop(tx, late))
    await town.database.write(lambda tx: outbox.retracted(tx, late, None))
    await town.database.write(lambda tx: outbox.retry(tx, late, "late", delay=None, unknown=False))
    assert not await town.database.write(lambda tx: outbox.give_up(tx, late, "late"))
    assert await states(town) == ["sending"]
    assert not await town.database.read(lambda tx: store.posts_of_slot(tx, "s"))
    assert await settle(town, held)
    assert await states(town) == ["sent"]
    assert not await settle(town, late)
    assert [post.remote for post in await town.database.read(lambda tx: store.posts_of_slot(tx, "s"))] == [
        "late-2"
    ]


async def test_a_late_settler_does_not_undo_what_the_next_one_did(town: Town) -> None:
    await put(town, parcel("x", slot="s"))
    (late,) = await claim(town)
    town.clock.advance(LEASE)
    (held,) = await claim(town)
    assert await settle(town, held)
    await town.database.write(lambda tx: outbox.retry(tx, late, "late", delay=None, unknown=True))
    assert not await town.database.write(lambda tx: outbox.give_up(tx, late, "late"))
    assert await states(town) == ["sent"]


async def test_a_settler_whose_parcel_another_process_took_back_still_counts_only_once(town: Town) -> None:
    await put(town, parcel("x", slot="s"))
    (late,) = await claim(town)
    await town.restart()
    office = move_in(town)
    await town.settle()
    posted = [nonce for nonce in office.nonces("a") if nonce]  # and an edit, should its words be older
    assert posted == [f"parcel-{late.id}"]
    assert not await settle(town, late)
    assert len(await town.database.read(lambda tx: store.posts_of_slot(tx, "s"))) == 1


async def test_what_is_settled_twice_stands_once(town: Town) -> None:
    """No answer came to the commit, though it was done: whoever settles it tries again."""
    await put(town, parcel("x", slot="s"))
    (held,) = await claim(town)
    assert await settle(town, held)
    assert not await settle(town, held)
    await town.database.write(lambda tx: outbox.retry(tx, held, "late", delay=None, unknown=True))
    assert await states(town) == ["sent"]
    assert len(await town.database.read(lambda tx: store.posts_of_slot(tx, "s"))) == 1


async def test_a_new_process_takes_back_at_once_what_the_dead_one_held(town: Town) -> None:
    await put(town, parcel("x", "a"), parcel("y", "b"), parcel("z", "a"))
    assert len(await claim(town)) == 2
    await town.restart()
    assert await states(town) == ["uncertain", "uncertain", "pending"]
    office = move_in(town)
    await town.settle()
    assert office.texts("a") == ["x", "z"]
    assert office.texts("b") == ["y"]


# ---- the clock


@pytest.mark.parametrize("back", [timedelta(seconds=40), timedelta(hours=2), timedelta(days=400)])
async def test_a_clock_that_is_set_back_holds_nothing_up(
    town: Town, office: Messenger, back: timedelta
) -> None:
    office.answers["a"].extend([TemporaryError("busy")] * 3)
    await put(town, parcel("tried", "a"))
    await town.settle()
    await town.later(SECOND * 2, step=SECOND)
    await put(town, parcel("fresh", "b"))
    town.clock.advance(-back)
    await town.settle()
    assert office.texts("b") == ["fresh"]
    await town.later(timedelta(minutes=6), step=timedelta(seconds=30))
    assert await states(town) == ["sent", "sent"]


async def test_a_clock_that_is_set_back_holds_nothing_up_that_the_messenger_had_put_off(
    town: Town, office: Messenger
) -> None:
    town.house.delivery._pace = Pace(map(float, itertools.count()).__next__)
    office.always["a"] = TemporaryError("slow down", delay=SECOND * 7)
    await put(town, parcel("old"))
    await town.later(timedelta(hours=3), step=timedelta(hours=1))
    office.always.clear()
    town.clock.advance(-timedelta(hours=2))
    await town.later(timedelta(minutes=6), step=timedelta(seconds=30))
    assert await states(town) == ["sent"]


async def test_a_clock_that_is_set_back_frees_what_dead_hands_hold(town: Town) -> None:
    await put(town, parcel("x"))
    await claim(town)
    town.clock.advance(-timedelta(hours=2))
    (again,) = await claim(town)
    assert again.fence == 2


async def test_a_clock_that_jumps_ahead_sends_nothing_twice(town: Town, office: Messenger) -> None:
    await put(town, parcel("x"))
    await town.settle()
    await town.later(timedelta(days=400))
    assert office.texts("a") == ["x"]


async def test_an_empty_message_is_a_message(town: Town, office: Messenger) -> None:
    await put(town, Parcel("message", {"message": messages.to_facts(Message(()))}, room="fake:a"))
    await town.settle()
    assert await states(town) == ["sent"]


async def test_what_is_gone_is_shown_anew_only_where_it_asks_something(town: Town, office: Messenger) -> None:
    asks = messages.to_facts(say(Plain("Sure?"), rows=[[Choice("d.1.1.yes", Plain("Yes"))]]))
    for room, second in (("a", asks), ("b", messages.to_facts(say(Plain("Done."))))):
        first = Parcel("message", {"message": asks}, room=f"fake:{room}", slot="question")
        await put(town, first)
        await town.settle()
        office.answers[room].append(PermanentError("deleted", code="gone"))
        await put(town, replace(first, facts={"message": second}))
        await town.settle()
    assert [each.verb for each in office.asked] == ["post", "edit", "post", "post", "edit"]
    assert await states(town) == ["sent", "sent", "sent", "dropped"]
