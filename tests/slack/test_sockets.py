"""Socket Mode: two connections, none let go before the next one stands, and none given up."""

import asyncio
from pathlib import Path
from typing import Any

import pytest

from bot.adapters.port import Health
from bot.adapters.slack import hearing, sockets
from tests.emulators.slack.faults import Kind
from tests.slack.ear import Ear, ear

pytestmark = pytest.mark.usefixtures("hurried")


async def _talk(one: Ear, count: int) -> list[str]:
    """Somebody says so many things; each is kept."""
    ann = one.slack.user("Ann Lee", id="U0ANN")
    words = [f"words {len(one.door.kept) + number}" for number in range(count)]
    for word in words:
        await ann.send(word)
    await one.slack.settled(10)
    assert set(words) <= set(await one.words())
    return words


def _first_tries(one: Ear) -> list[str]:
    """What became of the first try of everything that was told."""
    return [delivery.tries[0].outcome.reason for delivery in one.slack.deliveries.told]


async def test_two_connections_share_what_comes(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        await _talk(one, 20)
        assert len(one.slack.sockets.all) == 2
        assert all(socket.sent for socket in one.slack.sockets.all)


async def test_the_second_connection_comes_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sockets, "APART", 0.2)
    async with ear(tmp_path, begin=False) as one:
        await one.start(sockets=1)
        await one.hears("hello")
        assert len(one.slack.sockets.all) == 1
        await one.slack.connected(2)


@pytest.mark.parametrize("warn", [True, False])
async def test_a_refresh_of_one_connection_leaves_no_gap(tmp_path: Path, warn: bool) -> None:
    async with ear(tmp_path, time_scale=0.02, patience=1.0) as one:
        first = one.slack.sockets.open[0]
        refreshing = asyncio.create_task(one.slack.sockets.refresh([first], warn=warn))
        for _ in range(20):
            await _talk(one, 2)
        await refreshing
        await one.slack.connected(2)
        await _talk(one, 2)
        assert set(_first_tries(one)) == {""}
        assert len(one.slack.sockets.all) == 3


async def test_after_a_warning_the_next_connection_stands_before_the_old_one_goes(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        old = list(one.slack.sockets.open)
        for socket in old:
            await socket.tell(one.slack.sockets._goodbye("warning"))
        await one.slack.until(lambda: len(one.slack.sockets.all) == 4)
        await one.slack.until(lambda: len(one.slack.sockets.open) == 2)
        new = one.slack.sockets.all[2:]
        assert max(socket.opened for socket in new) <= max(socket.closed for socket in old)
        await _talk(one, 4)


async def test_what_is_under_way_is_acknowledged_over_the_connection_it_came_by(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        one.door.quick.clear()
        act = await one.slack.user("Ann Lee").command("/desk help")
        await one.slack.until(lambda: one.door.told == 1)
        for socket in list(one.slack.sockets.open):
            await socket.tell(one.slack.sockets._goodbye("warning"))
        await one.slack.until(lambda: len(one.slack.sockets.all) == 4)
        one.door.quick.set()
        await act.done()
        assert act.taken
        await one.slack.until(lambda: len(one.slack.sockets.open) == 2)


async def test_lines_that_are_cut_are_replaced(tmp_path: Path) -> None:
    async with ear(tmp_path, time_scale=0.01, patience=1.0) as one:
        await _talk(one, 4)
        for _ in range(3):
            one.slack.sockets.cut()
            await one.slack.connected(2)
            await _talk(one, 4)
        assert one.hearing.health() == Health(True)


async def test_a_connection_on_which_nothing_passes_any_more_is_replaced(tmp_path: Path) -> None:
    async with ear(tmp_path, time_scale=0.01, patience=0.3) as one:
        await _talk(one, 2)
        deaf = list(one.slack.sockets.open)
        one.slack.sockets.deafen()
        await one.slack.until(lambda: len(one.slack.sockets.all) >= 4, what="two new connections")
        one.slack.sockets.cut(deaf)
        await _talk(one, 4)


async def test_socket_mode_switched_off_is_said_and_told_until_it_is_on_again(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        await _talk(one, 1)
        await one.slack.sockets.disable()
        words = "Socket Mode is switched off in the app's settings"
        await one.slack.until(lambda: words in one.hearing.health().detail)
        one.later += hearing.HICCUP
        assert not one.hearing.health().ok
        await one.slack.until(lambda: one.door.last.lane == one.account.staff_rooms[0])
        assert one.door.last.body["payload"] == {"words": words}
        one.slack.sockets.enable()
        await one.slack.connected(2)
        await one.slack.until(lambda: one.hearing.health() == Health(True))
        await _talk(one, 2)


async def test_while_slack_allows_no_more_connections_it_is_not_asked_in_a_hurry(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "FIRST_PAUSE", 0.5)
    monkeypatch.setattr(sockets, "LONGEST_PAUSE", 10.0)
    monkeypatch.setattr("tests.emulators.slack.sockets.MOST", 0)
    async with ear(tmp_path, begin=False) as one:
        one.running = asyncio.create_task(one.hearing.run(one.door))
        await one.slack.until(lambda: len(one.slack.called("apps.connections.open")) >= 4)
        await asyncio.sleep(0.3)
        assert len(one.slack.called("apps.connections.open")) <= 6


KINDS: tuple[Kind, ...] = (
    "429",
    "error",
    "500",
    "503 html",
    "200 html",
    "cut before",
    "cut after",
    "truncated",
)


@pytest.mark.parametrize("kind", KINDS)
async def test_it_connects_again_by_itself_after(tmp_path: Path, kind: Kind) -> None:
    async with ear(tmp_path, time_scale=0.01, patience=1.0) as one:
        await _talk(one, 1)
        one.slack.fail("apps.connections.open", kind, 4, retry_after=0)
        one.slack.sockets.cut()
        await one.slack.connected(2)
        await one.slack.until(lambda: one.hearing.health() == Health(True))
        await _talk(one, 2)


async def test_a_server_that_went_away_is_heard_when_it_is_back(tmp_path: Path) -> None:
    async with ear(tmp_path, time_scale=0.01, patience=1.0) as one:
        await _talk(one, 1)
        await one.slack.go_down()
        await one.slack.until(lambda: "no connection" in one.hearing.health().detail)
        one.later += hearing.HICCUP
        assert not one.hearing.health().ok
        await one.slack.come_back()
        await one.slack.connected(2)
        await _talk(one, 2)


async def test_an_address_that_leads_nowhere_is_not_tried_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sockets, "CONNECT", 0.1)
    async with ear(tmp_path, begin=False) as one:
        ticket = one.slack.sockets.ticket
        wrong = iter(["/link/?ticket=spent", "/link/?ticket=spent"])
        monkeypatch.setattr(one.slack.sockets, "ticket", lambda: next(wrong, None) or ticket())
        await one.start()
        await _talk(one, 2)


async def test_no_connection_outlives_the_hearing(tmp_path: Path) -> None:
    async with ear(tmp_path) as one:
        before = asyncio.all_tasks()
        await one.stop()
        await one.slack.until(lambda: not one.slack.sockets.open)
        named = [str(task) for task in asyncio.all_tasks() - before]
        assert [name for name in named if "emulators" not in name and "web_protocol" not in name] == []


async def test_a_storm_is_kept_whole_through_refreshes_and_cuts(tmp_path: Path) -> None:
    async with ear(tmp_path, time_scale=0.01, patience=1.0) as one:
        ann = one.slack.user("Ann Lee")
        for number in range(300):
            await ann.send(f"words {number}")
            if number % 60 == 20:
                await one.slack.sockets.refresh(one.slack.sockets.open[:1], warn=False)
            if number % 60 == 50:
                one.slack.sockets.cut(one.slack.sockets.open[:1])
            await asyncio.sleep(0)
        await one.slack.settled(20)
        assert {delivery.state for delivery in one.slack.deliveries.told} == {"taken"}
        assert len(one.door.kept) == 300


def test_the_library_still_leaves_the_reconnecting_to_us() -> None:
    """What of the SDK this stands on: every way to another connection goes through one method."""
    inside: Any = sockets.Socket.__mro__[1]
    for method in ("monitor_current_session", "receive_messages"):
        code = getattr(inside, method).__code__
        assert "connect_to_new_endpoint" in code.co_names
        assert "connect" not in code.co_names
