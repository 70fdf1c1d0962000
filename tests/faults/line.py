"""A bad line (`proxy.py`) in a process of its own: what people and messengers do costs its bytes no time."""

import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.faults.proxy import Proxy

COMMANDS = ("latency", "mute", "cut", "refuse", "restore")


class Line:
    """The line, told what to be."""

    def __init__(self, process: asyncio.subprocess.Process, port: int) -> None:
        self._process = process
        self.port = port

    async def be(self, command: str, *numbers: float) -> None:
        """One of COMMANDS, as `Proxy` knows them. Returns once it is so."""
        assert command in COMMANDS
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([command, *numbers]).encode() + b"\n")
        await answer(self._process)


async def answer(process: asyncio.subprocess.Process) -> int:
    assert process.stdout is not None
    return int(await process.stdout.readline())


@contextlib.asynccontextmanager
async def line(host: str, port: int) -> AsyncIterator[Line]:
    """A line to this port of the host; its end is everybody's who calls through it."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.faults.line", host, str(port),
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, cwd=Path(__file__).parents[2],
    )  # fmt: skip
    try:
        yield Line(process, await answer(process))
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()


# ---- inside


async def serve(host: str, port: int) -> None:
    """Be what is asked for until nobody asks any more."""
    asked = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(asked), sys.stdin)
    async with Proxy(port, host=host) as proxy:
        print(proxy.port, flush=True)
        while words := await asked.readline():
            command, *numbers = json.loads(words)
            done = getattr(proxy, command)(*numbers)
            if asyncio.iscoroutine(done):
                await done
            print(0, flush=True)


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], int(sys.argv[2])))
