"""Run the benchmarks named, or all of them: `python -m bench [--quick] [names…]`."""

import argparse
import asyncio
from collections.abc import Awaitable, Mapping
from pathlib import Path
from typing import Protocol

from bench import (
    acknowledgements,
    audits,
    claims,
    conversations,
    draining,
    lateness,
    replicas,
    rig,
    slack,
    stalls,
    starting,
    telegram,
    ticks,
)
from bench.report import Report, markdown


class Measure(Protocol):
    """Take one measurement in a folder of its own."""

    def __call__(self, place: Path, *, quick: bool) -> Awaitable[Report]: ...


BENCHMARKS: Mapping[str, Measure] = {
    "conversations": conversations.measure,
    "acknowledgements": acknowledgements.measure,
    "ticks": ticks.measure,
    "lateness": lateness.measure,
    "audits": audits.measure,
    "claims": claims.measure,
    "starting": starting.measure,
    "replicas": replicas.measure,
    "stalls": stalls.measure,
    "draining": draining.measure,
    "telegram": telegram.measure,
    "slack": slack.measure,
}


async def measure(name: str, *, quick: bool) -> Report:
    """Run one benchmark."""
    with rig.folder() as place:
        return await BENCHMARKS[name](place, quick=quick)


def main() -> None:
    options = argparse.ArgumentParser(prog="bench", description="Measure the desk beside the bare libraries.")
    options.add_argument("--quick", action="store_true", help="small sizes: to see that it works")
    options.add_argument("names", nargs="*", metavar="name", help=f"any of {', '.join(BENCHMARKS)}")
    given = options.parse_args()
    if unknown := set(given.names) - set(BENCHMARKS):
        options.error(f"there is no {', '.join(sorted(unknown))}; choose of {', '.join(BENCHMARKS)}")
    for name in given.names or BENCHMARKS:
        print(markdown([asyncio.run(measure(name, quick=given.quick))]), end="\n\n", flush=True)


if __name__ == "__main__":
    main()
