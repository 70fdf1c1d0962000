"""What watches over the process is told the truth; a port that is taken is one plain line."""

from dataclasses import replace
from pathlib import Path

import pytest
from prometheus_client import Counter

from bot.adapters.port import Health
from bot.web import app
from bot.web.settings import SITE, WebSettings
from core.kernel.errors import SetupError
from tests.web.rig import Rig


async def test_it_is_ready_when_every_part_is(rig: Rig) -> None:
    stranger = await rig.stranger()
    async with stranger.http.get(f"{rig.base}/readyz") as answer:
        assert answer.status == 200
        assert await answer.json() == {"ok": True, "components": {"database": {"ok": True, "detail": ""}}}
    rig.health["telegram"] = Health(False, "no answer for 2 min")
    async with stranger.http.get(f"{rig.base}/readyz") as answer:
        assert answer.status == 503
        told = await answer.json()
    assert not told["ok"]
    assert told["components"]["telegram"] == {"ok": False, "detail": "no answer for 2 min"}
    async with stranger.http.get(f"{rig.base}/livez") as answer:
        assert answer.status == 200


async def test_a_balancer_can_leave_a_messenger_out_of_the_verdict(rig: Rig) -> None:
    stranger = await rig.stranger()
    rig.health["telegram"] = Health(False, "no answer for 2 min")
    statuses = []
    for query in ("", "?exclude=slack", "?exclude=telegram&exclude=slack", "?exclude=telegram,slack"):
        async with stranger.http.get(f"{rig.base}/readyz{query}") as answer:
            statuses.append(answer.status)
            assert not (await answer.json())["components"]["telegram"]["ok"]
    assert statuses == [503, 503, 200, 503]
    rig.health["database"] = Health(False, "the disk is full")
    async with stranger.http.get(f"{rig.base}/readyz?exclude=telegram") as answer:
        assert answer.status == 503


async def test_the_numbers_are_told(rig: Rig) -> None:
    Counter("deskbridge_things", "Things.", registry=rig.registry).inc(3)
    stranger = await rig.stranger()
    async with stranger.http.get(f"{rig.base}/metrics") as answer:
        assert answer.status == 200
        assert "deskbridge_things_total 3.0" in await answer.text()


async def test_a_port_that_is_taken_is_said_in_a_line(rig: Rig) -> None:
    site = rig.app[SITE]
    taken = app.build(
        WebSettings(port=rig.serving.port),
        database=rig.database,
        blobs=rig.blobs,
        rooms_of=site.rooms_of,
        health_of=site.health,
        registry=rig.registry,
    )
    with pytest.raises(SetupError, match=rf"web\.port: {rig.serving.port} on 127\.0\.0\.1 is taken"):
        await app.serve(taken)


async def test_an_address_that_is_not_here_is_said_in_a_line(rig: Rig, tmp_path: Path) -> None:
    site = rig.app[SITE]
    settings = replace(site.settings, host="192.0.2.1")
    elsewhere = app.build(
        settings,
        database=rig.database,
        blobs=rig.blobs,
        rooms_of=site.rooms_of,
        health_of=site.health,
        registry=rig.registry,
    )
    with pytest.raises(SetupError, match=r"web\.host"):
        await app.serve(elsewhere)
