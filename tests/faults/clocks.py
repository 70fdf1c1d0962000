"""A wall clock that jumps: libfaketime before a process, told by a file how far its time is from the true."""

import os
import shutil
from datetime import timedelta
from pathlib import Path

from tests.faults.disk import missing

HOW_TO_INSTALL = "no libfaketime here; install it (on Debian and Ubuntu: apt install faketime) to test jumps"
_PLACES = ("/usr/lib/*/faketime/libfaketimeMT.so.1", "/usr/lib/faketime/libfaketimeMT.so.1")


class Clock:
    """The wall clock of the processes that get its environment; their monotonic clock goes on as it is."""

    def __init__(self, folder: Path) -> None:
        """Skips the test where libfaketime is not installed."""
        found = [each for place in _PLACES for each in Path("/").glob(place[1:])]
        if not found or not shutil.which("faketime"):
            missing(HOW_TO_INSTALL)
        self._library = found[0]
        self._file = folder / "faketime"
        self.jump(timedelta(0))

    def jump(self, away: timedelta) -> None:
        """From now on it is so far from the true time."""
        beside = self._file.with_suffix(".new")
        beside.write_text(f"{away.total_seconds():+.0f}\n", encoding="utf-8")
        os.replace(beside, self._file)

    @property
    def environment(self) -> dict[str, str]:
        return {
            "LD_PRELOAD": str(self._library),
            "FAKETIME_TIMESTAMP_FILE": str(self._file),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        }
