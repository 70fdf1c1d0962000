"""Disks that take no more: a small one that is full, and one that refuses every write of a process."""

import contextlib
import resource
import subprocess
from pathlib import Path

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
