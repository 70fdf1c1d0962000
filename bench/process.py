"""A server in a process of its own, started, waited for and stopped."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

START_WITHIN = 60.0
ROOT = Path(__file__).parent.parent


@dataclass(frozen=True, slots=True)
class Running:
    """A server that answers, after `took` seconds."""

    pid: int
    base: str
    took: float

    @property
    def memory(self) -> float:
        """Resident megabytes."""
        status = Path(f"/proc/{self.pid}/status").read_text("ascii", "replace")
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024


def peak() -> float:
    """The most resident megabytes that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def free_port() -> int:
    with socket.socket() as ear:
        ear.bind(("127.0.0.1", 0))
        return int(ear.getsockname()[1])


def environment() -> dict[str, str]:
    """Ours, without what would configure the desk or keep Python from its cache of compiled modules."""
    foreign = ("DESKBRIDGE_", "PYTHONDONTWRITEBYTECODE")
    return {name: value for name, value in os.environ.items() if not name.upper().startswith(foreign)}


@contextlib.contextmanager
def running(arguments: Sequence[str], port: int, path: str) -> Iterator[Running]:
    """Run `python arguments…` until the block ends; it begins once `path` answers 200."""
    base, began = f"http://127.0.0.1:{port}", time.perf_counter()
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, env=environment(), stdout=subprocess.DEVNULL
    )
    try:
        while not _answers(base + path):
            if process.poll() is not None or time.perf_counter() - began > START_WITHIN:
                raise RuntimeError(f"{arguments} does not start")
            time.sleep(0.005)
        yield Running(process.pid, base, time.perf_counter() - began)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
