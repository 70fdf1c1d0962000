"""A desk that runs: says where it is and how it is, and stops at once when it is told to."""

import asyncio
import signal
import socket
import time

import pytest

from tests.process.conftest import Yard
from tests.process.desk import TEAM
from tests.process.person import Person

LOUD = ("-W", "always")
"""Everything a process leaves open is told."""


async def test_the_demo_prints_where_it_is_and_links_that_let_everybody_in(yard: Yard) -> None:
    desk = await yard.desk().start()
    assert desk.printed[0] == f"Deskbridge is running: {desk.base}"
    for account in ("ivan", "anna", "boris", "maria"):
        assert desk.link(account)
        await yard.signed_in(desk, account, account)  # a link of the demo may be opened again
    status, page = await desk.get("/")
    assert (status, "Deskbridge" in page) == (200, True)


async def test_a_desk_with_people_of_its_own_says_how_they_get_in(yard: Yard) -> None:
    desk = await yard.desk(config=TEAM).start()
    _, told = desk.printed
    named = told.rpartition("deskbridge ")[2]
    assert named == f"sign-in web:ivan --config {desk.config}"
    link = (await desk.ask(*named.split()[:2])).stdout
    assert link.startswith(f"{desk.base}/sign-in#")


async def test_a_port_left_to_the_machine_is_printed_as_it_became(yard: Yard) -> None:
    desk = await yard.desk(port=0).start()
    address = desk.printed[0].rpartition(" ")[2]
    desk.port = int(address.rpartition(":")[2])
    assert desk.port
    assert (await desk.get("/livez"))[0] == 200
    assert all(f":{desk.port}/sign-in#" in line for line in desk.printed if "sign-in" in line)


async def test_a_stranger_finds_health_and_numbers(yard: Yard) -> None:
    desk = await yard.desk().start()
    assert await desk.get("/livez") == (200, '{"ok": true}')
    told = await desk.ready()
    assert told["ok"]
    assert set(told["components"]) == {
        *("database", "router", "delivery", "scheduler", "replicas", "audit", "web")
    }
    (ivan,) = await yard.signed_in(desk, "ivan")
    await ivan.say("Hello there")
    await ivan.hears("What is it about?")
    status, numbers = await desk.get("/metrics")
    assert status == 200
    assert 'deskbridge_inbound_total{platform="web"} 1.0' in numbers
    assert 'deskbridge_handled_total{platform="web"} 1.0' in numbers
    assert "deskbridge_ready 1.0" in numbers


@pytest.mark.both
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
async def test_it_stops_at_once_and_in_order_with_work_under_way_and_pages_open(
    yard: Yard, how: signal.Signals
) -> None:
    desk = await yard.desk().start(python=LOUD)
    people = await yard.signed_in(desk, "ivan", "anna", "maria")
    talking = [asyncio.create_task(talk(each)) for each in people[:2]]
    await people[0].hears("Where are you?")
    began = time.monotonic()
    assert await desk.stop(how) == 0
    assert time.monotonic() - began < 8
    assert desk.oddities == []
    await desk.start(python=LOUD)  # what was said while it stopped was refused or kept, never lost
    await asyncio.gather(*talking)
    for each in people[:2]:
        said = [message.text for message in await each.fresh() if message.mine]
        assert said == [f"vpn {n}" for n in range(20)]
    assert await desk.stop(how) == 0
    assert desk.oddities == []


async def talk(person: Person) -> None:
    """Somebody who does not stop talking."""
    for n in range(20):
        await person.say(f"vpn {n}")


async def test_half_a_request_does_not_keep_it_from_stopping(yard: Yard) -> None:
    desk = await yard.desk().start(python=LOUD)
    with socket.create_connection(("127.0.0.1", desk.port)) as slow:
        slow.sendall(b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n\r\n{")
        with socket.create_connection(("127.0.0.1", desk.port)) as mute:
            mute.sendall(b"GET / HT")
            await desk.ready()
            began = time.monotonic()
            assert await desk.stop() == 0
            assert time.monotonic() - began < 8
    assert desk.oddities == []


async def test_a_second_signal_changes_nothing(yard: Yard) -> None:
    desk = await yard.desk().start(python=LOUD)
    desk.send(signal.SIGTERM)
    desk.send(signal.SIGINT)
    assert await desk.stop() == 0
    assert desk.oddities == []
