"""A PostgreSQL server of the benchmarks' own, on loopback, as durable as it is by default; and its floor."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from bench.floor import BODY
from bench.process import free_port

USER = "desk"
START_WITHIN = 30.0
"""Seconds."""
_PROGRAMS = ("initdb", "postgres")
_TICK = os.sysconf("SC_CLK_TCK")
_SETTINGS = {"listen_addresses": "127.0.0.1", "unix_socket_directories": "", "jit": "off"}


def binaries() -> Path | None:
    """Where the server's programs are."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    found += [Path(path).resolve().parent for path in (shutil.which("postgres"),) if path]
    return next((each for each in found if all((each / name).exists() for name in _PROGRAMS)), None)


@dataclass(frozen=True, slots=True)
class Served:
    """A server that answers."""

    port: int
    pid: int

    def dsn(self, name: str = "postgres") -> str:
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def url(self, name: str) -> str:
        """As a configuration names it."""
        return self.dsn(name).replace("postgresql://", "postgresql+asyncpg://", 1)

    async def create(self, name: str) -> str:
        """A new database; its URL."""
        raw = await asyncpg.connect(self.dsn())
        try:
            await raw.execute(f'CREATE DATABASE "{name}" TEMPLATE template0')
        finally:
            await raw.close()
        return self.url(name)

    @property
    def cpu(self) -> float:
        """Seconds of processor time that it and all its sessions have taken."""
        own = _times(self.pid)
        return (sum(own) + sum(sum(_times(each)[:2]) for each in _children(self.pid))) / _TICK

    def send(self, what: signal.Signals) -> None:
        """Send every process of it a signal."""
        for pid in (self.pid, *_children(self.pid)):
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, what)


@contextlib.contextmanager
def served() -> Iterator[Served]:
    """A fresh server until the block ends. Raises SystemExit where there is no PostgreSQL."""
    programs = binaries()
    if programs is None:
        raise SystemExit("there is no PostgreSQL here; on Debian and Ubuntu: apt install postgresql")
    folder = Path(tempfile.mkdtemp(prefix="deskbridge-bench-postgresql-"))
    if (user := _user()) is not None:
        os.chown(folder, user.pw_uid, user.pw_gid)
    data, port = folder / "data", free_port()
    subprocess.run(
        _as([str(programs / "initdb"), "-D", str(data), "-U", USER, "-E", "UTF8", "--locale", "C.UTF-8"]),
        check=True, capture_output=True, cwd="/",
    )  # fmt: skip
    given = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            _as([str(programs / "postgres"), "-D", str(data), "-p", str(port), *given]),
            stdout=log, stderr=log, cwd="/",
        )  # fmt: skip
    try:
        _await(data / "postmaster.pid", process)
        yield Served(port, process.pid)
    finally:
        process.send_signal(signal.SIGINT)
        process.wait(30)
        shutil.rmtree(folder, ignore_errors=True)


def _await(status: Path, process: subprocess.Popen[bytes]) -> None:
    began = time.monotonic()
    while not (status.exists() and "ready" in status.read_text()):
        if process.poll() is not None or time.monotonic() - began > START_WITHIN:
            raise RuntimeError("PostgreSQL does not start")
        time.sleep(0.02)


def _as(command: Sequence[str]) -> list[str]:
    """PostgreSQL refuses root, which lends it the system's user."""
    user = _user()
    if user is None:
        return list(command)
    return ["setpriv", f"--reuid={user.pw_uid}", f"--regid={user.pw_gid}", "--clear-groups", *command]


def _user() -> pwd.struct_passwd | None:
    return pwd.getpwnam("postgres") if os.geteuid() == 0 else None


def _children(pid: int) -> list[int]:
    return [int(each) for each in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _times(pid: int) -> list[int]:
    """Of the process, as user and in the kernel, and the same of its children that have ended."""
    try:
        told = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return [0]
    return [int(each) for each in told[11:15]]


async def plain(server: Served, transactions: int, rows: int) -> float:
    """Transactions a second of a loop on the bare driver, each of so many inserts."""
    raw = await asyncpg.connect(server.dsn())
    try:
        await raw.execute("CREATE TABLE bare (id BIGSERIAL PRIMARY KEY, lane TEXT, body TEXT)")
        insert = await raw.prepare("INSERT INTO bare (lane, body) VALUES ($1, $2)")
        began = time.perf_counter()
        for number in range(transactions):
            await raw.execute("BEGIN")
            for _ in range(rows):
                await insert.fetch(str(number), BODY)
            await raw.execute("COMMIT")
        took = time.perf_counter() - began
        await raw.execute("DROP TABLE bare")
        return transactions / took
    finally:
        await raw.close()
