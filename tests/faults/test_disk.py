"""The disk fails at every place: nothing counts as kept that is not, the next start finds all in order."""

import itertools
import json
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from core.database import engine
from tests.faults import disk
from tests.faults.clerk import LINES, REFUSED
from tests.faults.disk import Call, Failure, How, Platter

DEPTH = max(9, int(os.environ.get("DESKBRIDGE_TEST_STEPS", "0")) // 100)
"""So many calls fail in turn, of each kind."""


class Clerks:
    """Forks clerks, each in a folder of its own with a desk that was left in order."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._model = folder / "model"
        self._model.mkdir()
        self._numbers = itertools.count()
        engine.prepare(self._model / "desk.db").release()
        environment = {**os.environ, "LD_PRELOAD": str(disk.shim())}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.faults.clerk"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def work(self, failure: Failure) -> tuple[int, Path]:
        """How a clerk ended whose disk failed so, and where."""
        folder = self._folder / f"{next(self._numbers)}"
        shutil.copytree(self._model, folder)
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        log = {"BAD_DISK_LOG": str(self._folder / f"{folder.name}.log")}
        order = {"folder": str(folder), "environment": {**failure.environment, **log}}
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline()), folder

    def power_cut(self, folder: Path) -> Path:
        """What of the clerk's files is found afterwards if the power was cut when it ended."""
        left = self._folder / f"{folder.name}-cut"
        disk.after_a_power_cut(self._folder / f"{folder.name}.log", self._model, left)
        return left

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(timeout=10)
        self._process.stdout.close()


@pytest.fixture(scope="module")
def clerks(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clerks]:
    opened = Clerks(tmp_path_factory.mktemp("clerks"))
    yield opened
    opened.close()


def acknowledged(folder: Path) -> set[str]:
    acks = folder / "acks"
    return set(acks.read_text().split()) if acks.exists() else set()


def check(folder: Path, told: set[str]) -> None:
    """The next start finds a sound file with everything that was told, once, and takes the rest."""
    engine.prepare(folder / "desk.db").release()
    with closing(sqlite3.connect(folder / "desk.db")) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        kept = Counter(key for (key,) in database.execute("SELECT event_key FROM inbox"))
        assert set(kept.values()) <= {1}
        assert told <= set(kept), f"{told - set(kept)} were acknowledged"


@pytest.mark.parametrize("how", ["eio", "enospc", "kill", "torn"])
@pytest.mark.parametrize(("call", "files"), [("write", "*.db*"), ("write", "*-wal"), ("sync", "*.db*")])
def test_whichever_call_fails_nothing_counts_as_kept_that_is_not(
    clerks: Clerks, call: Call, files: str, how: How
) -> None:
    for number in range(1, DEPTH + 1):
        code, folder = clerks.work(Failure(call, number, how, files))
        deadly = how in ("kill", "torn")
        said = (folder / "said").read_text() if (folder / "said").exists() else ""
        assert code in ((-signal.SIGKILL, 0) if deadly else (0, REFUSED)), said
        told = acknowledged(folder)
        if code == 0:
            assert len(told) == LINES, "what failed once is taken when it is said again"
        check(clerks.power_cut(folder), told)
        check(folder, told)


def test_a_read_that_fails_is_told_and_spoils_nothing(clerks: Clerks) -> None:
    for number in range(1, DEPTH + 1):
        code, folder = clerks.work(Failure("read", number, "eio"))
        said = (folder / "said").read_text() if (folder / "said").exists() else ""
        assert code in (0, REFUSED), said
        check(folder, acknowledged(folder))


def test_the_clerks_disk_is_the_one_that_fails(clerks: Clerks) -> None:
    code, folder = clerks.work(Failure("sync", 10_000, "kill"))
    assert (code, len(acknowledged(folder))) == (0, LINES)
    log = folder.with_suffix(".log").read_bytes()
    assert log.count(b"s 0 0 ") >= LINES, "each line was synced by itself"
    code, folder = clerks.work(Failure("sync", 5, "kill"))
    assert code == -signal.SIGKILL
    assert len(acknowledged(folder)) < LINES


def test_a_power_cut_before_the_last_sync_is_noticed(clerks: Clerks) -> None:
    _, folder = clerks.work(Failure("sync", 10_000, "kill"))
    log = folder.with_suffix(".log")
    written = log.read_bytes()
    log.write_bytes(written[: written.index(b"s 0 0 ", len(written) // 4)])
    with pytest.raises(AssertionError, match="were acknowledged"):
        check(clerks.power_cut(folder), acknowledged(folder))


# ---- the power cut


def test_only_what_was_synced_outlives_a_power_cut() -> None:
    platter = Platter(bytearray(b"old words"))
    platter.done("w", 0, b"new")
    assert bytes(platter.durable) == b"old words"
    platter.done("s", 0, b"")
    assert bytes(platter.durable) == b"new words"
    platter.done("t", 3, b"")
    platter.done("s", 0, b"")
    assert bytes(platter.durable) == b"new"


def test_what_a_failed_sync_was_to_write_is_not_written_by_the_next() -> None:
    platter = Platter(bytearray(b"old"))
    platter.done("w", 0, b"new")
    platter.done("f", 0, b"")
    platter.done("s", 0, b"")
    assert bytes(platter.durable) == b"old"
    platter.done("w", 4, b"more")
    platter.done("s", 0, b"")
    assert bytes(platter.durable) == b"old\0more"
