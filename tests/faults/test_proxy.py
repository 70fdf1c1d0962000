"""The bad line does to those who talk through it what it says, and nothing else."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator

import pytest

from tests.faults.proxy import Proxy

WORDS = bytes(range(256)) * 400
GONE = (ConnectionError, asyncio.IncompleteReadError)


class Echo:
    """Says everything back; remembers the pieces in which it came."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.callers = 0
        self.port = 0

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.callers += 1
        with contextlib.suppress(OSError):
            while data := await reader.read(65536):
                self.pieces.append(data)
                writer.write(data)
                await writer.drain()
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()


@contextlib.asynccontextmanager
async def echoes(count: int = 1) -> AsyncIterator[list[Echo]]:
    async with contextlib.AsyncExitStack() as stack:
        made = [Echo() for _ in range(count)]
        for each in made:
            server = await asyncio.start_server(each.answer, "127.0.0.1", 0)
            each.port = server.sockets[0].getsockname()[1]
            stack.callback(server.close)
        yield made


class Caller:
    """One connection through the proxy."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def hears(self, words: bytes) -> bytes:
        """What comes back."""
        self.writer.write(words)
        return await self.reader.readexactly(len(words))

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(OSError):
            await self.writer.wait_closed()


@contextlib.asynccontextmanager
async def line(seed: int = 0) -> AsyncIterator[tuple[Proxy, Echo, Caller]]:
    async with echoes() as (echo,), Proxy(echo.port, seed=seed) as proxy:
        caller = await call(proxy)
        try:
            yield proxy, echo, caller
        finally:
            await caller.close()


async def call(proxy: Proxy) -> Caller:
    return Caller(*await asyncio.open_connection("127.0.0.1", proxy.port))


async def test_a_good_line_changes_nothing_and_ends_when_its_ends_end() -> None:
    async with line() as (proxy, echo, caller):
        assert await caller.hears(WORDS) == WORDS
        assert b"".join(echo.pieces) == WORDS
        caller.writer.write_eof()
        assert await caller.reader.read() == b""
        while proxy.lines:
            await asyncio.sleep(0)
        assert proxy.accepted == 1


async def test_latency_delays_every_answer_and_does_not_add_up() -> None:
    async with line() as (proxy, _, caller):
        proxy.latency(0.05, way="back")
        began = time.monotonic()
        for number in range(10):
            caller.writer.write(bytes([number]))
            await caller.writer.drain()
        assert await caller.reader.readexactly(10) == bytes(range(10))
        took = time.monotonic() - began
        assert 0.05 <= took < 0.3, "ten pieces on their way at once, not one after the other"


async def test_jitter_keeps_the_order() -> None:
    async with line(seed=7) as (proxy, _, caller):
        proxy.latency(0.0, jitter=0.02)
        for number in range(50):
            caller.writer.write(bytes([number]))
            await caller.writer.drain()
        assert await caller.reader.readexactly(50) == bytes(range(50))


async def test_slices_are_small_and_lose_nothing() -> None:
    async with line() as (proxy, echo, caller):
        proxy.slices(7)
        words = WORDS[:2000]
        assert await caller.hears(words) == words
        assert b"".join(echo.pieces) == words
        assert len(echo.pieces) > 1


async def test_bandwidth_is_kept_to() -> None:
    async with line() as (proxy, _, caller):
        proxy.bandwidth(20_000, way="there")
        began = time.monotonic()
        assert await caller.hears(WORDS[:4000]) == WORDS[:4000]
        assert time.monotonic() - began >= 0.2


async def test_a_line_is_reset_after_so_many_bytes_and_the_next_one_too() -> None:
    async with line() as (proxy, _, caller):
        proxy.reset_after(1000)
        for each in (caller, await call(proxy)):
            with pytest.raises(GONE):
                await each.hears(WORDS)
            await each.close()
        while proxy.lines:
            await asyncio.sleep(0)
        await proxy.restore()
        again = await call(proxy)
        assert await again.hears(WORDS) == WORDS
        await again.close()


async def test_a_half_open_line_accepts_says_nothing_and_goes_on_later() -> None:
    async with line() as (proxy, echo, caller):
        await caller.hears(b"hello")
        proxy.mute()
        late = await call(proxy)
        waiting = [asyncio.create_task(each.hears(b"anybody?")) for each in (caller, late)]
        done, _ = await asyncio.wait(waiting, timeout=0.1)
        assert not done
        assert echo.callers == 1
        await proxy.restore()
        assert await asyncio.gather(*waiting) == [b"anybody?"] * 2
        await late.close()


async def test_a_cut_is_felt_at_once_and_who_calls_again_is_served() -> None:
    async with line() as (proxy, _, caller):
        await caller.hears(b"hello")
        assert proxy.cut() == 1
        with pytest.raises(GONE):
            await caller.hears(b"hello")
        again = await call(proxy)
        assert await again.hears(b"hello") == b"hello"
        await again.close()


async def test_where_nobody_listens_callers_are_refused_and_talks_go_on() -> None:
    async with line() as (proxy, _, caller):
        await caller.hears(b"hello")
        port = proxy.port
        await proxy.refuse()
        with pytest.raises(ConnectionRefusedError):
            await call(proxy)
        assert await caller.hears(b"still there") == b"still there"
        await proxy.restore()
        assert proxy.port == port
        again = await call(proxy)
        assert await again.hears(b"hello") == b"hello"
        await again.close()


async def test_of_several_the_next_that_lives_is_called() -> None:
    async with echoes(2) as (one, two):
        dead = Proxy(1)
        async with dead, Proxy(one.port, dead.port, two.port) as proxy:
            await dead.refuse()
            callers = [await call(proxy) for _ in range(6)]
            for each in callers:
                assert await each.hears(b"hello") == b"hello"
            assert one.callers + two.callers == 6
            assert min(one.callers, two.callers) >= 2
            for each in callers:
                await each.close()


async def test_with_nobody_behind_it_a_caller_is_sent_away() -> None:
    async with Proxy(1) as proxy:
        caller = await call(proxy)
        with pytest.raises(GONE):
            await caller.hears(b"hello")
        await caller.close()


async def test_the_same_seed_slices_alike() -> None:
    def pieces(seed: int) -> list[bytes]:
        proxy = Proxy(1, seed=seed)
        proxy.slices(10)
        return proxy._sliced(WORDS[:500], proxy._toxics["there"])

    assert pieces(1) == pieces(1) != pieces(2)
