"""Bad days of Telegram: nobody's trouble is anybody else's, nothing is lost, nothing is tried in a hurry."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import func, select

from bot import message as messages
from bot.adapters.telegram import hearing, store
from bot.message import Plain, say
from core.database.transaction import Transaction
from core.inbox import store as inbox
from core.kernel.errors import TemporaryError
from core.outbox import actions as outbox
from core.outbox import store as parcels
from core.outbox.model import Parcel
from tests.emulators.telegram import Call, Rates, User
from tests.emulators.telegram.faults import Kind
from tests.telegram.rig import Rig, rig

STEP = 1.0
AWAY = 1500.0
"""Seconds in which a parcel would long have used up its tries."""
FLOW = ("The office", "Only me", "Skip", "Nobody can work", "Send")


def sends(t: Rig, user: User | None = None) -> list[Call]:
    return [call for call in t.telegram.called("sendMessage") if user is None or call.chat == user.id]


def crowd(t: Rig, count: int) -> list[User]:
    """People who know the bot; and Telegram's time is turned by hand from now on."""
    t.telegram.times.clock = t.clock
    return [t.telegram.user(9000 + n, started=True) for n in range(count)]


async def tell(t: Rig, people: Sequence[User], rounds: int) -> None:
    """Everybody is to hear so many messages, each with words of its own."""

    async def work(tx: Transaction) -> None:
        for number in range(rounds):
            for user in people:
                words = messages.to_facts(say(Plain(f"{number} for {user.id}")))
                await outbox.put(tx, Parcel("message", {"message": words}, room=f"telegram:{user.id}"))

    await t.telegram.until(lambda: t.telegram.called("getUpdates"), what="the desk to be connected")
    await t.database.write(work)


def expected(people: Sequence[User], rounds: int) -> dict[int, list[str]]:
    return {user.id: [f"{number} for {user.id}" for number in range(rounds)] for user in people}


def heard(people: Sequence[User]) -> dict[int, list[str]]:
    return {user.id: [message.text for message in user.messages if message.by_bot] for user in people}


async def states(t: Rig) -> Counter[str]:
    counted = select(parcels.outbox.c.state, func.count()).group_by(parcels.outbox.c.state)
    rows = await t.database.read(lambda tx: tx.all(counted))
    return Counter({str(state): count for state, count in rows})


async def pass_time(t: Rig, seconds: float, *, step: float = STEP) -> None:
    """Time goes on until nothing waits any more, or so long."""
    end = t.tempo + seconds
    while t.tempo < end:
        await t.house.delivery.catch_up()
        if not set(await states(t)) - {"sent", "dead", "dropped"}:
            return
        span = min(max(t.house.delivery._pace.soonest(step), 0.01), end - t.tempo)
        t.tempo += span
        t.clock.advance(timedelta(seconds=span))


# ---- asked to wait


async def test_nobody_is_written_to_before_their_wait_is_over_and_everything_arrives_in_order(
    tmp_path: Path,
) -> None:
    async with rig(tmp_path) as t:
        people = crowd(t, 40)
        t.telegram.fail("sendMessage", "429", -1, share=0.3, retry_after=3)
        await tell(t, people, 4)
        await pass_time(t, 600)
        assert heard(people) == expected(people, 4)
        refused = [call for call in sends(t) if call.outcome == 429]
        assert len(refused) > 30
        assert [call for call in sends(t) if call.early] == []


async def test_real_flood_control_never_strikes_twice_in_a_chat(tmp_path: Path) -> None:
    """Someone else uses up the same bot's allowance: we come too fast without knowing it."""
    async with rig(tmp_path) as t:
        people = crowd(t, 20)
        t.telegram.rates = Rates(private_per_second=0.2, private_burst=1)
        await tell(t, people, 3)
        await pass_time(t, 600)
        assert heard(people) == expected(people, 3)
        assert [call for call in sends(t) if call.early] == []


async def test_a_chat_that_must_wait_keeps_nobody_else_waiting(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        slow, *others = people = crowd(t, 31)
        t.telegram.flood(slow, 30)
        began = t.clock.now().timestamp()
        await tell(t, people, 3)
        await pass_time(t, 10)
        assert heard(others) == expected(others, 3)
        assert max(call.at for call in sends(t) if call.outcome == 200) - began < 5
        await pass_time(t, 60)
        assert heard(people) == expected(people, 3)
        assert len(sends(t, slow)) == 4
        assert sends(t, slow)[1].at - began >= 30
        assert [call for call in sends(t) if call.early] == []


async def test_a_wait_costs_no_try_however_often_it_is_asked_for(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        (ivan,) = people = crowd(t, 1)
        t.telegram.fail("sendMessage", "429", 30, retry_after=7)
        await tell(t, people, 1)
        await pass_time(t, 1000)
        assert heard(people) == expected(people, 1)
        assert len(sends(t, ivan)) == 31


# ---- answers that never came


async def test_an_answer_that_was_lost_costs_at_most_one_copy(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        people = crowd(t, 40)
        t.telegram.fail("sendMessage", "cut after", -1, share=0.1)
        await tell(t, people, 5)
        await pass_time(t, 900)
        lost = Counter(call.values["text"] for call in sends(t) if call.fault == "cut after")
        assert sum(lost.values()) > 5
        for user in people:
            texts = [message.text for message in user.messages]
            assert list(dict.fromkeys(texts)) == expected([user], 5)[user.id]
            assert all(count - 1 <= lost[text] for text, count in Counter(texts).items())
        assert await states(t) == {"sent": 200}


@pytest.mark.parametrize("kind", ["500", "502 html", "503 empty", "200 not ok", "cut before", "not json"])
async def test_what_was_not_performed_arrives_once(tmp_path: Path, kind: Kind) -> None:
    async with rig(tmp_path) as t:
        people = crowd(t, 10)
        t.telegram.fail("sendMessage", kind, -1, share=0.4)
        await tell(t, people, 3)
        await pass_time(t, 900)
        assert heard(people) == expected(people, 3)


async def test_half_an_answer_is_one_that_was_lost(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        people = crowd(t, 3)
        t.telegram.fail("sendMessage", "truncated", 2)
        await tell(t, people, 1)
        await pass_time(t, 60)
        assert sum(len(texts) for texts in heard(people).values()) == 5
        assert await states(t) == {"sent": 3}


# ---- half an hour without Telegram


@pytest.mark.parametrize("trouble", ["502 html", "401"])
async def test_a_long_time_without_telegram_loses_nothing_and_makes_no_storm(
    tmp_path: Path, trouble: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hearing, "LONGEST_PAUSE", 0.2)
    async with rig(tmp_path) as t:
        people = crowd(t, 8)
        await t.telegram.until(lambda: t.telegram.polling.listening)
        t.telegram.fail("*", trouble, -1)
        await people[0].send("hello?")  # the poller notices
        await t.telegram.until(lambda: t.house.health()["telegram"].detail)
        await tell(t, people, 3)
        await pass_time(t, AWAY, step=5.0)
        tries = len(sends(t))
        assert set(await states(t)) <= {"pending", "uncertain"}
        assert tries < AWAY, "less than one call a second"
        t.telegram.heal()
        await t.telegram.until(lambda: not t.house.health()["telegram"].detail)
        await pass_time(t, 120)
        assert heard(people) == expected(people, 3)


# ---- what time does not mend


async def reported(t: Rig) -> None:
    """A ticket of Ivan's, taken by Anna."""
    await t.say(t.ivan, "VPN drops every ten minutes")
    for label in FLOW:
        await t.press(t.ivan, label)
    await t.press(t.anna, "Take it", t.group)


def thread(t: Rig) -> list[str]:
    return [message.text for message in t.group.messages if message.by_bot]


@pytest.mark.parametrize("how", ["blocked", "deactivated", "chat not found"])
async def test_who_cannot_be_reached_is_tried_once_and_the_ticket_says_so(tmp_path: Path, how: str) -> None:
    async with rig(tmp_path) as t:
        await reported(t)
        card = next(message for message in t.group.messages if message.by_bot and "#1" in message.text)
        if how == "blocked":
            await t.ivan.block_bot()
        elif how == "deactivated":
            t.ivan.deactivate()
        else:
            t.telegram.fail("sendMessage", "400", -1, chat=t.ivan.id, text="Bad Request: chat not found")
        before, said = len(sends(t, t.ivan)), len(thread(t))
        await t.say(t.anna, "/reply Please restart it", chat=t.group, thread=card.thread)
        for _ in range(10):
            await t.later(timedelta(minutes=1))
        assert len(sends(t, t.ivan)) - before == 1
        told = [text for text in thread(t)[said:] if "⚠️" in text]
        assert len(told) == 1, thread(t)[said:]
        await t.say(t.anna, "just between us", chat=t.group, thread=card.thread)
        assert len(sends(t, t.ivan)) - before == 1


async def test_words_that_are_refused_are_told_and_the_conversation_goes_on(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        await reported(t)
        card = next(message for message in t.group.messages if message.by_bot and "#1" in message.text)
        before = len(sends(t, t.ivan))
        t.telegram.fail("sendMessage", "400", 1, chat=t.ivan.id, text="Bad Request: MESSAGE_POISONED")
        await t.say(t.anna, "/reply poison", chat=t.group, thread=card.thread)
        await t.say(t.anna, "/reply medicine", chat=t.group, thread=card.thread)
        for _ in range(10):
            await t.later(timedelta(minutes=1))
        assert len(sends(t, t.ivan)) - before <= 3
        assert any("medicine" in text for text in heard([t.ivan])[t.ivan.id])


async def test_words_that_break_telegram_each_time_are_given_up_and_stop_nobody_else(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        poisoned, *others = people = crowd(t, 5)
        t.telegram.fail("sendMessage", "500", 12, chat=poisoned.id)
        await tell(t, people, 2)
        await pass_time(t, 5)
        assert heard(others) == expected(others, 2)
        await pass_time(t, 3600, step=30.0)
        assert await states(t) == {"sent": 9, "dead": 1}
        assert heard([poisoned]) == {poisoned.id: [f"1 for {poisoned.id}"]}
        assert len(sends(t, poisoned)) == 13


# ---- what comes in


async def test_an_update_nobody_understands_is_one_dead_letter_and_stops_nobody(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        for payload in (
            {"from": {"id": 5}, "text": "no chat"},
            {"chat": {"id": 5}, "from": "nobody", "text": "x"},
        ):
            t.telegram.updates.push("message", payload, "odd", 86400)
        await t.say(t.ivan, "VPN drops every ten minutes")
        assert heard([t.ivan])[t.ivan.id]
        for _ in range(10):
            await t.later(timedelta(minutes=1))
        dead = await t.database.read(inbox.dead)
        assert [row.body["message"]["text"] for row in dead] == ["no chat", "x"]
        assert all(row.attempts == 4 for row in dead)
        await t.press(t.ivan, "The office")


async def test_a_batch_told_again_to_the_next_process_counts_once(tmp_path: Path) -> None:
    async with rig(tmp_path) as t:
        await t.telegram.until(lambda: t.telegram.polling.listening)
        t.telegram.fail("getUpdates", "500", -1)
        await t.ivan.send("VPN drops every ten minutes")
        count = partial(_rows)
        while not await t.database.read(count):
            await t.telegram.until(lambda: len(t.telegram.called("getUpdates")) > 1)
        assert t.telegram.updates.pending, "not confirmed yet"
        t.telegram.heal()
        await t.restart()
        await t.settle()
        assert await t.database.read(count) == 1
        assert len(heard([t.ivan])[t.ivan.id]) == 1


async def _rows(tx: Transaction) -> int:
    return int(await tx.scalar(select(func.count()).select_from(inbox.inbox)))


async def test_a_database_that_is_away_for_a_moment_at_the_start_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usual, asked = store.all_moves, []

    async def away_at_first(tx: Transaction) -> dict[str, str]:
        asked.append(1)
        if len(asked) == 1:
            raise TemporaryError("nobody there")
        return await usual(tx)

    monkeypatch.setattr(store, "all_moves", away_at_first)
    async with rig(tmp_path) as t:
        await t.ivan.send("VPN drops")
        await t.settle()
        assert t.ivan.chat.from_bot
    assert len(asked) > 1
