"""A bad line: stands between two parties that talk over TCP and does to them what networks do.

What is set holds for the connections there are and for those to come, until `restore`. Bytes are never
changed, reordered or dropped alone: TCP does not do that either; a connection is slow, stuck or dead.
"""

import asyncio
import contextlib
import random
import socket
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Literal, Self

Way = Literal["there", "back", "both"]
"""From who has called to who was called, or back."""
CHUNK = 65536
AHEAD = 64
"""So many pieces are on their way at once; then the sender must wait, as before a full buffer."""
_RESET = struct.pack("ii", 1, 0)


@dataclass
class Toxics:
    """What is wrong with one way. Seconds, bytes, bytes a second; 0 is nothing."""

    latency: float = 0.0
    jitter: float = 0.0
    slices: int = 0
    bandwidth: float = 0.0
    reset_after: int = 0


@dataclass(eq=False)
class Line:
    """One connection through the proxy."""

    caller: asyncio.StreamWriter
    called: asyncio.StreamWriter | None = None
    passed: dict[Way, int] = field(default_factory=lambda: {"there": 0, "back": 0})

    def reset(self) -> None:
        """Both ends learn at once that it is over (RST)."""
        for end in filter(None, (self.caller, self.called)):
            with contextlib.suppress(OSError):
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
            end.transport.abort()


class Proxy:
    """`async with Proxy(port):` listens on `proxy.port` for what is meant for that port of the host.

    With several ports it is a balancer: each connection goes to the next that takes it. Trouble that needs
    chance (jitter, sizes of slices) is drawn by a die of this seed."""

    def __init__(self, *ports: int, seed: int = 0, port: int = 0, host: str = "127.0.0.1") -> None:
        self.port = port
        self._host = host
        self.lines: set[Line] = set()
        self.accepted = 0
        """Connections that ever came."""
        self._ports = list(ports)
        self._dice = random.Random(seed)
        self._toxics: dict[Way, Toxics] = {"there": Toxics(), "back": Toxics()}
        self._flows = asyncio.Event()
        self._flows.set()
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        await self._listen()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.refuse()
        self.cut()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    # ---- what can be wrong

    def latency(self, seconds: float, jitter: float = 0.0, way: Way = "both") -> None:
        """Everything arrives so much later, and by up to `jitter` more; still in order."""
        self._set(way, latency=seconds, jitter=jitter)

    def slices(self, size: int, way: Way = "both") -> None:
        """What is sent arrives in pieces of one to so many bytes."""
        self._set(way, slices=size)

    def bandwidth(self, bytes_a_second: float, way: Way = "both") -> None:
        self._set(way, bandwidth=bytes_a_second)

    def reset_after(self, count: int, way: Way = "back") -> None:
        """Each connection is reset as soon as so many bytes have passed in it this way."""
        self._set(way, reset_after=count)

    def mute(self) -> None:
        """Half open: callers are accepted, nothing passes in either way, nobody is told. What was sent
        meanwhile arrives after `restore`, as from behind a cable that was pulled and put in again."""
        self._flows.clear()

    def cut(self) -> int:
        """Reset every connection there is; how many. New ones are welcome."""
        lines = list(self.lines)
        for line in lines:
            line.reset()
        return len(lines)

    async def refuse(self) -> None:
        """New connections are refused, as where nobody listens; those that are there go on."""
        if self._server is not None:
            self._server.close()
            self._server = None

    async def restore(self) -> None:
        """Nothing is wrong any more."""
        self._toxics["there"], self._toxics["back"] = Toxics(), Toxics()
        self._flows.set()
        await self._listen()

    def _set(self, way: Way, **changes: float) -> None:
        for each, toxics in self._toxics.items():
            if way in (each, "both"):
                for name, value in changes.items():
                    setattr(toxics, name, value)

    # ---- the lines

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(
                self._accept, "127.0.0.1", self.port, limit=CHUNK, reuse_address=True
            )
            self.port = self._server.sockets[0].getsockname()[1]

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.accepted += 1
        line = Line(writer)
        self.lines.add(line)
        try:
            await self._serve(line, reader)
        except asyncio.CancelledError:
            pass  # the test is over; asyncio's own callback would report it as an error
        finally:
            self.lines.discard(line)
            line.reset()
            self._tasks.discard(task)

    async def _serve(self, line: Line, reader: asyncio.StreamReader) -> None:
        await self._flows.wait()
        called = await self._call()
        if called is None or line.caller.transport.is_closing():
            return
        back, line.called = called
        ways = [
            asyncio.create_task(self._pass(line, reader, line.called, "there")),
            asyncio.create_task(self._pass(line, back, line.caller, "back")),
        ]
        try:
            done, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_EXCEPTION)
            if not any(each.exception() for each in done):
                await self._end(line)
        finally:
            for each in ways:
                each.cancel()
            await asyncio.gather(*ways, return_exceptions=True)

    async def _end(self, line: Line) -> None:
        """Both have said all they had to say: it ends in order."""
        for end in filter(None, (line.caller, line.called)):
            end.close()
            with contextlib.suppress(OSError):
                await end.wait_closed()

    async def _call(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        """The next that takes it, if any does."""
        for _ in range(len(self._ports)):
            self._ports.append(self._ports.pop(0))
            with contextlib.suppress(OSError):
                return await asyncio.open_connection(self._host, self._ports[-1], limit=CHUNK)
        return None

    async def _pass(
        self, line: Line, source: asyncio.StreamReader, target: asyncio.StreamWriter, way: Way
    ) -> None:
        """One way of a line until its sender has ended it. Raises OSError where it breaks."""
        pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue(AHEAD)
        reading = asyncio.create_task(self._read(source, pieces, way))
        try:
            async for piece in self._arriving(pieces, way):
                await self._flows.wait()
                target.write(piece)
                await target.drain()
                line.passed[way] += len(piece)
                if 0 < self._toxics[way].reset_after <= line.passed[way]:
                    line.reset()
            await reading
            if target.can_write_eof():
                target.write_eof()
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)

    async def _read(
        self, source: asyncio.StreamReader, pieces: asyncio.Queue[tuple[float, bytes]], way: Way
    ) -> None:
        """Put what comes into the queue, with the moment at which it is to arrive; nothing, at the end."""
        loop, last = asyncio.get_running_loop(), 0.0
        try:
            while data := await source.read(CHUNK):
                toxics = self._toxics[way]
                last = max(last, loop.time() + toxics.latency + self._dice.uniform(0, toxics.jitter))
                for piece in self._sliced(data, toxics):
                    await pieces.put((last, piece))
        finally:
            await pieces.put((last, b""))

    def _sliced(self, data: bytes, toxics: Toxics) -> list[bytes]:
        """The data in pieces; where it must go slowly, in pieces of a tenth of a second."""
        most = toxics.slices or len(data)
        if toxics.bandwidth:
            most = min(most, max(1, int(toxics.bandwidth / 10)))
        pieces = []
        while data:
            size = self._dice.randint(1, most) if toxics.slices else most
            pieces.append(data[:size])
            data = data[size:]
        return pieces

    async def _arriving(self, pieces: asyncio.Queue[tuple[float, bytes]], way: Way) -> AsyncIterator[bytes]:
        loop = asyncio.get_running_loop()
        while True:
            at, piece = await pieces.get()
            if not piece:
                return
            await asyncio.sleep(max(0.0, at - loop.time()))
            if bandwidth := self._toxics[way].bandwidth:
                await asyncio.sleep(len(piece) / bandwidth)
            yield piece
