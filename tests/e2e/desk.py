"""The real process in a folder of its own: started, killed and started again on the same port."""

import os
import signal
import subprocess
import sys
from pathlib import Path

from tests import databases
from tests.ports import free_port

ROOT = Path(__file__).parents[2]
LAST_LINE = "Ctrl-C"
"""With this begins the last line that is told at the start."""


class Desk:
    """`deskbridge run` with the demo's people; `config` changes the rest."""

    def __init__(self, folder: Path, config: str = "") -> None:
        self.folder = folder
        self.port = free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        self._log = folder / "log.txt"
        self._process: subprocess.Popen[str] | None = None
        (folder / "config.toml").write_text(config, encoding="utf-8")

    def start(self) -> None:
        """Start, and wait until it says that it serves."""
        environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("DESKBRIDGE_")},
            "PYTHONPATH": str(ROOT),
            "DESKBRIDGE_WEB__PORT": str(self.port),
            "DESKBRIDGE_DESK__TIME_ZONE": "UTC",
        }
        if databases.ON_SERVER:
            environment["DESKBRIDGE_DATABASE__URL"] = databases.url(self.folder / "desk.db")
        with self._log.open("a") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", "run"],
                cwd=self.folder,
                env=environment,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.strip().startswith(LAST_LINE):
                return
        raise AssertionError(f"it did not start:\n{self.log}")

    def kill(self) -> None:
        """The process ends without a word."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        process.wait(timeout=15)
        if process.stdout is not None:
            process.stdout.close()

    @property
    def log(self) -> str:
        """Everything it wrote down."""
        return self._log.read_text(encoding="utf-8")
