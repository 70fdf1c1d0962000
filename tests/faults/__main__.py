"""`python -m tests.faults --kills 1000 --seed 7`: kill the desk, and see whether anything is lost.

The same seed kills at the same commits and moments again. The exit code is 1 where anything is wrong.
"""

import argparse
import asyncio
import sys
import tempfile
import traceback
from pathlib import Path

from tests.conftest import pytest_configure
from tests.faults.run import Plan, run

SHOWN = 40
"""So many findings are told one by one."""


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--kills", type=int, default=1000, help="how often (1000)")
    parser.add_argument("--seed", type=int, default=7, help="what the schedule of kills follows from (7)")
    parser.add_argument(
        "--database",
        default="",
        help="the url of an empty database; `postgresql`: a server of its own; left out: an SQLite file",
    )
    parser.add_argument("--minutes", type=float, default=0.0, help="kill no longer than that")
    parser.add_argument("--calm", action="store_true", help="kills only: the server and its line are well")
    parser.add_argument("--processes", type=int, default=1, help="how many serve one database (1)")
    parser.add_argument("--keep", type=Path, help="a folder in which logs and database are kept")
    told = parser.parse_args(arguments)
    if min(told.kills, told.processes) < 1:
        parser.error("--kills and --processes are at least 1")
    plan = Plan(told.kills, told.seed, told.database, told.processes, told.minutes, troubles=not told.calm)
    with tempfile.TemporaryDirectory() as folder:
        try:
            verdict = asyncio.run(run(plan, told.keep or Path(folder), say))
        except (AssertionError, TimeoutError, ExceptionGroup) as error:
            traceback.print_exception(error)
            say(f"seed {plan.seed}: somebody has waited in vain, or the desk ended by itself; see above")
            return 1
    for finding in verdict.findings[:SHOWN]:
        say(str(finding))
    say(str(verdict))
    return 1 if verdict.findings else 0


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    pytest_configure()
    sys.exit(main(sys.argv[1:]))
