"""Everything may be told again, late, over another line, or by history alone: it counts, and counts once."""

import asyncio
import contextlib
import sqlite3
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.slack import store
from core.kernel.ids import TicketId
from core.tickets import store as tickets
from tests.emulators.slack import Delivery, File
from tests.slack.rig import TEAM, Mode, Rig, rig

VPN = "VPN drops every ten minutes"
LATE = timedelta(hours=3)
MODES = pytest.mark.parametrize("mode", ["socket", "http"])
pytestmark = pytest.mark.usefixtures("hurried")


def picture(t: Rig) -> dict[str, list[Any]]:
    """All that anybody can see, and how often it was changed."""
    shown: dict[str, list[Any]] = {}
    for channel in t.slack.channels.values():
        stands = [each for each in channel.history if not each.deleted]
        shown[channel.id] = [(each.ts, each.shown, each.buttons, len(each.edits)) for each in stands]
    for user in t.slack.users.values():
        shown[user.id] = [user.home and user.home.shown, [view.title for view in user.modals]]
    return shown


async def again(t: Rig, deliveries: list[Delivery]) -> None:
    """All of it once more, in the opposite order; Slack is told that we have it."""
    for delivery in reversed(deliveries):
        telling = asyncio.create_task(t.slack.deliveries.again(delivery))
        while not telling.done():
            await t.settle()
            await asyncio.sleep(0.002)
        assert not telling.result().reason, delivery
    await t.settle()


async def said(t: Rig, number: int) -> list[str]:
    """The words that were said in a ticket."""
    kept = await t.database.read(lambda tx: tickets.messages_of(tx, TicketId(number)))
    return [each.text for each in kept]


# ---- told again


@MODES
async def test_whatever_is_told_again_changes_nothing(tmp_path: Path, mode: Mode) -> None:
    async with rig(tmp_path, mode=mode) as t:
        known = 0

        async def echo() -> None:
            nonlocal known
            before, fresh = picture(t), t.slack.deliveries.told[known:]
            assert fresh
            for _ in range(2):
                await again(t, fresh)
                after = picture(t)
                assert {key: after[key] for key in after if after[key] != before.get(key)} == {}
            known = len(t.slack.deliveries.told)

        root = await t.report(VPN)
        await echo()
        card = t.card(1)
        await t.press(t.anna, "Take it", card)
        await echo()
        await t.say(t.ivan, "with a picture", thread=root, files=[File("screen.png", b"\x89PNG")])
        await echo()
        more = await t.say(t.ivan, "it is wrose today", thread=root)
        await t.ivan.edit(more, "it is worse today")
        await t.settle()
        await echo()
        await t.press(t.anna, "Reply", card)
        await t.fill(t.anna, {t.word("form.text"): "Which version?"})
        await echo()
        note = await t.say(t.anna, "he always forgets", thread=card)
        await t.shortcut(t.anna, "send_to_requester", note)
        await t.react(t.boris, card, "eyes")
        await t.command(t.anna, "/desk wait 1", t.triage)
        await echo()
        await t.ivan.open_home()
        await t.settle()
        await echo()
        projector = await t.say(t.ivan, "@Desk the projector is dead", channel=t.town)
        other = await t.say(t.ivan, "and so is the lamp", channel=t.town)
        await t.react(t.boris, other, "ticket")
        await t.shortcut(t.boris, "ticket", projector)
        await echo()
        await t.command(t.ivan, "/desk new", t.town)
        await t.fill(t.ivan, {t.word("form.report_text"): "  "})
        await echo()
        await t.fill(t.ivan, {t.word("form.report_text"): "The printer is on fire"})
        await echo()
        await t.maria.leave(t.triage)
        await t.ivan.change(real_name="Ivan the Third")
        await t.slack.settled()
        await t.restart()
        before = picture(t)
        await again(t, t.slack.deliveries.told)
        assert picture(t) == before
        assert await said(t, 1) == [
            VPN,
            "with a picture",
            "it is worse today",
            "Which version?",
            "he always forgets",
            "he always forgets",
        ]


@pytest.mark.parametrize("order", [("app_mention", "message"), ("message", "app_mention")])
async def test_a_mention_and_its_message_are_one_whichever_comes_first(
    tmp_path: Path, order: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path) as t:
        told: dict[str, Delivery] = {}

        def hold_back(kind: Any, payload: dict[str, Any]) -> Delivery:
            return told.setdefault(payload["event"]["type"], Delivery(kind, payload))

        with monkeypatch.context() as patch:
            patch.setattr(t.slack.deliveries, "send", hold_back)
            await t.ivan.send("@Desk the projector is dead", channel=t.town)
        for kind in (*order, *order):
            await again(t, [told[kind]])
        assert await said(t, 1) == ["the projector is dead"]
        assert len(t.triage.from_bot) == 1
        assert len(t.ivan.dm.from_bot) == len(set(t.ivan.dm.texts))


async def test_an_edit_that_overtakes_what_it_edits_is_not_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with rig(tmp_path) as t:
        root = await t.report(VPN)
        held: list[Delivery] = []

        def hold_back(kind: Any, payload: dict[str, Any]) -> Delivery:
            held.append(Delivery(kind, payload))
            return held[-1]

        with monkeypatch.context() as patch:
            patch.setattr(t.slack.deliveries, "send", hold_back)
            message = await t.ivan.send("it is wrose today", thread=root)
            await t.ivan.edit(message, "it is worse today")
        for delivery in reversed(held):
            await again(t, [delivery])
        assert await said(t, 1) == [VPN, "it is worse today"]
        await again(t, held)
        assert await said(t, 1) == [VPN, "it is worse today"]


# ---- lines that break


async def test_a_talk_goes_on_over_lines_that_are_cut_refreshed_and_deaf(tmp_path: Path) -> None:
    async with rig(tmp_path, patience=0.3) as t:
        root = await t.report(VPN)
        words = [f"word {number}" for number in range(18)]
        for number, word in enumerate(words):
            await t.slack.connected(2, 10)
            sockets = t.slack.sockets.open
            match number % 6:
                case 0:
                    t.slack.sockets.cut()
                case 1:
                    await t.slack.sockets.refresh(sockets[:1], warn=False)
                case 3:
                    t.slack.sockets.deafen(sockets[:1])
                case 4:
                    t.slack.sockets.cut(sockets[:1])
            await t.ivan.send(word, thread=root)
        await t.slack.settled(20)
        await t.settle()
        assert {delivery.state for delivery in t.slack.told("message")} == {"taken"}
        assert sorted(await said(t, 1)) == sorted([VPN, *words])
        assert t.slack.called("conversations.history") == []


# ---- a database that cannot be written


@contextlib.contextmanager
def held(path: Path) -> Any:
    """Somebody else keeps the database for themselves."""
    with contextlib.closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield
        other.execute("ROLLBACK")


@pytest.mark.sqlite
@MODES
async def test_while_the_database_is_held_nothing_is_acknowledged_and_then_everything_is(
    tmp_path: Path, mode: Mode
) -> None:
    async with rig(tmp_path, mode=mode, patience=0.3) as t:
        root = await t.report(VPN)
        await t.slack.settled()
        with held(t.path):
            words = [f"word {number}" for number in range(5)]
            for word in words:
                await t.ivan.send(word, thread=root)
            act = await (await t.anna.command("/desk queue", channel=t.triage)).done()
            await t.slack.until(lambda: all(each.tries for each in t.slack.deliveries.waiting), 10)
            waiting = [each for each in t.slack.deliveries.told if each.state == "waiting"]
            assert len(waiting) == 5
            assert not act.taken
        await t.slack.settled(20)
        await t.settle()
        assert {delivery.state for delivery in t.slack.told("message")} == {"taken"}
        assert sorted(await said(t, 1)) == sorted([VPN, *words])


# ---- a long time away


async def noted(t: Rig) -> None:
    """It is written down that everything was heard up to now."""
    while await t.database.read(lambda tx: store.heard_until(tx, TEAM)) != t.clock.now():
        await asyncio.sleep(0.01)


@MODES
async def test_what_was_said_during_a_long_outage_is_fetched_once(tmp_path: Path, mode: Mode) -> None:
    async with rig(tmp_path, mode=mode) as t:
        root = await t.report(VPN)
        card = t.card(1)
        await noted(t)
        await t.stop()
        t.clock.advance(timedelta(minutes=10))
        await t.ivan.send("it is worse today", thread=root, told=False)
        await t.anna.send("looking at it", thread=card, told=False)
        fresh = await t.ivan.send("The printer is on fire", told=False)
        await t.boris.send("My chair is broken", told=False)
        await t.ivan.send("nobody's business", channel=t.town, told=False)
        t.clock.advance(LATE)
        await t.start()
        await caught_up(t)
        assert await said(t, 1) == [VPN, "it is worse today", "looking at it"]
        for user in (t.ivan, t.boris):
            assert user.dm.last.by_bot
        assert [each.by_bot for each in fresh.replies] == [True]
        shown = picture(t)
        for _ in range(2):
            await noted(t)
            await t.stop()
            t.clock.advance(LATE)
            await t.start()
            await caught_up(t)
            assert {name: it for name, it in picture(t).items() if name != t.triage.id} == {
                name: it for name, it in shown.items() if name != t.triage.id
            }
        assert await said(t, 1) == [VPN, "it is worse today", "looking at it"]


async def caught_up(t: Rig) -> None:
    """The history has been read to its end, and the desk has done what there was to do."""
    await noted(t)
    await t.settle()
