"""Bad disks: a small one that is full, one that refuses every write of a process, one that fails at a chosen
call; and what is left on one when the power is cut.
"""

import contextlib
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import zlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NoReturn

import pytest

from tests.process.desk import Desk


class SmallDisk:
    """A file system of a few megabytes. Needs the right to mount."""

    def __init__(self, folder: Path, megabytes: int = 8) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self._ballast = folder / "ballast"
        mount = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(folder)]
        try:
            subprocess.run(mount, check=True, capture_output=True, timeout=10)
        except (OSError, subprocess.SubprocessError):
            pytest.skip("only somebody who may mount can have a full disk of their own")

    def fill(self) -> None:
        """Leave no byte free."""
        with self._ballast.open("ab", buffering=0) as file:
            for size in (1 << 16, 1 << 12, 1):
                with contextlib.suppress(OSError):
                    while file.write(b"\0" * size) == size:
                        pass

    def free(self) -> None:
        self._ballast.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "--lazy", str(self.folder)], check=True, capture_output=True, timeout=10)


class StubbornDisk:
    """Every write of this desk's process to a file fails, as on a dying disk. Needs no rights."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._usual = resource.prlimit(desk.pid, resource.RLIMIT_FSIZE)

    def fill(self) -> None:
        resource.prlimit(self._desk.pid, resource.RLIMIT_FSIZE, (0, self._usual[1]))

    def free(self) -> None:
        resource.prlimit(self._desk.pid, resource.RLIMIT_FSIZE, self._usual)


# ---- a disk that fails at a chosen call

SOURCE = Path(__file__).parent / "shim.c"
HOW_TO_COMPILE = (
    "no C compiler here; install one (on Debian and Ubuntu: apt install gcc libc6-dev) to test failing disks"
)
Call = Literal["write", "sync", "read"]
How = Literal["eio", "enospc", "kill", "torn"]


@dataclass(frozen=True)
class Failure:
    """The n-th call on files whose path fits fails so: with an error, or with the death of the process
    (`torn`: after half of the write)."""

    call: Call
    at: int
    how: How
    files: str = "*.db*"

    @property
    def environment(self) -> dict[str, str]:
        return {
            "BAD_DISK_FILES": self.files,
            "BAD_DISK_CALL": self.call,
            "BAD_DISK_AT": str(self.at),
            "BAD_DISK_HOW": self.how,
        }


def shim() -> Path:
    """What is preloaded (LD_PRELOAD) into a process for its disk to fail; skips where nothing compiles."""
    source = SOURCE.read_bytes()
    made = Path(tempfile.gettempdir()) / f"deskbridge-disk-{os.getuid()}-{zlib.crc32(source):08x}.so"
    if made.exists():
        return made
    compiler = next(filter(None, map(shutil.which, ("cc", "gcc", "clang"))), None)
    if compiler is None or not sys.platform.startswith("linux"):
        missing(HOW_TO_COMPILE)
    own = made.with_suffix(f".{os.getpid()}")
    command = [str(compiler), "-O1", "-shared", "-fPIC", "-o", str(own), str(SOURCE), "-ldl", "-lpthread"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    if done.returncode:
        missing(f"{HOW_TO_COMPILE} ({done.stderr.strip().splitlines()[-1]})")
    own.replace(made)
    return made


def missing(how: str) -> NoReturn:
    """Something is not installed: the test is skipped, or fails where everything must be there."""
    if os.environ.get("DESKBRIDGE_TEST_REQUIRE_ALL") == "1":
        pytest.fail(how)
    pytest.skip(how)


# ---- what a power cut leaves


@dataclass
class Platter:
    """What of a file is on the disk for sure. A sync that failed has written nothing, and what it was to
    write is not written by later syncs either: the kernel forgets it."""

    durable: bytearray = field(default_factory=bytearray)
    waiting: list[tuple[int, bytes]] = field(default_factory=list)

    def done(self, what: str, offset: int, data: bytes) -> None:
        match what:
            case "w":
                self.waiting.append((offset, data))
            case "t":
                self.waiting.append((offset, b""))
            case "s":
                for place, words in self.waiting:
                    self._put(place, words)
                self.waiting.clear()
            case "f":
                self.waiting.clear()

    def _put(self, place: int, words: bytes) -> None:
        if not words:  # the file was cut off here
            del self.durable[place:]
        if place > len(self.durable):
            self.durable += bytes(place - len(self.durable))
        self.durable[place : place + len(words)] = words


def after_a_power_cut(log: Path, before: Path, to: Path) -> None:
    """Put into a folder the files of another one as they would be found after the power was cut at the end of
    this log: with what was synced, and without anything else."""
    platters = {
        file.name: Platter(bytearray(file.read_bytes())) for file in before.iterdir() if file.is_file()
    }
    with log.open("rb") as records:
        while line := records.readline():
            what, offset, size, path = line.decode().rstrip("\n").split(" ", 3)
            data = records.read(int(size)) if what == "w" else b""
            platters.setdefault(Path(path).name, Platter()).done(what, int(offset), data)
    to.mkdir(parents=True)
    for name, platter in platters.items():
        if not name.endswith("-shm"):
            (to / name).write_bytes(platter.durable)
