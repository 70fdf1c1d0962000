"""A real `deskbridge` in a folder of its own: started, killed, stopped, and asked on its command line."""

import asyncio
import contextlib
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Protocol

import aiohttp

from tests import databases
from tests.ports import free_port

COMPILED = Path(tempfile.gettempdir()) / f"deskbridge-tests-{os.getuid()}-pyc"
"""Where the processes keep compiled modules, so that a start costs half a second instead of two."""
READY_IN, GONE_IN = 30.0, 15.0

DEMO = """
[database]
url = "sqlite+aiosqlite:///{folder}/desk.db"

[web]
port = {port}

[desk]
rating_every = "0s"
flood_after = 10000
time_zone = "UTC"

[[request_types]]
name = "vpn"
title = "VPN"
keywords = ["vpn"]

[[request_types.questions]]
name = "where"
text = "Where are you?"
options = ["Office", "Home"]

[[escalations]]
name = "quick"
priorities = ["critical"]
steps = [
  {{ after = "1s", of = "unclaimed", whom = "agents" }},
  {{ after = "2s", of = "unclaimed", whom = "agents" }},
  {{ after = "3s", of = "unclaimed", whom = "lead" }},
]

[[escalations]]
name = "never"
priorities = ["high", "normal", "low"]
steps = [{{ after = "4w", of = "unclaimed", whom = "lead" }}]
"""
"""The demo's people, with critical tickets that ping after one, two and three seconds."""

TEAM = (
    DEMO
    + """
[[people]]
name = "Ivan"
identities = ["web:ivan"]

[[people]]
name = "Olga"
identities = ["web:olga"]

[[people]]
name = "Anna"
identities = ["web:anna"]
roles = ["agent"]

[[people]]
name = "Boris"
identities = ["web:boris"]
roles = ["agent"]

[[people]]
name = "Maria"
identities = ["web:maria"]
roles = ["lead"]

[[queues]]
name = "support"
"""
)
"""The same with people of its own: a desk like any other, which prints no links."""

_ODD = re.compile(
    r"Traceback|Task was destroyed|never retrieved|never awaited|ResourceWarning|unclosed|Exception ignored"
    r"|Fatal Python|DeprecationWarning"
)


class Running(Protocol):
    """What there is of an `asyncio.subprocess.Process`, however it began."""

    pid: int

    @property
    def stdout(self) -> asyncio.StreamReader | None: ...

    @property
    def returncode(self) -> int | None: ...

    def send_signal(self, signal: int) -> None: ...

    async def wait(self) -> int: ...


class Desk:
    """One desk and the process that serves it, if one does."""

    def __init__(self, folder: Path, config: str = DEMO, *, port: int | None = None) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.port = free_port() if port is None else port
        self.config = folder / "config.toml"
        self.config.write_text(config.format(folder=folder, port=self.port), encoding="utf-8")
        self.environment: dict[str, str] = {}
        if databases.ON_SERVER:
            self.environment["DESKBRIDGE_DATABASE__URL"] = databases.url(self.database)
        self.patience = 60.0
        """Seconds that a command may take."""
        self.printed: list[str] = []
        self._printed = 0
        self._errors = folder / "stderr.log"
        self._errors.touch()
        self._running: Running | None = None
        self._reading: asyncio.Task[None] | None = None

    @property
    def database(self) -> Path:
        return self.folder / "desk.db"

    @property
    def base(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def errors(self) -> str:
        """Everything the processes wrote to standard error."""
        return self._errors.read_text(encoding="utf-8")

    @property
    def oddities(self) -> list[str]:
        """Lines that a healthy process never writes."""
        return [line for line in self.errors.splitlines() if _ODD.search(line)]

    def link(self, account: str) -> str:
        """The sign-in token printed for a person of the demo; empty where none is printed."""
        found = [line for line in self.printed if line.strip().startswith(account.title())]
        return found[-1].rpartition("#")[2] if found else ""

    def _everything(self, more: Mapping[str, str]) -> dict[str, str]:
        """The environment of a process: this one's, without anything meant for another desk."""
        mine = {k: v for k, v in os.environ.items() if not k.startswith("DESKBRIDGE_")}
        mine.pop("PYTHONDONTWRITEBYTECODE", None)
        return {
            **mine,
            "PYTHONPYCACHEPREFIX": str(COMPILED),
            "PYTHONUNBUFFERED": "1",
            **self.environment,
            **more,
        }

    def _words(self, *arguments: str, python: tuple[str, ...] = ()) -> list[str]:
        return [sys.executable, *python, "-m", "bot", *arguments, "--config", str(self.config)]

    # ---- the process that serves

    async def launch(self, *arguments: str, python: tuple[str, ...] = (), **environment: str) -> None:
        """Start it without waiting for anything."""
        self._printed = len(self.printed)
        with self._errors.open("ab") as errors:
            self._running = await asyncio.create_subprocess_exec(
                *self._words("run", *arguments, python=python),
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=self._everything(environment),
                cwd=self.folder,
            )
        self._reading = asyncio.create_task(self._read(self._running))

    async def start(self, *arguments: str, python: tuple[str, ...] = (), **environment: str) -> "Desk":
        """Start it and wait until it says that it runs."""
        await self.launch(*arguments, python=python, **environment)
        async with asyncio.timeout(READY_IN):
            serves = await self.serves()
        assert serves, f"it ended with {await self.wait()}: {self.errors}"
        return self

    async def serves(self) -> bool:
        """Until the process that was launched says that it runs; False if it ends before."""
        while not any(self._told(line) for line in self.printed[self._printed :]):
            if not self.alive:
                return False
            await asyncio.sleep(0.01)
        return True

    def _told(self, line: str) -> bool:
        """Whether this is the last line that a desk prints at its start."""
        team = "[[people]]" in self.config.read_text(encoding="utf-8")
        return "deskbridge sign-in" in line if team else "Ctrl-C stops it" in line

    async def _read(self, process: Running) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.printed.append(line.decode().rstrip("\n"))

    @property
    def alive(self) -> bool:
        return self._running is not None and self._running.returncode is None

    @property
    def pid(self) -> int:
        assert self._running is not None
        return self._running.pid

    def send(self, what: signal.Signals) -> None:
        """Send the process a signal, unless it has gone by itself already."""
        assert self._running is not None
        with contextlib.suppress(ProcessLookupError):
            self._running.send_signal(what)

    async def wait(self) -> int:
        """The exit code, once the process has gone."""
        assert self._running is not None
        assert self._reading is not None
        async with asyncio.timeout(GONE_IN):
            code = await self._running.wait()
            await self._reading
        return code

    async def gone(self) -> None:
        """Until the process has gone, however long it lives."""
        assert self._running is not None
        await self._running.wait()

    async def stop(self, how: signal.Signals = signal.SIGTERM) -> int:
        self.send(how)
        return await self.wait()

    async def close(self) -> None:
        """Leave nothing behind, whatever the test did."""
        if self._running is not None:
            if self.alive:
                self.send(signal.SIGKILL)
            await self.wait()

    # ---- asked from outside

    def command(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """Run another command of the command line beside it."""
        return subprocess.run(
            self._words(*arguments),
            env=self._everything(environment),
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=self.patience,
            check=False,
        )

    async def ask(self, *arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        return await asyncio.to_thread(self.command, *arguments, **environment)

    async def check_words(self, words: Iterable[str], *, tickets: int) -> None:
        """All that was said is in one of so many tickets, once."""
        told = await self.ask("export", "--json")
        assert told.returncode == 0, told.stderr
        kept = json.loads(told.stdout)["tickets"]
        assert len(kept) == tickets
        said = " ".join(f"{message['text']} " for ticket in kept for message in ticket["messages"])
        counts = {word: said.count(word) for word in words}
        assert {word: count for word, count in counts.items() if count != 1} == {}

    async def get(self, path: str) -> tuple[int, str]:
        """A page of the desk, as a stranger sees it."""
        async with aiohttp.ClientSession() as http, http.get(self.base + path) as answer:
            return answer.status, await answer.text()

    async def ready(self) -> dict[str, Any]:
        async with aiohttp.ClientSession() as http, http.get(self.base + "/readyz") as answer:
            told: dict[str, Any] = await answer.json()
            assert (answer.status == 200) is told["ok"]
            return told
