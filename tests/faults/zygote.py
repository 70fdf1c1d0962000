"""Cheap lives: a process that has imported the whole desk forks one whenever it is asked to.

Each life is a process of its own, with files, sockets and threads of its own, and dies by SIGKILL as any
other; it only saves the second that importing takes. Nothing but imports has happened before the fork: no
thread, no event loop, no connection, no configuration.
"""

import asyncio
import contextlib
import gc
import importlib
import json
import os
import select
import signal
import socket
import sys
import traceback
from collections.abc import AsyncIterator, Mapping, Sequence
from pathlib import Path
from typing import Any, BinaryIO

MODULES = (
    "aiosqlite",
    "asyncpg",
    "bot.adapters.slack.adapter",
    "bot.adapters.telegram.adapter",
    "bot.cli",
    "bot.main",
    "core.database.migrate",
    "sqlalchemy.dialects.postgresql.asyncpg",
    "sqlalchemy.dialects.sqlite.aiosqlite",
)
"""What a start imports, whatever it is asked for."""
LONGEST = 1 << 20
"""Bytes of the longest message between the two."""
_SAID = "stdout", "stderr"


class Life:
    """One process that was forked; as `asyncio.subprocess.Process` for what a desk needs of it."""

    def __init__(self, pid: int, stdout: asyncio.StreamReader) -> None:
        self.pid = pid
        self.stdout = stdout
        self.returncode: int | None = None
        self._gone = asyncio.Event()

    def ended(self, code: int) -> None:
        self.returncode = code
        self._gone.set()

    def send_signal(self, what: int) -> None:
        """Raises ProcessLookupError where it has gone."""
        if self.returncode is not None:
            raise ProcessLookupError
        os.kill(self.pid, what)

    async def wait(self) -> int:
        """The exit code, negative for a signal, once it has gone."""
        await self._gone.wait()
        assert self.returncode is not None
        return self.returncode


class Zygote:
    """The one that is asked for lives."""

    def __init__(self, process: asyncio.subprocess.Process, line: socket.socket) -> None:
        self._process = process
        self._line = line
        self._born: asyncio.Queue[int] = asyncio.Queue()
        self._lives: dict[int, Life] = {}
        self._codes: dict[int, int] = {}
        self._asking = asyncio.Lock()
        asyncio.get_running_loop().add_reader(line, self._hear)

    async def fork(
        self, arguments: Sequence[str], environment: Mapping[str, str], folder: Path, errors: BinaryIO
    ) -> Life:
        """`deskbridge` with these arguments, in this folder."""
        reading, writing = os.pipe()
        stdout = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(stdout), os.fdopen(reading, "rb")
        )
        asked = {"arguments": list(arguments), "environment": dict(environment), "folder": str(folder)}
        async with self._asking:
            try:
                socket.send_fds(self._line, [json.dumps(asked).encode()], [writing, errors.fileno()])
            finally:
                os.close(writing)
            pid = await self._born.get()
        life = self._lives[pid] = Life(pid, stdout)
        if pid in self._codes:
            self._lives.pop(pid).ended(self._codes.pop(pid))
        return life

    def _hear(self) -> None:
        told = self._line.recv(LONGEST)
        if not told:
            asyncio.get_running_loop().remove_reader(self._line)
            for life in self._lives.values():
                life.ended(-signal.SIGKILL)
            return
        message: dict[str, int] = json.loads(told)
        if "born" in message:
            self._born.put_nowait(message["born"])
        elif (life := self._lives.pop(message["gone"], None)) is not None:
            life.ended(message["code"])
        else:
            self._codes[message["gone"]] = message["code"]

    async def close(self) -> None:
        """No more lives; those that are left are killed."""
        asyncio.get_running_loop().remove_reader(self._line)
        self._line.close()
        await self._process.wait()


@contextlib.asynccontextmanager
async def zygote(environment: Mapping[str, str]) -> AsyncIterator[Zygote]:
    """One that has imported everything."""
    mine, its = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    with its:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.faults.zygote", str(its.fileno()),
            pass_fds=(its.fileno(),), env=dict(environment), cwd=Path(__file__).parents[2],
        )  # fmt: skip
    mine.setblocking(False)
    made = Zygote(process, mine)
    try:
        yield made
    finally:
        await made.close()


# ---- inside


def serve(line: socket.socket) -> None:
    """Fork until nobody asks any more; then nobody is left."""
    for module in MODULES:
        importlib.import_module(module)
    gc.collect()
    gc.freeze()
    assert len(os.listdir("/proc/self/task")) == 1, "a thread exists before the fork"
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    lives: set[int] = set()
    try:
        _fork_for(line, told, lives)
    finally:
        for pid in lives:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _fork_for(line: socket.socket, told: int, lives: set[int]) -> None:
    while True:
        ready, _, _ = select.select([line, told], [], [])
        if told in ready:
            os.read(told, 4096)
            _bury(line, lives)
        if line in ready:
            words, handles, _, _ = socket.recv_fds(line, LONGEST, len(_SAID))
            if not words:
                return
            pid = os.fork()
            if pid == 0:
                line.close()
                _live(json.loads(words), handles)
            for handle in handles:
                os.close(handle)
            lives.add(pid)
            line.send(json.dumps({"born": pid}).encode())


def _bury(line: socket.socket, lives: set[int]) -> None:
    """Tell of everybody who has died."""
    while lives:
        pid, status = os.waitpid(-1, os.WNOHANG)
        if pid == 0:
            return
        lives.discard(pid)
        line.send(json.dumps({"gone": pid, "code": os.waitstatus_to_exitcode(status)}).encode())


def _live(asked: dict[str, Any], handles: Sequence[int]) -> None:
    """Be a desk from now on, and nothing else."""
    code = 1
    try:
        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        for handle, number in zip(handles, (1, 2), strict=True):
            os.dup2(handle, number)
            os.close(handle)
        os.chdir(asked["folder"])
        os.environ.clear()
        os.environ.update(asked["environment"])
        sys.argv = ["deskbridge", *asked["arguments"]]
        code = importlib.import_module("bot.cli").main(asked["arguments"])
    except BaseException:  # noqa: BLE001 - as the interpreter does at its end
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    serve(socket.socket(fileno=int(sys.argv[1])))
