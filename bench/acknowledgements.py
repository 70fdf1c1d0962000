"""How long somebody waits until their words are safely kept: POST …/say on loopback under a steady load."""

import asyncio
import time
from pathlib import Path

import aiohttp

from bench import process, rig
from bench.process import Running
from bench.report import Report, Row, quantile
from bot.web import sessions
from core.database.transaction import Transaction
from core.kernel.ids import Identity
from core.people import actions as people

PER_SECOND = 50
PEOPLE = 100
"""So many that nobody comes near the pace the page allows one person."""

Ticket = tuple[str, str, str]
"""A seat, the token of its session and the proof of its page."""


async def admit(place: Path) -> list[Ticket]:
    """Sign everybody in."""

    async def work(tx: Transaction) -> list[Ticket]:
        admitted = []
        for number in range(PEOPLE):
            identity = Identity("web", f"guest{number}")
            await people.meet(tx, identity, name=f"Guest {number}", language="en")
            opened = await sessions.sign_in(tx, identity)
            admitted.append((opened.seat, opened.token, opened.csrf))
        return admitted

    async with rig.desk(place) as house:
        return await house.database.write(work)


async def load(server: Running, admitted: list[Ticket], name: str, posts: int) -> list[float]:
    """Milliseconds from when each post was due until it was acknowledged."""
    began = time.perf_counter() + 0.1
    many, jar = aiohttp.TCPConnector(limit=0), aiohttp.DummyCookieJar()
    async with aiohttp.ClientSession(server.base, connector=many, cookie_jar=jar) as http:

        async def post(number: int) -> float:
            due = began + number / PER_SECOND
            await asyncio.sleep(due - time.perf_counter())
            seat, token, csrf = admitted[number % len(admitted)]
            headers = {sessions.CSRF_HEADER: csrf, "Cookie": f"{sessions.COOKIE}={token}"}
            body = {"key": f"{name}-{number:06}", "room": f"u-{seat}", "text": "The VPN drops again."}
            async with http.post(f"/s/{seat}/say", json=body, headers=headers) as answer:
                assert answer.status == 200, answer.status
            return (time.perf_counter() - due) * 1000

        return await asyncio.gather(*(post(number) for number in range(posts)))


async def _measured(server: Running, admitted: list[Ticket], posts: int) -> list[float]:
    """The load, after a little of it that warms everything up."""
    await load(server, admitted, "warm", PER_SECOND // 2)
    return await load(server, admitted, "load", posts)


async def measure(place: Path, *, quick: bool) -> Report:
    posts = 25 if quick else 20 * PER_SECOND
    admitted, port = await admit(place), process.free_port()
    file = rig.written(place, f"[web]\nport = {port}\n")
    with process.running(["-m", "bot", "run", "--config", str(file)], port, "/readyz") as server:
        desk = await _measured(server, admitted, posts)
    port = process.free_port()
    floor = ["-m", "bench.bare_server", str(port), f"{place}/bare.db"]
    with process.running(floor, port, "/readyz") as server:
        bare = await _measured(server, admitted, posts)
    rows = []
    for name, share in (("p50", 0.5), ("p99", 0.99)):
        least = quantile(bare, share)
        rows.append(Row(f"desk: acknowledged, {name}", quantile(desk, share), "ms", least))
        rows.append(Row(f"floor: bare aiohttp, one row committed, {name}", least, "ms"))
    return Report(f"Acknowledgement of a post, {PER_SECOND} a second, the desk handling each", rows)
