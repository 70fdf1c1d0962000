"""A process that writes line after line into the desk's database while its disk fails, and notes what it was
told is kept.

`python -m tests.faults.clerk` with tests/faults/shim.c preloaded: for each order it reads, one JSON line with
`folder` and `environment`, it forks a clerk, and answers with one line, the clerk's exit status. To fork is a
hundred times quicker than to start.
"""

import asyncio
import ctypes
import json
import os
import sys
import traceback
from pathlib import Path

from core.database import engine
from core.database.engine import Database
from core.database.transaction import Transaction
from core.inbox import store as inbox
from core.inbox.model import Event
from core.kernel.errors import SetupError, TemporaryError

LINES, TRIES = 6, 3
WORDS = "x" * 3000
REFUSED, CONFUSED = 3, 4
"""Exit codes: it could not begin and said why in plain words; it ended as nobody has thought of."""


async def write(folder: Path) -> None:
    """Each line until it is taken; what was acknowledged stands in the file "acks", synced by nobody."""
    lock = engine.prepare(folder / "desk.db")
    database = Database(folder / "desk.db")
    with (folder / "acks").open("ab", buffering=0) as acks:
        for number in range(LINES):
            for _ in range(TRIES):
                try:
                    await database.write(lambda tx, number=number: _keep(tx, number))  # type: ignore[misc]
                except TemporaryError:
                    continue
                acks.write(b"%d\n" % number)
                break
    await database.close()
    lock.release()


async def _keep(tx: Transaction, number: int) -> None:
    await inbox.add(tx, "web", "web", [Event(str(number), "lane", {"text": WORDS})])


def _clerk(order: dict[str, object]) -> None:
    os.environ.update(order["environment"])  # type: ignore[call-overload]
    ctypes.CDLL(None).bad_disk_begin()
    folder, code = Path(str(order["folder"])), 0
    try:
        asyncio.run(write(folder))
    except SetupError as error:
        (folder / "said").write_text(str(error), encoding="utf-8")
        code = REFUSED
    except BaseException:  # noqa: BLE001 - told to whoever gave the order
        (folder / "said").write_text(traceback.format_exc(), encoding="utf-8")
        code = CONFUSED
    os._exit(code)


def main() -> None:
    for line in sys.stdin:
        child = os.fork()
        if child == 0:
            _clerk(json.loads(line))
        _, status = os.waitpid(child, 0)
        print(os.waitstatus_to_exitcode(status), flush=True)


if __name__ == "__main__":
    main()
