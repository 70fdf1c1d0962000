"""What the desk must ask Slack first holds up nobody but whom it is asked about."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from bot import learning, router
from tests.slack import rig as rigs
from tests.slack.rig import Rig


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Rig]:
    async with rigs.rig(tmp_path) as opened:
        yield opened


async def test_strangers_whose_names_slack_keeps_back_hold_up_nobody_else(desk: Rig) -> None:
    await desk.say(desk.ivan, "VPN drops")
    fault = desk.slack.fail("users.info", "500", -1)
    strangers = [desk.slack.user(f"Stranger {number}") for number in range(router.AT_ONCE + learning.AT_ONCE)]
    for stranger in strangers:
        await stranger.send("VPN drops here too")
    await desk.settle()
    await desk.choose(desk.ivan, "The office")
    assert "Only me" in desk.ivan.dm.last.buttons
    assert desk.house.health()["router"].ok
    assert not any(stranger.dm.from_bot for stranger in strangers)
    desk.slack.faults._ready.remove(fault)
    await desk.later(timedelta(seconds=31))
    await desk.later(timedelta(seconds=31))
    assert all(stranger.dm.from_bot for stranger in strangers)


async def test_what_slack_did_not_tell_at_once_is_asked_again(desk: Rig) -> None:
    desk.slack.fail("users.info", "500", 1)
    await desk.say(desk.ivan, "VPN drops")
    await desk.later(timedelta(seconds=2))
    assert desk.ivan.dm.from_bot


async def test_a_newcomer_is_served_while_slack_keeps_their_name_back_and_named_when_it_tells(
    desk: Rig, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk.slack.fail("users.info", "429", retry_after=30)
    zoe = desk.slack.user("Zoe Late", id="U0900", locale="ru-RU")
    await desk.town.invite(zoe)
    root = await desk.say(zoe, "@Desk the projector is dead", channel=desk.town)
    assert "U0900" in desk.card(1).shown
    people = desk.house.adapters["slack"].hearing.people  # type: ignore[attr-defined]
    monkeypatch.setattr(people._known, "_monotonic", lambda: time.monotonic() + 31)
    await desk.say(
        zoe, "the one upstairs", thread=next(each for each in zoe.dm.messages if not each.is_reply)
    )
    assert "Zoe Late" in desk.card(1).shown
    assert "U0900" not in desk.card(1).shown
    assert root.replies
